"""The manifest: replaced whole, refused when it is not ours."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.errors import EmbedderMismatchError, LibraryError
from index.manifest import (
    MANIFEST_NAME,
    ROTATION_NAME,
    check_embedder,
    create_library,
    manifest_state,
    publish,
    random_rotation,
    read_manifest,
    read_rotation,
    writer_lock,
)
from tests.index.build import DIMS, IDENTITY, add_video


def test_a_new_library_is_read_back(library: Path) -> None:
    manifest = read_manifest(library)
    assert (manifest.generation, manifest.embedder, manifest.shards) == (0, IDENTITY, ())
    rotation = read_rotation(library, manifest)
    assert rotation.dtype == np.float32
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(DIMS), atol=1e-5)
    np.testing.assert_array_equal(rotation, random_rotation(DIMS))
    assert create_library(library, IDENTITY) == manifest


def test_a_manifest_with_shards_is_read_back(library: Path) -> None:
    written = add_video(library, 1)
    assert read_manifest(library) == written
    assert written.shards[0].files["catalog.duckdb"][0] > 0


def test_another_embedder_is_refused(library: Path) -> None:
    other = replace(IDENTITY, revision="2")
    with pytest.raises(EmbedderMismatchError, match="secondsight ingest --library NEW_DIRECTORY"):
        create_library(library, other)
    with pytest.raises(EmbedderMismatchError, match=r"revision 1.*revision 2"):
        check_embedder(library, read_manifest(library), other)


def test_a_directory_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.mp4").touch()
    with pytest.raises(LibraryError, match=r"holiday\.mp4"):
        create_library(tmp_path, IDENTITY)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.mp4"]


def test_no_library_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="secondsight ingest --library"):
        read_manifest(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(LibraryError, match="not a library"):
        read_manifest(tmp_path / "file")
    with pytest.raises(LibraryError, match="cannot"):
        create_library(tmp_path / "file", IDENTITY)


def _edit(library: Path, changes: dict[str, Any]) -> None:
    path = library / MANIFEST_NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"library": "other"}', b"\xff\xfe", b"0" * 100]
)
def test_a_damaged_manifest_is_refused(library: Path, content: bytes) -> None:
    (library / MANIFEST_NAME).write_bytes(content)
    with pytest.raises(LibraryError, match="damaged"):
        read_manifest(library)


@pytest.mark.parametrize(
    "changes", [{"generation": 7}, {"shards": [{}]}, {"schema_version": 0}, {"embedder": None}]
)
def test_an_edited_manifest_is_refused(library: Path, changes: dict[str, Any]) -> None:
    _edit(library, changes)
    with pytest.raises(LibraryError, match="damaged"):
        read_manifest(library)


def test_a_newer_library_asks_for_an_upgrade(library: Path) -> None:
    _edit(library, {"schema_version": 2})
    with pytest.raises(LibraryError, match="upgrade"):
        read_manifest(library)


def test_an_altered_rotation_is_refused(library: Path) -> None:
    np.save(library / ROTATION_NAME, np.eye(DIMS, dtype=np.float32))
    with pytest.raises(LibraryError, match="altered"):
        read_rotation(library, read_manifest(library))


def test_publishing_moves_on_by_one(library: Path) -> None:
    manifest = read_manifest(library)
    before = manifest_state(library)
    publish(library, replace(manifest, generation=1))
    assert manifest_state(library) != before
    with pytest.raises(LibraryError, match="another writer"):
        publish(library, replace(manifest, generation=1))


def test_publishing_on_a_full_disk_keeps_the_old_manifest(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = read_manifest(library)

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", no_space)
    with pytest.raises(LibraryError, match="disk is full"):
        publish(library, replace(manifest, generation=1))
    monkeypatch.undo()
    assert read_manifest(library) == manifest
    assert not (library / "manifest.json.new").exists()


def _hold_lock(library: Path, ready: Any) -> None:
    with writer_lock(library):
        ready.set()
        time.sleep(60)


def test_the_lock_excludes_threads_and_dies_with_its_process(library: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    holder = context.Process(target=_hold_lock, args=(library, ready))
    holder.start()
    assert ready.wait(30)
    taken = threading.Event()

    def take() -> None:
        with writer_lock(library):
            taken.set()

    thread = threading.Thread(target=take)
    thread.start()
    assert not taken.wait(0.3)
    assert holder.pid is not None
    os.kill(holder.pid, signal.SIGKILL)
    assert taken.wait(10)
    thread.join()
    holder.join()
