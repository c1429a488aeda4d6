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
class Event:
    """One step of one file."""

    path: str
    stage: str
    """"found", a stage that begins ("probe", "frames", ...), "piece" (a share of the work is
    done), or the outcome ("added", "unchanged", "failed")."""
    done: int = 0
    """Work units of this file that are finished, of `total`."""
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

    def with_outcome(self, outcome: Outcome) -> list[SourceOutcome]:
        """The sources that ended so."""
        return [source for source in self.sources if source.outcome == outcome]

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{len(self.with_outcome(outcome))} {outcome}"
            for outcome in ("added", "unchanged", "failed")
        )
        return f"IngestReport({counts}, {self.took_s:.1f} s)"
