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

_PART = re.compile(r"[^\W\d_]+|\d+")
_JOINT = r"[\s_.\-–]*"
_QUOTES = "\"'“”«»「」『』《》"
_LEAD = re.compile(
    r"(?:(?<!\w)(?:in|from|of|at|within|during|inside|according to|"
    r"в|во|из|по|на|согласно)(?: (?:the|файле|видео|лекции|документе))?"
    r"(?: (?:file|video|document|recording|talk|lecture|slides|pdf))?|在|从|來自|来自|于)\s*$"
)
_TAIL = re.compile(r"\s*(?:里面|里|中|内|裡|的(?=$|\W))")
_MIN_PARTS = 2


@dataclass(frozen=True, slots=True)
class NamedSource:
    """What stands at [start, end) of a text, with the word that leads to it, and the sources."""

    start: int
    end: int
    source_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Name:
    parts: tuple[str, ...]
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
    if not (quoted or name.whole or (lead and len(name.parts) >= _MIN_PARTS)):
        return None
    if lead:
        start = lead.start()
    tail = _TAIL.match(folded, end)
    return start, tail.end() if tail else end


@lru_cache(maxsize=200_000)
def _names(file_name: str, title: str) -> tuple[_Name, ...]:
    """The ways in which a source may be named, the surest first."""
    stem = PurePath(file_name).stem
    stem_parts = _parts(fold(stem))
    names = [_Name(_parts(fold(file_name)), _pattern(stem_parts, PurePath(file_name).suffix), True)]
    for parts in dict.fromkeys((stem_parts, _parts(fold(title)))):
        if parts and not "".join(parts).isdigit():
            names.append(_Name(parts, _pattern(parts, ""), False))
    return tuple(name for name in names if name.parts)


def _parts(folded: str) -> tuple[str, ...]:
    return tuple(part.lstrip("0") or "0" for part in _PART.findall(folded))


def _pattern(parts: tuple[str, ...], suffix: str) -> re.Pattern[str]:
    """Borders: no letter or digit of the same script beside it."""
    written = _JOINT.join(("0*" if part.isdigit() else "") + re.escape(part) for part in parts)
    border = "[a-zа-я0-9_]"
    return re.compile(f"(?<!{border}){written}{re.escape(fold(suffix))}(?!{border})")
