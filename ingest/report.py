"""What an ingest run tells: events while it works, one outcome for every file at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["added", "unchanged", "failed"]


@dataclass(frozen=True, slots=True)
class SourceOutcome:
    """What became of one path."""

    path: str
    outcome: Outcome
    source_id: str | None = None
    stage: str | None = None
    """Stage that failed."""
    reason: str | None = None
    duration_s: float | None = None
    """Length of a video that was added."""
    pages: int | None = None
    """Pages of a document that was added."""
    moments: int | None = None
    took_s: float = 0.0
    notes: tuple[str, ...] = ()
    """What was readable but not perfect, e.g. a file cut off at its end."""
    stages_s: dict[str, float] = field(default_factory=dict)
    """Seconds of work a stage took, summed over its parallel pieces."""


@dataclass(frozen=True, slots=True)
class LinkOutcome:
    """A talk and its slides that a run has linked."""

    video_id: str
    video: str
    """File name."""
    document_id: str
    document: str
    """File name."""
    spans: int
    """Stretches of time in which a page is on the screen."""
    pages: int
    """Pages that are."""

    def __str__(self) -> str:
        return f"{self.document} <-> {self.video} ({self.spans} spans of {self.pages} pages)"


@dataclass(frozen=True, slots=True)
class Event:
    """One step of one file."""

    path: str
    stage: str
    """"found", a stage that begins ("probe", "frames", ...), "piece" (a share of the work is
    done), or the outcome ("added", "unchanged", "failed"). At the end of a run, "linking" for
    each new source that is compared with others, and "linked" for a talk and its slides."""
    done: int = 0
    """Work units of this file that are finished, of `total`; "linking": sources of the run."""
    total: int = 0
    reason: str = ""
    size_bytes: int | None = None
    """Size of a file that was found."""
    duration_s: float | None = None
    """Length of a video, once it is known."""
    outcome: SourceOutcome | None = None
    """All that is known of a file in the end."""


Listener = Callable[[Event], None]


def ignore_events(event: Event) -> None:
    """A listener that shows nothing."""


@dataclass(frozen=True, slots=True)
class IngestReport:
    """Outcomes of one run, in the order of the paths."""

    sources: tuple[SourceOutcome, ...]
    took_s: float
    linked: tuple[LinkOutcome, ...] = ()
    """Talks and slides that belong together, of which at least one is new."""
    link_problems: tuple[str, ...] = ()
    """What could not be linked, and why."""
    metadata_without_file: tuple[str, ...] = ()
    """Paths of which metadata is given, but that are no files of this run."""

    def with_outcome(self, outcome: Outcome) -> list[SourceOutcome]:
        """The sources that ended so."""
        return [source for source in self.sources if source.outcome == outcome]

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{len(self.with_outcome(outcome))} {outcome}"
            for outcome in ("added", "unchanged", "failed")
        )
        return f"IngestReport({counts}, {self.took_s:.1f} s)"
