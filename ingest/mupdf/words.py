"""Boxes of the words of a page, from the same text page that its lines come from."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import pymupdf

from ingest.mupdf.letters import (
    UNKNOWN_LETTER,
    accented,
    letters_of_lines,
    may_be_accented,
    plain,
    prints_accents,
    text_of,
)
from ingest.mupdf.right_to_left import Letter, is_right_to_left
from ingest.printed_words import WORD_BYTES, WORD_CORNERS, is_wide, split_words

TEXT_FLAGS = (
    pymupdf.TEXT_PRESERVE_WHITESPACE
    | pymupdf.TEXT_MEDIABOX_CLIP
    | pymupdf.TEXT_PRESERVE_IMAGES
    | pymupdf.TEXT_COLLECT_VECTORS
)


def text_page_of(shown: Any, flags: int) -> Any:
    """MuPDF's text of a page, in points of the page as displayed, or of its display list."""
    if isinstance(shown, pymupdf.DisplayList):
        return shown.get_textpage(flags)
    # Page.get_textpage would leave the page as stored, not turned.
    page = shown.this.super() if isinstance(shown.this, pymupdf.mupdf.PdfPage) else shown.this
    options = pymupdf.mupdf.FzStextOptions()
    options.flags = flags
    text_page = pymupdf.mupdf.FzStextPage(pymupdf.mupdf.fz_bound_page(page))
    device = pymupdf.mupdf.FzDevice(text_page, options)
    pymupdf.mupdf.fz_run_page(page, device, pymupdf.mupdf.FzMatrix(), pymupdf.mupdf.FzCookie())
    pymupdf.mupdf.fz_close_device(device)
    return text_page


def words_of_lines(
    shown: Any, text_page: Any, lines: Sequence[str], numbers: Sequence[tuple[int, int]]
) -> tuple[list[str], list[bytes]]:
    """Texts and packed boxes of the words of each line.

    `shown` is the page, or its display list, that `text_page` was made of; `lines` are all its
    lines as MuPDF writes them, `numbers` those of block and line.

    Most pages have the words that PyMuPDF finds, with their boxes.
    Where it parts them otherwise, its parts are united; Chinese and Japanese characters get equal
    shares of the run they stand in, which is one font's. What fits neither (Hebrew and Arabic,
    thin spaces, accents printed as quotes) is put together from single letters, at four times
    the cost. A line whose letters are not those of its text has no boxes.
    """
    spelled: _Spelling = plain
    if prints_accents(lines):
        spelled = partial(plain, quotes_are_accents=True)
    texts = [spelled(line).strip() for line in lines]
    if may_be_accented("\n".join(texts)) or any(map(is_right_to_left, texts)):
        letters = letters_of_lines(text_page)
        texts = [
            text_of(each) if is_right_to_left(text) else accented(text, each)
            for text, each in zip(texts, letters, strict=True)
        ]
        return texts, _by_letters(letters, list(map(split_words, texts)))
    words = list(map(split_words, texts))
    found = pymupdf.TextPage(text_page).extractWORDS()
    boxes = _as_found(found, words, spelled)
    if boxes is None and any(map(is_wide, texts)):
        one_font = text_page_of(shown, TEXT_FLAGS | pymupdf.TEXT_PRESERVE_SPANS)
        boxes = _by_parts(pymupdf.TextPage(one_font).extractWORDS(), words, spelled)
    elif boxes is None:
        boxes = _by_known_lines(found, words, spelled, numbers)
    return texts, _by_letters(letters_of_lines(text_page), words) if boxes is None else boxes


_Spelling = Callable[[str], str]
_Found = Sequence[tuple[Any, ...]]
"""What PyMuPDF says of each word: x0, y0, x1, y1, its text, and three numbers."""


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
        here = list(texts[start:end])
        if here != words and list(map(spelled, here)) != words:
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
    by_line: dict[tuple[int, int], list[tuple[Any, ...]]] = defaultdict(list)
    for each in found:
        by_line[each[5], each[6]].append(each)
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
    parts = [spelled(each[4]) for each in found]
    if not words or "".join(parts) != "".join(words):
        return None
    part_at = np.cumsum([0, *map(len, parts)])
    word_at = np.cumsum([0, *map(len, words)])
    # Parts and words are both made of pieces: each is one part, or an even share of it.
    piece_at = np.union1d(part_at, word_at)
    part = np.searchsorted(part_at, piece_at[:-1], "right") - 1
    letters = np.diff(part_at)[part]
    is_shared = np.diff(piece_at) < letters
    if not all(is_wide(parts[each]) for each in np.unique(part[is_shared])):
        return None
    corners = np.array([each[:4] for each in found], np.float64)[part].reshape(-1, 2, 2)
    size = corners[:, 1] - corners[:, 0]
    rows = np.arange(len(part))
    along = np.where(size[:, 1] > size[:, 0], 1, 0)  # Down the page in vertical writing.
    low = corners[rows, 0, along]
    step = size[rows, along] / letters
    corners[rows, 0, along] = low + step * (piece_at[:-1] - part_at[part])
    corners[rows, 1, along] = low + step * (piece_at[1:] - part_at[part])
    first = np.searchsorted(piece_at, word_at[:-1])
    boxes = np.empty((len(words), 4), WORD_CORNERS)
    boxes[:, :2] = np.minimum.reduceat(corners[:, 0], first)
    boxes[:, 2:] = np.maximum.reduceat(corners[:, 1], first)
    packed = boxes.tobytes()
    ends = accumulate(map(len, lines), initial=0)
    return [packed[start * WORD_BYTES : end * WORD_BYTES] for start, end in pairwise(ends)]


def _by_letters(letters: Sequence[Sequence[Letter]], lines: Sequence[list[str]]) -> list[bytes]:
    boxes: list[bytes] = []
    for line, words in zip(letters, lines, strict=True):
        printed = [letter for letter in line if not letter.text.isspace()]
        if not words or "".join(letter.text for letter in printed) != "".join(words):
            boxes.append(b"")
            continue
        corners = np.array([letter[1:] for letter in printed for _ in letter.text], np.float64)
        starts = list(accumulate(map(len, words[:-1]), initial=0))
        low = np.minimum.reduceat(corners[:, :2], starts)
        high = np.maximum.reduceat(corners[:, 2:], starts)
        boxes.append(np.concatenate((low, high), axis=1).astype(WORD_CORNERS).tobytes())
    return boxes
