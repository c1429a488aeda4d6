"""Expressions of the temporal algebra become hits: operands are searched, then joined in DuckDB.

Part by part, innermost first; `retrieve.algebra` tells what each means. Hits keep the order in
which the kept operand's search ranks them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from index.errors import QuestionError
from index.interval_joins import Pairs, Placed, in_sources_without, join_intervals, outermost
from index.records import PageArea
from retrieve.algebra import (
    Between,
    Expression,
    Operand,
    Outermost,
    Part,
    Related,
    Without,
    kept_operand,
    parts_of,
)
from retrieve.algebra_text import relation_written, written
from retrieve.explanation import Count, Explanation, Step
from retrieve.filters import Filters, allowed_moments, allowed_sources
from retrieve.hits import Hit, Partner
from retrieve.operands import Matches, match_exactly, match_operand
from retrieve.query import Query
from retrieve.result import MILLISECONDS_PER_SECOND, SearchResult
from retrieve.search import as_meant, with_ties

if TYPE_CHECKING:
    from index.embedders import Embedder
    from index.metadata import Value
    from index.snapshot import Snapshot
    from index.word_query import Phrases, Typos
    from retrieve.settings import RetrieveSettings

PARTNERS_TOLD = 3
"""Of each hit and relation, the nearest."""


def search_expression(
    snapshot: Snapshot,
    embedder: Embedder,
    expression: Expression,
    *,
    k: int,
    filters: Filters,
    settings: RetrieveSettings,
    query: str | None = None,
    phrases: Phrases = "require",
    typos: Typos = "unmatched",
) -> SearchResult:
    """Find the k best hits of an expression, how many there are, and how they were found.

    `query` is the expression as it was typed; None: it was not. `phrases` and `typos` hold for
    the texts of operands that are not exact; see `retrieve.query.Query`.

    Raises QuestionError when k < 1, a filter names an unknown source, or sources are to be ordered
    by metadata that they do not have or that cannot be ordered.
    """
    if k < 1:
        raise QuestionError(f"k is the number of hits wanted, at least 1; got {k}")
    started = time.perf_counter()
    places = Places.of(snapshot, expression, filters)
    parts = list(parts_of(expression.part))
    operands = list(dict.fromkeys(part for part in parts if isinstance(part, Operand)))
    alike = [operand for operand in operands if not operand.exact]
    asked = [Query(operand.text, phrases=phrases, typos=typos) for operand in alike]
    open_to = allowed_moments(snapshot, Filters(permissions=filters.permissions))
    near = [snapshot.near_words(query.text, typos, allowed=open_to) for query in asked]
    meant = [as_meant(snapshot, *one, open_to) for one in zip(asked, near, strict=True)]
    looked_up = time.perf_counter()
    vectors = embedder.embed_queries(meant) if alike else ()
    embedded = time.perf_counter()
    allowed = allowed_moments(snapshot, filters)
    matches = {
        operand: match_operand(
            snapshot,
            query,
            vector,
            meant=text,
            filters=filters,
            allowed=allowed,
            settings=settings,
        )
        for operand, query, text, vector in zip(alike, asked, meant, vectors, strict=True)
    }
    for operand in operands:
        if operand.exact:
            matches[operand] = match_exactly(
                snapshot, operand, filters=filters, allowed=allowed, settings=settings
            )
    found = time.perf_counter()
    evaluation = Evaluation(matches, places, expression.across)
    hits = evaluation.hits_of(expression.part)
    shown = [replace(hit, rank=rank) for rank, hit in enumerate(hits[:k], start=1)]
    kept = kept_operand(expression.part).text
    tied = with_ties(snapshot, shown, kept, filters.permissions)
    ended = time.perf_counter()
    complete = all(match.complete for match in matches.values())
    text = written(expression)
    return SearchResult(
        query=text if query is None else query,
        hits=tied,
        took_ms=(ended - started) * MILLISECONDS_PER_SECOND,
        steps_ms={
            "embed": (embedded - looked_up) * MILLISECONDS_PER_SECOND,
            "find": (looked_up - started + found - embedded) * MILLISECONDS_PER_SECOND,
            "merge": (ended - found) * MILLISECONDS_PER_SECOND,
        },
        best_text_cosine=None,
        found=bool(hits),
        read_as={word: words for one in near for word, words in one.items()},
        expression=text,
        count=_count(snapshot, hits, complete) if expression.counts else None,
        explanation=Explanation(text, kept, tuple(evaluation.steps)),
    )


def _count(snapshot: Snapshot, hits: Sequence[Hit], complete: bool) -> Count:
    counted = Counter(hit.source.id for hit in hits)
    return Count(
        len(hits),
        tuple((snapshot.sources[id_], counted[id_]) for id_ in snapshot.source_ids if counted[id_]),
        complete,
    )


@dataclass(frozen=True, slots=True)
class Places:
    """Where sources stand."""

    numbers: Mapping[str, int]
    """In the order of the library."""
    orders: Mapping[str, int]
    """In the order that is asked for; those without one are not in it."""

    @classmethod
    def of(cls, snapshot: Snapshot, expression: Expression, filters: Filters) -> Places:
        numbers = {source_id: number for number, source_id in enumerate(snapshot.source_ids)}
        if expression.by is None:
            return cls(numbers, numbers)
        return cls(numbers, _ordered(snapshot, expression.by, filters))

    def placed(self, hit: Hit) -> Placed:
        """A hit as a row of a join."""
        source_id = hit.source.id
        return Placed(self.numbers[source_id], hit.place, self.orders.get(source_id))


def _ordered(snapshot: Snapshot, name: str, filters: Filters) -> dict[str, int]:
    """Position of each source by a value of its metadata; equal values have one position."""
    mask = allowed_sources(snapshot, filters)
    open_to = [id_ for id_, allowed in zip(snapshot.source_ids, mask, strict=True) if allowed]
    said = {id_: snapshot.metadata.of(id_).values for id_ in open_to}
    values: dict[str, Value] = {id_: own[name] for id_, own in said.items() if name in own}
    if not values:
        names = ", ".join(sorted({one for own in said.values() for one in own})) or "none"
        raise QuestionError(f"no source has metadata {name!r} to order by; there is: {names}")
    texts = {id_: value for id_, value in values.items() if isinstance(value, str)}
    numbers = {
        id_: value
        for id_, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    if len(values) not in (len(texts), len(numbers)):
        raise QuestionError(
            f"sources cannot be ordered by {name!r}: some of its values are texts, some numbers "
            "or truths; dates are ordered when written as 2021-03-05"
        )
    in_order: list[str] | list[int | float]
    in_order = sorted(set(texts.values())) if texts else sorted(set(numbers.values()))
    position = {value: number for number, value in enumerate(in_order)}
    return {id_: position[value] for id_, value in values.items()}


@dataclass(slots=True)
class Evaluation:
    """Evaluates parts, and keeps what was done."""

    matches: Mapping[Operand, Matches]
    places: Places
    across: bool
    steps: list[Step] = field(default_factory=list)

    def hits_of(self, part: Part) -> list[Hit]:
        """The hits of a part, in the order of its kept operand."""
        match part:
            case Operand():
                return self._operand(part)
            case Related():
                return self._related(part)
            case Between():
                return self._between(part)
            case Without(left, other):
                hits, others = self.hits_of(left), self.hits_of(other)
                kept = in_sources_without(
                    self._placed(hits), self._placed(others), across=self.across
                )
            case Outermost(end, of):
                hits = self.hits_of(of)
                kept = outermost(self._placed(hits), end, across=self.across)
        self.steps.append(
            Step(written(part), len(kept.rows), len(hits), False, statement=kept.statement)
        )
        return [hits[row] for row in kept.rows]

    def _placed(self, hits: Sequence[Hit]) -> list[Placed]:
        return [self.places.placed(hit) for hit in hits]

    def _operand(self, part: Operand) -> list[Hit]:
        found = self.matches[part]
        step = Step(
            written(part), len(found.hits), found.num_moments, True, complete=found.complete
        )
        self.steps.append(step)
        return list(found.hits)

    def _related(self, part: Related) -> list[Hit]:
        left, right = self.hits_of(part.left), self.hits_of(part.right)
        pairs = join_intervals(
            self._placed(left),
            self._placed(right),
            part.relation,
            at_most=part.at_most,
            across=self.across,
            partners=PARTNERS_TOLD,
        )
        if part.negated:
            kept = _complement(left, {row for row, _ in pairs.rows})
        else:
            name = relation_written(part).lower()
            kept = _joined(left, [_Side(pairs, right, name, written(part.right))])
        self._tell(part, kept, left, [right], [pairs])
        return kept

    def _between(self, part: Between) -> list[Hit]:
        left = self.hits_of(part.left)
        sides = []
        for relation, inner in (("after", part.earlier), ("before", part.later)):
            right = self.hits_of(inner)
            pairs = join_intervals(
                self._placed(left),
                self._placed(right),
                "after" if relation == "after" else "before",
                across=self.across,
                partners=PARTNERS_TOLD,
            )
            sides.append(_Side(pairs, right, relation, written(inner)))
        if part.negated:
            first, second = ({row for row, _ in side.pairs.rows} for side in sides)
            kept = _complement(left, first & second)
        else:
            kept = _joined(left, sides)
        self._tell(part, kept, left, [side.hits for side in sides], [side.pairs for side in sides])
        return kept

    def _tell(
        self,
        part: Part,
        kept: Sequence[Hit],
        left: Sequence[Hit],
        others: Sequence[Sequence[Hit]],
        pairs: Sequence[Pairs],
    ) -> None:
        on_pages = sum(isinstance(hit.place, PageArea) for hits in (left, *others) for hit in hits)
        self.steps.append(
            Step(
                written(part),
                len(kept),
                len(left),
                False,
                pairs=sum(one.num_pairs for one in pairs),
                on_pages=on_pages,
                statement=";\n".join(one.statement for one in pairs),
            )
        )


@dataclass(frozen=True, slots=True)
class _Side:
    """What a join found on its right side."""

    pairs: Pairs
    hits: Sequence[Hit]
    relation: str
    expression: str


def _joined(left: Sequence[Hit], sides: Sequence[_Side]) -> list[Hit]:
    """The rows that have partners on every side, with them."""
    by_row = [dict(side.pairs.rows) for side in sides]
    joined = []
    for row, hit in enumerate(left):
        if all(row in rows for rows in by_row):
            partners = tuple(
                Partner(side.relation, side.expression, side.hits[partner])
                for side, rows in zip(sides, by_row, strict=True)
                for partner in rows[row]
            )
            joined.append(replace(hit, partners=(*hit.partners, *partners)))
    return joined


def _complement(left: Sequence[Hit], rows: set[int]) -> list[Hit]:
    """The rows with a time that are not these."""
    return [
        hit
        for row, hit in enumerate(left)
        if row not in rows and not isinstance(hit.place, PageArea)
    ]
