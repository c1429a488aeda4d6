"""kill -9 at any instant: the library opens, and the next run ends as if nothing had happened."""

from __future__ import annotations

import random
import subprocess
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import psutil
import pymupdf
import pytest

from index.records import Moment, PageArea, Span
from index.snapshot import Snapshot
from secondsight import Library
from tests.clips import remux
from tests.conftest import MANUAL, TALK, command, ingest_json

KILLS = 2
CLIP = Fraction(20)
QUERIES = ("the water level is measured", "tide gauge", "calibration of the float", "TG-4471-K")


@dataclass(frozen=True)
class Outcome:
    """Everything a user can see of a library."""

    moments: dict[str, list[Moment]]
    vectors: dict[str, bytes]
    pictures: dict[str, list[bytes | None]]
    hits: list[list[tuple[str, Span | PageArea, float, str]]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The beginning of the sample talk and a few pages of the sample manual."""
    folder = tmp_path_factory.mktemp("short")
    clip, extract = folder / "talk.mp4", folder / "manual.pdf"
    remux(TALK, clip, until=CLIP)
    with pymupdf.open(MANUAL) as manual:
        manual.select([3, 4, 5])
        manual.save(extract)
    return [clip, extract]


def outcome_of(directory: Path) -> Outcome:
    snapshot = Snapshot.open(directory)
    library = Library.open(directory, create=False)
    moments, vectors, pictures = {}, {}, {}
    for source_id in snapshot.sources:
        ids = snapshot.source_range(source_id)
        moments[source_id] = [stored.moment for stored in snapshot.moments(ids)]
        vectors[source_id] = snapshot.vectors(np.asarray(ids)).tobytes()
        pictures[source_id] = [snapshot.picture(number) for number in ids]
    hits = [
        [(hit.source.id, hit.place, hit.score, hit.text) for hit in library.search(query).hits]
        for query in QUERIES
    ]
    return Outcome(moments, vectors, pictures, hits)


def kill_after(seconds: float, process: subprocess.Popen[bytes]) -> None:
    """Kill the process and all that it started, as a machine that loses its power would."""
    time.sleep(seconds)
    try:
        parent = psutil.Process(process.pid)
        family = [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        family = []
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()


@pytest.mark.timeout(1200)
def test_killed_at_random_instants_and_run_again(files: list[Path], tmp_path: Path) -> None:
    """Three libraries, each killed late and then, on its way again, early."""
    started = time.monotonic()
    undisturbed = tmp_path / "undisturbed"
    ingest_json(undisturbed, files)
    whole_s = time.monotonic() - started
    expected = outcome_of(undisturbed)
    assert len(expected.moments) == len(files)
    assert all(expected.hits)
    chance = random.Random(20_261_122)
    instants = [whole_s * (number + chance.random()) / KILLS for number in range(KILLS)]
    for number, (early, late) in enumerate(zip(instants, reversed(instants), strict=True)):
        if early > late:
            break
        directory = tmp_path / f"killed{number}"
        for seconds in (late, early):
            process = subprocess.Popen(
                command("ingest", "-L", directory, *files),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            kill_after(seconds, process)
            opened = Library.open(directory, create=not (directory / "manifest.json").exists())
            finished = {source.id for source in opened.status().sources}
            assert finished <= set(expected.moments)
        report = ingest_json(directory, files)
        outcomes = {source["id"]: source["outcome"] for source in report["sources"]}
        assert outcomes == {
            source: "unchanged" if source in finished else "added" for source in expected.moments
        }
        assert outcome_of(directory) == expected
