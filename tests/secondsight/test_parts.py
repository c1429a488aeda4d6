"""Long sources are heard, read and seen in parts: a death, or a killed run, costs only one."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import psutil
import pytest

from ingest import video
from ingest.parts import Parts
from secondsight import Library
from tests.clips import remux
from tests.conftest import TALK
from tests.secondsight.test_pieces import Rows, rows_of

PARTS = Parts(4, pictures=1, windows=1, texts=4)
ENGINES = {"speech": "ctranslate2", "screen_text": "openvino", "embed_pictures": "libtorch_cpu"}
"""What only the workers of a stage have loaded."""

Killed = tuple[str, dict[str, int]]
"""The stage of a worker, and the entries that the stage had by then."""


@pytest.fixture(scope="module", autouse=True)
def small_parts() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(video, "parts_of_video", lambda _: PARTS)
        yield


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("clip") / "talk.mp4"
    remux(TALK, file, until=Fraction(31))
    return file


@pytest.fixture(scope="module")
def undisturbed(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("undisturbed")
    _ingest(directory, clip)
    return directory


def _ingest(directory: Path, clip: Path) -> Rows:
    report = Library.open(directory).ingest([clip])
    assert [source.outcome for source in report.sources] == ["added"]
    assert not list((directory / "staging").iterdir()), "decoded sound stays"
    return rows_of(directory)


def _entries(directory: Path, stage: str = "") -> dict[str, int]:
    """Inode of each cache entry by name; written again, it is another."""
    files = (directory / "cache").glob(f"*/{stage}*")
    return {file.name: file.stat().st_ino for file in files}


def _kill(directory: Path, stage: str, killed: Callable[[Killed], None]) -> None:
    """Kill the worker that is in the second part of a stage."""
    until = time.monotonic() + 240
    while not (entries := _entries(directory, stage)) and time.monotonic() < until:
        time.sleep(0.005)
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error, OSError):
            if not "".join(process.cmdline()).startswith("ray::"):
                continue  # a server of other tests has loaded the same
            if ENGINES[stage] in Path(f"/proc/{process.pid}/maps").read_text():
                process.kill()
                killed((stage, entries))


def test_a_worker_that_dies_costs_one_part(clip: Path, undisturbed: Path, tmp_path: Path) -> None:
    killed: list[Killed] = []
    killers = [
        threading.Thread(target=_kill, args=(tmp_path, stage, killed.append)) for stage in ENGINES
    ]
    for killer in killers:
        killer.start()
    rows = _ingest(tmp_path, clip)
    for killer in killers:
        killer.join()
    assert rows == rows_of(undisturbed)
    assert _entries(tmp_path).keys() == _entries(undisturbed).keys()
    assert sorted(stage for stage, _ in killed) == sorted(ENGINES)
    for stage, first in killed:
        assert len(first) == 1, stage
        assert first.items() < _entries(tmp_path, stage).items(), "done again"


def test_a_killed_run_goes_on_at_its_part(clip: Path, undisturbed: Path, tmp_path: Path) -> None:
    shutil.copytree(undisturbed / "cache", tmp_path / "cache")
    lost = []
    for stage in (*ENGINES, "embed_texts"):
        *done, last = _entries(tmp_path, stage)
        assert done, f"not in parts: {stage}"
        lost.append(last)
        (entry,) = (tmp_path / "cache").glob(f"*/{last}")
        entry.unlink()
    before = _entries(tmp_path)
    assert _ingest(tmp_path, clip) == rows_of(undisturbed)
    after = _entries(tmp_path)
    assert {name: after.pop(name) for name in lost}.keys() == set(lost)
    assert after == before
