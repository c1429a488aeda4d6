"""`secondsight status --watch`: the running ingest, read from its log."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.live import Live

from ingest.run_log import STAMP_FORMAT, read_log, run_logs
from secondsight.run_state import RunState, summary, view

LOOK_EVERY_S = 1.0


def read_state(library: Path) -> RunState | None:
    """State of the latest run; None when there was none."""
    logs = run_logs(library)
    if not logs:
        return None
    state = RunState()
    for line in read_log(logs[0]):
        state.take(line)
    if state.is_running:
        began = datetime.strptime(state.began_at, STAMP_FORMAT).replace(tzinfo=UTC)
        state.after_s = max(state.after_s, (datetime.now(UTC) - began).total_seconds())
    return state


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
    with Live(view(state), console=console, auto_refresh=False) as live:
        while state.is_running:
            time.sleep(LOOK_EVERY_S)
            state = read_state(library) or state
            live.update(view(state), refresh=True)


def _print_changes(library: Path, console: Console, state: RunState) -> None:
    told = _counts(state)
    console.print(summary(state), markup=False, highlight=False, soft_wrap=True)
    while state.is_running:
        time.sleep(LOOK_EVERY_S)
        state = read_state(library) or state
        if (counts := _counts(state)) != told:
            console.print(summary(state), markup=False, highlight=False, soft_wrap=True)
            told = counts


def _counts(state: RunState) -> tuple[object, ...]:
    """What has to change for a new line; the clock alone does not."""
    done = state.pieces + sum(source.done for source in state.working.values())
    return *state.outcomes.values(), len(state.working), done, state.is_running
