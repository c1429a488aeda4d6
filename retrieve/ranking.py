"""Moments in the order in which they speak for a query: lists of each kind, then fused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from index.words import all_words
from retrieve.confidence import LEAST_VERBATIM_WORDS, holds_phrase
from retrieve.examples import Example, find_alike, join_by_segment
from retrieve.fusion import fuse_scores
from retrieve.hits import Candidate
from retrieve.lists import (
    PICTURE_KINDS,
    TEXT_KINDS,
    Found,
    by_vector,
    by_words,
    holding_phrases,
    text_cosines,
    weighed_pictures,
)
from retrieve.together import add_shown

if TYPE_CHECKING:
    from index.ranking import Mask, Vectors
    from index.snapshot import Snapshot
    from retrieve.filters import Filters
    from retrieve.query import Query
    from retrieve.settings import RetrieveSettings


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a query may mean, by list and all together."""

    fused: list[tuple[int, float]]
    """Moment ids and scores, best first."""
    lists: tuple[Found, ...]
    """By likeness."""
    words: list[int]
    """Moments that match words, best first."""
    best_text_cosine: float | None
    """Likeness of the best text to the query, -1..1; None when no text was searched."""

    def candidates(self, snapshot: Snapshot, count: int) -> list[Candidate]:
        """The first `count` moments themselves."""
        cosines = {
            moment_id: cosine
            for found in self.lists
            for moment_id, cosine in zip(found.moment_ids, found.cosines, strict=True)
        }
        ranks = {moment_id: rank for rank, moment_id in enumerate(self.words, start=1)}
        pool = self.fused[:count]
        stored = snapshot.texts([moment_id for moment_id, _ in pool])
        return [
            Candidate(one, score, cosines.get(moment_id), ranks.get(moment_id))
            for one, (moment_id, score) in zip(stored, pool, strict=True)
        ]


def rank(
    snapshot: Snapshot,
    query: Query,
    vector: Vectors | None,
    examples: Sequence[Example],
    *,
    filters: Filters,
    allowed: Mask | None,
    count: int,
    settings: RetrieveSettings,
) -> Ranking:
    """Rank what a query asks for, `count` moments from each list.

    `vector` (d,) is that of its text, None without one; `examples` are of its picture or place.
    """
    phrased = holding_phrases(snapshot, query, filters, allowed)
    ranking = Ranking([], (), [], None)
    if vector is not None:
        within = allowed if phrased is None else phrased
        ranking = rank_by_text(
            snapshot,
            query,
            vector,
            filters=filters,
            allowed=within,
            count=count,
            settings=settings,
        )
    if examples:
        alike = find_alike(
            snapshot, examples, query, vector, allowed=allowed, count=count, settings=settings
        )
        fused = alike.fused
        if query.has_text:
            fused = join_by_segment(snapshot, ranking.fused, fused)
        ranking = replace(ranking, fused=fused, lists=(*ranking.lists, *alike.lists))
    if phrased is not None:
        holding = [(moment_id, score) for moment_id, score in ranking.fused if phrased[moment_id]]
        ranking = replace(ranking, fused=holding)
    return ranking


def rank_by_text(
    snapshot: Snapshot,
    query: Query,
    vector: Vectors,
    *,
    filters: Filters,
    allowed: Mask | None,
    count: int,
    settings: RetrieveSettings,
) -> Ranking:
    """Rank what is like the text of a query, whose vector is `vector` (d,), or has its words."""
    texts = by_vector(snapshot, vector, TEXT_KINDS, allowed=allowed, count=count, settings=settings)
    pictures = by_vector(
        snapshot, vector, PICTURE_KINDS, allowed=allowed, count=count, settings=settings
    )
    words = by_words(snapshot, query, filters, allowed, count)
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
    return Ranking(fused, (texts, pictures), words.moment_ids, best_cosine)


def prefer_verbatim(
    candidates: Sequence[Candidate], query: str, verbatim_share: float
) -> list[Candidate]:
    """Order again, with `verbatim_share` of the score for holding the query word by word.

    Likeness and words alone cannot tell a text that has all the words in their order from one that
    has them anywhere. Queries of one word are left as they are. Scores stay within 0..1.
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
