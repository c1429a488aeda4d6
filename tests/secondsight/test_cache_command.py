"""`secondsight cache`: what is there is listed, what is pruned is gone, mistakes are told."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from index.embedders import embedder_identity
from index.manifest import create_library
from index.settings import EmbedderSettings
from ingest.cache import StageCache, cache_folder, cached
from tests.conftest import secondsight

OLD, NEW = "0" * 32, "1" * 32
DAY_S = 86_400


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library with outputs of two sources, one unused for ten days."""
    directory = tmp_path / "library"
    create_library(directory, embedder_identity(EmbedderSettings()))
    for source_id, age_s in ((OLD, 10 * DAY_S), (NEW, 0)):
        cache = StageCache(cache_folder(directory, source_id))
        for stage, pieces in (("frames", 3), ("screen_text", 1)):
            for piece in range(pieces):
                entry = cache.entry(stage, piece=piece)
                cached(entry, lambda: "x" * 1000)
                used = time.time() - age_s
                os.utime(entry, (used, used))
    return directory


def test_what_is_cached_is_listed_by_source_and_stage(library: Path) -> None:
    listed = json.loads(secondsight("cache", "--json", "-L", library).stdout)
    assert [source["id"] for source in listed["sources"]] == [NEW, OLD]
    for source in listed["sources"]:
        counts = {stage["stage"]: stage["entries"] for stage in source["stages"]}
        assert counts == {"frames": 3, "screen_text": 1}
    on_disk = sum(file.stat().st_size for file in (library / "cache").rglob("*") if file.is_file())
    assert listed["size_bytes"] == on_disk
    printed = secondsight("cache", "-L", library).stdout
    assert "screen_text" in printed
    assert "2 sources" in printed


@pytest.mark.parametrize(
    ("amount", "left"),
    [("7d", [NEW]), ("90d", [NEW, OLD]), ("5kB", [NEW]), ("1 GB", [NEW, OLD]), ("0", [])],
)
def test_pruning_removes_what_was_unused_longest(
    library: Path, amount: str, left: list[str]
) -> None:
    listed = json.loads(secondsight("cache", "--json", "-L", library, "--prune", amount).stdout)
    assert [source["id"] for source in listed["sources"]] == left
    assert (listed["removed_bytes"] > 0) == (len(left) < 2)
    assert sorted(folder.name for folder in (library / "cache").iterdir()) == sorted(left)


def test_an_amount_that_is_none_is_told(library: Path) -> None:
    done = secondsight("cache", "-L", library, "--prune", "a lot", check=False)
    assert done.returncode == 2
    assert "500MB" in done.stderr
