"""Tables with level rules only, and what stands between such rules and is no table."""

# mypy: allow-untyped-calls

from pathlib import Path

import pymupdf
import pytest

from ingest.mupdf.opening import probe_document
from ingest.mupdf.reading import read_pages
from ingest.pages import TableBlock
from ingest.settings import DocumentSettings
from tests.ingest.pdfs import moments_of, passages_on, save

METALS = [
    ["Metal", "Density", "Melts at"],
    ["Copper", "8.96", "1085 C"],
    ["Zinc alloy", "7.14", "420 C"],
    ["Lead", "11.34", ""],
]
LEFT, RIGHT, ROW = 72, 402, 22


def rule(page: pymupdf.Page, *heights: float) -> None:
    """Rules of one width at these heights."""
    for y in heights:
        page.draw_line((LEFT, y), (RIGHT, y), width=0.8)


def set_rows(page: pymupdf.Page, rows: list[list[str]], y: float) -> float:
    """Rows in columns below `y`; where the last ends."""
    for row in rows:
        for column, cell in enumerate(row):
            page.insert_text((LEFT + 6 + 110 * column, y + 15), cell)
        y += ROW
    return y


def set_table(page: pymupdf.Page, y: float) -> float:
    """A table as print sets it: rules at head and foot and below the header."""
    rule(page, y, y + ROW, set_rows(page, METALS, y))
    return y + ROW * len(METALS)


def tables_of(document: pymupdf.Document, path: Path) -> list[TableBlock]:
    """Tables of the first page."""
    saved = save(document, path)
    (page,) = read_pages(saved, probe_document(saved), 1, 1, DocumentSettings(), pictures=False)
    return [item for item in page.items if isinstance(item, TableBlock)]


@pytest.mark.parametrize("is_landscape", [False, True])
def test_tables_with_level_rules_become_markdown_with_their_boxes(
    tmp_path: Path, is_landscape: bool
) -> None:
    """Two of the same width, with captions, and text above and below."""
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((LEFT, 80), "Running text that is wide enough to cross all of the columns.")
    page.insert_text((LEFT, 120), "Table 1: Metals.")
    end = set_table(page, 130)
    page.insert_text((LEFT, end + 30), "Table 2: Metals once more.")
    end = set_table(page, end + 40)
    page.insert_text((LEFT, end + 60), "Text below the tables that crosses the columns as well.")
    if is_landscape:
        document = _stored_on_its_side(document)
    text, *tables = passages_on(moments_of(save(document, tmp_path / "level.pdf")), 1)
    assert text.text.splitlines() == [
        "Running text that is wide enough to cross all of the columns.",
        "Text below the tables that crosses the columns as well.",
    ]
    for table, caption in zip(tables, ["1: Metals.", "2: Metals once more."], strict=True):
        assert table.text.splitlines() == [
            f"Table {caption}",
            "| Metal | Density | Melts at |",
            "| --- | --- | --- |",
            "| Copper | 8.96 | 1085 C |",
            "| Zinc alloy | 7.14 | 420 C |",
            "| Lead | 11.34 |  |",
        ]
    box = tables[0].area.boxes[0]
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((LEFT, 130, RIGHT, 218), abs=2)


def _stored_on_its_side(document: pymupdf.Document) -> pymupdf.Document:
    """Its first page, shown as before but turned when it is stored."""
    turned = pymupdf.open()
    upright = document[0].rect
    page = turned.new_page(width=upright.height, height=upright.width)
    page.show_pdf_page(page.rect, document, 0, rotate=90)
    page.set_rotation(90)
    return turned


def test_a_header_of_two_lines_and_rules_drawn_cell_by_cell(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    end = set_rows(page, [["", "Density", "Melting"], ["Metal", "(g/ml)", "point"]], 100)
    foot = set_rows(page, METALS[1:3], end)
    for y in (100, end, end + ROW, foot):
        for x in range(LEFT, RIGHT, 110):
            page.draw_line((x, y), (x + 110, y))
    (table,) = tables_of(document, tmp_path / "cells.pdf")
    header = ("Metal", "Density (g/ml)", "Melting point")
    assert table.rows == (header, *map(tuple, METALS[1:3]))


def test_a_caption_belongs_to_the_nearest_table(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    end = set_table(page, 100)
    page.insert_text((LEFT, end + 30), "Table 2: Metals once more.")
    set_table(page, end + 40)
    first, second = tables_of(document, tmp_path / "captions.pdf")
    assert first.caption is None
    assert second.caption is not None
    assert second.caption.text == "Table 2: Metals once more."


def test_rows_of_several_lines_are_parted_by_rules(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    rule(page, 100, 122, 166, 210)
    set_rows(page, [["Part", "Duty"]], 100)
    for row, (part, first, second) in enumerate(
        [("Valve", "opens at", "nine bar"), ("Pump", "moves", "the water")]
    ):
        y = 138 + 44 * row
        page.insert_text((LEFT + 6, y + 8), part)
        page.insert_text((LEFT + 116, y), first)
        page.insert_text((LEFT + 116, y + 16), second)
    (table,) = tables_of(document, tmp_path / "lines.pdf")
    assert table.rows == (
        ("Part", "Duty"),
        ("Valve", "opens at nine bar"),
        ("Pump", "moves the water"),
    )


def test_words_on_the_last_rule_break_nothing(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    rule(page, 100, 122, 150)
    page.draw_rect(pymupdf.Rect(LEFT, 178, RIGHT, 180.4), fill=(0, 0, 0))
    for x, *texts in [(LEFT + 6, "Part", "Valve", "Pump"), (LEFT + 200, "Duty", "", "moves")]:
        for y, text in zip((115, 140, 183), texts, strict=True):
            page.insert_text((x, y), text)
    found = tables_of(document, tmp_path / "struck.pdf")
    assert [table.rows[0] for table in found] in ([], [("Part", "Duty")])


def _remark(page: pymupdf.Page) -> None:
    rule(page, 100, 122, 190)
    page.insert_text((LEFT + 6, 115), "Remark on the columns of text")
    for row, text in enumerate(["of which none stands here, so", "that nobody takes these lines"]):
        page.insert_text((LEFT + 6, 140 + 16 * row), text)


def _algorithm(page: pymupdf.Page) -> None:
    rule(page, 100, 122, 190)
    page.insert_text((LEFT + 6, 115), "Algorithm 1: Greatest divisor")
    for row, text in enumerate(["while b > 0 do", "a, b = b, a mod b", "return a"]):
        page.insert_text((LEFT + 6, 140 + 16 * row), f"{row + 1}:")
        page.insert_text((LEFT + 30, 140 + 16 * row), text)


def _columns_of_text(page: pymupdf.Page) -> None:
    rule(page, 100, 122, 300)
    for x in (LEFT, LEFT + 175):
        page.insert_text((x, 115), "Column head", fontsize=6)
        for row in range(10):
            line = "the words of a text set in two columns go on and on here"
            page.insert_text((x, 140 + 16 * row), line, fontsize=6)


def _chart(page: pymupdf.Page) -> None:
    rule(page, 100, 140, 180, 220)
    for column in range(3):
        page.draw_rect(pymupdf.Rect(110 + 90 * column, 130, 130 + 90 * column, 220), fill=(1, 0, 0))
        for y in (115, 160, 200):
            page.insert_text((112 + 90 * column, y), f"{y}")


def _bullets(page: pymupdf.Page) -> None:
    rule(page, 100, 122, 190)
    page.insert_text((LEFT + 6, 115), "-")
    page.insert_text((LEFT + 40, 115), "Contents")
    for row, text in enumerate(["valves", "pumps", "filters"]):
        page.insert_text((LEFT + 6, 140 + 16 * row), "-")
        page.insert_text((LEFT + 40, 140 + 16 * row), text)


def _wider_text(page: pymupdf.Page) -> None:
    rule(page, 100, 122, 190)
    for row in range(5):
        page.insert_text((LEFT + 6, 115 + 16 * row), f"value {row}")
        page.insert_text((RIGHT - 60, 115 + 16 * row), f"goes on past the rule {row}")


@pytest.mark.parametrize(
    "draw", [_remark, _algorithm, _columns_of_text, _chart, _bullets, _wider_text]
)
def test_other_things_between_rules_stay_text(tmp_path: Path, draw: object) -> None:
    document = pymupdf.open()
    assert callable(draw)
    draw(document.new_page())
    assert tables_of(document, tmp_path / "none.pdf") == []
