"""Places of several searches joined by how they lie in time: interval joins in DuckDB.

The relations are those of Allen, "Maintaining knowledge about temporal intervals", Communications
of the ACM 26(11), 1983, gathered into the few that people ask for; spans are half-open:

    before   Allen's before and meets: ends before the other starts, or just then
    after    the inverse of before
    during   Allen's during, starts, finishes and equal: lies within the other
    near     at most so far apart; spans that touch or overlap are 0 apart

Times are exact: integer ticks, as many a second as all instants of a source need. Statements are
made of constants only; what is compared goes in as tables of numbers, into a database in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import lcm
from typing import Any, Literal

import duckdb
import numpy as np
import numpy.typing as npt

from index.records import PageArea, Span
from index.tables import registered

Relation = Literal["before", "after", "during", "near"]

_LARGEST = 2**63 - 1
_UNORDERED = -1
_APART = {
    "before": "other.start_tick - kept.end_tick",
    "after": "kept.start_tick - other.end_tick",
    "during": "(other.end_tick - other.start_tick) - (kept.end_tick - kept.start_tick)",
    "near": "greatest(0, other.start_tick - kept.end_tick, kept.start_tick - other.end_tick)",
}
"""How far apart two spans are, in ticks; of `during`, how much longer the other is."""
_HOLDS = {
    "before": ("kept.end_tick <= other.start_tick",),
    "after": ("other.end_tick <= kept.start_tick",),
    "during": ("other.start_tick <= kept.start_tick", "kept.end_tick <= other.end_tick"),
    "near": (),
}
_OF_OTHER_SOURCES = {
    "before": "kept.source_order < other.source_order AND kept.source_order >= 0",
    "after": "kept.source_order > other.source_order AND other.source_order >= 0",
}
_IN_PLACE = "start_tick, end_tick, page, top"


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a row is."""

    source: int
    """Number of its source, in the order of the library."""
    place: Span | PageArea
    source_order: int | None = None
    """Position of its source in the order that is asked for (a date); None: it has none."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """What a join found."""

    rows: tuple[tuple[int, tuple[int, ...]], ...]
    """Rows of the left side that have a partner, in order, with the nearest of these."""
    num_pairs: int
    """All pairs, those that are not told included."""
    statement: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Which rows are left, in order."""

    rows: tuple[int, ...]
    statement: str


def join_intervals(
    left: Sequence[Placed],
    right: Sequence[Placed],
    relation: Relation,
    *,
    at_most: Fraction | None = None,
    across: bool = False,
    partners: int,
) -> Pairs:
    """Pairs of spans of one source that stand in a relation, at most `at_most` seconds apart.

    `across`: before and after also hold between sources by their order. At most `partners` of
    each row are told, nearest first. `near` needs `at_most`; `during` takes none. Rows on pages
    pair with nothing. Raises ValueError when instants of a source do not fit 63 bits of ticks.
    """
    if (relation == "near" and at_most is None) or (relation == "during" and at_most is not None):
        raise ValueError(f"{relation} with at_most={at_most}")
    condition = " AND ".join(["kept.source = other.source", *_HOLDS[relation]])
    nearest = f"{_APART[relation]}, other.number"
    if at_most is not None:
        condition += f" AND {_APART[relation]} <= kept.reach"
    elif across and relation in _OF_OTHER_SOURCES:
        condition = f"({condition}) OR ({_OF_OTHER_SOURCES[relation]})"
        between = "abs(kept.source_order - other.source_order)"
        nearest = f"kept.source <> other.source, {between}, {nearest}"
    statement = (
        "SELECT kept.number, other.number, count(*) OVER () AS pairs\n"
        f"FROM kept JOIN other ON {condition}\n"
        f"WINDOW nearest AS (PARTITION BY kept.number ORDER BY {nearest})\n"
        f"QUALIFY row_number() OVER nearest <= {int(partners)}\n"
        f"ORDER BY kept.number, {nearest}"
    )
    rates = _rates([*left, *right])
    timed = [_table(side, rates, at_most, _is_timed) for side in (left, right)]
    found = _rows(statement, {"kept": timed[0], "other": timed[1]})
    by_row: dict[int, list[int]] = {}
    for kept, partner, _ in found:
        by_row.setdefault(kept, []).append(partner)
    return Pairs(
        tuple((kept, tuple(own)) for kept, own in by_row.items()),
        found[0][2] if found else 0,
        statement,
    )


def outermost(rows: Sequence[Placed], end: Literal["first", "last"], *, across: bool) -> Kept:
    """The first or last row of each source by its time, or by its page and height there.

    `across`: one row of all, by the order of sources; those without an order are left out.
    """
    sign = "" if end == "first" else " DESC"
    order = ", ".join(f"{name}{sign}" for name in _IN_PLACE.split(", "))
    if across:
        window = f"ORDER BY source_order{sign}, source{sign}, {order}, number"
        statement = (
            "SELECT number FROM kept WHERE source_order >= 0\n"
            f"QUALIFY row_number() OVER ({window}) = 1"
        )
    else:
        statement = (
            "SELECT number FROM kept\n"
            f"QUALIFY row_number() OVER (PARTITION BY source ORDER BY {order}, number) = 1\n"
            "ORDER BY number"
        )
    found = _rows(statement, {"kept": _table(rows, _rates(rows), None, lambda row: True)})
    return Kept(tuple(number for (number,) in found), statement)


def in_sources_without(left: Sequence[Placed], right: Sequence[Placed], *, across: bool) -> Kept:
    """Rows of the left side in whose source (`across`: in any source) the right side has none."""
    condition = "true" if across else "kept.source = other.source"
    statement = (
        "SELECT number FROM kept\n"
        f"WHERE NOT EXISTS (SELECT 1 FROM other WHERE {condition})\n"
        "ORDER BY number"
    )
    rates = _rates([*left, *right])
    tables = [_table(side, rates, None, lambda row: True) for side in (left, right)]
    found = _rows(statement, {"kept": tables[0], "other": tables[1]})
    return Kept(tuple(number for (number,) in found), statement)


def _is_timed(row: Placed) -> bool:
    return isinstance(row.place, Span)


def _rates(rows: Sequence[Placed]) -> dict[int, int]:
    """Ticks a second of each source in which all its instants are whole."""
    instants: dict[int, list[Fraction]] = {}
    for row in rows:
        if isinstance(row.place, Span):
            instants.setdefault(row.source, []).extend((row.place.start, row.place.end))
    rates = {
        source: lcm(*{instant.denominator for instant in own}) for source, own in instants.items()
    }
    for source, own in instants.items():
        if max(own) * rates[source] > _LARGEST:
            raise ValueError(f"source {source}: {rates[source]} ticks a second overflow 63 bits")
    return rates


def _table(
    rows: Sequence[Placed],
    rates: Mapping[int, int],
    at_most: Fraction | None,
    chosen: Callable[[Placed], bool],
) -> dict[str, npt.NDArray[Any]]:
    """The chosen rows as columns; `number` is a row's position among all."""
    table: dict[str, list[int | float]] = {
        name: []
        for name in (
            "number", "source", "source_order", "start_tick", "end_tick", "page", "top", "reach",
        )
    }  # fmt: skip
    for number, row in enumerate(rows):
        if not chosen(row):
            continue
        start = end = page = reach = 0
        top = 0.0
        if isinstance(row.place, Span):
            rate = rates[row.source]
            start, end = int(row.place.start * rate), int(row.place.end * rate)
            # whole ticks are apart: nothing is lost by rounding down
            reach = min(int((at_most or 0) * rate), _LARGEST)
        else:
            page = row.place.page
            top = min((box.y0 for box in row.place.boxes), default=0.0)
        order = _UNORDERED if row.source_order is None else row.source_order
        for name, value in zip(
            table, (number, row.source, order, start, end, page, top, reach), strict=True
        ):
            table[name].append(value)
    return {
        name: np.array(values, dtype=np.float64 if name == "top" else np.int64)
        for name, values in table.items()
    }


@cache
def _database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def _rows(
    statement: str, tables: Mapping[str, Mapping[str, npt.NDArray[Any]]]
) -> list[tuple[int, ...]]:
    # a cursor is a connection of its own: other threads do not see its tables
    with _database().cursor() as connection, ExitStack() as stack:
        for name, columns in tables.items():
            stack.enter_context(registered(connection, name, columns))
        return connection.execute(statement).fetchall()
