"""Hits: places that answer a search, with why they were found and how they can be shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.records import Box, Hyperlink, MomentKind, PageArea, Source, Span, Word
from retrieve.confidence import NO_SIGNALS, Signals
from retrieve.on_screen import OnScreen, ShownPage

if TYPE_CHECKING:
    from index.snapshot import StoredText


@dataclass(frozen=True, slots=True)
class Reason:
    """One moment that speaks for a hit."""

    kind: MomentKind
    score: float
    """The moment's own fused score, 0..1."""
    text: str
    moment_id: int


@dataclass(frozen=True, slots=True)
class PlacedLink:
    """A link on words of a hit's text, and where they are printed."""

    link: Hyperlink
    boxes: tuple[Box, ...]
    """One for each printed line, in points of the page."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Another place that shows or says what a hit does: a slide shown again, a repeated talk."""

    source: Source
    place: Span | PageArea
    score: float
    """Its own fused score, at most that of the hit."""
    moment_id: int
    ordinal: int
    """That moment's position within its source."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A search result: one place of one source, and why it was found."""

    rank: int
    """From 1."""
    score: float
    """Of the best moment, 0..1: its likeness to the query and the squared share of the highest word
    score that it earns, weighed (`retrieve.fusion`); asked by example or exactly, its ranks in the
    lists. It orders hits, and is no probability: that is `confidence`."""
    source: Source
    place: Span | PageArea
    """Of an utterance or a passage with several sentences: those that answer."""
    text: str
    reasons: tuple[Reason, ...]
    """Moments that make up the place, best first, then those that support it; never empty."""
    moment_id: int
    """The moment that gives the hit its place (for its picture)."""
    ordinal: int
    """That moment's position within its source, the same until that is read again."""
    segment: int
    """The segment that holds it, numbered over the snapshot."""
    on_screen: tuple[OnScreen, ...] = ()
    """For a place in a document: when its page was on screen in a talk, by talk and time."""
    shown_page: ShownPage | None = None
    """For a place in a talk: the page of its slides that was on screen."""
    links: tuple[PlacedLink, ...] = ()
    """For a place in a document: links on words of its text, in order."""
    headline: str = ""
    """What tells in it, in one line of at most 100 characters."""
    words: tuple[Word, ...] = ()
    """What is said in the span, word by word (speech), at most 300."""
    thumbnail: int | None = None
    """Position within the source of the moment whose picture shows it; None: nothing does."""
    confidence: float = 0.0
    """Probability that it is what was asked for, 0..1 (`retrieve.confidence`)."""
    signals: Signals = NO_SIGNALS
    """What its confidence is made of."""
    duplicates: tuple[Duplicate, ...] = ()
    """Further places of the same, best first; they have no ranks of their own."""
    partners: tuple[Partner, ...] = ()
    """Of an expression: the hits of its other operands that make it true, nearest first."""


@dataclass(frozen=True, slots=True)
class Partner:
    """A hit of another operand, and how a hit stands to it."""

    relation: str
    """In words: before, within 30s of."""
    expression: str
    """What it was found by."""
    hit: Hit


@dataclass(frozen=True, slots=True)
class Candidate:
    """A found moment with its scores."""

    stored: StoredText
    score: float
    """Fused, 0..1."""
    cosine: float | None
    """Likeness to the question where a vector list held it; text and pictures scale differently."""
    words_rank: int | None = None
    """From 1, where the list of matching words held it."""
