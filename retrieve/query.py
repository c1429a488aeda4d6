"""What is asked for: words, phrases, a picture, or more of what is at a place, and combinations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from index.clock import format_clock, parse_clock
from index.errors import QuestionError
from index.word_query import Phrases, Typos

if TYPE_CHECKING:
    from PIL.Image import Image

    from index.ranking import Ids
    from index.snapshot import Snapshot

_LIKE = re.compile(
    r"(?P<source>.+)(?:@(?:[pP](?P<page>[0-9]+)|(?P<time>[0-9:.]+))|[#/](?P<ordinal>[0-9]+))"
)
_QUOTES = '"“”„«»「」『』＂'
_MAX_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Like:
    """A moment, or all there is at one place of a source: exactly one of the three is given."""

    source: str
    """Id of the source."""
    ordinal: int | None = None
    """Position of the moment within the source, from 0."""
    time: Fraction | None = None
    """An instant on the source's clock, in seconds."""
    page: int | None = None
    """Counted from 1."""

    def __post_init__(self) -> None:
        if sum(part is not None for part in (self.ordinal, self.time, self.page)) != 1:
            raise ValueError(f"one of ordinal, time and page is needed, got {self}")


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for: at least a text, a picture or a place; a text may go with either other."""

    text: str = ""
    picture: Image | None = None
    """What is seen is to look like it."""
    like: Like | None = None
    """More of what is there; itself is left out."""
    phrases: Phrases = "require"
    """Whether phrases in double quotes must occur, or only weigh more where they do."""
    typos: Typos = "unmatched"
    """Which words of the text are also looked up as those they are mistyped from."""

    def __post_init__(self) -> None:
        if self.picture is not None and self.like is not None:
            raise QuestionError("give a picture or a moment to search with, not both")
        if not self.has_text and self.picture is None and self.like is None:
            raise QuestionError("the query is empty; write a few words to look for")

    @property
    def has_text(self) -> bool:
        """Whether there are words to look for."""
        return bool(self.text.strip())


def with_phrase(text: str, phrase: str) -> str:
    """The text of a query that asks for a phrase as well. Raises QuestionError for an empty one."""
    words = "".join(" " if letter in _QUOTES else letter for letter in phrase).strip()
    if not words:
        raise QuestionError("the phrase is empty; write the words that must stand together")
    return f'{text} "{words}"'.strip()


def parse_like(text: str) -> Like:
    """Read a place: `talk.mp4@12:30`, `manual.pdf@p7`, or a moment: `talk.mp4#42`, `ID/42`.

    The source is as it was named. Raises QuestionError when it cannot be read.
    """
    match = _LIKE.fullmatch(text.strip())
    if match is None or any(
        len(part or "") > _MAX_DIGITS for part in match.group("page", "ordinal")
    ):
        raise QuestionError(
            f"like: cannot read {text!r}; write SOURCE@TIME (talk.mp4@12:30), SOURCE@pPAGE "
            "(manual.pdf@p7) or SOURCE#MOMENT (talk.mp4#42)"
        )
    source, page, time, ordinal = match.group("source", "page", "time", "ordinal")
    try:
        instant = None if time is None else parse_clock(time)
    except ValueError as error:
        raise QuestionError(f"like: {error}; write e.g. {source}@00:12:30") from error
    return Like(
        source,
        ordinal=None if ordinal is None else int(ordinal),
        time=instant,
        page=None if page is None else int(page),
    )


def moments_at(snapshot: Snapshot, like: Like) -> Ids:
    """Global ids of the moments at a place, at least one, int64 rising.

    At an instant at which nothing is said or shown: what is nearest to it. Raises QuestionError
    when the source is not in the library or has no such moment, page or instant.
    """
    source = snapshot.sources.get(like.source)
    if source is None:
        raise QuestionError(f"like: no source {like.source!r} in the library")
    own = snapshot.source_range(source.id)
    place = slice(own.start, own.stop)
    if like.ordinal is not None:
        if like.ordinal >= len(own):
            raise QuestionError(f"like: the moments of {source.name} are 0..{len(own) - 1}")
        found = np.array([like.ordinal])
    elif like.page is not None:
        found = np.flatnonzero(snapshot.columns.page[place] == like.page)
        if not len(found):
            raise QuestionError(f"like: {source.name} has nothing on a page {like.page}")
    else:
        assert like.time is not None
        if source.duration is None:
            raise QuestionError(f"like: {source.name} has pages; write {source.name}@p1")
        if not 0 <= like.time < source.duration:
            raise QuestionError(
                f"like: {source.name} ends at {format_clock(source.duration)}, "
                f"before {format_clock(like.time)}"
            )
        found = _at_instant(snapshot, place, float(like.time))
        if not len(found):
            raise QuestionError(f"like: nothing of {source.name} can be found")
    return np.asarray(found + own.start, dtype=np.int64)


def _at_instant(snapshot: Snapshot, place: slice, time_s: float) -> Ids:
    starts, ends = snapshot.columns.start_s[place], snapshot.columns.end_s[place]
    shown = np.flatnonzero((starts <= time_s) & (time_s < ends))
    if len(shown) or not len(starts):
        return shown
    away_s = np.maximum(starts - time_s, time_s - ends)
    return np.flatnonzero(away_s == away_s.min())
