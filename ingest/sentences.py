"""Words become sentences: at punctuation first, at pauses where the recogniser wrote none."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

from index.records import Word

_ENDS: Final = ".?!…。！？｡؟।"
_OPENERS: Final = "\"'“‘«([{¿¡"
_CLOSERS: Final = "\"'”’»)]}）】』」"
# fmt: off
_TITLES: Final = frozenset(
    {
        "mr", "mrs", "ms", "dr", "prof", "st", "mt", "gen", "col", "lt", "sgt", "rev", "hon",
        "gov", "sen", "rep", "e.g", "i.e", "cf", "vs", "fig", "figs", "z.b",
    }
)
"""Abbreviations that a name or number follows: they end no sentence even before a capital."""
_ABBREVIATIONS: Final = frozenset(
    {
        "jr", "sr", "etc", "approx", "dept", "nos", "vol", "pp", "ed", "eds", "inc", "ltd", "co",
        "corp", "al", "resp", "tel", "ca", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep",
        "sept", "oct", "nov", "dec", "a.m", "p.m", "u.s", "u.k", "u.n", "e.u", "d.c", "ph.d",
        "bzw", "usw",
    }
)
"""Abbreviations that end a sentence only before a capital."""
# fmt: on
_PAUSE: Final = Fraction(8, 10)
"""A pause this long ends a sentence whatever was written."""
_TELLING_SHARE: Final = Fraction(6, 10)
_SHORTEST_TELLING: Final = Fraction(3, 10)
_LONG: Final = Fraction(6)
"""Shorter sentences are not cut at pauses: there a missing full stop is unlikely."""
_FEWEST_WORDS: Final = 3
_FEW: Final = 5
_COMMA_WORTH: Final = Fraction(3, 10)
"""When a sentence is too long, a comma is worth as much as a pause of this many seconds."""


def split_sentences(words: Sequence[Word], *, max_s: float) -> tuple[tuple[Word, ...], ...]:
    """Cut words into sentences, each at most `max_s` seconds long where it has more than one word.

    Recognisers leave out full stops now and then: a long sentence is cut, too, where the speaker
    pauses about as long as between sentences (60% of the median pause at a full stop).
    The text of a word keeps the space before it as the recogniser wrote it; a word without one
    continues the word before (Chinese, Japanese, "3" + ".14"). No word is lost or reordered.
    """
    pauses = [_pause(one, other) for one, other in pairwise(words) if _ends(one, other)]
    usual = sorted(pauses)[len(pauses) // 2] if len(pauses) >= _FEW else _PAUSE
    telling = min(max(usual * _TELLING_SHARE, _SHORTEST_TELLING), _PAUSE)
    sentences: list[tuple[Word, ...]] = []
    begin = 0
    for index, word in enumerate(words):
        after = words[index + 1] if index + 1 < len(words) else None
        if after is None or _pause(word, after) >= _PAUSE or _ends(word, after):
            for part in _paused(tuple(words[begin : index + 1]), telling):
                sentences.extend(_fitting(part, Fraction(max_s)))
            begin = index + 1
    return tuple(sentences)


def joined(words: Sequence[Word]) -> str:
    """The text of the words as the recogniser wrote it."""
    return " ".join("".join(word.text for word in words).split())


def ends_sentence(word: str, after: str) -> bool:
    """Whether the punctuation of a word ends a sentence, given the word that follows.

    `after` keeps the space before it: without one it continues the word ("3" + ".14").
    """
    text = word.strip().rstrip(_CLOSERS)
    if not text.endswith("."):
        return bool(text) and text[-1] in _ENDS
    start = after.lstrip().lstrip(_OPENERS)[:1]
    glued = not after[:1].isspace() and start.isdigit()
    return not (start.islower() or glued or _is_abbreviation(text, start))


def _pause(word: Word, after: Word) -> Fraction:
    return max(Fraction(0), after.span.start - word.span.end)


def _ends(word: Word, after: Word) -> bool:
    return ends_sentence(word.text, after.text)


def _is_abbreviation(text: str, start: str) -> bool:
    """Whether the full stop of `text` is its own; `start` is the letter that follows."""
    stem = text.rstrip(".").lower().lstrip(_OPENERS)
    if stem == "no":
        return start.isdigit()
    initial = len(stem) == 1 and stem.isalpha() and stem != "i"
    return initial or stem in _TITLES or (stem in _ABBREVIATIONS and not start.isupper())


def _paused(words: tuple[Word, ...], telling: Fraction) -> list[tuple[Word, ...]]:
    """Cut a long sentence at its longest pause, as long as that is telling and leaves no crumbs."""
    borders = range(_FEWEST_WORDS, len(words) - _FEWEST_WORDS + 1)
    if not borders or words[-1].span.end - words[0].span.start <= _LONG:
        return [words]
    cut = max(borders, key=lambda index: _pause(words[index - 1], words[index]))
    if _pause(words[cut - 1], words[cut]) < telling:
        return [words]
    return _paused(words[:cut], telling) + _paused(words[cut:], telling)


def _fitting(words: tuple[Word, ...], max_duration: Fraction) -> list[tuple[Word, ...]]:
    """Halve a sentence at its best pause or comma until every part fits."""
    if len(words) < 2 or words[-1].span.end - words[0].span.start <= max_duration:
        return [words]
    start, end = words[0].span.start, words[-1].span.end
    middle, half = (start + end) / 2, (end - start) / 2

    def worth(index: int) -> Fraction:
        border = words[index].span.start
        pause = _pause(words[index - 1], words[index])
        comma = _COMMA_WORTH if words[index - 1].text.rstrip()[-1:] in ",;:，；：、" else 0
        # Far from the middle a border is worth little: the parts should be of a size.
        return (pause + comma + Fraction(1, 10)) * (1 - abs(border - middle) / half)

    cut = max(range(1, len(words)), key=worth)
    return _fitting(words[:cut], max_duration) + _fitting(words[cut:], max_duration)
