"""A question becomes ranked hits: search by meaning, by words and by pictures, fuse, merge."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from index.errors import QuestionError
from index.words import all_words
from retrieve.building import build_hits
from retrieve.confidence import LEAST_VERBATIM_WORDS, holds_phrase
from retrieve.filters import Filters, allowed_moments
from retrieve.fusion import fuse
from retrieve.hits import Candidate, Hit
from retrieve.lists import PICTURE_KINDS, TEXT_KINDS, Found, by_vector, by_words, weighed_lists
from retrieve.on_screen import ties_of
from retrieve.overview import overview
from retrieve.question import Question
from retrieve.understanding import asks_what_there_is, narrowed, understand

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from index.embedders import Embedder
    from index.ranking import Mask
    from index.snapshot import Snapshot
    from retrieve.explanation import Count, Explanation
    from retrieve.settings import RetrieveSettings

MILLISECONDS_PER_SECOND = 1000.0
_POOL_PER_HIT = 4
_POOL_AT_LEAST = 40


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Ranked hits and what finding them cost. It is itself the sequence of its hits."""

    query: str
    hits: tuple[Hit, ...]
    took_ms: float
    """All of it, wall clock."""
    steps_ms: dict[str, float]
    """Parts of it: embed, find, merge."""
    best_text_cosine: float | None
    """Likeness of the best text to the question, -1..1; None when no text was searched."""
    found: bool
    """Whether a hit is likely enough to be right; if not, they are only the nearest there is."""
    question: Question | None = None
    """What was understood of the query; None when it was to be taken literally."""
    expression: str | None = None
    """The query as an expression of the temporal algebra was read; None: it is none."""
    count: Count | None = None
    """How many there are, where an expression asks it."""
    explanation: Explanation | None = None
    """How an expression came to its hits."""

    @property
    def searched(self) -> str:
        """The words that were looked for: of the query, or what an expression keeps."""
        if self.explanation is not None:
            return self.explanation.kept
        return self.query if self.question is None else self.question.searched

    @property
    def is_overview(self) -> bool:
        """True when nothing was looked for: the hits show what there is, in its order."""
        return asks_what_there_is(self.question)

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
    query: str,
    *,
    k: int,
    filters: Filters,
    settings: RetrieveSettings,
    literal: bool = False,
) -> SearchResult:
    """Find the k best places for a query.

    Times, names of sources and kinds in it say where to look (`retrieve.question`), except when it
    is `literal`; what `filters` says goes before them. What may be content instead restricts
    nothing when nothing there speaks for the question. A question that only says where to look is
    answered with what is most typical there, in its order.
    Raises QuestionError when the query is empty, k < 1, or a filter names an unknown source or
    asks for metadata that no source has.
    """
    if not query.strip():
        raise QuestionError("the query is empty; write a few words to look for")
    if k < 1:
        raise QuestionError(f"k is the number of hits wanted, at least 1; got {k}")
    if literal:
        return _search_words(snapshot, embedder, query, k=k, filters=filters, settings=settings)
    started = time.perf_counter()
    question = understand(snapshot, query, filters)
    result = _search_question(snapshot, embedder, question, k, filters, settings)
    if question.is_restricted and not result.found:
        sure = understand(snapshot, query, filters, doubtful=False)
        wider = result
        if question.doubtful:
            wider = _search_question(snapshot, embedder, sure, k, filters, settings)
        if wider is not result and (not result.hits or wider.found):
            note = f"nothing there speaks of it; searched without: {'; '.join(question.notes)}"
            result = replace(wider, question=replace(sure, notes=(*sure.notes, note)))
        else:
            notes = (*question.notes, "little there speaks of it; a literal search looks anywhere")
            result = replace(result, question=replace(question, notes=notes))
    took_ms = (time.perf_counter() - started) * MILLISECONDS_PER_SECOND
    steps_ms = {"understand": took_ms - result.took_ms, **result.steps_ms}
    return replace(result, query=query, took_ms=took_ms, steps_ms=steps_ms)


def _search_question(
    snapshot: Snapshot,
    embedder: Embedder,
    question: Question,
    k: int,
    filters: Filters,
    settings: RetrieveSettings,
) -> SearchResult:
    """Search where a question says to."""
    filters = narrowed(filters, question)
    if asks_what_there_is(question):
        started = time.perf_counter()
        typical = overview(snapshot, allowed_moments(snapshot, filters), k=k, settings=settings)
        hits = with_ties(snapshot, typical, question.text, filters.permissions)
        took_ms = (time.perf_counter() - started) * MILLISECONDS_PER_SECOND
        return SearchResult(
            query=question.text,
            hits=hits,
            took_ms=took_ms,
            steps_ms={"find": took_ms},
            best_text_cosine=None,
            found=bool(hits),
            question=question,
        )
    words = question.searched or question.text
    found = _search_words(snapshot, embedder, words, k=k, filters=filters, settings=settings)
    return replace(found, question=question)


def _search_words(
    snapshot: Snapshot,
    embedder: Embedder,
    query: str,
    *,
    k: int,
    filters: Filters,
    settings: RetrieveSettings,
) -> SearchResult:
    """The k best places for words."""
    started = time.perf_counter()
    allowed = allowed_moments(snapshot, filters)
    vector = embedder.embed_queries([query])[0]
    embedded = time.perf_counter()
    count = max(settings.candidates, _POOL_PER_HIT * k)
    ranking = rank_moments(
        snapshot, query, vector, filters=filters, allowed=allowed, count=count, settings=settings
    )
    found = time.perf_counter()
    merged: tuple[Hit, ...] = ()
    for size in _pool_sizes(k, len(ranking.fused)):
        candidates = prefer_verbatim(
            ranking.candidates(snapshot, size), query, settings.verbatim_share
        )
        merged = build_hits(snapshot, candidates, query, k=k, settings=settings)
        if len(merged) == k:
            break
    hits = with_ties(snapshot, merged, query, filters.permissions)
    ended = time.perf_counter()
    return SearchResult(
        query=query,
        hits=hits,
        took_ms=(ended - started) * MILLISECONDS_PER_SECOND,
        steps_ms={
            "embed": (embedded - started) * MILLISECONDS_PER_SECOND,
            "find": (found - embedded) * MILLISECONDS_PER_SECOND,
            "merge": (ended - found) * MILLISECONDS_PER_SECOND,
        },
        best_text_cosine=ranking.best_text_cosine,
        found=any(hit.confidence >= settings.found_confidence for hit in hits),
    )


def _pool_sizes(k: int, available: int) -> Iterator[int]:
    """How many of the best are read, then more of them: duplicates may take up all."""
    size = max(_POOL_PER_HIT * k, _POOL_AT_LEAST)
    yield size
    while size < available:
        size *= _POOL_PER_HIT
        yield size


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a query may mean, by list and all together."""

    texts: Found
    pictures: Found
    words: list[int]
    """Moments that match words, best first."""
    fused: list[tuple[int, float]]
    """Moment ids and scores, best first."""

    @property
    def best_text_cosine(self) -> float | None:
        """Likeness of the best text to the query, -1..1; None when no text was searched."""
        return self.texts.cosines[0] if self.texts.cosines else None

    def candidates(self, snapshot: Snapshot, count: int) -> list[Candidate]:
        """The first `count` moments themselves."""
        return _candidates(snapshot, self.fused[:count], (self.texts, self.pictures), self.words)


def rank_moments(
    snapshot: Snapshot,
    query: str,
    vector: NDArray[np.float32],
    *,
    filters: Filters,
    allowed: Mask | None,
    count: int,
    settings: RetrieveSettings,
) -> Ranking:
    """Rank what is like a query, `count` moments from each list; `vector` (d,) is the query's."""
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
    return Ranking(texts, pictures, words, fused)


def with_ties(
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
    if len(wanted) < LEAST_VERBATIM_WORDS:
        return list(candidates)
    weighed = [
        replace(
            candidate,
            score=(1 - verbatim_share) * candidate.score
            + verbatim_share * holds_phrase(candidate.stored.moment.text, wanted),
        )
        for candidate in candidates
    ]
    return sorted(weighed, key=lambda candidate: -candidate.score)


def _candidates(
    snapshot: Snapshot,
    pool: list[tuple[int, float]],
    lists: tuple[Found, ...],
    words: list[int],
) -> list[Candidate]:
    cosines = {
        moment_id: cosine
        for found in lists
        for moment_id, cosine in zip(found.moment_ids, found.cosines, strict=True)
    }
    ranks = {moment_id: rank for rank, moment_id in enumerate(words, start=1)}
    stored = snapshot.texts([moment_id for moment_id, _ in pool])
    return [
        Candidate(one, score, cosines.get(moment_id), ranks.get(moment_id))
        for one, (moment_id, score) in zip(stored, pool, strict=True)
    ]
