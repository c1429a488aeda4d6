"""Spans and the clock keep exact time."""

from __future__ import annotations

import sys
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.clock import format_clock, parse_clock
from index.records import (
    Box,
    Hyperlink,
    Moment,
    MomentKind,
    PageArea,
    PageRange,
    Source,
    SourceKind,
    Span,
)
from tests.index.build import instants, spans


@given(spans(), instants)
def test_a_span_holds_its_start_and_not_its_end(span: Span, instant: Fraction) -> None:
    assert span.start in span
    assert span.end not in span
    assert (instant in span) == (span.start <= instant < span.end)


@given(spans(), spans())
def test_overlap_gap_and_union_agree(one: Span, other: Span) -> None:
    assert one.overlaps(other) == other.overlaps(one)
    assert one.gap_to(other) == other.gap_to(one) >= 0
    if one.overlaps(other):
        assert one.gap_to(other) == 0
    union = one.union(other)
    assert union.duration <= one.duration + other.duration + one.gap_to(other)
    assert one.start in union
    assert other.start in union


@given(spans(), instants)
def test_touching_spans_do_not_overlap(span: Span, length: Fraction) -> None:
    after = Span(span.end, span.end + length + 1)
    assert not span.overlaps(after)
    assert span.gap_to(after) == 0


@given(instants, st.integers(0, 6))
def test_a_clock_never_points_past_the_instant(instant: Fraction, decimals: int) -> None:
    shown = parse_clock(format_clock(instant, decimals))
    assert 0 <= instant - shown < Fraction(1, 10**decimals)


@given(st.integers(0, 10**8))
def test_a_clock_of_milliseconds_round_trips(milliseconds: int) -> None:
    instant = Fraction(milliseconds, 1000)
    assert parse_clock(format_clock(instant, 3)) == instant


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7), ("3:25", 205), ("01:02:03.5", Fraction(7447, 2)), ("0:00", 0), ("90:00", 5400)],
)
def test_clocks_as_people_write_them(text: str, seconds: Fraction) -> None:
    assert parse_clock(text) == seconds


@pytest.mark.parametrize("text", ["", "abc", "1:2:3:4", "-3", "1:", "3:25 pm", "1e3"])
def test_other_text_is_no_clock(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        parse_clock(text)


def test_a_box_may_be_as_large_as_numbers_go() -> None:
    largest = sys.float_info.max
    assert Box(-largest, -largest, largest, largest).x1 == largest
    assert Box(-largest, -largest, -1.0, -largest).y1 == -largest


def test_records_refuse_nonsense() -> None:
    with pytest.raises(ValueError, match="start < end"):
        Span(Fraction(1), Fraction(1))
    with pytest.raises(TypeError, match="Fractions"):
        Span(0.5, Fraction(1))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="x0 <= x1"):
        Box(1, 0, 0, 1)
    with pytest.raises(ValueError, match="finite"):
        Box(float("nan"), 0, 0, 1)
    with pytest.raises(ValueError, match="finite"):
        Box(0, 0, 1, float("inf"))
    with pytest.raises(ValueError, match="first <= last"):
        PageRange(3, 2)
    with pytest.raises(ValueError, match="count from 1"):
        PageArea(0, "")
    with pytest.raises(ValueError, match="0 <= start < end"):
        Hyperlink(3, 3, "https://example.org")
    with pytest.raises(ValueError, match="whole page"):
        Hyperlink(0, 3, PageArea(1, "i", (Box(0, 0, 1, 1),)))
    with pytest.raises(ValueError, match="cannot be at"):
        Moment(kind=MomentKind.PAGE, place=Span(Fraction(0), Fraction(1)), text="")
    with pytest.raises(ValueError, match="duration or pages"):
        Source("0" * 32, SourceKind.VIDEO, "a.mp4", 1, None, 3)
