"""Documents against PDFs made here with known words, and against the picture of the page."""

# mypy: allow-untyped-calls

import pickle
import random
from io import BytesIO
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from PIL import Image

from index.errors import SourceError
from index.records import MomentKind
from ingest.mupdf.opening import probe_document
from ingest.mupdf.reading import read_pages
from ingest.mupdf.rendering import render_page
from ingest.pages import (
    OutlineEntry,
    TableBlock,
    union_box,
)
from ingest.passages import document_moments
from ingest.placement import ScanPlacement
from ingest.scans import Scan, with_scan
from ingest.screen_text import ScreenTextReader
from ingest.settings import ScreenTextSettings
from tests.ingest.pdfs import (
    ROWS,
    SETTINGS,
    draw_table,
    moments_of,
    noise_png,
    passages_on,
    save,
)
from tests.ingest.scanned import placed_line

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
    path = save(document, tmp_path / "one.pdf")
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
    info = probe_document(save(document, tmp_path / "labels.pdf"))
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
    assert probe_document(save(document, tmp_path / "plain.pdf")).labels == ("1", "2")


# Words and boxes


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_boxes_lie_where_the_words_are_displayed(tmp_path: Path, rotation: int) -> None:
    document = pymupdf.open()
    page = document.new_page(width=400, height=600)
    # Written so that it stands upright once the page is turned.
    origin = pymupdf.Point(60, 80) * ~_turn(rotation, 400, 600)
    page.insert_text(origin, "Calibrate the sensor.", rotate=rotation, fontsize=20)
    page.set_rotation(rotation)
    path = save(document, tmp_path / "turned.pdf")
    (moment,) = passages_on(moments_of(path), 1)
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
    path = save(document, tmp_path / "crop.pdf")
    info = probe_document(path)
    (content,) = read_pages(path, info, 1, 1, SETTINGS)
    assert (content.width_pt, content.height_pt) == (250, 300)
    (box,) = passages_on(moments_of(path), 1)[0].area.boxes
    assert box.x0 == pytest.approx(50, abs=1)
    assert box.y0 < 50 < box.y1


def test_ligatures_are_spelled_out_and_powers_stay(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_font("wide", fontbuffer=pymupdf.Font("cjk").buffer)
    page.insert_text((72, 100), "The o\ufb03ce \ufb01lter holds 5 m\u00b2.", fontname="wide")
    (passage,) = passages_on(moments_of(save(document, tmp_path / "ligatures.pdf")), 1)
    assert passage.text == "The office filter holds 5 m\u00b2."


# Tables and figures


def test_a_ruled_table_becomes_markdown_with_its_box(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((72, 80), "Torques are listed here.")
    draw_table(page, ROWS, 72, 150)
    page.insert_text((72, 400), "Never exceed them.")
    moments = moments_of(save(document, tmp_path / "table.pdf"))
    before, table = passages_on(moments, 1)
    assert before.text == "Torques are listed here.\nNever exceed them."
    assert table.text.splitlines() == [
        "| Part | Torque | Tool |",
        "| --- | --- | --- |",
        "| Valve | 12 Nm | T20 \\| T25 |",
        "| Pump | 30 Nm | Hex |",
    ]
    (box,) = table.area.boxes
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((72, 150, 402, 216), abs=2)


def test_a_staff_of_music_is_no_table(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    for top in (100, 180, 260):
        for line in range(5):
            page.draw_line((72, top + line * 5), (500, top + line * 5))
        for x in (72, 200, 350, 500):
            page.draw_line((x, top), (x, top + 20))
    page.insert_text((72, 400), "Play it.")
    path = save(document, tmp_path / "music.pdf")
    (content,) = read_pages(path, probe_document(path), 1, 1, SETTINGS)
    assert not [item for item in content.items if isinstance(item, TableBlock)]


def test_figures_are_cropped_with_caption_and_labels(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((72, 80), "The photo shows the pump.")
    page.insert_image(pymupdf.Rect(100, 120, 300, 270), stream=noise_png())
    page.insert_text((100, 290), "Figure 1: The pump from above.")
    for x in (100, 180, 260):
        page.draw_rect(pymupdf.Rect(x, 400, x + 70, 460))
        page.draw_line((x + 70, 430), (x + 80, 430))
    page.insert_text((110, 435), "Inlet")
    page.insert_text((100, 485), "Fig. 2: Flow of water.")
    page.insert_text((72, 600), "After the figures.")
    path = save(document, tmp_path / "figures.pdf")
    moments = moments_of(path)
    photo, flow = (moment for moment in moments if moment.kind is MomentKind.FIGURE)
    assert photo.text == "Figure 1: The pump from above."
    assert flow.text == "Fig. 2: Flow of water.\nInlet"
    box = photo.area.boxes[0]
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((100, 120, 300, 270), abs=1)
    assert photo.picture is not None
    picture = Image.open(BytesIO(photo.read_picture() or b""))
    assert picture.format == "JPEG"
    assert picture.width / picture.height == pytest.approx(200 / 150, rel=0.02)
    crop = np.asarray(picture.resize((200, 150)), np.float32)
    assert crop.std() > 20, "the crop shows the photo, not the white page"
    words = " ".join(moment.text for moment in passages_on(moments, 1))
    assert words == "The photo shows the pump.\nAfter the figures."


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
    return save(document, path)


def test_only_pages_without_words_of_their_own_need_recognition(tmp_path: Path) -> None:
    scan = _scan_of(["Replace the filter every year."], tmp_path / "scan.pdf")
    (content,) = read_pages(scan, probe_document(scan), 1, 1, SETTINGS)
    assert content.needs_ocr
    document = pymupdf.open(scan)
    hidden = "\n".join(["Replace the filter every year and keep it dry at all times."] * 5)
    document[0].insert_textbox(pymupdf.Rect(20, 20, 380, 280), hidden, render_mode=3)
    layered = save(document, tmp_path / "layered.pdf")
    (content,) = read_pages(layered, probe_document(layered), 1, 1, SETTINGS)
    assert not content.needs_ocr
    blank = pymupdf.open()
    blank.new_page()
    path = save(blank, tmp_path / "blank.pdf")
    assert not read_pages(path, probe_document(path), 1, 1, SETTINGS)[0].needs_ocr


def test_letters_without_unicode_values_are_read_from_their_picture(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_font("wide", fontbuffer=pymupdf.Font("cjk").buffer)
    page.insert_text((72, 100), ["Words that only the eye can read."] * 9, fontname="wide")
    readable = save(document, tmp_path / "readable.pdf")
    assert not read_pages(readable, probe_document(readable), 1, 1, SETTINGS)[0].needs_ocr
    for xref in range(1, document.xref_length()):
        if document.xref_get_key(xref, "ToUnicode")[0] != "null":
            document.xref_set_key(xref, "ToUnicode", "null")
    unreadable = save(document, tmp_path / "unreadable.pdf")
    assert read_pages(unreadable, probe_document(unreadable), 1, 1, SETTINGS)[0].needs_ocr


def test_recognised_lines_come_back_in_points_with_confidence(tmp_path: Path) -> None:
    path = _scan_of(["Two lines", "of text."], tmp_path / "scan.pdf")
    info = probe_document(path)
    (content,) = read_pages(path, info, 1, 1, SETTINGS)
    placement = ScanPlacement(0, 0.0, 833, 625)
    lines = (
        placed_line("Replace the fil-", (150, 150, 450, 180), 0.9),
        placed_line("ter every year.", (150, 190, 420, 220), 0.8),
    )
    read = with_scan(content, Scan(lines, placement), 150)
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
    read = with_scan(content, ScreenTextReader(ScreenTextSettings()).read_page(image), dpi)
    (passage,) = passages_on(document_moments(info, [read], SETTINGS), 1)
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
    path = save(document, tmp_path / "sizes.pdf")
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
