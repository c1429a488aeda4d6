"""How a scan lies on its page: what is read upright is cited where it is displayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import cos, radians, sin

import numpy as np
import numpy.typing as npt

from index.records import Box, Moment
from index.word_boxes import WordBoxes

Corners = npt.NDArray[np.float64]
"""x0, y0, x1, y1 of boxes, shape (boxes, 4)."""


@dataclass(frozen=True, slots=True)
class ScanPlacement:
    """From the upright scan to the page as displayed. Lengths are in points or in pixels."""

    quarter_turns: int
    """How often the page as displayed has to be turned counterclockwise to stand upright, 0..3."""
    skew_deg: float
    """How far the lines of the turned page fall to the right; small."""
    width: float
    """Of the page as displayed."""
    height: float

    @property
    def is_level(self) -> bool:
        """True for a page that is displayed upright."""
        return not self.quarter_turns and not self.skew_deg

    @property
    def upright_size(self) -> tuple[float, float]:
        """Width and height of the upright scan."""
        odd = self.quarter_turns % 2
        return (self.height, self.width) if odd else (self.width, self.height)

    def displayed(self, boxes: Corners) -> Corners:
        """Boxes (n, 4) of the upright scan as boxes around the same places on the page."""
        width, height = self.upright_size
        x, y = _around(boxes, self.skew_deg, (width / 2, height / 2))
        match self.quarter_turns:
            case 1:
                x, y = self.width - y, x
            case 2:
                x, y = self.width - x, self.height - y
            case 3:
                x, y = y, self.height - x
        return boxes_around(np.clip(x, 0, self.width), np.clip(y, 0, self.height))

    def upright(self, boxes: Corners) -> Corners:
        """Boxes (n, 4) of the page as displayed as boxes around the same places upright."""
        x, y = boxes[:, [0, 2, 2, 0]], boxes[:, [1, 1, 3, 3]]
        match self.quarter_turns:
            case 1:
                x, y = y, self.width - x
            case 2:
                x, y = self.width - x, self.height - y
            case 3:
                x, y = self.height - y, x
        return boxes_around(*self.levelled(x, y))

    def levelled(
        self, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Points of the turned page, with the skew taken out."""
        width, height = self.upright_size
        return _rotated(x, y, -self.skew_deg, (width / 2, height / 2))


def displayed_box(placement: ScanPlacement, box: Box) -> Box:
    """One box of the upright scan, on the page as displayed."""
    return Box(*placement.displayed(_corners([box]))[0].tolist())


def upright_box(placement: ScanPlacement, box: Box) -> Box:
    """One box of the page as displayed, on the upright scan."""
    return Box(*placement.upright(_corners([box]))[0].tolist())


def displayed_moment(moment: Moment, placement: ScanPlacement) -> Moment:
    """A moment of an upright scan with its boxes where the page as displayed has them."""
    area = moment.area
    boxes = tuple(displayed_box(placement, box) for box in area.boxes)
    words = moment.word_boxes
    if len(words):
        rows = words.rows().copy()
        names = ("x0", "y0", "x1", "y1")
        corners = np.stack([rows[name].astype(np.float64) for name in names], axis=1)
        for name, column in zip(names, placement.displayed(corners).T, strict=True):
            rows[name] = column
        words = WordBoxes(rows.tobytes())
    return replace(moment, place=replace(area, boxes=boxes), word_boxes=words)


def _corners(boxes: Sequence[Box]) -> Corners:
    return np.array([(box.x0, box.y0, box.x1, box.y1) for box in boxes], np.float64)


def _around(
    boxes: Corners, turned_deg: float, center: tuple[float, float]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    return _rotated(boxes[:, [0, 2, 2, 0]], boxes[:, [1, 1, 3, 3]], turned_deg, center)


def _rotated(
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    turned_deg: float,
    center: tuple[float, float],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Points turned clockwise around a center (y grows downwards)."""
    turn = radians(turned_deg)
    across, down = x - center[0], y - center[1]
    return (
        center[0] + across * cos(turn) - down * sin(turn),
        center[1] + across * sin(turn) + down * cos(turn),
    )


def boxes_around(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Corners:
    """The smallest box around the points of each row of x and y, shape (boxes, points)."""
    return np.stack([x.min(axis=1), y.min(axis=1), x.max(axis=1), y.max(axis=1)], axis=1)
