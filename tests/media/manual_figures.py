"""The vector drawings of the sample manual. Lengths are PDF points inside a figure's area."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Label = Callable[[float, float, str], None]
"""Writes words at (x, y) inside the area."""
_NAVY = (0.06, 0.16, 0.26)
_TEAL = (0.06, 0.46, 0.52)
_AQUA = (0.62, 0.83, 0.84)
_COPPER = (0.75, 0.47, 0.28)
_GREY = (0.45, 0.5, 0.55)
_CORAL = (0.84, 0.34, 0.26)
_WHITE = (1, 1, 1)


def gauge(page: Any, area: Any, label: Label) -> None:
    """Draw the float, the tape, the wheel and the blue box, with their names."""
    x, y = area.x0 + 150, area.y0

    def fill(left: float, top: float, right: float, bottom: float, color: object) -> None:
        page.draw_rect((x + left, y + top, x + right, y + bottom), color=None, fill=color)

    fill(-150, 150, 309, 250, _AQUA)
    fill(0, 80, 100, 236, _WHITE)
    fill(0, 156, 100, 236, (0.45, 0.72, 0.75))
    for wall in ((-5, 76, 0, 240), (100, 76, 105, 240), (-5, 236, 42, 241), (58, 236, 105, 241)):
        fill(*wall, _NAVY)
    page.draw_circle((x + 50, y + 50), 25, color=_NAVY, fill=_WHITE, width=6)
    page.draw_circle((x + 50, y + 50), 4, color=_NAVY, fill=_NAVY)
    page.draw_line((x + 27, y + 52), (x + 27, y + 146), color=_GREY, width=1.6)
    page.draw_line((x + 73, y + 52), (x + 73, y + 108), color=_GREY, width=1.6)
    fill(66, 108, 80, 132, _GREY)
    page.draw_rect((x + 8, y + 144, x + 46, y + 168), color=None, fill=_COPPER, radius=0.4)
    page.draw_rect((x + 165, y + 28, x + 235, y + 78), color=None, fill=_TEAL, radius=0.1)
    page.draw_bezier(
        (x + 54, y + 50), (x + 100, y + 20), (x + 120, y + 90), (x + 165, y + 54),
        color=_CORAL, width=1.4,
    )  # fmt: skip
    pointers = (
        ("measuring wheel", 24, 40, (122, 36), (172, 42)),
        ("steel tape", 24, 104, (82, 100), (175, 104)),
        ("float", 24, 150, (58, 147), (158, 154)),
        ("counterweight", 290, 122, (284, 119), (232, 119)),
        ("stilling well", 290, 186, (284, 183), (256, 183)),
        ("orifice plate", 290, 232, (284, 229), (204, 238)),
        ("blue box", 330, 100, (346, 88), (346, 80)),
        ("encoder cable", 245, 26, (262, 30), (256, 48)),
    )
    for words, left, base, start, end in pointers:
        label(left, base, words)
        begin = (area.x0 + start[0], y + start[1])
        page.draw_line(begin, (area.x0 + end[0], y + end[1]), color=_NAVY, width=0.5)


def discharge(page: Any, area: Any, label: Label) -> None:
    """Draw the battery voltage over the share of charge that has been used."""
    left, right, top, bottom = area.x0 + 60, area.x1 - 30, area.y0 + 20, area.y1 - 40

    def at(used: float, volt: float) -> tuple[float, float]:
        height = (volt - 11) / (13.8 - 11)
        return (left + used * (right - left), bottom - height * (bottom - top))

    for volt in (11.0, 11.8, 12.4, 13.1, 13.8):
        page.draw_line(at(0, volt), at(1, volt), color=_AQUA, width=0.6)
        label(28, at(0, volt)[1] - area.y0 + 3, f"{volt:.1f}")
    points = []
    for step in range(101):
        used = step / 100
        volt = 13.1 + 0.45 * math.exp(-used * 22) - 0.12 * used - 1.7 * used**14
        points.append(at(used, volt))
    page.draw_polyline(points, color=_CORAL, width=2)
    page.draw_line((left, top), (left, bottom), color=_NAVY, width=1)
    page.draw_line((left, bottom), (right, bottom), color=_NAVY, width=1)
    for used in (0, 20, 40, 60, 80, 100):
        label(at(used / 100, 11)[0] - area.x0 - 6, area.height - 27, str(used))
    label(68, 16, "volts")
    label(190, area.height - 10, "percent of the charge used")


DRAWINGS: dict[str, Callable[[Any, Any, Label], None]] = {"gauge": gauge, "discharge": discharge}
