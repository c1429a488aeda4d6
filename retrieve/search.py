"""A question becomes ranked hits: search by meaning, by words and by pictures, fuse, merge."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from index.errors import QuestionError
from index.records import MomentKind
from index.words import all_words
from retrieve.filters import Filters, allowed_moments, kind_mask
from retrieve.fusion import RankedList, fuse
from retrieve.hits import Candidate, Hit, merge_hits
from retrieve.on_screen import ties_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from index.embedders import Embedder
    from index.snapshot import Snapshot
    from retrieve.settings import RetrieveSettings

TEXT_KINDS = (
    MomentKind.UTTERANCE,
    MomentKind.SCREEN_TEXT,
    MomentKind.PASSAGE,
    MomentKind.FIGURE,
)
"""Kinds whose vectors come from words."""
PICTURE_KINDS = (MomentKind.FRAME, MomentKind.PAGE)
"""Kinds whose vectors come from pictures; their cosines have another scale."""

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


@dataclass(frozen=True, slots=True)
class _Found:
    """One vector list: moment ids, best first, and their cosines."""

    moment_ids: list[int]
    cosines: list[float]


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
    vector = embedder.embed_queries([query])[0]
    embedded = time.perf_counter()
    count = max(settings.candidates, _POOL_PER_HIT * k)
    texts = _by_vector(
        snapshot, vector, TEXT_KINDS, allowed=allowed, count=count, settings=settings
    )
    pictures = _by_vector(
        snapshot, vector, PICTURE_KINDS, allowed=allowed, count=count, settings=settings
    )
    words = _by_words(snapshot, query, filters, allowed, count)
    best_cosine = texts.cosines[0] if texts.cosines else None
    fused = fuse(
        _weighed(texts, pictures, words, best_cosine, settings),
        rank_constant=settings.rank_constant,
    )
    found = time.perf_counter()
    pool = fused[: max(_POOL_PER_HIT * k, _POOL_AT_LEAST)]
    candidates = prefer_verbatim(
        _candidates(snapshot, pool, (texts, pictures)), query, settings.verbatim_share
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


def _by_vector(
    snapshot: Snapshot,
    vector: NDArray[np.float32],
    kinds: tuple[MomentKind, ...],
    *,
    allowed: NDArray[np.bool_] | None,
    count: int,
    settings: RetrieveSettings,
) -> _Found:
    mask = _masked(snapshot, kinds, allowed)
    if not mask.any():
        return _Found([], [])
    moment_ids, cosines = snapshot.search_vectors(
        vector,
        count,
        mode=_mode(snapshot, settings),
        probes=settings.vectors.probes,
        allowed=mask,
    )
    # equal cosines (repeated slides) in the order of the library, whatever the index did
    order = np.lexsort((moment_ids, -cosines))
    return _Found(
        [int(moment_id) for moment_id in moment_ids[order]],
        [float(cosine) for cosine in cosines[order]],
    )


def _by_words(
    snapshot: Snapshot,
    query: str,
    filters: Filters,
    allowed: NDArray[np.bool_] | None,
    count: int,
) -> list[int]:
    """Pages repeat their passages, and labels of frames are guesses: only searched by name."""
    mask = _masked(snapshot, filters.kinds or TEXT_KINDS, allowed)
    if not mask.any():
        return []
    moment_ids, scores = snapshot.search_words(query, count, allowed=mask)
    return [int(moment_id) for moment_id in moment_ids[np.lexsort((moment_ids, -scores))]]


def _masked(
    snapshot: Snapshot, kinds: tuple[MomentKind, ...], allowed: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    mask = kind_mask(snapshot, kinds)
    return mask if allowed is None else mask & allowed


def _mode(snapshot: Snapshot, settings: RetrieveSettings) -> Literal["fast", "thorough"]:
    vectors = settings.vectors
    if vectors.mode != "auto":
        return vectors.mode
    return "thorough" if snapshot.num_moments <= vectors.thorough_up_to else "fast"


def _weighed(
    texts: _Found,
    pictures: _Found,
    words: list[int],
    best_cosine: float | None,
    settings: RetrieveSettings,
) -> list[RankedList]:
    """Pictures much like the question count, alone; others only where no text speaks for itself."""
    alike = [
        moment_id
        for moment_id, cosine in zip(pictures.moment_ids, pictures.cosines, strict=True)
        if cosine >= settings.alike_pictures_cosine
    ]
    has_text = bool(words) or (
        best_cosine is not None and best_cosine >= settings.text_evidence_cosine
    )
    if alike:
        seen = RankedList(alike, settings.alike_pictures_weight)
    elif has_text:
        seen = RankedList(pictures.moment_ids, settings.pictures_weight)
    else:
        seen = RankedList(pictures.moment_ids, settings.meaning_weight)
    return [
        RankedList(texts.moment_ids, settings.meaning_weight),
        RankedList(words, settings.words_weight),
        seen,
    ]


def _candidates(
    snapshot: Snapshot, pool: list[tuple[int, float]], lists: tuple[_Found, ...]
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
