"""Hours summed up: chapter by chapter, every line with its span; then all of it in a few lines.

Without a model the lines of a chapter are its most typical sentences, quoted (`retrieve.overview`),
at hardly any cost. A model reads each chapter by itself, within a budget of its own, and what it
says is proved as in answers; then it reads these lines for a few lines on all of it. Its chapters
are kept in files, so that a summary that was interrupted goes on where it was.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from generate.assembly import assemble
from generate.evidence import Evidence, collect_evidence, evidence_of
from generate.extractive import first_sentences
from generate.model_answer import ask_model
from generate.quoting import quoted_sentence
from generate.summary_files import key_of, load_lines, store_lines
from generate.summary_parts import Chapter, chapters_of
from index.records import MomentKind, PageArea, PageRange
from index.word_boxes import NO_WORD_BOXES
from retrieve.overview import overview
from retrieve.result import MILLISECONDS_PER_SECOND

if TYPE_CHECKING:
    from generate.answer_sentence import AnswerSentence
    from generate.backends import Backend
    from generate.settings import GenerateSettings
    from index.embedders import Embedder
    from index.snapshot import Snapshot
    from retrieve.filters import Filters
    from retrieve.settings import RetrieveSettings

FolderOf = Callable[[str], Path]
"""Where what is made of a source may be kept, by its id."""
_ASKED_OF_CHAPTER = "What is this part about? Sum it up in at most {count} sentences."
_ASKED_OF_ALL = "What is all of this about? Sum it up in at most {count} sentences."


@dataclass(frozen=True, slots=True)
class SummaryPlan:
    """What a summary will read, and cost at most."""

    chapters: tuple[Chapter, ...]
    done: int
    """Chapters that were summed up before."""
    prompt_tokens: int | None
    """That a model will read, at most; None: no model reads anything."""
    answer_tokens: int | None
    """That it will write, at most."""

    @property
    def segments(self) -> int:
        """Segments in all chapters."""
        return sum(chapter.segments for chapter in self.chapters)


@dataclass(frozen=True, slots=True)
class SummedUp:
    """A chapter and what it says."""

    chapter: Chapter
    sentences: tuple[AnswerSentence, ...]
    """Each with what proves it; none where nothing could be said."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Chapters in order, by source, and all of them in a few sentences."""

    plan: SummaryPlan
    chapters: tuple[SummedUp, ...]
    overall: tuple[AnswerSentence, ...]
    """By a model, of more than one chapter; else none."""
    took_ms: float


Listener = Callable[[SummedUp], None]


def plan_summary(
    snapshot: Snapshot,
    *,
    filters: Filters,
    settings: GenerateSettings,
    backend: Backend | None = None,
    folder_of: FolderOf | None = None,
) -> SummaryPlan:
    """What summing up all that filters allow takes, before anything is read by a model.

    Raises QuestionError as `allowed_moments` does, and when nothing of a chapter fits its budget.
    """
    chapters = chapters_of(snapshot, filters, settings.summary)
    if backend is None:
        return SummaryPlan(chapters, 0, None, None)
    done = [_kept(chapter, settings, backend, folder_of) is not None for chapter in chapters]
    left = [chapter for chapter, is_done in zip(chapters, done, strict=True) if not is_done]
    prompts = [_prompt_tokens(chapter, snapshot, settings, backend) for chapter in left]
    merged = int(len(chapters) > 1)
    most = min(settings.token_budget, backend.context_tokens) - settings.max_answer_tokens
    return SummaryPlan(
        chapters,
        sum(done),
        sum(prompts) + merged * most,
        (len(left) + merged) * settings.max_answer_tokens,
    )


def summarize(
    plan: SummaryPlan,
    snapshot: Snapshot,
    embedder: Embedder,
    *,
    retrieve: RetrieveSettings,
    settings: GenerateSettings,
    backend: Backend | None = None,
    folder_of: FolderOf | None = None,
    listener: Listener = lambda chapter: None,
    stop: threading.Event | None = None,
) -> Summary:
    """Sum up the chapters of a plan of the same snapshot; `listener` hears of each.

    A model's chapters are kept in `folder_of(source id)` and found there again. When `stop` is
    set, it ends after the chapter it is at. Raises BackendError and LibraryError.
    """
    started = time.perf_counter()
    done: list[SummedUp] = []
    for chapter in plan.chapters:
        if stop is not None and stop.is_set():
            break
        if backend is None:
            sentences = _typical(chapter, snapshot, retrieve, settings)
        else:
            kept = _kept(chapter, settings, backend, folder_of)
            sentences = (
                _read(chapter, snapshot, embedder, backend, settings, stop)
                if kept is None
                else kept
            )
            cut_short = stop is not None and stop.is_set()
            if kept is None and folder_of is not None and not cut_short:
                folder = folder_of(chapter.source.id)
                store_lines(folder, _key(chapter, settings, backend), sentences)
        done.append(SummedUp(chapter, sentences))
        listener(done[-1])
    overall: tuple[AnswerSentence, ...] = ()
    if backend is not None and len(done) == len(plan.chapters) > 1:
        overall = _merged(done, snapshot, embedder, backend, settings, stop)
    took_ms = (time.perf_counter() - started) * MILLISECONDS_PER_SECOND
    return Summary(plan, tuple(done), overall, took_ms)


def _typical(
    chapter: Chapter, snapshot: Snapshot, retrieve: RetrieveSettings, settings: GenerateSettings
) -> tuple[AnswerSentence, ...]:
    mask = np.zeros(snapshot.num_moments, dtype=np.bool_)
    mask[list(chapter.moment_ids)] = True
    hits = overview(snapshot, mask, k=settings.summary.sentences, settings=retrieve)
    evidence = collect_evidence(hits, snapshot)
    return tuple(quoted_sentence(one.sentence) for one in first_sentences(evidence))


def _read(
    chapter: Chapter,
    snapshot: Snapshot,
    embedder: Embedder,
    backend: Backend,
    settings: GenerateSettings,
    stop: threading.Event | None,
) -> tuple[AnswerSentence, ...]:
    return ask_model(
        _ASKED_OF_CHAPTER.format(count=settings.summary.sentences),
        _evidence(chapter, snapshot),
        snapshot,
        embedder,
        backend,
        settings=_of_chapter(settings),
        pictures=None,
        stop=stop,
    ).sentences


def _merged(
    done: Sequence[SummedUp],
    snapshot: Snapshot,
    embedder: Embedder,
    backend: Backend,
    settings: GenerateSettings,
    stop: threading.Event | None,
) -> tuple[AnswerSentence, ...]:
    """All chapters in a few sentences: their proved lines are the evidence, their spans the places.

    What is not proved in a chapter must not prove anything of the whole.
    """
    proved = [
        (one.chapter, text)
        for one in done
        if (text := "\n".join(line.text for line in one.sentences if line.verdict == "supported"))
    ]
    lines = [_as_evidence(*one, number) for number, one in enumerate(proved, start=1)]
    if not lines:
        return ()
    return ask_model(
        _ASKED_OF_ALL.format(count=settings.summary.overall_sentences),
        lines,
        snapshot,
        embedder,
        backend,
        settings=settings,
        pictures=None,
        stop=stop,
    ).sentences


def _as_evidence(chapter: Chapter, text: str, number: int) -> Evidence:
    extent = chapter.extent
    return Evidence(
        id=f"E{number}",
        source=chapter.source,
        place=PageArea(extent.first, str(extent.first))
        if isinstance(extent, PageRange)
        else extent,
        kind=MomentKind.PASSAGE if isinstance(extent, PageRange) else MomentKind.SCREEN_TEXT,
        text=text,
        heading="",
        words=(),
        word_boxes=NO_WORD_BOXES,
        moment_id=chapter.moment_ids[0],
        hit_rank=1,
    )


def _prompt_tokens(
    chapter: Chapter, snapshot: Snapshot, settings: GenerateSettings, backend: Backend
) -> int:
    own = _of_chapter(settings)
    assembled = assemble(
        _ASKED_OF_CHAPTER.format(count=settings.summary.sentences),
        _evidence(chapter, snapshot),
        snapshot,
        backend.costs,
        budget_tokens=min(own.token_budget, backend.context_tokens),
        answer_tokens=own.max_answer_tokens,
        pictures=None,
    )
    return assembled.ledger.prompt_tokens or 0


def _evidence(chapter: Chapter, snapshot: Snapshot) -> tuple[Evidence, ...]:
    return evidence_of(dict.fromkeys(chapter.moment_ids, 1), snapshot)


def _of_chapter(settings: GenerateSettings) -> GenerateSettings:
    """The settings with the budget of one chapter."""
    most = max(settings.summary.chapter_tokens, settings.max_answer_tokens + 1)
    return replace(settings, token_budget=min(settings.token_budget, most))


def _kept(
    chapter: Chapter, settings: GenerateSettings, backend: Backend, folder_of: FolderOf | None
) -> tuple[AnswerSentence, ...] | None:
    if folder_of is None:
        return None
    return load_lines(folder_of(chapter.source.id), _key(chapter, settings, backend))


def _key(chapter: Chapter, settings: GenerateSettings, backend: Backend) -> str:
    return key_of(chapter.content, backend.name, settings)
