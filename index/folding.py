"""Folding: what counts as the same letter, in every script, and where folded letters come from.

Compatibility forms, case and default-ignorable characters go as in NFKC_Casefold (Unicode Standard,
section 3.13). What people leave out when they type goes too: accents of Latin and Greek letters,
stress marks and the dots of ё in Cyrillic, points and tatweel in Arabic and Hebrew, the other forms
of alef, yeh and kaf. Digits of every script become 0-9. Marks that make another word (й, the vowels
of Indic scripts, voiced kana) stay.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_IGNORABLE = (
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x61C, 0x61C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xE0000, 0xE0FFF),
)
"""Hyphens that only mark where to break, joiners, direction marks, variation selectors."""
_POINTS = (
    (0x591, 0x5BD),
    (0x5BF, 0x5BF),
    (0x5C1, 0x5C2),
    (0x5C4, 0x5C5),
    (0x5C7, 0x5C7),
    (0x610, 0x61A),
    (0x640, 0x640),
    (0x64B, 0x65F),
    (0x670, 0x670),
    (0x6D6, 0x6DC),
    (0x6DF, 0x6E4),
    (0x6E7, 0x6E8),
    (0x6EA, 0x6ED),
    (0x8CA, 0x8E1),
    (0x8E3, 0x8FF),
)
"""Hebrew and Arabic points and the tatweel."""
_LETTERS = {
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ħ": "h",
    "ŋ": "n",
    "ŧ": "t",
    "æ": "ae",
    "œ": "oe",
    "ı": "i",
    "ð": "d",
    "þ": "th",
    "ƶ": "z",
    "ى": "ي",
    "ی": "ي",
    "ک": "ك",
    "ٱ": "ا",
    "ʼ": "'",
    "’": "'",
    "‘": "'",
    "ʹ": "'",
    "‐": "-",
    "‑": "-",
    "‒": "-",
    "–": "-",
    "−": "-",
    "־": "-",
}
_ACCENTS = re.compile(
    "(?<=[a-zα-ω])[\u0300-\u036f]+|(?<=[аеиоуыэюяіє])[\u0300\u0301]+|(?<=е)[\u0308\u0300\u0301]+"
)
_VOWELS_OF_SYLLABLES = range(0x1160, 0x1200)


def _table() -> dict[int, str | None]:
    gone: dict[int, str | None] = {
        code: None for first, last in (*_IGNORABLE, *_POINTS) for code in range(first, last + 1)
    }
    digits: dict[int, str | None] = {
        code: str(unicodedata.decimal(chr(code)))
        for code in range(0x80, 0x20000)
        if unicodedata.category(chr(code)) == "Nd"
    }
    return gone | digits | {ord(letter): plain for letter, plain in _LETTERS.items()}


_TABLE = _table()


def fold(text: str) -> str:
    """The text as it is compared; the same when folded again."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    plain = unicodedata.normalize("NFKD", decomposed).translate(_TABLE)
    return unicodedata.normalize("NFC", _ACCENTS.sub("", plain))


@dataclass(frozen=True, slots=True)
class FoldedText:
    """A folded text and where each of its characters comes from."""

    text: str
    starts: tuple[int, ...]
    """For each folded character: where the characters that it was made of start."""
    ends: tuple[int, ...]
    """And where they end, exclusive."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where the folded characters [start, end), at least one, stand in the original."""
        return self.starts[start], self.ends[end - 1]


def fold_with_places(text: str) -> FoldedText:
    """`fold(text)`, character by character: what belongs together is folded together."""
    if text.isascii():
        return FoldedText(text.lower(), tuple(range(len(text))), tuple(range(1, len(text) + 1)))
    borders = [
        number
        for number, character in enumerate(text)
        if number == 0 or text[number - 1].isspace() or not _continues(character)
    ]
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in zip(borders, [*borders[1:], len(text)], strict=True):
        piece = _fold_piece(text[start:end])
        pieces.append(piece)
        starts.extend([start] * len(piece))
        ends.extend([end] * len(piece))
    return FoldedText("".join(pieces), tuple(starts), tuple(ends))


_fold_piece = lru_cache(maxsize=10_000)(fold)


@lru_cache(maxsize=10_000)
def _continues(character: str) -> bool:
    """True for what may combine with the character before it."""
    first = unicodedata.normalize("NFKD", character)[0]
    return (
        unicodedata.category(first)[0] == "M"
        or unicodedata.combining(first) != 0
        or ord(first) in _VOWELS_OF_SYLLABLES
        or _TABLE.get(ord(first), "") is None
    )
