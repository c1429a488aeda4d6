"""The floors of the benchmark of answers are those that were computed by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from benchmarks.generate.__main__ import _other_question
from benchmarks.generate.floors import SIZES, read_floor_s, token_floor_s
from benchmarks.generate.models import (
    FRAMES,
    HEIGHT_PX,
    LABEL_TOKENS,
    PADS,
    SEGMENT_TOKENS,
    WIDTH_PX,
    prompt_of,
)
from generate.backends.key_values import comparable, shared_length
from generate.token_costs import TokenCosts, estimate_text


@pytest.mark.parametrize(
    ("name", "floors_s", "token_ms", "key_value_kib"),
    [
        ("2B", {262_144: 10.9, 131_072: 3.0, 65_536: 0.9, 32_768: 0.3}, 6.9, 112),
        ("4B", {262_144: 28.0, 131_072: 7.6, 65_536: 2.2, 32_768: 0.7}, 9.6, 144),
        ("8B", {262_144: 30.3, 131_072: 8.7, 65_536: 2.8, 32_768: 1.0}, 10.9, 144),
    ],
)
def test_floors_are_those_of_the_arithmetic(
    name: str, floors_s: dict[int, float], token_ms: float, key_value_kib: int
) -> None:
    size = SIZES[name]
    for tokens, floor_s in floors_s.items():
        assert read_floor_s(size, tokens) == pytest.approx(floor_s, abs=0.1)
    assert token_floor_s(size, 262_144) * 1000 == pytest.approx(token_ms, rel=0.06)
    assert size.key_value_bytes == key_value_kib * 1024


def test_a_further_piece_costs_what_is_left() -> None:
    size = SIZES["8B"]
    parts = read_floor_s(size, 60_000) + read_floor_s(size, 5_536, before=60_000)
    assert parts == pytest.approx(read_floor_s(size, 65_536))


def test_prompts_are_full_of_segments() -> None:
    times = [Fraction(3600) + Fraction(at, 2) for at in range(FRAMES)]
    clip_tokens = TokenCosts(estimate_text, is_exact=False).of_clip(times, HEIGHT_PX, WIDTH_PX)
    assert clip_tokens + LABEL_TOKENS == SEGMENT_TOKENS == 1_260
    tokens = prompt_of(32_768, vocabulary=151_936, clip_pad=151_934)
    assert len(tokens.ids) == len(tokens.kinds) == 32_768
    assert len(tokens.seen) == 25
    assert (tokens.ids == 151_934).sum() == (tokens.kinds == 2).sum() == 25 * FRAMES // 2 * PADS
    keys: Any = [b"same"] * len(tokens.seen)
    both = [comparable(one, keys) for one in (tokens, _other_question(tokens))]
    assert shared_length(*both) == 32_768 - 32
