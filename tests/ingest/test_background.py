"""Compaction beside an ingest run."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.compaction import compaction_area
from index.manifest import create_library, read_manifest
from index.settings import CompactionSettings
from index.snapshot import Snapshot
from ingest.background import Compactor
from tests.index.build import IDENTITY, add_video

PAIRS = CompactionSettings(shards_per_merge=2)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    create_library(tmp_path / "archive", IDENTITY)
    for number in (1, 2, 3):
        add_video(tmp_path / "archive", number)
    return tmp_path / "archive"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.WARNING, "ingest.background"):
        yield caplog


def test_what_is_due_is_done_when_the_run_ends(
    library: Path, log: pytest.LogCaptureFixture
) -> None:
    before = Snapshot.open(library)
    with Compactor(library, PAIRS) as compactor:
        compactor.look()
        process = compactor._process
        assert process is not None
        compactor.look()
        assert compactor._process is process or len(read_manifest(library).shards) == 1
    assert len(read_manifest(library).shards) == 1
    after = Snapshot.open(library)
    assert after.moments(range(36)) == before.moments(range(36))
    assert log.messages == []


def test_a_run_that_fails_ends_it(library: Path, log: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        with compaction_area(library), Compactor(library, PAIRS) as compactor:
            compactor.look()  # it waits for the area, which we hold
            process = compactor._process
            assert process is not None
            started.append(process.pid)
            raise KeyError

    started: list[int] = []
    at = time.monotonic()
    with pytest.raises(KeyError):
        fail()
    assert time.monotonic() - at < 20
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)
    assert len(read_manifest(library).shards) == 3


def test_it_can_be_switched_off(library: Path) -> None:
    with Compactor(library, CompactionSettings(in_background=False, shards_per_merge=2)) as one:
        one.look()
        assert one._process is None
    assert len(read_manifest(library).shards) == 3


def test_its_trouble_is_told_and_fails_nothing(
    library: Path, log: pytest.LogCaptureFixture
) -> None:
    entry = read_manifest(library).shards[1]
    (library / "shards" / entry.id / "cosines.npy").unlink()
    with Compactor(library, PAIRS):
        pass
    (message,) = log.messages
    assert entry.id in message
