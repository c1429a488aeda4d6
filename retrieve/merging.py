"""Moments become groups, one a place, each with its exact place.

A group stands where its best moment stands. Other moments of the place join it as reasons and
widen it only when they carry on the same thing: a quote that runs over several utterances, a text
that stays on the screen, a picture that goes on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from index.records import MomentKind, MomentText, PageArea, Span
from retrieve.words import content_words, share_of_shorter

if TYPE_CHECKING:
    from retrieve.hits import Candidate
    from retrieve.settings import RetrieveSettings

_QUOTED_WORDS = 2
"""An utterance with fewer content words is no quote by itself."""
_ROUNDING_S = 0.001
"""More than floats round in times of centuries."""


@dataclass(slots=True)
class Group:
    """The moments of one place, found for one question."""

    anchor: Candidate
    score: float
    joined: list[Candidate] = field(default_factory=list)
    """Moments, the anchor among them, that make up the place."""
    supports: list[Candidate] = field(default_factory=list)
    """Moments that speak for it without widening it."""
    overlapping: list[Candidate] = field(default_factory=list)
    """Moments that speak for it, too, and are places of their own."""
    start_s: float = field(init=False, default=-inf)
    """Where the place starts, rounded (videos)."""
    end_s: float = field(init=False, default=inf)

    def __post_init__(self) -> None:
        self._measure()

    def join(self, candidate: Candidate) -> None:
        """The candidate makes up the place, too."""
        self.joined.append(candidate)
        self._measure()

    def take_over(self, candidate: Candidate) -> None:
        """The candidate says the same at a more exact place: the hit moves there."""
        self.supports.extend(self.joined)
        self.anchor = candidate
        self.joined = [candidate]
        self._measure()

    def _measure(self) -> None:
        if isinstance(self.moment.place, Span):
            span = self.span()
            self.start_s, self.end_s = span.start_s, span.end_s

    @property
    def members(self) -> list[Candidate]:
        """All that speaks for it: what makes up the place, best first, then what supports it."""
        return [*best_first(self.joined), *best_first([*self.supports, *self.overlapping])]

    @property
    def moment(self) -> MomentText:
        """The best moment, at which it stands."""
        return self.anchor.stored.moment

    def span(self) -> Span:
        """What its moments cover together (videos)."""
        if len(self.joined) == 1:
            return self.moment.span
        spans = [member.stored.moment.span for member in self.joined]
        return Span(min(span.start for span in spans), max(span.end for span in spans))

    def text(self) -> str:
        """What is said or written there: of a quote over several utterances, all of it."""
        if self.moment.kind is not MomentKind.UTTERANCE:
            return self.moment.text
        return " ".join(dict.fromkeys(one.stored.moment.text for one in self.in_time()))

    def in_time(self) -> list[Candidate]:
        """The moments that make up the place, by time (videos)."""
        return sorted(self.joined, key=lambda member: member.stored.moment.span)


def merged(
    candidates: Sequence[Candidate], question: str, settings: RetrieveSettings
) -> list[Group]:
    """Merge candidates into groups, best first, equal ones in the order of the library.

    Every candidate is in exactly one group, and may speak for another (`Group.overlapping`).
    """
    groups: list[Group] = []
    asked = frozenset(content_words(question))
    in_order = best_first(candidates)
    by_source: defaultdict[str, list[Group]] = defaultdict(list)
    for candidate in in_order:
        of_source = by_source[candidate.stored.source.id]
        near = _near(of_source, candidate.stored.moment, settings.merge_gap_s)
        if not any(_absorb(group, candidate, asked, settings) for group in near):
            group = Group(candidate, candidate.score, joined=[candidate])
            groups.append(group)
            of_source.append(group)
    for candidate in in_order:
        if candidate.stored.moment.kind is MomentKind.SCREEN_TEXT:
            _tell_overlapped(by_source[candidate.stored.source.id], candidate)
    return groups


def _near(groups: Sequence[Group], moment: MomentText, gap_s: float) -> list[Group]:
    """The groups of a source that may be within the gap of a moment, or overlap it.

    Told by rounded times: most pairs are far apart, and exact ones take long to compare.
    """
    if isinstance(moment.place, PageArea):
        return list(groups)
    spare_s = max(gap_s, 0.0) + _ROUNDING_S
    first_s, last_s = moment.place.start_s - spare_s, moment.place.end_s + spare_s
    return [group for group in groups if group.start_s <= last_s and group.end_s >= first_s]


def best_first(candidates: Sequence[Candidate]) -> list[Candidate]:
    """By score, equal ones in the order of the library."""
    return sorted(candidates, key=lambda one: (-one.score, one.stored.id))


def _absorb(
    group: Group, candidate: Candidate, asked: Set[str], settings: RetrieveSettings
) -> bool:
    """Take the candidate into a group of its source when it is the same place; False: it is not."""
    if isinstance(candidate.stored.moment.place, PageArea):
        return _absorb_on_page(group, candidate, settings)
    if group.moment.kind is candidate.stored.moment.kind:
        return _absorb_same_kind(group, candidate, asked, settings)
    return _absorb_other_kind(group, candidate, settings)


def _absorb_on_page(group: Group, candidate: Candidate, settings: RetrieveSettings) -> bool:
    moment = candidate.stored.moment
    if group.moment.area.page != moment.area.page:
        return False
    if moment.kind is MomentKind.PAGE:
        group.supports.append(candidate)
        return True
    if group.moment.kind is MomentKind.PAGE:
        group.take_over(candidate)
        return True
    if share_of_shorter(group.moment.text, moment.text) >= settings.same_text_share:
        group.supports.append(candidate)
        return True
    return False


def _absorb_same_kind(
    group: Group, candidate: Candidate, asked: Set[str], settings: RetrieveSettings
) -> bool:
    moment = candidate.stored.moment
    if group.span().gap_to(moment.span) > settings.merge_gap_s:
        return False
    if moment.kind is MomentKind.UTTERANCE:
        goes_on = _is_quoted(moment, asked) and _is_quoted(group.moment, asked)
    elif moment.kind is MomentKind.SCREEN_TEXT:
        goes_on = share_of_shorter(group.moment.text, moment.text) >= settings.same_text_share
    else:
        # Pictures that nothing names have no text, and are not the same for that.
        same_names = moment.text != "" and group.moment.text == moment.text
        goes_on = same_names or _nearly_as_strong(group.anchor, candidate, settings.merge_ratio)
    if goes_on:
        group.join(candidate)
    return goes_on


def _absorb_other_kind(group: Group, candidate: Candidate, settings: RetrieveSettings) -> bool:
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
        group.take_over(candidate)
    else:
        group.supports.append(candidate)
    return True


def _is_quoted(utterance: MomentText, asked: Set[str]) -> bool:
    """True when the content words of the question hold nearly all of what is said."""
    words = set(content_words(utterance.text))
    return len(words) >= _QUOTED_WORDS and len(words & asked) / len(words) >= 0.8


def _nearly_as_strong(first: Candidate, second: Candidate, ratio: float) -> bool:
    if first.cosine is None or second.cosine is None:
        return False
    stronger = max(first.cosine, second.cosine)
    return stronger > 0 and min(first.cosine, second.cosine) >= ratio * stronger


def _tell_overlapped(groups: Sequence[Group], shown: Candidate) -> None:
    """Screen text shown while an utterance is heard speaks for it, and stays a hit of its own."""
    moment = shown.stored.moment
    for group in _near(groups, moment, 0.0):
        if group.moment.kind is not MomentKind.UTTERANCE or not group.span().overlaps(moment.span):
            continue
        if all(one.stored.id != shown.stored.id for one in (*group.joined, *group.supports)):
            group.overlapping.append(shown)
