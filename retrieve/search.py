"""A question becomes ranked hits: search by meaning, by words and by pictures, fuse, merge."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from index.errors import QuestionError
from index.words import all_words
from retrieve.filters import Filters, allowed_moments
from retrieve.framing import without_frame
from retrieve.fusion import fuse_scores
from retrieve.hits import Candidate, Hit, merge_hits
from retrieve.lists import (
    PICTURE_KINDS,
    TEXT_KINDS,
    Found,
    by_vector,
    by_words,
    text_cosines,
    weighed_pictures,
)
from retrieve.on_screen import ties_of
from retrieve.together import add_shown

if TYPE_CHECKING:
    from index.embedders import Embedder
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
    hits: tuple[Hit, ...]
    took_ms: float
    """All of it, wall clock."""
    steps_ms: dict[str, float]
    """Parts of it: embed, find, merge."""
    best_text_cosine: float | None
    """Likeness of the best text to the question, -1..1; None when no text was searched."""

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
) -> SearchResult:
    """Find the k best places for a query.

    Raises QuestionError when the query is empty, k < 1, or a filter names an unknown source or
    asks for metadata that no source has.
    """
    if not query.strip():
        raise QuestionError("the query is empty; write a few words to look for")
    if k < 1:
        raise QuestionError(f"k is the number of hits wanted, at least 1; got {k}")
    started = time.perf_counter()
    allowed = allowed_moments(snapshot, filters)
    subject = without_frame(query)
    vector = embedder.embed_queries([subject])[0]
    embedded = time.perf_counter()
    count = max(settings.candidates, _POOL_PER_HIT * k)
    texts = by_vector(snapshot, vector, TEXT_KINDS, allowed=allowed, count=count, settings=settings)
    pictures = by_vector(
        snapshot, vector, PICTURE_KINDS, allowed=allowed, count=count, settings=settings
    )
    words = by_words(snapshot, subject, filters, allowed, count)
    best_cosine = texts.cosines[0] if texts.cosines else None
    has_text = bool(words.moment_ids) or (
        best_cosine is not None and best_cosine >= settings.text_evidence_cosine
    )
    fused = fuse_scores(
        text_cosines(snapshot, vector, texts, words),
        dict(zip(words.moment_ids, words.shares, strict=True)),
        weighed_pictures(pictures, has_text, settings),
        meaning_weight=settings.meaning_weight,
        words_weight=settings.words_weight,
    )
    fused = add_shown(fused, snapshot.columns, settings.shown_share)
    found = time.perf_counter()
    pool = fused[: max(_POOL_PER_HIT * k, _POOL_AT_LEAST)]
    candidates = prefer_verbatim(
        _candidates(snapshot, pool, (texts, pictures)), subject, settings.verbatim_share
    )
    merged = merge_hits(candidates, query, k=k, settings=settings)
    hits = _tied(snapshot, merged, query, filters.permissions)
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
        best_text_cosine=best_cosine,
    )


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
