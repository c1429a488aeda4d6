"""Scans however they lie, and text layers that lie: read, in order, and cited where displayed."""

# mypy: allow-untyped-calls

from math import cos, radians, sin
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.records import Box, Moment
from ingest.cache import cached
from ingest.mupdf.opening import probe_document
from ingest.mupdf.reading import read_pages
from ingest.mupdf.rendering import render_page
from ingest.pages import DocumentInfo, FigureBlock, PageContent, PageLine, TextBlock
from ingest.passages import document_moments
from ingest.placement import ScanPlacement
from ingest.scans import Scan, with_scan
from ingest.screen_text import ScreenTextReader
from ingest.settings import ScreenTextSettings
from ingest.text_engine import PlacedLine
from tests.ingest.pdfs import SETTINGS, passages_on, save
from tests.ingest.scanned import picture_of_page, placed_line, scan_pdf, turned, worn

WIDTH, HEIGHT = 420, 300
TITLE = "Care of the pump"
TEXT = [
    "Replace the filter every twelve months, or sooner",
    "when the water turns brown. Close the valve first",
    "and wait until the gauge shows no pressure at all.",
    "Turn the cover to the left and lift it. The old",
    "filter comes out with a slight pull to the front.",
    "Wipe the seat with a dry cloth, never with oil.",
]


@pytest.fixture(scope="module")
def reader() -> ScreenTextReader:
    return ScreenTextReader(ScreenTextSettings())


@pytest.fixture(scope="module")
def printed() -> pymupdf.Document:
    """A page with a heading and a paragraph."""
    document = pymupdf.open()
    page = document.new_page(width=WIDTH, height=HEIGHT)
    page.insert_text((40, 50), TITLE, fontsize=17)
    page.insert_text((40, 90), TEXT, fontsize=11, lineheight=1.3)
    return pymupdf.open("pdf", document.tobytes())


def read_again(path: str, reader: ScreenTextReader) -> PageContent:
    """The first page, its picture read where it needs to be."""
    (content,) = read_pages(path, probe_document(path), 1, 1, SETTINGS)
    if not content.needs_ocr:
        return content
    image, dpi = render_page(path, 1, SETTINGS.scan_dpi)
    return with_scan(content, reader.read_page(image), dpi)


def told(path: str, content: PageContent) -> tuple[Moment, ...]:
    return document_moments(probe_document(path), [content], SETTINGS)


def displayed_point(x: float, y: float, counterclockwise_deg: float) -> tuple[float, float]:
    """Where a point of the printed page is on the scan: the sheet turned around its middle."""
    turn = radians(counterclockwise_deg)
    across, down = x - WIDTH / 2, y - HEIGHT / 2
    odd = counterclockwise_deg % 180 == 90
    middle = (HEIGHT / 2, WIDTH / 2) if odd else (WIDTH / 2, HEIGHT / 2)
    return (
        middle[0] + across * cos(turn) + down * sin(turn),
        middle[1] - across * sin(turn) + down * cos(turn),
    )


@pytest.mark.parametrize("deg", [0, 90, 180, 270, 3, -7])
def test_a_scan_is_read_however_it_lies_and_cited_where_it_is_displayed(
    printed: pymupdf.Document, reader: ScreenTextReader, tmp_path: Path, deg: int
) -> None:
    path = scan_pdf([turned(picture_of_page(printed[0]), deg)], tmp_path / "scan.pdf")

    moments = told(path, read_again(path, reader))

    (passage,) = passages_on(moments, 1)
    assert passage.text.split() == " ".join([TITLE, *TEXT]).split()
    assert passage.heading == TITLE
    for page_or_passage in moments:
        assert page_or_passage.confidence is not None
        assert 0.9 < page_or_passage.confidence <= 1
    words = printed[0].get_text("words")
    rows = passage.word_boxes.rows()
    assert [passage.text[row["start"] : row["end"]] for row in rows] == [word[4] for word in words]
    for row, (x0, y0, x1, y1, *_) in zip(rows, words, strict=True):
        x, y = displayed_point((x0 + x1) / 2, (y0 + y1) / 2, deg)
        assert row["x0"] < x < row["x1"]
        assert row["y0"] < y < row["y1"]
        across, down = row["x1"] - row["x0"], row["y1"] - row["y0"]
        length = down if deg % 180 == 90 else across
        assert length == pytest.approx(x1 - x0, abs=7), "no more than the word is marked"


def test_a_sheet_on_its_side_and_askew_is_read(
    printed: pymupdf.Document, reader: ScreenTextReader, tmp_path: Path
) -> None:
    askew = turned(turned(picture_of_page(printed[0]), 4), 90)
    path = scan_pdf([askew], tmp_path / "scan.pdf")

    content = read_again(path, reader)

    (passage,) = passages_on(told(path, content), 1)
    assert passage.text.split() == " ".join([TITLE, *TEXT]).split()
    assert content.placement is not None
    assert content.placement.quarter_turns == 3
    assert content.placement.skew_deg == pytest.approx(-4, abs=0.3)


def test_a_faint_noisy_scan_on_grey_paper_is_read(
    printed: pymupdf.Document, reader: ScreenTextReader, tmp_path: Path
) -> None:
    faint = worn(turned(picture_of_page(printed[0]), 180), paper=205, ink=130)
    path = scan_pdf([faint], tmp_path / "scan.pdf")

    (passage,) = passages_on(told(path, read_again(path, reader)), 1)

    found, true = passage.text.split(), " ".join([TITLE, *TEXT]).split()
    assert len(set(true) - set(found)) <= 0.1 * len(true)


def test_columns_of_a_skewed_scan_are_read_one_after_the_other(
    reader: ScreenTextReader, tmp_path: Path
) -> None:
    document = pymupdf.open()
    page = document.new_page(width=500, height=220)
    left = [f"Left column line {number} of text" for number in range(8)]
    right = [f"Right column line {number} of text" for number in range(8)]
    page.insert_text((30, 40), left, fontsize=12, lineheight=1.4)
    page.insert_text((270, 40), right, fontsize=12, lineheight=1.4)
    path = scan_pdf([turned(picture_of_page(page), 5)], tmp_path / "scan.pdf")

    passages = passages_on(told(path, read_again(path, reader)), 1)

    assert " ".join(each.text for each in passages).split() == " ".join(left + right).split()


def test_a_scan_that_was_read_comes_back_from_the_cache(tmp_path: Path) -> None:
    placement = ScanPlacement(1, 2.5, 300, 200)
    page = PageContent(1, "1", 300, 200, (), needs_ocr=True)
    line = placed_line("Read on its side", (20, 40, 150, 52))
    read = with_scan(page, Scan((line,), placement), 72)
    assert (read.width_pt, read.height_pt) == (200, 300)
    entry = tmp_path / "scans"

    cached(entry, lambda: (read,))

    def compute() -> tuple[PageContent, ...]:
        raise AssertionError("the cached page was refused")

    assert cached(entry, compute) == (read,)


def test_large_letters_are_headings_and_tall_signs_are_not() -> None:
    """Bands as measured on scans: brackets and capitals among small letters fill the line."""
    page = PageContent(1, "1", 400, 300, (), needs_ocr=True)
    body = [
        placed_line("the text of a manual as it runs", (20, y, 200, y + 13), band_px=5)
        for y in (60, 76, 92, 150, 166)
    ]
    title = placed_line("Filters", (20, 20, 100, 42), band_px=8)
    code = placed_line("run(list[0], x{1}, f(2))", (20, 120, 120, 133), band_px=8)
    caps = placed_line("CAUTION HOT", (20, 190, 120, 203), band_px=8)

    read = with_scan(page, _scan([title, *body, code, caps]), 72)

    (_, first, *rest) = document_moments(DocumentInfo("x.pdf", 1, ("1",), "", ()), [read], SETTINGS)
    assert {first.heading, *(each.heading for each in rest)} == {"Filters"}
    sizes = {
        line.text: line.size_pt
        for item in read.items
        if isinstance(item, TextBlock)
        for line in item.lines
    }
    assert sizes[code.text] == 0
    assert sizes[caps.text] == sizes[body[0].text] == pytest.approx(11, abs=0.1)


def test_paragraphs_of_a_scan_end_where_more_is_white_than_between_most_lines() -> None:
    def blocks(*tops: float) -> list[int]:
        page = PageContent(1, "1", 400, 400, (), needs_ocr=True)
        lines = [placed_line(f"line at {y}", (20, y, 200, y + 12)) for y in tops]
        items = with_scan(page, _scan(lines), 72).items
        return [len(item.lines) for item in items if isinstance(item, TextBlock)]

    assert blocks(20, 33, 46, 66, 79, 92) == [3, 3]
    assert blocks(20, 44, 68, 92, 124, 148) == [4, 2], "typed with double spacing"


# Text layers

_CMAP = b"""/CIDInit /ProcSet findresource begin 12 dict begin begincmap
/CMapName /Told def /CMapType 2 def
1 begincodespacerange <0000> <ffff> endcodespacerange
%d beginbfchar
%s
endbfchar
endcmap CMapName currentdict /CMap defineresource pop end end"""
_NONSENSE = str.maketrans("aeiouhstn", "xqzkwpbgv")


def _typed(path: Path, *, told_letters: dict[str, str] | None) -> str:
    """A page in an embedded font whose Unicode map tells these letters; without map: None."""
    font = pymupdf.Font("cjk")
    document = pymupdf.open()
    page = document.new_page(width=WIDTH, height=HEIGHT)
    page.insert_font("typed", fontbuffer=font.buffer)
    page.insert_text((40, 50), [TITLE, *TEXT], fontname="typed", fontsize=11, lineheight=1.4)
    for xref in range(1, document.xref_length()):
        kind, reference = document.xref_get_key(xref, "ToUnicode")
        if kind == "null":
            continue
        if told_letters is None:
            document.xref_set_key(xref, "ToUnicode", "null")
            continue
        pairs = [
            f"<{font.has_glyph(ord(printed)):04x}> <{ord(told):04x}>"
            for printed, told in told_letters.items()
        ]
        cmap = _CMAP % (len(pairs), "\n".join(pairs).encode())
        document.update_stream(int(reference.split()[0]), cmap)
    return save(document, path)


@pytest.mark.parametrize("broken", ["without map", "nonsense", "private letters"])
def test_a_text_layer_of_a_font_with_a_broken_map_is_replaced(
    reader: ScreenTextReader, tmp_path: Path, broken: str
) -> None:
    letters = sorted(set("".join([TITLE, *TEXT])))
    letter_maps = {
        "without map": None,
        "nonsense": {letter: letter.translate(_NONSENSE) for letter in letters},
        "private letters": {letter: chr(0xF000 + ord(letter)) for letter in letters},
    }
    path = _typed(tmp_path / "broken.pdf", told_letters=letter_maps[broken])
    assert "pump" not in pymupdf.open(path)[0].get_text()

    passages = passages_on(told(path, read_again(path, reader)), 1)

    assert " ".join(each.text for each in passages).split() == " ".join([TITLE, *TEXT]).split()
    assert all(each.confidence for each in passages)


def test_a_good_text_layer_is_not_read_for_a_few_odd_letters(tmp_path: Path) -> None:
    letters = {letter: letter for letter in sorted(set("".join([TITLE, *TEXT])))}
    path = _typed(tmp_path / "odd.pdf", told_letters=letters | {"v": "\uf076", ".": "\uf0b7"})
    assert "\uf0b7" in pymupdf.open(path)[0].get_text()

    (content,) = read_pages(path, probe_document(path), 1, 1, SETTINGS)

    assert not content.needs_ocr


def test_text_that_is_doubted_without_reason_stays(
    reader: ScreenTextReader, tmp_path: Path
) -> None:
    """Part numbers have few vowels: what is read of their picture confirms them."""
    document = pymupdf.open()
    page = document.new_page(width=WIDTH, height=HEIGHT)
    parts = [f"KXR {number} BTZ QLM WRT {number + 7} PSF" for number in range(1000, 1010)]
    page.insert_text((40, 50), parts, fontsize=12, lineheight=1.4)
    path = save(document, tmp_path / "parts.pdf")
    (content,) = read_pages(path, probe_document(path), 1, 1, SETTINGS)
    assert content.needs_ocr
    assert content.is_doubted

    read = with_scan(content, reader.read_page(np.asarray(picture_of_page(page))), 150)

    assert read.items == content.items
    assert not read.needs_ocr


def _mixed(scanned_share: float, printed: pymupdf.Document) -> pymupdf.Document:
    """Typed text above, and a scan of this share of the page below it."""
    document = pymupdf.open()
    page = document.new_page(width=WIDTH, height=600)
    line = "Typed text that the file itself holds, letter by letter."
    page.insert_text((40, 40), [line] * 5, fontsize=10, lineheight=1.3)
    height = 600 * scanned_share
    picture = picture_of_page(printed[0]).resize((int(WIDTH * 2), int(height * 2)))
    pixels = pymupdf.Pixmap(pymupdf.csRGB, picture.width, picture.height, picture.tobytes(), False)
    page.insert_image(pymupdf.Rect(0, 600 - height, WIDTH, 600), pixmap=pixels)
    return document


def test_a_page_half_of_which_is_a_scan_keeps_its_text_and_is_read(
    printed: pymupdf.Document, reader: ScreenTextReader, tmp_path: Path
) -> None:
    path = save(_mixed(0.55, printed), tmp_path / "mixed.pdf")

    moments = told(path, read_again(path, reader))

    text = " ".join(each.text for each in passages_on(moments, 1))
    assert text.count("Typed text that the file itself holds, letter by letter.") == 5
    assert text.split()[-10:] == TEXT[-1].split()
    typed, *_, read = passages_on(moments, 1)
    assert typed.area.boxes[0].y0 < read.area.boxes[0].y0
    small = save(_mixed(0.3, printed), tmp_path / "small.pdf")
    (content,) = read_pages(small, probe_document(small), 1, 1, SETTINGS)
    assert not content.needs_ocr


def test_words_in_a_figure_are_labels_and_a_figure_full_of_words_is_text() -> None:
    few = [placed_line("Inlet", (60, 60, 100, 70)), placed_line("Outlet", (150, 140, 190, 150))]
    many = [
        placed_line("A line of a scanned letter", (52, y, 248, y + 12)) for y in range(52, 140, 14)
    ]
    figure = FigureBlock(Box(50, 50, 250, 150), None, (), b"picture")
    page = PageContent(1, "1", 300, 200, (figure,), needs_ocr=True)

    (labelled,) = with_scan(page, _scan(few), 72).items
    (text,) = with_scan(page, _scan(many), 72).items

    assert isinstance(labelled, FigureBlock)
    assert [line.text for line in labelled.labels] == ["Inlet", "Outlet"]
    assert isinstance(text, TextBlock)
    assert len(text.lines) == len(many)


def test_a_stamp_that_the_file_holds_is_not_told_twice() -> None:
    stamp = PageLine("Copy 17 of 20", Box(50, 20, 120, 32), 10)
    watermark = PageLine("DRAFT", Box(20, 20, 280, 180), 90)
    page = PageContent(1, "1", 300, 200, (TextBlock((stamp, watermark)),), needs_ocr=True)
    lines = [
        placed_line("Copy l7 of 2O", (49, 19, 121, 33)),
        placed_line("Read", (50, 90, 90, 102)),
    ]

    read = with_scan(page, _scan(lines), 72)

    told = [line.text for item in read.items if isinstance(item, TextBlock) for line in item.lines]
    assert sorted(told) == ["Copy 17 of 20", "DRAFT", "Read"]


def _scan(lines: list[PlacedLine]) -> Scan:
    return Scan(tuple(lines), ScanPlacement(0, 0.0, 300, 200))


# Places


@given(
    turns=st.integers(0, 3),
    skew_deg=st.floats(-10, 10),
    x=st.floats(150, 250),
    y=st.floats(250, 350),
)
def test_a_place_goes_to_the_page_and_back(turns: int, skew_deg: float, x: float, y: float) -> None:
    placement = ScanPlacement(turns, skew_deg, 400, 600)
    point = np.array([[x, y, x, y]])
    assert placement.upright(placement.displayed(point)) == pytest.approx(point, abs=1e-6)
