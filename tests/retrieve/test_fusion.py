"""Fusion by scores and by reciprocal ranks against their formulas, and their invariants."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieve.fusion import RankedList, fuse, fuse_scores

IDS = st.lists(st.integers(0, 50), unique=True, max_size=20)
SCORES = st.dictionaries(st.integers(0, 30), st.floats(-1, 1), max_size=12)
SHARES = st.dictionaries(st.integers(0, 30), st.floats(0, 1), max_size=12)


def test_scores_follow_the_paper() -> None:
    fused = fuse([RankedList([7, 3], 1.0), RankedList([3], 2.0)], rank_constant=60)
    highest = 3 / 61
    assert [moment for moment, _ in fused] == [3, 7]
    assert fused[0][1] == pytest.approx((1 / 62 + 2 / 61) / highest)
    assert fused[1][1] == pytest.approx((1 / 61) / highest)


def test_ties_go_to_the_smaller_id() -> None:
    fused = fuse([RankedList([9], 1.0), RankedList([4], 1.0)], rank_constant=20)
    assert [moment for moment, _ in fused] == [4, 9]


def test_empty_and_weightless_lists_do_not_count() -> None:
    lists = [RankedList([5], 1.0), RankedList([], 1.0), RankedList([6], 0.0)]
    ((moment, score),) = fuse(lists, rank_constant=20)
    assert moment == 5
    assert score == pytest.approx(1.0)
    assert fuse([], rank_constant=20) == []


def test_repeats_and_negative_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="once"):
        RankedList([1, 1], 1.0)
    with pytest.raises(ValueError, match="negative"):
        RankedList([1], -0.5)


@given(first=IDS, second=IDS)
def test_fusion_keeps_every_moment_once_in_order(first: list[int], second: list[int]) -> None:
    fused = fuse([RankedList(first, 1.0), RankedList(second, 0.5)], rank_constant=20)
    assert {moment for moment, _ in fused} == set(first) | set(second)
    assert len(fused) == len(set(first) | set(second))
    scores = [score for _, score in fused]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 + 1e-9 for score in scores)


@given(ids=IDS)
def test_one_list_keeps_its_order(ids: list[int]) -> None:
    assert [moment for moment, _ in fuse([RankedList(ids, 1.0)], rank_constant=20)] == ids


def test_meaning_decides_where_few_words_are_met_and_words_where_most_are() -> None:
    meaning = {1: 0.8, 2: 0.3}
    few = fuse_scores(meaning, {2: 0.3}, {}, meaning_weight=1, words_weight=2)
    assert [moment for moment, _ in few] == [1, 2]
    most = fuse_scores(meaning, {2: 0.6}, {}, meaning_weight=1, words_weight=2)
    assert [moment for moment, _ in most] == [2, 1]
    assert [score for _, score in most] == pytest.approx([(0.3 + 2 * 0.36) / 3, 0.8 / 3])


def test_pictures_stand_beside_texts_and_ties_go_to_the_smaller_id() -> None:
    fused = fuse_scores({8: 0.5}, {}, {3: 0.5, 4: 0.6}, meaning_weight=1, words_weight=1)
    assert fused == [(4, 0.3), (3, 0.25), (8, 0.25)]


@given(meaning=SCORES, words=SHARES, pictures=SHARES)
def test_joined_scores_stay_within_0_and_1(
    meaning: dict[int, float], words: dict[int, float], pictures: dict[int, float]
) -> None:
    fused = fuse_scores(meaning, words, pictures, meaning_weight=1, words_weight=2)
    assert sorted(moment for moment, _ in fused) == sorted({*meaning, *words, *pictures})
    scores = [score for _, score in fused]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
