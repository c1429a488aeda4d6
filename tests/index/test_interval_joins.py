"""Interval joins against nested loops, over random spans and pages of several sources."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from index.interval_joins import (
    Placed,
    Relation,
    in_sources_without,
    join_intervals,
    outermost,
)
from index.records import Box, PageArea, Span

DENOMINATORS = {0: 1, 1: 3, 2: 90_000, 3: 30_000 * 1001}
"""Sources 0..3 are videos of these clocks, source 4 is a document."""
ORDERS = {0: 1, 1: 0, 2: 1, 3: None, 4: 2}
_instants = st.integers(0, 12)


@st.composite
def _rows(draw: st.DrawFn) -> Placed:
    source = draw(st.sampled_from([0, 0, 1, 2, 3, 4]))
    if source == 4:
        boxes = draw(st.sampled_from([(), (Box(0, 5, 9, 9),), (Box(0, 2, 9, 9), Box(0, 1, 9, 9))]))
        return Placed(source, PageArea(draw(st.integers(1, 3)), "1", boxes), ORDERS[source])
    step = Fraction(1, DENOMINATORS[source])
    start, length = draw(_instants), draw(st.integers(1, 6))
    return Placed(source, Span(start * step, (start + length) * step), ORDERS[source])


_tables = st.lists(_rows(), max_size=9)
_gaps = st.none() | st.builds(Fraction, st.integers(0, 9), st.sampled_from([1, 2, 3, 90_000, 7]))


def _in_order(first: Placed, second: Placed) -> bool:
    return (
        first.source_order is not None
        and second.source_order is not None
        and first.source_order < second.source_order
    )


def naive_pairs(
    left: Sequence[Placed],
    right: Sequence[Placed],
    relation: Relation,
    at_most: Fraction | None,
    across: bool,
) -> set[tuple[int, int]]:
    """By Fractions, one pair at a time."""
    found = set()
    for number, one in enumerate(left):
        for partner, other in enumerate(right):
            a, b = one.place, other.place
            if not isinstance(a, Span) or not isinstance(b, Span):
                continue
            near = at_most is None or a.gap_to(b) <= at_most
            if one.source == other.source:
                holds = (
                    near
                    and {
                        "before": a.end <= b.start,
                        "after": b.end <= a.start,
                        "during": b.start <= a.start and a.end <= b.end,
                        "near": True,
                    }[relation]
                )
            else:
                holds = (
                    across
                    and at_most is None
                    and {
                        "before": _in_order(one, other),
                        "after": _in_order(other, one),
                        "during": False,
                        "near": False,
                    }[relation]
                )
            if holds:
                found.add((number, partner))
    return found


@hypothesis_settings(max_examples=150)
@given(
    _tables, _tables, st.sampled_from(["before", "after", "during", "near"]), _gaps, st.booleans()
)
def test_joins_find_what_nested_loops_find(
    left: list[Placed],
    right: list[Placed],
    relation: Relation,
    at_most: Fraction | None,
    across: bool,
) -> None:
    if relation == "during":
        at_most = None
    elif relation == "near" and at_most is None:
        at_most = Fraction(1, 3)
    wanted = naive_pairs(left, right, relation, at_most, across)
    joined = join_intervals(left, right, relation, at_most=at_most, across=across, partners=100)
    assert {(row, partner) for row, own in joined.rows for partner in own} == wanted
    assert joined.num_pairs == len(wanted)
    assert [row for row, _ in joined.rows] == sorted({row for row, _ in wanted})
    nearest = join_intervals(left, right, relation, at_most=at_most, across=across, partners=1)
    assert nearest.rows == tuple((row, own[:1]) for row, own in joined.rows)
    assert nearest.num_pairs == joined.num_pairs
    if relation != "during":
        for row, own in joined.rows:
            gaps = [
                a.gap_to(b)
                for partner in own
                if left[row].source == right[partner].source
                and isinstance(a := left[row].place, Span)
                and isinstance(b := right[partner].place, Span)
            ]
            assert gaps == sorted(gaps)


def _key(row: Placed) -> tuple[object, ...]:
    if isinstance(row.place, Span):
        return (row.place.start, row.place.end)
    return (row.place.page, min((box.y0 for box in row.place.boxes), default=0))


@hypothesis_settings(max_examples=60)
@given(_tables, st.sampled_from(["first", "last"]))
def test_first_and_last_of_each_source_and_of_all(
    rows: list[Placed], end: Literal["first", "last"]
) -> None:
    choose = min if end == "first" else max
    kept = outermost(rows, end, across=False).rows
    assert list(kept) == sorted(kept)
    assert {rows[number].source for number in kept} == {row.source for row in rows}
    assert len({rows[number].source for number in kept}) == len(kept)
    for number in kept:
        own = [row for row in rows if row.source == rows[number].source]
        assert _key(rows[number]) == choose(map(_key, own))
    ordered = [row for row in rows if row.source_order is not None]
    across = outermost(rows, end, across=True).rows
    assert len(across) == min(1, len(ordered))
    if ordered:
        best = choose((row.source_order or 0, row.source, _key(row)) for row in ordered)
        found = rows[across[0]]
        assert (found.source_order, found.source, _key(found)) == best


@hypothesis_settings(max_examples=60)
@given(_tables, _tables, st.booleans())
def test_rows_of_sources_in_which_something_is_not(
    left: list[Placed], right: list[Placed], across: bool
) -> None:
    held = {row.source for row in right}
    wanted = [
        number for number, row in enumerate(left) if not (right if across else row.source in held)
    ]
    assert list(in_sources_without(left, right, across=across).rows) == wanted


def test_a_tick_decides() -> None:
    tick = Fraction(1, 90_000)
    one = [Placed(0, Span(Fraction(0), 100 * tick))]
    meeting = [Placed(0, Span(100 * tick, 200 * tick))]
    apart = [Placed(0, Span(101 * tick, 200 * tick))]
    assert join_intervals(one, meeting, "before", partners=1).rows == ((0, (0,)),)
    assert join_intervals(meeting, one, "after", partners=1).rows == ((0, (0,)),)
    near = Fraction(1, 90_001)
    assert join_intervals(one, meeting, "near", at_most=Fraction(0), partners=1).num_pairs == 1
    assert join_intervals(one, apart, "near", at_most=near, partners=1).num_pairs == 0
    assert join_intervals(one, apart, "near", at_most=tick, partners=1).num_pairs == 1


def test_what_makes_no_sense_is_refused() -> None:
    rows = [Placed(0, Span(Fraction(0), Fraction(1)))]
    with pytest.raises(ValueError, match="near with"):
        join_intervals(rows, rows, "near", partners=1)
    with pytest.raises(ValueError, match="during with"):
        join_intervals(rows, rows, "during", at_most=Fraction(1), partners=1)
    fine = [Placed(0, Span(Fraction(1, 2**40 - 1), Fraction(1))), *rows]
    finer = [Placed(0, Span(Fraction(1, 2**41 - 1), Fraction(1)))]
    with pytest.raises(ValueError, match="overflow 63 bits"):
        join_intervals(fine, finer, "before", partners=1)
