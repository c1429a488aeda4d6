"""What a search may look at, decided before anything is ranked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from index.errors import QuestionError
from index.metadata import MetadataColumn, Value
from index.records import MomentKind, Span
from retrieve.where import (
    Among,
    Compared,
    Condition,
    Every,
    Like,
    Missing,
    Negated,
    Some,
    Test,
    WhereError,
    comparable,
    holds,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from index.ranking import Mask
    from index.snapshot import Snapshot

_NAMES_TOLD = 20
_CHARS_TOLD = 40


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions that all must hold; None: no condition."""

    sources: tuple[str, ...] | None = None
    """Ids of sources."""
    kinds: tuple[MomentKind, ...] | None = None
    within: Span | None = None
    """Only what overlaps this span of its source; documents have no times and fall out."""
    spans: tuple[tuple[str, Span], ...] | None = None
    """Only what overlaps a span of its own source: (id, span); a source may have several."""
    pages: tuple[tuple[str, frozenset[int]], ...] | None = None
    """Only what is on one of these pages, from 1, of its own source: (id, pages)."""
    where: Condition | None = None
    """On the metadata of sources (`parse_where`)."""
    permissions: frozenset[str] | None = None
    """Only sources without tags, or with one of these; whatever else the library holds, a search
    tells nothing of it."""


def allowed_moments(snapshot: Snapshot, filters: Filters) -> Mask | None:
    """Which moments may be found: (num_moments,) bool, or None when all may.

    Raises QuestionError for a source that the library does not hold, or a condition that cannot
    be asked of its sources.
    """
    if filters == Filters():
        return None
    columns = snapshot.columns
    allowed = np.ones(snapshot.num_moments, dtype=np.bool_)
    if (filters.sources, filters.where, filters.permissions) != (None, None, None):
        # Moments come source by source.
        sizes = [len(snapshot.source_range(source_id)) for source_id in snapshot.source_ids]
        allowed &= np.repeat(allowed_sources(snapshot, filters), sizes)
    if filters.kinds is not None:
        allowed &= kind_mask(snapshot, filters.kinds)
    if filters.within is not None:
        # comparisons with the NaN of documents are False
        allowed &= columns.start_s < filters.within.end_s
        allowed &= columns.end_s > filters.within.start_s
    if filters.spans is not None:
        allowed &= _span_mask(snapshot, filters.spans)
    if filters.pages is not None:
        allowed &= _page_mask(snapshot, filters.pages)
    return allowed


def _page_mask(snapshot: Snapshot, pages: Sequence[tuple[str, frozenset[int]]]) -> Mask:
    """Which moments begin on a page of their source that is wanted: (num_moments,) bool."""
    allowed = np.zeros(snapshot.num_moments, dtype=np.bool_)
    for source_id, own in pages:
        if source_id in snapshot.sources:
            place = snapshot.source_ids.index(source_id)
            is_page = np.isin(snapshot.columns.page, np.array(sorted(own), dtype=np.int32))
            allowed |= (snapshot.columns.source_index == place) & is_page
    return allowed


def _span_mask(snapshot: Snapshot, spans: Sequence[tuple[str, Span]]) -> Mask:
    """Which moments overlap a span of their source: (num_moments,) bool."""
    columns = snapshot.columns
    allowed = np.zeros(snapshot.num_moments, dtype=np.bool_)
    by_source: dict[str, list[Span]] = {}
    for source_id, span in spans:
        by_source.setdefault(source_id, []).append(span)
    for turn in range(max(map(len, by_source.values()), default=0)):
        starts = np.full(len(snapshot.source_ids), np.inf)
        ends = np.full(len(snapshot.source_ids), -np.inf)
        for number, source_id in enumerate(snapshot.source_ids):
            own = by_source.get(source_id, [])
            if turn < len(own):
                starts[number], ends[number] = own[turn].start_s, own[turn].end_s
        allowed |= (columns.start_s < ends[columns.source_index]) & (
            columns.end_s > starts[columns.source_index]
        )
    return allowed


def allowed_sources(snapshot: Snapshot, filters: Filters) -> Mask:
    """Which sources may be looked at: (number of sources,) bool. Raises as `allowed_moments`."""
    open_to = snapshot.metadata.open_to(filters.permissions)
    allowed = open_to.copy()
    if filters.sources is not None:
        numbers = {
            source_id: number
            for number, source_id in enumerate(snapshot.source_ids)
            if open_to[number]
        }
        unknown = [source for source in filters.sources if source not in numbers]
        if unknown:
            raise QuestionError(
                f"no source {unknown[0]!r} in the library; `secondsight status` lists what there is"
            )
        allowed[:] = False
        allowed[[numbers[source] for source in filters.sources]] = True
    if filters.where is not None:
        allowed &= matching(filters.where, snapshot.metadata.columns, open_to)
    return allowed


def kind_mask(snapshot: Snapshot, kinds: tuple[MomentKind, ...]) -> Mask:
    """Which moments are of these kinds: (num_moments,) bool, read-only."""
    return snapshot.columns.of_kinds(kinds)


def matching(condition: Condition, columns: Mapping[str, MetadataColumn], open_to: Mask) -> Mask:
    """Which of the sources in `open_to` fulfil a condition: (number of sources,) bool.

    Raises WhereError when none of them has metadata of a name, or none a value of the type that a
    name is compared with: either is a slip. What the other sources hold is not told.
    """
    known = {
        name: MetadataColumn(np.where(open_to, column.codes, np.int32(-1)), column.values)
        for name, column in columns.items()
        if np.any(column.codes[open_to] >= 0)
    }
    fulfilled, _ = _truth(condition, known)
    return fulfilled & open_to


def _truth(condition: Condition, columns: Mapping[str, MetadataColumn]) -> tuple[Mask, Mask]:
    """Where a condition is true and where it is false; it may be neither."""
    if isinstance(condition, Negated):
        true, false = _truth(condition.of, columns)
        return false, true
    if isinstance(condition, Every | Some):
        true, false = _truth(condition.of[0], columns)
        for part in condition.of[1:]:
            also, not_so = _truth(part, columns)
            if isinstance(condition, Every):
                true, false = true & also, false | not_so
            else:
                true, false = true | also, false & not_so
        return true, false
    return _truth_of_test(condition, columns)


def _truth_of_test(test: Test, columns: Mapping[str, MetadataColumn]) -> tuple[Mask, Mask]:
    column = columns.get(test.name)
    if column is None:
        names = ", ".join(sorted(columns)[:_NAMES_TOLD]) or "none"
        raise WhereError(test.column, f"no source has metadata {test.name!r}; there is: {names}")
    present = column.codes >= 0
    if isinstance(test, Missing):
        return ~present, present
    held = np.flatnonzero(np.bincount(column.codes[present])).tolist()
    _require_comparable(test, [column.values[code] for code in held])
    outcomes = [holds(test, value) for value in column.values]
    # the last one is for the code -1
    true = np.array([*(outcome is True for outcome in outcomes), False])
    false = np.array([*(outcome is False for outcome in outcomes), False])
    return true[column.codes], false[column.codes]


def _require_comparable(test: Compared | Among | Like, held: list[Value]) -> None:
    if isinstance(test, Compared):
        wanted: tuple[Value, ...] = (test.value,)
    else:
        wanted = test.values if isinstance(test, Among) else (test.pattern,)
    for value in wanted:
        if not any(comparable(value, one) for one in held):
            raise WhereError(
                test.column,
                f"{test.name} is never like {_written(value)}: "
                f"it holds values such as {_written(held[0])}",
            )


def _written(value: Value) -> str:
    if not isinstance(value, str):
        return str(value).lower()
    cut = value if len(value) <= _CHARS_TOLD else value[: _CHARS_TOLD - 1] + "…"
    return "'" + cut.replace("'", "''") + "'"
