"""A clock burnt into pictures, and its reader: seconds and milliseconds in six fixed cells."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

WIDTH_PX: Final = 320
HEIGHT_PX: Final = 180
_CELL: Final = (48, 72)
_ORIGIN: Final = (16, 54)
_GLYPHS: Final = "0123456789-"
_DIGIT_CELLS: Final = (0, 1, 3, 4, 5)
_MIN_LIKENESS: Final = 0.8


def picture_at(clock: Fraction) -> Image.Image:
    """A 320x180 RGB picture that says `clock` as SS.mmm; dashes where a player shows nothing."""
    text = "--.---"
    if clock >= 0:
        seconds, milliseconds = divmod(round(clock * 1000), 1000)
        text = f"{seconds:02d}.{milliseconds:03d}"
    picture = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), (24, 32, 48))
    for cell, glyph in enumerate(text):
        tile = Image.fromarray(_tile(glyph))
        picture.paste(tile.convert("RGB"), (_ORIGIN[0] + cell * _CELL[0], _ORIGIN[1]))
    return picture


def clock_in(image: npt.NDArray[np.uint8]) -> Fraction | None:
    """The time an upright picture says, in whole milliseconds; None when a cell is no digit.

    Each cell is compared with every glyph (normalised correlation), as fixed-font OCR does.
    """
    grey = Image.fromarray(image).convert("L").resize((WIDTH_PX, HEIGHT_PX))
    pixels = np.asarray(grey, dtype=np.float64)
    digits = ""
    for cell in _DIGIT_CELLS:
        left, top = _ORIGIN[0] + cell * _CELL[0], _ORIGIN[1]
        seen = _normalised(pixels[top : top + _CELL[1], left : left + _CELL[0]])
        likeness = [float((seen * pattern).mean()) for pattern in _patterns()]
        best = int(np.argmax(likeness))
        if likeness[best] < _MIN_LIKENESS or _GLYPHS[best] == "-":
            return None
        digits += _GLYPHS[best]
    return Fraction(int(digits), 1000)


@cache
def _tile(glyph: str) -> npt.NDArray[np.uint8]:
    tile = Image.new("L", _CELL, 16)
    font = ImageFont.load_default(76)  # Comes with Pillow: the same on every machine.
    draw = ImageDraw.Draw(tile)
    draw.text((_CELL[0] / 2, _CELL[1] / 2), glyph, fill=240, font=font, anchor="mm")
    return np.asarray(tile)


@cache
def _patterns() -> list[npt.NDArray[np.float64]]:
    return [_normalised(_tile(glyph).astype(np.float64)) for glyph in _GLYPHS]


def _normalised(pixels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    centred: npt.NDArray[np.float64] = pixels - pixels.mean()
    return centred / max(float(centred.std()), 1.0)
