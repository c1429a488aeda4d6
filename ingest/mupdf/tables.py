"""Ruled tables: their cells, and their words out of the running text."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pymupdf

from index.records import Box
from ingest.pages import (
    TABLE_CAPTION,
    PageItem,
    PageLine,
    TableBlock,
    TextBlock,
    holds_center,
    nearest_caption,
    suggests_grid,
    without_lines_in,
)
from ingest.printed_words import corners, packed_box, placed_words, shared_boxes


def suggests_table(drawings: Sequence[dict[str, Any]]) -> bool:
    """True when lines and rectangles are drawn as a grid. `find_tables` is too slow to ask."""
    rules: list[Box] = []
    for drawing in drawings:
        for item in drawing["items"]:
            if item[0] == "l":
                (x0, y0), (x1, y1) = item[1], item[2]
            elif item[0] == "re":
                x0, y0, x1, y1 = item[1]
            else:
                continue
            rules.append(Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
    return suggests_grid(rules)


def tables_on(page: Any, blocks: Iterable[TextBlock]) -> list[TableBlock]:
    """Ruled tables with two rows and columns or more, at least half of their cells filled.

    PyMuPDF finds the cells (it answers None where it stumbles; the words then stay running text);
    the words in them are those of the page's blocks: `Table.extract` loses the spaces between
    small letters.
    """
    found = page.find_tables(use_layout=False)
    words = [word for block in blocks for line in block.lines for word in _placed(line)]
    tables: list[TableBlock] = []
    for table in found.tables if found is not None else ():
        box = Box(*map(float, table.bbox))
        inside = [word for word in words if holds_center(box, word[1])]
        cells = [[_words_in(cell, inside) for cell in row.cells] for row in table.rows]
        filled = sum(bool(words_in) for row in cells for words_in in row)
        if len(cells) < 2 or len(cells[0]) < 2 or filled * 2 < len(cells) * len(cells[0]):
            continue
        texts = tuple(tuple(" ".join(word[0] for word in cell) for cell in row) for row in cells)
        packed = tuple(tuple(b"".join(word[2] for word in cell) for cell in row) for row in cells)
        row_boxes = tuple(Box(*map(float, row.bbox)) for row in table.rows)
        tables.append(TableBlock(box, texts, row_boxes, packed))
    return tables


_Placed = tuple[str, Box, bytes]
"""A word of a table with its box, and that packed."""


def _placed(line: PageLine) -> Iterator[_Placed]:
    """Words of a line, parted at white space only: cells are too narrow to ask for less."""
    packed = line.word_boxes or shared_boxes(line.text, line.box)
    joined: list[tuple[str, list[list[float]]]] = []
    last_end = -1
    for (word, start, end), place in zip(
        placed_words(line.text), corners(packed).tolist(), strict=True
    ):
        if start == last_end:
            joined[-1] = (joined[-1][0] + word, [*joined[-1][1], place])
        else:
            joined.append((word, [place]))
        last_end = end
    for word, places in joined:
        x0s, y0s, x1s, y1s = zip(*places, strict=True)
        box = Box(min(x0s), min(y0s), max(x1s), max(y1s))
        yield word, box, packed_box(box)


def _words_in(cell: Sequence[float] | None, words: Sequence[_Placed]) -> list[_Placed]:
    if not cell:
        return []
    box = Box(*map(float, cell))
    return [word for word in words if holds_center(box, word[1])]


def displayed_box(page: Any, rect: Sequence[float]) -> Box:
    """A rectangle of the page as stored, where it is displayed."""
    return Box(*map(float, (pymupdf.Rect(rect) * page.rotation_matrix).normalize()))


def with_tables(items: list[PageItem], tables: list[TableBlock]) -> list[PageItem]:
    """Take the lines printed inside tables, and the tables' captions, out of the running text."""
    kept, _ = without_lines_in(items, [table.box for table in tables])
    captions: list[TextBlock] = []
    for table in tables:
        blocks = [item for item in kept if isinstance(item, TextBlock)]
        caption = nearest_caption(table.box, blocks, captions, TABLE_CAPTION)
        captions.extend([caption] if caption else [])
        kept.append(replace(table, caption=caption))
    taken = {id(caption) for caption in captions}
    return [item for item in kept if id(item) not in taken]
