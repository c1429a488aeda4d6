"""Lines of text side by side: the order in which people read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from index.records import Box, TextLine

_SAME_ROW_OVERLAP: Final = 0.5
"""Boxes whose heights overlap by this share of the lower one stand in one row."""


def in_rows(lines: Sequence[TextLine]) -> list[list[TextLine]]:
    """Rows from top to bottom, each from left to right: what stands side by side is one row."""
    rows: list[list[TextLine]] = []
    for line in sorted(lines, key=lambda line: (line.box.y0 + line.box.y1, line.box.x0)):
        if rows and all(_same_row(other.box, line.box) for other in rows[-1]):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.box.x0) for row in rows]


def _same_row(one: Box, other: Box) -> bool:
    shared = min(one.y1, other.y1) - max(one.y0, other.y0)
    beside = one.x1 <= other.x0 or other.x1 <= one.x0
    return beside and shared >= _SAME_ROW_OVERLAP * min(one.y1 - one.y0, other.y1 - other.y0)
