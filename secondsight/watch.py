"""`secondsight status --watch`: the running ingest, read from its log."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from index.clock import format_clock
from ingest.run_log import Line, read_log, run_logs

LOOK_EVERY_S = 1.0
OUTCOMES = ("added", "unchanged", "failed")


@dataclass(slots=True)
class SourceState:
    """How far one source is."""

    stage: str
    began_s: float
    done: int = 0
    total: int = 0


@dataclass(slots=True)
class RunState:
    """How far a run is, from the lines of its log."""

    pid: int | None = None
    ended: bool = False
    after_s: float = 0.0
    """Seconds into the run of the last line."""
    waiting: set[str] = field(default_factory=set)
    working: dict[str, SourceState] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    video_s: float = 0.0
    """Video that was added."""

    def take(self, line: Line) -> None:
        """Account for one line."""
        stage, path = str(line.get("stage")), str(line.get("path", ""))
        self.after_s = float(line.get("after_s", self.after_s))
        if stage == "begin":
            self.pid = line.get("pid")
        elif stage == "end":
            self.ended = True
        elif stage == "found":
            self.waiting.add(path)
        elif stage in OUTCOMES:
            self.outcomes[stage] += 1
            self.video_s += line.get("duration_s") or 0.0
            self.waiting.discard(path)
            self.working.pop(path, None)
        else:
            self.waiting.discard(path)
            source = self.working.setdefault(path, SourceState(stage, self.after_s))
            source.stage = source.stage if stage == "piece" else stage
            source.done, source.total = int(line.get("done", 0)), int(line.get("total", 0))

    @property
    def is_running(self) -> bool:
        """False when it has ended, or its process is gone."""
        return not self.ended and self.pid is not None and psutil.pid_exists(self.pid)

    def left_s(self) -> float | None:
        """Time left, if what is left goes as what is done; None while nothing is."""
        worked = self.outcomes["added"] + self.outcomes["failed"]
        begun = sum(source.done / source.total for source in self.working.values() if source.total)
        left = len(self.waiting) + len(self.working) - begun
        return self.after_s * left / (worked + begun) if worked + begun else None


def read_state(library: Path) -> RunState | None:
    """State of the latest run; None when there was none."""
    logs = run_logs(library)
    if not logs:
        return None
    state = RunState()
    for line in read_log(logs[0]):
        state.take(line)
    return state


def summary(state: RunState) -> str:
    """One line: counts, speed, time left."""
    counts = ", ".join(f"{count} {outcome}" for outcome, count in state.outcomes.items())
    text = f"{counts}, {len(state.working)} in work, {len(state.waiting)} waiting"
    if state.video_s and state.after_s:
        text += f"; {state.video_s / state.after_s:.1f} x realtime"
    left_s = state.left_s()
    if state.is_running and left_s is not None:
        text += f"; about {format_clock(left_s, 0)} left"
    return text


def watch(library: Path, console: Console) -> None:
    """Show the running ingest until it ends: live in a terminal, a line a change elsewhere."""
    state = read_state(library)
    if state is None or not state.is_running:
        console.print("no ingest is running")
    if state is None:
        return
    if not console.is_terminal:
        _print_changes(library, console, state)
        return
    with Live(_view(state), console=console, auto_refresh=False) as live:
        while state.is_running:
            time.sleep(LOOK_EVERY_S)
            state = read_state(library) or state
            live.update(_view(state), refresh=True)


def _print_changes(library: Path, console: Console, state: RunState) -> None:
    printed = summary(state)
    console.print(printed, markup=False, highlight=False, soft_wrap=True)
    while state.is_running:
        time.sleep(LOOK_EVERY_S)
        state = read_state(library) or state
        if (line := summary(state)) != printed:
            console.print(line, markup=False, highlight=False, soft_wrap=True)
            printed = line


def _view(state: RunState) -> Group:
    table = Table(box=None, pad_edge=False)
    for column in ("source", "stage", "pieces", "since"):
        table.add_column(column)
    for path, source in state.working.items():
        since = format_clock(max(0.0, state.after_s - source.began_s), 0)
        pieces = f"{source.done}/{source.total}" if source.total else ""
        table.add_row(Text(Path(path).name), source.stage, pieces, since)
    return Group(table, Text(summary(state)))
