"""Where a picture differs from the one before it, and which lines of text that concerns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from index.records import Box

_NOISE_LEVELS: Final = 24
"""Codecs redraw a still picture a little differently: larger differences, of 255, are changes."""
_REDUCTION: Final = 2
"""Pictures are compared this much smaller: noise averages out, strokes of letters do not."""
_BLOCK: Final = 8
"""Side of the squares that are joined to regions, in pixels of the reduced picture."""
_REACH_BLOCKS: Final = 2
"""Changed blocks belong together when they touch, or when one block lies between them."""
_MOST_OF_IT: Final = 0.5
_INK_SHARE: Final = 0.6
"""Share of a box's height that letters fill. Rows of dense text overlap by what is around them."""


@dataclass(frozen=True, slots=True)
class Region:
    """Half-open rectangle of a picture, in whole pixels."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def area(self) -> int:
        """Number of pixels."""
        return (self.x1 - self.x0) * (self.y1 - self.y0)

    def touches(self, other: Region) -> bool:
        """Whether the two share a pixel or an edge."""
        return (
            self.x0 <= other.x1
            and other.x0 <= self.x1
            and self.y0 <= other.y1
            and other.y0 <= self.y1
        )

    def joined(self, other: Region) -> Region:
        """The smallest rectangle around both."""
        return Region(
            min(self.x0, other.x0),
            min(self.y0, other.y0),
            max(self.x1, other.x1),
            max(self.y1, other.y1),
        )


def whole_pixels(box: Box) -> Region:
    """All pixels that a box touches."""
    return Region(floor(box.x0), floor(box.y0), ceil(box.x1), ceil(box.y1))


def ink(box: Box) -> Region:
    """Where the letters of a line stand: its box without the room above and below them."""
    room = _size_px(box) * (1 - _INK_SHARE) / 2
    return Region(round(box.x0), round(box.y0 + room), round(box.x1), round(box.y1 - room))


def belongs(line: Box, region: Region) -> bool:
    """Whether a line has to be read again together with a region: it touches it, or nearly.

    One letter's height on the left and on the right counts as touching, since words that near are
    found as one line.
    """
    letters = ink(line)
    reach_px = round(_size_px(line))
    reach = Region(letters.x0 - reach_px, letters.y0, letters.x1 + reach_px, letters.y1)
    return reach.touches(region)


def changed_regions(
    before: npt.NDArray[np.uint8], after: npt.NDArray[np.uint8]
) -> tuple[Region, ...]:
    """Rectangles around all that differs between two pictures, but for the noise of codecs.

    One rectangle, the picture, where more than half of the blocks differ.
    Both are uint8, height x width x 3, and of one shape.
    """
    one, other = (np.asarray(Image.fromarray(each).reduce(_REDUCTION)) for each in (before, after))
    changed = (np.maximum(one, other) - np.minimum(one, other)).max(axis=2) > _NOISE_LEVELS
    height_px, width_px = before.shape[:2]
    in_blocks = _blockwise(changed)
    if in_blocks.mean() > _MOST_OF_IT:
        return (Region(0, 0, width_px, height_px),)
    rows, columns = np.nonzero(in_blocks)
    blocks = set(zip(rows.tolist(), columns.tolist(), strict=True))
    return tuple(_around(island, changed, width_px, height_px) for island in _islands(blocks))


def grown(regions: Iterable[Region], lines: Iterable[Box]) -> tuple[Region, ...]:
    """Regions grown to the whole lines that belong to them; those that touch become one."""
    waiting = list(regions)
    free = list(lines)
    settled: list[Region] = []
    while waiting:
        region = waiting.pop()
        near = [other for other in settled if other.touches(region)]
        touched = [line for line in free if belongs(line, region)]
        settled = [other for other in settled if other not in near]
        free = [line for line in free if line not in touched]
        for part in (*near, *map(ink, touched)):
            region = region.joined(part)
        (waiting if near or touched else settled).append(region)
    return tuple(sorted(settled, key=lambda region: (region.y0, region.x0)))


def _blockwise(changed: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Whether anything changed in each block: (rows of blocks, columns of blocks)."""
    missing = [(0, -side % _BLOCK) for side in changed.shape]
    filled = np.pad(changed, missing)
    rows, columns = (side // _BLOCK for side in filled.shape)
    return np.asarray(filled.reshape(rows, _BLOCK, columns, _BLOCK).any(axis=(1, 3)))


def _islands(blocks: set[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Groups of blocks (row, column) that belong together."""
    waiting = set(blocks)
    islands = []
    steps = range(-_REACH_BLOCKS, _REACH_BLOCKS + 1)
    while waiting:
        island: list[tuple[int, int]] = []
        edge = {waiting.pop()}
        while edge:
            island += edge
            edge = {
                (row + down, column + right)
                for row, column in edge
                for down in steps
                for right in steps
            }
            edge &= waiting
            waiting -= edge
        islands.append(island)
    return islands


def _around(
    island: list[tuple[int, int]],
    changed: npt.NDArray[np.bool_],
    width_px: int,
    height_px: int,
) -> Region:
    """The tightest rectangle around the changed pixels of an island."""
    top, left = (min(block[axis] for block in island) * _BLOCK for axis in (0, 1))
    bottom, right = ((max(block[axis] for block in island) + 1) * _BLOCK for axis in (0, 1))
    window = changed[top:bottom, left:right]
    rows, columns = (np.flatnonzero(window.any(axis=axis)) for axis in (1, 0))
    return Region(
        (left + int(columns[0])) * _REDUCTION,
        (top + int(rows[0])) * _REDUCTION,
        min(width_px, (left + int(columns[-1]) + 1) * _REDUCTION),
        min(height_px, (top + int(rows[-1]) + 1) * _REDUCTION),
    )


def _size_px(line: Box) -> float:
    """Height of the letters with the room around them, also of lines that run downwards."""
    return min(line.x1 - line.x0, line.y1 - line.y0)
