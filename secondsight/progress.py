"""Shows an ingest run: bars in a terminal, one plain line a step elsewhere."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ingest.report import Event

_OUTCOME_STYLE = {"added": "green", "unchanged": "dim", "failed": "red"}


class IngestProgress:
    """An event listener for one run; use as a context manager. Writes to stderr."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tasks: dict[str, TaskID] = {}
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[name]}", style="bold"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[stage]}"),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )

    def __enter__(self) -> IngestProgress:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def __call__(self, event: Event) -> None:
        """Show one event. Called from one thread at a time."""
        if event.stage in _OUTCOME_STYLE:
            self._finish(event)
        elif self._console.is_terminal:
            self._move_bar(event)
        elif event.stage not in ("found", "piece"):
            self._line(f"{Path(event.path).name}: {event.stage}", "")

    def _finish(self, event: Event) -> None:
        if event.path in self._tasks:
            self._bars.remove_task(self._tasks.pop(event.path))
        reason = f": {event.reason}" if event.reason else ""
        self._line(f"{event.stage:9} {event.path}{reason}", _OUTCOME_STYLE[event.stage])

    def _line(self, text: str, style: str) -> None:
        self._console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    def _move_bar(self, event: Event) -> None:
        if event.path not in self._tasks:
            self._tasks[event.path] = self._bars.add_task(
                "", total=None, name=Path(event.path).name, stage=""
            )
        task = self._tasks[event.path]
        self._bars.update(task, total=event.total or None, completed=event.done)
        if event.stage != "piece":
            self._bars.update(task, stage=event.stage)
