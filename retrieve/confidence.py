"""How sure a hit is: the probability that it is what was asked for.

Logistic regression (Cox 1958) on what is known when a search ends; fused scores tell ranks only.
Its coefficients are settings (`ConfidenceSettings`), fitted by benchmarks/retrieval/calibrate.py on
hits of questions with known answers, and of questions without any. None is negative, so that more
evidence never makes a hit less sure. They hold for the embedder they were fitted with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import exp
from typing import TYPE_CHECKING

from index.records import MomentKind
from index.words import all_words
from retrieve.lists import PICTURE_KINDS
from retrieve.telling import cover

if TYPE_CHECKING:
    from retrieve.merging import Group
    from retrieve.settings import ConfidenceSettings

HEADING_CREDIT = 0.8
"""What a word of the question counts that stands only in the headings above a hit."""
SUPPORT_CREDIT = 0.6
"""What it counts in what only supports the hit, such as the slide that is shown meanwhile."""
LEAST_VERBATIM_WORDS = 2
"""A single word says nothing by standing there as asked."""
_EVIDENCE = {
    MomentKind.UTTERANCE: "said",
    MomentKind.SCREEN_TEXT: "on screen",
    MomentKind.FRAME: "seen",
    MomentKind.PAGE: "seen",
    MomentKind.PASSAGE: "printed",
    MomentKind.FIGURE: "printed",
}
_KINDS_THAT_AGREE = 2
"""More kinds of evidence beyond the first do not count."""
COMPARED = 2
"""Best hits that must be known to tell by how much one leads."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What speaks for a hit; `ConfidenceSettings` says what each is. All 0..1 but `lead`."""

    meaning: float
    picture: float
    cover: float
    lead: float
    listed: float
    agreement: float
    verbatim: float


NO_SIGNALS = Signals(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def confidence(signals: Signals, settings: ConfidenceSettings) -> float:
    """The probability that the hit is right, 0..1."""
    names = [field.name for field in fields(signals)]
    sum_ = settings.intercept + sum(
        getattr(settings, name) * getattr(signals, name) for name in names
    )
    return 1 / (1 + exp(-sum_)) if sum_ >= 0 else exp(sum_) / (1 + exp(sum_))


def signals_of(
    groups: Sequence[Group],
    question: str,
    weights: Mapping[str, float],
    settings: ConfidenceSettings,
) -> list[Signals]:
    """The signals of each group, best first; `weights` are those of the question's words.

    Of further hits, only the first COMPARED have to be among them.
    """
    phrase = all_words(question)
    return [
        Signals(
            meaning=_beyond(0.0, _likeness(group, pictures=False)),
            picture=_beyond(settings.pictures_from, _likeness(group, pictures=True)),
            cover=_cover(group, weights),
            lead=_lead(groups, number),
            listed=max(
                (1 / one.words_rank for one in group.members if one.words_rank), default=0.0
            ),
            agreement=_agreement(group),
            verbatim=float(
                len(phrase) >= LEAST_VERBATIM_WORDS and holds_phrase(group.text(), phrase)
            ),
        )
        for number, group in enumerate(groups)
    ]


def holds_phrase(text: str, phrase: Sequence[str]) -> bool:
    """Whether these words stand in the text, one after the other."""
    return f" {' '.join(phrase)} " in f" {' '.join(all_words(text))} "


def _likeness(group: Group, *, pictures: bool) -> float:
    cosines = [
        member.cosine
        for member in group.members
        if member.cosine is not None and (member.stored.moment.kind in PICTURE_KINDS) is pictures
    ]
    return max(cosines, default=0.0)


def _beyond(start: float, likeness: float) -> float:
    """How far a likeness is from `start` (0) to 1 (1)."""
    return min(max((likeness - start) / (1 - start), 0.0), 1.0)


def _cover(group: Group, weights: Mapping[str, float]) -> float:
    supports = [*group.supports, *group.overlapping]
    texts = [
        (group.text(), 1.0),
        (group.moment.heading, HEADING_CREDIT),
        *((one.stored.moment.text, SUPPORT_CREDIT) for one in supports),
    ]
    return cover(weights, texts)


def _lead(groups: Sequence[Group], number: int) -> float:
    others = [group.score for at, group in enumerate(groups[:COMPARED]) if at != number]
    lead = groups[number].score - max(others, default=0.0)
    return min(max(lead, -1.0), 1.0)


def _agreement(group: Group) -> float:
    kinds = {_EVIDENCE[member.stored.moment.kind] for member in group.members}
    return min(len(kinds) - 1, _KINDS_THAT_AGREE) / _KINDS_THAT_AGREE
