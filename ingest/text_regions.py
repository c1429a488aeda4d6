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
_LIVELY_LEVELS: Final = 16
"""Where brightness or colour varies less than this, of 255, there is nothing to read."""
_BLOCK: Final = 16
"""Side of squares in the reduced picture; those that touch, also by a corner, are one region."""
_WHOLE_FROM: Final = 0.5
"""Where more than this share of the blocks is marked, the region is the picture."""
_INK_SHARE: Final = 0.6
"""Share of a box's height that letters fill. Rows of dense text overlap by what is around them."""


@dataclass(frozen=True, slots=True)
class Region:
    """Half-open rectangle of a picture, in whole pixels."""

    x0: int
    y0: int
    x1: int
    y1: int

    def area_within(self, margin_px: int) -> int:
        """Number of pixels in it and in a margin around it."""
        return (self.x1 - self.x0 + 2 * margin_px) * (self.y1 - self.y0 + 2 * margin_px)

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
    room = letters_px(box) * (1 - _INK_SHARE) / 2
    return Region(round(box.x0), round(box.y0 + room), round(box.x1), round(box.y1 - room))


def letters_px(line: Box) -> float:
    """Size of the letters with the room around them, also of lines that run downwards."""
    return min(line.x1 - line.x0, line.y1 - line.y0)


def belongs(line: Box, region: Region) -> bool:
    """Whether a line has to be read again together with a region: it touches it, or nearly.

    One letter's height on the left and on the right counts as touching, since words that near are
    found as one line.
    """
    letters = ink(line)
    reach_px = round(letters_px(line))
    reach = Region(letters.x0 - reach_px, letters.y0, letters.x1 + reach_px, letters.y1)
    return reach.touches(region)


def changed_regions(
    before: npt.NDArray[np.uint8], after: npt.NDArray[np.uint8]
) -> tuple[Region, ...]:
    """Rectangles around all that differs between two pictures, but for the noise of codecs.

    Both are uint8, height x width x 3, and of one shape.
    """
    one, other = _reduced(before), _reduced(after)
    differs = (np.maximum(one, other) - np.minimum(one, other)).max(axis=2) > _NOISE_LEVELS
    return _rectangles(differs, before.shape)


def lively_regions(image: npt.NDArray[np.uint8]) -> tuple[Region, ...]:
    """Rectangles around all that stands out from an even background: text is nowhere else.

    `image` is uint8, height x width x 3.
    """
    small = _reduced(image)
    height, width = small.shape[:2]
    filled = np.pad(small, ((0, -height % _BLOCK), (0, -width % _BLOCK), (0, 0)), mode="edge")
    blocks = filled.reshape(filled.shape[0] // _BLOCK, _BLOCK, -1, _BLOCK, 3)
    lively = np.ptp(blocks, axis=(1, 3)).max(axis=2) > _LIVELY_LEVELS
    pixels = lively.repeat(_BLOCK, axis=0).repeat(_BLOCK, axis=1)[:height, :width]
    return _rectangles(pixels, image.shape)


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


def _reduced(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.fromarray(image).reduce(_REDUCTION))


def _rectangles(marked: npt.NDArray[np.bool_], shape: tuple[int, ...]) -> tuple[Region, ...]:
    """The tightest rectangles around groups of marked pixels of the reduced picture.

    One rectangle, the picture, where more than half of its blocks hold such pixels.
    `shape` is that of the picture itself, in whose pixels the rectangles are.
    """
    rows, columns = np.nonzero(marked)
    blocks = np.unique(rows // _BLOCK * marked.shape[1] + columns // _BLOCK)
    if blocks.size * _BLOCK**2 > _WHOLE_FROM * marked.size:
        return (Region(0, 0, shape[1], shape[0]),)
    islands = _islands({divmod(block, marked.shape[1]) for block in blocks.tolist()})
    return tuple(_around(island, marked, shape) for island in islands)


def _islands(blocks: set[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Groups of blocks (row, column) that touch."""
    waiting = set(blocks)
    islands = []
    while waiting:
        island: list[tuple[int, int]] = []
        edge = {waiting.pop()}
        while edge:
            island += edge
            edge = {
                (row + down, column + right)
                for row, column in edge
                for down in (-1, 0, 1)
                for right in (-1, 0, 1)
            }
            edge &= waiting
            waiting -= edge
        islands.append(island)
    return islands


def _around(
    island: list[tuple[int, int]], marked: npt.NDArray[np.bool_], shape: tuple[int, ...]
) -> Region:
    top, left = (min(block[axis] for block in island) * _BLOCK for axis in (0, 1))
    bottom, right = ((max(block[axis] for block in island) + 1) * _BLOCK for axis in (0, 1))
    window = marked[top:bottom, left:right]
    rows, columns = (np.flatnonzero(window.any(axis=axis)) for axis in (1, 0))
    return Region(
        (left + int(columns[0])) * _REDUCTION,
        (top + int(rows[0])) * _REDUCTION,
        min(shape[1], (left + int(columns[-1]) + 1) * _REDUCTION),
        min(shape[0], (top + int(rows[-1]) + 1) * _REDUCTION),
    )
