"""Time markers: written as the processor writes them, read back, right at any offset."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generate.markers import (
    clip_markers,
    clip_metadata,
    format_marker,
    in_pairs,
    parse_markers,
    patch_times_s,
)
from generate.prompt import Prompt, TextPart, Turn
from tests.generate.read_by_qwen import clip, flat, read_by_qwen

HOUR = 3600
SECONDS = st.fractions(0, 30 * HOUR, max_denominator=90_000)


@given(time=SECONDS)
def test_what_is_written_is_read_back(time: Fraction) -> None:
    marker = format_marker(float(time))
    (read,) = parse_markers(f"at {marker} it ends")
    assert abs(read - time) <= Fraction(1, 20) + Fraction(1, 10**6)
    assert format_marker(float(read)) == marker


@given(times=st.lists(SECONDS, min_size=1, max_size=9).map(sorted))
def test_every_patch_has_a_marker_between_its_frames(times: list[Fraction]) -> None:
    paired = in_pairs(times)
    assert len(paired) == len(times) + len(times) % 2
    marked = parse_markers("".join(clip_markers(times)))
    assert len(marked) == len(paired) // 2
    for mark, first, last in zip(marked, paired[::2], paired[1::2], strict=True):
        assert first - Fraction(51, 1000) <= mark <= last + Fraction(51, 1000)


@pytest.mark.parametrize(
    ("times", "printed"),
    [
        (["10", "10.5", "11", "11.5"], ["10.2", "11.2"]),
        (["3605.5", "3606.033", "3606.467", "3607.001"], ["3605.8", "3606.7"]),  # no fixed rate
        (["90000.1", "90000.1"], ["90000.1"]),  # a single frame, given twice
        (["3605.5"], ["3605.5"]),  # the same, paired here
        (["9", "10", "11"], ["9.5", "11.0"]),  # odd: the last frame is repeated
        (["0", "1001/30000", "1/2", "31/60"], ["0.0", "0.5"]),  # close pairs at 29.97 Hz
    ],
)
def test_the_processor_prints_the_times_of_the_clock(
    qwen_processor: Any, times: list[str], printed: list[str]
) -> None:
    exact = [Fraction(time) for time in times]
    prompt = Prompt("", (Turn("user", (TextPart("[E1] a.mp4\n"), clip(exact, 64, 64))),))
    read = qwen_processor.tokenizer.decode(read_by_qwen(qwen_processor, prompt)["input_ids"][0])
    assert parse_markers(read) == [Fraction(time) for time in printed]
    assert clip_markers(exact) == [f"<{time} seconds>" for time in printed]


def test_the_layout_is_that_of_the_release(qwen_processor: Any) -> None:
    times = [Fraction(3605), Fraction(7211, 2)]
    prompt = Prompt("", (Turn("user", (TextPart("[E1]\n"), clip(times, 64, 64), TextPart("?"))),))
    read = qwen_processor.tokenizer.decode(read_by_qwen(qwen_processor, prompt)["input_ids"][0])
    seen = "<|vision_start|>" + "<|video_pad|>" * 4 + "<|vision_end|>"
    assert f"[E1]\n<3605.2 seconds>{seen}?<|im_end|>" in read
    assert flat("<|vision_start|><|image_pad|><|vision_end|>").count("<|vision_start|>") == 1


def test_left_to_sample_the_processor_loses_the_times(qwen_processor: Any) -> None:
    """Why `do_sample_frames=False` goes with the metadata."""
    times = tuple(Fraction(3605 + number) for number in range(4))
    frames = clip(times, 64, 64).load()
    told = clip_metadata(times, len(frames))
    lost = qwen_processor(text="<|video_pad|>", videos=[frames], video_metadata=[told])
    assert parse_markers(qwen_processor.tokenizer.decode(lost["input_ids"][0])) == [0, 0]


@given(offset=st.integers(0, 90_000_000), steps=st.lists(st.integers(0, 9_999), max_size=7))
def test_metadata_are_milliseconds_of_the_clock(offset: int, steps: list[int]) -> None:
    indices = [offset + sum(steps[:number]) for number in range(len(steps) + 1)]
    times = in_pairs([Fraction(index, 1000) for index in indices])
    told = clip_metadata(times, len(times))
    assert told["frames_indices"][: len(indices)] == indices
    assert told["fps"] == 1000
    assert told["total_num_frames"] == len(told["frames_indices"]) == 2 * len(patch_times_s(times))


@pytest.mark.parametrize(
    ("times", "num_frames"),
    [([1, 2], 4), ([1, 2, 3, 4], 2), ([1], 1), ([1, 2, 3], 3), ([], 0), ([2, 1], 2)],
)
def test_lengths_and_order_are_checked(times: list[int], num_frames: int) -> None:
    with pytest.raises(ValueError, match=r"even number of frames|times of a clip rise"):
        clip_metadata([Fraction(time) for time in times], num_frames)
