"""A question becomes an answer whose every sentence names its proof, or the plain admission."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from generate.answer_sentence import AnswerSentence, Verdict
from generate.assembly import NOT_FOUND
from generate.backends.router import chosen
from generate.citations import Citation, format_citation
from generate.evidence import Evidence, collect_evidence
from generate.extractive import (
    ScoredSentence,
    choose_sentences,
    first_sentences,
    score_sentences,
)
from generate.ledger import Ledger, evidence_row
from generate.model_answer import ModelAnswer, ask_model
from retrieve.on_screen import ties_of
from retrieve.query import Query
from retrieve.result import MILLISECONDS_PER_SECOND, SearchResult
from retrieve.search import search

if TYPE_CHECKING:
    import threading

    from generate.backends import Backend
    from generate.prompt import Turn
    from generate.settings import GenerateSettings
    from generate.visuals import SourcePictures
    from index.embedders import Embedder
    from index.snapshot import Snapshot
    from retrieve.filters import Filters
    from retrieve.question import Question
    from retrieve.reranking import Reranker
    from retrieve.settings import RetrieveSettings

__all__ = ["NOT_FOUND", "Answer", "answer", "answer_from"]

Facts = dict[str, str | int | float | None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the archive says about a question."""

    question: str
    found: bool
    text: str
    """Sentences, each followed by its citations in brackets and, where it is not supported, by its
    verdict; NOT_FOUND when nothing answers."""
    sentences: tuple[AnswerSentence, ...]
    """Best first; empty when nothing answers."""
    evidence: tuple[Evidence, ...]
    """All that was read."""
    ledger: Facts
    """What was decided and what it took: JSON-able, milliseconds and counts."""
    read: Ledger
    """All that was read, one row a part, with its tokens where a model read it."""
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
    backend: Backend | None = None,
    pictures: SourcePictures | None = None,
    conversation: Sequence[Turn] = (),
    stop: threading.Event | None = None,
) -> Answer:
    """Search, then answer from the hits. Raises QuestionError as `search` does.

    Of a question that only says where to look ("what happened in the second hour?"), the first
    sentences of what is typical there are quoted. `backend` and what follows: as in `answer_from`.
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
        result,
        snapshot,
        embedder,
        settings=settings,
        permissions=filters.permissions,
        backend=backend,
        pictures=pictures,
        conversation=conversation,
        stop=stop,
    )


def answer_from(
    result: SearchResult,
    snapshot: Snapshot,
    embedder: Embedder,
    *,
    settings: GenerateSettings,
    permissions: frozenset[str] | None,
    backend: Backend | None = None,
    pictures: SourcePictures | None = None,
    conversation: Sequence[Turn] = (),
    stop: threading.Event | None = None,
) -> Answer:
    """Answer the query of a search from its hits; `permissions` as in its filters.

    With a `backend` its model answers, and sees frames of videos with `pictures`, after the turns
    of a `conversation`; without, sentences are quoted. When `stop` is set, a model's text ends.
    Raises QuestionError when a prompt cannot be made that fits the budget, and BackendError.
    """
    started = time.perf_counter()
    evidence = collect_evidence(result.hits, snapshot, with_pictures=backend is not None)
    if backend is None:
        sentences, read, facts = _quotes(result, evidence, snapshot, embedder, settings)
    elif not evidence:
        sentences, read, facts = (), Ledger(()), {}
    else:
        route = chosen(backend, result.query, evidence)
        asked = ask_model(
            result.query,
            evidence,
            snapshot,
            embedder,
            backend if route is None else route.backend,
            settings=settings,
            pictures=pictures,
            conversation=conversation,
            stop=stop,
        )
        sentences, read, facts = asked.sentences, asked.ledger, _facts_of(asked)
        facts["model"] = backend.name if route is None else route.backend.name
        facts["route"] = None if route is None else f"{route.level}: {route.reason}"
    sentences = _with_ties(sentences, snapshot, result.query, permissions)
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
            **facts,
            "search_ms": round(result.took_ms, 3),
            "answer_ms": round(took_ms, 3),
        },
        read=read,
        understood=result.question,
    )


def _quotes(
    result: SearchResult,
    evidence: Sequence[Evidence],
    snapshot: Snapshot,
    embedder: Embedder,
    settings: GenerateSettings,
) -> tuple[tuple[AnswerSentence, ...], Ledger, Facts]:
    """The sentences of the evidence that answer, what was read, and what was decided."""
    if result.is_overview:
        scored = first_sentences(evidence)
        chosen = tuple(scored)
    else:
        scored = score_sentences(result.searched, evidence, snapshot, embedder, settings)
        chosen = choose_sentences(scored, settings)
    quoted = {one.sentence.evidence.id for one in chosen}
    rows = [evidence_row(one, note="quoted" if one.id in quoted else "") for one in evidence]
    facts: Facts = {
        "sentences_read": len(scored),
        "sentences_quoted": len(chosen),
        "best_score": round(scored[0].score, 4) if scored else None,
        "answer_threshold": settings.answer_threshold,
    }
    return tuple(_quoted(one) for one in chosen), Ledger(tuple(rows)), facts


def _quoted(one: ScoredSentence) -> AnswerSentence:
    sentence = one.sentence
    evidence = sentence.evidence
    citation = Citation(
        evidence=evidence.id,
        source_id=evidence.source.id,
        source_name=evidence.source.name,
        place=sentence.place,
        quote=sentence.quote,
    )
    verdict: Verdict = "supported" if sentence.quote in evidence.text else "not shown"
    return AnswerSentence(sentence.text, verdict, (citation,))


def _facts_of(asked: ModelAnswer) -> Facts:
    ledger, ending = asked.ledger, asked.ending
    return {
        "evidence_left_out": sum(row.is_left_out for row in ledger.rows),
        "budget_tokens": ledger.budget_tokens,
        "prompt_tokens": ledger.prompt_tokens,
        "prompt_tokens_of_model": None if ending is None else ending.prompt_tokens,
        "longer_prompts_refused": asked.refusals,
        "tokens_are_exact": ledger.is_exact,
        "kept_for_answer_tokens": ledger.answer_tokens,
        "answer_tokens": None if ending is None else ending.answer_tokens,
        "reused_tokens": None if ending is None else ending.reused_tokens,
        "prompt_sha256": asked.prompt_sha256,
        "ended": None if ending is None else ending.reason,
        "note": None if ending is None else ending.note,
    }


def _with_ties(
    sentences: Sequence[AnswerSentence],
    snapshot: Snapshot,
    query: str,
    permissions: frozenset[str] | None,
) -> tuple[AnswerSentence, ...]:
    """The sentences with what their citations have to do with slides and talks."""
    cited = [citation for sentence in sentences for citation in sentence.citations]
    places = [(citation.source_id, citation.place) for citation in cited]
    ties = ties_of(snapshot, places, query, permissions=permissions)
    tied: Iterator[Citation] = iter(
        replace(citation, on_screen=tie.on_screen, shown_page=tie.shown_page)
        for citation, tie in zip(cited, ties, strict=True)
    )
    return tuple(
        replace(sentence, citations=tuple(next(tied) for _ in sentence.citations))
        for sentence in sentences
    )


def _written(sentences: Sequence[AnswerSentence]) -> str:
    return " ".join(
        " ".join([sentence.text, *map(format_citation, sentence.citations)]) + sentence.mark
        for sentence in sentences
    )
