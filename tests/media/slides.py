"""Draws the slides of the sample talk, 1280x720 pixels, and the running timecode."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageDraw

from tests.media import drawings as d
from tests.media.sources import Sources
from tests.media.talk_script import Slide

WIDTH, HEIGHT = 1280, 720
TIMECODE_BOX = (1008, 656, 1264, 704)
"""Left, top, right, bottom; borders on multiples of 16, so that the coder touches few blocks."""
_OVERSAMPLE = 2
_FOOTER = "Halden Bay tide station"
_ILLUSTRATIONS: dict[str, Callable[[d.Pen], None]] = {
    "The station at a glance": d.station,
    "How the gauge works": d.gauge,
    "One ordinary day: 3 May 2025": d.tide,
    "Storm surge of 9 November 2025": d.surge,
    "What the launch did to our data": d.launch,
    "Staff record no. 5": d.paw,
    "The year in numbers": d.bars,
}


def draw_slide(slide: Slide, number: int, sources: Sources) -> Image.Image:
    """Return the picture of a slide; ``number`` (from 1) stands in the footer."""
    dark = slide.layout in ("cover", "credits")
    size = (WIDTH * _OVERSAMPLE, HEIGHT * _OVERSAMPLE)
    image = Image.new("RGB", size, d.NAVY if dark else d.PAPER)
    pen = d.Pen(image, _OVERSAMPLE, sources.font)
    if dark:
        _dark_slide(pen, slide)
    else:
        _light_slide(pen, slide, number)
    return image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def _dark_slide(pen: d.Pen, slide: Slide) -> None:
    d.lighthouse(pen, 1120, 590, 300, (38, 68, 96))
    d.waves(pen, 575, ((20, 70, 98), (16, 92, 112), (15, 118, 132)), 34)
    pen.box(88, 150, 184, 158, d.CORAL)
    if slide.layout == "cover":
        half = slide.title.index(" tide")
        pen.text(84, 240, slide.title[:half], "bold", 62, d.WHITE)
        pen.text(84, 318, slide.title[half + 1 :], "bold", 62, d.WHITE)
        top, size, step = 400, 32, 52
    else:
        pen.text(84, 240, slide.title, "bold", 62, d.WHITE)
        top, size, step = 318, 30, 54
    for i, line in enumerate(slide.lines):
        pen.text(88, top + i * step, line, "regular", size, d.AQUA)


def _light_slide(pen: d.Pen, slide: Slide, number: int) -> None:
    d.waves(pen, 668, ((228, 240, 240), (212, 231, 232)), 18)
    pen.box(0, 0, 16, HEIGHT, d.TEAL)
    pen.text(72, 108, slide.title, "bold", 50, d.NAVY)
    pen.box(74, 130, 154, 137, d.CORAL)
    pen.text(72, 694, f"{_FOOTER}   {number}", "regular", 20, d.SLATE)
    if slide.layout == "table":
        _table(pen, slide)
    elif slide.layout == "steps":
        _steps(pen, slide)
    else:
        _facts(pen, slide)
        _ILLUSTRATIONS[slide.title](pen)


def _facts(pen: d.Pen, slide: Slide) -> None:
    step = 430 / max(len(slide.lines), 4)
    for i, line in enumerate(slide.lines):
        base = 160 + (i + 0.5) * step + 12
        label, colon, value = line.partition(": ")
        if not colon:
            label, value = "", line
        x = 76 + (pen.text(76, base, f"{label}: ", "regular", 32, d.SLATE) if label else 0)
        pen.text(x, base, value, "bold", 32, d.NAVY)
        if i < len(slide.lines) - 1:
            pen.line([(76, 160 + (i + 1) * step), (752, 160 + (i + 1) * step)], d.MIST, 2)


def _steps(pen: d.Pen, slide: Slide) -> None:
    for i, line in enumerate(slide.lines):
        top = 176 + i * 108
        pen.card(76, top, 1204, top + 88, d.MIST, 18)
        pen.disc(130, top + 44, 27, d.TEAL)
        pen.text(130, top + 45, str(i + 1), "bold", 30, d.WHITE, "mm")
        pen.text(184, top + 56, line, "bold", 34, d.NAVY)


def _table(pen: d.Pen, slide: Slide) -> None:
    columns = (104, 400, 1000)
    for i, line in enumerate(slide.lines):
        top = 172 + i * 90
        if i == 0:
            pen.card(76, top, 1204, top + 70, d.TEAL, 14)
        else:
            pen.line([(76, top + 80), (1204, top + 80)], d.AQUA, 2)
        month, *job, part = line.split(" ")
        for x, words in zip(columns, (month, " ".join(job), part), strict=True):
            style = "regular" if i and x == columns[1] else "bold"
            pen.text(x, top + 47, words, style, 32, d.NAVY if i else d.WHITE)


class Timecode:
    """Stamps ``HH:MM:SS.mmm`` on a picture, every character in its own fixed cell."""

    def __init__(self, sources: Sources) -> None:
        left, top, right, bottom = TIMECODE_BOX
        self._cells: dict[str, Image.Image] = {}
        font = sources.font("mono", 34)
        self._cell_width = 20
        for character in "0123456789:.":
            cell = Image.new("RGB", (self._cell_width, bottom - top), (0, 0, 0))
            middle = (self._cell_width / 2, 36)
            ImageDraw.Draw(cell).text(middle, character, d.WHITE, font, "ms")
            self._cells[character] = cell
        self._blank = Image.new("RGB", (right - left, bottom - top), (0, 0, 0))

    def stamp(self, image: Image.Image, ms: int) -> None:
        """Write the time ``ms`` milliseconds on ``image``, in place."""
        strip = self._blank.copy()
        for i, character in enumerate(format_ms(ms)):
            strip.paste(self._cells[character], (8 + i * self._cell_width, 0))
        image.paste(strip, TIMECODE_BOX[:2])


def format_ms(ms: int) -> str:
    """Return milliseconds as ``HH:MM:SS.mmm``."""
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
