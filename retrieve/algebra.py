"""Temporal algebra: what is before, after, during or near something else, first, last, how often.

The relations are those of Allen, "Maintaining knowledge about temporal intervals", Communications
of the ACM 26(11), 1983, gathered into the few that people ask for; spans are half-open `[start,
end)`, and times are compared exactly:

    before(a, b)           a ends before b starts, or just then         (Allen: before, meets)
    after(a, b)            a starts when b has ended, or later          (after, met by)
    during(a, b)           a lies within b             (during, starts, finishes, equal)
    near(a, b, 30)         at most 30 s apart; 0 when they touch or overlap
    between(a, b, c)       after some b and before some c
    first(a), last(a)      by time; in documents by page and height on it
    negated(before(a, b))  those a that are before no b; the same of after, during, near, between
    without(a, b)          those a in whose source no b is found at all
    count(a)               how many, in all and of each source
    across(a, "recorded")  over all sources, ordered by what their metadata say

An operand is a text: what an ordinary search for it finds and deems relevant (`is_relevant`), or,
`exact`, what holds it word by word. A relation keeps hits of its left operand, each once, and tells
the nearest hits of the right one that make it true; these are told, too, by `Hit.partners`.

All this holds within one source: times of two recordings have no common clock. `across` goes
beyond it where that has a meaning: `before`, `after` and `between` then also hold between sources,
by the order of a metadata value that they have (a date as 2021-03-05, a number); sources with equal
values, or without one, are neither before nor after each other. `first` and `last` give one hit of
all, not one of each source; without a name the order is that in which sources were added. `without`
asks that no source has it. `during` and `near` always stay within a source.

Documents have pages, no times: relations by time leave their hits out, on either side, negated or
not; `first`, `last`, `count` and `without` do not.

`retrieve.algebra_text` reads expressions from text; `retrieve.algebra_search` evaluates them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from index.errors import QuestionError
from index.interval_joins import Relation

MAX_OPERANDS = 12
"""Every operand is a search."""


@dataclass(frozen=True, slots=True)
class Operand:
    """What an ordinary search for a text finds; `exact`: what holds it word by word."""

    text: str
    exact: bool = False

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise QuestionError("an operand is empty; write a few words to look for")


@dataclass(frozen=True, slots=True)
class Related:
    """Those of `left` that stand in a relation to one of `right`; `negated`: to none."""

    left: Part
    relation: Relation
    right: Part
    at_most: Fraction | None = None
    """Seconds apart; needed by near, not known to during."""
    negated: bool = False

    def __post_init__(self) -> None:
        if (self.relation == "near") > (self.at_most is not None):
            raise QuestionError("near needs a number of seconds")
        if self.relation == "during" and self.at_most is not None:
            raise QuestionError("during takes no number of seconds")
        if self.at_most is not None and self.at_most < 0:
            raise QuestionError(f"seconds apart cannot be negative, got {self.at_most}")


@dataclass(frozen=True, slots=True)
class Between:
    """Those of `left` that are after one of `earlier` and before one of `later`."""

    left: Part
    earlier: Part
    later: Part
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Without:
    """Those of `left` in whose source there is none of `other`."""

    left: Part
    other: Part


@dataclass(frozen=True, slots=True)
class Outermost:
    """The first or last of each source."""

    end: Literal["first", "last"]
    of: Part


Part = Operand | Related | Between | Without | Outermost


@dataclass(frozen=True, slots=True)
class Expression:
    """A whole question."""

    part: Part
    counts: bool = False
    """Asked is how many there are."""
    across: bool = False
    """Sources are compared with each other."""
    by: str | None = None
    """Metadata that orders them; None: as they were added."""

    def __post_init__(self) -> None:
        if self.by is not None and not self.across:
            raise QuestionError("sources are ordered only where they are compared (across)")
        operands = sum(isinstance(part, Operand) for part in parts_of(self.part))
        if operands > MAX_OPERANDS:
            raise QuestionError(f"an expression has at most {MAX_OPERANDS} operands")
        if self.across and self.by is None and any(map(_compares_times, parts_of(self.part))):
            raise QuestionError(
                "before, after and between compare sources only by an order that their metadata "
                'give; name it, e.g. "budget" BEFORE "vote" ACROSS recorded'
            )


def _compares_times(part: Part) -> bool:
    if isinstance(part, Related):
        return part.relation in ("before", "after") and part.at_most is None
    return isinstance(part, Between)


def parts_of(part: Part) -> Iterator[Part]:
    """A part and all within it, those within first, from left to right."""
    match part:
        case Related(left=left, right=right):
            inner: tuple[Part, ...] = (left, right)
        case Between(left=left, earlier=earlier, later=later):
            inner = (left, earlier, later)
        case Without(left=left, other=other):
            inner = (left, other)
        case Outermost(of=of):
            inner = (of,)
        case Operand():
            inner = ()
    for one in inner:
        yield from parts_of(one)
    yield part


def kept_operand(part: Part) -> Operand:
    """The operand whose hits are kept: the leftmost."""
    return next(one for one in parts_of(part) if isinstance(one, Operand))


# --- building ------------------------------------------------------------------------------------


def exact(text: str) -> Operand:
    """What holds these words, together and in this order."""
    return Operand(text, exact=True)


def before(
    left: Part | str, right: Part | str, *, within_s: Fraction | float | None = None
) -> Part:
    """Those of `left` that end before one of `right` starts, at most `within_s` earlier."""
    return Related(_part(left), "before", _part(right), _seconds(within_s))


def after(left: Part | str, right: Part | str, *, within_s: Fraction | float | None = None) -> Part:
    """Those of `left` that start after one of `right` ends, at most `within_s` later."""
    return Related(_part(left), "after", _part(right), _seconds(within_s))


def during(left: Part | str, right: Part | str) -> Part:
    """Those of `left` that lie within one of `right`."""
    return Related(_part(left), "during", _part(right))


def near(left: Part | str, right: Part | str, within_s: Fraction | float) -> Part:
    """Those of `left` that are at most `within_s` away from one of `right`."""
    return Related(_part(left), "near", _part(right), _seconds(within_s))


def between(left: Part | str, earlier: Part | str, later: Part | str) -> Part:
    """Those of `left` after one of `earlier` and before one of `later`."""
    return Between(_part(left), _part(earlier), _part(later))


def negated(part: Part) -> Part:
    """Those of the left operand for which a relation does not hold. Raises QuestionError."""
    if isinstance(part, Related | Between):
        return replace(part, negated=not part.negated)
    raise QuestionError("only relations by time are negated; without(a, b) says: no b at all")


def without(left: Part | str, other: Part | str) -> Part:
    """Those of `left` in whose source `other` is not found."""
    return Without(_part(left), _part(other))


def first(of: Part | str) -> Part:
    """The first of each source."""
    return Outermost("first", _part(of))


def last(of: Part | str) -> Part:
    """The last of each source."""
    return Outermost("last", _part(of))


def count(of: Part | str) -> Expression:
    """How many there are."""
    return Expression(_part(of), counts=True)


def across(of: Expression | Part | str, by: str | None = None) -> Expression:
    """The same over all sources, ordered by the metadata `by`; None: as they were added."""
    whole = of if isinstance(of, Expression) else Expression(_part(of))
    return replace(whole, across=True, by=by)


def _part(given: Part | str) -> Part:
    return Operand(given) if isinstance(given, str) else given


def _seconds(given: Fraction | float | None) -> Fraction | None:
    # 0.1 means a tenth, not the binary fraction that is nearest to it
    return None if given is None else Fraction(str(given))
