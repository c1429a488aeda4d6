"""Moments become hits: what is one place becomes one hit, and keeps its exact place.

A hit stands where its best moment stands. Other moments of the place join it as reasons and
widen it only when they carry on the same thing: a quote that runs over several utterances, a text
that stays on the screen, a picture that goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from index.records import Box, Hyperlink, Moment, MomentKind, PageArea, Source, Span
from retrieve.on_screen import OnScreen, ShownPage
from retrieve.words import content_words, share_of_shorter, share_within

if TYPE_CHECKING:
    from index.snapshot import StoredMoment
    from retrieve.settings import RetrieveSettings

_QUOTED_WORDS = 2
"""An utterance with fewer content words is no quote by itself."""


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
class Hit:
    """A search result: one place of one source, and why it was found."""

    rank: int
    """From 1."""
    score: float
    """Fused score of the best moment, 0..1; 1 is first in every list. Ranks, not probabilities."""
    source: Source
    place: Span | PageArea
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


@dataclass(frozen=True, slots=True)
class Candidate:
    """A found moment with its scores."""

    stored: StoredMoment
    score: float
    """Fused, 0..1."""
    cosine: float | None
    """Likeness to the question where a vector list held it; text and pictures scale differently."""


@dataclass(slots=True)
class _Group:
    """A hit in the making."""

    anchor: Candidate
    score: float
    joined: list[Candidate] = field(default_factory=list)
    """Moments, the anchor among them, that make up the place."""
    supports: list[Candidate] = field(default_factory=list)
    """Moments that speak for it without widening it."""

    @property
    def moment(self) -> Moment:
        return self.anchor.stored.moment

    def span(self) -> Span:
        spans = [member.stored.moment.span for member in self.joined]
        return Span(min(span.start for span in spans), max(span.end for span in spans))


def merge_hits(
    candidates: Sequence[Candidate], question: str, *, k: int, settings: RetrieveSettings
) -> tuple[Hit, ...]:
    """Merge candidates (best first) into at most k hits, best first, one a place."""
    groups: list[_Group] = []
    for candidate in candidates:
        if not any(_absorb(group, candidate, question, settings) for group in groups):
            groups.append(_Group(candidate, candidate.score, joined=[candidate]))
    for group in groups:
        group.supports.extend(_overlapping_texts(group, candidates))
    return tuple(_hit(group, rank) for rank, group in enumerate(groups[:k], start=1))


def _absorb(group: _Group, candidate: Candidate, question: str, settings: RetrieveSettings) -> bool:
    """Take the candidate into the group when it is the same place; False when it is not."""
    if group.anchor.stored.source.id != candidate.stored.source.id:
        return False
    if isinstance(candidate.stored.moment.place, PageArea):
        return _absorb_on_page(group, candidate, settings)
    if group.moment.kind is candidate.stored.moment.kind:
        return _absorb_same_kind(group, candidate, question, settings)
    return _absorb_other_kind(group, candidate, settings)


def _absorb_on_page(group: _Group, candidate: Candidate, settings: RetrieveSettings) -> bool:
    moment = candidate.stored.moment
    if group.moment.area.page != moment.area.page:
        return False
    if moment.kind is MomentKind.PAGE:
        group.supports.append(candidate)
        return True
    if group.moment.kind is MomentKind.PAGE:
        _take_over(group, candidate)
        return True
    if share_of_shorter(group.moment.text, moment.text) >= settings.same_text_share:
        group.supports.append(candidate)
        return True
    return False


def _absorb_same_kind(
    group: _Group, candidate: Candidate, question: str, settings: RetrieveSettings
) -> bool:
    moment = candidate.stored.moment
    if group.span().gap_to(moment.span) > settings.merge_gap_s:
        return False
    if moment.kind is MomentKind.UTTERANCE:
        goes_on = _is_quoted(group.moment, question) and _is_quoted(moment, question)
    elif moment.kind is MomentKind.SCREEN_TEXT:
        goes_on = share_of_shorter(group.moment.text, moment.text) >= settings.same_text_share
    else:
        # Pictures that nothing names have no text, and are not the same for that.
        same_names = moment.text != "" and group.moment.text == moment.text
        goes_on = same_names or _nearly_as_strong(group.anchor, candidate, settings.merge_ratio)
    if goes_on:
        group.joined.append(candidate)
    return goes_on


def _absorb_other_kind(group: _Group, candidate: Candidate, settings: RetrieveSettings) -> bool:
    moment = candidate.stored.moment
    if not group.span().overlaps(moment.span):
        return False
    if moment.kind is MomentKind.FRAME:
        group.supports.append(candidate)
        return True
    if group.moment.kind is MomentKind.FRAME:
        return False
    if share_of_shorter(group.moment.text, moment.text) < settings.same_text_share:
        return False
    if moment.kind is MomentKind.UTTERANCE:
        _take_over(group, candidate)
    else:
        group.supports.append(candidate)
    return True


def _take_over(group: _Group, candidate: Candidate) -> None:
    """The candidate says the same at a more exact place: the hit moves there."""
    group.supports.extend(group.joined)
    group.anchor = candidate
    group.joined = [candidate]


def _is_quoted(utterance: Moment, question: str) -> bool:
    """True when the question holds nearly all of what is said."""
    enough = len(set(content_words(utterance.text))) >= _QUOTED_WORDS
    return enough and share_within(utterance.text, question) >= 0.8


def _nearly_as_strong(first: Candidate, second: Candidate, ratio: float) -> bool:
    if first.cosine is None or second.cosine is None:
        return False
    stronger = max(first.cosine, second.cosine)
    return stronger > 0 and min(first.cosine, second.cosine) >= ratio * stronger


def _overlapping_texts(group: _Group, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Screen text shown while an utterance is heard speaks for it, and stays a hit of its own."""
    if group.moment.kind is not MomentKind.UTTERANCE:
        return []
    span = group.span()
    known = {member.stored.id for member in (*group.joined, *group.supports)}
    return [
        candidate
        for candidate in candidates
        if candidate.stored.moment.kind is MomentKind.SCREEN_TEXT
        and candidate.stored.source.id == group.anchor.stored.source.id
        and candidate.stored.id not in known
        and span.overlaps(candidate.stored.moment.span)
    ]


def _hit(group: _Group, rank: int) -> Hit:
    members = [*_best_first(group.joined), *_best_first(group.supports)]
    reasons = tuple(
        Reason(one.stored.moment.kind, one.score, one.stored.moment.text, one.stored.id)
        for one in members
    )
    place: Span | PageArea = group.moment.place
    text = group.moment.text
    if isinstance(place, Span) and len(group.joined) > 1:
        place = group.span()
        text = _joined_text(group)
    return Hit(
        rank=rank,
        score=group.score,
        source=group.anchor.stored.source,
        place=place,
        text=text,
        reasons=reasons,
        moment_id=group.anchor.stored.id,
        ordinal=group.anchor.stored.ordinal,
        segment=group.anchor.stored.segment,
        links=tuple(
            PlacedLink(link, group.moment.word_boxes.boxes_of(link.start, link.end))
            for link in group.moment.hyperlinks
        ),
    )


def _best_first(members: Sequence[Candidate]) -> list[Candidate]:
    return sorted(members, key=lambda one: (-one.score, one.stored.id))


def _joined_text(group: _Group) -> str:
    if group.moment.kind is not MomentKind.UTTERANCE:
        return group.moment.text
    in_time = sorted(group.joined, key=lambda member: member.stored.moment.span)
    return " ".join(dict.fromkeys(member.stored.moment.text for member in in_time))
