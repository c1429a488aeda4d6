"""Snapshots: consistent while writers write, safe for threads, cheap to refresh."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index.catalog import MOMENT_KINDS
from index.errors import LibraryError
from index.forgetting import forget_source
from index.manifest import read_manifest
from index.records import Moment, MomentKind
from index.snapshot import Snapshot, StoredMoment
from tests.index.build import DIMS, add_video, make_vectors, make_video, source_id

ROOT = Path(__file__).parents[2]


def test_an_empty_library_is_searched(library: Path) -> None:
    snapshot = Snapshot.open(library)
    assert (snapshot.num_moments, snapshot.num_segments, snapshot.sources) == (0, 0, {})
    query = np.ones(DIMS, dtype=np.float32)
    nothing = np.zeros(0, dtype=np.bool_)
    assert len(snapshot.search_words("word", 5)[0]) == 0
    assert len(snapshot.search_words("word", 5, allowed=nothing)[0]) == 0
    assert len(snapshot.search_vectors(query, 5, mode="fast")[0]) == 0
    assert len(snapshot.search_vectors(query, 5, mode="thorough", allowed=nothing)[0]) == 0
    assert snapshot.moments([]) == []
    assert snapshot.inventory() == ()
    assert snapshot.vectors(np.zeros(0, dtype=np.int64)).shape == (0, DIMS)
    with pytest.raises(IndexError):
        snapshot.moments([0])
    with pytest.raises(IndexError):
        snapshot.segment(0)
    with pytest.raises(KeyError):
        snapshot.source_range("none")


def test_everything_is_found_where_it_is(library: Path) -> None:
    for number in (1, 2, 3):
        add_video(library, number)
    snapshot = Snapshot.open(library)
    assert snapshot.source_ids == [source_id(n) for n in (1, 2, 3)]
    assert list(snapshot.sources.values()) == [make_video(n)[0] for n in (1, 2, 3)]
    assert (snapshot.num_moments, snapshot.num_segments) == (36, 9)
    for index, number in enumerate((1, 2, 3)):
        source, segments = make_video(number)
        ids = snapshot.source_range(source.id)
        assert ids == range(12 * index, 12 * index + 12)
        expected = [moment for segment in segments for moment in segment.moments]
        stored = snapshot.moments(ids)
        assert [found.moment for found in stored] == [replace(m, picture=None) for m in expected]
        assert [snapshot.picture(i) for i in ids] == [moment.picture for moment in expected]
        assert {found.source for found in stored if found.source.id != source.id} == set()
        for found, start_s in zip(stored, snapshot.columns.start_s[ids.start :], strict=False):
            segment = snapshot.segment(found.segment)
            assert found.id in segment.moments
            assert (segment.source, segment.title) == (source, f"scene {found.segment % 3}")
            assert found.moment.span.start in segment.extent  # type: ignore[operator]
            assert found.moment.span.start_s == start_s
            assert MOMENT_KINDS[snapshot.columns.kind[found.id]] is found.moment.kind
        vectors = make_vectors(number, segments)[0]
        ids_found, cosines = snapshot.search_vectors(vectors[5], 3, mode="fast")
        assert ids_found[0] == ids[5]
        np.testing.assert_allclose(snapshot.cosines(vectors[5], ids_found), cosines, atol=1e-6)
        np.testing.assert_allclose(snapshot.vectors(np.array([ids[5]]))[0], vectors[5], atol=0.03)
        assert snapshot.search_words(f"source{number} moment7", 1)[0].tolist() == [ids[7]]
    assert [found.id for found in snapshot.moments([30, 2, 30])] == [30, 2, 30]
    for text, whole in zip(snapshot.texts([30, 2]), snapshot.moments([30, 2]), strict=True):
        assert not isinstance(text, StoredMoment)
        assert not isinstance(text.moment, Moment)
        assert (text.id, text.ordinal, text.segment) == (whole.id, whole.ordinal, whole.segment)
        assert (text.moment.place, text.moment.text) == (whole.moment.place, whole.moment.text)
    assert np.bincount(snapshot.columns.segment).tolist() == [4] * 9


def test_filters_reach_both_searches(library: Path) -> None:
    for number in (1, 2, 3):
        add_video(library, number)
    snapshot = Snapshot.open(library)
    frames = snapshot.columns.kind == MOMENT_KINDS.index(MomentKind.FRAME)
    for kind in (*MomentKind, MomentKind.FRAME):
        wanted = frames | (snapshot.columns.kind == MOMENT_KINDS.index(kind))
        both = (kind, MomentKind.FRAME)
        masks = [snapshot.columns.of_kinds(kinds) for kinds in (both, both[::-1])]
        assert all(np.array_equal(mask, wanted) for mask in masks)
    allowed = frames & (snapshot.columns.source_index != 1)
    expected = [0, 4, 8, 24, 28, 32]
    assert np.flatnonzero(allowed).tolist() == expected
    query = make_vectors(2, make_video(2)[1])[0][0]
    for mode in ("fast", "thorough"):
        ids, _ = snapshot.search_vectors(query, 50, mode=mode, allowed=allowed)
        assert sorted(ids.tolist()) == expected
    assert sorted(snapshot.search_words("word", 50, allowed=allowed)[0].tolist()) == expected


def test_a_refresh_reuses_what_is_open(library: Path) -> None:
    add_video(library, 1)
    first = Snapshot.open(library)
    assert first.is_current()
    add_video(library, 2)
    assert not first.is_current()
    forget_source(library, source_id(1))
    second = Snapshot.open(library, first)
    assert second.source_ids == [source_id(2)]
    add_video(library, 3)
    third = Snapshot.open(library, second)
    assert third._shards[0] is second._shards[0]
    assert third.source_ids == [source_id(2), source_id(3)]
    assert first.source_ids == [source_id(1)]
    assert first.moments([3])[0].moment.text == "word of source1 moment3"


def test_two_snapshots_of_one_library_live_side_by_side(library: Path) -> None:
    add_video(library, 1)
    one, other = Snapshot.open(library), Snapshot.open(library)
    del one
    again = Snapshot.open(library)
    assert again.moments([1]) == other.moments([1])


def test_a_missing_shard_is_an_error_that_names_it(library: Path) -> None:
    entry = add_video(library, 1).shards[0]
    shutil.rmtree(library / "shards" / entry.id)
    with pytest.raises(LibraryError, match=entry.id):
        Snapshot.open(library)
    with pytest.raises(LibraryError, match="secondsight ingest"):
        Snapshot.open(library / "shards")


def test_threads_read_at_once(library: Path) -> None:
    for number in (1, 2):
        add_video(library, number)
    snapshot = Snapshot.open(library)
    query = make_vectors(2, make_video(2)[1])[0][7]
    failures: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(15):
                ids, _ = snapshot.search_vectors(query, 3, mode="thorough")
                assert ids[0] == 19
                assert snapshot.moments(ids)[0].moment.text == "word of source2 moment7"
                assert snapshot.search_words("source1 moment7", 1)[0].tolist() == [7]
                assert snapshot.picture(0) is not None
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


WRITER = """
from pathlib import Path
from index.forgetting import forget_source
from tests.index.build import add_video, source_id
library = Path({library!r})
for number in range(2, 10):
    add_video(library, number)
    if number % 2:
        forget_source(library, source_id(number))
        forget_source(library, source_id(number - 1))
"""


def test_readers_never_wait_and_never_see_half_a_commit(library: Path) -> None:
    add_video(library, 1)
    snapshot: Snapshot | None = None
    generations: set[int] = set()
    writer = subprocess.Popen([sys.executable, "-c", WRITER.format(library=str(library))], cwd=ROOT)
    deadline = time.monotonic() + 120
    while writer.poll() is None:
        assert time.monotonic() < deadline
        # Now and then from nothing, so that opening races with deleting too.
        snapshot = Snapshot.open(library, snapshot if len(generations) % 3 else None)
        generations.add(snapshot.generation)
        assert snapshot.source_ids[0] == source_id(1)
        assert snapshot.num_moments == 12 * len(snapshot.sources)
        assert len(snapshot.search_words("word", 1000)[0]) == snapshot.num_moments
        last = snapshot.source_range(snapshot.source_ids[-1])[-1]
        assert snapshot.moments([last])[0].moment.text.endswith("moment11")
        assert {row.source_id for row in snapshot.inventory()} == set(snapshot.sources)
    assert writer.returncode == 0
    assert len(generations) > 3
    assert read_manifest(library).generation == 1 + 8 + 8
    assert Snapshot.open(library, snapshot).source_ids == [source_id(1)]
