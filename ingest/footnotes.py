"""Footnotes: small print at the foot of a column leaves the text that goes on in the next one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ingest.pages import PageContent, PageItem, PageLine, TextBlock, share_column

_SMALL = 0.87
"""Footnotes are set smaller than this share of the text's size."""
_LOWER_PART = 0.4
"""They stand below this share of the page's height."""
_MARK = re.compile(r"(?:\(?\d{1,3}[.)\]]?|\[\d{1,3}\]|[*†‡§¶∗]{1,3}|[\u00b9\u00b2\u00b3])\s*\S")


def footnotes_last(page: PageContent, body_size_pt: float) -> PageContent:
    """The page with its footnotes after everything else, each a block of its own.

    A footnote starts with a number or sign, in letters smaller than the text's, at the foot of
    its column: only small print is below it, and text of full size is above it.
    """
    blocks = [item for item in page.items if isinstance(item, TextBlock)]
    if not any(not _is_small(block, body_size_pt) for block in blocks):
        return page
    notes: dict[int, TextBlock] = {}
    for block in blocks:
        if id(block) in notes or not _starts_note(block, page, body_size_pt):
            continue
        below = [
            item
            for item in page.items
            if item is not block
            and item.box.y0 >= block.box.y0
            and share_column(item.box, block.box)
        ]
        small = [item for item in below if isinstance(item, TextBlock)]
        if len(small) == len(below) and all(_is_small(item, body_size_pt) for item in small):
            notes.update((id(item), item) for item in [block, *small])
    if not notes:
        return page
    text = [item for item in page.items if id(item) not in notes]
    marked = [item for item in page.items if id(item) in notes and isinstance(item, TextBlock)]
    return replace(page, items=(*text, *_parted(marked)))


def _starts_note(block: TextBlock, page: PageContent, body_size_pt: float) -> bool:
    return (
        _is_small(block, body_size_pt)
        and block.box.y0 > _LOWER_PART * page.height_pt
        and _MARK.match(block.lines[0].text) is not None
        and any(map(str.isalpha, block.text))
    )


def _is_small(block: TextBlock, body_size_pt: float) -> bool:
    return all(0 < line.size_pt < body_size_pt * _SMALL for line in block.lines)


def _parted(blocks: Sequence[TextBlock]) -> Iterator[PageItem]:
    """Blocks of notes as one block for each note."""
    note: list[PageLine] = []
    for line in (line for block in blocks for line in block.lines):
        if note and _MARK.match(line.text):
            yield TextBlock(tuple(note))
            note = []
        note.append(line)
    if note:
        yield TextBlock(tuple(note))
