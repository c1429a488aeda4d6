"""A question as a row of signs: numbers, units and clocks one sign each, all else as it stands.

Phrases are then short regular expressions, whatever way a number is written. All languages are
read at once, since questions mix them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from index.folding import fold_with_places
from retrieve.time_words import HOUR_S, MINUTE_S, SECOND_S, Language
from retrieve.time_words_en import ENGLISH
from retrieve.time_words_ru import RUSSIAN
from retrieve.time_words_zh import CHINESE

LANGUAGES: tuple[Language, ...] = (ENGLISH, CHINESE, RUSSIAN)


class Sign(StrEnum):
    """Stands for one value; characters that no text means anything by."""

    NUMBER = "\ue000"
    FIRST = "\ue001"
    """The ordinal of 1; "the first ten minutes" are not the tenth of anything."""
    ORDINAL = "\ue002"
    UNIT = "\ue003"
    CLOCK = "\ue004"
    HALF = "\ue005"
    QUOTED = "\ue006"
    """What stands in quotes is never a time."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A time as players show it."""

    seconds: Fraction
    unit_s: int = SECOND_S
    """How exact it is."""
    as_hours: Fraction | None = None
    """Seconds when the two numbers are hours and minutes."""


Value = Fraction | Clock


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the folded text; `sign` None: as it stands."""

    text: str
    start: int
    end: int
    sign: Sign | None = None
    value: Value = Fraction(0)


@dataclass(frozen=True, slots=True)
class Signs:
    """The row: for each of its characters where it comes from in the original, and its value."""

    text: str
    places: tuple[tuple[int, int], ...]
    values: dict[int, Value]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Where the signs [start, end), at least one, stand in the original text."""
        return self.places[start][0], self.places[end - 1][1]


_HAN = "\u3005-\u3007\u3400-\u9fff"
_ORDINAL_ENDING = (
    "(?:(?:st|nd|rd|th)|-(?:й|ый|ой|я|ая|ю|ую|м|ом|е|го|ого|му|ому|ей|х|ми))(?![^\\W\\d_])"
)
_NUMERAL = "[零〇一二两兩三四五六七八九十百]+"
_HAN_WORDS = "|".join(
    f"{word}(?!之(?![后後前内間间]))" if word == "分" else word  # 分之 makes a fraction
    for word in sorted([*CHINESE.units, *CHINESE.numbers], key=len, reverse=True)
)
_BEFORE = "(?<![a-zа-я_\\d])(?<![a-zа-я]-)(?<![\\d][.,:/])(?<![$€£])"
_TOKEN = re.compile(
    f"""
    (?P<quoted>"[^"]*"|“[^”]*”|«[^»]*»|「[^」]*」|『[^』]*』)
    |{_BEFORE}(?P<clock>\\d{{1,3}}:[0-5]\\d(?::[0-5]\\d)?(?:[.]\\d{{1,3}})?)(?![:/]?\\d|%)
    |{_BEFORE}(?P<compact>(?:\\d+h\\d+(?:min|m)?(?:\\d+s)?|\\d+m\\d+s))(?![a-z\\d])
    |{_BEFORE}(?P<nth>\\d+){_ORDINAL_ENDING}
    |{_BEFORE}(?P<digits>\\d+(?:\\.\\d+)?)(?![.,:/]?\\d|%)
    |第\\s*(?P<han_nth>\\d+|{_NUMERAL})
    |(?P<han_number>{_NUMERAL})
    |(?P<han_word>{_HAN_WORDS})
    |(?P<drop>个|個)(?=半|小时|小時|钟头|鐘頭)
    |(?P<half>半)
    |(?P<han>[{_HAN}])
    |(?P<word>[^\\W\\d_{_HAN}]+(?:'[^\\W\\d_]+)?)
    |(?P<other>\\S)
    """,
    re.VERBOSE,
)
_HAN_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
    "兩": 2,
}
_LONGEST_WORDS = 4
_SHORT_UNITS = frozenset("msмс")
"""Only directly after a number: "5 m" are metres and «с» is a word."""
_NUMBER = (Sign.NUMBER,)
_DAY_BEFORE = re.compile("(?:" + "|".join(f"(?:{one.day_before})" for one in LANGUAGES) + r")\s*$")
_DAY_AFTER = re.compile(
    r"\s*(?:"
    + "|".join(f"(?:{one.day_after})" + (r"(?!\w)" if one.spaced else "") for one in LANGUAGES)
    + ")"
)


@lru_cache(maxsize=16)  # a question is read for a clock, then for all times
def read_signs(text: str) -> Signs:
    """The row of signs of a text."""
    folded = fold_with_places(text)
    tokens = _composed(_with_units(_with_vocabulary(list(_tokens(folded.text)))))
    parts: list[str] = []
    places: list[tuple[int, int]] = []
    values: dict[int, Value] = {}
    for number, token in enumerate(tokens):
        if number and _keeps_space(tokens[number - 1], token):
            parts.append(" ")
            places.append(folded.span(token.start, token.start + 1))
        if token.sign is not None:
            values[len(places)] = token.value
            parts.append(token.sign)
            places.append(folded.span(token.start, token.end))
        else:
            parts.append(token.text)
            places.extend(folded.span(at, at + 1) for at in range(token.start, token.end))
    return Signs("".join(parts), tuple(places), values)


def han_number(numeral: str) -> Fraction:
    """The number of a Chinese numeral below a thousand, in either way of writing: 二十三, 二三."""
    if "十" not in numeral and "百" not in numeral:
        return Fraction(int("".join(str(_HAN_DIGITS[sign]) for sign in numeral)))
    total, digit = 0, 0
    for sign in numeral:
        if sign in "十百":
            total += (digit or 1) * (10 if sign == "十" else 100)
            digit = 0
        else:
            digit = _HAN_DIGITS[sign]
    return Fraction(total + digit)


def _tokens(folded: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(folded):
        kind = match.lastgroup
        found = Token(match.group(), *match.span())
        number = match.group(kind) if kind else ""
        if kind == "clock":
            day = _DAY_BEFORE.search(folded, 0, found.start) or _DAY_AFTER.match(folded, found.end)
            yield found if day else replace(found, sign=Sign.CLOCK, value=_clock(number))
        elif kind == "compact":
            yield replace(found, sign=Sign.CLOCK, value=_compact(number))
        elif kind in ("nth", "han_nth"):
            value = Fraction(number) if number.isascii() else han_number(number)
            yield _ordinal(found, value)
        elif kind in ("digits", "han_number"):
            value = Fraction(number) if number.isascii() else han_number(number)
            yield replace(found, sign=Sign.NUMBER, value=value)
        elif kind == "han_word":
            yield _of_vocabulary(found, number) or found
        elif kind == "half":
            yield replace(found, sign=Sign.HALF)
        elif kind == "quoted":
            yield replace(found, sign=Sign.QUOTED)
        elif kind != "drop":
            yield found


def _clock(written: str) -> Clock:
    fields = [Fraction(field) for field in written.split(":")]
    if len(fields) == 3:
        return Clock(fields[0] * HOUR_S + fields[1] * MINUTE_S + fields[2])
    minutes_seconds = fields[0] * MINUTE_S + fields[1]
    exact = "." in written or fields[0] >= 100
    return Clock(
        minutes_seconds,
        as_hours=None if exact else fields[0] * HOUR_S + fields[1] * MINUTE_S,
    )


def _compact(written: str) -> Clock:
    """`1h05m20s`, `1h05`, `5m20s`."""
    pieces = re.findall(r"(\d+)([hms]?)", written.replace("min", "m"))
    units = {"h": HOUR_S, "m": MINUTE_S, "s": SECOND_S, "": MINUTE_S}
    seconds = sum(Fraction(number) * units[unit] for number, unit in pieces)
    return Clock(Fraction(seconds), unit_s=units[pieces[-1][1]])


def _ordinal(token: Token, value: Fraction) -> Token:
    return replace(token, sign=Sign.FIRST if value == 1 else Sign.ORDINAL, value=value)


def _of_vocabulary(token: Token, key: str) -> Token | None:
    for language in LANGUAGES:
        if key in language.numbers:
            return replace(token, sign=Sign.NUMBER, value=language.numbers[key])
        if key in language.ordinals:
            return _ordinal(token, Fraction(language.ordinals[key]))
        if key in language.units:
            return replace(token, sign=Sign.UNIT, value=Fraction(language.units[key]))
        if key in language.halves:
            return replace(token, sign=Sign.HALF)
    return None


def _with_vocabulary(tokens: list[Token]) -> list[Token]:
    """Words for numbers, ordinals and units become signs, the longest row of words first."""
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        for count in range(min(_LONGEST_WORDS, len(tokens) - at), 0, -1):
            row = tokens[at : at + count]
            if all(one.sign is None and not is_han(one.text[0]) for one in row):
                whole = Token(" ".join(one.text for one in row), row[0].start, row[-1].end)
                known = _of_vocabulary(whole, whole.text)
                if known is not None:
                    found.append(known)
                    break
                length_s = next(
                    (one.lengths[whole.text] for one in LANGUAGES if whole.text in one.lengths), 0
                )
                if length_s:
                    found.append(replace(whole, sign=Sign.NUMBER, value=Fraction(length_s)))
                    found.append(replace(whole, sign=Sign.UNIT, value=Fraction(SECOND_S)))
                    break
        else:
            found.append(tokens[at])
            count = 1
        at += count
    return found


def _with_units(tokens: list[Token]) -> list[Token]:
    """Decide by the neighbours: "second" (unit or ordinal), short units, halves."""
    found: list[Token] = []
    for number, token in enumerate(tokens):
        previous = found[-1].sign if found else None
        following = [one.sign for one in tokens[number + 1 : number + 3]]
        if token.text == "second":
            names_one = following[:1] == [Sign.NUMBER] and following[1:] != [Sign.UNIT]
            if previous is Sign.NUMBER or names_one:
                token = replace(token, sign=Sign.UNIT, value=Fraction(SECOND_S))  # noqa: PLW2901
        elif token.text == "半":
            token = _half(token, previous, following)  # noqa: PLW2901
        elif token.sign is Sign.UNIT and len(token.text) == 1:
            adjacent = bool(found) and found[-1].end == token.start
            allowed = (Sign.NUMBER, Sign.ORDINAL, Sign.FIRST) if token.text in "分秒" else _NUMBER
            if previous not in allowed or not (adjacent or token.text not in _SHORT_UNITS):
                token = replace(token, sign=None)  # noqa: PLW2901
        found.append(token)
    return found


def _half(token: Token, previous: Sign | None, following: list[Sign | None]) -> Token:
    """半: a half more after a number or unit, half of one before a unit, else a word."""
    if previous in (Sign.NUMBER, Sign.UNIT):
        return token
    if following[:1] == [Sign.UNIT]:
        return replace(token, sign=Sign.NUMBER, value=Fraction(1, 2))
    return replace(token, sign=None)


def _composed(tokens: list[Token]) -> list[Token]:
    """Tens and ones become one number: "twenty" "three", "сорок" "первой"."""
    found: list[Token] = []
    for token in tokens:
        found.append(token)
        while (joined := _joined_number(found)) is not None:
            count, whole = joined
            found[-count:] = [whole]
    return found


def _joined_number(found: list[Token]) -> tuple[int, Token] | None:
    """What the last tokens make together, and how many of them."""
    last = found[-1]
    count = 3 if len(found) > 2 and found[-2].text in ("-", "and") else 2
    if last.sign not in (Sign.NUMBER, Sign.ORDINAL, Sign.FIRST) or len(found) < count:
        return None
    tens = found[-count]
    values = (tens.value, last.value)
    if tens.sign is not Sign.NUMBER or not (_is_word(tens) and _is_word(last)):
        return None
    after_hundred = values[0] == 100 and values[1] in range(1, 100)
    after_ten = values[0] in range(20, 100, 10) and values[1] in range(1, 10)
    if not (after_hundred or (after_ten and found[-2].text != "and")):
        return None
    value = Fraction(sum(number for number in values if isinstance(number, Fraction)))
    sign = Sign.NUMBER if last.sign is Sign.NUMBER else Sign.ORDINAL
    return count, Token(f"{tens.text} {last.text}", tens.start, last.end, sign, value)


def _is_word(token: Token) -> bool:
    return token.text[0].isalpha() and not is_han(token.text[0])


def _keeps_space(before: Token, token: Token) -> bool:
    """Spaces say something only between words that are written with spaces."""
    if before.end == token.start or before.sign is not None or token.sign is not None:
        return False
    return not (is_han(before.text[-1]) or is_han(token.text[0]))


def is_han(character: str) -> bool:
    """True for a Chinese sign."""
    return "\u3005" <= character <= "\u3007" or "\u3400" <= character <= "\u9fff"
