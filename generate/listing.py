"""All there is of something: every place is a line with its quote and span, or they are counted.

The places are those of the temporal algebra (`retrieve.algebra_search`): all that an operand
matches, in the order of the library, not the best few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from generate.answer_sentence import AnswerSentence
from generate.evidence import Evidence, evidence_of
from generate.extractive import rate_sentences
from generate.list_questions import ListQuestion, read_list_question
from generate.quoting import quoted_sentence
from generate.sentences import Sentence, split_evidence
from index.records import MomentKind
from retrieve.algebra import Expression, Operand
from retrieve.algebra_search import search_expression
from retrieve.algebra_text import expression_of
from retrieve.lists import TEXT_KINDS
from retrieve.understanding import narrowed, understand
from retrieve.words import share_within

if TYPE_CHECKING:
    from generate.settings import GenerateSettings
    from index.embedders import Embedder
    from index.snapshot import Snapshot
    from retrieve.filters import Filters
    from retrieve.hits import Hit
    from retrieve.result import SearchResult
    from retrieve.settings import RetrieveSettings

_ALL_HITS = 1_000_000
_SOURCES_TOLD = 5


@dataclass(frozen=True, slots=True)
class Listed:
    """All there is of something."""

    result: SearchResult
    evidence: tuple[Evidence, ...]
    """What the lines quote."""
    sentences: tuple[AnswerSentence, ...]
    """How many places there are, then each; empty when there is none."""


def list_all(
    question: str,
    snapshot: Snapshot,
    embedder: Embedder,
    *,
    filters: Filters,
    retrieve: RetrieveSettings,
    settings: GenerateSettings,
    literal: bool = False,
) -> Listed | None:
    """Answer a question for all there is of something; None when it is no such question.

    Expressions of the temporal algebra are such questions, too. Also None when a question for what
    the archive is about ("all times when ...") matches nothing closely enough to be listed: then
    the best of it may still answer. Raises QuestionError as `search_expression` does.
    """
    read = None if literal else expression_of(question)
    understood = None
    if read is not None:
        asked = ListQuestion("", read.counts, by_words=False, exact=False)
        expression = replace(read, counts=True)
    else:
        understood = None if literal else understand(snapshot, question, filters)
        found = read_list_question(question if understood is None else understood.searched)
        if found is None:
            return None
        asked = found
        filters = filters if understood is None else narrowed(filters, understood)
        expression = Expression(Operand(asked.subject, asked.exact), counts=True)
    kinds = TEXT_KINDS if filters.kinds is None else filters.kinds
    result = search_expression(
        snapshot,
        embedder,
        expression,
        k=_ALL_HITS,
        filters=replace(filters, kinds=tuple(kind for kind in kinds if kind in TEXT_KINDS)),
        settings=retrieve,
        query=question,
    )
    subject = result.searched
    hits = [hit for hit in result if not asked.by_words or _holding(hit, subject)]
    if read is None and not asked.by_words and not hits:
        return None
    evidence = _evidence(hits, asked, subject, snapshot)
    lines = list(_lines(evidence, asked, subject, snapshot, embedder, settings))
    shown = lines[: settings.max_listed]
    lead = AnswerSentence(_told(subject, hits, result, len(lines), len(shown)), "supported", ())
    return Listed(
        replace(result, question=understood),
        evidence,
        (lead, *map(quoted_sentence, shown)) if lines else (),
    )


def _holding(hit: Hit, subject: str) -> list[int]:
    """The moments of a hit that hold all words of a subject, in any form."""
    return [reason.moment_id for reason in hit.reasons if share_within(subject, reason.text) == 1]


def _evidence(
    hits: Sequence[Hit], asked: ListQuestion, subject: str, snapshot: Snapshot
) -> tuple[Evidence, ...]:
    """What lines quote: the moments at which hits stand, or all that hold the words."""
    rank_of: dict[int, int] = {}
    for hit in hits:
        for moment_id in _holding(hit, subject) if asked.by_words else [hit.moment_id]:
            rank_of.setdefault(moment_id, hit.rank)
    return evidence_of(rank_of, snapshot)


def _lines(
    evidence: Sequence[Evidence],
    asked: ListQuestion,
    subject: str,
    snapshot: Snapshot,
    embedder: Embedder,
    settings: GenerateSettings,
) -> Iterator[Sentence]:
    """The sentences to quote, in order: all that hold the words, else the best of each evidence."""
    sentences = [one for piece in evidence for one in split_evidence(piece)]
    rated = rate_sentences(subject, sentences, snapshot, embedder, settings) if sentences else []
    for _, group in groupby(rated, key=lambda one: one.sentence.evidence.id):
        own = list(group)
        holding = [one for one in own if share_within(subject, one.sentence.text) == 1]
        on_screen = own[0].sentence.evidence.kind is MomentKind.SCREEN_TEXT
        if asked.by_words and len(holding) > 1 and not on_screen:
            yield from (one.sentence for one in holding)
        else:
            yield max(holding or own, key=lambda one: one.score).sentence


def _told(
    subject: str, hits: Sequence[Hit], result: SearchResult, mentions: int, shown: int
) -> str:
    """How many there are, and where."""
    counted = Counter(hit.source.name for hit in hits)
    most = "" if result.count is None or result.count.complete else "at least "
    places = f"{most}{_number(len(hits), 'place')} in {_number(len(counted), 'source')}"
    each = [f"{name}: {count}" for name, count in counted.most_common(_SOURCES_TOLD)]
    more = len(counted) - len(each)
    named = ", ".join([*each, *([f"{more} more"] if more > 0 else [])])
    several = f"{_number(mentions, 'passage')} at " if mentions != len(hits) else ""
    told = f"“{subject}”: {several}{places} ({named})"
    return told + ("." if shown == mentions else f"; the first {shown} are listed.")


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
