"""A question becomes an answer whose every sentence names its proof, or the plain admission."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from generate.answer_sentence import AnswerSentence
from generate.assembly import NOT_FOUND
from generate.backends.router import route_of
from generate.citations import Citation, format_citation
from generate.continuing import evidence_beside, sentences_beside
from generate.conversation import Cited, Exchange, FollowUp, follow_up, turns_of
from generate.evidence import Evidence, collect_evidence
from generate.extractive import (
    ScoredSentence,
    choose_sentences,
    first_sentences,
    may_answer,
    merge_neighbours,
    score_sentences,
)
from generate.ledger import Ledger, evidence_row
from generate.listing import Listed, list_all
from generate.model_answer import ModelAnswer, ask_model
from generate.quoting import quoted_sentence
from retrieve.filters import Filters
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
    asked_as: str = ""
    """What a follow-up was taken for; empty: for what it says."""
    followed: str = ""
    """How a follow-up was taken, for readers."""

    @property
    def exchange(self) -> Exchange:
        """What the next question needs to know of it."""
        cited = (one for sentence in self.sentences for one in sentence.citations)
        places = tuple(Cited(one.source_id, one.place, one.quote) for one in cited)
        return Exchange(self.question, self.text, places, self.asked_as)


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
    history: Sequence[Exchange] = (),
    stop: threading.Event | None = None,
) -> Answer:
    """Search, then answer from the hits. Raises QuestionError as `search` does.

    Without a model, a question for all there is of something is answered with every place of it
    (`generate.listing`), and one that only says where to look ("what happened in the second
    hour?") with the first sentences of what is typical there. After a `history`, the latest
    exchange last, a follow-up is read with it (`generate.conversation`). `backend`, `pictures` and
    `stop`: as in `answer_from`.
    """
    follow = follow_up(question, history, snapshot, filters, is_literal=literal)
    answered: Answer | None = None
    for text in follow.texts if backend is None else follow.texts[:1]:
        if follow.beside is not None:
            result = _next_to(question)
        else:
            if backend is None:
                listed = list_all(
                    text,
                    snapshot,
                    embedder,
                    filters=follow.filters,
                    retrieve=retrieve,
                    settings=settings,
                    literal=literal,
                )
                if listed is not None:
                    answered = _all_listed(listed, snapshot, settings, filters.permissions)
                    break
            # What is quoted in a question is a title or a doubt more often than a phrase to find.
            result = search(
                snapshot,
                embedder,
                Query(text, phrases="prefer"),
                k=settings.hits,
                filters=follow.filters,
                settings=retrieve,
                literal=literal,
                reranker=reranker,
            )
        answered = answer_from(
            result,
            snapshot,
            embedder,
            settings=settings,
            permissions=filters.permissions,
            backend=backend,
            pictures=pictures,
            conversation=turns_of(history),
            follow=follow,
            asked=question,
            stop=stop,
        )
        if answered.found:
            break
    assert answered is not None
    meant = answered.question
    return replace(
        answered,
        question=question,
        asked_as="" if meant == question else meant,
        followed=follow.note,
    )


def _next_to(question: str) -> SearchResult:
    """The result for what needs no search: the place is known."""
    return SearchResult(question, (), 0.0, {}, best_text_cosine=None, found=True)


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
    follow: FollowUp | None = None,
    asked: str | None = None,
    stop: threading.Event | None = None,
) -> Answer:
    """Answer the query of a search from its hits; `permissions` as in its filters.

    `follow`: what else is read, and what may answer, where it is a follow-up, as it was `asked`.
    With a `backend` its model answers, and sees frames of videos with `pictures`, after the turns
    of a `conversation`; without, sentences are quoted. When `stop` is set, a model's text ends.
    Raises QuestionError when a prompt cannot be made that fits the budget, and BackendError.
    """
    started = time.perf_counter()
    follow = follow or FollowUp((result.query,), Filters(permissions=permissions))
    if follow.beside is not None:
        evidence = evidence_beside(follow.beside, snapshot, follow.filters)
    else:
        evidence = collect_evidence(
            result.hits, snapshot, with_pictures=backend is not None, also=follow.reused
        )
    if backend is None:
        sentences, read, facts = _quotes(result, follow, evidence, snapshot, embedder, settings)
    elif not evidence:
        sentences, read, facts = (), Ledger(()), {}
    else:
        route = route_of(backend, asked or result.query, evidence)
        made = ask_model(
            asked or result.query,
            evidence,
            snapshot,
            embedder,
            backend if route is None else route.backend,
            settings=settings,
            pictures=pictures,
            conversation=conversation,
            stop=stop,
        )
        sentences, read, facts = made.sentences, made.ledger, _facts_of(made)
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


def _all_listed(
    listed: Listed,
    snapshot: Snapshot,
    settings: GenerateSettings,
    permissions: frozenset[str] | None,
) -> Answer:
    """A list or count as an answer, a line each."""
    result = listed.result
    started = time.perf_counter()
    sentences = _with_ties(listed.sentences, snapshot, result.searched, permissions)
    took_ms = (time.perf_counter() - started) * MILLISECONDS_PER_SECOND
    return Answer(
        question=result.query,
        found=bool(sentences),
        text="\n".join(map(_line, sentences)) if sentences else NOT_FOUND,
        sentences=sentences,
        evidence=listed.evidence,
        ledger={
            "backend": settings.backend,
            "hits": len(result.hits),
            "evidence": len(listed.evidence),
            "expression": result.expression,
            "listed": max(len(sentences) - 1, 0),
            "search_ms": round(result.took_ms, 3),
            "answer_ms": round(took_ms, 3),
        },
        read=Ledger(tuple(evidence_row(one, note="quoted") for one in listed.evidence)),
        understood=result.question,
    )


def _quotes(
    result: SearchResult,
    follow: FollowUp,
    evidence: Sequence[Evidence],
    snapshot: Snapshot,
    embedder: Embedder,
    settings: GenerateSettings,
) -> tuple[tuple[AnswerSentence, ...], Ledger, Facts]:
    """The sentences of the evidence that answer, what was read, and what was decided."""
    if follow.beside is not None:
        beside = sentences_beside(follow.beside, evidence, settings.max_sentences)
        scored = [ScoredSentence(one, 1.0, 0.0, 0.0) for one in beside]
        chosen = tuple(scored)
    elif result.is_overview:
        scored = first_sentences(evidence)
        chosen = tuple(scored)
    else:
        scored = score_sentences(result.searched, evidence, snapshot, embedder, settings)
        scored = [one for one in scored if may_answer(one.sentence, follow.must_hold)]
        chosen = merge_neighbours(choose_sentences(scored, settings))
    quoted = {one.sentence.evidence.id for one in chosen}
    rows = [evidence_row(one, note="quoted" if one.id in quoted else "") for one in evidence]
    facts: Facts = {
        "sentences_read": len(scored),
        "sentences_quoted": len(chosen),
        "best_score": round(scored[0].score, 4) if scored else None,
        "answer_threshold": settings.answer_threshold,
    }
    return tuple(quoted_sentence(one.sentence) for one in chosen), Ledger(tuple(rows)), facts


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
    return " ".join(map(_line, sentences))


def _line(sentence: AnswerSentence) -> str:
    return " ".join([sentence.text, *map(format_citation, sentence.citations)]) + sentence.mark
