"""Text in pictures: read once on each distinct picture, then told as moments on the clock."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from fractions import Fraction
from itertools import chain, repeat
from typing import Final

from index.records import Box, Moment, MomentKind, Span, TextLine
from ingest.frames import KeptFrame
from ingest.scans import Scan, read_scan
from ingest.settings import ScreenTextSettings
from ingest.text_cuts import Picture
from ingest.text_engine import SEARCHED_AROUND_PX, FoundLine, PendingLine, TextEngine
from ingest.text_regions import (
    Region,
    belongs,
    changed_regions,
    grown,
    ink,
    lively_regions,
    whole_pixels,
)
from ingest.text_rows import in_rows

_WHOLE_FROM: Final = 0.7
"""Where this share of a picture has to be searched, all of it is."""
_AHEAD: Final = 4
"""Images that are searched before the lines of the first of them have to be read."""
_FLEETING: Final = Fraction(3, 2)
"""Seconds. Pictures that stay longer are looked at."""
_SAME_LINE_RATIO: Final = 0.85
"""Recognisers misread a letter now and then: lines this alike are the same line."""
_SAME_TEXT_SHARE: Final = 0.02
"""Texts of which at most this share of the characters has no counterpart are the same."""
_SAME_PLACE_SHARE: Final = 0.5
_CLOCK: Final = re.compile(r"\d{1,2}[:.;]\d{2}[:.;]\d{2}([:.;,]\d{1,3})?")
_LOOKS_LIKE_DIGITS: Final = str.maketrans("OoQlI|", "000111")


class ScreenTextReader:
    """Reads the lines of text in a picture, or in the pictures of a video one after another."""

    def __init__(self, settings: ScreenTextSettings) -> None:
        """Load the models. Raises ModelMissingError when RapidOCR or its engine is missing."""
        self._engine = TextEngine(settings)
        self._min_confidence = settings.min_confidence

    def read(self, image: Picture) -> tuple[TextLine, ...]:
        """Lines in reading order: rows from top to bottom, in a row from left to right.

        `image` is uint8, height x width x 3 (RGB). Boxes are in pixels of this image.
        """
        return self._told(self._begin(image, None).lines)

    def read_page(self, image: Picture) -> Scan:
        """A page that is a picture of text: turned upright and read.

        `image` is uint8, height x width x 3 (RGB), the page as displayed.
        """
        return read_scan(self._engine, image, self._min_confidence)

    def read_changes(
        self, images: Iterable[Picture], fleeting: Iterable[bool] = repeat(False)
    ) -> Iterator[tuple[TextLine, ...]]:
        """Lines of each image, as `read` gives them, but read again only where images differ.

        Lines are carried over that stand where nothing changed since they were read. Images that
        are `fleeting` and differ everywhere are searched coarsely. Memory: a few images and their
        lines.
        """
        before: _Begun | None = None
        under_way: deque[tuple[PendingLine, ...]] = deque()
        try:
            for image, coarsely in zip(images, fleeting, strict=False):
                before = self._begin(image, before, coarsely=coarsely)
                under_way.append(before.lines)
                if len(under_way) > _AHEAD:  # Searched while the lines of the first are recognised.
                    yield self._told(under_way.popleft())
            while under_way:
                yield self._told(under_way.popleft())
        finally:  # Nobody waits for the rest.
            for line in chain.from_iterable(under_way):
                line.read.cancel()

    def _begin(self, image: Picture, before: _Begun | None, *, coarsely: bool = False) -> _Begun:
        if (
            before is None
            or before.image.shape != image.shape
            or (before.coarse and not coarsely)  # Seen long enough to be looked at.
        ):
            found = self._search(image, lively_regions(image), ())
            return _Begun(image, tuple(self._engine.recognize(image, found.fresh)))
        changed = changed_regions(before.image, image)
        if coarsely and changed == (_whole(image),):
            (lines,) = self._engine.find(image, changed, coarsely=True)
            return _Begun(image, tuple(self._engine.recognize(image, lines)), coarse=True)
        found = self._search(image, changed, before.lines)
        fresh = self._engine.recognize(image, found.fresh)
        patched = _patched(before.image, image, found.regions)
        return _Begun(patched, (*found.carried, *fresh), before.coarse)

    def _search(
        self,
        image: Picture,
        changed: tuple[Region, ...],
        known: tuple[PendingLine, ...],
    ) -> _Found:
        """Find the lines in the changed regions, grown until they cut no line."""
        searched: dict[Region, list[FoundLine]] = {}
        while True:
            regions = _whole_if_most(grown(changed, [line.box for line in known]), image)
            new = [region for region in regions if region not in searched]
            searched |= zip(new, self._engine.find(image, new), strict=True)
            carried = [
                line for line in known if not any(belongs(line.box, region) for region in regions)
            ]
            fresh = [
                (line, region)
                for region in regions
                for line in searched[region]
                if ink(line.box).touches(region)
            ]
            unsettled = [
                whole_pixels(line.box) if line.cut else ink(line.box)
                for line, region in fresh
                if _goes_on(line, region, regions, carried)
            ]
            if not unsettled:
                return _Found(regions, [line for line, _ in fresh], carried)
            changed = (*regions, *unsettled)

    def _told(self, pending: Iterable[PendingLine]) -> tuple[TextLine, ...]:
        lines = [line.read.result() for line in pending]
        sure = [line for line in lines if line.text and line.confidence >= self._min_confidence]
        return tuple(line for row in in_rows(sure) for line in row)


@dataclass(frozen=True, slots=True)
class _Begun:
    """What is being read, all of it, sure or not."""

    image: Picture
    """Each place as it looked when it was read. Not the previous image: against that, a text that
    fades in would never change enough to be read."""
    lines: tuple[PendingLine, ...]
    coarse: bool = False
    """Whether some of it was searched coarsely."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What of a picture is new, and which lines of the one before are still there."""

    regions: tuple[Region, ...]
    fresh: list[FoundLine]
    carried: list[PendingLine]


def _whole_if_most(regions: tuple[Region, ...], image: Picture) -> tuple[Region, ...]:
    """The whole picture where searching the regions is no less work."""
    searched_px = sum(region.area_within(SEARCHED_AROUND_PX) for region in regions)
    whole = _whole(image)
    return regions if searched_px < _WHOLE_FROM * whole.area_within(0) else (whole,)


def _whole(image: Picture) -> Region:
    height_px, width_px = image.shape[:2]
    return Region(0, 0, width_px, height_px)


def _goes_on(
    line: FoundLine, region: Region, regions: Sequence[Region], carried: Sequence[PendingLine]
) -> bool:
    """Whether a line found in a region goes on beyond it: there, it has to be searched anew."""
    place = ink(line.box)
    return (
        line.cut
        or any(place.touches(other) for other in regions if other != region)
        or any(belongs(other.box, place) for other in carried)
    )


def _patched(before: Picture, after: Picture, regions: Sequence[Region]) -> Picture:
    """`before` with the regions of `after`."""
    patched = before.copy()
    for region in regions:
        place = (slice(region.y0, region.y1), slice(region.x0, region.x1))
        patched[place] = after[place]
    return patched


def is_fleeting(frame: KeptFrame) -> bool:
    """Whether a picture is one of many in a shot that moves: small letters cannot be read there."""
    return not frame.shot_start and frame.span.end - frame.span.start < _FLEETING


def screen_text_moments(
    frames: Sequence[KeptFrame], lines_per_frame: Sequence[Sequence[TextLine]]
) -> tuple[Moment, ...]:
    """Tell consecutive pictures with the same text as one moment, until the text goes.

    Text that grows, bullet by bullet, is a new moment each time. Running clocks and counters
    (lines of digits and punctuation that change in place, or look like h:mm:ss) are left out and
    make no text new. The lines are those of the first picture, boxes in its pixels.
    """
    if len(frames) != len(lines_per_frame):
        raise ValueError(f"{len(frames)} pictures with lines of {len(lines_per_frame)}")
    moments: list[Moment] = []
    shown: _Shown | None = None
    for index, (frame, lines) in enumerate(zip(frames, lines_per_frame, strict=True)):
        neighbours = [
            other
            for at in (index - 1, index + 1)
            if 0 <= at < len(frames)
            for other in lines_per_frame[at]
        ]
        text = tuple(line for line in lines if not _is_running(line, neighbours))
        if shown is not None and _same_text(shown.lines, text):
            shown = _Shown(shown.frame, Span(shown.span.start, frame.span.end), shown.lines)
            continue
        if shown is not None:
            moments.append(_moment(shown))
        shown = _Shown(frame, frame.span, text) if text else None
    if shown is not None:
        moments.append(_moment(shown))
    return tuple(moments)


@dataclass(frozen=True, slots=True)
class _Shown:
    """Text on the screen, from its first picture on."""

    frame: KeptFrame
    span: Span
    lines: tuple[TextLine, ...]


def _moment(shown: _Shown) -> Moment:
    letters = sum(len(line.text) for line in shown.lines)
    return Moment(
        kind=MomentKind.SCREEN_TEXT,
        place=shown.span,
        text="\n".join(" ".join(line.text for line in row) for row in in_rows(shown.lines)),
        frame_time=shown.frame.frame_time,
        lines=shown.lines,
        confidence=sum(len(line.text) * line.confidence for line in shown.lines) / letters,
    )


def _is_running(line: TextLine, neighbours: Sequence[TextLine]) -> bool:
    digits = line.text.translate(_LOOKS_LIKE_DIGITS)
    if not _is_number(digits):
        return False
    if _CLOCK.fullmatch(digits.replace(" ", "")):
        return True
    return any(
        other.text != line.text
        and _is_number(other.text.translate(_LOOKS_LIKE_DIGITS))
        and _same_place(line.box, other.box)
        for other in neighbours
    )


def _is_number(text: str) -> bool:
    return any(letter.isdigit() for letter in text) and not any(map(str.isalpha, text))


def _same_place(one: Box, other: Box) -> bool:
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    if width <= 0 or height <= 0:
        return False
    areas = [(box.x1 - box.x0) * (box.y1 - box.y0) for box in (one, other)]
    return width * height >= _SAME_PLACE_SHARE * max(areas)


def _same_text(one: Sequence[TextLine], other: Sequence[TextLine]) -> bool:
    """Whether the lines match one to one, but for a tiny rest; numbers are not compared."""
    ours = [letters for line in one if (letters := _letters(line.text))]
    theirs = [letters for line in other if (letters := _letters(line.text))]
    total = sum(map(len, ours)) + sum(map(len, theirs))
    if not total:
        return bool(one) and bool(other)
    unmatched = 0
    for letters in ours:
        match = next((known for known in theirs if _same_line(letters, known)), None)
        if match is None:
            unmatched += len(letters)
        else:
            theirs.remove(match)
    unmatched += sum(map(len, theirs))
    return unmatched <= _SAME_TEXT_SHARE * total


def _letters(text: str) -> str:
    """What is compared of a line: its letters and digits, nothing of a bare number."""
    kept = "".join(letter for letter in text.casefold() if letter.isalnum())
    return kept if any(map(str.isalpha, kept)) else ""


def _same_line(one: str, other: str) -> bool:
    if one == other:
        return True
    if [c for c in one if c.isdigit()] != [c for c in other if c.isdigit()]:
        return False  # "Chapter 11" and "Chapter 12" are alike, and not the same.
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.real_quick_ratio() >= _SAME_LINE_RATIO and matcher.ratio() >= _SAME_LINE_RATIO
