"""Timelines: nothing is lost where marks are merged, axes are round and have room."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from index.records import (
    FrameTime,
    Moment,
    MomentKind,
    PageArea,
    PageRange,
    Source,
    SourceKind,
    Span,
)
from index.snapshot import StoredSegment
from secondsight.timeline import MAX_MARKS, MAX_TICKS, Timeline, timeline

MILLISECOND = Fraction(1, 1000)


def _source(length: Fraction | int) -> Source:
    """A video of so many seconds, or a document of so many pages."""
    is_video = isinstance(length, Fraction)
    return Source(
        id="0" * 32,
        kind=SourceKind.VIDEO if is_video else SourceKind.DOCUMENT,
        name="it",
        size_bytes=1,
        duration=length if isinstance(length, Fraction) else None,
        pages=None if isinstance(length, Fraction) else length,
    )


def _drawn(length: Fraction, moments: list[Moment]) -> Timeline:
    source = _source(length)
    whole = StoredSegment(0, source, Span(Fraction(0), length), "all", range(len(moments)))
    return timeline(source, [whole], moments)


def _moment(kind: MomentKind, start: Fraction, length: Fraction) -> Moment:
    time = FrameTime(0, MILLISECOND) if kind is MomentKind.FRAME else None
    return Moment(kind, Span(start, start + length), "said", frame_time=time)


def test_a_mark_stands_where_its_moment_is() -> None:
    said = _moment(MomentKind.UTTERANCE, Fraction(1001, 30000), Fraction(1, 3))
    seen = [_moment(MomentKind.FRAME, Fraction(at), Fraction(2)) for at in (3, 5)]
    segments, frames, speech, texts = _drawn(Fraction(10), [said, *seen]).lanes
    (mark,) = speech.marks
    assert (mark.start, mark.end) == (said.span.start, said.span.end)
    assert mark.label == "00:00:00.033–00:00:00.366 said"
    assert [int(mark.start) for mark in frames.marks] == [3, 5]
    assert all(mark.start == mark.end for mark in frames.marks)
    assert [mark.strong for mark in frames.marks] == [True, False]
    assert [mark.title for mark in segments.marks] == ["all"]
    assert texts.marks == ()


@settings(max_examples=20)
@given(chance=st.randoms(use_true_random=False), number=st.integers(MAX_MARKS + 1, 500))
def test_many_marks_become_few_that_cover_the_same(chance: Random, number: int) -> None:
    starts_ms = chance.sample(range(3_599_000), number)
    length = Fraction(1, 2)
    moments = [_moment(MomentKind.UTTERANCE, at * MILLISECOND, length) for at in sorted(starts_ms)]
    marks = _drawn(Fraction(3600), moments).lanes[2].marks
    assert len(marks) <= MAX_MARKS
    for moment in moments:
        assert any(
            mark.start <= moment.span.start and moment.span.end <= mark.end for mark in marks
        )
    edges = {moment.span.start for moment in moments} | {moment.span.end for moment in moments}
    assert all({mark.start, mark.end} <= edges for mark in marks)


@given(ms=st.integers(1, 10**10))
def test_a_clock_axis_is_round_and_has_room(ms: int) -> None:
    extent = ms * MILLISECOND
    ticks = _drawn(extent, []).ticks
    assert 1 <= len(ticks) <= MAX_TICKS
    assert all(0 <= tick.at < extent for tick in ticks)
    assert len({tick.label for tick in ticks}) == len(ticks)
    assert ticks[0].at == 0


@settings(max_examples=50)
@given(pages=st.integers(1, 20_000), figures=st.lists(st.integers(1, 20_000), max_size=30))
def test_every_figure_of_a_document_has_its_bar(pages: int, figures: list[int]) -> None:
    figures = [(page - 1) % pages + 1 for page in figures]
    source = _source(pages)
    moments = [Moment(MomentKind.FIGURE, PageArea(page, str(page)), "") for page in figures]
    whole = StoredSegment(0, source, PageRange(1, pages), "all", range(len(moments)))
    drawn = timeline(source, [whole], moments)
    bars = drawn.lanes[2].marks
    assert len(bars) <= MAX_MARKS
    assert sum(int(bar.label.rsplit(": ")[1].split()[0]) for bar in bars) == len(figures)
    for page in figures:
        assert any(bar.start < page <= bar.end for bar in bars)
    assert all(0 < bar.height <= 1 and bar.end <= pages for bar in bars)
    assert 1 <= len(drawn.ticks) <= MAX_TICKS
