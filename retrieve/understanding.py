"""A question in its library: what it means there, and how it narrows the search."""

from __future__ import annotations

from dataclasses import replace
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

from index.folding import fold
from index.records import MomentKind
from retrieve.filters import Filters, allowed_moments, allowed_sources, kind_mask
from retrieve.question import Question, analyse
from retrieve.words import share_within

if TYPE_CHECKING:
    from index.snapshot import Snapshot

_LOOKED_AT = 20
_CONTENT_SHARE = 0.5


def understand(
    snapshot: Snapshot, text: str, filters: Filters, *, doubtful: bool = True
) -> Question:
    """What a question means among the sources that may be searched.

    A time that is not sure ("after nine minutes") is content where some moment says it word by
    word, together with half of the other words. Raises QuestionError as `allowed_moments`.
    """
    sources = list(compress(snapshot.sources.values(), allowed_sources(snapshot, filters)))

    def is_content(words: str, rest: str) -> bool:
        allowed = allowed_moments(snapshot, filters)
        phrase = f'"{words.replace(chr(34), " ")}"'
        ids, _ = snapshot.search_words(phrase, _LOOKED_AT, allowed=allowed, phrases="require")
        moments = snapshot.moments(ids)
        return any(share_within(rest, one.moment.text) >= _CONTENT_SHARE for one in moments)

    def labels_of(source_id: str) -> dict[str, int]:
        ids = np.array(snapshot.source_range(source_id))
        pages = ids[kind_mask(snapshot, (MomentKind.PAGE,))[ids]]
        areas = [one.moment.area for one in snapshot.texts(pages)]
        return {fold(area.label): area.page for area in reversed(areas)}

    question = analyse(text, sources, doubtful=doubtful, is_content=is_content, labels_of=labels_of)
    given = {"sources": filters.sources, "spans": filters.within, "kinds": filters.kinds}
    ignored = [
        name
        for name, value in given.items()
        if value is not None and getattr(question, name) is not None
    ]
    if not ignored:
        return question
    note = "the filters that were given go before what the question says"
    return replace(
        question,
        sources=None if "sources" in ignored else question.sources,
        pages=None if "sources" in ignored else question.pages,
        spans=None if "spans" in ignored else question.spans,
        instants=() if "spans" in ignored else question.instants,
        kinds=None if "kinds" in ignored else question.kinds,
        notes=(*question.notes, note),
    )


def narrowed(filters: Filters, question: Question) -> Filters:
    """The filters with what a question says where they say nothing."""
    return replace(
        filters,
        sources=question.sources if filters.sources is None else filters.sources,
        spans=filters.spans if question.spans is None or filters.within else question.spans,
        pages=filters.pages if question.pages is None else question.pages,
        kinds=question.kinds if filters.kinds is None else filters.kinds,
    )


def asks_what_there_is(question: Question | None) -> bool:
    """True when a question says where to look, but not for what."""
    return question is not None and question.is_restricted and not question.has_words
