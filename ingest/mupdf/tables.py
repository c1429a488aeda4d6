"""Tables: their cells, and their words out of the running text."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from math import inf
from typing import Any

import pymupdf

from index.records import Box
from ingest.level_tables import PlacedWord, level_tables, rule_stacks, words_of_line
from ingest.pages import (
    TABLE_CAPTION,
    PageItem,
    TableBlock,
    TextBlock,
    height_between,
    holds_center,
    nearest_caption,
    share_column,
    suggests_grid,
    without_lines_in,
)

_Drawings = Sequence[dict[str, Any]]
_LINES = frozenset(("l", "re"))
_SHAPES = _LINES | {"c", "qu"}


def tables_on(page: Any, drawings: _Drawings, blocks: Sequence[TextBlock]) -> list[TableBlock]:
    """Tables with ruled rows and columns, and those with level rules only."""
    lines = _strokes(drawings, _LINES)
    # `find_tables` is too slow to ask.
    tables = _ruled_tables(page, blocks) if suggests_grid(lines) else []
    if stacks := rule_stacks(_displayed(page, lines)):
        shapes = _displayed(page, _strokes(drawings, _SHAPES))
        tables += level_tables(stacks, shapes, blocks, [table.box for table in tables])
    return tables


def _strokes(drawings: _Drawings, kinds: Container[str]) -> list[Box]:
    """Boxes of what is drawn, on the page as stored."""
    strokes: list[Box] = []
    for drawing in drawings:
        for item in drawing["items"]:
            kind = item[0]
            if kind not in kinds:
                continue
            if kind == "l":
                (x0, y0), (x1, y1) = item[1], item[2]
            elif kind == "re":
                x0, y0, x1, y1 = item[1]
            else:
                xs, ys = zip(*(item[1] if kind == "qu" else item[1:]), strict=True)
                x0, y0, x1, y1 = min(xs), min(ys), max(xs), max(ys)
            strokes.append(Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
    return strokes


def _displayed(page: Any, boxes: list[Box]) -> list[Box]:
    if not page.rotation:
        return boxes
    return [displayed_box(page, (box.x0, box.y0, box.x1, box.y1)) for box in boxes]


def _ruled_tables(page: Any, blocks: Iterable[TextBlock]) -> list[TableBlock]:
    """Ruled tables with two rows and columns or more, at least half of their cells filled.

    PyMuPDF finds the cells (it answers None where it stumbles; the words then stay running text);
    the words in them are those of the page's blocks: `Table.extract` loses the spaces between
    small letters.
    """
    found = page.find_tables(use_layout=False)
    words = [word for block in blocks for line in block.lines for word in words_of_line(line)]
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


def _words_in(cell: Sequence[float] | None, words: Sequence[PlacedWord]) -> list[PlacedWord]:
    if not cell:
        return []
    box = Box(*map(float, cell))
    return [word for word in words if holds_center(box, word[1])]


def _reach(table: Box, caption: Box) -> float:
    """How far a table is from a caption; endless beside it."""
    return height_between(table, caption) if share_column(table, caption) else inf


def displayed_box(page: Any, rect: Sequence[float]) -> Box:
    """A rectangle of the page as stored, where it is displayed."""
    return Box(*map(float, (pymupdf.Rect(rect) * page.rotation_matrix).normalize()))


def with_tables(items: list[PageItem], tables: list[TableBlock]) -> list[PageItem]:
    """Take the lines printed inside tables, and the tables' captions, out of the running text."""
    kept, _ = without_lines_in(items, [table.box for table in tables])
    captions: list[TextBlock] = []
    for table in tables:
        blocks = [
            item
            for item in kept
            if isinstance(item, TextBlock)
            and table is min(tables, key=lambda each: _reach(each.box, item.box))
        ]
        caption = nearest_caption(table.box, blocks, captions, TABLE_CAPTION)
        captions.extend([caption] if caption else [])
        kept.append(replace(table, caption=caption))
    taken = {id(caption) for caption in captions}
    return [item for item in kept if id(item) not in taken]
