"""Lines of text cut out of a picture, as the recogniser takes them, and how high they are set."""

from __future__ import annotations

from math import ceil
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

LINE_HEIGHT_PX: Final = 48
"""The recogniser takes lines of this height."""
LEAST_WIDTH_PX: Final = 320
"""Lines are filled up to this width, the least that the recogniser was trained with."""
_DOWNWARDS: Final = 1.5
"""Lines that are this much higher than wide run downwards."""
_PAPER_PERCENTILE: Final = 80
"""Most of what stands around letters is as bright as this, or brighter."""
_BAND_SHARE: Final = 0.5
"""Rows with at least this share of the most ink are those of small letters."""
_LETTERS_MIDDLE: Final = 0.15
"""The recogniser tells a letter this share of a column after its middle, on average (measured)."""

Picture = npt.NDArray[np.uint8]
Corners = npt.NDArray[np.float32]
"""float32, 4 x 2: x and y in the picture, clockwise from the top left of the text."""


def as_input(image: Picture) -> npt.NDArray[np.float32]:
    """float32, 1 x 3 (BGR) x height x width, from -1 to 1."""
    levels = image[..., ::-1].transpose(2, 0, 1)[np.newaxis].astype(np.float32, order="C")
    return levels * np.float32(2 / 255) - np.float32(1)


def filled_up(picture: Picture, step_px: int) -> Picture:
    """The picture, its last row and column repeated until its sides are multiples of `step_px`."""
    missing = [(0, -side % step_px) for side in picture.shape[:2]]
    return np.pad(picture, (*missing, (0, 0)), mode="edge")


def along_text(corners: Corners) -> Corners:
    """The corners from where the text begins: those of lines much higher than wide, turned."""
    if side_px(corners, 1, 2) >= _DOWNWARDS * side_px(corners, 0, 1):
        return np.roll(corners, -1, axis=0)
    return corners


def cut_out(picture: Image.Image, corners: Corners, narrowed: float) -> Image.Image:
    """A line set upright, as high as the recogniser takes it; text that runs downwards, turned.

    Small letters are enlarged in one step, from where they stand to a fraction of a pixel: read so,
    they are taken for others far less often than cut out at their own size first.
    """
    corners = along_text(corners)
    width, height = side_px(corners, 0, 1), side_px(corners, 1, 2)
    full = max(LINE_HEIGHT_PX, ceil(height))
    first, second, third, fourth = corners.tolist()
    line = picture.transform(
        (ceil(full * width / height), full),
        Image.Transform.QUAD,
        (*first, *fourth, *third, *second),
        Image.Resampling.BILINEAR,
    )
    natural_px = LINE_HEIGHT_PX * width / height
    width_px = ceil(max(1.0, min(natural_px, LEAST_WIDTH_PX), narrowed * natural_px))
    fitting = (width_px, LINE_HEIGHT_PX)
    return line if line.size == fitting else line.resize(fitting, Image.Resampling.BILINEAR)


def band_share(line: Image.Image) -> float:
    """Height of the letters without ascenders and descenders, as a share of the line's height.

    0 where nothing is printed. Letters are darker than their paper, or brighter.
    """
    grey = np.asarray(line.convert("L"), np.float32)
    low, paper, high = np.percentile(grey, (100 - _PAPER_PERCENTILE, 50, _PAPER_PERCENTILE))
    ink = high - grey if high - paper <= paper - low else grey - low
    rows = np.clip(ink, 0, None).mean(axis=1)
    (full,) = np.nonzero(rows - rows.min() > _BAND_SHARE * (rows.max() - rows.min()))
    return float(full[-1] - full[0] + 1) / len(rows) if len(full) else 0.0


def letter_shares(scores: npt.NDArray[np.float32], filled: float) -> npt.NDArray[np.float32]:
    """Where the letters stand that the recogniser's decoder takes (CTC: no blanks, no repeats).

    `scores` is columns x letters; the line fills the first 1 / `filled` of the columns.
    """
    best = scores.argmax(axis=1)
    told = np.flatnonzero((best != 0) & (best != np.concatenate(([0], best[:-1]))))
    return np.clip((told + _LETTERS_MIDDLE) / len(best) * filled, 0, 1).astype(np.float32)


def evenly_spread(letters: int) -> npt.NDArray[np.float32]:
    """Where so many letters stand when all are as wide: near, for a line whose font is unknown."""
    return ((np.arange(letters) + 0.5) / max(letters, 1)).astype(np.float32)


def side_px(corners: Corners, one: int, other: int) -> float:
    """Length of the longer one of a side and the side opposite to it."""
    sides = (corners[one] - corners[other], corners[(one + 2) % 4] - corners[(other + 2) % 4])
    return max(float(np.linalg.norm(side)) for side in sides)
