"""Sets the blocks of the sample manual on A4 pages. All lengths are PDF points."""

from __future__ import annotations

from typing import Any

import pymupdf

from tests.media.manual_blocks import (
    Block,
    Figure,
    Heading,
    Notice,
    Paragraph,
    Points,
    ScannedPage,
    Steps,
    Table,
)
from tests.media.manual_figures import DRAWINGS
from tests.media.manual_scan import scan_of
from tests.media.sources import Sources

PAGE_WIDTH, PAGE_HEIGHT = 595, 842
LEFT, RIGHT, TOP, BOTTOM = 68, 527, 92, 770
Color = tuple[float, float, float]
INK: Color = (0.13, 0.17, 0.22)
NAVY: Color = (0.06, 0.16, 0.26)
TEAL: Color = (0.06, 0.46, 0.52)
GREY: Color = (0.45, 0.5, 0.55)
MIST: Color = (0.91, 0.955, 0.955)
CORAL: Color = (0.84, 0.34, 0.26)
WHITE: Color = (1, 1, 1)
_SIZE, _LEADING, _GAP = 10.5, 15.5, 9
_HEADINGS = {1: (22, 44), 2: (13.5, 30)}
"""Level -> font size, height of the block."""
MANUAL_TITLE = "TG-40 Tide Gauge: Operator's Manual"


class Composer:
    """Writes blocks one below the other and remembers on which page each thing stands."""

    def __init__(self, document: pymupdf.Document, sources: Sources) -> None:
        self.document = document
        self.headings: list[tuple[str, int, int]] = []  # text, level, page from 1
        self.tables: list[tuple[Table, int]] = []
        self.figures: list[tuple[Figure, int]] = []
        self.scanned: list[int] = []
        self._sources = sources
        self._fonts = {
            style: pymupdf.Font(fontbuffer=sources.font_bytes(style))
            for style in ("text", "text-bold", "bold")
        }
        self._first_body_page = len(document)
        self._page: Any = None
        self._y = 0.0
        self._chapter = ""

    def compose(self, blocks: tuple[Block, ...]) -> None:
        """Set all blocks, from a new page on."""
        for place, block in enumerate(blocks):
            match block:
                case Heading():
                    self._heading(block, self._height(blocks[place + 1]))
                case Paragraph():
                    self._paragraph(block.text)
                case Notice():
                    self._notice(block)
                case Steps():
                    for number, item in enumerate(block.items, 1):
                        self._item(f"{number}.", item)
                    self._y += _GAP
                case Points():
                    for item in block.items:
                        self._item("\u2022", item)
                    self._y += _GAP
                case Table():
                    self._table(block)
                case Figure():
                    self._figure(block)
                case ScannedPage():
                    self._scan(block)

    def text(
        self, page: Any, x: float, y: float, words: str, style: str, size: float, color: Color
    ) -> None:
        """Write one line on a page, its base line at ``y``."""
        writer = pymupdf.TextWriter(page.rect)
        writer.append((x, y), words, font=self._fonts[style], fontsize=size)
        writer.write_text(page, color=color)

    def width(self, words: str, style: str, size: float) -> float:
        """Return the width of a line in points."""
        return float(self._fonts[style].text_length(words, fontsize=size))

    def wrap(self, words: str, width: float, style: str = "text", size: float = _SIZE) -> list[str]:
        """Break a text into lines no wider than ``width`` points."""
        lines = [""]
        for word in words.split():
            longer = f"{lines[-1]} {word}".strip()
            if self.width(longer, style, size) <= width:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines

    def _height(self, block: Block) -> float:
        if isinstance(block, Paragraph):
            return len(self.wrap(block.text, RIGHT - LEFT)) * _LEADING
        return 120

    def _new_page(self) -> None:
        page = self.document.new_page(width=PAGE_WIDTH, height=PAGE_HEIGHT)
        self._page, self._y = page, TOP
        label = str(len(self.document) - self._first_body_page)
        self.text(page, LEFT, 52, MANUAL_TITLE, "text", 8.5, GREY)
        chapter_x = RIGHT - self.width(self._chapter, "text", 8.5)
        self.text(page, chapter_x, 52, self._chapter, "text", 8.5, GREY)
        page.draw_line((LEFT, 60), (RIGHT, 60), color=TEAL, width=0.8)
        self.text(page, LEFT, 806, "Halden Instruments, edition 4", "text", 8.5, GREY)
        label_x = RIGHT - self.width(label, "text-bold", 9)
        self.text(page, label_x, 806, label, "text-bold", 9, NAVY)

    def _room(self, height: float) -> None:
        if self._y + height > BOTTOM:
            self._new_page()

    def _heading(self, heading: Heading, following: float) -> None:
        size, height = _HEADINGS[heading.level]
        if heading.level == 1:
            self._chapter = heading.text
            self._new_page()
            self._page.draw_rect((LEFT, TOP + 30, LEFT + 40, TOP + 33), color=None, fill=CORAL)
        else:
            self._room(8 + height + following)
            self._y += 8
        self.text(self._page, LEFT, self._y + size, heading.text, "bold", size, NAVY)
        self._y += height
        self.headings.append((heading.text, heading.level, len(self.document)))

    def _lines(self, lines: list[str], x: float) -> None:
        for line in lines:
            self.text(self._page, x, self._y + _SIZE, line, "text", _SIZE, INK)
            self._y += _LEADING

    def _paragraph(self, words: str) -> None:
        lines = self.wrap(words, RIGHT - LEFT)
        self._room(len(lines) * _LEADING)
        self._lines(lines, LEFT)
        self._y += _GAP

    def _item(self, mark: str, words: str) -> None:
        lines = self.wrap(words, RIGHT - LEFT - 24)
        self._room(len(lines) * _LEADING)
        self.text(self._page, LEFT + 4, self._y + _SIZE, mark, "text-bold", _SIZE, TEAL)
        self._lines(lines, LEFT + 24)
        self._y += 3

    def _notice(self, notice: Notice) -> None:
        lines = self.wrap(notice.text, RIGHT - LEFT - 36)
        height = len(lines) * _LEADING + 36
        self._room(height)
        danger = notice.label == "Danger"
        tint = (0.99, 0.93, 0.91) if danger else MIST
        accent = CORAL if danger else TEAL
        area = pymupdf.Rect(LEFT, self._y, RIGHT, self._y + height)
        self._page.draw_rect(area, color=None, fill=tint)
        self._page.draw_rect((LEFT, area.y0, LEFT + 5, area.y1), color=None, fill=accent)
        self.text(self._page, LEFT + 18, self._y + 20, notice.label, "bold", 11, accent)
        self._y += 26
        self._lines(lines, LEFT + 18)
        self._y += 10 + _GAP

    def _table(self, table: Table) -> None:
        row_height = 21
        self._room(24 + row_height * (len(table.rows) + 1))
        self.tables.append((table, len(self.document)))
        self.text(self._page, LEFT, self._y + 11, table.caption, "text-bold", 9.5, TEAL)
        self._y += 19
        edges = [float(LEFT)]
        for share in table.shares:
            edges.append(edges[-1] + share * (RIGHT - LEFT))
        top, bottom = self._y, self._y + row_height * (len(table.rows) + 1)
        self._page.draw_rect((LEFT, top, edges[-1], top + row_height), color=None, fill=TEAL)
        for number, row in enumerate((table.header, *table.rows)):
            style, color = ("text", INK) if number else ("text-bold", WHITE)
            for x, cell in zip(edges, row, strict=False):
                self.text(self._page, x + 6, self._y + 14.5, cell, style, 9.5, color)
            self._y += row_height
        for number in range(len(table.rows) + 2):
            y = top + number * row_height
            self._page.draw_line((LEFT, y), (edges[-1], y), color=GREY, width=0.6)
        for x in edges:
            self._page.draw_line((x, top), (x, bottom), color=GREY, width=0.6)
        self._y += 18

    def _figure(self, figure: Figure) -> None:
        self._room(figure.height_pt + 28)
        self.figures.append((figure, len(self.document)))
        area = pymupdf.Rect(LEFT, self._y, RIGHT, self._y + figure.height_pt)
        self._page.draw_rect(area, color=None, fill=MIST)

        def label(x: float, y: float, words: str) -> None:
            self.text(self._page, area.x0 + x, area.y0 + y, words, "text", 9, INK)

        DRAWINGS[figure.drawing](self._page, area, label)
        self._y = area.y1 + 5
        self.text(self._page, LEFT, self._y + 11, figure.caption, "text-bold", 9.5, TEAL)
        self._y += 28

    def _scan(self, scan: ScannedPage) -> None:
        page = self.document.new_page(width=PAGE_WIDTH, height=PAGE_HEIGHT)
        page.insert_image(page.rect, stream=scan_of(scan.lines, self._sources))
        self.scanned.append(len(self.document))
        self.headings.append((scan.heading, 1, len(self.document)))
