"""What `ingest` and `status --watch` show of a run: sources, pieces, speed, time left."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest
from rich.console import Console

from ingest.report import Event
from ingest.run_log import RunLog
from secondsight import progress
from secondsight.progress import IngestProgress
from secondsight.run_state import summary
from secondsight.watch import read_state

LONG, OTHER = '/films/Öde "1".mp4', "/films/open.mp4"


def test_the_state_of_a_run_is_told(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None
    log = RunLog(tmp_path)
    for path, size_bytes in ((LONG, 3), (OTHER, 4), ("/films/third.mp4", 1)):
        log(Event(path, "found", size_bytes=size_bytes * 1_000_000 - 1_000_000))
    log(Event(LONG, "speech", done=1, total=6, duration_s=900.0))
    log(Event(LONG, "piece", done=2, total=6, duration_s=900.0))
    log(Event(OTHER, "piece", done=8, total=8, duration_s=600.0))
    log(Event(OTHER, "added", duration_s=600.0))
    state = read_state(tmp_path)
    assert state is not None
    assert state.is_running
    source = state.working[LONG]
    assert (source.stage, source.done, source.total) == ("speech", 2, 6)
    state.after_s = 60.0
    # Done: the whole second one and a third of the first, 5 MB; left: 3 MB.
    assert state.left_s() == pytest.approx(36.0)
    assert summary(state) == (
        "1 added, 0 unchanged, 0 failed, 1 in work, 1 waiting; 10 of 14 pieces; "
        "15.0 x realtime; about 00:00:36 left"
    )
    log.end()
    ended = read_state(tmp_path)
    assert ended is not None
    assert not ended.is_running
    assert "left" not in summary(ended)


@pytest.mark.parametrize("terminal", [False, True])
def test_progress_tells_sources_pieces_speed_and_time_left(
    monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr(progress, "SUMMARY_EVERY_S", 0.0)
    shown = io.StringIO()
    with IngestProgress(Console(file=shown, force_terminal=terminal, width=120)) as listener:
        for path in (LONG, OTHER):
            listener(Event(path, "found", size_bytes=0))
        listener(Event(OTHER, "speech", done=3, total=4, duration_s=600.0))
        time.sleep(0.6 if terminal else 0)  # the table is drawn every quarter of a second
        listener(Event(LONG, "failed", reason="[red]is damaged"))
    printed = shown.getvalue()
    assert "1 in work, 1 waiting; 3 of 4 pieces; " in printed
    assert " x realtime; about 00:00:0" in printed
    assert f"failed    {LONG}: [red]is damaged" in printed
    assert ("3/4" if terminal else "open.mp4: speech\n") in printed
