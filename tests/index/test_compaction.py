"""Compaction: fewer shards, the same library; sources forgotten in shards that others share."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.compaction import CompactionReport, compact, compaction_area, due, is_due, rewrite
from index.errors import LibraryError
from index.forgetting import forget_source
from index.lexical import write_words
from index.manifest import ShardEntry, create_library, read_manifest, read_rotation
from index.problems import verify_shard
from index.publishing import commit_links
from index.records import Moment, Segment, Source
from index.settings import Codes, CompactionSettings
from index.shard import commit_shard, staging_area, sweep, write_shard
from index.snapshot import Snapshot
from index.vectors import Lists, merge_lists, write_lists
from index.word_search import LexicalIndex
from tests.index.build import (
    DIMS,
    IDENTITY,
    add_video,
    contents,
    link_of,
    make_vectors,
    row_of,
    source_id,
    unit_rows,
)

PAIRS = CompactionSettings(shards_per_merge=2)
"""Merge whatever can be merged."""
Content = tuple[Source, tuple[Segment, ...]]


def add(library: Path, content: Content, number: int) -> None:
    """Commit a source, most of whose moments have pictures: some equal."""
    source, segments = content
    pictured = tuple(
        replace(segment, moments=tuple(_pictured(one, number) for one in segment.moments))
        for segment in segments
    )
    with staging_area(library) as area:
        moments, coarse = make_vectors(number, pictured)
        manifest = read_manifest(library)
        rotation = read_rotation(library, manifest)
        entry = write_shard(
            area / "shard", source, pictured, moments, coarse,
            rotation=rotation, codes=manifest.codes,
        )  # fmt: skip
        rows = [replace(row_of(number), source_id=source.id)]
        commit_shard(library, area / "shard", entry, rows, embedder=IDENTITY)


def _pictured(moment: Moment, number: int) -> Moment:
    own = f"own {number} {moment.text}".encode()
    pictures = (None, b"shared", own, own[:5], b"shared")
    return replace(moment, picture=pictures[len(moment.text) % len(pictures)])


def everything(library: Path) -> dict[str, Any]:
    """All that a reader can ask of a library, but for the numbers that words score."""
    snapshot = Snapshot.open(library)
    ids = range(snapshot.num_moments)
    queries = unit_rows(np.random.default_rng(0).standard_normal((3, DIMS)))
    masks = [None, np.arange(len(ids)) % 2 == 0, np.arange(len(ids)) % 5 == 1]
    texts = ["word", "source1 moment2", *(stored.moment.text for stored in snapshot.moments(ids))]
    columns = snapshot.columns
    return {
        "sources": snapshot.sources,
        "ids": snapshot.source_ids,
        "ranges": {one: snapshot.source_range(one) for one in snapshot.source_ids},
        "moments": snapshot.moments(ids),
        "pictures": [snapshot.picture(number) for number in ids],
        "segments": [snapshot.segment(number) for number in range(snapshot.num_segments)],
        "own segments": {one: snapshot.segments_of(one) for one in snapshot.source_ids},
        "columns": [
            getattr(columns, one.name).tobytes() for one in fields(columns) if one.name != "_masks"
        ],
        "vectors": snapshot.vectors(np.arange(len(ids))).tobytes(),
        "by vector": [
            [
                array.tobytes()
                for array in snapshot.search_vectors(query, 7, mode=mode, allowed=mask)
            ]
            for query in queries
            for mask in masks
            for mode in ("fast", "thorough")
        ],
        "by words": [
            sorted(snapshot.search_words(text, len(ids), allowed=mask)[0].tolist())
            for text in dict.fromkeys(texts)
            for mask in masks
        ],
        "links": snapshot.links.rows,
        "inventory": snapshot.inventory(),
    }


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert {name for name in one if one[name] != other[name]} == set()


@contextmanager
def new_library(codes: Codes = "8bit") -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        create_library(Path(directory) / "archive", IDENTITY, codes=codes)
        yield Path(directory) / "archive"


@settings(max_examples=12)
@given(
    st.lists(contents(), min_size=2, max_size=5, unique_by=lambda content: content[0].id),
    st.sampled_from(["8bit", "fp16"]),
    st.data(),
)
def test_a_compacted_library_is_the_same(
    added: list[Content], codes: Codes, data: st.DataObject
) -> None:
    with new_library(codes) as library:
        for number, content in enumerate(added):
            add(library, content, number)
        ids = [source.id for source, _ in added]
        commit_links(
            library,
            [(ids[0], ids[1])],
            [replace(link_of(3), document_id=ids[0], video_id=ids[1])],
        )
        before = everything(library)
        parts = read_manifest(library).shards
        first = data.draw(st.integers(0, len(parts) - 2))
        stop = data.draw(st.integers(first + 2, len(parts)))
        with compaction_area(library) as area:
            assert rewrite(library, area, parts[first:stop])
        manifest = read_manifest(library)
        assert len(manifest.shards) == len(parts) - (stop - first) + 1
        same(everything(library), before)
        # Some of the merged shard's sources are forgotten: the rest of it stays as it is.
        gone = data.draw(st.sets(st.sampled_from(ids), max_size=len(ids) - 1))
        for one in gone:
            forget_source(library, one)
        left = everything(library)
        _same_but_for(left, before, gone)
        report = compact(library, PAIRS)
        assert report.shards_after == len(read_manifest(library).shards)
        after = read_manifest(library)
        assert {one for shard in after.shards for one in shard.forgotten} == set()
        same(everything(library), left)
        for shard in after.shards:
            verify_shard(library, shard)
        assert os.listdir(library / "staging") == []


def _same_but_for(left: dict[str, Any], before: dict[str, Any], gone: set[str]) -> None:
    """Nothing of the forgotten, all of the rest, numbered without gaps."""
    kept = [stored for stored in before["moments"] if stored.source.id not in gone]
    assert left["ids"] == [one for one in before["ids"] if one not in gone]
    assert [one.moment for one in left["moments"]] == [one.moment for one in kept]
    assert [one.ordinal for one in left["moments"]] == [one.ordinal for one in kept]
    assert left["pictures"] == [before["pictures"][stored.id] for stored in kept]
    rows = np.frombuffer(before["vectors"], np.float32).reshape(-1, DIMS)
    # Turned back together, whose number moves the last bits.
    left_rows = np.frombuffer(left["vectors"], np.float32).reshape(-1, DIMS)
    np.testing.assert_allclose(left_rows, rows[[stored.id for stored in kept]], atol=1e-6)
    segments = [one for one in before["segments"] if one.source.id not in gone]
    assert [(one.extent, one.title) for one in left["segments"]] == [
        (one.extent, one.title) for one in segments
    ]
    assert [len(one.moments) for one in left["segments"]] == [len(one.moments) for one in segments]
    for segment in left["segments"]:
        assert all(left["moments"][number].segment == segment.id for number in segment.moments)
    assert {row.source_id for row in left["inventory"]} <= set(left["ids"])
    assert not {one for link in left["links"] for one in (link.video_id, link.document_id)} & gone


def test_merged_words_score_as_if_written_at_once(library: Path, tmp_path: Path) -> None:
    for number in range(1, 5):
        add_video(library, number, word="zyzzyva" if number == 2 else "word")
    compact(library, PAIRS)
    snapshot = Snapshot.open(library)
    stored = snapshot.moments(range(snapshot.num_moments))
    write_words(
        tmp_path / "words",
        [one.moment.text for one in stored],
        headings=[one.moment.heading for one in stored],
        names=[one.source.name for one in stored],
    )
    at_once = LexicalIndex.open([tmp_path / "words"])
    for query in ("word", "zyzzyva", "moment3 of source2", "video-3"):
        merged, expected = snapshot.search_words(query, 20), at_once.search(query, 20)
        assert merged[0].tolist() == expected[0].tolist()
        np.testing.assert_allclose(merged[1], expected[1], rtol=1e-5)


@pytest.mark.parametrize("codes", ["8bit", "fp16"])
def test_merged_lists_are_the_file_that_faiss_writes(tmp_path: Path, codes: Codes) -> None:
    rng = np.random.default_rng(0)
    rows = unit_rows(rng.standard_normal((60, DIMS)))
    owners = np.sort(rng.integers(0, 12, 60))
    owners[owners == 7] = 8  # an empty list
    write_lists(tmp_path / "whole", rows, owners, num_lists=12, codes=codes)
    parts = []
    for first, stop in ((0, 5), (5, 12)):
        own = (owners >= first) & (owners < stop)
        path = tmp_path / str(first)
        write_lists(path, rows[own], owners[own] - first, num_lists=stop - first, codes=codes)
        parts.append((Lists(path), range(stop - first)))
    merge_lists(tmp_path / "merged", parts)
    assert (tmp_path / "merged").read_bytes() == (tmp_path / "whole").read_bytes()


# --- what is merged ------------------------------------------------------------------------------


def shard_of(number: int, moments: int, forgotten: Sequence[str] = ()) -> ShardEntry:
    return ShardEntry(str(number), (source_id(number),), 1, moments, {}, tuple(forgotten))


@given(
    st.lists(st.one_of(st.integers(0, 50), st.integers(1000, 9000)), max_size=150),
    st.integers(2, 10),
)
def test_merging_ends_with_few_shards_and_little_written(sizes: list[int], at_once: int) -> None:
    rules = CompactionSettings(shards_per_merge=at_once, largest_moments=20_000)
    shards = [shard_of(number, size) for number, size in enumerate(sizes)]
    rewritten = {shard.id: 0 for shard in shards}
    parts = {shard.id: [shard.id] for shard in shards}
    while members := due(shards, rules, 0.0):
        first = shards.index(members[0])
        assert tuple(shards[first : first + len(members)]) == members
        total = sum(shard.moments for shard in members)
        assert total <= rules.largest_moments
        assert total >= 2 * max(shard.moments for shard in members)
        merged = replace(members[0], id=f"{members[0].id}+", moments=total)
        parts[merged.id] = [one for shard in members for one in parts[shard.id]]
        for one in parts[merged.id]:
            rewritten[one] += sizes[int(one)] > 0
        shards[first : first + len(members)] = [merged]
    assert max(rewritten.values(), default=0) <= 15  # log2 of the largest shard
    # No ten neighbours of one size are left.
    assert len(shards) <= 30 * (1 + sum(sizes) // 10_000)


def test_ten_of_a_size_become_one() -> None:
    rules = CompactionSettings()
    small = [shard_of(number, 3000 + number) for number in range(10)]
    assert due(small[:9], rules, 0.0) == ()
    assert due(small, rules, 0.0) == tuple(small)
    large = shard_of(99, 1_900_000)
    assert due([large, *small[:9], large], rules, 0.0) == ()
    assert due([large, *small, large], rules, 0.0) == tuple(small)
    assert due([large] * 10, rules, 0.0) == ()
    # Fewer of them when no more fit.
    half = [shard_of(number, 400_000) for number in range(6)]
    assert due(half, rules, 0.0) == tuple(half[:5])


def test_what_is_forgotten_makes_a_shard_due() -> None:
    rules = CompactionSettings()
    shard = shard_of(1, 100, forgotten=[source_id(2)])
    assert due([shard], rules, 0.0) == (shard,)
    assert due([shard], rules, 0.4) == (shard,)
    assert due([shard], rules, 0.5) == ()


# --- while others write --------------------------------------------------------------------------


def merged_library(library: Path, count: int = 3) -> CompactionReport:
    """Videos 1.. in one shard."""
    for number in range(1, count + 1):
        add_video(library, number)
    return compact(library, PAIRS)


def test_a_report_tells_what_was_done(library: Path) -> None:
    report = merged_library(library)
    assert (report.merges, report.shards_before, report.shards_after) == (1, 3, 1)
    (entry,) = read_manifest(library).shards
    assert entry.sources == tuple(map(source_id, (1, 2, 3)))
    assert (entry.moments, entry.segments) == (36, 9)
    assert report.bytes_after == sum(size for size, _ in entry.files.values())
    # Three videos with the same picture: it is held once.
    assert entry.files["pictures.bin"][0] == len(b"\xff\xd8pictureword")
    assert os.listdir(library / "shards") == [entry.id]
    assert not is_due(library, PAIRS)


def test_what_is_forgotten_during_a_merge_stays_forgotten(library: Path) -> None:
    merged_library(library)
    members = read_manifest(library).shards
    forget_source(library, source_id(2))
    with compaction_area(library) as area:
        assert rewrite(library, area, members)  # planned before it was forgotten
    (entry,) = read_manifest(library).shards
    assert entry.id != members[0].id
    assert (entry.sources, entry.forgotten) == ((source_id(1), source_id(3)), (source_id(2),))
    assert Snapshot.open(library).source_ids == [source_id(1), source_id(3)]


def test_a_shard_that_goes_during_a_merge_takes_the_merge_with_it(library: Path) -> None:
    for number in (1, 2):
        add_video(library, number)
    members = read_manifest(library).shards
    with compaction_area(library) as area:
        forget_source(library, source_id(2))
        assert not rewrite(library, area, members)
        assert os.listdir(area) == []
    assert Snapshot.open(library).source_ids == [source_id(1)]


def test_a_damaged_shard_is_an_error_and_stays(library: Path) -> None:
    for number in (1, 2):
        add_video(library, number)
    before = read_manifest(library)
    (library / "shards" / before.shards[1].id / "moments.ivf").unlink()
    with pytest.raises(LibraryError, match=r"moments\.ivf"):
        compact(library, PAIRS)
    assert read_manifest(library) == before


def test_a_source_read_again_leaves_its_merged_shard(library: Path) -> None:
    merged_library(library)
    reader = Snapshot.open(library)
    add_video(library, 2, word="anew", replace_present=True)
    first, second = read_manifest(library).shards
    assert (first.forgotten, second.sources) == ((source_id(2),), (source_id(2),))
    snapshot = Snapshot.open(library, reader)
    assert snapshot.source_ids == [source_id(1), source_id(3), source_id(2)]
    assert snapshot.search_words("anew", 99)[0].tolist() == list(range(24, 36))
    assert len(snapshot.search_words("word", 99)[0]) == 24
    # And once more, which leaves nothing of the second shard.
    add_video(library, 2, word="other", replace_present=True)
    assert [shard.sources for shard in read_manifest(library).shards] == [
        (source_id(1), source_id(3)),
        (source_id(2),),
    ]
    forget_source(library, source_id(2))
    assert Snapshot.open(library).source_ids == [source_id(1), source_id(3)]
    compact(library, PAIRS)
    assert Snapshot.open(library).num_moments == 24


def test_a_shard_goes_with_the_last_of_its_sources(library: Path) -> None:
    merged_library(library)
    for number in (3, 1):
        forget_source(library, source_id(number))
    assert len(read_manifest(library).shards) == 1
    forget_source(library, source_id(2))
    assert read_manifest(library).shards == ()
    assert os.listdir(library / "shards") == []
    add_video(library, 2)
    assert Snapshot.open(library).source_ids == [source_id(2)]


def test_a_killed_compaction_is_swept(library: Path) -> None:
    merged_library(library)
    dead = library / "staging" / "compaction"
    (dead / "half").mkdir(parents=True)
    (library / "staging" / "compaction.lock").touch()
    sweep(library)
    assert os.listdir(library / "staging") == []
    (dead / "half").mkdir(parents=True)
    with compaction_area(library) as area:
        assert os.listdir(area) == []
