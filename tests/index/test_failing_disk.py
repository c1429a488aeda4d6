"""Shards on a disk that fails: full, limited, cut off from its power."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from index.errors import LibraryError
from index.shard import commit_shard, sweep
from tests.index.build import IDENTITY, add_video, row_of, source_id, state_of, write_video

ROOT = Path(__file__).parents[2]


def _failing(name: str, nth: int) -> Callable[..., object]:
    """`os.<name>` that reports a full disk at its nth call and all later ones."""
    real, calls = getattr(os, name), iter(range(nth))

    def call(*args: object, **options: object) -> object:
        if next(calls, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*args, **options)

    return call


@pytest.mark.parametrize("name", ["fsync", "write", "rename"])
@pytest.mark.parametrize("nth", [0, 1, 2, 3, 4, 5])
def test_a_full_disk_during_a_commit_leaves_the_old_state(
    library: Path, area: Path, monkeypatch: pytest.MonkeyPatch, name: str, nth: int
) -> None:
    add_video(library, 1)
    before = state_of(library)
    entry = write_video(library, area / "s", 2)
    with monkeypatch.context() as patch:
        patch.setattr(os, name, _failing(name, nth))
        try:
            commit_shard(library, area / "s", entry, [row_of(2)], embedder=IDENTITY)
        except LibraryError as error:
            assert "disk is full" in str(error)  # noqa: PT017
            failed = True
        else:
            failed = False
    if not failed:
        assert state_of(library)[1] == [source_id(1), source_id(2)]
    elif state_of(library) == before and (area / "s").exists():
        commit_shard(library, area / "s", entry, [row_of(2)], embedder=IDENTITY)
        assert state_of(library)[1] == [source_id(1), source_id(2)]
    else:
        # The manifest got through and only its directory was not synced, or no rename works.
        assert state_of(library)[1] in ([source_id(1), source_id(2)], [source_id(1)])
        sweep(library)
        add_video(library, 2)
    assert state_of(library)[1] == [source_id(1), source_id(2)]


@pytest.mark.parametrize("nth", range(0, 24, 3))
def test_a_full_disk_while_writing_leaves_nothing(
    library: Path, area: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _failing("fsync", nth))
        try:
            write_video(library, area / "s", 2)
        except LibraryError as error:
            assert "disk is full" in str(error)  # noqa: PT017
            assert os.listdir(area) == []
        else:
            assert nth > 12


def test_files_that_cannot_grow_are_a_library_error(library: Path) -> None:
    """A real limit on file sizes, which DuckDB, FAISS and tantivy meet in their own code."""
    script = f"""
import resource, signal, sys
from pathlib import Path
from index.errors import LibraryError
from index.lexical import write_words
from index.two_level import write_vectors
from tests.index.build import write_video
from tests.index.clusters import ROTATION, clustered_archive
from index.shard import staging_area
library = Path({str(library)!r})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
LIMITS = (0, 100, 600, 1000, 5000, 50_000, 100_000, 10_000_000)

def outcomes(write):
    found = []
    for number, limit in enumerate(LIMITS):
        directory = area / str(number)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            write(directory)
            found.append(True)
        except LibraryError as error:
            assert str(directory) in str(error), error
            found.append(False)
    assert found == sorted(found) and not found[0] and found[-1], found
    return found

def write_vectors_only(directory):
    directory.mkdir()
    archive = clustered_archive(40, 30)
    write_vectors(directory, archive.moments, archive.owners, archive.segments,
                  rotation=ROTATION)

texts = [f"word{{n}} other{{n * 7}}" for n in range(5000)]
with staging_area(library) as area:
    outcomes(lambda directory: write_video(library, directory, 1))
    assert [path.name for path in area.iterdir()] == [str(len(LIMITS) - 1)]
with staging_area(library) as area:
    outcomes(write_vectors_only)
with staging_area(library) as area:
    outcomes(lambda directory: write_words(directory, texts, headings=texts, names=texts))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)


def test_everything_is_synced_before_it_is_named(
    library: Path, area: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order that makes a power cut harmless."""
    done: list[tuple[str, str]] = []
    sync, rename = os.fsync, os.rename

    def synced(descriptor: int) -> None:
        done.append(("sync", os.readlink(f"/proc/self/fd/{descriptor}")))
        sync(descriptor)

    def renamed(old: Path, new: Path) -> None:
        done.append(("rename", str(new)))
        rename(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "rename", renamed)
    entry = write_video(library, area / "s", 1)
    shard_files = {str(area / "s" / name) for name in entry.files}
    commit_shard(library, area / "s", entry, [row_of(1)], embedder=IDENTITY)
    shard = done.index(("rename", str(library / "shards" / entry.id)))
    manifest = done.index(("rename", str(library / "manifest.json")))
    assert shard_files <= {path for action, path in done[:shard] if action == "sync"}
    between = [path for action, path in done[shard:manifest] if action == "sync"]
    assert str(library / "shards") in between
    assert str(library / "inventory-00000001.duckdb") in between
    assert str(library / "manifest.json.new") in between
    assert done[manifest + 1] == ("sync", str(library))
