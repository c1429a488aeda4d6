"""Sizes at which a model sees pictures: multiples of 32 px that its processor leaves as they are.

The limits are those of the processors that Qwen3-VL was released with (`smart_resize` of its image
and its video processor): pictures below 65,536 px would be enlarged, clips of more than 25,165,824
px over all frames would be shrunk, and so would frames of more than 768 squares where the cap on
frames is in force.
"""

from __future__ import annotations

from math import sqrt

from generate.prompt import SIDE_STEP_PX

SQUARE_PX = SIDE_STEP_PX * SIDE_STEP_PX
"""Pixels that become one token."""
PICTURE_LEAST_SQUARES = 65_536 // SQUARE_PX
PICTURE_MOST_SQUARES = 16_777_216 // SQUARE_PX
CLIP_LEAST_SQUARES = 4_096 // SQUARE_PX
"""Over all frames of a clip."""
CLIP_MOST_SQUARES = 25_165_824 // SQUARE_PX
"""Over all frames of a clip."""
FRAME_MOST_SQUARES = 768
_MOST_STRETCHED = 100
"""Sides further apart than 1 to 200 are refused by the processor."""


def squares_of(height_px: int, width_px: int) -> int:
    """Tokens that a picture, or two frames of a clip, of this size are, without their ends."""
    return (height_px // SIDE_STEP_PX) * (width_px // SIDE_STEP_PX)


def fitting_size(
    height_px: int, width_px: int, *, least_squares: int, most_squares: int
) -> tuple[int, int]:
    """Height and width, multiples of 32, of about the shape of a picture of this size.

    No larger than the picture itself, but for `least_squares`; never more than `most_squares`,
    which is half as much again, so that there is a shape between them.
    """
    area = height_px * width_px
    scale = min(1.0, sqrt(most_squares * SQUARE_PX / area))
    scale = max(scale, sqrt(least_squares * SQUARE_PX / area))
    rows = max(1, round(height_px * scale / SIDE_STEP_PX))
    columns = max(1, round(width_px * scale / SIDE_STEP_PX))
    rows, columns = min(rows, _MOST_STRETCHED * columns), min(columns, _MOST_STRETCHED * rows)
    while rows * columns > most_squares:
        rows, columns = (rows - 1, columns) if rows >= columns else (rows, columns - 1)
    while rows * columns < least_squares:
        rows, columns = (rows + 1, columns) if rows >= columns else (rows, columns + 1)
    return rows * SIDE_STEP_PX, columns * SIDE_STEP_PX
