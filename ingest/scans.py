"""Pages that are pictures of text: turned upright, levelled, read, and set in order.

The detector finds lines at any angle, and the recogniser reads a line cut out along its own
corners. So only pages on their side or head are turned; skewed ones are read as they lie, and
their lines are levelled by geometry, without loss of sharpness.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import atan2, pi

import numpy as np

from index.records import Box
from ingest.pages import (
    POINTS_PER_INCH,
    PageContent,
    PageItem,
    PageLine,
    reading_order,
)
from ingest.paragraphs import blocks_from_lines
from ingest.placement import ScanPlacement, boxes_around
from ingest.printed_words import WORD_CORNERS, is_wide, placed_words
from ingest.text_cuts import Picture, along_text, side_px
from ingest.text_engine import FoundLine, PlacedLine, TextEngine
from ingest.text_layer import without_doubted, without_printed
from ingest.text_regions import Region

_LONG = 3.0
"""Lines this many times as long as high show how the page lies."""
_TRIED_LINES = 6
"""Lines that are read both ways where a page may stand on its head."""
_UPRIGHT_CONFIDENCE = 0.9
"""Lines that stand on their head are never read as surely as this, on average."""
_SURER = 0.05
"""A page is turned over when its lines are read surer by this."""
_LEAST_SKEW_DEG = 0.15
_MOST_SKEW_DEG = 30.0
_SAME_SIZE = 1.14
"""Lines of one size are measured alike within this ratio."""
_LEAST_LETTERS = 4
_TALL_SIGNS = frozenset("()[]{}|/\\_$%&@#<>")
_MOSTLY = 0.66
"""Fewer letters, or fewer of one kind than this share, do not tell how large a line is set."""
_LETTERS_A_HEIGHT = 0.5
"""Lines hold more signs than this for each height they are long: about 2 in Latin, 1 in Chinese.
Of Cyrillic, which it does not know, the recogniser sees blanks and commas, quite surely."""
_UNREAD_LINES, _UNREAD_SHARE = 3, 0.5
UNREADABLE = (
    "most of what is printed could not be read: text recognition knows Latin letters, Chinese and "
    "Japanese, printed large and sharp enough"
)
_SMALL_SHARE, _CAPITAL_SHARE, _WIDE_SHARE = 0.455, 0.72, 0.85
"""Height of small letters, capitals and Chinese characters as shares of their font size."""


@dataclass(frozen=True, slots=True)
class Scan:
    """A scanned page, read."""

    lines: tuple[PlacedLine, ...]
    """Corners in pixels of the page once turned, not levelled."""
    placement: ScanPlacement
    """Lengths in pixels."""
    is_readable: bool = True
    """False when most of its lines gave no words: another script, too small, too faint."""


def read_scan(engine: TextEngine, image: Picture, min_confidence: float) -> Scan:
    """Find how a page lies, and read it.

    `image` is uint8, height x width x 3 (RGB), the page as displayed. Lines that are read less
    surely than `min_confidence` are left out.
    """
    height_px, width_px = image.shape[:2]
    found = _lines_on(engine, image)
    turns = _quarter_turns(engine, image, found)
    if turns:
        # Found anew: the detector misses more of lines that stand upright.
        image = np.ascontiguousarray(np.rot90(image, turns))
        found = _lines_on(engine, image)
    read = engine.recognize_placed(image, found)
    sure = tuple(line for line in read if line.confidence >= min_confidence and not _is_blank(line))
    legible = [line for line in sure if _slenderness(line) < _LONG or not _is_sparse(line)]
    long = [line for line in found if _slenderness(line) >= _LONG]
    length_px = sum(map(_length_px, long))
    read_px = sum(_length_px(line) for line in legible if _slenderness(line) >= _LONG)
    is_readable = len(long) < _UNREAD_LINES or read_px >= _UNREAD_SHARE * length_px
    placement = ScanPlacement(turns, _skew_deg(sure), width_px, height_px)
    return Scan(sure, placement, is_readable)


def _is_blank(line: PlacedLine) -> bool:
    """True for no letters at all, and few signs for so long a line."""
    return not line.text or (
        _slenderness(line) >= _LONG and _is_sparse(line) and not any(map(str.isalnum, line.text))
    )


def _is_sparse(line: PlacedLine) -> bool:
    return len("".join(line.text.split())) < _LETTERS_A_HEIGHT * _slenderness(line)


def with_scan(page: PageContent, scan: Scan, dpi: float) -> PageContent:
    """The page with the words of its scan, read at `dpi`, in reading order.

    What the file itself says stays where it is not in doubt; words read at the same place are left
    out. Items of a page that lies on its side or askew are those of the upright page.
    """
    points_per_px = POINTS_PER_INCH / dpi
    lines = _settled([_page_line(line, scan.placement, points_per_px) for line in scan.lines])
    placement = replace(scan.placement, width=page.width_pt, height=page.height_pt)
    kept = without_doubted(page, lines, placement)
    if kept is None:
        return replace(page, needs_ocr=False, is_doubted=False)
    scan_note = "" if scan.is_readable else UNREADABLE
    items, lines = without_printed(kept, lines)
    blocks: list[PageItem] = [*items, *blocks_from_lines(lines)]
    width_pt, height_pt = placement.upright_size
    return replace(
        page,
        width_pt=width_pt,
        height_pt=height_pt,
        items=reading_order(blocks),
        needs_ocr=False,
        is_doubted=False,
        placement=None if placement.is_level else placement,
        scan_note=scan_note,
    )


def _lines_on(engine: TextEngine, image: Picture) -> list[FoundLine]:
    height_px, width_px = image.shape[:2]
    (found,) = engine.find(image, [Region(0, 0, width_px, height_px)])
    return found


def _quarter_turns(engine: TextEngine, image: Picture, found: Sequence[FoundLine]) -> int:
    """How often the page has to be turned counterclockwise to stand upright, 0..3.

    Long lines show whether it lies on its side. Whether they have to be read the other way shows
    in how surely a few of them are read so and so; that of pages which stand upright is seldom in
    doubt.
    """
    long: dict[int, list[FoundLine]] = {}
    for line in found:
        if _slenderness(line) >= _LONG:
            long.setdefault(_runs(line), []).append(line)
    if not long:
        return 0
    turns, alike = max(long.items(), key=lambda each: sum(map(_length_px, each[1])))
    tried = sorted(alike, key=_length_px)[-_TRIED_LINES:]
    so = _confidence(engine, image, tried)
    if so >= _UPRIGHT_CONFIDENCE:
        return turns
    over = [replace(line, corners=np.roll(along_text(line.corners), 2, axis=0)) for line in tried]
    return (turns + 2) % 4 if _confidence(engine, image, over) > so + _SURER else turns


def _confidence(engine: TextEngine, image: Picture, lines: Sequence[FoundLine]) -> float:
    read = engine.recognize_placed(image, lines, once=True)
    return sum(line.confidence for line in read) / len(read)


def _runs(line: FoundLine) -> int:
    """Where a line runs as it is cut out: 0 to the right, 1 down, 2 to the left, 3 up."""
    corners = along_text(line.corners)
    across, down = (corners[1] - corners[0]).tolist()
    return round(atan2(down, across) / (pi / 2)) % 4


def _length_px(line: FoundLine | PlacedLine) -> float:
    return max(side_px(line.corners, 0, 1), side_px(line.corners, 1, 2))


def _slenderness(line: FoundLine | PlacedLine) -> float:
    sides = side_px(line.corners, 0, 1), side_px(line.corners, 1, 2)
    return max(sides) / max(min(sides), 1.0)


def _skew_deg(lines: Sequence[PlacedLine]) -> float:
    """The angle at which most of the text runs: the median over the length of the lines."""
    if not lines:
        return 0.0
    along = np.array([line.corners[1] - line.corners[0] for line in lines], np.float64)
    angles = np.degrees(np.arctan2(along[:, 1], along[:, 0]))
    lengths = np.hypot(along[:, 0], along[:, 1])
    lengths[np.abs(angles) > _MOST_SKEW_DEG] = 0
    order = np.argsort(angles)
    reached = np.cumsum(lengths[order])
    if not reached[-1]:
        return 0.0
    middle = float(angles[order][np.searchsorted(reached, reached[-1] / 2)])
    return middle if abs(middle) >= _LEAST_SKEW_DEG else 0.0


def _page_line(line: PlacedLine, placement: ScanPlacement, points_per_px: float) -> PageLine:
    """A line with its box and those of its words, in points of the upright page."""
    (whole,) = _upright(line, np.array([[0.0, 1.0]]), placement) * points_per_px
    words = _upright(line, _word_shares(line), placement) * points_per_px
    return PageLine(
        line.text,
        Box(*whole.tolist()),
        _size_pt(line, points_per_px),
        line.confidence,
        words.astype(WORD_CORNERS).tobytes(),
    )


def _word_shares(line: PlacedLine) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Where each word begins and ends, as shares of the line's length: float64, words x 2."""
    letters = line.letters.astype(np.float64)
    # Half of the way to the neighbours; a letter at an end is as wide as that beside it.
    between = (letters[1:] + letters[:-1]) / 2
    widths = np.diff(letters) if len(letters) > 1 else np.ones(1)
    edges = np.concatenate(([letters[0] - widths[0] / 2], between, [letters[-1] + widths[-1] / 2]))
    edges = np.maximum.accumulate(np.clip(edges, 0, 1))
    places = [place for _, *place in placed_words(line.text)]
    return np.array([(edges[start], edges[end]) for start, end in places]).reshape(-1, 2)


def _upright(
    line: PlacedLine,
    shares: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    placement: ScanPlacement,
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Boxes (n, 4) around parts of a line, in pixels of the upright page."""
    first, second, third, fourth = line.corners.astype(np.float64)
    above = first + shares[..., np.newaxis] * (second - first)
    below = fourth + shares[..., np.newaxis] * (third - fourth)
    points = np.concatenate((above, below), axis=1)
    return boxes_around(*placement.levelled(points[..., 0], points[..., 1]))


def _size_pt(line: PlacedLine, points_per_px: float) -> float:
    """Font size, told from the height of the letters; 0 where few letters, or signs, set it."""
    letters = [letter for letter in line.text if letter.isalpha()]
    signs = sum(letter in _TALL_SIGNS for letter in line.text)
    if len(letters) < _LEAST_LETTERS or signs > (1 - _MOSTLY) * len(letters):
        return 0.0
    least = _MOSTLY * len(letters)
    if sum(map(str.islower, letters)) >= least:
        share = _SMALL_SHARE
    elif sum(map(str.isupper, letters)) >= least:
        share = _CAPITAL_SHARE
    elif sum(map(is_wide, letters)) >= least:
        share = _WIDE_SHARE
    else:
        return 0.0
    return line.band_px * points_per_px / share


def _settled(lines: Sequence[PageLine]) -> list[PageLine]:
    """Lines about as large as most of the page's text are as large: heights are not exact."""
    known = [(line.size_pt, len(line.text)) for line in lines if line.size_pt]
    if not known:
        return list(lines)
    sizes, letters = zip(*sorted(known), strict=True)
    reached = np.cumsum(letters)
    usual = float(sizes[int(np.searchsorted(reached, reached[-1] / 2))])
    return [
        replace(line, size_pt=usual)
        if usual / _SAME_SIZE < line.size_pt < usual * _SAME_SIZE
        else line
        for line in lines
    ]
