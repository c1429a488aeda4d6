"""Shows an ingest run: a live table in a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import asdict
from pathlib import Path
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live

from ingest.report import Event
from secondsight.run_state import OUTCOMES, RunState, summary, view

SUMMARY_EVERY_S = 10.0
"""Outside a terminal the summary is printed at most this often."""

_STYLES = dict(zip(OUTCOMES, ("green", "dim", "red"), strict=True))
_REFRESH_HZ = 4


class IngestProgress:
    """An event listener for one run; use as a context manager. Writes to stderr."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._summed_up = self._started
        self._state = RunState(pid=os.getpid())
        self._lock = threading.Lock()  # not held while printing: Live calls back with its own held
        self._live = Live(
            console=console,
            transient=True,
            refresh_per_second=_REFRESH_HZ,
            get_renderable=self._view,
        )

    def __enter__(self) -> IngestProgress:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def __call__(self, event: Event) -> None:
        """Show one event. Called from one thread at a time."""
        after_s = time.monotonic() - self._started
        with self._lock:
            self._state.take({"after_s": after_s, **asdict(event)})
        if event.stage in _STYLES:
            reason = f": {event.reason}" if event.reason else ""
            self._line(f"{event.stage:9} {event.path}{reason}", _STYLES[event.stage])
        if event.stage == "linked":
            self._line(f"{event.stage:9} {event.reason}", "green")
        if not self._console.is_terminal:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        if event.stage not in ("found", "piece", "linked", *_STYLES):
            self._line(f"{Path(event.path).name}: {event.stage}", "")
        now = time.monotonic()
        if now - self._summed_up >= SUMMARY_EVERY_S:
            self._summed_up = now
            self._line(summary(self._state), "")

    def _view(self) -> Group:
        with self._lock:
            self._state.after_s = time.monotonic() - self._started
            return view(self._state)

    def _line(self, text: str, style: str) -> None:
        self._console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
