"""Passages, headings and running lines; nothing lost or repeated."""

# mypy: allow-untyped-calls

from io import BytesIO
from pathlib import Path

import pymupdf
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from index.records import Box, MomentKind
from index.word_boxes import WordBoxes
from ingest.pages import (
    DocumentInfo,
    PageContent,
    PageLine,
    TextBlock,
)
from ingest.passages import cut_passages, document_moments
from ingest.settings import DocumentSettings
from tests.ingest.pdfs import WORDS, draw_table, moments_of, noise_png, passages_on, save


def test_hyphens_at_line_ends_are_mended_and_compounds_kept(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    lines = [
        "Turn the calibra-",
        "tion screw against the long-",
        "term drift of the ref-",
    ]
    page.insert_text((72, 100), [*lines, "erence. Then check long-term drift."])
    (passage,) = passages_on(moments_of(save(document, tmp_path / "hyphens.pdf")), 1)
    assert passage.text == (
        "Turn the calibration screw against the long-term drift of the reference. "
        "Then check long-term drift."
    )


def test_hyphens_that_belong_to_words_stay_at_line_ends(tmp_path: Path) -> None:
    """Of names, codes and options; before "und" one word ends, and the next is its own."""
    document = pymupdf.open()
    page = document.new_page()
    lines = [
        "LilyPond reads PDF-",
        "Dateien, and Lily-",
        "Pond knows UTF-",
        "8 too. Say --keep-empty-",
        "dirs for state-of-the-",
        "art output; the art of Ein-",
        "und Ausgabe is well-estab-",
        "lished and much quot-",
        "ed in the band.",
    ]
    page.insert_text((72, 100), lines)
    (passage,) = passages_on(moments_of(save(document, tmp_path / "compounds.pdf")), 1)
    assert passage.text == (
        "LilyPond reads PDF-Dateien, and LilyPond knows UTF-8 too. Say --keep-empty-dirs for "
        "state-of-the-art output; the art of Ein- und Ausgabe is well-established and much "
        "quoted in the band."
    )
    parted = ("PDF-Dateien,", "LilyPond", "UTF-8", "Ein-", "well-established")
    words = [passage.text[start:end] for start, end in _ranges(passage.word_boxes)]
    assert [words.count(word) for word in parted] == [2, 3, 2, 1, 2]


def _ranges(boxes: WordBoxes) -> list[tuple[int, int]]:
    rows = boxes.rows()
    return list(zip(rows["start"].tolist(), rows["end"].tolist(), strict=True))


def test_running_heads_and_page_numbers_are_left_out(tmp_path: Path) -> None:
    document = pymupdf.open()
    for number in range(1, 7):
        page = document.new_page()
        page.insert_text((72, 40), "Pump manual, revision 3")
        page.insert_text((300, 800), f"- {number} -")
        page.insert_text((72, 90), f"Lesson {number}", fontsize=20)
        page.insert_text((72, 200), f"Body sentence about the {WORDS[number]}.")
    moments = moments_of(save(document, tmp_path / "heads.pdf"))
    for number in range(1, 7):
        (moment,) = passages_on(moments, number)
        assert moment.text == f"Lesson {number}\nBody sentence about the {WORDS[number]}."
        assert moment.heading == f"Lesson {number}"
        assert len(moment.area.boxes) == 2


def test_lines_that_run_through_pages_without_other_text_are_their_text(tmp_path: Path) -> None:
    document = pymupdf.open()
    for number in range(1, 5):
        document.new_page().insert_text((72, 60), f"Photo {number} of the dam")
    moments = moments_of(save(document, tmp_path / "album.pdf"))
    texts = [moment.text for number in range(1, 5) for moment in passages_on(moments, number)]
    assert texts == [f"Photo {number} of the dam" for number in range(1, 5)]


def test_text_that_returns_at_the_foot_of_pages_is_kept(tmp_path: Path) -> None:
    document = pymupdf.open()
    for number in range(12):
        page = document.new_page()
        page.insert_text((72, 40), "Reference of all commands")
        page.insert_text((72, 110), f"{number}.1")
        for line in range(32):
            page.insert_text((72, 140 + 20 * line), f"{WORDS[(number + line) % 9]} option {line}.")
        if number % 2:
            page.insert_text((72, 780), "The name of this object.")
        else:
            page.insert_text((72, 780), f"Another {WORDS[number % 9]} ends here.")
    moments = moments_of(save(document, tmp_path / "returns.pdf"))
    for number in range(12):
        words = " ".join(moment.text for moment in passages_on(moments, number + 1))
        assert words.startswith(f"{number}.1\n")
        assert words.endswith("of this object." if number % 2 else "ends here.")


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
    moments = moments_of(save(document, tmp_path / "outline.pdf"))
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
    (moment,) = passages_on(moments_of(save(document, tmp_path / "sizes.pdf")), 1)
    assert moment.heading == "Operation > Starting"


def test_a_long_table_is_cut_between_rows_under_its_header(tmp_path: Path) -> None:
    document = pymupdf.open()
    rows = [["Code", "Meaning", "Remedy"]]
    rows += [[f"E{i:02d}", f"{WORDS[i % 9]} fault", "replace"] for i in range(30)]
    draw_table(document.new_page(), rows, 72, 100)
    settings = DocumentSettings(passage_words=40)
    pieces = passages_on(moments_of(save(document, tmp_path / "long.pdf"), settings), 1)
    assert len(pieces) == 3
    printed = [line for piece in pieces for line in piece.text.splitlines()[2:]]
    assert printed == ["| " + " | ".join(row) + " |" for row in rows[1:]]
    assert all(piece.text.startswith("| Code | Meaning | Remedy |\n") for piece in pieces)
    tops = [piece.area.boxes[0].y0 for piece in pieces]
    assert tops == sorted(set(tops))


def test_logos_on_every_page_are_no_figures(tmp_path: Path) -> None:
    document = pymupdf.open()
    for number in range(4):
        page = document.new_page()
        page.insert_image(pymupdf.Rect(400, 100, 520, 190), stream=noise_png())
        page.insert_text((72, 300), f"Words of page {WORDS[number]} and more of them.")
    moments = moments_of(save(document, tmp_path / "logos.pdf"))
    assert not [moment for moment in moments if moment.kind is MomentKind.FIGURE]


def test_a_page_moment_comes_first_with_the_page_as_jpeg(tmp_path: Path) -> None:
    document = pymupdf.open()
    document.new_page(width=300, height=600).insert_text((72, 80), "Hello pump.")
    document.new_page(width=600, height=300)
    moments = moments_of(save(document, tmp_path / "pages.pdf"))
    assert [(m.kind, m.area.page) for m in moments] == [
        (MomentKind.PAGE, 1),
        (MomentKind.PASSAGE, 1),
        (MomentKind.PAGE, 2),
    ]
    assert moments[0].text == "Hello pump."
    sizes = []
    for moment in (moments[0], moments[2]):
        assert moment.picture is not None
        sizes.append(Image.open(BytesIO(moment.read_picture() or b"")).size)
    assert sizes == [(500, 1000), (1000, 500)]


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


def test_one_row_heavier_than_several_pieces_ends_a_table() -> None:
    assert cut_passages([60.0, 60.0, 500.0], [0, 1, 2], 120) == [(0, 2), (2, 3)]
    assert cut_passages([500.0], [0], 120) == [(0, 1)]


@st.composite
def _typeset(draw: st.DrawFn) -> tuple[list[str], PageContent]:
    # Dots alone in a row are leader dots, which no text keeps.
    word = st.text("abcXYZ.!,", min_size=1, max_size=6).filter(
        lambda text: text != "." and ".." not in text
    )
    words = draw(st.lists(word, min_size=1, max_size=150))
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
    passages = passages_on(document_moments(info, [page], settings), 1)
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
    passages = passages_on(document_moments(info, [page], DocumentSettings(passage_words=40)), 1)
    assert "".join(passage.text for passage in passages) == sentence * 20
    assert len(passages) == 3
    assert all(passage.text.endswith("。") for passage in passages)


def test_footnotes_follow_the_text_that_goes_on_in_the_next_column(tmp_path: Path) -> None:
    document = pymupdf.open()
    for _ in range(2):
        page = document.new_page()
        left = [f"Line {WORDS[i]} of the left column is here and" for i in range(9)]
        page.insert_text((60, 500), [*left, "the sentence goes on in the mid-"], fontsize=11)
        page.draw_line((60, 685), (160, 685))
        page.insert_text((60, 700), "1", fontsize=6)
        page.insert_text((64, 702), "The first note, which is long", fontsize=8)
        page.insert_text((60, 713), "and has a second line.", fontsize=8)
        page.insert_text((60, 724), "2", fontsize=6)
        page.insert_text((64, 726), "The second note.", fontsize=8)
        page.insert_text((310, 500), ["dle of the right column.", "It ends."], fontsize=11)
        page.insert_text((310, 560), "A last paragraph.", fontsize=11)
    (moment,) = passages_on(moments_of(save(document, tmp_path / "notes.pdf")), 2)
    paragraphs = moment.text.split("\n")
    assert paragraphs[0].endswith("goes on in the middle of the right column. It ends.")
    assert paragraphs[1] == "A last paragraph."
    assert paragraphs[2:] == [
        "1The first note, which is long and has a second line.",
        "2The second note.",
    ]


def test_small_print_above_the_text_is_no_footnote(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((72, 100), "The text of this page is set in letters of eleven points.")
    page.insert_text((72, 450), "1 Values of a table, measured at noon.", fontsize=7)
    page.insert_text((72, 600), "After the table the text goes on for another line or two.")
    (moment,) = passages_on(moments_of(save(document, tmp_path / "small.pdf")), 1)
    assert [line[:5] for line in moment.text.split("\n")] == ["The t", "1 Val", "After"]


def test_heads_that_differ_on_left_and_right_pages_are_left_out(tmp_path: Path) -> None:
    document = pymupdf.open()
    for number in range(1, 11):
        page = document.new_page()
        head = (72, "Pump manual") if number % 2 else (400, "Chapter on valves")
        page.insert_text((head[0], 40), head[1], fontsize=9)
        page.insert_text((72 if number % 2 else 500, 815), str(number), fontsize=9)
        page.insert_text((72, 120), f"Sentence about the {WORDS[number % 9]} and its parts.")
        page.insert_text((72, 780), f"The {WORDS[(number + 4) % 9]} stands at the foot.")
    moments = moments_of(save(document, tmp_path / "sides.pdf"))
    for number in range(1, 11):
        text = "\n".join(moment.text for moment in passages_on(moments, number))
        assert text.startswith("Sentence")
        assert text.endswith("foot.")


def test_soft_and_unicode_hyphens_are_mended(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_font("wide", fontbuffer=pymupdf.Font("cjk").buffer)
    lines = ["A cali\u2010", "bration of the in\u00ad", "strument and a long\u2010term test."]
    page.insert_text((72, 100), lines, fontname="wide", fontsize=12)
    (passage,) = passages_on(moments_of(save(document, tmp_path / "soft.pdf")), 1)
    assert passage.text == "A calibration of the instrument and a long-term test."


def test_leader_dots_are_no_words(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    lines = [
        "1 Valves......... 12",
        "2 Pumps. . . . . . . . 20",
        "Wait... and see. It hums.",
        "Motors ......31",
    ]
    for row, line in enumerate(lines):
        page.insert_text((72, 100 + 14 * row), line, fontsize=11)
    found = passages_on(moments_of(save(document, tmp_path / "contents.pdf")), 1)
    words = " ".join(" ".join(passage.text for passage in found).split())
    assert words == "1 Valves 12 2 Pumps 20 Wait... and see. It hums. Motors 31"
    assert all(len(passage.word_boxes) == len(passage.text.split()) for passage in found)
