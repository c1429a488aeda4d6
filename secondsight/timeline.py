"""The timeline of a source: lanes of marks on one axis, as numbers that a template draws.

A video's axis is its clock in seconds, a document's its pages: page p covers [p - 1, p).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import count, groupby
from math import ceil

from index.clock import format_clock
from index.records import MomentKind, MomentText, PageRange, Source, SourceKind, Span
from index.snapshot import StoredSegment

MAX_MARKS = 300
"""A lane with more marks is drawn in this many steps; a mark then stands for several."""
MAX_TICKS = 8

_TEXT_LETTERS = 90
_TITLED_SHARE = Fraction(7, 100)
"""A block this wide has room for the beginning of its title."""
_DECIMALS = 3


@dataclass(frozen=True, slots=True)
class Mark:
    """A block [start, end) of the axis, or a tick where both are the same."""

    start: Fraction
    end: Fraction
    label: str
    """Where it is and what it says; shown when pointed at."""
    title: str = ""
    """Written into it."""
    strong: bool = False
    height: float = 1.0
    """Share of the lane's height, 0..1."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One kind of things along the axis."""

    name: str
    fact: str
    """How many there are, and where they come from."""
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place of the axis."""

    at: Fraction
    label: str
    minor: bool
    """Left out where there is little room."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is drawn of one source."""

    extent: Fraction
    """Length of the axis: seconds, or pages."""
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]


def timeline(
    source: Source, segments: Sequence[StoredSegment], moments: Sequence[MomentText]
) -> Timeline:
    """The timeline of a source with its segments and moments, both in order."""
    if source.kind is SourceKind.VIDEO:
        return _video(source, segments, moments)
    return _document(source, segments, moments)


def clock(seconds: Fraction | float) -> str:
    """An instant as the marks tell it, to the millisecond."""
    return format_clock(seconds, _DECIMALS)


def _video(
    source: Source, segments: Sequence[StoredSegment], moments: Sequence[MomentText]
) -> Timeline:
    # A file of a single picture may last no time at all.
    extent = source.duration or Fraction(1)
    scenes = [segment.extent for segment in segments if isinstance(segment.extent, Span)]
    blocks = [
        _block(span, segment.title, extent) for span, segment in zip(scenes, segments, strict=True)
    ]
    frames = _of_kind(moments, MomentKind.FRAME)
    speech = _of_kind(moments, MomentKind.UTTERANCE)
    texts = _of_kind(moments, MomentKind.SCREEN_TEXT)
    words_from = source.details.get("speech")
    said = f"{len(speech)}, {words_from}" if speech and words_from else str(len(speech))
    shown = f"{len(frames)}, tall: opens a segment" if frames else "0"
    lanes = (
        _lane("segments", str(len(blocks)), blocks, extent),
        _lane("frames", shown, _ticks(frames, scenes), extent),
        _lane("speech", said, [_said(moment) for moment in speech], extent),
        _lane("text on screen", str(len(texts)), [_said(moment) for moment in texts], extent),
    )
    return Timeline(extent, lanes, tuple(_clock_ticks(extent)))


def _of_kind(moments: Sequence[MomentText], kind: MomentKind) -> list[MomentText]:
    return [moment for moment in moments if moment.kind is kind]


def _block(span: Span, title: str, extent: Fraction) -> Mark:
    shown = title if span.duration >= extent * _TITLED_SHARE else ""
    return Mark(span.start, span.end, _label(span, title), shown)


def _said(moment: MomentText) -> Mark:
    return Mark(moment.span.start, moment.span.end, _label(moment.span, moment.text))


def _ticks(frames: Sequence[MomentText], scenes: Sequence[Span]) -> list[Mark]:
    """Frames as ticks, the first of each segment strong."""
    starts = [frame.span.start for frame in frames]
    firsts = [bisect_left(starts, scene.start) for scene in scenes]
    strong = {
        first
        for first, scene in zip(firsts, scenes, strict=True)
        if first < len(starts) and starts[first] in scene
    }
    return [
        Mark(start, start, _label(frame.span, frame.text), strong=number in strong)
        for number, (frame, start) in enumerate(zip(frames, starts, strict=True))
    ]


def _label(span: Span, text: str) -> str:
    text = " ".join(text.split())
    if len(text) > _TEXT_LETTERS:
        text = text[: _TEXT_LETTERS - 1].rstrip() + "…"
    place = f"{clock(span.start)}–{clock(span.end)}"
    return f"{place} {text}" if text else place


def _lane(name: str, fact: str, marks: Sequence[Mark], extent: Fraction) -> Lane:
    """A lane of at most MAX_MARKS marks: those that start in one step of the axis become one."""
    if len(marks) > MAX_MARKS:
        steps = groupby(marks, key=lambda mark: int(mark.start * MAX_MARKS / extent))
        marks = [_merged(list(together)) for _, together in steps]
        fact += ", several to a mark"
    return Lane(name, fact, tuple(marks))


def _merged(marks: Sequence[Mark]) -> Mark:
    if len(marks) == 1:
        return marks[0]
    strong = next((mark for mark in marks if mark.strong), None)
    start, end = marks[0].start, max(mark.end for mark in marks)
    label = f"{clock(start)}–{clock(end)} {len(marks)} together"
    if all(mark.start == mark.end for mark in marks):
        start = end = (strong or marks[0]).start
    return Mark(start, end, label, strong=strong is not None)


def _document(
    source: Source, segments: Sequence[StoredSegment], moments: Sequence[MomentText]
) -> Timeline:
    extent = Fraction(max(source.pages or 1, 1))
    labels = {moment.area.page: moment.area.label for moment in moments}
    ranges = [segment.extent for segment in segments if isinstance(segment.extent, PageRange)]
    sections = [
        Mark(
            Fraction(pages.first - 1),
            Fraction(pages.last),
            f"{_pages_text(pages.first, pages.last, labels)}: {segment.title}",
            segment.title if pages.last - pages.first + 1 >= extent * _TITLED_SHARE else "",
        )
        for pages, segment in zip(ranges, segments, strict=True)
    ]
    lanes = [_lane("sections", str(len(sections)), sections, extent)]
    for kind in (MomentKind.PASSAGE, MomentKind.FIGURE):
        per_page = Counter(moment.area.page for moment in _of_kind(moments, kind))
        bars = tuple(_bars(per_page, kind, int(extent), labels))
        lanes.append(Lane(f"{kind}s", str(per_page.total()), bars))
    return Timeline(extent, tuple(lanes), tuple(_page_ticks(int(extent))))


def _bars(
    per_page: Counter[int], kind: MomentKind, pages: int, labels: dict[int, str]
) -> Iterator[Mark]:
    """A bar a page as high as its count next to the highest; several pages where there are many."""
    step = ceil(pages / MAX_MARKS)
    counts = Counter(dict.fromkeys(range(1, pages + 1, step), 0))
    for page, found in per_page.items():
        counts[(page - 1) // step * step + 1] += found
    highest = max(counts.values())
    for first, found in sorted(counts.items()):
        last = min(first + step - 1, pages)
        noun = kind.value if found == 1 else f"{kind}s"
        label = f"{_pages_text(first, last, labels)}: {found} {noun}"
        if found:
            yield Mark(Fraction(first - 1), Fraction(last), label, height=found / highest)


def _pages_text(first: int, last: int, labels: dict[int, str]) -> str:
    """Pages by number, and by what is printed on them where that differs."""
    numbers = f"page {first}" if first == last else f"pages {first}–{last}"
    printed = [labels.get(page, str(page)) for page in dict.fromkeys((first, last))]
    same = printed == [str(page) for page in dict.fromkeys((first, last))]
    return numbers if same else f"{numbers} (printed {'–'.join(printed)})"


def _clock_ticks(extent: Fraction) -> Iterator[Tick]:
    step = next(step for step in _steps_s() if extent / step <= MAX_TICKS)
    decimals = 0 if step.denominator == 1 else 1
    for number in range(ceil(extent / step)):
        yield Tick(number * step, format_clock(number * step, decimals), bool(number % 2))


def _steps_s() -> Iterator[Fraction]:
    """Round steps of a clock, growing without end."""
    yield from (Fraction(tenths, 10) for tenths in (1, 2, 5))
    for unit_s in (1, 60):
        yield from (Fraction(unit_s * number) for number in (1, 2, 5, 10, 15, 30))
    for hours in _round_numbers():
        yield Fraction(3600 * hours)


def _page_ticks(pages: int) -> Iterator[Tick]:
    step = next(step for step in _round_numbers() if pages / step <= MAX_TICKS)
    for number, page in enumerate(range(1, pages + 1, step)):
        yield Tick(Fraction(2 * page - 1, 2), str(page), bool(number % 2))


def _round_numbers() -> Iterator[int]:
    for power in count():
        yield from (digit * 10**power for digit in (1, 2, 5))
