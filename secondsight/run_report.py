"""The report of an ingest run, from the run's log and the library: as data, and what a page needs.

Made from the log, a report can be had at any time: of a run that goes on, that was killed, or that
ended last night.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from index.catalog import MOMENT_KINDS
from index.errors import LibraryError
from index.snapshot import Snapshot
from ingest.report import SourceOutcome
from ingest.run_log import STAMP_FORMAT, outcome_in, read_log, run_logs
from secondsight.present import outcome_json
from secondsight.run_state import OUTCOMES, RunState

RunEnd = Literal["ended", "running", "stopped"]


@dataclass(frozen=True, slots=True)
class RunReport:
    """What the latest run of a library did."""

    library: Path
    began_at: datetime
    end: RunEnd
    """stopped: killed, or ended by an error of the library."""
    took_s: float
    """Until its end, or its last step."""
    outcomes: tuple[SourceOutcome, ...]
    """In the order in which the files were found."""
    unfinished: tuple[str, ...]
    """Paths that were found and have no outcome."""

    def with_outcome(self, outcome: str) -> list[SourceOutcome]:
        """The files that ended so."""
        return [found for found in self.outcomes if found.outcome == outcome]

    @property
    def video_s(self) -> float:
        """Length of all videos that were added."""
        return sum(outcome.duration_s or 0.0 for outcome in self.with_outcome("added"))

    @property
    def realtime(self) -> float | None:
        """Seconds of video added in a second; None when there were none."""
        return self.video_s / self.took_s if self.video_s and self.took_s else None

    def stages_s(self) -> dict[str, float]:
        """Seconds of work in each stage, over all sources, the longest first."""
        total: Counter[str] = Counter()
        for outcome in self.outcomes:
            total.update(outcome.stages_s)
        return dict(total.most_common())


def read_report(library: Path) -> RunReport:
    """The report of the latest run. Raises LibraryError when the library has no log of one."""
    logs = run_logs(library)
    if not logs:
        raise LibraryError(f"{library} has no log of a run; make one with: secondsight ingest")
    state = RunState()
    found: dict[str, int] = {}
    outcomes: list[SourceOutcome] = []
    for line in read_log(logs[0]):
        state.take(line)
        outcome = outcome_in(line)
        if outcome is not None:
            outcomes.append(outcome)
        elif line.get("stage") == "found":
            found.setdefault(str(line.get("path")), len(found))
    unfinished = found.keys() - {outcome.path for outcome in outcomes}
    return RunReport(
        library=library,
        began_at=datetime.strptime(logs[0].stem, STAMP_FORMAT).replace(tzinfo=UTC),
        end="ended" if state.ended else "running" if state.is_running else "stopped",
        took_s=state.after_s,
        outcomes=tuple(sorted(outcomes, key=lambda one: found.get(one.path, len(found)))),
        unfinished=tuple(sorted(unfinished, key=found.__getitem__)),
    )


def moments_by_kind(snapshot: Snapshot, source_id: str | None) -> dict[str, int]:
    """Number of a source's moments of each kind; empty when the library does not hold it."""
    if source_id is None or source_id not in snapshot.sources:
        return {}
    held = snapshot.source_range(source_id)
    counts = np.bincount(
        snapshot.columns.kind[held.start : held.stop], minlength=len(MOMENT_KINDS)
    ).tolist()
    kind_of_source = snapshot.sources[source_id].kind
    return {
        kind.value: number
        for kind, number in zip(MOMENT_KINDS, counts, strict=True)
        if kind.source_kind is kind_of_source
    }


def report_json(report: RunReport, snapshot: Snapshot) -> dict[str, Any]:
    """The report as `secondsight report` writes it to a JSON file; its fields are stable."""
    sources = [_source_json(outcome, snapshot) for outcome in report.outcomes]
    moments: Counter[str] = Counter()
    for source in sources:
        if source["outcome"] == "added":
            moments.update(source["moments_by_kind"])
    return {
        "library": str(report.library),
        "began_at": report.began_at.isoformat(timespec="seconds"),
        "end": report.end,
        "took_s": round(report.took_s, 3),
        "video_s": round(report.video_s, 3),
        "x_realtime": None if report.realtime is None else round(report.realtime, 2),
        "outcomes": {outcome: len(report.with_outcome(outcome)) for outcome in OUTCOMES},
        "stages_s": {stage: round(took_s, 3) for stage, took_s in report.stages_s().items()},
        "moments_by_kind": {kind.value: moments[kind.value] for kind in MOMENT_KINDS},
        "sources": sources,
        "unfinished": list(report.unfinished),
    }


def _source_json(outcome: SourceOutcome, snapshot: Snapshot) -> dict[str, Any]:
    source = snapshot.sources.get(outcome.source_id or "")
    return {
        **outcome_json(outcome),
        "kind": None if source is None else source.kind.value,
        "segments": None if source is None else len(snapshot.segments_of(source.id)),
        "moments_by_kind": moments_by_kind(snapshot, outcome.source_id),
    }
