"""Boxes of words, against the words PyMuPDF itself finds at their place."""

# mypy: allow-untyped-calls

from pathlib import Path

import numpy as np
import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.records import Box, Moment, MomentKind
from ingest.mupdf.letters import plain
from ingest.pages import DocumentInfo, PageContent, PageLine, TextBlock
from ingest.passages import document_moments
from ingest.printed_words import corners, placed_words, shared_boxes, split_words
from ingest.settings import DocumentSettings
from tests.ingest.pdfs import ROWS, SETTINGS, draw_table, moments_of, noise_png, passages_on, save

MANUAL = Path(__file__).parent.parent / "media" / "halden_manual.pdf"


def printed(moment: Moment) -> list[tuple[str, Box]]:
    """Words of a moment's text with their boxes."""
    return [
        (moment.text[row["start"] : row["end"]], Box(*map(float, row.tolist()[2:])))
        for row in moment.word_boxes.rows()
    ]


def words_at(words: list[tuple[str, Box]], box: Box) -> str:
    """What is printed in a box: the letters of words whose middle lies in it."""
    return "".join(
        text
        for text, at in words
        if box.x0 <= (at.x0 + at.x1) / 2 <= box.x1 and box.y0 <= (at.y0 + at.y1) / 2 <= box.y1
    )


def words_on(page: pymupdf.Page) -> list[tuple[str, Box]]:
    """PyMuPDF's own words of a page as displayed."""
    return [
        (
            plain(word[4]),
            Box(*(pymupdf.Rect(word[:4]) * page.rotation_matrix).normalize()),
        )
        for word in page.get_text("words")
    ]


def test_every_word_of_a_manual_has_the_box_of_that_word() -> None:
    moments = moments_of(str(MANUAL))
    checked = 0
    with pymupdf.open(MANUAL) as document:
        for number, page in enumerate(document, start=1):
            words = words_on(page)
            for moment in passages_on(moments, number):
                boxes = moment.word_boxes.rows()
                spans = np.unique(boxes[["start", "end"]]).tolist()
                plain = "".join(moment.text[start:end] for start, end in spans)
                if "| --- |" not in moment.text:
                    assert plain == "".join(moment.text.split())
                for start, end in spans:
                    rows = boxes[(boxes["start"] == start) & (boxes["end"] == end)].tolist()
                    here = [words_at(words, Box(*row[2:])) for row in rows]
                    joined = "".join(part.removesuffix("-") for part in here[:-1]) + here[-1]
                    assert joined == moment.text[start:end].replace("\\|", "|")
                    checked += 1
    assert checked > 500


def test_a_word_parted_at_a_line_end_has_two_boxes_of_one_range(tmp_path: Path) -> None:
    document = pymupdf.open()
    document.new_page().insert_text((72, 100), ["Turn the calibra-", "tion screw."])
    (moment,) = passages_on(moments_of(save(document, tmp_path / "parted.pdf")), 1)
    texts = [text for text, _ in printed(moment)]
    assert texts == ["Turn", "the", "calibration", "calibration", "screw."]
    above, below = (box for text, box in printed(moment) if text == "calibration")
    assert above.x0 > 110
    assert below.x0 == pytest.approx(72, abs=1)
    assert above.y1 < below.y1
    start = moment.text.index("calibration")
    assert len(moment.word_boxes.boxes_of(start, start + 11)) == 2


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("turned", [0, 90])
def test_words_of_turned_pages_and_lines(tmp_path: Path, rotation: int, turned: int) -> None:
    document = pymupdf.open()
    page = document.new_page(width=400, height=600)
    page.insert_text((150, 300), "Calibrate the sensor now.", fontsize=14, rotate=turned)
    page.set_rotation(rotation)
    words = words_on(page)
    (moment,) = passages_on(moments_of(save(document, tmp_path / "turned.pdf")), 1)
    assert [text for text, _ in printed(moment)] == ["Calibrate", "the", "sensor", "now."]
    for text, box in printed(moment):
        assert words_at(words, box) == text
        if len(text) > 3:
            assert (box.y1 - box.y0 > box.x1 - box.x0) == ((rotation + turned) % 180 != 0)


def test_words_of_a_table_and_of_captions(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((72, 140), "Table 1: All torques.")
    draw_table(page, ROWS, 72, 150)
    page.draw_rect(pymupdf.Rect(100, 400, 200, 460))
    page.draw_line((200, 430), (260, 430))
    page.draw_line((260, 430), (260, 460))
    page.insert_text((110, 435), "Inlet pipe")
    page.insert_text((100, 485), "Fig. 2: Flow of water.")
    words = words_on(page)
    moments = moments_of(save(document, tmp_path / "table.pdf"))
    (table,) = passages_on(moments, 1)
    (figure,) = (moment for moment in moments if moment.kind is MomentKind.FIGURE)
    assert figure.text == "Fig. 2: Flow of water.\nInlet pipe"
    assert table.text.startswith("Table 1: All torques.\n| Part | Torque | Tool |\n| --- |")
    assert "T20 \\| T25 |" in table.text
    for moment, count in ((table, 17), (figure, 7)):
        assert len(moment.word_boxes) == count
        for text, box in printed(moment):
            assert words_at(words, box) == text.replace("\\|", "|")


def test_chinese_and_mixed_lines_have_a_box_for_each_character(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_font("wide", fontbuffer=pymupdf.Font("cjk").buffer)
    line = "请先关闭 Debian 电源，然后拧紧螺丝。"
    page.insert_text((72, 100), line, fontname="wide", fontsize=12)
    letters = [
        (char["c"], Box(*char["bbox"]))
        for block in page.get_text("rawdict")["blocks"]
        for each in block["lines"]
        for span in each["spans"]
        for char in span["chars"]
    ]
    (moment,) = passages_on(moments_of(save(document, tmp_path / "chinese.pdf")), 1)
    assert [text for text, _ in printed(moment)] == split_words(line)
    for text, box in printed(moment):
        assert words_at(letters, box) == text


def test_en_spaces_part_words_that_pymupdf_leaves_whole(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_font("wide", fontbuffer=pymupdf.Font("cjk").buffer)
    page.insert_text((72, 100), "about 30\u2002kg of sand", fontname="wide", fontsize=12)
    (moment,) = passages_on(moments_of(save(document, tmp_path / "en.pdf")), 1)
    places = dict(printed(moment))
    assert moment.text == "about 30 kg of sand"
    assert places["about"].x1 < places["30"].x0 < places["30"].x1 <= places["kg"].x0
    assert places["kg"].x1 < places["of"].x0


def test_a_title_that_touches_its_leader_dots_has_the_box_of_its_letters(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_font("wide", fontbuffer=pymupdf.Font("cjk").buffer)
    lines = ["Pumps. . . . . . . . 20", "On (...) vs. the rest. . . . . 3", "See p. 2. It hums."]
    for row, line in enumerate(lines):
        page.insert_text((72, 100 + 14 * row), line, fontsize=11)
    page.insert_text((72, 142), "第一章 Debian. . . . . . 12", fontname="wide", fontsize=11)
    found = passages_on(moments_of(save(document, tmp_path / "contents.pdf")), 1)
    places = [each for passage in found for each in printed(passage)]
    assert "".join(text for text, _ in places) == (
        "Pumps20On(...)vs.therest3Seep.2.Ithums.第一章Debian12"
    )
    width = pymupdf.get_text_length
    by_text = dict(places)
    for text, start in (("Pumps", ""), ("vs.", "On (...) "), ("rest", "On (...) vs. the ")):
        left = 72 + width(start, fontsize=11)
        assert by_text[text].x0 == pytest.approx(left, abs=0.1), text
        assert by_text[text].x1 == pytest.approx(left + width(text, fontsize=11), abs=0.1), text
    font = pymupdf.Font("cjk")
    end = 72 + font.text_length("第一章 Debian", 11)
    assert by_text["Debian"].x1 == pytest.approx(end, abs=0.1)
    assert by_text["章"].x1 == pytest.approx(72 + font.text_length("第一章", 11), abs=0.1)


def test_a_space_that_is_left_out_after_a_sign_parts_words(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_font("wide", fontbuffer=pymupdf.Font("cjk").buffer)
    for x, text in ((72, "for n≥"), (115, "20 see a→b")):
        page.insert_text((x, 100), text, fontname="wide", fontsize=12)
    words = page.get_text("words")
    assert [word[4] for word in words] == ["for", "n≥20", "see", "a→b"]  # as MuPDF has them
    (moment,) = passages_on(moments_of(save(document, tmp_path / "signs.pdf")), 1)
    places = dict(printed(moment))
    assert list(places) == ["for", "n≥", "20", "see", "a→b"]
    assert places["n≥"].x1 < 113
    assert places["20"].x0 == pytest.approx(115, abs=1)


def test_words_of_a_recognised_line_share_its_box() -> None:
    line = PageLine("ab cdef g", Box(100, 50, 190, 60), 0.0, 0.9)
    read = PageContent(1, "1", 600, 800, (TextBlock((line,)),), needs_ocr=False)
    (_, moment) = document_moments(DocumentInfo("x.pdf", 1, ("1",), "", ()), [read], SETTINGS)
    assert printed(moment) == [
        ("ab", Box(100, 50, 120, 60)),
        ("cdef", Box(130, 50, 170, 60)),
        ("g", Box(180, 50, 190, 60)),
    ]
    hebrew = corners(shared_boxes("שלום ab", Box(0, 0, 70, 10)))
    assert hebrew[0].tolist() == pytest.approx([30, 0, 70, 10])
    assert hebrew[1].tolist() == pytest.approx([0, 0, 20, 10])
    latin = corners(shared_boxes("abcd ש", Box(0, 0, 60, 10)))
    assert latin.tolist() == [[0, 0, 40, 10], [50, 0, 60, 10]]


@given(st.text("ab -漢字\u2009ש", max_size=60))
def test_every_word_of_a_line_is_parted_alike(text: str) -> None:
    words = placed_words(text)
    assert [word for word, _, _ in words] == split_words(text)
    assert all(text[start:end] == word for word, start, end in words)
    assert "".join(split_words(text)) == "".join(text.split())
    assert len(corners(shared_boxes(text, Box(1, 2, 3, 4)))) == len(words)


@given(
    st.lists(st.lists(st.text("abc.-漢", min_size=1, max_size=5), max_size=6), max_size=12),
    st.integers(3, 30),
)
def test_the_text_of_passages_is_that_of_their_words(
    lines: list[list[str]], passage_words: int
) -> None:
    printed_lines = tuple(
        PageLine(" ".join(words), Box(72, 200 + 2.0 * at, 300, 201 + 2.0 * at), 10.0)
        for at, words in enumerate(lines)
    )
    page = PageContent(1, "1", 600, 800, (TextBlock(printed_lines),), needs_ocr=False)
    info = DocumentInfo("x.pdf", 1, ("1",), "", ())
    settings = DocumentSettings(passage_words=passage_words)
    for moment in passages_on(document_moments(info, [page], settings), 1):
        spans = np.unique(moment.word_boxes.rows()[["start", "end"]]).tolist()
        plain = "".join(moment.text[start:end] for start, end in spans)
        assert plain == "".join(moment.text.split())
        assert all(text and not text[0].isspace() for text, _ in printed(moment))


@pytest.mark.parametrize("before", ["drawing", "picture"])
def test_letters_without_a_value_leave_the_other_lines_their_boxes(
    tmp_path: Path, before: str
) -> None:
    document = pymupdf.open()
    page = document.new_page()
    if before == "drawing":
        page.draw_rect(pymupdf.Rect(50, 50, 60, 60))
    else:  # counted among the blocks by MuPDF, before those of text
        page.insert_image(pymupdf.Rect(50, 20, 90, 50), stream=noise_png(20, 15))
    page.insert_text((72, 100), "Clef and time")
    page.insert_font("wide", fontbuffer=pymupdf.Font("cjk").buffer)
    page.insert_text((590, 130), "\ufffd\ufffd", fontname="wide")
    page.insert_text((72, 160), "of this piece.")
    words = [word for word in words_on(page) if "\ufffd" not in word[0]]
    (moment,) = passages_on(moments_of(save(document, tmp_path / "music.pdf")), 1)
    known = [(text, box) for text, box in printed(moment) if "\ufffd" not in text]
    assert [text for text, _ in known] == ["Clef", "and", "time", "of", "this", "piece."]
    for text, box in known:
        assert words_at(words, box) == text
