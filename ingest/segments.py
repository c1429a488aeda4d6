"""Segments: scenes of a video, sections of a document. Every moment is in exactly one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise
from math import ceil, sqrt
from typing import Final

from index.records import Moment, MomentKind, PageRange, Segment, Span, TextLine
from ingest.settings import SegmentSettings

_GRID: Final = Fraction(1)
"""Where nothing suggests a border, whole seconds are tried."""
_SHOT_COST: Final = -2.0
_SHOT_IN_SPEECH_COST: Final = 6.0
_SENTENCE_COST: Final = 1.0
_NOTHING_COST: Final = 2.0
_IN_SPEECH_COST: Final = 12.0
_PAUSE_WORTH: Final = 0.5
"""A pause of a second between sentences makes its border this much better, 2 s twice."""
_LENGTH_COST: Final = 2.0
"""Cost of a segment that is half or double the length aimed at."""
_OUTSIDE_COST: Final = 1000.0
"""Cost of a segment outside min_s..max_s: only where nothing else is possible."""
_TITLE_WORDS: Final = 8
_TITLE_LETTERS: Final = 80


@dataclass(frozen=True, slots=True)
class _Border:
    at: Fraction
    cost: float


def segment_video(
    moments: Sequence[Moment],
    shot_starts: Sequence[Fraction],
    duration: Fraction,
    settings: SegmentSettings,
) -> tuple[Segment, ...]:
    """Cut [0, duration) into scenes of min_s..max_s at shot borders and between sentences.

    The cheapest sequence of borders is found by dynamic programming: shots before sentence ends
    before anything else, inside an utterance only where max_s leaves no choice, lengths near the
    geometric mean of the limits. A moment belongs to the segment in which it starts; in a segment
    moments stand by start, in the order given where they start together.
    """
    ordered = sorted(moments, key=lambda moment: moment.span.start)
    if ordered and ordered[-1].span.start >= duration:
        late = ordered[-1].span.start
        raise ValueError(f"a moment starts at {late} s, the video ends at {duration} s")
    cuts = _cheapest_cuts(_borders(ordered, shot_starts, duration), duration, settings)
    starts = [moment.span.start for moment in ordered]
    segments = []
    for begin, end in pairwise(cuts):
        held = tuple(ordered[bisect_left(starts, begin) : bisect_left(starts, end)])
        segments.append(Segment(Span(begin, end), _video_title(held), held))
    return tuple(segments)


def segment_document(moments: Sequence[Moment], settings: SegmentSettings) -> tuple[Segment, ...]:
    """Group the moments of a document, in the order given, into sections of 1..max_pages pages.

    A new section begins where the heading changes on a page behind the first of the section (so
    that short headings of one page stay together), and where max_pages would be exceeded; runs
    without headings are shared out evenly. Raises ValueError when pages go backwards.
    """
    for before, after in pairwise(moments):
        if after.area.page < before.area.page:
            raise ValueError(f"page {after.area.page} comes after page {before.area.page}")
    return tuple(
        Segment(
            PageRange(section[0].area.page, section[-1].area.page),
            _document_title(section),
            tuple(section),
        )
        for run in _heading_runs(moments)
        for section in _shared_out(run, settings.max_pages)
    )


def _borders(
    ordered: Sequence[Moment], shot_starts: Sequence[Fraction], duration: Fraction
) -> list[_Border]:
    """Every instant at which a cut may be, with its cost; 0 and the end are free."""
    speech = [moment.span for moment in ordered if moment.kind is MomentKind.UTTERANCE]
    costs: dict[Fraction, float] = {}

    def offer(at: Fraction, cost: float) -> None:
        if 0 < at < duration:
            costs[at] = min(cost, costs.get(at, cost))

    talking = _covered(speech)
    for step in range(1, ceil(duration / _GRID)):
        inside = _is_inside(step * _GRID, talking)
        offer(step * _GRID, _IN_SPEECH_COST if inside else _NOTHING_COST)
    for at in shot_starts:
        offer(at, _SHOT_IN_SPEECH_COST if _is_inside(at, talking) else _SHOT_COST)
    for before, after in pairwise(speech):
        if not _is_inside(after.start, talking):
            pause_s = float(before.gap_to(after))
            offer(after.start, _SENTENCE_COST - _PAUSE_WORTH * min(pause_s, 2.0))
    inner = [_Border(at, costs[at]) for at in sorted(costs)]
    return [_Border(Fraction(0), 0.0), *inner, _Border(duration, 0.0)]


def _covered(spans: Sequence[Span]) -> list[Span]:
    """The spans, overlapping ones merged; touching ones stay apart: a cut fits between them."""
    merged: list[Span] = []
    for span in spans:
        if merged and span.start < merged[-1].end:
            merged[-1] = merged[-1].union(span)
        else:
            merged.append(span)
    return merged


def _is_inside(instant: Fraction, spans: Sequence[Span]) -> bool:
    """Whether a cut at `instant` goes through one of the sorted spans."""
    at = bisect_left(spans, instant, key=lambda span: span.start) - 1
    return at >= 0 and instant < spans[at].end


def _cheapest_cuts(
    borders: Sequence[_Border], duration: Fraction, settings: SegmentSettings
) -> list[Fraction]:
    shortest, longest = settings.min_s, settings.max_s
    if float(duration) <= shortest:
        return [Fraction(0), duration]
    at_s = [float(border.at) for border in borders]
    best, came_from = [0.0], [0]
    for index in range(1, len(borders)):
        # Beyond max_s only the nearest border is tried, so that there always is a way.
        first = min(bisect_left(at_s, at_s[index] - longest), index - 1)
        costs = [
            best[before] + _length_cost(at_s[index] - at_s[before], shortest, longest)
            for before in range(first, index)
        ]
        cheapest = min(range(len(costs)), key=costs.__getitem__)
        best.append(costs[cheapest] + borders[index].cost)
        came_from.append(first + cheapest)
    cuts = [len(borders) - 1]
    while cuts[-1]:
        cuts.append(came_from[cuts[-1]])
    return [borders[index].at for index in reversed(cuts)]


def _length_cost(length_s: float, shortest: float, longest: float) -> float:
    target = sqrt(shortest * longest)
    ratio = max(length_s, target) / min(length_s, target)
    outside = max(shortest - length_s, length_s - longest, 0.0)
    return _LENGTH_COST * (ratio - 1) + (_OUTSIDE_COST + outside if outside else 0.0)


def _video_title(moments: Sequence[Moment]) -> str:
    """The largest line of the first text on the screen, else the first words that are said."""
    for moment in moments:
        if moment.kind is MomentKind.SCREEN_TEXT and moment.lines:
            return _shortened(max(moment.lines, key=_line_height).text)
    for moment in moments:
        if moment.kind is MomentKind.UTTERANCE:
            return _shortened(" ".join(moment.text.split()[:_TITLE_WORDS]))
    return ""


def _line_height(line: TextLine) -> tuple[float, float]:
    """Height rounded to whole steps, so that of equally large lines the upper one wins."""
    height = line.box.y1 - line.box.y0
    return (round(height / 6), -line.box.y0)


def _document_title(section: Sequence[Moment]) -> str:
    for moment in section:
        if moment.heading:
            return _shortened(moment.heading)
    text = next((moment.text for moment in section if moment.text.strip()), "")
    return _shortened(" ".join(text.split()[:_TITLE_WORDS]))


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _TITLE_LETTERS else text[: _TITLE_LETTERS - 1].rstrip() + "…"


def _heading_runs(moments: Sequence[Moment]) -> Iterator[list[Moment]]:
    """Runs of moments to be cut only by their length: a heading on a later page begins one."""
    run: list[Moment] = []
    for _, group in groupby(moments, key=lambda moment: moment.heading):
        together = list(group)
        if run and together[0].area.page > run[0].area.page:
            yield run
            run = []
        run.extend(together)
    if run:
        yield run


def _shared_out(run: Sequence[Moment], max_pages: int) -> Iterator[Sequence[Moment]]:
    """Cut a run at page borders into the fewest sections of at most `max_pages`, evenly."""
    first, last = run[0].area.page, run[-1].area.page
    pages = last - first + 1
    parts = ceil(pages / max_pages)
    for part in range(parts):
        low, high = first + part * pages // parts, first + (part + 1) * pages // parts
        section = [moment for moment in run if low <= moment.area.page < high]
        if section:
            yield section
