"""The log of a run: what is written is read, and what is forgotten is in no byte of it."""

from __future__ import annotations

import json
from pathlib import Path

from ingest.report import Event, SourceOutcome
from ingest.run_log import RunLog, forget_in_logs, outcome_in, read_log, run_logs

SECRET_ID = "0" * 32
SECRET, OTHER = '/films/Тайна "1".mp4', "/films/open.mp4"


def test_a_forgotten_source_is_in_no_byte_of_any_log(tmp_path: Path) -> None:
    first, second = RunLog(tmp_path), RunLog(tmp_path)
    for log in (first, second):
        for path in (SECRET, OTHER, f"/copies{SECRET}"):
            log(Event(path, "frames", done=1, total=4))
        log(Event(OTHER, "failed", reason=f"is a copy of {SECRET}"))
        log(_ended(SourceOutcome("/renamed.mp4", "unchanged", SECRET_ID)))
        log(_ended(SourceOutcome(OTHER, "added", "1" * 32, notes=("cut off", f"like {SECRET}"))))
    name = Path(SECRET).name
    forget_in_logs(tmp_path, SECRET_ID, name, [SECRET])
    second(Event(OTHER, "added", duration_s=2.0))  # the run goes on in the same file
    for file in run_logs(tmp_path):
        content = file.read_bytes()
        for form in (name, json.dumps(name)[1:-1], "Тайна", SECRET, SECRET_ID, "/renamed.mp4"):
            assert form.encode() not in content
        assert next(line["path"] for line in read_log(file) if "path" in line) == OTHER
    assert [line["stage"] for line in read_log(second.path)] == ["begin", "frames", "added"]


def test_an_outcome_is_told_whole(tmp_path: Path) -> None:
    told = SourceOutcome(
        OTHER,
        "added",
        "1" * 32,
        duration_s=2.5,
        moments=7,
        took_s=1.25,
        notes=("cut off at its end",),
        stages_s={"probe": 0.5, "frames": 0.75},
    )
    log = RunLog(tmp_path)
    log(_ended(told))
    log(Event(OTHER, "frames"))
    assert [outcome_in(line) for line in read_log(log.path)] == [None, told, None]


def test_a_line_cut_off_by_a_crash_is_left_out(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    log(Event(OTHER, "probe"))
    with log.path.open("ab") as stream:
        stream.write(b'{"after_s": 1.0, "pa')
    assert [line["stage"] for line in read_log(log.path)] == ["begin", "probe"]


def _ended(outcome: SourceOutcome) -> Event:
    return Event(outcome.path, outcome.outcome, outcome=outcome)
