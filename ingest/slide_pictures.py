"""How much a part of a picture looks like a page, and which part of the pictures shows the pages.

Pictures are compared by normalised correlation of their brightness at low resolution, as such and
less what all pages have in common (their template). Where in the picture the pages stand is found
on pictures whose page the text tells, or on those that look most like any page.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

_COLUMNS, _ROWS = 32, 24
_SEARCH_COLUMNS, _SEARCH_ROWS = 16, 12
"""Pages are searched for at this resolution, at every place of this grid."""
_DECODED_PX = 160
"""Longest side to which JPEGs are decoded at least."""
_SCALES = tuple(0.92**step for step in range(13))
"""Widths that are tried, as shares of the largest that fits: down to 0.37."""
_SMALLEST_SHARE = 0.1
"""A page less wide or high than this share of the picture cannot be made out."""
_STEPS = (0.04, 0.02, 0.01, 0.005, 0.0025)
_SUPPORT = 0.5
"""From this likeness on, a picture speaks for a place."""
_FOUND = 0.8
"""From this likeness on, a picture shows its page at the place."""
_SEARCH_SUPPORT = 0.3
"""The same in the search, whose places are not exact."""
_MAX_PLACES = 3
_LEAST_PICTURES = 2
_MAX_CLIMBED = 3
"""Places of the search that are made exact."""
_CLIMBED_WITH = 8
"""Pictures with which this is done."""
_TEMPLATE_PAGES = 3
"""With fewer pages, what they have in common is most of what they show."""

Vectors = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Place:
    """Where pages stand in the pictures, as shares of their width and height."""

    x: float
    y: float
    width: float
    height: float


WHOLE = Place(0.0, 0.0, 1.0, 1.0)


def decode_small(jpeg: bytes) -> Image.Image:
    """A small grey picture; cheap, as JPEG can be decoded at fractions of its size."""
    with Image.open(io.BytesIO(jpeg)) as picture:
        picture.draft("L", (_DECODED_PX, _DECODED_PX))
        return picture.convert("L")


class PagePictures:
    """The pictures of a document's pages, ready to be compared with."""

    def __init__(self, pages: Sequence[Image.Image | None]) -> None:
        """`pages`: small grey pictures; None where a page has none."""
        self.has_picture = np.array([page is not None for page in pages], np.bool_)
        shapes = [page.width / page.height for page in pages if page is not None]
        self._aspect = float(np.median(shapes)) if shapes else 1.0
        self._fine = _Grid(pages, _COLUMNS, _ROWS)
        self._coarse = _Grid(pages, _SEARCH_COLUMNS, _SEARCH_ROWS)

    def likeness(self, picture: Image.Image, places: Sequence[Place]) -> Scores:
        """-1..1 for every page: its likeness at the best of the places; 0 without places."""
        if not places:
            return np.zeros(len(self.has_picture))
        scores: Scores = self._fine.likeness(
            np.stack([_look(picture, place) for place in places])
        ).max(axis=0)
        return scores

    def find_places(
        self, pictures: Sequence[Image.Image], known_pages: Sequence[int | None]
    ) -> tuple[Place, ...]:
        """Where pages stand in these pictures, the most frequent place first; at most 3.

        `known_pages` are indexes of the pages that pictures are known to show, None where that is
        not known. Empty when no place shows pages.
        """
        least = max(1, min(_LEAST_PICTURES, len(pictures)))
        left = list(range(len(pictures)))
        places: list[Place] = []
        while len(places) < _MAX_PLACES and len(left) >= least:
            place = self._best_place(
                [pictures[index] for index in left], [known_pages[index] for index in left]
            )
            if place is None:
                break
            remaining = [
                index
                for index in left
                if self._support(pictures[index], known_pages[index], place) < _FOUND
            ]
            if len(left) - len(remaining) < least:
                break
            places.append(place)
            left = remaining
        return tuple(places)

    def _best_place(
        self, pictures: Sequence[Image.Image], known: Sequence[int | None]
    ) -> Place | None:
        shown = list(zip(pictures, known, strict=True))
        found: list[tuple[float, Place]] = []
        for width, height in self._sizes(pictures[0].width / pictures[0].height):
            totals = self._agreement(shown, width, height)
            y, x = np.unravel_index(totals.argmax(), totals.shape)
            across, down = (max(1, count - 1) for count in totals.shape[::-1])
            left, top = float(x) / across * (1 - width), float(y) / down * (1 - height)
            found.append((float(totals.max()), Place(left, top, width, height)))
        found.sort(key=lambda one: -one[0])
        climbed = [
            self._climbed(place, shown) for total, place in found[:_MAX_CLIMBED] if total > 0
        ]
        return max(climbed, key=lambda one: one[0])[1] if climbed else None

    def _climbed(
        self, place: Place, shown: Sequence[tuple[Image.Image, int | None]]
    ) -> tuple[float, Place]:
        """The place moved to where the pictures that speak for it agree most, and how much."""
        support = [self._support(picture, page, place) for picture, page in shown]
        order = sorted(range(len(shown)), key=lambda index: -support[index])[:_CLIMBED_WITH]
        place = self._climb(place, [self._pinned(*shown[index], place) for index in order])
        support = [self._support(picture, page, place) for picture, page in shown]
        return sum(max(0.0, one - _SUPPORT) for one in support), place

    def _sizes(self, picture_aspect: float) -> list[tuple[float, float]]:
        """Sizes at which a page may stand: stretched over it all, or in its own shape."""
        width = min(1.0, self._aspect / picture_aspect)
        height = min(1.0, picture_aspect / self._aspect)
        fitted = [(scale * width, scale * height) for scale in _SCALES]
        return [(1.0, 1.0), *(size for size in fitted if min(size) >= _SMALLEST_SHARE)]

    def _agreement(
        self, shown: Sequence[tuple[Image.Image, int | None]], width: float, height: float
    ) -> Scores:
        """How much the pictures speak for each place of this size: rows down, columns across.

        Places are half a cell of the search grid apart and reach from border to border.
        """
        columns = max(_SEARCH_COLUMNS, round(_SEARCH_COLUMNS / width))
        rows = max(_SEARCH_ROWS, round(_SEARCH_ROWS / height))
        totals = np.zeros((2 * (rows - _SEARCH_ROWS) + 1, 2 * (columns - _SEARCH_COLUMNS) + 1))
        for picture, page in shown:
            # Cells are means of 2 x 2 halves, so that they can begin at each half.
            halves = picture.resize((2 * columns, 2 * rows), Image.Resampling.BOX)
            levels = np.asarray(halves, np.float32)
            cells = levels[:-1] + levels[1:]
            cells = cells[:, :-1] + cells[:, 1:]
            windows = sliding_window_view(cells, (2 * _SEARCH_ROWS - 1, 2 * _SEARCH_COLUMNS - 1))[
                ..., ::2, ::2
            ]
            looks = windows.reshape(totals.size, -1)
            looks = _unit(looks - looks.mean(axis=1, keepdims=True))
            support = self._coarse.likeness(looks, _only(page)).max(axis=1)
            totals += np.maximum(0.0, support - _SEARCH_SUPPORT).reshape(totals.shape)
        return totals

    def _support(self, picture: Image.Image, page: int | None, place: Place) -> float:
        return float(self._fine.likeness(_look(picture, place)[None], _only(page)).max())

    def _pinned(
        self, picture: Image.Image, page: int | None, place: Place
    ) -> tuple[Image.Image, int]:
        """The picture with its page, the most alike one where it is not known."""
        if page is None:
            page = int(self._fine.likeness(_look(picture, place)[None]).argmax())
        return picture, page

    def _climb(self, place: Place, shown: Sequence[tuple[Image.Image, int]]) -> Place:
        """Move and stretch the place in ever smaller steps as long as the pictures agree more."""

        def agreement(tried: Place) -> float:
            return sum(self._support(picture, page, tried) for picture, page in shown)

        best = agreement(place)
        for step in _STEPS:
            better = True
            while better:
                better = False
                for tried in _neighbours(place, step):
                    total = agreement(tried)
                    if total > best + 1e-6:
                        place, best, better = tried, total, True
        return place


class _Grid:
    """The looks of all pages at one resolution."""

    def __init__(self, pages: Sequence[Image.Image | None], columns: int, rows: int) -> None:
        self._pages = np.zeros((len(pages), columns * rows), np.float32)
        for number, page in enumerate(pages):
            if page is not None:
                self._pages[number] = _look(page, WHOLE, columns, rows)
        seen = self._pages[[page is not None for page in pages]]
        self._template = seen.mean(axis=0) if len(seen) >= _TEMPLATE_PAGES else None
        if self._template is not None:
            self._own = _unit(self._pages - self._template)

    def likeness(self, looks: Vectors, pages: slice = slice(None)) -> Scores:
        """(looks, pages): correlations, as such and less the template, on average."""
        scores: Scores = (looks @ self._pages[pages].T).astype(np.float64)
        if self._template is not None:
            scores += _unit(looks - self._template) @ self._own[pages].T
            scores /= 2
        return scores


def _only(page: int | None) -> slice:
    return slice(None) if page is None else slice(page, page + 1)


def _neighbours(place: Place, step: float) -> list[Place]:
    """Places one step away, inside the picture."""
    moves = [(step, 0, 0), (-step, 0, 0), (0, step, 0), (0, -step, 0), (0, 0, step), (0, 0, -step)]
    found = []
    for across, down, larger in moves:
        width = place.width + larger
        height = place.height * width / place.width
        x, y = place.x + across - larger / 2, place.y + down - (height - place.height) / 2
        if width > 0 and x >= 0 and y >= 0 and x + width <= 1 and y + height <= 1:
            found.append(Place(x, y, width, height))
    return found


def _look(
    picture: Image.Image, place: Place, columns: int = _COLUMNS, rows: int = _ROWS
) -> Vectors:
    """The brightness of a part of a picture, (columns * rows,) float32, mean 0, length 1."""
    left, top = place.x * picture.width, place.y * picture.height
    box = (
        left,
        top,
        min(picture.width, left + place.width * picture.width),
        min(picture.height, top + place.height * picture.height),
    )
    small = picture.resize((columns, rows), Image.Resampling.BOX, box=box)
    levels = np.asarray(small, np.float32).reshape(1, -1)
    look: Vectors = _unit(levels - levels.mean())[0]
    return look


def _unit(rows: Vectors) -> Vectors:
    """Rows of length 1; those without any contrast stay 0."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-3)
    return scaled
