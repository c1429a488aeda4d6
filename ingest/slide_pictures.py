"""How much a part of a picture looks like a page, and which part of the pictures shows the pages.

Pictures are compared by normalised correlation of their brightness at low resolution, as such and
less what all pages have in common (their template). Where in the picture the pages stand is found
on pictures whose page the text tells, or on those that look most like any page.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from PIL import Image

_COLUMNS, _ROWS = 32, 24
_DECODED_PX = 160
"""Longest side to which JPEGs are decoded at least."""
_SCALES = tuple(round(1 - 0.05 * step, 2) for step in range(13))
_STOPS = (0.0, 0.25, 0.5, 0.75, 1.0)
_STEPS = (0.04, 0.02, 0.01, 0.005, 0.0025)
_SUPPORT = 0.5
"""From this likeness on, a picture speaks for a place."""
_FOUND = 0.8
"""From this likeness on, a picture shows its page at the place."""
_MAX_PLACES = 3
_LEAST_PICTURES = 2
_MAX_CLIMBED = 12
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
        self._pages = np.zeros((len(pages), _COLUMNS * _ROWS), np.float32)
        for number, page in enumerate(pages):
            if page is not None:
                self._pages[number] = _look(page, WHOLE)
        seen = self._pages[self.has_picture]
        self._template = seen.mean(axis=0) if len(seen) >= _TEMPLATE_PAGES else None
        if self._template is not None:
            self._own = _unit(self._pages - self._template)

    def likeness(self, picture: Image.Image, places: Sequence[Place]) -> Scores:
        """-1..1 for every page: its likeness at the best of the places; 0 without places."""
        if not places:
            return np.zeros(len(self._pages))
        scores = np.stack([self._likeness(_look(picture, place)) for place in places])
        best: Scores = scores.max(axis=0)
        return best

    def _likeness(self, look: Vectors, pages: slice = slice(None)) -> Scores:
        scores: Scores = (self._pages[pages] @ look).astype(np.float64)
        if self._template is not None:
            scores += self._own[pages] @ _unit((look - self._template)[None])[0]
            scores /= 2
        return scores

    def find_places(
        self, pictures: Sequence[Image.Image], known_pages: Sequence[int | None]
    ) -> tuple[Place, ...]:
        """Where pages stand in these pictures, the most frequent place first; at most 3.

        `known_pages` are indexes of the pages that pictures are known to show, None where that is
        not known. Empty when no place shows pages.
        """
        left = list(range(len(pictures)))
        places: list[Place] = []
        while len(places) < _MAX_PLACES and len(left) >= min(_LEAST_PICTURES, len(pictures)):
            if not left:
                break
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
            if len(left) - len(remaining) < min(_LEAST_PICTURES, len(pictures)):
                break
            places.append(place)
            left = remaining
        return tuple(places)

    def _best_place(
        self, pictures: Sequence[Image.Image], known: Sequence[int | None]
    ) -> Place | None:
        shown = list(zip(pictures, known, strict=True))
        best: tuple[float, Place] | None = None
        for place in _places(self._aspect, pictures[0].width / pictures[0].height):
            support = [self._support(picture, page, place) for picture, page in shown]
            total = sum(max(0.0, one - _SUPPORT) for one in support)
            if total > 0 and (best is None or total > best[0]):
                best = (total, place)
        if best is None:
            return None
        support = [self._support(picture, page, best[1]) for picture, page in shown]
        order = sorted(range(len(shown)), key=lambda index: -support[index])
        strongest = [shown[index] for index in order[:_MAX_CLIMBED] if support[index] > _SUPPORT]
        pinned = [
            (
                picture,
                int(np.argmax(self._likeness(_look(picture, best[1]))) if page is None else page),
            )
            for picture, page in strongest
        ]
        return self._climb(best[1], pinned)

    def _support(self, picture: Image.Image, page: int | None, place: Place) -> float:
        pages = slice(None) if page is None else slice(page, page + 1)
        return float(self._likeness(_look(picture, place), pages).max())

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


def _places(page_aspect: float, picture_aspect: float) -> list[Place]:
    """Where a page of this shape may stand: fitted at several sizes, or stretched over it all."""
    width = min(1.0, page_aspect / picture_aspect)
    height = min(1.0, picture_aspect / page_aspect)
    fitted = {
        Place(
            round(across * (1 - scale * width), 4),
            round(down * (1 - scale * height), 4),
            scale * width,
            scale * height,
        )
        for scale, across, down in product(_SCALES, _STOPS, _STOPS)
    }
    return sorted(fitted | {WHOLE}, key=lambda place: (-place.width, place.x, place.y))


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


def _look(picture: Image.Image, place: Place) -> Vectors:
    """The brightness of a part of a picture, (768,) float32, mean 0, length 1."""
    left, top = place.x * picture.width, place.y * picture.height
    box = (
        left,
        top,
        min(picture.width, left + place.width * picture.width),
        min(picture.height, top + place.height * picture.height),
    )
    small = picture.resize((_COLUMNS, _ROWS), Image.Resampling.BOX, box=box)
    levels = np.asarray(small, np.float32).reshape(1, -1)
    look: Vectors = _unit(levels - levels.mean())[0]
    return look


def _unit(rows: Vectors) -> Vectors:
    """Rows of length 1; those without any contrast stay 0."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-3)
    return scaled
