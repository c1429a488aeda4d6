"""Documents against PDFs made here with known words, and against the sample manual's truth."""

# mypy: allow-untyped-calls

import pickle
import random
from io import BytesIO
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from index.errors import SourceError
from index.records import Box, Moment, MomentKind, TextLine
from ingest.documents import DocumentInfo, OutlineEntry, probe_document, read_pages, render_page
from ingest.pages import (
    PageContent,
    PageLine,
    TableBlock,
    TextBlock,
    apply_ocr,
    cluster_boxes,
    is_caption,
    reading_order,
    union_box,
)
from ingest.passages import cut_passages, document_moments
from ingest.screen_text import ScreenTextReader
from ingest.settings import DocumentSettings, ScreenTextSettings

SETTINGS = DocumentSettings()
WORDS = ("valve", "pump", "filter", "motor", "sensor", "panel", "cable", "relay", "switch")


def _save(document: pymupdf.Document, path: Path) -> str:
    document.save(path)
    return str(path)


def _moments(path: str, settings: DocumentSettings = SETTINGS) -> tuple[Moment, ...]:
    info = probe_document(path)
    return document_moments(info, read_pages(path, info, 1, info.pages, settings), settings)


def _passages(moments: tuple[Moment, ...], page: int) -> list[Moment]:
    return [
        moment
        for moment in moments
        if moment.kind is MomentKind.PASSAGE and moment.area.page == page
    ]


def _covers(boxes: tuple[Box, ...], rect: pymupdf.Rect) -> bool:
    """True when the middle line of a rectangle lies in one of the boxes."""
    y = (rect.y0 + rect.y1) / 2
    return any(
        box.x0 - 1 <= rect.x0 and rect.x1 <= box.x1 + 1 and box.y0 <= y <= box.y1 for box in boxes
    )


def _photo(width: int = 200, height: int = 150) -> bytes:
    pixels = np.random.default_rng(7).integers(0, 255, (height, width, 3), np.uint8)
    written = BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    return written.getvalue()


# Files that cannot be read


def test_files_that_are_no_readable_pdf_say_why(tmp_path: Path) -> None:
    good = pymupdf.open()
    good.new_page().insert_text((72, 72), "Secret")
    locked = tmp_path / "locked.pdf"
    good.save(locked, encryption=pymupdf.mupdf.PDF_ENCRYPT_AES_256, owner_pw="a", user_pw="b")
    whole = good.tobytes()
    cases = {
        "empty.pdf": (b"", "is empty"),
        "text.pdf": (b"just words, no PDF\n" * 50, "is not a PDF"),
        "head.pdf": (whole[:30], "is broken beyond repair"),
        "junk.pdf": (b"%PDF-1.7\n" + random.Random(1).randbytes(5000), "is broken beyond repair"),
        "locked.pdf": (locked.read_bytes(), "is encrypted"),
    }
    for name, (content, reason) in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(SourceError, match=reason) as raised:
            probe_document(str(path))
        assert raised.value.stage == "probe"
        assert raised.value.path == str(path)
        assert "\n" not in str(raised.value)
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        probe_document(str(tmp_path / "gone.pdf"))


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_truncated_file_is_repaired_or_refused_in_silence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], share: float
) -> None:
    document = pymupdf.open()
    for number in range(20):
        document.new_page().insert_text((72, 72), f"Page about valve {number}")
    whole = document.tobytes()
    path = tmp_path / "cut.pdf"
    path.write_bytes(whole[: int(len(whole) * share)])
    try:
        info = probe_document(str(path))
        outcome = f"{len(read_pages(str(path), info, 1, info.pages, SETTINGS))} {info.repaired}"
    except SourceError as error:
        outcome = error.reason
    assert outcome in ("20 True", "is broken beyond repair: no page can be found in it")
    assert capfd.readouterr() == ("", "")


def test_page_ranges_outside_the_document_are_refused(tmp_path: Path) -> None:
    document = pymupdf.open()
    document.new_page()
    path = _save(document, tmp_path / "one.pdf")
    with pytest.raises(ValueError, match=r"pages 1\.\.2 are not within 1\.\.1"):
        read_pages(path, probe_document(path), 1, 2, SETTINGS)


# What probing finds


def test_probe_reads_labels_title_and_outline(tmp_path: Path) -> None:
    document = pymupdf.open()
    for _ in range(4):
        document.new_page()
    document.set_page_labels(
        [{"startpage": 0, "style": "r"}, {"startpage": 2, "style": "D", "prefix": "A-"}]
    )
    document.set_metadata({"title": "  Pump\nmanual "})
    document.set_toc([[1, "Maintenance", 3], [2, "Calibration", 4]])
    info = probe_document(_save(document, tmp_path / "labels.pdf"))
    assert info.pages == 4
    assert info.labels == ("i", "ii", "A-1", "A-2")
    assert info.title == "Pump manual"
    assert info.outline == (
        OutlineEntry(1, "Maintenance", 3),
        OutlineEntry(2, "Calibration", 4),
    )


def test_pages_without_labels_are_called_by_their_number(tmp_path: Path) -> None:
    document = pymupdf.open()
    document.new_page()
    document.new_page()
    assert probe_document(_save(document, tmp_path / "plain.pdf")).labels == ("1", "2")


# Words and boxes


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_boxes_lie_where_the_words_are_displayed(tmp_path: Path, rotation: int) -> None:
    document = pymupdf.open()
    page = document.new_page(width=400, height=600)
    # Written so that it stands upright once the page is turned.
    origin = pymupdf.Point(60, 80) * ~_turn(rotation, 400, 600)
    page.insert_text(origin, "Calibrate the sensor.", rotate=rotation, fontsize=20)
    page.set_rotation(rotation)
    path = _save(document, tmp_path / "turned.pdf")
    (moment,) = _passages(_moments(path), 1)
    (box,) = moment.area.boxes
    assert moment.text == "Calibrate the sensor."
    image, _ = render_page(path, 1, 72)
    dark_rows, dark_columns = np.nonzero(image.min(axis=2) < 128)
    assert box.x0 - 1 <= dark_columns.min() <= box.x0 + 6
    assert box.x1 - 6 <= dark_columns.max() <= box.x1 + 1
    assert box.y0 - 1 <= dark_rows.min()
    assert dark_rows.max() <= box.y1 + 1
    assert box.x0 == pytest.approx(60, abs=4)
    assert box.x1 - box.x0 > 100


def _turn(rotation: int, width: float, height: float) -> pymupdf.Matrix:
    """From points of the page as stored to points of the page as displayed."""
    return {
        0: pymupdf.Matrix(1, 0, 0, 1, 0, 0),
        90: pymupdf.Matrix(0, 1, -1, 0, height, 0),
        180: pymupdf.Matrix(-1, 0, 0, -1, width, height),
        270: pymupdf.Matrix(0, -1, 1, 0, 0, width),
    }[rotation]


def test_boxes_of_a_cropped_page_start_at_the_visible_corner(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page(width=400, height=600)
    page.insert_text((150, 250), "Inside the crop.")
    page.set_cropbox(pymupdf.Rect(100, 200, 350, 500))
    path = _save(document, tmp_path / "crop.pdf")
    info = probe_document(path)
    (content,) = read_pages(path, info, 1, 1, SETTINGS)
    assert (content.width_pt, content.height_pt) == (250, 300)
    (box,) = _passages(_moments(path), 1)[0].area.boxes
    assert box.x0 == pytest.approx(50, abs=1)
    assert box.y0 < 50 < box.y1


def test_hyphens_at_line_ends_are_mended_and_compounds_kept(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    lines = [
        "Turn the calibra-",
        "tion screw against the long-",
        "term drift of the ref-",
    ]
    page.insert_text((72, 100), [*lines, "erence. Then check long-term drift."])
    (passage,) = _passages(_moments(_save(document, tmp_path / "hyphens.pdf")), 1)
    assert passage.text == (
        "Turn the calibration screw against the long-term drift of the reference. "
        "Then check long-term drift."
    )


def test_ligatures_are_spelled_out_and_powers_stay(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_font("wide", fontbuffer=pymupdf.Font("cjk").buffer)
    page.insert_text((72, 100), "The o\ufb03ce \ufb01lter holds 5 m\u00b2.", fontname="wide")
    (passage,) = _passages(_moments(_save(document, tmp_path / "ligatures.pdf")), 1)
    assert passage.text == "The office filter holds 5 m\u00b2."


def test_two_columns_are_read_one_after_the_other(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((310, 150), ["right one.", "right two."])
    page.insert_text((310, 250), ["right three."])
    page.insert_text((72, 150), ["left one.", "left two."])
    page.insert_text((72, 250), ["left three."])
    page.insert_text((72, 100), "A heading over both columns that is rather wide for them.")
    page.insert_text((72, 400), "Below both columns runs one more wide line of plain text.")
    (moment,) = _passages(_moments(_save(document, tmp_path / "columns.pdf")), 1)
    order = ["A heading", "left one", "left two", "left three", "right one", "right three", "Below"]
    places = [moment.text.index(words) for words in order]
    assert places == sorted(places)


def test_running_heads_and_page_numbers_are_left_out(tmp_path: Path) -> None:
    document = pymupdf.open()
    for number in range(1, 7):
        page = document.new_page()
        page.insert_text((72, 40), "Pump manual, revision 3")
        page.insert_text((300, 800), f"- {number} -")
        page.insert_text((72, 90), f"Lesson {number}", fontsize=20)
        page.insert_text((72, 200), f"Body sentence about the {WORDS[number]}.")
    moments = _moments(_save(document, tmp_path / "heads.pdf"))
    for number in range(1, 7):
        (moment,) = _passages(moments, number)
        assert moment.text == f"Lesson {number}\nBody sentence about the {WORDS[number]}."
        assert moment.heading == f"Lesson {number}"
        assert len(moment.area.boxes) == 2


def test_headings_follow_the_outline_across_pages(tmp_path: Path) -> None:
    document = pymupdf.open()
    for _ in range(2):
        document.new_page()
    document[0].insert_text((72, 80), "3 Maintenance", fontsize=18)
    document[0].insert_text((72, 120), "Keep the pump dry.")
    document[0].insert_text((72, 200), "3.1 Calibration", fontsize=14)
    document[0].insert_text((72, 240), "Turn the screw.")
    document[1].insert_text((72, 80), "Then tighten it.")
    document[1].insert_text((72, 200), "4 Storage", fontsize=18)
    document[1].insert_text((72, 240), "Store it upright.")
    document.set_toc([[1, "Maintenance", 1], [2, "Calibration", 1], [1, "Storage", 2]])
    moments = _moments(_save(document, tmp_path / "outline.pdf"))
    found = [(m.heading, m.text) for m in moments if m.kind is MomentKind.PASSAGE]
    assert found == [
        ("Maintenance", "3 Maintenance\nKeep the pump dry."),
        ("Maintenance > Calibration", "3.1 Calibration\nTurn the screw."),
        ("Maintenance > Calibration", "Then tighten it."),
        ("Storage", "4 Storage\nStore it upright."),
    ]


def test_headings_are_told_by_size_without_an_outline(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((72, 80), "Operation", fontsize=20)
    page.insert_text((72, 120), "Starting", fontsize=15)
    page.insert_text((72, 150), "Press the green button and wait for the lamp to go out.")
    (moment,) = _passages(_moments(_save(document, tmp_path / "sizes.pdf")), 1)
    assert moment.heading == "Operation > Starting"


# Tables and figures


def _draw_table(page: pymupdf.Page, rows: list[list[str]], x: float, y: float) -> None:
    width, height = 110, 22
    for row in range(len(rows) + 1):
        right = x + width * len(rows[0])
        page.draw_line((x, y + row * height), (right, y + row * height))
    for column in range(len(rows[0]) + 1):
        bottom = y + height * len(rows)
        page.draw_line((x + column * width, y), (x + column * width, bottom))
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            page.insert_text((x + column * width + 5, y + row * height + 15), cell)


ROWS = [["Part", "Torque", "Tool"], ["Valve", "12 Nm", "T20 | T25"], ["Pump", "30 Nm", "Hex"]]


def test_a_ruled_table_becomes_markdown_with_its_box(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((72, 80), "Torques are listed here.")
    _draw_table(page, ROWS, 72, 150)
    page.insert_text((72, 400), "Never exceed them.")
    moments = _moments(_save(document, tmp_path / "table.pdf"))
    before, table = _passages(moments, 1)
    assert before.text == "Torques are listed here.\nNever exceed them."
    assert table.text.splitlines() == [
        "| Part | Torque | Tool |",
        "| --- | --- | --- |",
        "| Valve | 12 Nm | T20 \\| T25 |",
        "| Pump | 30 Nm | Hex |",
    ]
    (box,) = table.area.boxes
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((72, 150, 402, 216), abs=2)


def test_a_long_table_is_cut_between_rows_under_its_header(tmp_path: Path) -> None:
    document = pymupdf.open()
    rows = [["Code", "Meaning", "Remedy"]]
    rows += [[f"E{i:02d}", f"{WORDS[i % 9]} fault", "replace"] for i in range(30)]
    _draw_table(document.new_page(), rows, 72, 100)
    settings = DocumentSettings(passage_words=40)
    pieces = _passages(_moments(_save(document, tmp_path / "long.pdf"), settings), 1)
    assert len(pieces) == 3
    printed = [line for piece in pieces for line in piece.text.splitlines()[2:]]
    assert printed == ["| " + " | ".join(row) + " |" for row in rows[1:]]
    assert all(piece.text.startswith("| Code | Meaning | Remedy |\n") for piece in pieces)
    tops = [piece.area.boxes[0].y0 for piece in pieces]
    assert tops == sorted(set(tops))


def test_a_staff_of_music_is_no_table(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    for top in (100, 180, 260):
        for line in range(5):
            page.draw_line((72, top + line * 5), (500, top + line * 5))
        for x in (72, 200, 350, 500):
            page.draw_line((x, top), (x, top + 20))
    page.insert_text((72, 400), "Play it.")
    path = _save(document, tmp_path / "music.pdf")
    (content,) = read_pages(path, probe_document(path), 1, 1, SETTINGS)
    assert not [item for item in content.items if isinstance(item, TableBlock)]


def test_figures_are_cropped_with_caption_and_labels(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((72, 80), "The photo shows the pump.")
    page.insert_image(pymupdf.Rect(100, 120, 300, 270), stream=_photo())
    page.insert_text((100, 290), "Figure 1: The pump from above.")
    for x in (100, 180, 260):
        page.draw_rect(pymupdf.Rect(x, 400, x + 70, 460))
        page.draw_line((x + 70, 430), (x + 80, 430))
    page.insert_text((110, 435), "Inlet")
    page.insert_text((100, 485), "Fig. 2: Flow of water.")
    page.insert_text((72, 600), "After the figures.")
    path = _save(document, tmp_path / "figures.pdf")
    moments = _moments(path)
    photo, flow = (moment for moment in moments if moment.kind is MomentKind.FIGURE)
    assert photo.text == "Figure 1: The pump from above."
    assert flow.text == "Fig. 2: Flow of water.\nInlet"
    box = photo.area.boxes[0]
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((100, 120, 300, 270), abs=1)
    assert photo.picture is not None
    picture = Image.open(BytesIO(photo.picture))
    assert picture.format == "JPEG"
    assert picture.width / picture.height == pytest.approx(200 / 150, rel=0.02)
    crop = np.asarray(picture.resize((200, 150)), np.float32)
    assert crop.std() > 20, "the crop shows the photo, not the white page"
    words = " ".join(moment.text for moment in _passages(moments, 1))
    assert words == "The photo shows the pump.\nAfter the figures."


def test_logos_on_every_page_are_no_figures(tmp_path: Path) -> None:
    document = pymupdf.open()
    for number in range(4):
        page = document.new_page()
        page.insert_image(pymupdf.Rect(400, 100, 520, 190), stream=_photo())
        page.insert_text((72, 300), f"Words of page {WORDS[number]} and more of them.")
    moments = _moments(_save(document, tmp_path / "logos.pdf"))
    assert not [moment for moment in moments if moment.kind is MomentKind.FIGURE]


def test_a_page_moment_comes_first_with_the_page_as_jpeg(tmp_path: Path) -> None:
    document = pymupdf.open()
    document.new_page(width=300, height=600).insert_text((72, 80), "Hello pump.")
    document.new_page(width=600, height=300)
    moments = _moments(_save(document, tmp_path / "pages.pdf"))
    assert [(m.kind, m.area.page) for m in moments] == [
        (MomentKind.PAGE, 1),
        (MomentKind.PASSAGE, 1),
        (MomentKind.PAGE, 2),
    ]
    assert moments[0].text == "Hello pump."
    sizes = []
    for moment in (moments[0], moments[2]):
        assert moment.picture is not None
        sizes.append(Image.open(BytesIO(moment.picture)).size)
    assert sizes == [(500, 1000), (1000, 500)]


# Scans


def _scan_of(text: list[str], path: Path) -> str:
    """A page that is only a picture of text."""
    source = pymupdf.open()
    page = source.new_page(width=400, height=300)
    page.insert_text((40, 60), text, fontsize=14, lineheight=1.6)
    pixels = page.get_pixmap(dpi=200)
    document = pymupdf.open()
    document.new_page(width=400, height=300).insert_image(
        pymupdf.Rect(0, 0, 400, 300), pixmap=pixels
    )
    return _save(document, path)


def test_only_pages_without_words_of_their_own_need_recognition(tmp_path: Path) -> None:
    scan = _scan_of(["Replace the filter every year."], tmp_path / "scan.pdf")
    (content,) = read_pages(scan, probe_document(scan), 1, 1, SETTINGS)
    assert content.needs_ocr
    document = pymupdf.open(scan)
    hidden = "\n".join(["Replace the filter every year and keep it dry at all times."] * 5)
    document[0].insert_textbox(pymupdf.Rect(20, 20, 380, 280), hidden, render_mode=3)
    layered = _save(document, tmp_path / "layered.pdf")
    (content,) = read_pages(layered, probe_document(layered), 1, 1, SETTINGS)
    assert not content.needs_ocr
    blank = pymupdf.open()
    blank.new_page()
    path = _save(blank, tmp_path / "blank.pdf")
    assert not read_pages(path, probe_document(path), 1, 1, SETTINGS)[0].needs_ocr


def test_recognised_lines_come_back_in_points_with_confidence(tmp_path: Path) -> None:
    path = _scan_of(["Two lines", "of text."], tmp_path / "scan.pdf")
    info = probe_document(path)
    (content,) = read_pages(path, info, 1, 1, SETTINGS)
    lines = (
        TextLine("Replace the fil-", Box(150, 150, 450, 180), 0.9),
        TextLine("ter every year.", Box(150, 190, 420, 220), 0.8),
        TextLine("  ", Box(0, 0, 3, 3), 0.1),
    )
    read = apply_ocr(content, lines, 150)
    (_, moment) = document_moments(info, [read], SETTINGS)
    assert moment.text == "Replace the filter every year."
    assert moment.confidence == pytest.approx(0.85, abs=0.051)
    (box,) = moment.area.boxes
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((72, 72, 216, 105.6))
    assert not read.needs_ocr
    assert read.picture == content.picture


def test_a_scan_is_read_by_the_real_reader_at_its_place(tmp_path: Path) -> None:
    sentences = ["Replace the filter every twelve months.", "The pressure must not exceed 8 bar."]
    path = _scan_of(sentences, tmp_path / "scan.pdf")
    info = probe_document(path)
    (content,) = read_pages(path, info, 1, 1, SETTINGS)
    image, dpi = render_page(path, 1, SETTINGS.scan_dpi)
    read = apply_ocr(content, ScreenTextReader(ScreenTextSettings()).read(image), dpi)
    (passage,) = _passages(document_moments(info, [read], SETTINGS), 1)
    assert passage.text.split() == " ".join(sentences).split()
    assert passage.confidence is not None
    assert 0.6 <= passage.confidence <= 1
    box = union_box(passage.area.boxes)
    assert (box.x0, box.y0) == pytest.approx((40, 48), abs=6)
    assert box.y1 == pytest.approx(60 + 14 * 1.6 + 4, abs=6)


def test_a_rendered_page_has_the_size_asked_for_and_posters_less(tmp_path: Path) -> None:
    document = pymupdf.open()
    document.new_page(width=360, height=144)
    document.new_page(width=14400, height=144)
    path = _save(document, tmp_path / "sizes.pdf")
    image, dpi = render_page(path, 1, 150)
    assert image.shape == (300, 750, 3)
    assert image.dtype == np.uint8
    assert dpi == 150
    poster, dpi = render_page(path, 2, 150)
    assert poster.shape[1] == pytest.approx(8000, abs=1)
    assert dpi == 40


def test_contents_of_pages_cross_process_borders(tmp_path: Path) -> None:
    path = _scan_of(["Words"], tmp_path / "scan.pdf")
    info = probe_document(path)
    pages = read_pages(path, info, 1, 1, SETTINGS)
    assert pickle.loads(pickle.dumps((info, pages))) == (info, pages)


# Geometry and cutting, for any input


@given(
    st.lists(st.sampled_from([0.5, 1.0]), max_size=400),
    st.sets(st.integers(1, 400)),
    st.integers(5, 120),
)
def test_cutting_keeps_every_word_once_in_order(
    weights: list[float], borders: set[int], target: int
) -> None:
    inside = sorted(border for border in borders if border < len(weights))
    pieces = cut_passages(weights, inside, target)
    covered = [index for start, end in pieces for index in range(start, end)]
    assert covered == list(range(len(weights)))
    for start, end in pieces:
        assert start < end
        assert sum(weights[start:end]) <= 2 * target
        near = [
            b for b in inside if target / 2 <= sum(weights[start:b]) <= 2 * target and b > start
        ]
        assert end in near or end == len(weights) or not near


@st.composite
def _typeset(draw: st.DrawFn) -> tuple[list[str], PageContent]:
    words = draw(st.lists(st.text("abcXYZ.!,", min_size=1, max_size=6), min_size=1, max_size=150))
    blocks: list[TextBlock] = []
    lines: list[PageLine] = []
    y, index = 200.0, 0
    while index < len(words):
        count = draw(st.integers(1, 9))
        text = " ".join(words[index : index + count])
        lines.append(PageLine(text, Box(72, y, 72 + 5 * len(text), y + 0.9), 10.0))
        index, y = index + count, y + 1
        if draw(st.booleans()) or index >= len(words):
            blocks.append(TextBlock(tuple(lines)))
            lines = []
    return words, PageContent(1, "1", 600, 800, tuple(blocks), needs_ocr=False)


@given(_typeset(), st.integers(3, 40))
def test_passages_lose_and_repeat_no_word(
    typeset: tuple[list[str], PageContent], passage_words: int
) -> None:
    words, page = typeset
    info = DocumentInfo("x.pdf", 1, ("1",), "", ())
    settings = DocumentSettings(passage_words=passage_words)
    passages = _passages(document_moments(info, [page], settings), 1)
    assert [word for passage in passages for word in passage.text.split()] == words
    for passage in passages:
        first_word, last_word = passage.text.split()[0], passage.text.split()[-1]
        printed = [
            line.text
            for block in page.items
            if isinstance(block, TextBlock)
            for line in block.lines
            if any(box.y0 <= line.box.y0 and line.box.y1 <= box.y1 for box in passage.area.boxes)
        ]
        assert first_word in printed[0].split()
        assert last_word in printed[-1].split()


def test_chinese_is_cut_and_joined_without_spaces() -> None:
    sentence = "请先关闭电源然后拧紧螺丝。"
    lines = tuple(
        PageLine(sentence, Box(72, 200 + 10 * i, 400, 209 + 10 * i), 10.0) for i in range(20)
    )
    page = PageContent(1, "1", 600, 800, (TextBlock(lines),), needs_ocr=False)
    info = DocumentInfo("x.pdf", 1, ("1",), "", ())
    passages = _passages(document_moments(info, [page], DocumentSettings(passage_words=40)), 1)
    assert "".join(passage.text for passage in passages) == sentence * 20
    assert len(passages) == 3
    assert all(passage.text.endswith("。") for passage in passages)


_boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h),
    *[st.integers(0, 500)] * 2,
    *[st.integers(1, 200)] * 2,
)


@given(st.lists(_boxes, max_size=40))
def test_reading_order_is_a_permutation(boxes: list[Box]) -> None:
    blocks = [TextBlock((PageLine("x", box, 10.0),)) for box in boxes]
    ordered = reading_order(blocks)
    assert sorted(map(id, ordered)) == sorted(map(id, blocks))


@given(st.lists(_boxes, max_size=40), st.integers(0, 20))
def test_clusters_hold_every_box_and_stay_apart(boxes: list[Box], gap: int) -> None:
    clusters = cluster_boxes(boxes, gap)
    for box in boxes:
        assert any(
            c.x0 <= box.x0 and c.y0 <= box.y0 and box.x1 <= c.x1 and box.y1 <= c.y1
            for c in clusters
        )
    for one in clusters:
        for other in clusters:
            apart = max(one.x0 - other.x1, other.x0 - one.x1, one.y0 - other.y1, other.y0 - one.y1)
            assert one is other or apart > gap


def test_captions_in_several_languages() -> None:
    captions = ["Figure 3: x", "Fig. A1", "Abbildung 2", "Рис. 4.1", "图 3", "図5"]
    assert all(map(is_caption, captions))
    assert not any(map(is_caption, ["Figures of speech", "Figure out 3", "See Figure 3"]))
