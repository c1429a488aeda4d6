"""The command line: one clear line for every mistake, exit codes, doctor, forget."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import pytest

from secondsight import Library
from tests.conftest import MANUAL, TALK, secondsight


def test_no_library_is_one_clear_line(tmp_path: Path) -> None:
    done = secondsight("search", "-L", tmp_path / "nowhere", "anything", check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("secondsight: ")
    assert "secondsight ingest" in line


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = secondsight("search", "--debug", "-L", tmp_path / "no", "anything", check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "LibraryError" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search", "   "], "the query is empty"),
        (["search", "--source", "nobody.mp4", "storm"], "no source 'nobody.mp4'"),
        (["search", "--within", "soon", "storm"], "--within: 'soon' has no '-'"),
        (["search", "--within", "00:10-00:05", "storm"], "start < end"),
        (["ask", "--config", "nope", "storm"], "no configuration 'nope'"),
    ],
)
def test_a_question_that_makes_no_sense_is_told_and_exits_with_2(
    archive: Path, arguments: list[str], message: str
) -> None:
    done = secondsight(*arguments, "-L", archive, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert message in line


def test_doctor_says_what_this_machine_can_run(archive: Path) -> None:
    report = json.loads(secondsight("doctor", "--json", "-L", archive).stdout)
    assert report["ok"] is True
    names = {check["name"] for check in report["checks"]}
    assert {"python", "packages", "embedder", "speech", "on-screen text", "library"} <= names


def test_doctor_names_the_fix_for_a_missing_model(tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text("ingest:\n  speech:\n    model: /no/such/model\n")
    done = secondsight("doctor", "-L", tmp_path / "none", "--config", config, check=False)
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("FIX")]
    assert "/no/such/model" in line


def test_status_tells_what_there_is(archive: Path) -> None:
    printed = secondsight("status", "-L", archive).stdout
    assert TALK.name in printed
    assert MANUAL.name in printed
    assert "2 sources" in printed


def test_status_passes_over_what_a_writer_removes_meanwhile(tmp_path: Path) -> None:
    directory = tmp_path / "library"
    opened = Library.open(directory)
    done = threading.Event()

    def write_and_remove() -> None:
        while not done.is_set():
            area = directory / "staging" / "area"
            area.mkdir()
            for number in range(20):
                (area / str(number)).write_bytes(b"x")
            shutil.rmtree(area)

    writer = threading.Thread(target=write_and_remove)
    writer.start()
    try:
        assert all(opened.status().size_bytes for _ in range(500))
    finally:
        done.set()
        writer.join()


def test_a_library_shows_itself_in_a_notebook(library: Library) -> None:
    shown = repr(library)
    assert "1 video" in shown
    assert "1 document" in shown
    assert "moments" in shown


def test_forgotten_means_gone(archive: Path, tmp_path: Path) -> None:
    directory = tmp_path / "library"
    shutil.copytree(archive, directory)
    before = Library.open(directory)
    (talk,) = [source for source in before.status().sources if source.name == TALK.name]
    secret = b"fish market"
    assert any(secret in file.read_bytes() for file in directory.rglob("*") if file.is_file())
    secondsight("forget", "-L", directory, TALK.name)
    assert TALK.name not in {hit.source.name for hit in before.search("the storm surge").hits}
    for file in directory.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert secret not in content, file
            assert talk.id.encode() not in content, file
            assert TALK.name.encode() not in content, file
    done = secondsight("forget", "-L", directory, TALK.name, check=False)
    assert done.returncode == 2
    assert "no source" in done.stderr
