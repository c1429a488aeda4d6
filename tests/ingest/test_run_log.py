"""The log of a run: what is written is read, and what is forgotten is in no byte of it."""

from __future__ import annotations

import json
from pathlib import Path

from ingest.report import Event
from ingest.run_log import RunLog, forget_in_logs, read_log, run_logs
from secondsight.watch import read_state, summary

SECRET, OTHER = '/films/Тайна "1".mp4', "/films/open.mp4"


def test_a_forgotten_source_is_in_no_byte_of_any_log(tmp_path: Path) -> None:
    first, second = RunLog(tmp_path), RunLog(tmp_path)
    for log in (first, second):
        for path in (SECRET, OTHER, f"/copies{SECRET}"):
            log(Event(path, "frames", done=1, total=4))
        log(Event(OTHER, "failed", reason=f"is a copy of {SECRET}"))
    name = Path(SECRET).name
    forget_in_logs(tmp_path, "0" * 32, name, [SECRET])
    second(Event(OTHER, "added", duration_s=2.0))  # the run goes on in the same file
    for file in run_logs(tmp_path):
        content = file.read_bytes()
        for form in (name, json.dumps(name)[1:-1], "Тайна", SECRET):
            assert form.encode() not in content
        assert next(line["path"] for line in read_log(file) if "path" in line) == OTHER
    assert [line["stage"] for line in read_log(second.path)] == ["begin", "frames", "added"]


def test_a_line_cut_off_by_a_crash_is_left_out(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    log(Event(OTHER, "probe"))
    with log.path.open("ab") as stream:
        stream.write(b'{"after_s": 1.0, "pa')
    assert [line["stage"] for line in read_log(log.path)] == ["begin", "probe"]


def test_the_state_of_a_run_is_told(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None
    log = RunLog(tmp_path)
    for path in (SECRET, OTHER, "/films/third.mp4"):
        log(Event(path, "found"))
    log(Event(SECRET, "speech", done=1, total=4))
    log(Event(SECRET, "piece", done=2, total=4))
    log(Event(OTHER, "added", duration_s=600.0))
    state = read_state(tmp_path)
    assert state is not None
    assert state.is_running
    source = state.working[SECRET]
    assert (source.stage, source.done, source.total) == ("speech", 2, 4)
    assert summary(state).startswith("1 added, 0 unchanged, 0 failed, 1 in work, 1 waiting")
    state.after_s = 60.0
    assert "10.0 x realtime" in summary(state)
    assert state.left_s() == 60.0
    log.end()
    ended = read_state(tmp_path)
    assert ended is not None
    assert not ended.is_running
