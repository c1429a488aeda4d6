"""Boxes of the words of a page, from the same text page that its lines come from."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, islice, pairwise
from typing import Any

import numpy as np
import pymupdf

from ingest.leaders import (
    blanked_leader,
    has_leader,
    without_leader,
    words_without_leader,
)
from ingest.mupdf.letters import (
    UNKNOWN_LETTER,
    accented,
    is_plain,
    lacks_spaces,
    letters_of_lines,
    may_be_accented,
    plain,
    prints_accents,
    text_of,
)
from ingest.printed_words import WORD_BYTES, WORD_CORNERS, is_wide, split_words
from ingest.right_to_left import Letter, is_right_to_left

TEXT_FLAGS = (
    pymupdf.TEXT_PRESERVE_WHITESPACE
    | pymupdf.TEXT_MEDIABOX_CLIP
    | pymupdf.TEXT_PRESERVE_IMAGES
    | pymupdf.TEXT_COLLECT_VECTORS
)


def words_of_lines(
    displayed: Any, text_page: Any, lines: Sequence[str], numbers: Sequence[tuple[int, int]]
) -> tuple[list[str], list[bytes]]:
    """Texts and packed boxes of the words of each line.

    `displayed` is the display list that `text_page` was made of; `lines` are all its lines as
    MuPDF writes them, `numbers` those of block and line.

    Most pages have the words that PyMuPDF finds, with their boxes.
    Where it parts them otherwise, its parts are united; Chinese and Japanese characters get equal
    shares of the run they stand in, which is one font's. What fits neither (Hebrew and Arabic,
    thin spaces, accents printed as quotes, spaces left out after signs) is put together from
    single letters, line by line. A line whose letters are not those of its text has no boxes.
    """
    whole = "\n".join(lines)
    is_all_plain = is_plain(whole)
    spelled: _Spelling = str if is_all_plain else plain
    if not is_all_plain and prints_accents(whole):
        spelled = partial(plain, quotes_are_accents=True)
    texts = list(map(str.strip, _spelled_each(lines, spelled)))
    page = _Page(displayed, text_page, numbers, spelled, any(map(is_wide, texts)))
    letters: dict[int, list[Letter]] = {}
    if unsure := _unsure_lines(texts, whole, page.is_wide):
        letters = page.letters(unsure)
        for at, line in letters.items():
            texts[at] = _text_by_letters(texts[at], line)
    has_leaders = has_leader(whole) and any(map(has_leader, texts))
    if has_leaders:
        texts = [without_leader(text) if has_leader(text) else text for text in texts]
    words = list(map(split_words if page.is_wide else str.split, texts))
    boxes = None
    if not letters:
        boxes = _beside_leaders(page, words) if has_leaders else _boxes_found(page, words)
    return texts, _line_by_line(page, words, letters) if boxes is None else boxes


def _unsure_lines(texts: Sequence[str], whole: str, is_wide_page: bool) -> list[int]:
    """Numbers of the lines of which only the places of the letters tell the words."""
    is_accented = may_be_accented(whole) and may_be_accented("\n".join(texts))
    if whole.isascii() and not is_accented:
        return []
    return [
        at
        for at, text in enumerate(texts)
        if (is_accented and ("`" in text or "\u00b4" in text))
        or (lacks_spaces(text) and not is_wide_page)
        or is_right_to_left(text)
    ]


def _text_by_letters(text: str, letters: list[Letter]) -> str:
    if is_right_to_left(text) or lacks_spaces(text):
        return text_of(letters)
    return accented(text, letters)


_Spelling = Callable[[str], str]
"""`letters.plain`, or what does the same."""
_Found = Sequence[tuple[Any, ...]]
"""What PyMuPDF says of each word: x0, y0, x1, y1, its text, and three numbers."""


def _spelled_each(texts: Sequence[str], spelled: _Spelling) -> Sequence[str]:
    """At once: a page has thousands."""
    if spelled is str:
        return texts
    each = spelled("\n".join(texts)).split("\n")
    return each if len(each) == len(texts) else list(map(spelled, texts))


@dataclass(frozen=True, slots=True)
class _Page:
    displayed: Any
    text_page: Any
    numbers: Sequence[tuple[int, int]]
    spelled: _Spelling
    is_wide: bool

    def found(self, delimiters: str | None = None, *, one_font: bool = False) -> _Found:
        """Words, parted at white space, at `delimiters`, which are in none, and at new fonts."""
        text_page = self.text_page
        if one_font:
            text_page = self.displayed.get_textpage(TEXT_FLAGS | pymupdf.TEXT_PRESERVE_SPANS)
        words: _Found = pymupdf.TextPage(text_page).extractWORDS(delimiters)
        return words

    def letters(self, lines: Collection[int]) -> dict[int, list[Letter]]:
        """Letters of some lines, by their position on the page."""
        at = {self.numbers[line]: line for line in lines}
        found = letters_of_lines(self.text_page, at.keys())
        return {at[number]: line for number, line in found.items()}


def _boxes_found(page: _Page, lines: Sequence[list[str]]) -> list[bytes] | None:
    if page.is_wide:
        return _by_parts(page.found(one_font=True), lines, page.spelled)
    found = page.found()
    boxes = _as_found(found, lines, page.spelled)
    if boxes is not None:
        return boxes
    return _by_known_lines(found, lines, page.spelled, page.numbers)


def _beside_leaders(page: _Page, lines: Sequence[list[str]]) -> list[bytes] | None:
    """Boxes of the words of a page with leaders, whose dots are not in `lines`.

    MuPDF has a table of contents' thousands of dots among the words, and the last word of a title
    together with the first of them: words are put together from what stands between dots, but for
    lines that hold other dots at the edges of words.
    """
    dotted = [any(word[0] == "." or word[-1] == "." for word in words) for words in lines]
    letters = [
        words if is_dotted else [word.replace(".", "") for word in words]
        for words, is_dotted in zip(lines, dotted, strict=True)
    ]
    if page.is_wide:
        found = page.found(".", one_font=True)
        return None if any(dotted) else _by_parts(found, letters, page.spelled)
    found = page.found(".")
    if any(dotted):
        parts, whole = _by_line(found), _by_line(page.found())
        found = [
            part
            for is_dotted, at in zip(dotted, page.numbers, strict=True)
            for part in (_cut_at_leaders(whole[at], parts[at]) if is_dotted else parts[at])
        ]
    return _by_parts(found, letters, page.spelled)


def _cut_at_leaders(whole: _Found, parts: _Found) -> _Found:
    """Words of a line without leader dots; `parts` are what stands between all dots."""
    cut: list[tuple[Any, ...]] = []
    rest = iter(parts)
    counts = [sum(map(bool, word[4].split("."))) for word in whole]
    bare_words = words_without_leader(" ".join(word[4] for word in whole))
    if len(bare_words) != len(whole) or sum(counts) != len(parts):
        return whole
    for word, bare, count in zip(whole, bare_words, counts, strict=True):
        here = list(islice(rest, count))
        if bare == word[4]:
            cut.append(word)
        elif bare:
            x0s, y0s, x1s, y1s, *_ = zip(*here, strict=True)
            cut.append((min(x0s), min(y0s), max(x1s), max(y1s), bare, *word[5:]))
    return cut


def _as_found(found: _Found, lines: Sequence[list[str]], spelled: _Spelling) -> list[bytes] | None:
    """None when the words found are not those of the lines."""
    if not found:
        return None if any(lines) else [b""] * len(lines)
    *columns, texts, _, _, _ = zip(*found, strict=True)
    rows = np.empty((len(texts), 4), WORD_CORNERS)
    for column, values in enumerate(columns):
        rows[:, column] = values
    packed = rows.tobytes()
    boxes: list[bytes] = []
    start = 0
    for words in lines:
        end = start + len(words)
        here = texts[start:end]
        if len(here) != len(words) or not all(
            part == word or spelled(part) == word for part, word in zip(here, words, strict=True)
        ):
            return None
        boxes.append(packed[start * WORD_BYTES : end * WORD_BYTES])
        start = end
    return boxes if start == len(texts) else None


def _by_known_lines(
    found: _Found,
    lines: Sequence[list[str]],
    spelled: _Spelling,
    numbers: Sequence[tuple[int, int]],
) -> list[bytes] | None:
    """Lines with letters that are no text (music) are left without boxes; None as `_by_parts`."""
    by_line = _by_line(found)
    known: list[list[str]] = []
    parts: list[tuple[Any, ...]] = []
    for words, number in zip(lines, numbers, strict=True):
        here = by_line[number]
        written = "".join(words)
        is_known = "".join(spelled(each[4]) for each in here) == written
        if not is_known and UNKNOWN_LETTER not in written:
            return None
        known.append(words if is_known else [])
        parts.extend(here if is_known else ())
    return _by_parts(parts, known, spelled)


def _by_parts(found: _Found, lines: Sequence[list[str]], spelled: _Spelling) -> list[bytes] | None:
    """None when the letters are others, or a word ends within a part that is not wide."""
    words = [word for line in lines for word in line]
    parts = _spelled_each([each[4] for each in found], spelled)
    if not words or "".join(parts) != "".join(words):
        return None
    part_ends = list(accumulate(map(len, parts), initial=0))
    word_ends = list(accumulate(map(len, words), initial=0))
    part_at, word_at = np.array(part_ends), np.array(word_ends)
    # Parts and words are both made of pieces: each is one part, or an even share of it.
    piece_at = np.array(sorted({*part_ends, *word_ends}))
    part = np.searchsorted(part_at, piece_at[:-1], "right") - 1
    letters = np.diff(part_at)[part]
    is_shared = np.diff(piece_at) < letters
    if not all(is_wide(parts[each]) for each in set(part[is_shared].tolist())):
        return None
    places = np.array([each[:4] for each in found], np.float64)[part].reshape(-1, 2, 2)
    size = places[:, 1] - places[:, 0]
    rows = np.arange(len(part))
    along = np.where(size[:, 1] > size[:, 0], 1, 0)  # Down the page in vertical writing.
    low = places[rows, 0, along]
    step = size[rows, along] / letters
    places[rows, 0, along] = low + step * (piece_at[:-1] - part_at[part])
    places[rows, 1, along] = low + step * (piece_at[1:] - part_at[part])
    first = np.searchsorted(piece_at, word_at[:-1])
    boxes = np.empty((len(words), 4), WORD_CORNERS)
    boxes[:, :2] = np.minimum.reduceat(places[:, 0], first)
    boxes[:, 2:] = np.maximum.reduceat(places[:, 1], first)
    packed = boxes.tobytes()
    ends = accumulate(map(len, lines), initial=0)
    return [packed[start * WORD_BYTES : end * WORD_BYTES] for start, end in pairwise(ends)]


def _line_by_line(
    page: _Page, lines: Sequence[list[str]], letters: dict[int, list[Letter]]
) -> list[bytes]:
    """By letters those lines of which they are given, and those where other words are found."""
    by_line = _by_line(page.found())
    boxes = {
        at: found[0]
        for at, (words, number) in enumerate(zip(lines, page.numbers, strict=True))
        if at not in letters and (found := _as_found(by_line[number], [words], page.spelled))
    }
    others = [at for at in range(len(lines)) if at not in letters and at not in boxes]
    letters = letters | (page.letters(others) if others else {})
    return [
        boxes[at] if at in boxes else _line_by_letters(letters[at], words)
        for at, words in enumerate(lines)
    ]


def _line_by_letters(line: Sequence[Letter], words: list[str]) -> bytes:
    """Letters may hold leader dots that the words do not."""
    text = "".join(letter.text for letter in line)
    kept = iter(blanked_leader(text) if has_leader(text) else text)
    printed = [letter for letter in line if "".join(islice(kept, len(letter.text))).strip()]
    if "".join(letter.text for letter in printed) != "".join(words):
        return b""
    if not words:
        return b""
    places = np.array([letter[1:] for letter in printed for _ in letter.text], np.float64)
    starts = list(accumulate(map(len, words[:-1]), initial=0))
    low = np.minimum.reduceat(places[:, :2], starts)
    high = np.maximum.reduceat(places[:, 2:], starts)
    return np.concatenate((low, high), axis=1).astype(WORD_CORNERS).tobytes()


def _by_line(found: _Found) -> dict[tuple[int, int], list[tuple[Any, ...]]]:
    by_line: dict[tuple[int, int], list[tuple[Any, ...]]] = defaultdict(list)
    for each in found:
        by_line[each[5], each[6]].append(each)
    return by_line
