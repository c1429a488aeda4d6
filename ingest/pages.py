"""A document and its pages, and their geometry: reading order, clusters, captions, scans.

All boxes are in PDF points of the page as displayed, origin at the top left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from index.files import FilePart
from index.records import Box
from ingest.placement import ScanPlacement

POINTS_PER_INCH = 72
_GUTTER_PT = 6.0
"""The least white space between two columns."""
_OVERLAP_PT = 2.0
"""Boxes of lines set tight overlap by this much and still stand above each other."""
_FIGURE_SHARE = (0.01, 0.8)
"""A picture smaller than this share of the page is an ornament, a larger one its background."""
_FIGURE_SIDE_PT = 36.0
_RULE_SPACING_PT = 8.0
"""Closer rules are staves or double lines, not rows of a table."""
_RULE_JOIN_PT = 2.5
"""Rules this close meet, or are the two edges of one rule."""
FIGURE_CAPTION = re.compile(
    r"\s*(?:figure|fig\.|abbildung|abb\.|figura|рисунок|рис\.|图|圖|図)\s*[A-Z]?\d", re.IGNORECASE
)
TABLE_CAPTION = re.compile(
    r"\s*(?:table|tab\.|tabelle|tableau|tabla|таблица|табл\.|表)\s*[A-Z]?\d", re.IGNORECASE
)
_CAPTION_REACH_PT = 48.0
"""A caption stands at most this far above or below its figure."""


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """One bookmark."""

    level: int
    """Counted from 1."""
    title: str
    page: int
    """Counted from 1."""


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """What probing found."""

    path: str
    pages: int
    labels: tuple[str, ...]
    """What is printed on each page; str(page) where the file says nothing.

    Of an e-book: the share of the book before the page ("42 %"); of a text: its lines."""
    title: str
    """From the metadata; "" when it has none."""
    outline: tuple[OutlineEntry, ...]
    repaired: bool = False
    """True when the file is damaged and MuPDF rebuilt it: pages or words may be missing."""
    format: str = "pdf"
    """A `formats.DocumentFormat`."""
    metadata: dict[str, str] = field(default_factory=dict)
    """What the file says about itself: see `mupdf.metadata`."""
    notes: tuple[str, ...] = ()
    """What was readable but not perfect."""


@dataclass(frozen=True, slots=True)
class PageLine:
    """One printed line."""

    text: str
    box: Box
    size_pt: float
    """Size of its first letters; 0 when unknown (few letters of a scan)."""
    confidence: float | None = None
    """0..1 of the recogniser; None for text the file holds itself."""
    word_boxes: bytes = field(default=b"", repr=False)
    """Boxes of its words, packed as in `printed_words`; none when only the line's box is known."""


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Lines that belong together: a paragraph, a heading, a list item."""

    lines: tuple[PageLine, ...]

    @property
    def box(self) -> Box:
        """The smallest box around all lines."""
        return union_box(line.box for line in self.lines)

    @property
    def text(self) -> str:
        """Lines joined by spaces, hyphens as printed."""
        return " ".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True)
class TableBlock:
    """A ruled table."""

    box: Box
    rows: tuple[tuple[str, ...], ...]
    """Cell texts; every row has the same number of cells, the first row is the header."""
    row_boxes: tuple[Box, ...]
    word_boxes: tuple[tuple[bytes, ...], ...]
    """Boxes of the words of every cell, packed as in `printed_words`."""
    caption: TextBlock | None = None


@dataclass(frozen=True, slots=True)
class FigureBlock:
    """A picture or drawing."""

    box: Box
    caption: TextBlock | None
    labels: tuple[PageLine, ...]
    """Lines printed inside the figure."""
    picture: bytes | FilePart | None = field(default=None, repr=False)
    """JPEG of the figure's box."""


PageItem = TextBlock | TableBlock | FigureBlock


@dataclass(frozen=True, slots=True)
class PageLink:
    """What a rectangle of a page leads to."""

    box: Box
    """On the page as displayed."""
    target: str | int
    """An address, or the number of a page of the same document."""


@dataclass(frozen=True, slots=True)
class PageContent:
    """One page, read."""

    number: int
    """Counted from 1."""
    label: str
    width_pt: float
    height_pt: float
    items: tuple[PageItem, ...]
    """In reading order."""
    needs_ocr: bool
    """True when the page is a picture of text: its words are to be read from its pixels."""
    picture: bytes | FilePart | None = field(default=None, repr=False)
    """JPEG of the whole page."""
    lost: str = ""
    """Why it could not be read; it has no items then."""
    is_doubted: bool = False
    """True when its text layer may be nonsense: what is read from its pixels settles that."""
    placement: ScanPlacement | None = None
    """Where the items of a scan that lies on its side or askew are on the page as displayed: they
    are in points of the upright page, as are its width and height."""
    links: tuple[PageLink, ...] = ()
    links_note: str = ""
    """Why links of the page may be missing."""
    scan_note: str = ""
    """Why words of a scan may be missing."""
    text_lines: tuple[int, ...] = ()
    """Of a text: the number of the line in each row of the page, from the top."""


def union_box(boxes: Iterable[Box]) -> Box:
    """The smallest box around one or more boxes."""
    given = list(boxes)
    return Box(
        min(box.x0 for box in given),
        min(box.y0 for box in given),
        max(box.x1 for box in given),
        max(box.y1 for box in given),
    )


def area(box: Box) -> float:
    """Square points."""
    return (box.x1 - box.x0) * (box.y1 - box.y0)


def holds_center(outer: Box, inner: Box) -> bool:
    """True when the middle of `inner` lies in `outer`."""
    x, y = (inner.x0 + inner.x1) / 2, (inner.y0 + inner.y1) / 2
    return outer.x0 <= x <= outer.x1 and outer.y0 <= y <= outer.y1


def share_column(one: Box, other: Box) -> bool:
    """True when one stands above, below or over the other."""
    return min(one.x1, other.x1) > max(one.x0, other.x0)


def cluster_boxes(boxes: Iterable[Box], gap_pt: float) -> list[Box]:
    """Unite boxes that overlap or lie within `gap_pt` of each other, until none do."""
    clusters: list[_Corners] = []
    for box in boxes:
        merged = (box.x0, box.y0, box.x1, box.y1)
        while near := [other for other in clusters if _near(merged, other, gap_pt)]:
            clusters = [other for other in clusters if other not in near]
            x0s, y0s, x1s, y1s = zip(merged, *near, strict=True)
            merged = (min(x0s), min(y0s), max(x1s), max(y1s))
        clusters.append(merged)
    return [Box(*corners) for corners in clusters]


def without_lines_in(
    items: Sequence[PageItem], boxes: Sequence[Box]
) -> tuple[list[PageItem], list[list[PageLine]]]:
    """Items without the lines inside boxes, and these lines, per box."""
    inside: list[list[PageLine]] = [[] for _ in boxes]
    kept: list[PageItem] = []
    for item in items:
        if not isinstance(item, TextBlock):
            kept.append(item)
            continue
        outside: list[PageLine] = []
        for line in item.lines:
            holder = next((i for i, box in enumerate(boxes) if holds_center(box, line.box)), None)
            (outside if holder is None else inside[holder]).append(line)
        if len(outside) == len(item.lines):
            kept.append(item)
        elif outside:
            kept.append(TextBlock(tuple(outside)))
    return kept, inside


def is_figure_sized(box: Box, whole: Box) -> bool:
    """False for ornaments, rules and backgrounds of the page `whole`."""
    low, high = _FIGURE_SHARE
    return min(_sides(box)) >= _FIGURE_SIDE_PT and low <= area(box) / area(whole) <= high


def clipped(box: Box, whole: Box) -> Box:
    """The part of a box that lies on the page `whole`."""
    x0, y0 = (max(whole.x0, min(box.x0, whole.x1)), max(whole.y0, min(box.y0, whole.y1)))
    return Box(x0, y0, max(x0, min(box.x1, whole.x1)), max(y0, min(box.y1, whole.y1)))


def nearest_caption(
    figure: Box, blocks: Sequence[TextBlock], taken: Iterable[TextBlock], start: re.Pattern[str]
) -> TextBlock | None:
    """The block that starts like a caption closest above or below a figure or table, in reach."""
    used = {id(block) for block in taken}
    best: tuple[float, TextBlock] | None = None
    for block in blocks:
        box = block.box
        distance = height_between(figure, box)
        beside = box.x1 <= figure.x0 or box.x0 >= figure.x1
        if beside or distance > _CAPTION_REACH_PT or id(block) in used:
            continue
        if start.match(block.text) and (best is None or distance < best[0]):
            best = (distance, block)
    return best[1] if best else None


def height_between(one: Box, other: Box) -> float:
    """Height of the white space between two boxes; 0 for boxes beside each other."""
    return max(other.y0 - one.y1, one.y0 - other.y1, 0.0)


def suggests_grid(rules: Iterable[Box]) -> bool:
    """True when connected rules run both ways, most of them as far apart as rows and columns."""
    long = [rule for rule in rules if max(_sides(rule)) > _RULE_SPACING_PT]
    return _is_grid(long, most_apart=False) and any(
        _is_grid([rule for rule in long if holds_center(grid, rule)], most_apart=True)
        for grid in cluster_boxes(long, _RULE_JOIN_PT)
    )


def reading_order(items: Sequence[PageItem]) -> tuple[PageItem, ...]:
    """Order items as they are read: columns left to right, each from top to bottom.

    Recursive cuts along white space (XY-cut, Nagy and Seth 1984); strips that share a gutter are
    taken as one band of columns, so that a full-width heading separates two bands.
    """
    boxed = [(item.box, item) for item in items]
    if all(above[0].y1 <= below[0].y0 + _OVERLAP_PT for above, below in pairwise(boxed)):
        return tuple(items)
    return tuple(item for _, item in _ordered(boxed))


def _is_grid(rules: Sequence[Box], *, most_apart: bool) -> bool:
    upright = [rule for rule in rules if _sides(rule)[1] > _RULE_SPACING_PT]
    level = [rule for rule in rules if _sides(rule)[0] > _RULE_SPACING_PT]
    columns = {x for rule in upright for x in (rule.x0, rule.x1)}
    rows = {y for rule in level for y in (rule.y0, rule.y1)}
    return all(_is_spaced(each, most_apart=most_apart) for each in (columns, rows))


def _is_spaced(positions: set[float], *, most_apart: bool) -> bool:
    """True when at least two gaps, and most of them, are wide: a staff of music is no table."""
    gaps = [after - before for before, after in pairwise(sorted(positions))]
    apart = [gap for gap in gaps if gap > _RULE_JOIN_PT]
    wide = sum(gap >= _RULE_SPACING_PT for gap in apart)
    return wide >= 2 and (wide * 2 > len(apart) or not most_apart)


def _sides(box: Box) -> tuple[float, float]:
    return box.x1 - box.x0, box.y1 - box.y0


_Corners = tuple[float, float, float, float]


def _near(one: _Corners, other: _Corners, gap_pt: float) -> bool:
    return (
        one[0] - gap_pt <= other[2]
        and other[0] - gap_pt <= one[2]
        and one[1] - gap_pt <= other[3]
        and other[1] - gap_pt <= one[3]
    )


_Boxed = list[tuple[Box, PageItem]]


def _ordered(boxed: _Boxed) -> _Boxed:
    if len(boxed) < 2:
        return boxed
    columns = _split(boxed, horizontal=True)
    if len(columns) > 1:
        return [each for column in columns for each in _ordered(column)]
    bands = _bands(_split(boxed, horizontal=False))
    if len(bands) > 1:
        return [each for band in bands for each in _ordered(band)]
    return sorted(boxed, key=lambda each: (each[0].y0, each[0].x0))


def _bands(strips: list[_Boxed]) -> list[_Boxed]:
    """Unite neighbouring strips as long as the first one's gutter stays white."""
    bands: list[_Boxed] = []
    covered: list[tuple[float, float]] = []
    for strip in strips:
        extents = [(box.x0, box.x1) for box, _ in strip]
        joined = merged_extents(covered + extents, _GUTTER_PT)
        if bands and len(covered) > 1 and len(joined) > 1:
            bands[-1].extend(strip)
            covered = joined
        else:
            bands.append(list(strip))
            covered = merged_extents(extents, _GUTTER_PT)
    return bands


def _split(boxed: _Boxed, *, horizontal: bool) -> list[_Boxed]:
    """Part items where white space runs across: into columns, or into strips."""

    def extent(box: Box) -> tuple[float, float]:
        return (box.x0, box.x1) if horizontal else (box.y0, box.y1)

    gap = _GUTTER_PT if horizontal else -_OVERLAP_PT
    parts: list[_Boxed] = []
    end = float("-inf")
    for each in sorted(boxed, key=lambda each: extent(each[0])):
        start, stop = extent(each[0])
        if not parts or start - end > gap:
            parts.append([])
        parts[-1].append(each)
        end = max(end, stop)
    return parts


def merged_extents(extents: Iterable[tuple[float, float]], gap: float) -> list[tuple[float, float]]:
    """Unite extents (start, end) that overlap or lie within `gap` of each other; in order."""
    merged: list[tuple[float, float]] = []
    for start, stop in sorted(extents):
        if merged and start - merged[-1][1] <= gap:
            merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
        else:
            merged.append((start, stop))
    return merged
