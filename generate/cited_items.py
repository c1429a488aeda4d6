"""What stands inside one citation of a model: ids, times, pages and names of sources."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from index.clock import format_clock, parse_clock

_LONGEST_RANGE = 20
"""`E1-E9999` names its two ends only."""
_DASH = r"\s*(?:-|–|—|−|~|〜|\.{2,3}|to|until|bis|до|по|至|到)\s*"
_CLOCK = r"\d{1,2}(?::\d{2}){1,2}(?:[.,]\d{1,3})?"
_NUMBER = r"\d{1,7}(?:\.\d{1,6})?"
_UNIT = r"\s*(?:seconds?|secs?|sekunden?|sek|s|секунд[аыу]?|сек|с|秒)(?![^\W\d_])"
_MINUTES = (
    r"\d{1,4}\s*(?:minutes?|mins?|min|m|分钟|分|мин)\s*(?:\d{1,2}(?:\.\d{1,6})?\s*(?:s|秒)\w*)?"
)
_TIME = rf"{_CLOCK}(?:{_UNIT})?|{_NUMBER}{_UNIT}|{_MINUTES}"
_ID = r"[eе][\s\-_#]{0,2}\d{1,4}"
_ITEM = re.compile(
    rf"(?P<range>(?:{_ID}|(?<!\d)\d{{1,3}}){_DASH}(?:{_ID}|\d{{1,3}}))(?![\w.:])(?!{_UNIT})"
    rf"|(?P<id>{_ID})(?![^\W_])"
    rf"|(?P<span>(?:{_TIME}|{_NUMBER}){_DASH}(?:{_TIME}))"
    rf"|(?P<time>{_TIME})"
    r"|(?:pages?|pp?|seiten?|стр|页)[.\s]*(?P<page>[0-9]{1,6}|[ivxlc]{1,8})(?![^\W_])"
    r"|第\s*(?P<page_zh>\d{1,6})\s*页"
    r"|(?P<number>\d{1,4})(?![\w.:%])"
)
_NOISE = re.compile(
    r"[\s\"'“”„#^*_`†/=:,;、，；|&+]+"
    r"|(?:see|siehe|vgl|cf|from|at|in|evidence|sources?|refs?|cite|citation|id|beleg|quellen?|"
    r"and|und|см|источники?|и|time|timestamp|zeit|t)(?![^\W\d_])\.?"
    r"|证据|来源|参见|参考|见|和|与|及"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that a model cites. At least one of the first four is there."""

    evidence: str | None = None
    """Id of evidence ("E3"), whether or not there is such evidence."""
    times: tuple[Fraction, Fraction] | None = None
    """Seconds, first and last; the same for an instant. As written: the last may come first."""
    page: str | None = None
    """Number or label of a page."""
    name: str | None = None
    """Of a source, as it is known."""
    written: str = field(default="", compare=False)
    """The citation as the model wrote it."""


def parse_items(inside: str, names: Mapping[str, str], *, numbers: bool) -> tuple[Mark, ...]:
    """Read what stands inside a citation; nothing when it is none.

    `names` maps folded names of sources to their own spelling. With `numbers` a bare 3 is E3.
    """
    text = unicodedata.normalize("NFKC", inside).casefold()
    marks: list[Mark] = []
    position = 0
    while position < len(text):
        if noise := _NOISE.match(text, position):
            position = noise.end()
        elif name := _name_at(text, position, names):
            marks.append(Mark(name=names[name]))
            position += len(name)
        elif item := _ITEM.match(text, position):
            if item["number"] and not numbers:
                return ()
            marks += _marks(item)
            position = item.end()
        else:
            return ()
    return tuple(_joined(marks))


def write_mark(mark: Mark) -> str:
    """Write a mark as `parse_items` reads it, without brackets: `E3 00:12:05.0-00:12:11.0`.

    Times are rounded down to 0.1 s.
    """
    parts = [mark.name, mark.evidence]
    if mark.times is not None:
        first, last = map(format_clock, mark.times)
        parts.append(first if first == last else f"{first}-{last}")
    if mark.page is not None:
        parts.append(f"p. {mark.page}")
    return " ".join(part for part in parts if part)


def _name_at(text: str, position: int, names: Mapping[str, str]) -> str | None:
    held = [name for name in names if text.startswith(name, position)]
    return max(held, key=len, default=None)


def _marks(item: re.Match[str]) -> Iterator[Mark]:
    match item.lastgroup:
        case "range":
            yield from map(_evidence, _numbers(item["range"]))
        case "id" | "number":
            yield _evidence(int(re.sub(r"\D", "", item[0])))
        case "span":
            first, last = re.split(_DASH, item["span"], maxsplit=1)
            # "12-15 s" counts both in seconds.
            yield Mark(times=(_seconds(first), _seconds(last)))
        case "time":
            yield Mark(times=(_seconds(item["time"]),) * 2)
        case _:
            yield Mark(page=item["page"] or item["page_zh"])


def _evidence(number: int) -> Mark:
    return Mark(evidence=f"E{number}")


def _numbers(text: str) -> Sequence[int]:
    first, last = (int(number) for number in re.findall(r"\d+", text))
    return range(first, last + 1) if 0 <= last - first < _LONGEST_RANGE else (first, last)


def _seconds(text: str) -> Fraction:
    if ":" in text:
        clock = re.match(_CLOCK, text)
        assert clock is not None, text
        return parse_clock(clock[0].replace(",", "."))
    first, *rest = re.findall(_NUMBER, text)
    in_minutes = re.match(rf"{_NUMBER}\s*(?:m|分|мин)", text) is not None
    return Fraction(first) * (60 if in_minutes else 1) + sum(map(Fraction, rest))


def _joined(marks: Sequence[Mark]) -> Iterator[Mark]:
    """Places belong to the id or name before them, or else to the one after."""
    whole: list[Mark] = []
    for mark in marks:
        last = whole[-1] if whole else None
        if last is not None and _fits(last, mark):
            whole[-1] = replace(
                last,
                evidence=last.evidence or mark.evidence,
                times=last.times or mark.times,
                page=last.page or mark.page,
                name=last.name or mark.name,
            )
        else:
            whole.append(mark)
    yield from whole


def _fits(last: Mark, mark: Mark) -> bool:
    """True when the two have no part in common, and one says what, the other where."""
    if mark.evidence or mark.name:
        waits = last.evidence is None and last.name is None
        return waits or (last.evidence is None and last.times is None and last.page is None)
    return last.page is None and last.times is None
