"""Tables without upright rules: a rule above the header, one below it, one at the foot.

That is how print sets them (the LaTeX package booktabs); some have more level rules between rows.
Such rules also frame remarks, listings and running heads, so all that stands between them must be
set in columns: what is in doubt stays running text.
"""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from index.records import Box
from ingest.pages import (
    FIGURE_CAPTION,
    TABLE_CAPTION,
    PageLine,
    TableBlock,
    TextBlock,
    merged_extents,
    union_box,
)
from ingest.printed_words import corners, packed_box, placed_words, shared_boxes

_THIN_PT = 2.5
"""A rule is no thicker than this, and the pieces of one are no further apart."""
_LEAST_WIDTH_PT = 72.0
_SAME_X_PT = 1.0
"""Rules of one table start and end at the same places."""
_SPACING_PT = 8.0
"""Closer rules are staves of music."""
_LEAST_RULES, _MOST_RULES = 3, 30
_COLUMN_GAP_PT = 8.0
"""White space between columns; LaTeX leaves 12 pt."""
_HEADER_LINES = 3
_LEAST_ROWS = 2
_FILLED = 2 / 3
_LONG_CELL_WORDS = 10
_LONG_CELLS = 0.25
"""More cells of so many words are columns of running text."""

_CAPTIONS = (TABLE_CAPTION, FIGURE_CAPTION)

PlacedWord = tuple[str, Box, bytes]
"""A word of a table with its box, and that packed."""
Stack = list[Box]
"""Level rules of one width, one below the other."""
_Row = list[PlacedWord]


def words_of_line(line: PageLine) -> Iterator[PlacedWord]:
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


def rule_stacks(strokes: Iterable[Box]) -> list[Stack]:
    """Three level rules or more that start and end at the same places, from the top."""
    level = [box for box in strokes if box.y1 - box.y0 <= _THIN_PT and box.x1 - box.x0 > _THIN_PT]
    stacks: dict[tuple[int, int], Stack] = defaultdict(list)
    for rule in _whole_rules(level):
        if rule.x1 - rule.x0 >= _LEAST_WIDTH_PT:
            stacks[round(rule.x0 / _SAME_X_PT), round(rule.x1 / _SAME_X_PT)].append(rule)
    return [stack for stack in stacks.values() if _is_table_like(stack)]


def level_tables(
    stacks: Iterable[Stack],
    shapes: Sequence[Box],
    blocks: Sequence[TextBlock],
    others: Sequence[Box],
) -> list[TableBlock]:
    """Tables between the rules of each stack.

    `shapes` is all that is drawn on the page: anything but level rules within speaks against a
    table. What lies in `others`, which are tables already, is none.
    """
    lines = [line for block in blocks for line in block.lines]
    tables: list[TableBlock] = []
    for stack in stacks:
        top = 0
        while top < len(stack) - 2:
            found = None
            for foot in range(len(stack) - 1, top + 1, -1):
                found = _table_between(stack[top : foot + 1], shapes, lines)
                if found is not None:
                    break
            taken = [*others, *(table.box for table in tables)]
            if found is not None and not any(_overlap(found.box, box) for box in taken):
                tables.append(found)
            top = top + 1 if found is None else foot + 1
    return tables


def _whole_rules(pieces: Iterable[Box]) -> Iterator[Box]:
    """Rules drawn cell by cell, made whole; double rules count as one."""
    rules: list[Box] = []
    for piece in sorted(pieces, key=lambda box: (round(box.y0), box.x0)):
        last = rules[-1] if rules else None
        if (
            last is not None
            and piece.x0 <= last.x1 + _THIN_PT
            and abs(piece.y0 - last.y0) <= _THIN_PT
        ):
            rules[-1] = union_box((last, piece))
        else:
            rules.append(piece)
    yield from rules


def _is_table_like(stack: Stack) -> bool:
    apart = all(below.y0 - above.y1 >= _SPACING_PT for above, below in pairwise(stack))
    return apart and _LEAST_RULES <= len(stack) <= _MOST_RULES


def _table_between(
    rules: Stack, shapes: Sequence[Box], lines: Sequence[PageLine]
) -> TableBlock | None:
    """The table whose first rule is the first and whose last rule is the last of these."""
    box = union_box(rules)
    inside = [line for line in lines if _stands_in(box, line.box)]
    if _speaks_against(box, inside, shapes):
        return None
    words = [word for line in inside for word in words_of_line(line)]
    header = _rows([word for word in words if _middle_y(word[1]) < rules[1].y0])
    body = _rows([word for word in words if _middle_y(word[1]) >= rules[1].y0])
    columns = merged_extents(((at.x0, at.x1) for row in body for _, at, _ in row), _COLUMN_GAP_PT)
    if len(columns) < 2 or len(body) < _LEAST_ROWS or not 1 <= len(header) <= _HEADER_LINES:
        return None
    borders = [(left[1] + right[0]) / 2 for left, right in pairwise(columns)]
    head = [word for row in header for word in row]
    if any(at.x0 < border < at.x1 for _, at, _ in head for border in borders):
        return None
    # Where a row has several lines, rules part it from the next.
    for rows in ([head, *body], [head, *_between(rules[1:], body)]):
        cells = [_cells(row, borders) for row in rows]
        if len(rows) > _LEAST_ROWS and _is_sound(cells):
            return _table(box, rows, cells)
    return None


def _between(rules: Stack, lines: Iterable[_Row]) -> list[_Row]:
    """Words between each rule and the next."""
    rows: list[_Row] = [[] for _ in rules[1:]]
    inner = [rule.y0 for rule in rules[1:-1]]
    for line in lines:
        rows[bisect(inner, _middle_y(line[0][1]))].extend(line)
    return [row for row in rows if row]


def _speaks_against(box: Box, inside: Sequence[PageLine], shapes: Sequence[Box]) -> bool:
    """True where lines are wider than the rules, are captions, or stand among drawings."""
    x0, x1 = box.x0 - _THIN_PT, box.x1 + _THIN_PT
    return (
        any(line.box.x0 < x0 or line.box.x1 > x1 for line in inside)
        or any(caption.match(line.text) for line in inside for caption in _CAPTIONS)
        or any(_is_drawn_in(box, shape) for shape in shapes)
    )


def _stands_in(box: Box, line: Box) -> bool:
    return box.y0 < _middle_y(line) < box.y1 and line.x1 > box.x0 and line.x0 < box.x1


def _is_drawn_in(box: Box, shape: Box) -> bool:
    """True for anything but level rules and the shades of whole rows."""
    near = Box(box.x0 - _THIN_PT, box.y0 - _THIN_PT, box.x1 + _THIN_PT, box.y1 + _THIN_PT)
    is_within = (
        near.x0 <= shape.x0 and shape.x1 <= near.x1 and near.y0 <= shape.y0 and shape.y1 <= near.y1
    )
    is_level = shape.y1 - shape.y0 <= _THIN_PT
    is_shade = shape.x0 <= box.x0 + _THIN_PT and shape.x1 >= box.x1 - _THIN_PT
    return is_within and not is_level and not is_shade


def _rows(words: Iterable[PlacedWord]) -> list[_Row]:
    """Words by printed row, from the top; in a row in the order of its lines."""
    rows: list[tuple[Box, list[tuple[int, PlacedWord]]]] = []
    for number, word in sorted(enumerate(words), key=lambda each: _middle_y(each[1][1])):
        first = rows[-1][0] if rows else None
        if first is not None and _middle_y(word[1]) < (first.y0 + 3 * first.y1) / 4:
            rows[-1][1].append((number, word))
        else:
            rows.append((word[1], [(number, word)]))
    return [[word for _, word in sorted(row, key=lambda each: each[0])] for _, row in rows]


def _cells(row: _Row, borders: Sequence[float]) -> list[_Row]:
    cells: list[_Row] = [[] for _ in range(len(borders) + 1)]
    for word in row:
        middle = (word[1].x0 + word[1].x1) / 2
        cells[bisect(borders, middle)].append(word)
    return cells


def _is_sound(cells: Sequence[Sequence[_Row]]) -> bool:
    """Whether rows of cells, the header first, are those of a table."""
    header, *body = cells
    filled = [cell for row in body for cell in row if cell]
    long = sum(len(cell) >= _LONG_CELL_WORDS for cell in filled)
    return (
        sum(map(bool, header)) >= 2
        and len(filled) >= _FILLED * len(body) * len(header)
        and long <= _LONG_CELLS * len(filled)
        and all(any(map(_says, column)) for column in zip(*body, strict=True))
    )


def _says(cell: _Row) -> bool:
    """False for bullets and rows of dots."""
    return any(map(str.isalnum, "".join(text for text, _, _ in cell)))


def _table(box: Box, rows: Sequence[_Row], cells: Sequence[Sequence[_Row]]) -> TableBlock:
    return TableBlock(
        box,
        tuple(tuple(" ".join(text for text, _, _ in cell) for cell in row) for row in cells),
        tuple(union_box(at for _, at, _ in row) for row in rows),
        tuple(tuple(b"".join(packed for _, _, packed in cell) for cell in row) for row in cells),
    )


def _overlap(one: Box, other: Box) -> bool:
    return one.x0 < other.x1 and other.x0 < one.x1 and one.y0 < other.y1 and other.y0 < one.y1


def _middle_y(box: Box) -> float:
    return (box.y0 + box.y1) / 2
