"""Reciprocal-rank fusion against its formula, and its invariants."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieve.fusion import RankedList, fuse

IDS = st.lists(st.integers(0, 50), unique=True, max_size=20)


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
