"""How far an ingest run is, counted from its events: what `ingest` and `status --watch` show."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import psutil
from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from index.clock import format_clock
from ingest.run_log import Line

OUTCOMES = ("added", "unchanged", "failed")

_BAR_WIDTH = 24
_OVERHEAD_BYTES = 1_000_000
"""A source takes as long as its size plus this suggests; no source is for nothing."""


@dataclass(slots=True)
class SourceState:
    """How far one source is."""

    stage: str
    began_s: float
    """Seconds into the run."""
    size_bytes: int = 0
    duration_s: float | None = None
    """Length of a video."""
    done: int = 0
    total: int = 0

    @property
    def share(self) -> float:
        """Share of its pieces that are done."""
        return self.done / self.total if self.total else 0.0

    @property
    def work(self) -> int:
        """How much work it is, next to others."""
        return _OVERHEAD_BYTES + self.size_bytes


@dataclass(slots=True)
class RunState:
    """How far a run is, from the lines of its log."""

    pid: int | None = None
    began_at: str = ""
    """UTC, as in the name of the log."""
    ended: bool = False
    after_s: float = 0.0
    """Seconds into the run of the last line."""
    waiting: dict[str, SourceState] = field(default_factory=dict)
    working: dict[str, SourceState] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    pieces: int = 0
    """Pieces done of sources that have ended."""
    video_s: float = 0.0
    """Video that was added."""
    linking: tuple[int, int] | None = None
    """New sources whose slides or talks have been looked for, of how many."""
    added_work: int = 0
    """Work of the sources that were added; what failed says little about the speed."""

    def take(self, line: Line) -> None:
        """Account for one line."""
        stage, path = str(line.get("stage")), str(line.get("path", ""))
        self.after_s = float(line.get("after_s", self.after_s))
        if stage == "begin":
            self.pid, self.began_at = line.get("pid"), str(line.get("at", ""))
        elif stage == "end":
            self.ended = True
        elif stage == "found":
            size_bytes = int(line.get("size_bytes") or 0)
            self.waiting[path] = SourceState(stage, self.after_s, size_bytes)
        elif stage == "linking":
            self.linking = int(line.get("done") or 0), int(line.get("total") or 0)
        elif stage in OUTCOMES:
            self._finish(path, stage, line.get("duration_s") or 0.0)
        elif stage != "linked":
            self._go_on(path, stage, line)

    def _finish(self, path: str, outcome: str, duration_s: float) -> None:
        waited, worked = self.waiting.pop(path, None), self.working.pop(path, None)
        source = worked or waited
        self.outcomes[outcome] += 1
        if source is not None:
            self.pieces += source.done
        if outcome == "added":
            self.video_s += duration_s
            self.added_work += _OVERHEAD_BYTES if source is None else source.work

    def _go_on(self, path: str, stage: str, line: Line) -> None:
        waited = self.waiting.pop(path, None)
        size_bytes = 0 if waited is None else waited.size_bytes
        source = self.working.setdefault(path, SourceState(stage, self.after_s, size_bytes))
        source.stage = source.stage if stage == "piece" else stage
        source.duration_s = line.get("duration_s")
        source.done, source.total = int(line.get("done") or 0), int(line.get("total") or 0)

    @property
    def is_running(self) -> bool:
        """False when it has ended, or its process is gone."""
        return not self.ended and self.pid is not None and psutil.pid_exists(self.pid)

    def realtime(self) -> float | None:
        """Seconds of video done in a second, pieces of unfinished videos included."""
        begun_s = sum((source.duration_s or 0.0) * source.share for source in self.working.values())
        done_s = self.video_s + begun_s
        return done_s / self.after_s if done_s and self.after_s else None

    def left_s(self) -> float | None:
        """Time left, if what is left goes as what is done, byte for byte; None while nothing is."""
        begun = sum(source.work * source.share for source in self.working.values())
        sources = (*self.waiting.values(), *self.working.values())
        left = sum(source.work for source in sources) - begun
        worked = self.added_work + begun
        return self.after_s * left / worked if worked else None


def summary(state: RunState) -> str:
    """One line: counts of sources and pieces, speed, time left."""
    counts = ", ".join(f"{count} {outcome}" for outcome, count in state.outcomes.items())
    working = state.working.values()
    done = state.pieces + sum(source.done for source in working)
    of = f" of {state.pieces + sum(source.total for source in working)}" if working else ""
    text = f"{counts}, {len(working)} in work, {len(state.waiting)} waiting; {done}{of} pieces"
    if state.linking is not None:
        text += "; linking slides, {} of {} new sources done".format(*state.linking)
    realtime = state.realtime()
    if realtime is not None:
        text += f"; {realtime:.1f} x realtime"
    left_s = state.left_s()
    if state.is_running and left_s is not None:
        text += f"; about {format_clock(left_s, 0)} left"
    return text


def view(state: RunState) -> Group:
    """A line for each source in work, then the summary."""
    table = Table(box=None, pad_edge=False)
    table.add_column("source", no_wrap=True, overflow="ellipsis")
    for column in ("", "pieces", "stage", "since"):
        table.add_column(column, no_wrap=True)
    for path, source in state.working.items():
        since = format_clock(max(0.0, state.after_s - source.began_s), 0)
        bar = ProgressBar(total=source.total or 1, completed=source.done, width=_BAR_WIDTH)
        pieces = f"{source.done}/{source.total}"
        table.add_row(Text(Path(path).name), bar, pieces, source.stage, since)
    return Group(table, Text(summary(state))) if state.working else Group(Text(summary(state)))
