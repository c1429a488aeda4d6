"""Shards: written aside, published, replaced, forgotten and gone."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index.errors import EmbedderMismatchError, LibraryError
from index.files import FilePart
from index.forgetting import forget_source
from index.inventory import InventoryRow
from index.manifest import read_manifest, read_rotation
from index.shard import (
    commit_shard,
    record_outcomes,
    staging_area,
    sweep,
    write_shard,
)
from index.snapshot import Snapshot
from index.two_level import ShardVectors
from tests.index.build import (
    DIMS,
    IDENTITY,
    add_video,
    make_vectors,
    make_video,
    row_of,
    source_id,
    state_of,
    write_video,
)


def test_a_shard_holds_its_files_each_picture_once(library: Path, area: Path) -> None:
    entry = write_video(library, area / "s", 1)
    assert (entry.sources, entry.segments, entry.moments) == ((source_id(1),), 3, 12)
    assert {name.split("/")[0] for name in entry.files} == {
        "catalog.duckdb", "moments.ivf", "segments.npy", "cosines.npy", "pictures.bin", "lexical",
    }  # fmt: skip
    # The three equal pictures are stored once.
    assert entry.files["pictures.bin"][0] == len(b"\xff\xd8pictureword")


def test_committing_twice_records_the_second_path(library: Path, area: Path) -> None:
    first, second = write_video(library, area / "a", 1), write_video(library, area / "b", 1)
    commit_shard(library, area / "a", first, [row_of(1, "/a.mp4")], embedder=IDENTITY)
    commit_shard(library, area / "b", second, [row_of(1, "/b.mp4")], embedder=IDENTITY)
    assert state_of(library) == (2, [source_id(1)], ["/a.mp4", "/b.mp4"])
    assert os.listdir(area) == []
    assert os.listdir(library / "shards") == [first.id]


def test_a_source_that_was_read_again_takes_its_own_place(library: Path, area: Path) -> None:
    add_video(library, 2)
    old, new = write_video(library, area / "a", 1), write_video(library, area / "b", 1)
    commit_shard(library, area / "a", old, [row_of(1)], embedder=IDENTITY)
    reader = Snapshot.open(library)
    commit_shard(library, area / "b", new, [row_of(1)], embedder=IDENTITY, replace_present=True)
    manifest = read_manifest(library)
    assert [shard.sources[0] for shard in manifest.shards] == [source_id(2), source_id(1)]
    assert manifest.shard_of(source_id(1)) == new
    assert sorted(os.listdir(library / "shards")) == sorted(s.id for s in manifest.shards)
    assert os.listdir(area) == []
    # Who reads keeps what is read, until the next look.
    assert len(reader.moments(range(reader.num_moments))) == reader.num_moments
    assert Snapshot.open(library).num_moments == reader.num_moments


def test_a_source_forgotten_while_it_was_read_again_stays_forgotten(
    library: Path, area: Path
) -> None:
    add_video(library, 1)
    entry = write_video(library, area / "a", 1)
    forget_source(library, source_id(1))
    manifest = commit_shard(
        library, area / "a", entry, [row_of(1)], embedder=IDENTITY, replace_present=True
    )
    assert manifest.shards == ()
    assert os.listdir(area) == []
    assert state_of(library)[1:] == ([], [])


def test_another_embedder_cannot_commit(library: Path, area: Path) -> None:
    entry = write_video(library, area / "a", 1)
    other = replace(IDENTITY, settings_hash="1")
    with pytest.raises(EmbedderMismatchError):
        commit_shard(library, area / "a", entry, [row_of(1)], embedder=other)
    assert state_of(library) == (0, [], [])
    assert (area / "a").exists()


def test_outcomes_are_recorded_without_a_shard(library: Path) -> None:
    add_video(library, 1)
    failed = InventoryRow("/v/bad.mp4", 1, 2, "failed", None, "probe", "no streams", "now")
    record_outcomes(library, [failed])
    assert record_outcomes(library, []).generation == 2
    snapshot = Snapshot.open(library)
    assert snapshot.inventory() == (failed, row_of(1))
    assert snapshot.paths(source_id(1)) == (row_of(1).path,)
    assert len(list(library.glob("inventory-*"))) == 1


def _all_bytes(library: Path) -> bytes:
    return b"".join(path.read_bytes() for path in library.rglob("*") if path.is_file())


def _stored_code(shard: Path, moment: int) -> bytes:
    """The bytes that hold a moment's vector."""
    lists = ShardVectors(shard).lists
    assert lists is not None
    return lists.stored(np.array([moment])).tobytes()


def test_forgotten_means_gone(library: Path) -> None:
    add_video(library, 1)
    entry = add_video(library, 2, word="zyzzyva").shards[1]
    code = _stored_code(library / "shards" / entry.id, 5)
    coarse = np.load(library / "shards" / entry.id / "segments.npy")[1].tobytes()
    secrets = {
        "picture": b"picturezyzzyva",
        "code": code,
        "segment vector": coarse,
        "word": b"zyzzyva",
        "source": source_id(2).encode(),
        "name": b"video-2.mp4",
    }
    before = _all_bytes(library)
    assert {name for name, secret in secrets.items() if secret not in before} == set()
    reader = Snapshot.open(library)
    # What dead writers left of the source goes too.
    leftover = library / "staging" / "dead"
    leftover.mkdir()
    (leftover / "x").write_bytes(b"zyzzyva")
    forget_source(library, source_id(2))
    after = _all_bytes(library)
    assert {name for name, secret in secrets.items() if secret in after} == set()
    assert state_of(library) == (3, [source_id(1)], [row_of(1).path])
    assert os.listdir(library / "staging") == []
    # A reader that had it open keeps it whole.
    assert reader.search_words("zyzzyva", 1)[0].tolist() == [12]
    assert reader.moments([13])[0].moment.text == "zyzzyva of source2 moment1"
    assert reader.picture(12) == b"\xff\xd8picturezyzzyva"
    assert len(reader.search_vectors(np.ones(DIMS, dtype=np.float32), 24, mode="thorough")[0]) == 24


def test_forgetting_what_is_not_there_says_so_and_sweeps(library: Path) -> None:
    (library / "shards" / "orphan").mkdir()
    with pytest.raises(LibraryError, match="secondsight status"):
        forget_source(library, source_id(9))
    assert os.listdir(library / "shards") == []


def test_a_forgotten_source_can_come_back(library: Path) -> None:
    add_video(library, 1)
    forget_source(library, source_id(1))
    add_video(library, 1)
    assert state_of(library) == (3, [source_id(1)], [row_of(1).path])


def test_sweeping_spares_the_living(library: Path, area: Path) -> None:
    add_video(library, 1)
    (area / "half").mkdir()
    dead = library / "staging" / "dead"
    dead.mkdir()
    (library / "staging" / "dead.lock").touch()
    (library / "shards" / "orphan").mkdir()
    (library / "inventory-00000099.duckdb").touch()
    (library / "manifest.json.new").touch()
    sweep(library)
    assert (area / "half").exists()
    assert sorted(os.listdir(library / "staging")) == sorted([area.name, area.name + ".lock"])
    assert len(os.listdir(library / "shards")) == 1
    assert len(list(library.glob("inventory-*"))) == 1
    assert not (library / "manifest.json.new").exists()


def test_a_staging_area_ends_with_its_context(library: Path) -> None:
    def fail_halfway() -> None:
        with staging_area(library) as area:
            (area / "half").mkdir()
            raise KeyError

    with pytest.raises(KeyError):
        fail_halfway()
    assert os.listdir(library / "staging") == []


def test_what_is_already_there_is_not_overwritten(library: Path, area: Path) -> None:
    write_video(library, area / "s", 1)
    with pytest.raises(LibraryError, match="File exists"):
        write_video(library, area / "s", 2)
    assert (area / "s" / "catalog.duckdb").exists()


def test_wrong_numbers_of_vectors_are_refused(library: Path, area: Path) -> None:
    source, segments = make_video(1)
    moment_vectors, segment_vectors = make_vectors(1, segments)
    with pytest.raises(ValueError, match="11 and 3 vectors for 12 moments"):
        write_shard(
            area / "s",
            source,
            segments,
            moment_vectors[:-1],
            segment_vectors,
            rotation=read_rotation(library, read_manifest(library)),
        )
    assert os.listdir(area) == []


def test_pictures_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "pieces").write_bytes(b"--first jpeg--second")
    part = FilePart(str(tmp_path / "pieces"), 2, 10)
    assert part.read() == b"first jpeg"
    with pytest.raises(LibraryError, match="ends before byte 40"):
        FilePart(part.path, 2, 38).read()
    with pytest.raises(LibraryError, match="cannot read"):
        FilePart(str(tmp_path / "gone"), 2, 10).read()
