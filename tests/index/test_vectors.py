"""The two-level index against brute force over the same codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import LibraryError
from index.ranking import top_k
from index.two_level import Mode, ShardVectors, TwoLevelIndex, write_vectors
from index.vectors import Table
from tests.index.build import unit_rows
from tests.index.clusters import (
    BOTH_MODES,
    DIMS,
    ROTATION,
    Archive,
    brute_force,
    clustered_archive,
    queries_near,
    write_shards,
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Archive, TwoLevelIndex]:
    archive = clustered_archive(400, 20)
    return archive, TwoLevelIndex.open(
        write_shards(tmp_path_factory.mktemp("small"), archive, 7), ROTATION
    )


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Archive, TwoLevelIndex]:
    """Enough segments that level 1 works on 1-bit codes."""
    archive = clustered_archive(6_000, 6)
    return archive, TwoLevelIndex.open(
        write_shards(tmp_path_factory.mktemp("large"), archive, 3), ROTATION
    )


@pytest.mark.parametrize("mode", BOTH_MODES)
@pytest.mark.parametrize("size", ["small", "large"])
def test_moments_and_needles_are_found(
    mode: Mode, size: str, request: pytest.FixtureRequest
) -> None:
    archive, index = request.getfixturevalue(size)
    normal = np.setdiff1d(np.arange(len(archive.moments)), archive.needles)[::97]
    for targets in (normal[:150], archive.needles[:150]):
        queries = queries_near(archive, targets)
        hits = [
            target in index.search(query, 10, mode=mode, probes=64)[0]
            for target, query in zip(targets, queries, strict=True)
        ]
        assert np.mean(hits) >= 0.98


@pytest.mark.parametrize("share", [0.0005, 0.01, 0.2, 0.7, 1.0])
@pytest.mark.parametrize("size", ["small", "large"])
def test_a_filter_acts_before_ranking(
    share: float, size: str, request: pytest.FixtureRequest
) -> None:
    archive, index = request.getfixturevalue(size)
    generator = np.random.default_rng(2)
    allowed = generator.random(index.num_moments) < share
    allowed[17] = True
    for query in queries_near(archive, np.arange(0, index.num_moments, index.num_moments // 5)):
        ids, scores = index.search(query, 10, mode="thorough", allowed=allowed)
        assert allowed[ids].all()
        expected = brute_force(index, query, 10, allowed)
        assert len(ids) == len(expected)
        np.testing.assert_allclose(scores, expected, atol=2e-6)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Archive, TwoLevelIndex]:
    """A large shard, ranked by its 1-bit codes, between small ones, which are scanned."""
    archive = clustered_archive(1_200, 60)
    borders = (0, 20, 1_170, 1_200)
    index = TwoLevelIndex.open(
        write_shards(tmp_path_factory.mktemp("mixed"), archive, 3, borders), ROTATION
    )
    assert [shard.bits is not None for shard in index._shards] == [False, True, False]
    return archive, index


@settings(max_examples=40)
@given(st.data())
def test_thorough_is_exact_at_every_selectivity(
    mixed: tuple[Archive, TwoLevelIndex], data: st.DataObject
) -> None:
    archive, index = mixed
    selectivity = data.draw(st.sampled_from([1e-4, 1e-3, 1e-2, 0.1, 0.4, 0.8, 0.99, 1.0]))
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    if data.draw(st.booleans()):  # whole segments, as the filter by source allows them
        allowed = (generator.random(len(archive.segments)) < selectivity)[archive.owners]
    else:
        allowed = generator.random(index.num_moments) < selectivity
    target = data.draw(st.integers(0, index.num_moments - 1))
    query = queries_near(archive, np.array([target]))[0]
    k = data.draw(st.sampled_from([1, 10, 100]))
    ids, scores = index.search(query, k, mode="thorough", allowed=allowed)
    assert allowed[ids].all()
    assert len(set(ids.tolist())) == len(ids)
    expected = brute_force(index, query, k, allowed)
    assert len(scores) == len(expected)
    np.testing.assert_allclose(scores, expected, atol=2e-6)


@pytest.mark.parametrize("allowed_share", [0.2, 1.0])
def test_bits_find_what_all_scores_would(
    mixed: tuple[Archive, TwoLevelIndex], allowed_share: float
) -> None:
    """Larger libraries than a test can make are ranked so."""
    archive, index = mixed
    allowed = np.random.default_rng(4).random(index.num_moments) < allowed_share
    rows = index._rotated_rows(np.arange(index.num_moments))
    shares = []
    for query in queries_near(archive, np.arange(0, index.num_moments, 997)) @ ROTATION.T:
        ids, scores = index._rank(query, 10, None if allowed_share == 1.0 else allowed)
        assert allowed[ids].all()
        np.testing.assert_allclose(scores, rows[ids] @ query, atol=2e-6)
        best = np.argsort(-np.where(allowed, rows @ query, -2.0))[:10]
        shares.append(len(set(ids.tolist()) & set(best.tolist())) / 10)
    assert np.mean(shares) >= 0.98


@pytest.mark.parametrize("allowed_share", [1e-4, 1e-2, 0.3])
def test_fast_is_exact_where_few_are_allowed(
    mixed: tuple[Archive, TwoLevelIndex], allowed_share: float
) -> None:
    archive, index = mixed
    allowed = np.random.default_rng(3).random(index.num_moments) < allowed_share
    allowed[5] = True
    for query in queries_near(archive, np.arange(0, index.num_moments, 9_000)):
        _, scores = index.search(query, 10, mode="fast", probes=8, allowed=allowed)
        np.testing.assert_allclose(scores, brute_force(index, query, 10, allowed), atol=2e-6)


def test_outliers_are_those_of_the_library(tmp_path: Path) -> None:
    """A share of every shard would spend half of level 1 on moments that nothing hides."""
    tame, wild = clustered_archive(100, 20, seed=1), clustered_archive(100, 20, seed=2)
    tame.moments[tame.needles] = tame.segments[tame.owners[tame.needles]]
    (tmp_path / "tame").mkdir()
    (tmp_path / "wild").mkdir()
    directories = write_shards(tmp_path / "tame", tame, 1) + write_shards(
        tmp_path / "wild", wild, 1
    )
    for order in (directories, directories[::-1]):
        index = TwoLevelIndex.open(order, ROTATION, outlier_share=0.0125)
        first = 2_000 if order is directories else 0
        found = set((index._outlier_ids - first).tolist())
        assert 0 < len(found) <= 50
        assert found <= set(wild.needles.tolist())


def test_half_precision_keeps_more_of_a_vector(tmp_path: Path) -> None:
    archive = clustered_archive(60, 15)
    (tmp_path / "fp16").mkdir()
    half = TwoLevelIndex.open(write_shards(tmp_path / "fp16", archive, 3, codes="fp16"), ROTATION)
    eight = TwoLevelIndex.open(write_shards(tmp_path, archive, 3), ROTATION)
    ids = np.arange(half.num_moments)
    np.testing.assert_allclose(half.reconstruct(ids), archive.moments, atol=5e-4)
    assert np.abs(eight.reconstruct(ids) - archive.moments).max() > 2e-3
    for mode in BOTH_MODES:
        for query in queries_near(archive, np.arange(0, 900, 90)):
            found, scores = half.search(query, 10, mode=mode)
            np.testing.assert_allclose(scores, np.sort(archive.moments @ query)[:-11:-1], atol=2e-3)
            assert len(found) == 10
    with pytest.raises(LibraryError, match="different kinds"):
        TwoLevelIndex([*half._shards, *eight._shards], ROTATION)


@pytest.mark.parametrize("mode", BOTH_MODES)
def test_few_allowed_segments_are_searched_whole(
    mode: Mode, small: tuple[Archive, TwoLevelIndex]
) -> None:
    archive, index = small
    allowed = np.isin(archive.owners, np.arange(0, 400, 10))
    for query in queries_near(archive, np.arange(0, 8000, 500)):
        _, scores = index.search(query, 10, mode=mode, probes=64, allowed=allowed)
        np.testing.assert_allclose(scores, brute_force(index, query, 10, allowed), atol=2e-6)


def test_fast_finds_what_is_allowed_far_from_the_query(
    large: tuple[Archive, TwoLevelIndex],
) -> None:
    archive, index = large
    allowed = archive.owners % 20 == 0
    hits = []
    for target in np.flatnonzero(allowed)[::40]:
        query = queries_near(archive, np.array([target]))[0]
        ids, _ = index.search(query, 10, mode="fast", probes=64, allowed=allowed)
        assert allowed[ids].all()
        hits.append(target in ids)
    assert np.mean(hits) >= 0.98


@pytest.mark.parametrize("mode", BOTH_MODES)
def test_many_shards_equal_one(mode: Mode, tmp_path: Path) -> None:
    archive = clustered_archive(60, 15)
    one = TwoLevelIndex.open(write_shards(tmp_path, archive, 1), ROTATION)
    many = TwoLevelIndex.open(write_shards(tmp_path, archive, 12), ROTATION)
    allowed = np.arange(one.num_moments) % 3 != 0
    for query in queries_near(archive, np.arange(0, 900, 60)):
        for mask in (None, allowed):
            expected = one.search(query, 20, mode=mode, probes=64, allowed=mask)
            found = many.search(query, 20, mode=mode, probes=64, allowed=mask)
            np.testing.assert_array_equal(found[0], expected[0])
            np.testing.assert_array_equal(found[1], expected[1])


def test_equal_scores_come_in_ascending_id(tmp_path: Path) -> None:
    archive = clustered_archive(8, 10)
    twins = np.repeat(archive.moments[:1], 80, axis=0)
    same = Archive(twins, archive.owners, np.repeat(twins[:1], 8, axis=0), archive.needles)
    for num_shards in (1, 4):
        index = TwoLevelIndex.open(write_shards(tmp_path, same, num_shards), ROTATION)
        for allowed in (None, np.arange(80) % 2 == 1):
            ids, _ = index.search(twins[0], 7, mode="thorough", allowed=allowed)
            expected = np.arange(80) if allowed is None else np.flatnonzero(allowed)
            assert ids.tolist() == expected[:7].tolist()


def test_codes_are_close_to_the_vectors(small: tuple[Archive, TwoLevelIndex]) -> None:
    archive, index = small
    ids = np.array([7999, 0, 4321, 0])
    rebuilt = index.reconstruct(ids)
    np.testing.assert_allclose(rebuilt, archive.moments[ids], atol=0.02)
    assert np.min(np.einsum("ij,ij->i", rebuilt, archive.moments[ids])) > 0.99
    with pytest.raises(IndexError):
        index.reconstruct(np.array([8000]))


def test_a_lopsided_embedder_loses_nothing(tmp_path: Path) -> None:
    """All the weight in two components: the rotation spreads it within the quantizer's range."""
    angles = np.linspace(0, np.pi, 300)
    moments = np.zeros((300, DIMS), dtype=np.float32)
    moments[:, 3], moments[:, 9] = np.cos(angles), np.sin(angles)
    archive = Archive(moments, np.repeat(np.arange(3), 100), moments[[50, 150, 250]], np.arange(1))
    index = TwoLevelIndex.open(write_shards(tmp_path, archive, 1), ROTATION)
    np.testing.assert_allclose(index.reconstruct(np.arange(300)), moments, atol=0.03)
    assert 120 in index.search(moments[120], 5, mode="fast", probes=64)[0]


def test_nothing_and_empty_segments(tmp_path: Path) -> None:
    empty = TwoLevelIndex([], ROTATION)
    ids, scores = empty.search(np.ones(DIMS, dtype=np.float32), 5, mode="fast")
    assert len(ids) == len(scores) == 0
    assert [ids.dtype, scores.dtype] == ["int64", "float32"]
    archive = clustered_archive(1, 5)
    segments = unit_rows(np.random.default_rng(0).standard_normal((6, DIMS)))
    shapes = [
        Archive(archive.moments, np.full(5, 3), segments, archive.needles),
        Archive(archive.moments[:0], archive.owners[:0], segments, archive.needles),
        Archive(archive.moments[:0], archive.owners[:0], segments[:0], archive.needles),
        Archive(archive.moments, np.array([0, 0, 2, 5, 5]), segments, archive.needles),
    ]
    directories = []
    for number, shape in enumerate(shapes):
        (tmp_path / str(number)).mkdir()
        directories += write_shards(tmp_path / str(number), shape, 1)
    index = TwoLevelIndex.open(directories, ROTATION)
    assert (index.num_moments, index.num_segments) == (10, 18)
    for mode in BOTH_MODES:
        for allowed in (None, np.ones(10, dtype=np.bool_)):
            ids, _ = index.search(archive.moments[2], 50, mode=mode, allowed=allowed)
            assert sorted(ids.tolist()) == list(range(10))
            assert set(ids[:2].tolist()) == {2, 7}
    nothing = np.zeros(10, dtype=np.bool_)
    assert len(index.search(archive.moments[2], 5, mode="fast", allowed=nothing)[0]) == 0
    assert len(index.search(archive.moments[2], 0, mode="fast")[0]) == 0


def test_an_open_shard_outlives_its_files(tmp_path: Path) -> None:
    archive = clustered_archive(10, 10)
    directories = write_shards(tmp_path, archive, 2)
    index = TwoLevelIndex.open(directories, ROTATION)
    for directory in directories:
        for path in directory.iterdir():
            path.unlink()
    assert index.search(archive.moments[77], 1, mode="thorough")[0].tolist() == [77]


@pytest.mark.parametrize("first", ["pymupdf", "faiss"])
def test_faiss_works_beside_pymupdf(first: str, tmp_path: Path) -> None:
    """Both are SWIG modules and share one table of types: the first import wins it."""
    script = f"""
import {first}, pymupdf, pathlib
import numpy as np
from index.two_level import TwoLevelIndex, write_vectors
from tests.index.clusters import ROTATION, clustered_archive, write_shards
archive = clustered_archive(5000, 2)
index = TwoLevelIndex.open(write_shards(pathlib.Path({str(tmp_path)!r}), archive, 2), ROTATION)
allowed = np.arange(10_000) % 2 == 0
for mode in ("fast", "thorough"):
    for mask in (None, allowed):
        assert index.search(archive.moments[42], 1, mode=mode, allowed=mask)[0][0] == 42
assert np.allclose(index.reconstruct(np.array([42])), archive.moments[42], atol=0.02)
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize("share", [0.02, 0.5, 1.0])
def test_a_table_finds_the_nearest_of_the_allowed(share: float) -> None:
    generator = np.random.default_rng(8)
    rows = unit_rows(generator.standard_normal((6_000, DIMS)))
    table = Table(len(rows), DIMS, lambda part: rows[part])
    for query in unit_rows(generator.standard_normal((10, DIMS))):
        scores = rows @ query
        allowed = generator.random(len(rows)) < share
        # The nearest of all are closed: what is looked at first may be among them, all of it.
        allowed[np.argsort(-scores)[: 3_000 if share == 0.5 else 5]] = False
        found = table.nearest(query, 50, allowed)
        assert len(set(found.tolist())) == 50
        assert allowed[found].all()
        assert scores[found].mean() > np.quantile(scores[allowed], 0.7)


def test_wrong_shapes_are_refused(tmp_path: Path) -> None:
    archive = clustered_archive(4, 5)
    broken = {
        "float32": Archive(
            archive.moments.astype(np.float64),
            archive.owners,
            archive.segments,
            archive.needles,
        ),
        "length 1": Archive(archive.moments * 2, archive.owners, archive.segments, archive.needles),
        "ascending": Archive(
            archive.moments, archive.owners[::-1], archive.segments, archive.needles
        ),
    }
    for message, shape in broken.items():
        with pytest.raises(ValueError, match=message):
            write_vectors(
                tmp_path,
                shape.moments,
                shape.owners,
                shape.segments,
                rotation=ROTATION,
            )
    index = TwoLevelIndex.open(write_shards(tmp_path, archive, 1), ROTATION)
    with pytest.raises(ValueError, match="a query is"):
        index.search(np.full(DIMS, np.nan, dtype=np.float32), 5, mode="fast")
    with pytest.raises(ValueError, match="allowed must be"):
        index.search(archive.moments[0], 5, mode="fast", allowed=np.ones(3, dtype=np.bool_))
    with pytest.raises(LibraryError, match="read the vectors"):
        ShardVectors(tmp_path / "none")


@given(
    st.lists(st.integers(0, 4), max_size=40), st.integers(0, 45), st.integers(1, 9), st.randoms()
)
def test_top_k_is_exact_whatever_order_ties_come_in(scores, k, spare, random) -> None:  # type: ignore[no-untyped-def]
    def search(count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        order = list(range(len(scores)))
        random.shuffle(order)
        order.sort(key=lambda number: -scores[number])
        ids = np.array(order[:count], dtype=np.int64)
        return ids, np.array([scores[number] for number in ids], dtype=np.float32)

    ids, _ = top_k(search, k, len(scores), spare=spare)
    assert ids.tolist() == sorted(range(len(scores)), key=lambda n: (-scores[n], n))[:k]
