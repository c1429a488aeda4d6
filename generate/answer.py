"""A question becomes an answer whose every sentence names its proof, or the plain admission."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generate.answer_sentence import AnswerSentence, Verdict
from generate.citations import Citation, format_citation
from generate.evidence import Evidence, collect_evidence
from generate.extractive import (
    ScoredSentence,
    choose_sentences,
    first_sentences,
    score_sentences,
)
from retrieve.on_screen import Ties, ties_of
from retrieve.query import Query
from retrieve.result import MILLISECONDS_PER_SECOND, SearchResult
from retrieve.search import search

if TYPE_CHECKING:
    from generate.settings import GenerateSettings
    from index.embedders import Embedder
    from index.snapshot import Snapshot
    from retrieve.filters import Filters
    from retrieve.question import Question
    from retrieve.reranking import Reranker
    from retrieve.settings import RetrieveSettings

NOT_FOUND = "not found in the archive"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the archive says about a question."""

    question: str
    found: bool
    text: str
    """Sentences, each followed by its citations in brackets; NOT_FOUND when nothing answers."""
    sentences: tuple[AnswerSentence, ...]
    """Best first; empty when nothing answers."""
    evidence: tuple[Evidence, ...]
    """All that was read."""
    ledger: dict[str, str | int | float | None]
    """What was read and decided: JSON-able, milliseconds and counts."""
    understood: Question | None = None
    """What was understood of the question; None when it was to be taken literally."""


def answer(
    question: str,
    snapshot: Snapshot,
    embedder: Embedder,
    *,
    filters: Filters,
    retrieve: RetrieveSettings,
    settings: GenerateSettings,
    literal: bool = False,
    reranker: Reranker | None = None,
) -> Answer:
    """Search, then answer from the hits. Raises QuestionError as `search` does.

    Of a question that only says where to look ("what happened in the second hour?"), the first
    sentences of what is typical there are quoted.
    """
    # What is quoted in a question is a title or a doubt more often than a phrase to look for.
    result = search(
        snapshot,
        embedder,
        Query(question, phrases="prefer"),
        k=settings.hits,
        filters=filters,
        settings=retrieve,
        literal=literal,
        reranker=reranker,
    )
    return answer_from(
        result, snapshot, embedder, settings=settings, permissions=filters.permissions
    )


def answer_from(
    result: SearchResult,
    snapshot: Snapshot,
    embedder: Embedder,
    *,
    settings: GenerateSettings,
    permissions: frozenset[str] | None,
) -> Answer:
    """Answer the query of a search from its hits; `permissions` as in its filters."""
    started = time.perf_counter()
    evidence = collect_evidence(result.hits, snapshot)
    if result.is_overview:
        scored = first_sentences(evidence)
        chosen = tuple(scored)
    else:
        scored = score_sentences(result.searched, evidence, snapshot, embedder, settings)
        chosen = choose_sentences(scored, settings)
    places = [(one.sentence.evidence.source.id, one.sentence.place) for one in chosen]
    ties = ties_of(snapshot, places, result.query, permissions=permissions)
    sentences = tuple(_quoted(one, tie) for one, tie in zip(chosen, ties, strict=True))
    took_ms = (time.perf_counter() - started) * MILLISECONDS_PER_SECOND
    return Answer(
        question=result.query,
        found=bool(sentences),
        text=_written(sentences) if sentences else NOT_FOUND,
        sentences=sentences,
        evidence=evidence,
        ledger={
            "backend": settings.backend,
            "hits": len(result.hits),
            "evidence": len(evidence),
            "sentences_read": len(scored),
            "sentences_quoted": len(sentences),
            "best_score": round(scored[0].score, 4) if scored else None,
            "answer_threshold": settings.answer_threshold,
            "search_ms": round(result.took_ms, 3),
            "answer_ms": round(took_ms, 3),
        },
        understood=result.question,
    )


def _quoted(one: ScoredSentence, ties: Ties) -> AnswerSentence:
    sentence = one.sentence
    evidence = sentence.evidence
    citation = Citation(
        evidence=evidence.id,
        source_id=evidence.source.id,
        source_name=evidence.source.name,
        place=sentence.place,
        quote=sentence.quote,
        on_screen=ties.on_screen,
        shown_page=ties.shown_page,
    )
    verdict: Verdict = "supported" if sentence.quote in evidence.text else "not shown"
    return AnswerSentence(sentence.text, verdict, (citation,))


def _written(sentences: Sequence[AnswerSentence]) -> str:
    return " ".join(
        " ".join([sentence.text, *map(format_citation, sentence.citations)])
        for sentence in sentences
    )
