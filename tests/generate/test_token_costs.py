"""Counting is held against the real processor, and says so where it only estimates."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generate.neutral import neutral, quoted
from generate.picture_sizes import (
    CLIP_MOST_SQUARES,
    FRAME_MOST_SQUARES,
    PICTURE_LEAST_SQUARES,
    fitting_size,
)
from generate.prompt import Part, Prompt, TextPart, Turn
from generate.token_costs import TokenCosts, estimate_text, read_text_counter
from index.errors import ModelMissingError
from tests.generate.read_by_qwen import clip, picture, read_by_qwen
from tests.retrieve.archive import BEE_TALK, MANUAL_PAGES

TEXTS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "[E12] lecture_03.mp4 01:00:05-01:00:15\n",
            "  indented\n\n\n  and on\n",
            "\n",
            "它什么时候开始？\n第二行\r\n",
            "don't 3,605.5 <b> ©\u0301 e\u0301\n",
            "look: ",
            "| E47 | Filter blocked |\n",
        ]
    ),
).map(neutral)
SIDES = st.integers(1, 4).map(lambda number: 32 * number)
CLIPS = st.builds(
    lambda start, steps, height, width: clip(
        [start + Fraction(sum(steps[:at]), 30) for at in range(len(steps) + 1)], height, width
    ),
    st.fractions(0, 90_000, max_denominator=1000),
    st.lists(st.integers(0, 90), max_size=5),
    SIDES.filter(lambda side: side > 32),
    SIDES.filter(lambda side: side > 32),
)
PICTURES = st.builds(picture, st.sampled_from([256, 320]), st.sampled_from([256, 384]))
PARTS = st.lists(st.one_of(TEXTS.map(TextPart), CLIPS, PICTURES), min_size=1, max_size=6)


@given(
    system=TEXTS,
    history=st.lists(st.tuples(TEXTS, TEXTS), max_size=2),
    parts=PARTS,
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_prompt_costs_what_the_processor_makes_of_it(
    qwen_processor: Any,
    qwen_costs: TokenCosts,
    system: str,
    history: list[tuple[str, str]],
    parts: list[Part],
) -> None:
    turns = [
        turn
        for asked, said in history
        for turn in (Turn("user", (TextPart(asked),)), Turn("assistant", (TextPart(said),)))
    ]
    prompt = Prompt(system, (*turns, Turn("user", tuple(parts))))
    read = read_by_qwen(qwen_processor, prompt)
    assert qwen_costs.of_prompt(prompt) == len(read["input_ids"][0])


def test_a_thinking_model_opens_its_answer_otherwise(qwen_costs: TokenCosts) -> None:
    prompt = Prompt("", (Turn("user", (TextPart("Why?"),)),))
    thinking = TokenCosts(
        qwen_costs.count_text, is_exact=True, answer_opening="assistant\n<think>\n"
    )
    assert qwen_costs.of_prompt(prompt) == 8 + 2
    assert thinking.of_prompt(prompt) == 8 + 2 + 2


@given(texts=st.lists(st.text(max_size=40).map(quoted).filter(bool), max_size=5))
def test_whole_lines_cost_the_same_anywhere(qwen_costs: TokenCosts, texts: list[str]) -> None:
    apart = sum(map(qwen_costs.count_text, texts))
    assert qwen_costs.count_text("".join(texts)) == apart


def test_frames_as_pictures_have_a_marker_each(qwen_costs: TokenCosts) -> None:
    times = [Fraction(time) for time in ("3605", "3605.5", "3606", "3606.5")]
    pictures = TokenCosts(qwen_costs.count_text, is_exact=True, frames_as="pictures")
    assert pictures.of_clip(times, 256, 448) == 4 * (112 + 2 + 9)
    assert qwen_costs.of_clip(times, 256, 448) == 2 * (112 + 2 + 9)


@given(
    height=st.integers(8, 2200),
    width=st.integers(8, 4000),
    squares=st.integers(8, FRAME_MOST_SQUARES),
    num_frames=st.integers(1, 6).map(lambda number: 2 * number),
    cap=st.booleans(),
)
@settings(max_examples=100)
def test_frames_have_sizes_that_the_processor_leaves_alone(
    qwen_processor: Any, height: int, width: int, squares: int, num_frames: int, cap: bool
) -> None:
    size = fitting_size(height, width, least_squares=4, most_squares=squares)
    assert size[0] * size[1] <= squares * 1024
    assert num_frames * squares <= CLIP_MOST_SQUARES
    patches = qwen_processor.video_processor.get_num_of_video_patches(
        num_frames, *size, {"cap_pixels_per_frame": cap}
    )
    assert patches == num_frames // 2 * (size[0] // 16) * (size[1] // 16)


@given(height=st.integers(8, 6000), width=st.integers(8, 6000), squares=st.integers(96, 3000))
def test_pictures_have_sizes_that_the_processor_leaves_alone(
    qwen_processor: Any, height: int, width: int, squares: int
) -> None:
    size = fitting_size(height, width, least_squares=PICTURE_LEAST_SQUARES, most_squares=squares)
    patches = qwen_processor.image_processor.get_number_of_image_patches(*size, {})
    assert patches == (size[0] // 16) * (size[1] // 16)
    assert size[0] * size[1] <= squares * 1024


def test_without_a_tokenizer_there_is_only_an_estimate(qwen_costs: TokenCosts) -> None:
    prose = [*BEE_TALK, *(text for page in MANUAL_PAGES for text in page)]
    other = ["它什么时候开始？在第二章里说明了。", "Когда начинается вторая лекция о насосах?"]
    for text in (*prose, *other):
        exact = qwen_costs.count_text(text)
        assert exact <= estimate_text(text) <= 2 * exact
    apart = sum(map(estimate_text, prose)) / sum(map(qwen_costs.count_text, prose))
    assert 1 <= apart <= 1.5


def test_a_folder_without_a_tokenizer_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"holds no tokenizer\.json"):
        read_text_counter(tmp_path)
