"""A question becomes ranked hits: search by meaning, by words and by pictures, fuse, merge."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from index.errors import QuestionError
from index.words import all_words
from retrieve.boundaries import Frames, tighten
from retrieve.examples import examples_of, find_alike, join_by_segment, sight_of
from retrieve.filters import Filters, allowed_moments
from retrieve.fusion import fuse
from retrieve.hits import Candidate, Hit, merge_hits
from retrieve.lists import (
    PICTURE_KINDS,
    TEXT_KINDS,
    Found,
    by_vector,
    by_words,
    holding_phrases,
    weighed_lists,
)
from retrieve.on_screen import ties_of
from retrieve.query import Like, Query

if TYPE_CHECKING:
    from index.embedders import Embedder
    from index.ranking import Mask, Vectors
    from index.snapshot import Snapshot
    from retrieve.settings import RetrieveSettings

MILLISECONDS_PER_SECOND = 1000.0
_POOL_PER_HIT = 4
_POOL_AT_LEAST = 40
_LEAST_VERBATIM_WORDS = 2


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Ranked hits and what finding them cost. It is itself the sequence of its hits."""

    query: str
    """Its text; empty when it was asked by example alone."""
    hits: tuple[Hit, ...]
    took_ms: float
    """All of it, wall clock."""
    steps_ms: dict[str, float]
    """Parts of it: embed, find, merge, tighten."""
    best_text_cosine: float | None
    """Likeness of the best text to the question, -1..1; None when no text was searched."""
    picture: bool = False
    """Whether it was asked by picture."""
    like: Like | None = None
    """The place of which more was asked for."""
    read_as: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Words of the text that were taken for mistyped, and what they were looked up as."""

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)

    def __getitem__(self, rank_from_0: int) -> Hit:
        return self.hits[rank_from_0]

    def __repr__(self) -> str:
        best = f"; best: {self.hits[0]!r}" if self.hits else ""
        return f"SearchResult({self.query!r}: {len(self.hits)} hits in {self.took_ms:.0f} ms{best})"


def search(
    snapshot: Snapshot,
    embedder: Embedder,
    query: Query | str,
    *,
    k: int,
    filters: Filters,
    settings: RetrieveSettings,
    frames: Frames | None = None,
) -> SearchResult:
    """Find the k best places for a query; a text alone is `Query(text)`.

    With `frames`, the borders of what is seen are looked for in the videos (`retrieve.boundaries`).

    Raises QuestionError when the query is empty or like a place that is not there, k < 1, or a
    filter names an unknown source or asks for metadata that no source has.
    """
    if isinstance(query, str):
        query = Query(query)
    if k < 1:
        raise QuestionError(f"k is the number of hits wanted, at least 1; got {k}")
    started = time.perf_counter()
    allowed = allowed_moments(snapshot, filters)
    vector = embedder.embed_queries([query.text])[0] if query.has_text else None
    examples = examples_of(snapshot, embedder, query)
    embedded = time.perf_counter()
    count = max(settings.candidates, _POOL_PER_HIT * k)
    phrased = holding_phrases(snapshot, query, filters, allowed)
    told = _Told([], (), None)
    if vector is not None:
        within = allowed if phrased is None else phrased
        told = _by_text(snapshot, query, vector, filters, within, count, settings)
    fused, lists = told.fused, told.lists
    if examples:
        alike = find_alike(
            snapshot, examples, query, vector, allowed=allowed, count=count, settings=settings
        )
        fused = join_by_segment(snapshot, fused, alike.fused) if query.has_text else alike.fused
        lists = (*lists, *alike.lists)
    if phrased is not None:
        fused = [(moment_id, score) for moment_id, score in fused if phrased[moment_id]]
    found = time.perf_counter()
    pool = fused[: max(_POOL_PER_HIT * k, _POOL_AT_LEAST)]
    candidates = prefer_verbatim(
        _candidates(snapshot, pool, lists), query.text, settings.verbatim_share
    )
    merged = merge_hits(candidates, query.text, k=k, settings=settings)
    before = time.perf_counter()
    if frames is not None:
        merged = tighten(merged, sight_of(examples, vector), embedder, frames, settings.boundaries)
    tightened = time.perf_counter()
    hits = _tied(snapshot, merged, query.text, filters.permissions)
    read_as = snapshot.near_words(query.text, query.typos)
    ended = time.perf_counter()
    return SearchResult(
        query=query.text,
        hits=hits,
        took_ms=(ended - started) * MILLISECONDS_PER_SECOND,
        steps_ms={
            "embed": (embedded - started) * MILLISECONDS_PER_SECOND,
            "find": (found - embedded) * MILLISECONDS_PER_SECOND,
            "merge": (ended - tightened + before - found) * MILLISECONDS_PER_SECOND,
            "tighten": (tightened - before) * MILLISECONDS_PER_SECOND,
        },
        best_text_cosine=told.best_cosine,
        picture=query.picture is not None,
        like=query.like,
        read_as=read_as,
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """What a text finds."""

    fused: list[tuple[int, float]]
    """Moment ids and scores, best first."""
    lists: tuple[Found, ...]
    best_cosine: float | None


def _by_text(
    snapshot: Snapshot,
    query: Query,
    vector: Vectors,
    filters: Filters,
    allowed: Mask | None,
    count: int,
    settings: RetrieveSettings,
) -> _Told:
    texts = by_vector(snapshot, vector, TEXT_KINDS, allowed=allowed, count=count, settings=settings)
    pictures = by_vector(
        snapshot, vector, PICTURE_KINDS, allowed=allowed, count=count, settings=settings
    )
    words = by_words(snapshot, query, filters, allowed, count)
    best_cosine = texts.cosines[0] if texts.cosines else None
    fused = fuse(
        weighed_lists(texts, pictures, words, best_cosine, settings),
        rank_constant=settings.rank_constant,
    )
    return _Told(fused, (texts, pictures), best_cosine)


def _tied(
    snapshot: Snapshot, hits: Sequence[Hit], query: str, permissions: frozenset[str] | None
) -> tuple[Hit, ...]:
    """The hits with what ties slides to talks."""
    places = [(hit.source.id, hit.place) for hit in hits]
    ties = ties_of(snapshot, places, query, permissions=permissions)
    return tuple(
        replace(hit, on_screen=tie.on_screen, shown_page=tie.shown_page)
        for hit, tie in zip(hits, ties, strict=True)
    )


def prefer_verbatim(
    candidates: Sequence[Candidate], query: str, verbatim_share: float
) -> list[Candidate]:
    """Order again, with `verbatim_share` of the score for holding the query word by word.

    Ranks alone cannot tell a text that has all the words in their order from one that has them
    anywhere. Queries of one word are left as they are. Scores stay within 0..1.
    """
    wanted = all_words(query)
    if len(wanted) < _LEAST_VERBATIM_WORDS:
        return list(candidates)
    phrase = f" {' '.join(wanted)} "
    weighed = [
        replace(
            candidate,
            score=(1 - verbatim_share) * candidate.score
            + verbatim_share * (phrase in f" {' '.join(all_words(candidate.stored.moment.text))} "),
        )
        for candidate in candidates
    ]
    return sorted(weighed, key=lambda candidate: -candidate.score)


def _candidates(
    snapshot: Snapshot, pool: list[tuple[int, float]], lists: tuple[Found, ...]
) -> list[Candidate]:
    cosines = {
        moment_id: cosine
        for found in lists
        for moment_id, cosine in zip(found.moment_ids, found.cosines, strict=True)
    }
    stored = snapshot.moments([moment_id for moment_id, _ in pool])
    return [
        Candidate(one, score, cosines.get(moment_id))
        for one, (moment_id, score) in zip(stored, pool, strict=True)
    ]
