"""Records as columns of the catalog's tables, and back, exactly.

Instants become integer ticks of their source, whose rate is the least common multiple of all
denominators. Text is Unicode: code points that UTF-8 cannot hold (lone surrogates) become U+FFFD.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from index.errors import SourceError
from index.records import (
    Box,
    FrameTime,
    Hyperlink,
    Moment,
    MomentKind,
    MomentText,
    MomentWords,
    PageArea,
    PageRange,
    Segment,
    Source,
    SourceKind,
    Span,
    TextLine,
    Word,
)
from index.word_boxes import WordBoxes

MOMENT_KINDS: tuple[MomentKind, ...] = tuple(MomentKind)
"""Kind numbers of `MomentColumns.kind`: positions in this tuple."""

_LARGEST = 2**63 - 1
_EXACT_IN_FLOAT = 2**53

Column = tuple[str, list[Any]]
"""SQL type and values of one column."""
Columns = dict[str, Column]
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A segment as the catalog holds it: its moments are numbers within the shard."""

    source: int
    """Which of the shard's sources, from 0."""
    extent: Span | PageRange
    title: str
    moments: range


@dataclass(frozen=True, slots=True)
class MomentColumns:
    """What scoring and merging need of every moment, one array each, indexed by moment number."""

    source: npt.NDArray[np.int32]
    segment: npt.NDArray[np.int32]
    kind: npt.NDArray[np.int8]
    """Position in MOMENT_KINDS."""
    start_s: npt.NDArray[np.float64]
    """Seconds; NaN in documents."""
    end_s: npt.NDArray[np.float64]
    """Seconds, exclusive; NaN in documents."""
    page: npt.NDArray[np.int32]
    """Counted from 1; 0 in videos."""


def storable(text: str) -> str:
    """The text with lone surrogates, which UTF-8 cannot hold, replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def ticks_per_second(source: Source, segments: Sequence[Segment]) -> int:
    """Least common multiple of the denominators of all instants of a source.

    Raises SourceError when the instants do not fit 63 bits at that rate.
    """
    instants = list(_instants(source, segments))
    rate = lcm(*{instant.denominator for instant in instants})
    if rate > _LARGEST or max(instants, default=Fraction(0)) * rate > _LARGEST:
        reason = (
            f"its times cannot be held exactly: they need {rate} ticks a second, which overflows "
            "63 bits; put its streams into a container with one time base, such as Matroska"
        )
        raise SourceError(source.name, "stage", reason)
    return rate


def _instants(source: Source, segments: Sequence[Segment]) -> Iterator[Fraction]:
    if source.duration is not None:
        yield source.duration
    for segment in segments:
        if isinstance(segment.extent, Span):
            yield from (segment.extent.start, segment.extent.end)
        for moment in segment.moments:
            if isinstance(moment.place, Span):
                yield from (moment.place.start, moment.place.end)
            for word in moment.words:
                yield from (word.span.start, word.span.end)


def _ticks(instant: Fraction, rate: int) -> int:
    return instant.numerator * (rate // instant.denominator)


def source_columns(sources: Sequence[Source], rates: Sequence[int]) -> Columns:
    """Table `sources`; `rates` are their ticks per second."""
    durations = [
        None if source.duration is None else _ticks(source.duration, rate)
        for source, rate in zip(sources, rates, strict=True)
    ]
    return {
        "source": ("INTEGER", list(range(len(sources)))),
        "id": ("VARCHAR", [source.id for source in sources]),
        "kind": ("VARCHAR", [source.kind.value for source in sources]),
        "name": ("VARCHAR", [storable(source.name) for source in sources]),
        "size_bytes": ("BIGINT", [source.size_bytes for source in sources]),
        "ticks_per_second": ("BIGINT", list(rates)),
        "duration_ticks": ("BIGINT", durations),
        "pages": ("INTEGER", [source.pages for source in sources]),
        "details": ("VARCHAR", [json.dumps(source.details) for source in sources]),
        "notes": ("VARCHAR", [json.dumps(source.notes) for source in sources]),
    }


def segment_columns(segments: Sequence[tuple[int, int, Segment]]) -> Columns:
    """Table `segments`, from (source number, its ticks per second, segment)."""
    spans = [(s.extent, rate) if isinstance(s.extent, Span) else None for _, rate, s in segments]
    pages = [s.extent if isinstance(s.extent, PageRange) else None for _, _, s in segments]
    counts = [len(segment.moments) for _, _, segment in segments]
    firsts = [sum(counts[:0])]
    for count in counts:
        firsts.append(firsts[-1] + count)
    return {
        "segment": ("INTEGER", list(range(len(segments)))),
        "source": ("INTEGER", [source for source, _, _ in segments]),
        "title": ("VARCHAR", [storable(segment.title) for _, _, segment in segments]),
        "first_moment": ("BIGINT", firsts[:-1]),
        "moment_count": ("BIGINT", counts),
        "start_tick": ("BIGINT", [_ticks(s[0].start, s[1]) if s else None for s in spans]),
        "end_tick": ("BIGINT", [_ticks(s[0].end, s[1]) if s else None for s in spans]),
        "first_page": ("INTEGER", [p.first if p else None for p in pages]),
        "last_page": ("INTEGER", [p.last if p else None for p in pages]),
    }


def moment_columns(
    moments: Sequence[tuple[int, int, Moment]], pictures: Sequence[tuple[int, int] | None]
) -> Columns:
    """Table `moments`, from (segment number, ticks per second, moment) and picture places."""
    spans = [(m.place, rate) if isinstance(m.place, Span) else None for _, rate, m in moments]
    areas = [m.place if isinstance(m.place, PageArea) else None for _, _, m in moments]
    frames = [m.frame_time for _, _, m in moments]
    bases = [frame.time_base if frame else None for frame in frames]
    return {
        "moment": ("BIGINT", list(range(len(moments)))),
        "segment": ("INTEGER", [segment for segment, _, _ in moments]),
        "kind": ("VARCHAR", [m.kind.value for _, _, m in moments]),
        "text": ("VARCHAR", [storable(m.text) for _, _, m in moments]),
        "heading": ("VARCHAR", [storable(m.heading) for _, _, m in moments]),
        "confidence": ("DOUBLE", [m.confidence for _, _, m in moments]),
        "start_tick": ("BIGINT", [_ticks(s[0].start, s[1]) if s else None for s in spans]),
        "end_tick": ("BIGINT", [_ticks(s[0].end, s[1]) if s else None for s in spans]),
        "page": ("INTEGER", [a.page if a else None for a in areas]),
        "page_label": ("VARCHAR", [storable(a.label) if a else None for a in areas]),
        "pts": ("BIGINT", [frame.pts if frame else None for frame in frames]),
        # Not None rather than true: a time base of 0 would be falsy.
        "time_base_numerator": (
            "BIGINT",
            [None if base is None else base.numerator for base in bases],
        ),
        "time_base_denominator": (
            "BIGINT",
            [None if base is None else base.denominator for base in bases],
        ),
        "picture_offset": ("BIGINT", [place[0] if place else None for place in pictures]),
        "picture_bytes": ("BIGINT", [place[1] if place else None for place in pictures]),
        "word_count": ("INTEGER", [len(m.words) for _, _, m in moments]),
        "line_count": ("INTEGER", [len(m.lines) for _, _, m in moments]),
        "box_count": ("INTEGER", [len(a.boxes) if a else 0 for a in areas]),
        "word_box_count": ("INTEGER", [len(m.word_boxes) for _, _, m in moments]),
        "hyperlink_count": ("INTEGER", [len(m.hyperlinks) for _, _, m in moments]),
    }


def word_columns(moments: Sequence[tuple[int, int, Moment]]) -> Columns:
    """Table `words`, from (segment number, ticks per second, moment)."""
    words = [
        (number, position, rate, word)
        for number, (_, rate, moment) in enumerate(moments)
        for position, word in enumerate(moment.words)
    ]
    return {
        "moment": ("BIGINT", [number for number, _, _, _ in words]),
        "position": ("INTEGER", [position for _, position, _, _ in words]),
        "text": ("VARCHAR", [storable(word.text) for _, _, _, word in words]),
        "start_tick": ("BIGINT", [_ticks(word.span.start, rate) for _, _, rate, word in words]),
        "end_tick": ("BIGINT", [_ticks(word.span.end, rate) for _, _, rate, word in words]),
        "probability": ("DOUBLE", [word.probability for _, _, _, word in words]),
    }


def line_columns(moments: Sequence[tuple[int, int, Moment]]) -> Columns:
    """Table `lines`, from (segment number, ticks per second, moment)."""
    lines = [
        (number, position, line)
        for number, (_, _, moment) in enumerate(moments)
        for position, line in enumerate(moment.lines)
    ]
    columns = _box_columns([(number, position, line.box) for number, position, line in lines])
    columns["text"] = ("VARCHAR", [storable(line.text) for _, _, line in lines])
    columns["confidence"] = ("DOUBLE", [line.confidence for _, _, line in lines])
    return columns


def box_columns(moments: Sequence[tuple[int, int, Moment]]) -> Columns:
    """Table `boxes`, from (segment number, ticks per second, moment)."""
    return _box_columns(
        [
            (number, position, box)
            for number, (_, _, moment) in enumerate(moments)
            if isinstance(moment.place, PageArea)
            for position, box in enumerate(moment.place.boxes)
        ]
    )


def hyperlink_columns(moments: Sequence[tuple[int, int, Moment]]) -> Columns:
    """Table `hyperlinks`, from (segment number, ticks per second, moment)."""
    links = [
        (number, position, link)
        for number, (_, _, moment) in enumerate(moments)
        for position, link in enumerate(moment.hyperlinks)
    ]
    targets = [link.target for _, _, link in links]
    addresses = [storable(to) if isinstance(to, str) else None for to in targets]
    pages = [to if isinstance(to, PageArea) else None for to in targets]
    return {
        "moment": ("BIGINT", [number for number, _, _ in links]),
        "position": ("INTEGER", [position for _, position, _ in links]),
        "start_char": ("INTEGER", [link.start for _, _, link in links]),
        "end_char": ("INTEGER", [link.end for _, _, link in links]),
        "address": ("VARCHAR", addresses),
        "page": ("INTEGER", [page.page if page else None for page in pages]),
        "page_label": ("VARCHAR", [storable(page.label) if page else None for page in pages]),
    }


def word_box_arrays(
    moments: Sequence[tuple[int, int, Moment]],
) -> dict[str, npt.NDArray[Any]]:
    """Table `word_boxes` as arrays: there is one row for every printed word."""
    held = [moment.word_boxes for _, _, moment in moments]
    rows = WordBoxes(b"".join(boxes.packed for boxes in held)).rows()
    counts = np.array([len(boxes) for boxes in held], np.int64)
    firsts = np.cumsum(counts) - counts
    return {
        "moment": np.repeat(np.arange(len(held)), counts),
        "position": np.arange(len(rows)) - np.repeat(firsts, counts),
        "start_char": rows["start"].copy(),
        "end_char": rows["end"].copy(),
        **{corner: rows[corner].copy() for corner in ("x0", "y0", "x1", "y1")},
    }


def _box_columns(boxes: Sequence[tuple[int, int, Box]]) -> Columns:
    return {
        "moment": ("BIGINT", [number for number, _, _ in boxes]),
        "position": ("INTEGER", [position for _, position, _ in boxes]),
        "x0": ("DOUBLE", [box.x0 for _, _, box in boxes]),
        "y0": ("DOUBLE", [box.y0 for _, _, box in boxes]),
        "x1": ("DOUBLE", [box.x1 for _, _, box in boxes]),
        "y1": ("DOUBLE", [box.y1 for _, _, box in boxes]),
    }


def source_from_row(row: Row, rate: int) -> Source:
    """A source from (id, kind, name, size_bytes, duration_ticks, pages, details, notes)."""
    source_id, kind, name, size_bytes, duration_ticks, pages, details, notes = row
    return Source(
        id=source_id,
        kind=SourceKind(kind),
        name=name,
        size_bytes=size_bytes,
        duration=None if duration_ticks is None else Fraction(duration_ticks, rate),
        pages=pages,
        details=json.loads(details),
        notes=tuple(json.loads(notes)),
    )


def segment_from_row(row: Row, rates: Sequence[int]) -> SegmentRow:
    """A segment from the columns of table `segments` after its number, and the source rates."""
    source, title, first, count, start, end, first_page, last_page = row
    if start is None:
        extent: Span | PageRange = PageRange(first_page, last_page)
    else:
        extent = _span(start, end, rates[source])
    return SegmentRow(source, extent, title, range(first, first + count))


def text_from_row(row: Row, rate: int, boxes: Sequence[Row]) -> MomentText:
    """What a moment says and where.

    `row`: (kind, text, heading, start_tick, end_tick, page, page_label); `boxes`: (x0, y0, x1, y1).
    """
    kind, text, heading, start, end, page, label = row
    if start is None:
        place: Span | PageArea = PageArea(page, label, tuple(Box(*corners) for corners in boxes))
    else:
        place = _span(start, end, rate)
    return MomentText(MomentKind(kind), place, text, heading)


def moment_from_row(
    row: Row,
    rate: int,
    words: Sequence[Row],
    lines: Sequence[Row],
    boxes: Sequence[Row],
    word_boxes: Sequence[Row],
    hyperlinks: Sequence[Row],
) -> Moment:
    """A moment without its picture.

    `row`: as of `text_from_row`, then (pts, time_base_numerator, time_base_denominator,
    confidence); `words`: (text, start_tick, end_tick, probability); `lines`: (text, x0, y0, x1, y1,
    confidence); `boxes`: (x0, y0, x1, y1); `word_boxes`: (start_char, end_char, x0, y0, x1, y1);
    `hyperlinks`: (start_char, end_char, address, page, page_label).
    """
    *said_row, pts, numerator, denominator, confidence = row
    said = text_from_row(tuple(said_row), rate, boxes)
    held = words_from_rows(rate, words, word_boxes, hyperlinks)
    return Moment(
        kind=said.kind,
        place=said.place,
        text=said.text,
        heading=said.heading,
        frame_time=None if pts is None else FrameTime(pts, Fraction(numerator, denominator)),
        confidence=confidence,
        words=held.words,
        lines=tuple(TextLine(text, Box(*corners), c) for text, *corners, c in lines),
        word_boxes=held.word_boxes,
        hyperlinks=held.hyperlinks,
    )


def words_from_rows(
    rate: int, words: Sequence[Row], word_boxes: Sequence[Row], hyperlinks: Sequence[Row]
) -> MomentWords:
    """What a moment holds of the words of its text; rows as of `moment_from_row`."""
    return MomentWords(
        words=tuple(Word(text, _span(start, end, rate), p) for text, start, end, p in words),
        word_boxes=WordBoxes.of((start, end, Box(*corners)) for start, end, *corners in word_boxes),
        hyperlinks=tuple(
            Hyperlink(start, end, PageArea(page, label) if address is None else address)
            for start, end, address, page, label in hyperlinks
        ),
    )


def _span(start_tick: int, end_tick: int, rate: int) -> Span:
    return Span(Fraction(start_tick, rate), Fraction(end_tick, rate))


def seconds(ticks: npt.NDArray[np.int64], rates: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Ticks as correctly rounded float seconds, equal to float(Fraction); NaN for ticks of -1."""
    result = np.where(ticks < 0, np.nan, ticks / rates)
    large = np.flatnonzero((ticks >= _EXACT_IN_FLOAT) | (rates >= _EXACT_IN_FLOAT))
    for index in large[ticks[large] >= 0].tolist():
        result[index] = int(ticks[index]) / int(rates[index])
    return result
