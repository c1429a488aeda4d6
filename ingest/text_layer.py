"""Whether the words a file gives for a page are those that are printed on it.

Fonts without a Unicode map give codes for letters: marks of unknown letters, private ones, control
codes, or plain letters that make no words ("7KLV" for "This"). Such a text layer is in doubt, and
settled by what is read from the picture of the page: what is found there, too, stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

from index.records import Box
from ingest.pages import (
    FigureBlock,
    PageContent,
    PageItem,
    PageLine,
    TableBlock,
    TextBlock,
    area,
    cluster_boxes,
    holds_center,
)
from ingest.placement import ScanPlacement, upright_box

_UNMAPPED = re.compile("[\ufffd\ue000-\uf8ff\U000f0000-\U0010ffff\x01-\x08\x0b\x0c\x0e-\x1f]")
"""Letters that say nothing, U+FFFD and private ones and control codes."""
_UNMAPPED_SHARE = 0.15
_WORD_GLYPHS = 3
"""Shorter runs of such letters are bullets, signs and music."""
_LEAST_UNMAPPED = 20
"""Odd glyphs, bullets and signs are no reason to doubt a page."""
_LEAST_LETTERS = 60
"""Fewer letters are not judged."""
_VOWELS = frozenset("aeiouyäöüáàâãåæéèêëíìîïóòôõøœúùûýαεηιουωάέήίόύώ")
_LETTERS_WITH_VOWELS = frozenset(
    chain(
        map(chr, range(ord("a"), ord("z") + 1)),
        map(chr, range(ord("ß"), ord("ÿ") + 1)),
        map(chr, range(ord("α"), ord("ώ") + 1)),
    )
)
"""Latin and Greek: scripts that write their vowels and that can be read from a picture."""
_FEW_VOWELS, _MANY_VOWELS = 0.22, 0.65
_CONFIRMED_SHARE = 0.5
_ALL_CONFIRMED = 0.8
_SAME_HEIGHT = 2.0
"""A printed line covers read ones that are at least half as high: a watermark covers none."""
_SENTENCE_WORDS = 4
_SENTENCE_LETTERS = 100
_LETTERED_FIGURE = 0.1
"""Lines with so many words and letters that cover this share of a picture make it a scan of text;
fewer are labels in it."""
_SCANNED_SHARE = 0.5
"""Pictures of text that cover half of a page are read, whatever else stands on it."""
_FULL_LETTERS = 200
"""So many letters over a picture of a whole page are its text, not a stamp on it."""
_FEW_LETTERS = 16
_PICTURE_SHARE = 0.1
"""Where a page holds no words, a picture of this share is worth reading."""


def unmapped_letters(text: str) -> int:
    """How many letters in words of lines, as the file gives them, have no Unicode value."""
    if not _UNMAPPED.search(text):
        return 0
    return sum(
        len(_UNMAPPED.findall(word))
        for line in text.split("\n")
        if _UNMAPPED.search(line)
        for word in line.split()
        if len(word) >= _WORD_GLYPHS
    )


def is_doubtful(blocks: Sequence[TextBlock], unmapped: int) -> bool:
    """True when the words cannot be those that are printed.

    `unmapped` is what `unmapped_letters` counts; a few of them are no reason.
    """
    words = [word for block in blocks for line in block.lines for word in line.text.split()]
    text = "".join(word for word in words if len(word) >= _WORD_GLYPHS)
    mapped = len(_UNMAPPED.sub("", text))
    if unmapped >= _LEAST_UNMAPPED and unmapped >= _UNMAPPED_SHARE * (unmapped + mapped):
        return True
    letters = [letter for letter in text.casefold() if letter in _LETTERS_WITH_VOWELS]
    if len(letters) < max(_LEAST_LETTERS, len(text) / 3):
        return False
    share = sum(letter in _VOWELS for letter in letters) / len(letters)
    return not _FEW_VOWELS <= share <= _MANY_VOWELS


def is_picture_of_text(
    blocks: Sequence[TextBlock], images: Sequence[Box], page_area: float
) -> bool:
    """True when a large part of the page may show words that the file does not hold.

    That is: pictures and next to no text, or pictures that cover half of the page, with no more
    than a stamp over them.
    """
    lines = [line for block in blocks for line in block.lines]
    pictures = cluster_boxes(images, 1.0)
    if sum(map(_letters, lines)) < _FEW_LETTERS:
        return sum(map(area, pictures)) >= _PICTURE_SHARE * page_area
    unread = 0.0
    for picture in pictures:
        share = min(area(picture) / page_area, 1.0)
        over = sum(_letters(line) for line in lines if holds_center(picture, line.box))
        if over < _FULL_LETTERS * share:
            unread += share
    return unread >= _SCANNED_SHARE


def without_doubted(
    page: PageContent, read: Sequence[PageLine], placement: ScanPlacement
) -> list[PageItem] | None:
    """Items of a page, on the upright page, that its picture confirms; None when all of them are.

    `read` are the lines read, on the upright page. Items of pages not in doubt all stay.
    """
    items = list(page.items)
    if not placement.is_level:
        items = [_upright_item(item, placement) for item in items]
    if not page.is_doubted:
        return items
    lines = [line for item in items for line in _lines_of(item)]
    confirmed = [line for line in lines if _is_confirmed(line, read)]
    if sum(map(_letters, confirmed)) >= _ALL_CONFIRMED * max(sum(map(_letters, lines)), 1):
        return None
    known = {id(line) for line in confirmed}
    kept: list[PageItem] = []
    for item in items:
        if isinstance(item, TextBlock):
            rest = tuple(line for line in item.lines if id(line) in known)
            if rest:
                kept.append(TextBlock(rest))
        elif isinstance(item, FigureBlock):
            kept.append(replace(item, caption=None, labels=()))
    return kept


def without_printed(
    items: Sequence[PageItem], read: Sequence[PageLine]
) -> tuple[list[PageItem], list[PageLine]]:
    """Items, and the lines read where none of their words stand.

    Lines read in a figure become its labels; a figure full of lines is a scan of text and goes.
    """
    printed = [line for item in items for line in _lines_of(item)]
    tables = [item.box for item in items if isinstance(item, TableBlock)]
    rest = [
        line
        for line in read
        if not any(holds_center(table, line.box) for table in tables)
        and not any(_covers(other.box, line.box) for other in printed)
    ]
    kept: list[PageItem] = []
    for item in items:
        if not isinstance(item, FigureBlock):
            kept.append(item)
            continue
        inside = [line for line in rest if holds_center(item.box, line.box)]
        if _is_running_text(inside, item.box):
            if item.caption:
                kept.append(item.caption)
            continue
        kept.append(replace(item, labels=(*item.labels, *inside)))
        labels = {id(line) for line in inside}
        rest = [line for line in rest if id(line) not in labels]
    return kept, rest


def _is_running_text(lines: Sequence[PageLine], within: Box) -> bool:
    long = [line for line in lines if len(line.text.split()) >= _SENTENCE_WORDS]
    covered = sum(area(line.box) for line in long)
    return sum(map(_letters, long)) >= _SENTENCE_LETTERS and covered >= _LETTERED_FIGURE * area(
        within
    )


def _letters(line: PageLine) -> int:
    return sum(map(str.isalnum, line.text))


def _lines_of(item: PageItem) -> Iterable[PageLine]:
    if isinstance(item, TextBlock):
        return item.lines
    if isinstance(item, FigureBlock):
        return (*(item.caption.lines if item.caption else ()), *item.labels)
    return (
        PageLine(" ".join(row), box, 0.0)
        for row, box in zip(item.rows, item.row_boxes, strict=True)
    )


def _is_confirmed(line: PageLine, read: Sequence[PageLine]) -> bool:
    """Whether words of a line are read at its place."""
    there = "".join(other.text for other in read if _touches(line.box, other.box)).casefold()
    words = [word for word in re.findall(r"\w+", line.text.casefold()) if len(word) > 1]
    said = sum(len(word) for word in words if word in there)
    return bool(words) and said >= _CONFIRMED_SHARE * sum(map(len, words))


def _touches(one: Box, other: Box) -> bool:
    return one.x0 < other.x1 and other.x0 < one.x1 and one.y0 < other.y1 and other.y0 < one.y1


def _covers(printed: Box, read: Box) -> bool:
    height = printed.y1 - printed.y0
    is_as_high = height < _SAME_HEIGHT * (read.y1 - read.y0)
    return is_as_high and (holds_center(printed, read) or holds_center(read, printed))


def _upright_item(item: PageItem, placement: ScanPlacement) -> PageItem:
    """An item of the page as displayed on the upright page; its words get shares of their line."""
    if isinstance(item, TextBlock):
        return _upright_block(item, placement)
    box = upright_box(placement, item.box)
    caption = _upright_block(item.caption, placement) if item.caption else None
    if isinstance(item, FigureBlock):
        labels = _upright_block(TextBlock(item.labels), placement).lines
        return replace(item, box=box, caption=caption, labels=labels)
    rows = tuple(upright_box(placement, row) for row in item.row_boxes)
    return replace(item, box=box, row_boxes=rows, caption=caption)


def _upright_block(block: TextBlock, placement: ScanPlacement) -> TextBlock:
    return TextBlock(
        tuple(
            replace(line, box=upright_box(placement, line.box), word_boxes=b"")
            for line in block.lines
        )
    )
