"""The pictures beside the words: a lighthouse, the gauge, two curves, a paw, bars.

Each function draws into the box x 800-1216, y 160-590 of a 1280x720 slide. Coordinates are
slide pixels; ``Pen`` scales them, so that the edges come out smooth.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable

from PIL import Image, ImageDraw, ImageFont

NAVY = (16, 42, 67)
TEAL = (15, 118, 132)
AQUA = (159, 211, 214)
MIST = (222, 237, 238)
PAPER = (250, 249, 246)
SLATE = (82, 96, 109)
CORAL = (222, 96, 76)
SAND = (232, 221, 198)
COPPER = (190, 120, 72)
WHITE = (255, 255, 255)

Point = tuple[float, float]
Color = tuple[int, int, int]
FontOf = Callable[[str, int], ImageFont.FreeTypeFont]


class Pen:
    """Draws with slide coordinates on a canvas ``scale`` times as large."""

    def __init__(self, image: Image.Image, scale: int, font: FontOf) -> None:
        self._draw = ImageDraw.Draw(image)
        self._scale = scale
        self._font = font

    def _at(self, points: Iterable[Point]) -> list[Point]:
        return [(x * self._scale, y * self._scale) for x, y in points]

    def polygon(self, points: Iterable[Point], color: Color) -> None:
        """Fill a polygon."""
        self._draw.polygon(self._at(points), fill=color)

    def line(self, points: Iterable[Point], color: Color, width: float = 3) -> None:
        """Draw a polyline ``width`` pixels wide."""
        width_px = round(width * self._scale)
        self._draw.line(self._at(points), fill=color, width=width_px, joint="curve")

    def box(self, left: float, top: float, right: float, bottom: float, color: Color) -> None:
        """Fill a rectangle."""
        self._draw.rectangle(self._at([(left, top), (right, bottom)]), fill=color)

    def card(
        self, left: float, top: float, right: float, bottom: float, color: Color, radius: float
    ) -> None:
        """Fill a rectangle with round corners."""
        corners = self._at([(left, top), (right, bottom)])
        self._draw.rounded_rectangle(corners, radius * self._scale, fill=color)

    def disc(
        self, x: float, y: float, radius: float, color: Color, height: float | None = None
    ) -> None:
        """Fill a circle, or an ellipse of half height ``height``."""
        ry = radius if height is None else height
        self._draw.ellipse(self._at([(x - radius, y - ry), (x + radius, y + ry)]), fill=color)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        style: str,
        size: int,
        color: Color,
        anchor: str = "ls",
    ) -> float:
        """Write ``words`` with the base line at ``y``; return the width in pixels."""
        font = self._font(style, size * self._scale)
        self._draw.text((x * self._scale, y * self._scale), words, color, font, anchor)
        return font.getlength(words) / self._scale


def waves(pen: Pen, top: float, colors: Iterable[Color], step: float = 22) -> None:
    """Draw layers of swell from ``top`` down to the lower edge of the slide."""
    for layer, color in enumerate(colors):
        level = top + layer * step
        crest = [
            (x, level + (9 + layer) * math.sin(x / (150 + 35 * layer) + layer * 1.7))
            for x in range(0, 1289, 8)
        ]
        pen.polygon([*crest, (1288, 728), (0, 728)], color)


def lighthouse(
    pen: Pen, x: float, foot: float, height: float, beam: Color, reach: float = 8.5
) -> None:
    """Draw a red and white lighthouse ``height`` pixels high standing at (x, foot).

    Its beam goes ``reach`` tenths of the height to both sides.
    """
    unit = height / 10
    lamp = foot - 8.6 * unit
    for side in (-1, 1):
        pen.polygon(
            [
                (x, lamp),
                (x + side * reach * unit, lamp - 1.6 * unit),
                (x + side * reach * unit, lamp + 1.4 * unit),
            ],
            beam,
        )
    for stripe in range(5):
        low, high = foot - stripe * 1.56 * unit, foot - (stripe + 1) * 1.56 * unit
        wide, narrow = (1.25 - 0.13 * stripe) * unit, (1.25 - 0.13 * (stripe + 1)) * unit
        color = CORAL if stripe % 2 == 0 else WHITE
        pen.polygon(
            [(x - wide, low), (x + wide, low), (x + narrow, high), (x - narrow, high)], color
        )
    pen.box(x - 0.95 * unit, foot - 8.0 * unit, x + 0.95 * unit, foot - 7.75 * unit, NAVY)
    pen.box(x - 0.5 * unit, foot - 9.2 * unit, x + 0.5 * unit, foot - 8.0 * unit, (255, 221, 130))
    pen.polygon(
        [
            (x - 0.8 * unit, foot - 9.2 * unit),
            (x + 0.8 * unit, foot - 9.2 * unit),
            (x, foot - 10 * unit),
        ],
        CORAL,
    )


def station(pen: Pen) -> None:
    """Draw the pier with the hut and the lighthouse."""
    pen.card(800, 160, 1216, 590, MIST, 20)
    lighthouse(pen, 1100, 480, 250, WHITE, 4.5)
    pen.polygon([(880, 400), (990, 400), (990, 480), (880, 480)], SAND)
    pen.polygon([(866, 404), (1004, 404), (935, 352)], TEAL)
    pen.box(915, 425, 955, 480, NAVY)
    pen.box(800, 480, 1216, 494, NAVY)
    for post in range(822, 1216, 62):
        pen.box(post, 494, post + 10, 560, NAVY)
    pen.card(800, 545, 1216, 590, TEAL, 20)
    pen.box(800, 545, 1216, 568, TEAL)


def gauge(pen: Pen) -> None:
    """Draw the pipe, the float, the tape over the wheel and the counterweight."""
    pen.card(800, 160, 1216, 590, MIST, 20)
    pen.card(800, 400, 1216, 590, AQUA, 20)
    pen.box(800, 400, 1216, 560, AQUA)
    pen.box(910, 280, 1110, 560, WHITE)
    pen.box(910, 400, 1110, 560, (126, 190, 196))
    for wall in (
        (900, 270, 912, 570),
        (1108, 270, 1120, 570),
        (900, 558, 995, 570),
        (1025, 558, 1120, 570),
    ):
        pen.box(*wall, NAVY)
    pen.disc(1010, 230, 52, NAVY)
    pen.disc(1010, 230, 40, PAPER)
    pen.disc(1010, 230, 9, NAVY)
    pen.line([(962, 230), (962, 385)], SLATE, 4)
    pen.line([(1058, 230), (1058, 330)], SLATE, 4)
    pen.card(1044, 330, 1072, 376, SLATE, 4)
    pen.card(920, 380, 1004, 424, COPPER, 18)
    pen.line([(1010, 612), (1010, 578)], CORAL, 5)
    pen.polygon([(998, 584), (1022, 584), (1010, 566)], CORAL)


def tide(pen: Pen) -> None:
    """Draw one day of an ordinary tide."""
    pen.card(800, 160, 1216, 590, MIST, 20)
    curve = [
        (840 + i * 3.4, 380 - 120 * math.cos((i - 22) / 100 * 4 * math.pi * 0.97))
        for i in range(101)
    ]
    pen.polygon([*curve, (1180, 540), (840, 540)], AQUA)
    pen.line(curve, TEAL, 6)
    pen.line([(840, 200), (840, 540), (1184, 540)], SLATE, 3)
    for hour in range(0, 25, 6):
        pen.line([(840 + hour * 14.2, 540), (840 + hour * 14.2, 550)], SLATE, 3)


def surge(pen: Pen) -> None:
    """Draw the surge above the forecast."""
    pen.card(800, 160, 1216, 590, MIST, 20)
    forecast = [
        (840 + i * 3.4, 440 - 70 * math.cos((i - 52) / 100 * 3.1 * math.pi)) for i in range(101)
    ]
    measured = [
        (x, y - 170 * math.exp(-(((i - 44) / 17) ** 2)) - 8 * math.sin(i / 2.5))
        for i, (x, y) in enumerate(forecast)
    ]
    pen.polygon([*measured, *reversed(forecast)], (244, 203, 193))
    for i in range(0, 100, 6):
        pen.line(forecast[i : i + 4], SLATE, 4)
    pen.line(measured, CORAL, 6)
    pen.line([(840, 200), (840, 540), (1184, 540)], SLATE, 3)


def launch(pen: Pen) -> None:
    """Draw the trembling of the float, and a small rocket."""
    pen.card(800, 160, 1216, 590, MIST, 20)
    noise = random.Random(7)
    trace = []
    for i in range(180):
        loud = 62 * math.exp(-(((i - 95) / 34) ** 2)) if 60 < i < 150 else 3
        trace.append((830 + i * 2, 490 + noise.uniform(-loud, loud)))
    pen.line(trace, TEAL, 3)
    pen.polygon([(995, 230), (1025, 230), (1025, 350), (995, 350)], WHITE)
    pen.polygon([(995, 230), (1025, 230), (1010, 190)], CORAL)
    for side in (-1, 1):
        pen.polygon(
            [(1010 + side * 15, 310), (1010 + side * 36, 362), (1010 + side * 15, 350)], NAVY
        )
    pen.polygon([(999, 350), (1021, 350), (1010, 402)], (255, 190, 92))
    pen.disc(1010, 258, 8, TEAL)


def paw(pen: Pen) -> None:
    """Draw a paw print."""
    pen.card(800, 160, 1216, 590, MIST, 20)
    pen.disc(1008, 440, 82, COPPER, 66)
    for x, y, size in ((892, 350, 36), (966, 280, 40), (1052, 280, 40), (1124, 350, 36)):
        pen.disc(x, y, size, COPPER, size * 1.3)


def bars(pen: Pen) -> None:
    """Draw the mean sea level of the last years as bars."""
    pen.card(800, 160, 1216, 590, MIST, 20)
    for i, height in enumerate((150, 172, 164, 205, 226, 252)):
        color = CORAL if i == 5 else TEAL
        pen.card(850 + i * 56, 530 - height, 886 + i * 56, 540, color, 5)
    pen.line([(836, 540), (1184, 540)], SLATE, 3)
