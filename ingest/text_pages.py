"""Plain text and Markdown cut into pages: numbered lines, paragraphs, headings, tables.

Such files have no pages. They get some of about `PAGE_ROWS` rows, cut where a paragraph ends; the
lines that stand on a page are its label, and passages are cited by their own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from index.records import Moment
from ingest.pages import OutlineEntry

PAGE_ROWS = 60
ROW_CELLS = 100
"""Narrow letters in a row; wide ones (Chinese, Japanese) take two cells."""
MARGIN_PT = 36.0
ROW_PT = 12.0
_EARLIEST_CUT = 0.6
"""A page may end at the end of a paragraph behind this share of its rows."""
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_NO_TITLE = re.compile(r"\s*(?:[-*+>|#]|\d+[.)])(?:\s|$)|\s*$|    ")
_DELIMITERS = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")


@dataclass(frozen=True, slots=True)
class Row:
    """What fits into the width of a page: a line, or a part of a long one."""

    line: int
    """Counted from 1."""
    text: str
    start: int
    """The character of the line with which it begins."""

    @property
    def end(self) -> int:
        """The one after its last."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Heading:
    """A Markdown heading."""

    line: int
    """Counted from 1."""
    last_line: int
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class TextPage:
    """Consecutive rows."""

    rows: tuple[Row, ...]

    @property
    def label(self) -> str:
        """Its lines, as an editor counts them."""
        return _lines_named(self.lines)

    @property
    def lines(self) -> tuple[int, ...]:
        """The line of every row, counted from 1."""
        return tuple(row.line for row in self.rows)

    def is_start_of_line(self, position: int) -> bool:
        """False for a row that goes on a line of the row before it."""
        return position == 0 or self.rows[position - 1].line != self.rows[position].line


def _lines_named(lines: Sequence[int]) -> str:
    first, last = lines[0], lines[-1]
    return f"line {first}" if first == last else f"lines {first}-{last}"


def with_own_lines(moment: Moment, lines: Sequence[int]) -> Moment:
    """A moment of a text cited by its own lines, not those of all its page.

    `lines` are those of the page's rows, from the top. A moment of the whole page stays as it is.
    """
    area = moment.area
    if not area.boxes:
        return moment
    first = round((min(box.y0 for box in area.boxes) - MARGIN_PT) / ROW_PT)
    end = round((max(box.y1 for box in area.boxes) - MARGIN_PT) / ROW_PT)
    return replace(moment, place=replace(area, label=_lines_named(lines[first:end])))


def paginated(lines: Sequence[str], headings: Sequence[Heading]) -> tuple[TextPage, ...]:
    """Cut lines into pages of at most `PAGE_ROWS` rows; every line is on one, in order.

    A page ends before a heading or behind an empty line where one is near, else at its last row.
    Lines longer than `ROW_CELLS` go on in the next row.
    """
    rows: list[Row] = []
    for number, line in enumerate(lines, 1):
        start = 0
        for part in wrapped(line):
            rows.append(Row(number, part, start))
            start += len(part)
    starts = {heading.line for heading in headings}
    pages: list[TextPage] = []
    begin = 0
    while begin < len(rows):
        end = min(begin + PAGE_ROWS, len(rows))
        if end < len(rows):
            end = _cut(rows, begin, end, starts)
        pages.append(TextPage(tuple(rows[begin:end])))
        begin = end
    return tuple(pages)


def _cut(rows: Sequence[Row], begin: int, end: int, starts: set[int]) -> int:
    earliest = begin + int(PAGE_ROWS * _EARLIEST_CUT)
    best = 0
    for at in range(end, earliest, -1):
        before, after = rows[at - 1], rows[at]
        if after.line in starts and before.line != after.line:
            return at
        if not best and not before.text.strip():
            best = at
    return best or end


def wrapped(line: str) -> list[str]:
    """The rows of a line, broken between words where that is possible. Nothing is left out."""
    line = with_spaces(line)
    if len(line) * 2 <= ROW_CELLS or (line.isascii() and len(line) <= ROW_CELLS):
        return [line]
    rows: list[str] = []
    begin = 0
    width = 0
    space = 0
    for at, letter in enumerate(line):
        cells = cells_of(letter)
        if width + cells > ROW_CELLS:
            end = space if space > begin else at
            rows.append(line[begin:end])
            begin = end
            width = sum(map(cells_of, line[begin:at]))
        width += cells
        if letter == " ":
            space = at + 1
    rows.append(line[begin:])
    return rows


def with_spaces(line: str) -> str:
    """The line with its tabs expanded."""
    return line.expandtabs(4)


def cells_of(letter: str) -> int:
    """How many cells of a row a character takes."""
    if letter.isascii():
        return 1
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def unfenced(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Lines of a Markdown text outside fenced code (CommonMark 4.5), numbered from 1."""
    fence = ""
    for number, line in enumerate(lines, 1):
        mark = _FENCE.match(line)
        if mark and (not fence or (mark[1].startswith(fence) and not line.strip(" `~\t"))):
            fence = "" if fence else mark[1]
        elif not fence:
            yield number, line


def markdown_headings(lines: Sequence[str]) -> tuple[Heading, ...]:
    """Headings of a Markdown text (CommonMark 4.2 and 4.3), those in fenced code left out."""
    found: list[Heading] = []
    for number, line in unfenced(lines):
        if heading := _HEADING.match(line):
            if title := (heading[2] or "").strip():
                found.append(Heading(number, number, len(heading[1]), title))
            continue
        above = lines[number - 2] if number > 1 else ""
        if (under := _UNDERLINE.match(line)) and not _NO_TITLE.match(above):
            level = 1 if under[1].startswith("=") else 2
            is_first = number < 3 or not lines[number - 3].strip()
            if is_first and not (found and found[-1].last_line >= number - 1):
                found.append(Heading(number - 1, number, level, above.strip()))
    return tuple(found)


def outline_of(headings: Sequence[Heading], pages: Sequence[TextPage]) -> Iterator[OutlineEntry]:
    """Bookmarks to the pages on which headings stand."""
    on_page = pages_of_lines(pages)
    for heading in headings:
        yield OutlineEntry(heading.level, heading.title, on_page[heading.line])


def pages_of_lines(pages: Sequence[TextPage]) -> dict[int, int]:
    """The page, counted from 1, on which each line begins."""
    on_page: dict[int, int] = {}
    for number, page in enumerate(pages, 1):
        for row in page.rows:
            on_page.setdefault(row.line, number)
    return on_page


def table_rows(lines: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Cells of a pipe table, its header first; () when the lines are none."""
    if len(lines) < 3 or "|" not in lines[0] or not _DELIMITERS.match(lines[1]):
        return ()
    if "|" not in lines[1] or not all("|" in line for line in lines):
        return ()
    rows = [_cells(line) for line in [lines[0], *lines[2:]]]
    width = len(rows[0])
    return tuple(tuple((row + [""] * width)[:width]) for row in rows)


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]
