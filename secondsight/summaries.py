"""Summaries of a library: what they would take, then themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from generate.summary import Listener, Summary, SummaryPlan, plan_summary, summarize
from index.errors import QuestionError
from ingest.cache import cache_folder
from retrieve.understanding import narrowed, understand

if TYPE_CHECKING:
    from generate.backends import Backend
    from index.embedders import Embedder
    from index.snapshot import Snapshot
    from retrieve.filters import Filters
    from secondsight.settings import Settings


@dataclass(frozen=True, slots=True)
class Summaries:
    """Sums up what stands in one state of a library. Without a model sentences are quoted.

    A model's chapters are kept with the stage cache of their source: a summary that was cut off
    goes on where it was, and `secondsight cache` lists and prunes them.
    """

    snapshot: Snapshot
    directory: Path
    settings: Settings
    encoder: Callable[[], Embedder]
    backend: Backend | None

    def plan(self, what: str, filters: Filters) -> SummaryPlan:
        """The chapters of what is meant, and what a model would read and write for them.

        `what` says where to look: times, names of sources; empty: all that filters allow. Raises
        QuestionError when it says more than that, and when there is nothing.
        """
        if what.strip():
            understood = understand(self.snapshot, what, filters)
            if understood.has_words or not understood.is_restricted:
                raise QuestionError(
                    f"summarize: {what!r} is to say where, by times or names of sources, e.g. "
                    "'the second hour of talk.mp4'; questions are for ask"
                )
            filters = narrowed(filters, understood)
        plan = plan_summary(
            self.snapshot,
            filters=filters,
            settings=self.settings.generate,
            backend=self.backend,
            folder_of=partial(cache_folder, self.directory),
        )
        if not plan.chapters:
            raise QuestionError("summarize: there are no words there; `secondsight status` lists")
        return plan

    def summarize(
        self,
        plan: SummaryPlan,
        *,
        listener: Listener = lambda chapter: None,
        stop: threading.Event | None = None,
    ) -> Summary:
        """Sum up the chapters of a plan; `listener` hears of each when it is done.

        When `stop` is set it ends after its chapter. Raises BackendError and LibraryError.
        """
        return summarize(
            plan,
            self.snapshot,
            self.encoder(),
            retrieve=self.settings.retrieve,
            settings=self.settings.generate,
            backend=self.backend,
            folder_of=partial(cache_folder, self.directory),
            listener=listener,
            stop=stop,
        )
