"""The letters of a page in one spelling: ligatures resolved, accents on their letters."""

# mypy: allow-untyped-calls

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from itertools import islice, pairwise
from typing import Any

import pymupdf

from ingest.right_to_left import Letter, in_reading_order, is_right_to_left

UNKNOWN_LETTER = "\ufffd"
_LETTERS = str.maketrans(
    {"\u00a0": " ", "\u2002": " ", "\u2003": " ", "\u2009": " ", "\u202f": " ", "\u200b": None}
    | {"\u2010": "-", "\u2011": "-"}
    | {chr(control): None for control in range(32) if chr(control) not in "\t\n\r"}
    | dict(zip("ﬀﬁﬂﬃﬄﬅﬆ", ["ff", "fi", "fl", "ffi", "ffl", "st", "st"], strict=True))
)
"""The compatibility forms that never carry meaning; whole NFKC would turn x² into x2."""

_MARKS = {
    "\u00a8": "\u0308",
    "\u00af": "\u0304",
    "\u00b8": "\u0327",
    "\u02c6": "\u0302",
    "\u02c7": "\u030c",
    "\u02d8": "\u0306",
    "\u02d9": "\u0307",
    "\u02da": "\u030a",
    "\u02db": "\u0328",
    "\u02dc": "\u0303",
    "\u02dd": "\u030b",
}
"""Accents that older TeX prints as letters of their own, and the marks they stand for."""
_QUOTE_MARKS = {"`": "\u0300", "\u00b4": "\u0301"}
"""These are quotes and apostrophes as well."""
_LETTER = r"[^\W\d_]"
_VOWEL = "[AEIOUYaeiouy\u0131]"
_ACCENTED = re.compile(
    rf"([{''.join(_MARKS)}])({_LETTER})"
    rf"|(?<={_LETTER})(`)({_VOWEL})|(?<![\w`])(`)([Aa])(?![\w`])(?![^`\n]*`)"
    rf"|(?<![^\W_])(\u00b4)({_VOWEL})|(?<={_LETTER}{_LETTER})(?<![Qq]u)(\u00b4)({_VOWEL})"
)
"""What is an accent wherever it is printed: `code` starts no word's second letter with a tick,
and after elisions (l'eau, qu'il) the acute may be an apostrophe."""
_SURE_ACCENT = re.compile(
    rf"(?<={_LETTER}{_LETTER})(?<![Qq]u)\u00b4{_VOWEL}|(?<={_LETTER})`{_VOWEL}"
    rf"|[{''.join(_MARKS)}]{_LETTER}"
)
_ACCENT = re.compile(f"[\u00b4{''.join(_MARKS)}]")
_SURE_ACCENTS = 2
_EVERY_ACCENT = re.compile(rf"\u00b4{_LETTER}|(?<![\w`])`[Aa](?![\w`])")
_MAYBE_ACCENTED = re.compile(rf"`{_VOWEL}(?![^`'\u2019\n]*[`'\u2019])|\u00b4{_LETTER}")
"""What is left then, and no quote that is closed in its line, is an accent only where it is
printed over the letter."""
_ANY_ACCENT = re.compile(f"[{''.join(_MARKS)}`\u00b4]")
_UNUSUAL = re.compile(f"[{re.escape(''.join(map(chr, _LETTERS)))}{''.join(_MARKS)}`\u00b4]")
_DOTLESS = {"\u0131": "i", "\u0237": "j"}
_SIGN_AND_NEXT = re.compile(
    r"[\u1e00-\u1fff\u20d0-\u2307\u2309\u230b-\u2328\u232a-\u27e5\u27e7\u27e9\u27eb-\u2bff]"
    r"[^\s.,;:!?)\]}]"
)
"""Opening brackets are no such signs: no space is looked for after them, nor before stops."""
_SPACE = 0.2
"""White space of this share of a letter's height parts words."""
_LEVEL = 1e-5
"""Lines that rise by less than this share of their length are level."""


def plain(text: str, *, quotes_are_accents: bool = False) -> str:
    """Lines of text in the spelling of words: what is only a matter of the font is gone.

    With `quotes_are_accents`, see `prints_accents`, no acute before a letter is an apostrophe and
    no tick before a single a opens a quote.
    """
    if is_plain(text):
        return text
    text = text.translate(_LETTERS)
    if _ANY_ACCENT.search(text):
        text = "\n".join(
            _with_accents(line, quotes_are_accents) if _ANY_ACCENT.search(line) else line
            for line in text.split("\n")
        )
    return unicodedata.normalize("NFC", text)


def _with_accents(line: str, quotes_are_accents: bool) -> str:
    if quotes_are_accents:
        line = _EVERY_ACCENT.sub(_composed, line)
    return _ACCENTED.sub(_composed, line)


def is_plain(text: str) -> bool:
    """True when `plain` leaves all lines of a text as they are."""
    return not _UNUSUAL.search(text) and (text.isascii() or unicodedata.is_normalized("NFC", text))


def prints_accents(lines: str) -> bool:
    """True for a page that prints accents as letters: some stand where no quote can."""
    if not _ACCENT.search(lines):
        return False
    held = [text for text in lines.split("\n") if _ACCENT.search(text)]
    return sum(len(_SURE_ACCENT.findall(text)) for text in held) >= _SURE_ACCENTS


def may_be_accented(text: str) -> bool:
    """True when only the places of the letters tell quotes from accents."""
    return ("`" in text or "\u00b4" in text) and _MAYBE_ACCENTED.search(text) is not None


def letters_of_lines(
    text_page: Any, numbers: Collection[tuple[int, int]]
) -> dict[tuple[int, int], list[Letter]]:
    """Letters of some lines in the order they are read, white space among them.

    Lines go by the number of their text block and that within it. Takes about 2 us a letter, a
    third of what a page's letters as MuPDF's XML take, and only for the lines wanted.
    """
    lines = {line for _, line in numbers}
    blocks = {block for block, _ in numbers}
    buffer = pymupdf.mupdf.fz_new_buffer(1 << 8)
    everywhere = pymupdf.mupdf.FzRect(pymupdf.mupdf.FzRect.Fixed_INFINITE)
    found: dict[tuple[int, int], list[Letter]] = {}
    text_blocks = (
        block for block in text_page if block.m_internal.type == pymupdf.mupdf.FZ_STEXT_BLOCK_TEXT
    )
    for at, block in enumerate(islice(text_blocks, max(blocks) + 1)):
        if at not in blocks:
            continue
        for number, line in enumerate(islice(block, max(lines) + 1)):
            if (at, number) in numbers:
                written: dict[str, Any] = {}
                pymupdf.JM_make_spanlist(written, line, True, buffer, everywhere)
                found[at, number] = _letters_of(written, line.m_internal.dir)
    return found


def _letters_of(written: Mapping[str, Any], direction: Any) -> list[Letter]:
    line: list[Letter] = []
    for span in written["spans"]:
        for each in span["chars"]:
            text = each["c"] or UNKNOWN_LETTER
            if not text.isalnum() or not text.isascii():
                text = text.translate(_LETTERS)
            if text:
                line.append(Letter(text, *each["bbox"]))
    is_level = direction.x > 0 and abs(direction.y) < _LEVEL
    if is_level:
        line = _spaced(line)
        if is_right_to_left("".join(letter.text for letter in line)):
            line = in_reading_order(line)
    return list(_accents_placed(line))


def lacks_spaces(text: str) -> bool:
    """True when MuPDF may have left out a space: it adds none after signs as ⟩, → and ⃝."""
    return not text.isascii() and _SIGN_AND_NEXT.search(text) is not None


def _spaced(line: list[Letter]) -> list[Letter]:
    spaced: list[Letter] = []
    for before, letter in pairwise([Letter("", 0, 0, 0, 0), *line]):
        gap = letter.x0 - before.x1
        if lacks_spaces(before.text + letter.text) and gap > _SPACE * (letter.y1 - letter.y0):
            spaced.append(Letter(" ", before.x1, letter.y0, letter.x0, letter.y1))
        spaced.append(letter)
    return spaced


def text_of(line: list[Letter]) -> str:
    """The letters of a line as text."""
    return " ".join("".join(letter.text for letter in line).split())


def accented(text: str, letters: list[Letter]) -> str:
    """The text of a line with quotes made accents where its letters have them."""
    written: list[str] = []
    rest = iter("".join("".join(letter.text for letter in letters).split()))
    at = 0
    while at < len(text):
        if text[at].isspace():
            written.append(text[at])
        else:
            letter = next(rest, "")
            if letter != text[at]:
                if letter != _composition(text[at], text[at + 1 : at + 2]):
                    return text
                at += 1
            written.append(letter)
        at += 1
    return "".join(written)


def _composed(match: re.Match[str]) -> str:
    return _composition(*match[0]) or match[0]


def _composition(accent: str, letter: str) -> str | None:
    """A letter with its accent, where there is such a one."""
    mark = _MARKS.get(accent) or _QUOTE_MARKS.get(accent)
    if mark is None or not letter:
        return None
    whole = unicodedata.normalize("NFC", _DOTLESS.get(letter, letter) + mark)
    return whole if len(whole) == 1 else None


def _accents_placed(line: list[Letter]) -> Iterator[Letter]:
    """Letters of a line, each accent united with the letter it stands over or follows."""
    held: Letter | None = None
    for letter in line:
        whole, joined = None, letter
        if held is not None:
            if unicodedata.combining(letter.text[0]):
                whole = unicodedata.normalize("NFC", held.text + letter.text)
                whole = whole if len(whole) == len(held.text) else None
            elif held.text in _MARKS or (held.text in _QUOTE_MARKS and _is_over(held, letter)):
                whole = _composition(held.text, letter.text)
            if whole is None:
                yield held
            else:
                joined = _united(whole, held, letter)
        held = joined
    if held is not None:
        yield held


def _is_over(accent: Letter, letter: Letter) -> bool:
    return letter.x0 < (accent.x0 + accent.x1) / 2 < letter.x1


def _united(text: str, one: Letter, other: Letter) -> Letter:
    low = (min(one.x0, other.x0), min(one.y0, other.y0))
    return Letter(text, *low, max(one.x1, other.x1), max(one.y1, other.y1))
