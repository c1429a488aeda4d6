"""Ruled tables: their cells, and their words out of the running text."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pymupdf

from index.records import Box
from ingest.mupdf.text import LETTERS, TEXT_FLAGS
from ingest.pages import (
    TABLE_CAPTION,
    PageItem,
    TableBlock,
    TextBlock,
    holds_center,
    nearest_caption,
    suggests_grid,
    without_lines_in,
)


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


def tables_on(page: Any) -> list[TableBlock]:
    """Ruled tables with two rows and columns or more, at least half of their cells filled.

    PyMuPDF finds the cells (it answers None where it stumbles; the words then stay running text);
    the words in them are MuPDF's: `Table.extract` loses the spaces between small letters.
    """
    words = [
        (displayed_box(page, word[:4]), word[4].translate(LETTERS))
        for word in page.get_text("words", flags=TEXT_FLAGS)
    ]
    found = page.find_tables(use_layout=False)
    tables: list[TableBlock] = []
    for table in found.tables if found is not None else ():
        box = Box(*map(float, table.bbox))
        inside = [word for word in words if holds_center(box, word[0])]
        cells = tuple(
            tuple(_words_in(cell, inside) if cell else "" for cell in row.cells)
            for row in table.rows
        )
        filled = sum(bool(cell) for row in cells for cell in row)
        if len(cells) < 2 or len(cells[0]) < 2 or filled * 2 < len(cells) * len(cells[0]):
            continue
        row_boxes = tuple(Box(*map(float, row.bbox)) for row in table.rows)
        tables.append(TableBlock(box, cells, row_boxes))
    return tables


def _words_in(cell: Sequence[float], words: Sequence[tuple[Box, str]]) -> str:
    box = Box(*map(float, cell))
    return " ".join(word for place, word in words if holds_center(box, place))


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
