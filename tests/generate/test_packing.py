"""A budget is never exceeded, nothing vanishes without a word, and ranks decide who gets more."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generate.packing import Footage, Item, Packed, Still, pack
from generate.picture_sizes import CLIP_MOST_SQUARES, squares_of
from generate.token_costs import FramesAs, TokenCosts, estimate_text, picture_tokens

CLIP = TokenCosts(estimate_text, is_exact=False)
PICTURES = TokenCosts(estimate_text, is_exact=False, frames_as="pictures")


def footage(start: Fraction, gaps: list[int], height_px: int, width_px: int) -> Footage:
    firsts = [start + sum(gaps[:number]) for number in range(len(gaps) + 1)]
    looks = tuple((first, first + Fraction(number % 2, 2)) for number, first in enumerate(firsts))
    return Footage(looks, height_px, width_px)


SIDES = st.integers(40, 2000)
VISUALS = st.one_of(
    st.none(),
    st.builds(Still, SIDES, SIDES),
    st.builds(
        footage,
        st.fractions(0, 9000, max_denominator=100),
        st.lists(st.integers(1, 900), max_size=12),
        SIDES,
        SIDES,
    ),
)


@st.composite
def item_lists(draw: st.DrawFn) -> list[Item]:
    ranks = draw(st.lists(st.integers(1, 9), max_size=8))
    return [
        Item(f"E{number}", rank, f"[E{number}]\n> {'word ' * draw(st.integers(0, 90))}\n", visual)
        for number, rank in enumerate(ranks, start=1)
        for visual in [draw(VISUALS)]
    ]


def cost_of(packed: Packed, item: Item, costs: TokenCosts) -> int:
    """What an evidence costs, from what it gets alone."""
    if not packed.is_in:
        return 0
    tokens = costs.count_text(item.text)
    if packed.times:
        tokens += costs.of_clip(packed.times, packed.height_px, packed.width_px) + 1
    elif packed.height_px:
        tokens += picture_tokens(packed.height_px, packed.width_px) + 1
    return tokens


@given(
    items=item_lists(), budget=st.integers(0, 30_000), layout=st.sampled_from(["clip", "pictures"])
)
def test_a_budget_holds_what_is_packed(items: list[Item], budget: int, layout: FramesAs) -> None:
    costs = CLIP if layout == "clip" else PICTURES
    packed = pack(items, costs, budget_tokens=budget)
    assert [one.evidence for one in packed] == [item.evidence for item in items]
    assert [one.tokens for one in packed] == [
        cost_of(one, item, costs) for one, item in zip(packed, items, strict=True)
    ]
    spent = sum(one.tokens for one in packed)
    assert spent <= budget
    for one, item in zip(packed, items, strict=True):
        assert one.is_in or one.wanted_tokens > budget - spent  # what is left out did not fit
        assert one.height_px % 32 == one.width_px % 32 == 0
        assert list(one.times) == sorted(one.times)
        if isinstance(item.visual, Footage) and one.times:
            assert set(one.times) <= {time for look in item.visual.looks for time in look}
            assert len(one.times) % 2 == 0 or layout == "pictures"
            assert squares_of(one.height_px, one.width_px) * len(one.times) <= CLIP_MOST_SQUARES


@given(items=item_lists(), budget=st.integers(0, 9_000), more=st.integers(1, 9_000))
def test_a_larger_budget_never_spends_less(items: list[Item], budget: int, more: int) -> None:
    small = pack(items, CLIP, budget_tokens=budget)
    large = pack(items, CLIP, budget_tokens=budget + more)
    steps = [one.wanted_tokens for one in small if one.wanted_tokens]
    assert sum(one.tokens for one in large) >= sum(one.tokens for one in small) - max(
        steps, default=0
    )


def same_videos(count: int) -> list[Item]:
    shape = footage(Fraction(0), [1] * 19, 720, 1280)
    return [Item(f"E{rank}", rank, f"[E{rank}]\n> said\n", shape) for rank in range(1, count + 1)]


def test_better_ranks_get_more_frames_and_pixels() -> None:
    packed = pack(same_videos(8), CLIP, budget_tokens=31_000)
    tokens = [one.picture_tokens for one in packed]
    assert tokens == sorted(tokens, reverse=True)
    assert tokens[0] > 2 * tokens[-1] > 0
    assert len(packed[0].times) == 40
    assert packed[0].width_px > packed[-1].width_px


def test_words_come_before_pictures() -> None:
    items = same_videos(30)
    packed = pack(items, CLIP, budget_tokens=3_000)
    assert all(one.is_in for one in packed)
    assert [bool(one.times) for one in packed] == sorted(
        (bool(one.times) for one in packed), reverse=True
    )


def test_what_is_too_large_is_left_out_whole_and_the_rest_stays() -> None:
    long = Item("E1", 1, f"[E1]\n> {'word ' * 5000}\n")
    short = Item("E2", 2, "[E2]\n> word\n")
    first, second = pack([long, short], CLIP, budget_tokens=100)
    assert (first.is_in, first.tokens, first.wanted_tokens > 5000) == (False, 0, True)
    assert second.is_in
    assert pack([], CLIP, budget_tokens=100) == ()


def test_nothing_is_enlarged() -> None:
    (one,) = pack(
        [Item("E1", 1, "[E1]\n", footage(Fraction(0), [], 120, 160))], CLIP, budget_tokens=10**6
    )
    assert (one.height_px, one.width_px) == (128, 160)


def test_a_million_tokens_can_be_spent() -> None:
    packed = pack(same_videos(200), CLIP, budget_tokens=1_000_000)
    assert 900_000 < sum(one.tokens for one in packed) <= 1_000_000


def test_an_item_is_whole_lines() -> None:
    with pytest.raises(ValueError, match="whole lines"):
        Item("E1", 1, "[E1] no end")
    with pytest.raises(ValueError, match="whole lines"):
        Item("E1", 1, " indented\n")
