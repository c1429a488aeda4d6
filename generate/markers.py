"""Time markers: what Qwen3-VL reads before the frames of a clip, `<3605.5 seconds>`.

The processor puts one before every two frames (a patch in time) and prints the mean of their times,
which it computes as frames_indices / fps. With fps = 1000 and indices in milliseconds the printed
times are those of the source's clock, at any offset and for any rate of frames. Everything that
writes, foresees or reads a marker does it here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TypedDict

FRAMES_PER_PATCH = 2
"""Frames that the vision encoder joins into one patch in time."""
TICKS_HZ = 1000
"""What the processor is told as the rate of frames: indices are milliseconds."""
MARKER_PATTERN = r"<\d+\.\d seconds>"
VISION_START, VISION_END = "<|vision_start|>", "<|vision_end|>"
VIDEO_PAD = "<|video_pad|>"

_MARKER = re.compile(r"<(\d+\.\d) seconds>")


class ClipMetadata(TypedDict):
    """What the processor is told of a clip, beside `do_sample_frames=False`.

    Left to sample, it would silently replace the indices by 0, 1, 2, ...
    """

    total_num_frames: int
    fps: int
    frames_indices: list[int]


def format_marker(time_s: float) -> str:
    """Write a time as Qwen's processor prints it, to 0.1 s."""
    return f"<{time_s:.1f} seconds>"


def parse_markers(text: str) -> list[Fraction]:
    """The times of all markers of a text, in order; each is within 0.05 s of what was written."""
    return [Fraction(number) for number in _MARKER.findall(text)]


def milliseconds(time: Fraction) -> int:
    """A time in the units in which the processor is told it."""
    # To the nearest; halves up, as whole numbers are ten times as fast as a product of fractions.
    return (2 * TICKS_HZ * time.numerator + time.denominator) // (2 * time.denominator)


def in_pairs(times: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """The times of a clip, an even number: the last one is repeated where it has no partner.

    That is what the processor does with an odd number of frames, except that it refuses a single
    one. A frame whose time is there twice has a marker of exactly that time.
    """
    missing = -len(times) % FRAMES_PER_PATCH
    return (*times, *(times[-1],) * missing)


def patch_times_s(times: Sequence[Fraction]) -> list[float]:
    """The time before every patch of a clip, computed as the processor does, to the same float."""
    indices = [milliseconds(time) / TICKS_HZ for time in in_pairs(times)]
    return [
        (first + last) / 2
        for first, last in zip(
            indices[::FRAMES_PER_PATCH], indices[1::FRAMES_PER_PATCH], strict=True
        )
    ]


def clip_markers(times: Sequence[Fraction]) -> list[str]:
    """The markers of a clip, one for each patch."""
    return [format_marker(time_s) for time_s in patch_times_s(times)]


def frame_markers(times: Sequence[Fraction]) -> list[str]:
    """The markers of frames that are shown as pictures, one for each."""
    return [format_marker(milliseconds(time) / TICKS_HZ) for time in times]


def clip_metadata(times: Sequence[Fraction], num_frames: int) -> ClipMetadata:
    """What the processor is to be told of a clip whose frames were loaded for `times`.

    The frames are those of `in_pairs(times)`. Raises ValueError where their number is another, and
    for times that fall: too many indices would silently give wrong markers.
    """
    if num_frames != len(times) or len(times) % FRAMES_PER_PATCH or not times:
        raise ValueError(
            f"a clip has an even number of frames, got {num_frames}, times {len(times)}"
        )
    if any(later < earlier for earlier, later in pairwise(times)):
        raise ValueError(f"the times of a clip rise, got {times}")
    indices = [milliseconds(time) for time in times]
    return ClipMetadata(total_num_frames=num_frames, fps=TICKS_HZ, frames_indices=indices)
