"""Scans in other scripts than Latin: read where the models know them, noted where they do not."""

# mypy: allow-untyped-calls

from pathlib import Path

import pymupdf
import pytest

from ingest.scans import UNREADABLE
from ingest.screen_text import ScreenTextReader
from ingest.settings import ScreenTextSettings
from tests.ingest.pdfs import passages_on
from tests.ingest.scanned import picture_of_page, scan_pdf
from tests.ingest.test_scans import HEIGHT, WIDTH, read_again, told


@pytest.fixture(scope="module")
def reader() -> ScreenTextReader:
    return ScreenTextReader(ScreenTextSettings())


@pytest.mark.parametrize(
    ("font", "text"),
    [
        ("china-s", "委员会于三月三日开会，决定在冬天到来之前将档案馆迁入新大楼。"),
        ("japan", "委員会は三月三日に開かれ、冬が来る前に資料を新しい建物へ移した。"),
    ],
)
def test_a_scan_in_chinese_or_japanese_is_read(
    tmp_path: Path, reader: ScreenTextReader, font: str, text: str
) -> None:
    document = pymupdf.open()
    document.new_page(width=WIDTH, height=HEIGHT).insert_text((20, 90), text, fontname=font)
    path = scan_pdf([picture_of_page(document[0])], tmp_path / "scan.pdf")
    content = read_again(path, reader)
    (moment,) = passages_on(told(path, content), 1)
    assert moment.text == text
    assert len(moment.word_boxes) == len(text)
    assert not content.scan_note


@pytest.mark.parametrize(
    "text",
    [
        "Комитет собрался третьего марта и решил перевезти архив в новое здание.",
        "הוועדה התכנסה בשלושה במרץ והחליטה להעביר את הארכיון לבניין החדש",
        "위원회는 삼월 삼일에 모여 기록 보관소를 새 건물로 옮기기로 결정하였다",
    ],
)
def test_a_script_that_cannot_be_read_gives_a_note_and_no_words(
    tmp_path: Path, reader: ScreenTextReader, text: str
) -> None:
    document = pymupdf.open()
    page = document.new_page(width=WIDTH, height=HEIGHT)
    page.insert_htmlbox(pymupdf.Rect(20, 20, WIDTH - 20, HEIGHT - 20), f"<p>{text} {text}</p>" * 2)
    path = scan_pdf([picture_of_page(page)], tmp_path / "scan.pdf")
    content = read_again(path, reader)
    assert content.scan_note == UNREADABLE
    assert not passages_on(told(path, content), 1)
