"""What a language brings to the reading of times: its words for numbers and units, its phrases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from fractions import Fraction
from typing import TypeVar

_Value = TypeVar("_Value")
SECOND_S, MINUTE_S, HOUR_S = 1, 60, 3600


class Meaning(Enum):
    """What a phrase says about the times in it."""

    AT = auto()
    """One point or named minute or hour."""
    AROUND = auto()
    """One point, roughly."""
    BETWEEN = auto()
    """From a first point to a second one."""
    AFTER = auto()
    BEFORE = auto()
    FIRST = auto()
    """As long as the duration, from the start."""
    LAST = auto()
    """As long as the duration, to the end."""
    FROM_END = auto()
    """The point that far before the end."""
    PART = auto()
    """One of equal parts: two numbers, which and of how many; one: the last of so many."""
    FIRST_HALF = auto()
    SECOND_HALF = auto()
    FIRST_SHARE = auto()
    """A fraction at the start: of how many parts, how many."""
    LAST_SHARE = auto()
    """A fraction at the end: of how many parts, how many."""
    BEGINNING = auto()
    MIDDLE = auto()
    HALFWAY = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Phrase:
    """A way to say where to look.

    `template` is a regular expression over folded text; a space also matches nothing. It may hold
    {p} a point (a clock, `minute 5`, `5 minutes 20 seconds`, `the 5th minute`, a bare number), or
    one form of it: {clock}, {named} `minute 5`, {ordinal} `5th minute`, {d} a duration; and {u} a
    unit, {o} an ordinal, {n} a number, {first} the ordinal of 1.
    """

    meaning: Meaning
    template: str
    sure: bool = False
    """True when it cannot be a part of what is searched for: "the second hour" is, "at 10:30"
    may be when a meeting was."""


@dataclass(frozen=True, slots=True)
class Language:
    """Words (folded, of one language) and phrases."""

    numbers: Mapping[str, Fraction]
    ordinals: Mapping[str, int]
    units: Mapping[str, int]
    """Seconds."""
    lengths: Mapping[str, int]
    """Words for a number and a unit at once, in seconds."""
    halves: frozenset[str]
    """What adds a half to the number or unit before it: "and a half"."""
    phrases: tuple[Phrase, ...]
    spaced: bool
    """True when words are set apart by spaces."""
    script: str
    """Its letters, as a character class: a phrase holds no others."""
    day_before: str
    """What stands before a clock of the day, e.g. 下午; a regular expression."""
    day_after: str
    """What stands after one, e.g. pm."""
    idle: str
    """Words that ask without saying what for ("what happened"); a regular expression."""


def each(words: str, value: _Value) -> dict[str, _Value]:
    """Words that all mean the same."""
    return dict.fromkeys(words.split(), value)


def joined(*names: str) -> str:
    """An alternation of words, the longest first."""
    words = sorted({word for name in names for word in name.split()}, key=len, reverse=True)
    return "(?:" + "|".join(words) + ")"


def listed(words: str) -> list[str]:
    """Words, one by one."""
    return words.split()


def numbered(text: str, start: int = 1) -> dict[str, int]:
    """Words in lines, the n-th line (from `start`) meaning n."""
    lines = text.strip().splitlines()
    return {word: number for number, line in enumerate(lines, start) for word in line.split()}
