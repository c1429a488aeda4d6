"""Segments: scenes of a video, sections of a document. Every moment is in exactly one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise
from math import ceil, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from index.records import Moment, MomentKind, PageRange, Segment, Span, TextLine
from ingest.settings import SegmentSettings
from ingest.turns import turn_depths

_GRID: Final = Fraction(1)
"""Where nothing suggests a border, whole seconds are tried."""
_SHOT_COST: Final = -2.0
_SHOT_IN_SPEECH_COST: Final = 6.0
_SENTENCE_COST: Final = 1.0
_NOTHING_COST: Final = 2.0
_IN_SPEECH_COST: Final = 12.0
_PAUSE_WORTH: Final = 0.5
"""A pause of a second between sentences makes its border this much better, 2 s twice."""
_TURN_WORTH: Final = 4.0
"""A border that is deeper by 1 (see `turn_depths`) is this much better."""
_NO_TURN: Final = 0.6
"""Borders less deep are worse than where nothing is said: most of those within a topic."""
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


@dataclass(frozen=True, slots=True)
class _Speech:
    """What is said, ordered by start, and how deep the meaning dips between one and the next."""

    spans: list[Span]
    starts: list[Fraction]
    depths: npt.NDArray[np.float64]
    talking: list[Span]
    """The spans, overlapping ones merged."""


def segment_video(
    moments: Sequence[Moment],
    vectors: npt.NDArray[np.float32],
    shot_starts: Sequence[Fraction],
    duration: Fraction,
    settings: SegmentSettings,
) -> tuple[Segment, ...]:
    """Cut [0, duration) into scenes of min_s..max_s at shots and where the topic of speech turns.

    The cheapest sequence of borders is found by dynamic programming: shots before sentence ends
    before anything else, inside an utterance only where max_s leaves no choice, lengths near the
    geometric mean of the limits. Between utterances a border is the better the more what is said
    before differs in meaning from what is said after (`turn_depths`): a clear turn outweighs a
    shot. A moment belongs to the segment in which it starts; in a segment moments stand by start,
    in the order given where they start together.

    `vectors` are those of the moments, in the order given: (moments, dims) float32, unit rows;
    only those of utterances matter. Raises ValueError for a moment that starts behind the end.
    """
    if len(vectors) != len(moments):
        raise ValueError(f"one vector a moment needed, got {len(moments) = }, {vectors.shape = }")
    ordered = sorted(moments, key=lambda moment: moment.span.start)
    if ordered and ordered[-1].span.start >= duration:
        late = ordered[-1].span.start
        raise ValueError(f"a moment starts at {late} s, the video ends at {duration} s")
    borders = _borders(_speech(moments, vectors), shot_starts, duration, settings.min_s)
    cuts = _cheapest_cuts(borders, settings)
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


def _speech(moments: Sequence[Moment], vectors: npt.NDArray[np.float32]) -> _Speech:
    # By text, too: sums of vectors are rounded, and must not depend on the order given.
    rows = sorted(
        (moment.span.start, moment.span.end, moment.text, row)
        for row, moment in enumerate(moments)
        if moment.kind is MomentKind.UTTERANCE
    )
    spans = [Span(start, end) for start, end, _, _ in rows]
    depths = turn_depths(spans, vectors[[row for *_, row in rows]])
    if not depths.any():  # Vectors that tell nothing speak neither for a border nor against it.
        depths = np.full_like(depths, _NO_TURN)
    return _Speech(spans, [span.start for span in spans], depths, _covered(spans))


def _borders(
    speech: _Speech, shot_starts: Sequence[Fraction], duration: Fraction, shortest_s: float
) -> list[_Border]:
    """Every instant at which a cut may be, with its cost; 0 and the end are free."""
    costs: dict[Fraction, float] = {}

    def offer(at: Fraction, cost: float, cost_inside: float | None = None) -> None:
        if not 0 < at < duration:
            return
        if not _is_inside(at, speech.talking):
            cost += _turn_cost(at, speech, shortest_s)
        elif cost_inside is None:
            return
        else:
            cost = cost_inside
        costs[at] = min(cost, costs.get(at, cost))

    for step in range(1, ceil(duration / _GRID)):
        offer(step * _GRID, _NOTHING_COST, _IN_SPEECH_COST)
    for at in shot_starts:
        offer(at, _SHOT_COST, _SHOT_IN_SPEECH_COST)
    for before, after in pairwise(speech.spans):
        pause_s = float(before.gap_to(after))
        offer(after.start, _SENTENCE_COST - _PAUSE_WORTH * min(pause_s, 2.0))
    inner = [_Border(at, costs[at]) for at in sorted(costs)]
    return [_Border(Fraction(0), 0.0), *inner, _Border(duration, 0.0)]


def _turn_cost(at: Fraction, speech: _Speech, shortest_s: float) -> float:
    """What the meaning before and after an instant between two utterances adds to its cost.

    In a silence as long as a segment only the instant at which speech sets in again counts: cuts
    within it would each be paid for the same turn.
    """
    after = bisect_left(speech.starts, at)
    if not 0 < after < len(speech.spans):
        return 0.0
    begin = speech.starts[after]
    if at < begin:
        fell_silent = speech.talking[bisect_left(speech.talking, at, key=_start) - 1].end
        if begin - fell_silent >= shortest_s:
            return 0.0
    return _TURN_WORTH * (_NO_TURN - float(speech.depths[after - 1]))


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
    at = bisect_left(spans, instant, key=_start) - 1
    return at >= 0 and instant < spans[at].end


def _start(span: Span) -> Fraction:
    return span.start


def _cheapest_cuts(borders: Sequence[_Border], settings: SegmentSettings) -> list[Fraction]:
    shortest, longest = settings.min_s, settings.max_s
    if float(borders[-1].at) <= shortest:
        return [borders[0].at, borders[-1].at]
    at_s = np.array([float(border.at) for border in borders])
    best, came_from = np.zeros(len(borders)), [0]
    for index in range(1, len(borders)):
        # Beyond max_s only the nearest border is tried, so that there always is a way.
        first = min(int(np.searchsorted(at_s, at_s[index] - longest)), index - 1)
        lengths_s = at_s[index] - at_s[first:index]
        costs = best[first:index] + _length_costs(lengths_s, shortest, longest)
        cheapest = int(np.argmin(costs))
        best[index] = costs[cheapest] + borders[index].cost
        came_from.append(first + cheapest)
    cuts = [len(borders) - 1]
    while cuts[-1]:
        cuts.append(came_from[cuts[-1]])
    return [borders[index].at for index in reversed(cuts)]


def _length_costs(
    lengths_s: npt.NDArray[np.float64], shortest: float, longest: float
) -> npt.NDArray[np.float64]:
    target = sqrt(shortest * longest)
    ratios = np.maximum(lengths_s, target) / np.minimum(lengths_s, target)
    outside = np.maximum(np.maximum(shortest - lengths_s, lengths_s - longest), 0.0)
    return _LENGTH_COST * (ratios - 1) + np.where(outside > 0, _OUTSIDE_COST + outside, 0.0)


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
