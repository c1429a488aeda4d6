"""Plain text and Markdown laid out on pages, so that a place in them can be shown."""

# mypy: allow-untyped-calls

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pymupdf

from index.errors import SourceError
from index.records import Box
from ingest.formats import DocumentFormat, is_text
from ingest.hyperlinks import MOST_ON_PAGE, TOO_MANY
from ingest.pages import (
    DocumentInfo,
    OutlineEntry,
    PageContent,
    PageItem,
    PageLine,
    PageLink,
    TableBlock,
    TextBlock,
    union_box,
)
from ingest.printed_words import packed_box, placed_words
from ingest.text_encoding import decode_text
from ingest.text_links import TextLink, text_links
from ingest.text_pages import (
    MARGIN_PT,
    PAGE_ROWS,
    ROW_CELLS,
    ROW_PT,
    Heading,
    Row,
    TextPage,
    cells_of,
    markdown_headings,
    outline_of,
    pages_of_lines,
    paginated,
    table_rows,
    with_spaces,
)

_LARGEST_BYTES = 64_000_000
_SAMPLE_BYTES = 1 << 16
_CELL_PT = 5.4
_LETTERS_PT = 9.0
_BASELINE = 0.8
"""Letters stand at this share of their row."""
_WIDTH_PT = 2 * MARGIN_PT + ROW_CELLS * _CELL_PT
_HEIGHT_PT = 2 * MARGIN_PT + PAGE_ROWS * ROW_PT
_HEADING_GROWTH = 1.2
"""Headings count as set in larger letters than the text, by this factor a level."""
_HEADING_LEVELS = 6
_TITLE_LETTERS = 200
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class TextDocument:
    """A text file, cut into pages."""

    kind: DocumentFormat
    pages: tuple[TextPage, ...]
    headings: tuple[Heading, ...]
    links: dict[int, tuple[PageLink, ...]]
    """Those of each page that has any, by its number."""
    code_page: str | None
    """Its encoding where that had to be guessed."""

    @classmethod
    def read(cls, path: str, kind: DocumentFormat, stage: str) -> TextDocument:
        """Read a file. Raises SourceError when it is no text, or more than 64 MB."""
        with open(path, "rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
        if len(content) > _LARGEST_BYTES:
            reason = f"is more than {_LARGEST_BYTES // 10**6} MB of text: split it"
            raise SourceError(path, stage, reason)
        try:
            if not is_text(content[:_SAMPLE_BYTES]):
                raise ValueError("it is not a text file")
            text, code_page = decode_text(content)
        except ValueError as error:
            reason = str(error).removeprefix("it ")
            raise SourceError(path, stage, reason) from error
        lines = text.splitlines()
        if not any(map(str.strip, lines)):
            raise SourceError(path, stage, "holds no words")
        headings = markdown_headings(lines) if kind is DocumentFormat.MARKDOWN else ()
        pages = paginated(lines, headings)
        written = [with_spaces(line) for line in lines]
        links = text_links(written, headings, is_markdown=kind is DocumentFormat.MARKDOWN)
        return cls(kind, pages, headings, _placed_links(pages, links), code_page)

    def info(self, path: str) -> DocumentInfo:
        """What is known about it, but for the outline."""
        top = next((each for each in self.headings if each.level == 1), None)
        guess = f"its encoding is not stated; read as {self.code_page}"
        return DocumentInfo(
            path,
            len(self.pages),
            tuple(page.label for page in self.pages),
            title=top.title[:_TITLE_LETTERS] if top else "",
            outline=(),
            format=self.kind.value,
            notes=(guess,) if self.code_page else (),
        )

    def outline(self) -> tuple[OutlineEntry, ...]:
        """Bookmarks to its headings."""
        return tuple(outline_of(self.headings, self.pages))

    def content(self, number: int) -> PageContent:
        """One page, counted from 1, without its picture."""
        page = self.pages[number - 1]
        links = self.links.get(number, ())
        titles = {heading.line: heading for heading in self.headings}
        underlines = {heading.last_line for heading in self.headings} - set(titles)
        return PageContent(
            number,
            page.label,
            _WIDTH_PT,
            _HEIGHT_PT,
            tuple(_items(page, titles, underlines)),
            needs_ocr=False,
            text_lines=page.lines,
            links=links[:MOST_ON_PAGE],
            links_note=TOO_MANY if len(links) > MOST_ON_PAGE else "",
        )

    @contextmanager
    def sheet(self, number: int) -> Iterator[Any]:
        """MuPDF's display list of a page as it would be printed, every letter in its cell."""
        with pymupdf.open() as document:
            sheet = document.new_page(width=_WIDTH_PT, height=_HEIGHT_PT)
            writer = pymupdf.TextWriter(sheet.rect)
            narrow, wide = pymupdf.Font("cour"), pymupdf.Font("cjk")
            for position, row in enumerate(self.pages[number - 1].rows):
                y = MARGIN_PT + (position + _BASELINE) * ROW_PT
                for cell, text in _runs(row.text):
                    font = narrow if text.isascii() else wide
                    writer.append((MARGIN_PT + cell * _CELL_PT, y), text, font, _LETTERS_PT)
            writer.write_text(sheet)
            yield sheet.get_displaylist()


def _placed_links(
    pages: Sequence[TextPage], links: Sequence[TextLink]
) -> dict[int, tuple[PageLink, ...]]:
    by_line: defaultdict[int, list[TextLink]] = defaultdict(list)
    for link in links:
        by_line[link.line].append(link)
    on_page = pages_of_lines(pages) if links else {}
    placed: defaultdict[int, list[PageLink]] = defaultdict(list)
    for number, page in enumerate(pages if links else (), 1):
        for position, row in enumerate(page.rows):
            for link in by_line.get(row.line, ()):
                start, end = max(link.start, row.start), min(link.end, row.end)
                if start < end:
                    box = _box_of(position, row.text, start - row.start, end - row.start)
                    to = link.target
                    target = to if isinstance(to, str) else on_page[to]
                    placed[number].append(PageLink(box, target))
    return {number: tuple(found) for number, found in placed.items()}


def _items(
    page: TextPage, titles: Mapping[int, Heading], underlines: Container[int]
) -> Iterator[PageItem]:
    """Paragraphs, headings and tables, as empty lines part them."""
    paragraph: list[tuple[int, Row]] = []
    for position, row in enumerate(page.rows):
        heading = titles.get(row.line)
        if paragraph and (heading is not None or not row.text.strip() or row.line in underlines):
            yield _paragraph(paragraph)
            paragraph = []
        if heading is not None and row.text.strip() and page.is_start_of_line(position):
            size_pt = _LETTERS_PT * _HEADING_GROWTH ** (_HEADING_LEVELS + 1 - heading.level)
            yield TextBlock((PageLine(heading.title, _box(position, row.text), size_pt),))
        elif heading is None and row.text.strip() and row.line not in underlines:
            paragraph.append((position, row))
    if paragraph:
        yield _paragraph(paragraph)


def _paragraph(paragraph: Sequence[tuple[int, Row]]) -> PageItem:
    cells = table_rows([row.text for _, row in paragraph])
    if cells and len({row.line for _, row in paragraph}) == len(paragraph):
        printed = [paragraph[0], *paragraph[2:]]
        boxes = tuple(_box(position, row.text) for position, row in printed)
        word_boxes = tuple(
            tuple(_word_boxes(position, row.text, texts))
            for (position, row), texts in zip(printed, cells, strict=True)
        )
        return TableBlock(union_box(boxes), cells, boxes, word_boxes)
    return TextBlock(
        tuple(
            PageLine(
                row.text.strip(),
                _box(position, row.text),
                _LETTERS_PT,
                word_boxes=b"".join(_placed_words(position, row.text)),
            )
            for position, row in paragraph
        )
    )


def _box(position: int, text: str) -> Box:
    return _box_of(position, text, len(text) - len(text.lstrip()), len(text.rstrip()))


def _box_of(position: int, row: str, start: int, end: int) -> Box:
    """Where characters [start, end) of a row are printed."""
    x0 = MARGIN_PT + sum(map(cells_of, row[:start])) * _CELL_PT
    x1 = x0 + sum(map(cells_of, row[start:end])) * _CELL_PT
    y0 = MARGIN_PT + position * ROW_PT
    return Box(x0, y0, x1, y0 + ROW_PT)


def _placed_words(position: int, row: str) -> Iterator[bytes]:
    """Boxes of the words of a row with wide letters, packed: of others, equal shares will do."""
    for _, start, end in () if row.isascii() else placed_words(row):
        yield packed_box(_box_of(position, row, start, end))


def _word_boxes(position: int, row: str, texts: Sequence[str]) -> Iterator[bytes]:
    """Boxes of the words of each cell of a table's row, packed as in `printed_words`."""
    reached = 0
    for text in texts:
        written = text.replace("|", "\\|")
        reached = max(row.find(written, reached), reached)
        end = reached + len(written)
        words = _WORD.finditer(row, reached, end)
        reached = end
        yield b"".join(packed_box(_box_of(position, row, *word.span())) for word in words)


def _runs(text: str) -> list[tuple[int, str]]:
    """(first cell, letters) of what is drawn at once: words of ASCII, any other letter alone."""
    runs: list[tuple[int, str]] = []
    cell = 0
    joins = False
    for letter in text:
        if letter.isascii() and joins and letter != " ":
            runs[-1] = (runs[-1][0], runs[-1][1] + letter)
        elif letter != " " and letter.isprintable():
            runs.append((cell, letter))
        joins = letter.isascii() and letter != " "
        cell += cells_of(letter)
    return runs
