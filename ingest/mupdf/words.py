"""Boxes of the words of a page, from the same text page that its lines come from."""

# mypy: allow-untyped-calls

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import pymupdf

from ingest.printed_words import WORD_BYTES, WORD_CORNERS, is_wide, split_words

TEXT_FLAGS = (
    pymupdf.TEXT_PRESERVE_WHITESPACE
    | pymupdf.TEXT_MEDIABOX_CLIP
    | pymupdf.TEXT_PRESERVE_IMAGES
    | pymupdf.TEXT_COLLECT_VECTORS
)
UNKNOWN_LETTER = "\ufffd"
LETTERS = str.maketrans(
    {"\u00a0": " ", "\u2002": " ", "\u2003": " ", "\u2009": " ", "\u202f": " ", "\u200b": None}
    | {chr(control): None for control in range(32) if chr(control) not in "\t\n\r"}
    | dict(zip("ﬀﬁﬂﬃﬄﬅﬆ", ["ff", "fi", "fl", "ffi", "ffl", "st", "st"], strict=True))
)
"""The compatibility forms that never carry meaning; whole NFKC would turn x² into x2."""

_LINE_OR_LETTER = re.compile(r'<line |<char c="([^"]*)" quad="([^"]*)"')


def word_boxes_of_lines(displayed: Any, text_page: Any, lines: Sequence[str]) -> list[bytes]:
    """Packed boxes of the words of each line; `lines` are all lines of the page, in its order.

    Most pages have the words that PyMuPDF finds, with their boxes. Where it parts them otherwise
    (punctuation in Hebrew and Arabic), its parts are united; Chinese and Japanese characters get
    equal shares of the run they stand in, which is one font's. What fits neither (thin spaces,
    several fonts in one) is put together from single letters, at four times the cost. A line
    whose letters are not those of its text has no boxes: b"".
    """
    words = [split_words(line) for line in lines]
    found = pymupdf.TextPage(text_page).extractWORDS()
    boxes = _as_found(found, words)
    if boxes is None:
        if any(map(is_wide, lines)):
            one_font = displayed.get_textpage(TEXT_FLAGS | pymupdf.TEXT_PRESERVE_SPANS)
            found = pymupdf.TextPage(one_font).extractWORDS()
        boxes = _by_parts(found, words)
    return _by_letters(text_page, words) if boxes is None else boxes


_Found = Sequence[tuple[Any, ...]]
"""What PyMuPDF says of each word: x0, y0, x1, y1, its text, and three numbers."""


def _as_found(found: _Found, lines: Sequence[list[str]]) -> list[bytes] | None:
    """None when the words found are not those of the lines."""
    if not found:
        return None if any(lines) else [b""] * len(lines)
    *columns, texts, _, _, _ = zip(*found, strict=True)
    packed = np.array(columns, WORD_CORNERS).T.tobytes()
    boxes: list[bytes] = []
    start = 0
    for words in lines:
        end = start + len(words)
        here = list(texts[start:end])
        if here != words and [word.translate(LETTERS) for word in here] != words:
            return None
        boxes.append(packed[start * WORD_BYTES : end * WORD_BYTES])
        start = end
    return boxes if start == len(texts) else None


def _by_parts(found: _Found, lines: Sequence[list[str]]) -> list[bytes] | None:
    """None when the letters are others, or a word ends within a part that is not wide."""
    words = [word for line in lines for word in line]
    parts = [each[4].translate(LETTERS) for each in found]
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


def _by_letters(text_page: Any, lines: Sequence[list[str]]) -> list[bytes]:
    buffer = pymupdf.mupdf.fz_new_buffer(1 << 16)
    output = pymupdf.mupdf.FzOutput(buffer)
    pymupdf.mupdf.fz_print_stext_page_as_xml(output, text_page, 0)
    output.fz_close_output()
    written = pymupdf.mupdf.fz_buffer_extract(buffer).decode(errors="replace")
    letters: list[str] = []
    quads: list[str] = []
    line_ends: list[int] = []
    for match in _LINE_OR_LETTER.finditer(written):
        letter, quad = match.groups()
        if letter is None:
            line_ends.append(len(letters))
            continue
        for each in (unescape(letter) if letter[:1] == "&" else letter).translate(LETTERS):
            if not each.isspace():
                letters.append(each)
                quads.append(quad)
    line_ends.append(len(letters))
    points = np.array(" ".join(quads).split(), np.float64).reshape(-1, 4, 2)
    boxes = np.concatenate((points.min(axis=1), points.max(axis=1)), axis=1).astype(WORD_CORNERS)
    found: list[bytes] = []
    for words, (start, end) in zip(lines, pairwise(line_ends), strict=True):
        if not words or "".join(letters[start:end]) != "".join(words):
            found.append(b"")
            continue
        starts = [start, *accumulate(map(len, words[:-1]), initial=start)][1:]
        rows = np.empty((len(words), 4), WORD_CORNERS)
        np.minimum.reduceat(boxes[:end, :2], starts, out=rows[:, :2])
        np.maximum.reduceat(boxes[:end, 2:], starts, out=rows[:, 2:])
        found.append(rows.tobytes())
    return found
