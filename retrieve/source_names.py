"""Names of sources in a text: "in lecture 3.mp4", 在lecture3里, в «Лекция 3».

A file name with its suffix always names its source. Without the suffix it does so in quotes, or
after a word such as "in" when it has two parts or more (`lecture_03`: "lecture", 3): a common word
alone never does. So does a title of two words or more. Spaces, `_`, `-` and zeros before a number
do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath

from index.folding import fold, fold_with_places
from index.records import Source

_HAN = "\u3005-\u3007\u3400-\u9fff"
_PART = re.compile(rf"[^\W\d_{_HAN}]+|[{_HAN}]|\d+")
_RUN = re.compile(rf"[^\W\d_{_HAN}]+|[{_HAN}]+|\d+")
_JOINT = r"[\s_.\-–]*"
_QUOTES = "\"'“”«»「」『』《》"
_LEAD = re.compile(
    r"(?:(?<!\w)(?:in|from|of|at|within|during|inside|according to|"
    r"в|во|из|по|на|согласно)(?: (?:the|файле|видео|лекции|документе))?"
    r"(?: (?:file|video|document|recording|talk|lecture|slides|pdf))?|在|从|來自|来自|于)\s*$"
)
_TAIL = re.compile(r"\s*(?:里面|里|中|内|裡|的(?=$|\W))")
_MIN_RUNS = 2


@dataclass(frozen=True, slots=True)
class NamedSource:
    """What stands at [start, end) of a text, with the word that leads to it, and the sources."""

    start: int
    end: int
    source_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Name:
    parts: tuple[str, ...]
    """Words, numbers, Chinese signs."""
    runs: int
    """The same with Chinese signs in a row as one."""
    pattern: re.Pattern[str]
    whole: bool
    """With its suffix."""


def find_sources(text: str, sources: Sequence[Source]) -> tuple[NamedSource, ...]:
    """The sources that a text names, in order; names do not overlap, the longest counts."""
    folded = fold_with_places(text)
    words = frozenset(_parts(folded.text))
    found: dict[tuple[int, int], dict[str, None]] = {}
    for source in sources:
        title = source.details.get("title")
        for name in _names(source.name, title if isinstance(title, str) else ""):
            if not words.issuperset(name.parts):
                continue
            for match in name.pattern.finditer(folded.text):
                place = _place(folded.text, match, name)
                if place is not None:
                    found.setdefault(place, {})[source.id] = None
    named: list[NamedSource] = []
    for start, end in sorted(found, key=lambda place: (place[0], -place[1])):
        if not named or folded.starts[start] >= named[-1].end:
            named.append(NamedSource(*folded.span(start, end), tuple(found[start, end])))
    return tuple(named)


def _place(folded: str, match: re.Match[str], name: _Name) -> tuple[int, int] | None:
    """Where the name with its quotes and leading word stands; None when it is not meant."""
    start, end = match.span()
    quoted = (
        start > 0 and end < len(folded) and folded[start - 1] in _QUOTES and folded[end] in _QUOTES
    )
    if quoted:
        start, end = start - 1, end + 1
    lead = _LEAD.search(folded, 0, start)
    if not (quoted or name.whole or (lead and name.runs >= _MIN_RUNS)):
        return None
    if lead:
        start = lead.start()
    tail = _TAIL.match(folded, end)
    return start, tail.end() if tail else end


@lru_cache(maxsize=200_000)
def _names(file_name: str, title: str) -> tuple[_Name, ...]:
    """The ways in which a source may be named, the surest first."""
    suffix, stem = fold(PurePath(file_name).suffix), fold(PurePath(file_name).stem)
    names = [_name(stem, suffix)]
    for name in dict.fromkeys((stem, fold(title))):
        if any(map(str.isalpha, name)):
            names.append(_name(name, ""))
    return tuple(name for name in names if name.parts)


def _name(name: str, suffix: str) -> _Name:
    """Borders: no Latin or Cyrillic letter and no digit beside it."""
    parts = _parts(name)
    written = _JOINT.join(("0*" if part.isdigit() else "") + re.escape(part) for part in parts)
    border = "[a-zа-я0-9_]"
    pattern = re.compile(f"(?<!{border}){written}{re.escape(suffix)}(?!{border})")
    return _Name(_parts(name + suffix), len(_RUN.findall(name)), pattern, bool(suffix))


def _parts(folded: str) -> tuple[str, ...]:
    return tuple(part.lstrip("0") or "0" for part in _PART.findall(folded))
