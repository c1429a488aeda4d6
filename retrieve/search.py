"""A question becomes ranked hits: understand it, rank moments, fuse, merge, tighten."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from index.errors import QuestionError
from retrieve.boundaries import Frames, tighten
from retrieve.building import build_hits
from retrieve.examples import examples_of, sight_of
from retrieve.filters import Filters, allowed_moments
from retrieve.framing import without_frame
from retrieve.hits import Hit
from retrieve.on_screen import ties_of
from retrieve.overview import overview
from retrieve.query import Query
from retrieve.question import Question
from retrieve.ranking import prefer_verbatim, rank
from retrieve.reranking import Shown, rerank
from retrieve.result import MILLISECONDS_PER_SECOND, SearchResult
from retrieve.understanding import asks_what_there_is, narrowed, understand

if TYPE_CHECKING:
    from index.embedders import Embedder
    from index.ranking import Mask
    from index.snapshot import Snapshot
    from retrieve.reranking import Reranker
    from retrieve.settings import RetrieveSettings

_POOL_PER_HIT = 4
_POOL_AT_LEAST = 40


@dataclass(frozen=True, slots=True)
class _Search:
    """What all attempts at a question have in common."""

    snapshot: Snapshot
    embedder: Embedder
    k: int
    settings: RetrieveSettings
    frames: Frames | None
    reranker: Reranker | None


def search(
    snapshot: Snapshot,
    embedder: Embedder,
    query: Query | str,
    *,
    k: int,
    filters: Filters,
    settings: RetrieveSettings,
    literal: bool = False,
    frames: Frames | None = None,
    reranker: Reranker | None = None,
) -> SearchResult:
    """Find the k best places for a query; a text alone is `Query(text)`.

    Times, names of sources and kinds in it say where to look (`retrieve.question`), except when it
    is `literal`; what `filters` says goes before them. What may be content instead restricts
    nothing when nothing there speaks for the question. A question that only says where to look is
    answered with what is most typical there, in its order.
    With `frames`, the borders of what is seen are looked for in the videos (`retrieve.boundaries`);
    a `reranker` reads the first candidates once more.
    Raises QuestionError when the query is empty or like a place that is not there, k < 1, or a
    filter names an unknown source or asks for metadata that no source has.
    """
    if isinstance(query, str):
        query = Query(query)
    if k < 1:
        raise QuestionError(f"k is the number of hits wanted, at least 1; got {k}")
    one = _Search(snapshot, embedder, k, settings, frames, reranker)
    if literal or not query.has_text:
        return _find(one, query, filters)
    started = time.perf_counter()
    question = understand(snapshot, query.text, filters)
    result = _answer(one, query, question, filters)
    if question.is_restricted and not result.found:
        sure = understand(snapshot, query.text, filters, doubtful=False)
        wider = _answer(one, query, sure, filters) if question.doubtful else result
        if wider is not result and (not result.hits or wider.found):
            note = f"nothing there speaks of it; searched without: {'; '.join(question.notes)}"
            result = replace(wider, question=replace(sure, notes=(*sure.notes, note)))
        else:
            notes = (*question.notes, "little there speaks of it; a literal search looks anywhere")
            result = replace(result, question=replace(question, notes=notes))
    took_ms = (time.perf_counter() - started) * MILLISECONDS_PER_SECOND
    steps_ms = {"understand": took_ms - result.took_ms, **result.steps_ms}
    return replace(result, query=query.text, took_ms=took_ms, steps_ms=steps_ms)


def _answer(one: _Search, query: Query, question: Question, filters: Filters) -> SearchResult:
    """Search where a question says to."""
    filters = narrowed(filters, question)
    if not asks_what_there_is(question) or query.picture is not None or query.like is not None:
        words = without_frame(question.searched or question.text)
        return replace(_find(one, replace(query, text=words), filters), question=question)
    started = time.perf_counter()
    allowed = allowed_moments(one.snapshot, filters)
    typical = overview(
        one.snapshot, allowed, k=one.k, settings=one.settings, instants=question.instants
    )
    hits = with_ties(one.snapshot, typical, question.text, filters.permissions)
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


def _find(one: _Search, query: Query, filters: Filters) -> SearchResult:
    """The k best places for a query, taken literally."""
    snapshot, settings, k = one.snapshot, one.settings, one.k
    steps = _Steps()
    allowed = allowed_moments(snapshot, filters)
    open_to = allowed_moments(snapshot, Filters(permissions=filters.permissions))
    read_as = snapshot.near_words(query.text, query.typos, allowed=open_to)
    meant = as_meant(snapshot, query, read_as, open_to)
    steps.end("find")
    vector = one.embedder.embed_queries([meant])[0] if query.has_text else None
    examples = examples_of(snapshot, one.embedder, query)
    steps.end("embed")
    ranking = rank(
        snapshot,
        query,
        vector,
        examples,
        filters=filters,
        allowed=allowed,
        count=max(settings.candidates, _POOL_PER_HIT * k),
        settings=settings,
    )
    steps.end("find")
    hits: tuple[Hit, ...] = ()
    num_reranked = 0
    for size in _pool_sizes(k, len(ranking.fused)):
        candidates = ranking.candidates(snapshot, size)
        candidates = prefer_verbatim(candidates, meant, settings.verbatim_share)
        if one.reranker is not None:
            steps.end("merge")
            asked = Shown(query.text, query.picture)
            reranked = rerank(
                one.reranker, asked, candidates, settings.reranker, picture_of=snapshot.picture
            )
            candidates, num_reranked = reranked.candidates, reranked.num_read
            steps.end("rerank")
        hits = build_hits(snapshot, candidates, meant, k=k, settings=settings)
        if len(hits) == k:
            break
    steps.end("merge")
    if one.frames is not None:
        sight = sight_of(examples, vector)
        hits = tighten(hits, sight, one.embedder, one.frames, settings.boundaries)
        steps.end("tighten")
    hits = with_ties(snapshot, hits, query.text, filters.permissions)
    steps.end("merge")
    return SearchResult(
        query=query.text,
        hits=hits,
        took_ms=sum(steps.took_ms.values()),
        steps_ms=steps.took_ms,
        best_text_cosine=ranking.best_text_cosine,
        found=any(hit.confidence >= settings.found_confidence for hit in hits),
        picture=query.picture is not None,
        like=query.like,
        read_as=read_as,
        num_reranked=num_reranked,
    )


class _Steps:
    """A clock that tells what each step took."""

    def __init__(self) -> None:
        self.took_ms: dict[str, float] = {}
        self._began = time.perf_counter()

    def end(self, step: str) -> None:
        """What has passed since the last step ended was this one."""
        now = time.perf_counter()
        took_ms = (now - self._began) * MILLISECONDS_PER_SECOND
        self.took_ms[step] = self.took_ms.get(step, 0.0) + took_ms
        self._began = now


def as_meant(
    snapshot: Snapshot, query: Query, read_as: Mapping[str, Sequence[str]], open_to: Mask | None
) -> str:
    """The text with the nearest words in place of those that match nothing."""
    text = query.text
    if query.typos == "all":  # then words that are found as typed stand in `read_as`, too
        read_as = snapshot.near_words(text, "unmatched", allowed=open_to)
    for word, near in read_as.items():
        text = re.sub(rf"(?i)(?<!\w){re.escape(word)}(?!\w)", near[0], text)
    return text


def _pool_sizes(k: int, available: int) -> Iterator[int]:
    """How many of the best are read, then more of them: duplicates may take up all."""
    size = max(_POOL_PER_HIT * k, _POOL_AT_LEAST)
    yield size
    while size < available:
        size *= _POOL_PER_HIT
        yield size


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
