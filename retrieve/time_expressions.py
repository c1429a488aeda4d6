"""Expressions of media time in a text ("in the second hour", 第3分25秒) and what they mean.

What is read, in English, Chinese and Russian, stands as phrases in `retrieve.time_words_*`.

- A clock of two numbers is minutes and seconds, as players show it. In a source that is long
  enough for hours and minutes it may as well be those: then both places are meant.
- A clock point means 10 s to both sides of it (60 s with "around"), a point of whole minutes 60 s
  (180 s), of whole hours 5 min (10 min). Borders of ranges are exact.
- People count minutes in two ways: 22:10 is in the 23rd minute, and a player that shows 23:10 is
  at minute 23. Both are meant, except by the first minute. Hours are only counted: the second hour
  is the one from 1:00:00 to 2:00:00.
- The beginning and the end are a fifth of the length each, the middle is the middle third,
  halfway is a twentieth to both sides of the half.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from index.folding import fold
from index.records import Span
from retrieve.time_symbols import LANGUAGES, Clock, Sign, Signs, Value, read_signs
from retrieve.time_windows import (
    END,
    ROUGH_TOLERANCE_S,
    START,
    TOLERANCE_S,
    Border,
    Window,
    common,
    disjoint,
    from_start,
    shares,
)
from retrieve.time_words import HOUR_S, MINUTE_S, Meaning, Phrase

_TWENTIETH, _FIFTH, _THIRD, _HALF = (Fraction(1, n) for n in (20, 5, 3, 2))


@dataclass(frozen=True, slots=True)
class TimeExpression:
    """What stands at [start, end) of a text and where it says to look."""

    start: int
    end: int
    words: str
    windows: tuple[Window, ...]
    """More than one: it can be read in more than one way."""
    sure: bool
    """False when it may be a part of what is searched for."""

    def spans_in(self, length: Fraction) -> tuple[Span, ...]:
        """Where to look in a source of this length (seconds), in order, disjoint."""
        found = (window.span_in(length) for window in self.windows)
        return disjoint(span for span in found if span is not None)

    def instants_in(self, length: Fraction) -> tuple[Fraction, ...]:
        """The instants of a source of this length that are named."""
        found = (window.instant_in(length) for window in self.windows)
        return tuple(instant for instant in found if instant is not None)


@dataclass(frozen=True, slots=True)
class _Point:
    """An instant, or a named minute or hour, [start, end)."""

    start: Fraction
    end: Fraction
    before: Fraction
    """Where "before it" ends."""
    after: Fraction
    """Where "after it" starts."""
    unit_s: int
    is_hours: bool = False
    """A clock read as hours and minutes."""

    @classmethod
    def exact(cls, seconds: Fraction, unit_s: int, *, is_hours: bool = False) -> _Point:
        return cls(seconds, seconds, seconds, seconds, unit_s, is_hours)


def find_times(text: str) -> tuple[TimeExpression, ...]:
    """The expressions of a text, in order; they do not overlap."""
    signs = read_signs(text)
    found = [
        (match.start(), -match.end(), rank)
        for rank, (pattern, _, _) in enumerate(_PATTERNS)
        for match in pattern.finditer(signs.text)
    ]
    expressions: list[TimeExpression] = []
    done = 0
    for start, minus_end, rank in sorted(found):  # the first, of those the longest
        pattern, phrase, foreign = _PATTERNS[rank]
        match = pattern.match(signs.text, start)
        if start < done or match is None:
            continue
        place = signs.original(start, -minus_end)
        words = text[slice(*place)]
        windows = _windows(phrase.meaning, signs, match)
        if windows and not foreign.search(fold(words)):
            done = -minus_end
            expressions.append(TimeExpression(*place, words, windows, sure=phrase.sure))
    return tuple(expressions)


def bare_clock(text: str) -> TimeExpression | None:
    """The time that a text is, when it is nothing but a clock or a 3分25秒."""
    signs = read_signs(text)
    if re.fullmatch(f"{Sign.CLOCK}|(?:{Sign.NUMBER}{Sign.UNIT}){{2,3}}", signs.text) is None:
        return None
    whole = (0, len(signs.text))
    place = signs.original(*whole)
    points = _points(signs, whole, None, counts=False)
    return TimeExpression(*place, text[slice(*place)], _around(points, TOLERANCE_S), sure=True)


def spans_of(expressions: Sequence[TimeExpression], length: Fraction) -> tuple[Span, ...]:
    """Where they all say to look in a source; where they exclude each other, at either place."""
    spans: tuple[Span, ...] = ()
    for number, expression in enumerate(expressions):
        own = expression.spans_in(length)
        spans = own if number == 0 else common(spans, own) or disjoint((*spans, *own))
    return spans


def _windows(meaning: Meaning, signs: Signs, match: re.Match[str]) -> tuple[Window, ...]:
    """The ways in which a phrase can be read; none when it is no time after all."""
    parts = {name: match.span(name) for name, found in match.groupdict().items() if found}
    if meaning in _SHARES:
        return (_SHARES[meaning],)
    if meaning in (Meaning.PART, Meaning.FIRST_SHARE, Meaning.LAST_SHARE):
        return _part(meaning, [_number(signs.values[start]) for start, _ in parts.values()])
    unit_s, counts = _borrowed_unit(signs, match), _counts(signs, parts.values())
    points = [_points(signs, place, unit_s, counts=counts) for place in parts.values()]
    if not all(points):
        return ()
    if meaning is Meaning.BETWEEN:
        return _between(points[0], points[1])
    usable = [one for one in points[0] if not one.is_hours or one.start >= HOUR_S]
    return _READERS[meaning](usable)


def _part(meaning: Meaning, numbers: list[Fraction]) -> tuple[Window, ...]:
    """The n-th of m equal parts, the last of m, or n/m at the start or end."""
    if len(numbers) == 1:
        parts, wanted = numbers[0], numbers[0]
    elif meaning is Meaning.PART:
        wanted, parts = numbers
    else:
        parts, wanted = numbers
    if not 2 <= parts <= 10 or not 1 <= wanted <= parts:
        return ()
    if meaning is Meaning.FIRST_SHARE:
        return (shares(Fraction(0), wanted / parts),)
    if meaning is Meaning.LAST_SHARE:
        return (shares(1 - wanted / parts, Fraction(1)),)
    return (shares((wanted - 1) / parts, wanted / parts),)


def _borrowed_unit(signs: Signs, match: re.Match[str]) -> int | None:
    """The unit of a bare number: that of the other border; minutes beside a clock."""
    for at in range(match.start(), match.end()):
        if signs.text[at] == Sign.UNIT:
            return int(_number(signs.values[at]))
    return MINUTE_S if Sign.CLOCK in match.group() else None


def _counts(signs: Signs, places: Collection[tuple[int, int]]) -> bool:
    """True when one border of two is a minute or hour by its number: then the other is, too."""
    starts = [signs.text[start] for start, end in places if end - start <= 2]
    return len(places) > 1 and any(
        start in (Sign.UNIT, Sign.FIRST, Sign.ORDINAL) for start in starts
    )


def _points(
    signs: Signs, place: tuple[int, int], unit_s: int | None, *, counts: bool
) -> tuple[_Point, ...]:
    """The readings of a point; none when a bare number borrows no unit."""
    row = [(Sign(signs.text[at]), signs.values[at]) for at in range(*place) if at in signs.values]
    sign, value = row[0]
    if isinstance(value, Clock):
        return _readings(value)
    alone, is_unit = len(row) == 1, sign is Sign.UNIT
    if alone and not is_unit and unit_s is None:
        return ()
    is_ordinal = sign in (Sign.ORDINAL, Sign.FIRST)
    names_it = (is_unit and row[-1][0] is Sign.NUMBER) or (is_ordinal and len(row) <= 2)
    if names_it or (counts and len(row) <= 2 and not is_unit):
        by_sign = dict(row)
        in_s = int(_number(by_sign[Sign.UNIT])) if Sign.UNIT in by_sign else unit_s or MINUTE_S
        return (_named(_number(row[1][1] if is_unit else value), in_s, counted=is_ordinal),)
    if alone and not is_unit:
        return (_Point.exact(value * (unit_s or 1), unit_s or 1),)
    return (_Point.exact(*_duration([(Sign.NUMBER, Fraction(1)), *row] if is_unit else row)),)


def _readings(clock: Clock) -> tuple[_Point, ...]:
    point = _Point.exact(clock.seconds, clock.unit_s)
    if clock.as_hours is None or clock.as_hours == clock.seconds:
        return (point,)
    return (point, _Point.exact(clock.as_hours, MINUTE_S, is_hours=True))


def _named(number: Fraction, unit_s: int, *, counted: bool) -> _Point:
    """Minute 23, the 23rd minute, the second hour."""
    if unit_s == HOUR_S or (counted and number == 1):
        start, end = max(number - 1, Fraction(0)) * unit_s, number * unit_s
        return _Point(start, end, before=start, after=end, unit_s=unit_s)
    if unit_s != MINUTE_S:
        return _Point.exact(number * unit_s, unit_s)
    start, end = max(number - 1, Fraction(0)) * unit_s, (number + 1) * unit_s
    return _Point(start, end, before=number * unit_s, after=number * unit_s, unit_s=unit_s)


def _duration(row: Sequence[tuple[Sign, Value]]) -> tuple[Fraction, int]:
    """Seconds of numbers with units, and the smallest of the units."""
    total, number, unit_s = Fraction(0), Fraction(0), HOUR_S
    for at, (sign, value) in enumerate(row):
        if sign is Sign.HALF:
            if at + 1 < len(row) and row[at + 1][0] is Sign.UNIT:
                number += _HALF
            else:
                total += Fraction(unit_s, 2)
                unit_s = max(unit_s // 60, 1)
        elif sign is Sign.UNIT:
            unit_s = int(_number(value))
            total += number * unit_s
            if number.denominator > 1:
                unit_s = max(unit_s // 60, 1)  # half an hour is as exact as minutes are
        else:
            number = _number(value)
    return total, unit_s if unit_s in TOLERANCE_S else MINUTE_S


def _number(value: Value) -> Fraction:
    if not isinstance(value, Fraction):
        raise TypeError(f"a clock stands where a number is read: {value}")
    return value


def _around(points: Sequence[_Point], tolerance_s: dict[int, int]) -> tuple[Window, ...]:
    """A named minute or hour as such, an instant with what is around it."""
    windows = []
    for point in points:
        width = Fraction(0 if point.start < point.end else tolerance_s[point.unit_s])
        if tolerance_s is ROUGH_TOLERANCE_S:
            width = Fraction(tolerance_s[point.unit_s])
        start, end = from_start(point.start - width), from_start(point.end + width)
        about = from_start(point.start) if point.start == point.end else None
        windows.append(Window(start, end, point.start, about))
    return tuple(windows)


def _between(first: Sequence[_Point], second: Sequence[_Point]) -> tuple[Window, ...]:
    """Both borders read alike; mixed only when that alone makes sense."""
    pairs = [(one, other) for one, other in product(first, second) if one.start < other.end]
    alike = [
        pair for pair in pairs if pair[0].is_hours == pair[1].is_hours or len(first) != len(second)
    ]
    return tuple(
        Window(
            from_start(one.start),
            from_start(other.end),
            other.end if one.is_hours or other.is_hours else Fraction(0),
        )
        for one, other in alike or pairs
    )


def _needed(point: _Point) -> Fraction:
    return point.start if point.is_hours else Fraction(0)


def _first(points: Sequence[_Point]) -> tuple[Window, ...]:
    return tuple(Window(START, from_start(point.end)) for point in points)


def _last(points: Sequence[_Point]) -> tuple[Window, ...]:
    return tuple(Window(Border(Fraction(1), -point.end), END) for point in points)


def _from_end(points: Sequence[_Point]) -> tuple[Window, ...]:
    return tuple(
        Window(
            Border(Fraction(1), -point.end - TOLERANCE_S[point.unit_s]),
            Border(Fraction(1), -point.end + TOLERANCE_S[point.unit_s]),
            point.end,
            Border(Fraction(1), -point.end),
        )
        for point in points
    )


def _after(points: Sequence[_Point]) -> tuple[Window, ...]:
    return tuple(Window(from_start(point.after), END, _needed(point)) for point in points)


def _before(points: Sequence[_Point]) -> tuple[Window, ...]:
    return tuple(
        Window(START, from_start(point.before), _needed(point))
        for point in points
        if point.before > 0
    )


_SHARES = {
    Meaning.BEGINNING: shares(Fraction(0), _FIFTH),
    Meaning.END: shares(1 - _FIFTH, Fraction(1)),
    Meaning.MIDDLE: shares(_THIRD, 2 * _THIRD),
    Meaning.HALFWAY: shares(_HALF - _TWENTIETH, _HALF + _TWENTIETH),
    Meaning.FIRST_HALF: shares(Fraction(0), _HALF),
    Meaning.SECOND_HALF: shares(_HALF, Fraction(1)),
}
_READERS = {
    Meaning.AT: lambda points: _around(points, TOLERANCE_S),
    Meaning.AROUND: lambda points: _around(points, ROUGH_TOLERANCE_S),
    Meaning.FIRST: _first,
    Meaning.LAST: _last,
    Meaning.FROM_END: _from_end,
    Meaning.AFTER: _after,
    Meaning.BEFORE: _before,
}


def _compiled(phrase: Phrase, *, spaced: bool) -> re.Pattern[str]:
    """The regular expression of a template over signs; each value it holds is a group."""
    any_ordinal = f"[{Sign.FIRST}{Sign.ORDINAL}]"
    piece = f"{Sign.NUMBER}{Sign.HALF}?{Sign.UNIT}"
    more = f"(?:(?:,|and|,and|и)?{piece}{Sign.HALF}?)*"
    forms = {
        "clock": Sign.CLOCK,
        "named": f"(?<!{Sign.NUMBER}){Sign.UNIT}{Sign.NUMBER}(?!{Sign.HALF}?{Sign.UNIT})",
        "ordinal": f"{any_ordinal}{Sign.UNIT}{more}",
        "d": f"{piece}{Sign.HALF}?{more}",
        "n": Sign.NUMBER,
        "o": any_ordinal,
        "u": f"{Sign.UNIT}{Sign.HALF}?",
    }
    forms["p"] = "|".join(forms[name] for name in ("clock", "ordinal", "named", "d", "n", "o"))
    groups: list[str] = []

    def group(found: re.Match[str]) -> str:
        if found[1] == "first":
            return Sign.FIRST.value
        groups.append(found[1])
        return f"(?P<{found[1]}{len(groups)}>{forms[found[1]]})"

    pattern = re.sub(r"\{([a-z]+)\}", group, phrase.template.replace(" ", " ?"))
    if not spaced:
        return re.compile(pattern)
    return re.compile(f"(?:(?<!\\w)|(?!\\w))(?:{pattern})(?:(?<!\\w)|(?!\\w))")


_PATTERNS = [
    (_compiled(phrase, spaced=language.spaced), phrase, re.compile(f"[^\\W\\d_{language.script}]"))
    for language in LANGUAGES
    for phrase in language.phrases
]
