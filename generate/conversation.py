"""Conversation: a further question is read with what was asked and answered before.

A follow-up leaves out what both sides know. It may ask what comes right after what was cited, move
the earlier question to another stretch or source ("what about the second hour?"), to another
subject ("and the drones?"), ask for one thing more of it ("and when?"), or name it by a pronoun.
What is read so becomes one or more texts to search for, the likeliest first; a question that
stands by itself stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from generate.prompt import TextPart, Turn
from index.records import PageArea, SourceKind, Span
from index.words import all_words, stem
from retrieve.filters import allowed_moments
from retrieve.framing import without_frame
from retrieve.neighbours import Side, moments_there
from retrieve.question import Question, literal
from retrieve.telling import telling_words
from retrieve.understanding import narrowed, understand
from retrieve.words import content_words

if TYPE_CHECKING:
    from index.snapshot import Snapshot
    from retrieve.filters import Filters

MAX_EXCHANGES = 20
"""Earlier questions that are read, the latest ones."""
MAX_REUSED = 12
"""Moments of earlier answers that are read again."""
_MOST_LOOKED_UP = 60
"""Citations of earlier answers that are looked up for them, the latest ones."""
_MOST_AT_PLACE = 200
"""Moments at one of them that are looked at: a client may send any span."""
_MAX_SUBJECT_WORDS = 5
_WHAT = (
    r"(?:what (?:happen(?:s|ed)|comes?|came|follow(?:s|ed)|is said|was said|is next|next|"
    r"(?:did|does|do) (?:he|she|they|it) (?:say|do|show)(?: next)?)"
    r"|was (?:passiert|passierte|geschah|geschieht|kommt|kam|folgt|folgte|wurde gesagt"
    r"|sagt (?:sie|er)|sagte (?:sie|er)))"
)
_RIGHT = (
    r"(?:(?:right|just|directly|immediately|shortly|straight|direkt|gleich|kurz|unmittelbar) )?"
)
_THAT = r"(?:that|this|it)"
_AND = r"(?:(?:and|so|ok|okay|und|also),? )?"
_AFTER = rf"(?:{_RIGHT}(?:after(?: {_THAT}|wards)|danach)|then|next|dann)"
_BEFORE = rf"{_RIGHT}(?:before(?: {_THAT})?|beforehand|davor|vorher|zuvor)"
_AFTER_FORMS = (
    rf"{_AND}(?:{_WHAT} )?(?:then )?{_AFTER}",
    rf"{_AND}(?:go on|continue|what next|what comes next|what happens next|weiter"
    r"|wie (?:geht|ging) es (?:dann )?weiter)",
)
_BEFORE_FORMS = (rf"{_AND}(?:{_WHAT} )?{_BEFORE}",)
_BESIDE: tuple[tuple[re.Pattern[str], Side], ...] = (
    *((re.compile(form, re.IGNORECASE), "after") for form in _AFTER_FORMS),
    *((re.compile(form, re.IGNORECASE), "before") for form in _BEFORE_FORMS),
)
_ON_SIDE = re.compile(
    rf"{_AND}(?P<rest>.+?) {_RIGHT}(?P<side>after|before) {_THAT}\s*[?.!]*", re.IGNORECASE
)
_ANOTHER = re.compile(
    r"(?:(?:and )?(?:what|how) about|and about|and|(?:und )?was ist mit|und) (?P<x>.+)",
    re.IGNORECASE,
)
_LEAD = re.compile(rf"^{_AND}", re.IGNORECASE)
_PRONOUNS_TEXT = (
    "it its that this they them their theirs he she his her hers him those these there one ones "
    "es sie er ihn ihm ihr ihre sein seine das dies diese dieser dort davon dazu damit daran"
)
_PRONOUNS = frozenset(_PRONOUNS_TEXT.split())
_ASKED_HOW_TEXT = (
    "when where who whom whose why how what which wann wo wer wen warum wieso wie was welche "
    "welcher welches"
)
_ASKED_HOW = frozenset(_ASKED_HOW_TEXT.split())
_MAX_SUBJECT_CHARS = 300


@dataclass(frozen=True, slots=True)
class Cited:
    """A place that an earlier answer cited."""

    source_id: str
    place: Span | PageArea
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """An earlier question and its answer."""

    question: str
    """As asked."""
    answer: str
    cited: tuple[Cited, ...] = ()
    """In the order of the answer."""
    asked_as: str = ""
    """What it was taken for when it was a follow-up itself; empty: for what it says."""

    @property
    def meant(self) -> str:
        """The question so that it stands by itself."""
        return self.asked_as or self.question


@dataclass(frozen=True, slots=True)
class Beside:
    """Asked is what stands next to a place."""

    cited: Cited
    side: Side


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question as it is meant after earlier ones."""

    texts: tuple[str, ...]
    """What to search for, the likeliest first; a later one where the earlier ones find nothing."""
    filters: Filters
    note: str = ""
    """How it was taken, for readers; empty: for what it says."""
    beside: Beside | None = None
    must_hold: frozenset[str] = frozenset()
    """Stems of which a sentence that answers holds at least one; empty: any may answer."""
    reused: tuple[int, ...] = ()
    """Moments that earlier answers cited, as far as they may be read: the latest first."""


def turns_of(history: Sequence[Exchange]) -> tuple[Turn, ...]:
    """Earlier questions and answers as turns of a prompt."""
    return tuple(
        turn
        for one in history[-MAX_EXCHANGES:]
        for turn in (
            Turn("user", (TextPart(one.question),)),
            Turn("assistant", (TextPart(one.answer),)),
        )
    )


def follow_up(
    question: str,
    history: Sequence[Exchange],
    snapshot: Snapshot,
    filters: Filters,
    *,
    is_literal: bool = False,
) -> FollowUp:
    """What a question means after earlier ones, the latest last.

    Raises QuestionError when the filters name an unknown source or cannot be asked.
    """
    history = history[-MAX_EXCHANGES:]
    alone = FollowUp((question,), filters)
    if not history or is_literal:
        return alone
    understood = understand(snapshot, question, filters)
    meant = _meant(question, understood, history, snapshot, filters) or alone
    if meant.beside is not None or meant.filters != filters or understood.is_restricted:
        return meant  # what was cited elsewhere has no place there
    return replace(meant, reused=tuple(_reused(history, snapshot, filters)))


def _meant(
    question: str,
    understood: Question,
    history: Sequence[Exchange],
    snapshot: Snapshot,
    filters: Filters,
) -> FollowUp | None:
    """How a follow-up is meant; None when it stands by itself."""
    bare = _bare(question)
    last = next((one for one in reversed(history) if _side_asked(one.question) is None), history[0])
    cited = next((one.cited for one in reversed(history) if one.cited), ())
    next_to = _side_asked(question)
    if cited and next_to is not None:
        beside = Beside(_outermost(cited, next_to), next_to)
        return FollowUp((question,), filters, f"right {next_to} what was cited", beside)
    if understood.is_restricted and not understood.has_words:
        return _elsewhere(question, understood, last, snapshot, filters)
    on_side = _ON_SIDE.fullmatch(bare)
    if on_side and cited and literal(on_side["rest"]).has_words:
        return _on_side(on_side["rest"], _side(on_side["side"]), cited, snapshot, filters)
    if understood.is_restricted:
        return None
    return _elliptic(bare, question, last, snapshot, filters)


def _bare(question: str) -> str:
    return " ".join(question.split()).rstrip(" ?.!")


def _side_asked(question: str) -> Side | None:
    """Whether it only asks what comes right after what was cited, or before it."""
    bare = _bare(question)
    return next((side for form, side in _BESIDE if form.fullmatch(bare)), None)


def _elliptic(
    bare: str, question: str, last: Exchange, snapshot: Snapshot, filters: Filters
) -> FollowUp | None:
    """A question that leaves out its subject, or names it by a pronoun."""
    words = all_words(bare)
    telling = [word for word in telling_words(bare) if word not in _ASKED_HOW | _PRONOUNS]
    note = f"after “{last.meant}”"
    another = _ANOTHER.fullmatch(bare)
    if not telling and any(word in _ASKED_HOW for word in words):
        asks = _LEAD.sub("", bare)
        return FollowUp((f"{asks}: {_subject(last, snapshot, filters)}",), filters, note)
    if another and telling and len(telling) <= _MAX_SUBJECT_WORDS:
        subject = another["x"]
        texts = (f"{_subject(last, snapshot, filters)} {subject}", subject)
        return FollowUp(texts, filters, note, must_hold=frozenset(content_words(subject)))
    if not _PRONOUNS.isdisjoint(words):
        with_subject = f"{question} {_subject(last, snapshot, filters)}"
        if len(telling) > 1:
            return FollowUp((question, with_subject), filters)
        own = frozenset(map(stem, telling))
        return FollowUp((with_subject, question), filters, note, must_hold=own)
    return None


def _elsewhere(
    question: str, understood: Question, last: Exchange, snapshot: Snapshot, filters: Filters
) -> FollowUp | None:
    """The last question about another stretch or source."""
    before = understand(snapshot, last.meant, filters)
    if understood.sources is None and before.sources is not None and filters.sources is None:
        filters = replace(filters, sources=before.sources)
        understood = understand(snapshot, question, filters)
    note = f"as “{last.meant}”: {'; '.join(understood.notes)}"
    if not before.has_words:
        return FollowUp((question,), filters, note)
    return FollowUp((before.searched,), narrowed(filters, understood), note)


def _on_side(
    rest: str, side: Side, cited: Sequence[Cited], snapshot: Snapshot, filters: Filters
) -> FollowUp:
    """A question about all that comes after what was cited, or before it."""
    place = _outermost(cited, side)
    allowed = allowed_moments(snapshot, filters)
    if not len(moments_there(snapshot, place.source_id, place.place, allowed)):
        return FollowUp((rest,), filters)  # not even its name may be told
    source = snapshot.sources[place.source_id]
    note = f"“{rest}” {side} what was cited in {source.name}"
    if source.kind is SourceKind.DOCUMENT or source.duration is None:
        return FollowUp((rest,), replace(filters, sources=(source.id,)), note)
    assert isinstance(place.place, Span)
    after = side == "after"
    start, end = (
        (place.place.end, source.duration) if after else (source.duration * 0, place.place.start)
    )
    if start >= end:
        return FollowUp((rest,), filters, note)
    return FollowUp((rest,), replace(filters, spans=((source.id, Span(start, end)),)), note)


def _subject(last: Exchange, snapshot: Snapshot, filters: Filters) -> str:
    """What the last question was about: without where to look, and without what only asks."""
    subject = without_frame(understand(snapshot, last.meant, filters).searched)
    return subject[:_MAX_SUBJECT_CHARS].rstrip(" ?.!")


def _side(word: str) -> Side:
    return "after" if word.lower() == "after" else "before"


def _outermost(cited: Sequence[Cited], side: Side) -> Cited:
    """Where an answer ends, or begins; where it jumps about, its first and best citation."""
    places = [_position(one) for one in cited]
    in_order = len({one.source_id for one in cited}) == 1 and places == sorted(places)
    return cited[-1] if in_order and side == "after" else cited[0]


def _position(cited: Cited) -> float:
    return cited.place.start_s if isinstance(cited.place, Span) else float(cited.place.page)


def _reused(history: Sequence[Exchange], snapshot: Snapshot, filters: Filters) -> Iterator[int]:
    """What the latest answers cited, as far as filters allow it."""
    allowed = allowed_moments(snapshot, filters)
    taken: dict[int, None] = {}
    latest = (one for exchange in reversed(history) for one in exchange.cited)
    for cited in islice(latest, _MOST_LOOKED_UP):
        found = moments_there(snapshot, cited.source_id, cited.place, allowed)
        for moment in snapshot.texts(found[:_MOST_AT_PLACE]):
            if not cited.quote or cited.quote in moment.moment.text:
                taken[moment.id] = None
        if len(taken) >= MAX_REUSED:
            break
    yield from list(taken)[:MAX_REUSED]
