"""Every format of documents: told by content, read, and cited in its own terms."""

# mypy: allow-untyped-calls

import os
import re
import zipfile
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from pathlib import Path

import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from index.errors import SourceError
from index.records import Moment, MomentKind, SourceKind
from ingest.discover import discover, sniff_kind
from ingest.formats import DocumentFormat, format_of
from ingest.mupdf.metadata import iso_date
from ingest.mupdf.opening import probe_document
from ingest.mupdf.reading import read_pages
from ingest.mupdf.rendering import render_page
from tests.ingest.pdfs import SETTINGS, moments_of, passages_on
from tests.media.broken_pdfs import WORDS
from tests.media.small_documents import (
    CHAPTERS,
    comic,
    epub,
    mobi,
    picture,
    small_documents,
    xps,
    zipped,
)


def put(folder: Path, name: str, content: bytes) -> str:
    """Write a file; its path."""
    path = folder / name
    path.write_bytes(content)
    return str(path)


def passages(path: str) -> list[Moment]:
    """The passages of a document."""
    return [each for each in moments_of(path) if each.kind is MomentKind.PASSAGE]


# Which format a file has


def test_formats_are_told_by_content_whatever_the_name(tmp_path: Path) -> None:
    expected = ["pdf", "pdf", "epub", "mobi", "cbz", "tiff", "jpeg", "png", "webp"]
    for (name, content), kind in zip(small_documents(), expected, strict=False):
        assert format_of(put(tmp_path, name, content)) == kind
        assert format_of(put(tmp_path, f"{name}.bin", content)) == kind
    assert format_of(put(tmp_path, "page.zip", xps())) is DocumentFormat.XPS
    mobi = bytes(60) + b"BOOKMOBI" + bytes(100)
    assert format_of(put(tmp_path, "book", mobi)) is DocumentFormat.MOBI


def test_archives_of_something_else_are_no_documents(tmp_path: Path) -> None:
    path = put(tmp_path, "backup.zip", zipped({"a.png": b"x", "notes.docx": b"y"}))
    assert format_of(path) is None
    assert format_of(put(tmp_path, "broken.zip", b"PK\x03\x04" + bytes(50))) is None
    renamed = put(tmp_path, "backup.epub", zipped({"a.docx": b"x"}))
    with pytest.raises(SourceError, match="is broken, or not an EPUB"):
        probe_document(renamed)


def test_text_is_taken_for_what_it_is_unless_its_name_says_otherwise(tmp_path: Path) -> None:
    words = "Ordinary words, with an ü.\n".encode()
    assert format_of(put(tmp_path, "README", words)) is DocumentFormat.TEXT
    assert format_of(put(tmp_path, "notes.md", words)) is DocumentFormat.MARKDOWN
    assert format_of(put(tmp_path, "notes.utf16", "Words".encode("utf-16"))) is DocumentFormat.TEXT
    for name in ("talk.mp4", "talk.srt", "talk.VTT", "song.mp3"):
        assert format_of(put(tmp_path, name, words)) is None
        assert sniff_kind(str(tmp_path / name)) is SourceKind.VIDEO
    assert format_of(put(tmp_path, "data", bytes(range(256)))) is None
    assert format_of(put(tmp_path, "nothing", b"")) is None
    with pytest.raises(SourceError, match="is not a text file"):
        probe_document(put(tmp_path, "data.txt", bytes(range(256)) * 10))
    with pytest.raises(SourceError, match="holds no words"):
        probe_document(put(tmp_path, "blank.txt", b" \n\n"))


def test_folders_give_documents_but_no_transcripts_of_their_recordings(tmp_path: Path) -> None:
    for name in ("a.epub", "b.PNG", "c.md", "d.txt", "talk.mp4", "talk.txt", "talk.en.txt"):
        put(tmp_path, name, b"x")
    put(tmp_path, "talk.md", b"x")
    found = [os.path.basename(file.path) for file in discover([tmp_path]).files]
    assert found == ["a.epub", "b.PNG", "c.md", "d.txt", "talk.md", "talk.mp4"]
    named = discover([tmp_path / "talk.txt"]).files
    assert [os.path.basename(file.path) for file in named] == ["talk.txt"]


# E-books


def test_a_book_says_its_title_and_author(tmp_path: Path) -> None:
    info = probe_document(put(tmp_path, "book.epub", epub()))
    assert (info.format, info.title) == ("epub", "The Book of the Sea")
    assert info.metadata == {"author": "Ada Lovelace"}


@pytest.mark.parametrize("make", [epub, mobi])
def test_a_book_is_cited_by_chapter_and_share_and_always_laid_out_alike(
    tmp_path: Path, make: Callable[[], bytes]
) -> None:
    path = put(tmp_path, "book", make())
    info = probe_document(path)
    assert [entry.title for entry in info.outline] == list(CHAPTERS)
    assert info.labels[0] == "0 %"
    shares = [int(label.removesuffix(" %")) for label in info.labels]
    assert shares == sorted(shares)
    assert 70 < shares[-1] < 100
    salt = next(each for each in passages(path) if "20 knots" in each.text and "Salt" in each.text)
    assert salt.heading == "Salt"
    assert salt.area.label == info.labels[salt.area.page - 1]
    assert salt.area.boxes
    assert moments_of(path) == moments_of(path)
    assert probe_document(path) == info


def test_a_pdf_says_what_it_is_and_when_it_was_made(tmp_path: Path) -> None:
    document = pymupdf.open()
    document.new_page().insert_text((72, 72), WORDS)
    document.set_metadata(
        {
            "title": " Tides ",
            "author": "Ada\nLovelace",
            "keywords": "sea, moon",
            "producer": "Press 2",
            "creationDate": "D:20240102030405+01'00'",
            "modDate": "yesterday",
        }
    )
    document.xref_set_key(document.pdf_catalog(), "Lang", "(en-GB)")
    document.save(tmp_path / "tides.pdf")
    info = probe_document(str(tmp_path / "tides.pdf"))
    assert info.title == "Tides"
    assert info.metadata == {
        "author": "Ada Lovelace",
        "keywords": "sea, moon",
        "producer": "Press 2",
        "created": "2024-01-02T03:04:05+01:00",
        "modified": "yesterday",
        "language": "en-GB",
    }


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("D:2024", "2024"),
        ("D:202401", "2024-01"),
        ("D:20240102030405Z00'00'", "2024-01-02T03:04:05Z"),
        ("D:20240102030405", "2024-01-02T03:04:05"),
        ("D:19991231235959-08", "1999-12-31T23:59:59-08:00"),
        ("D:20240229", "2024-02-29"),
        ("2024-01-02", "2024-01-02"),
        ("", ""),
        *[
            (impossible, impossible)
            for impossible in (
                "D:0000",
                "D:202413",
                "D:202400",
                "D:20230229",
                "D:20240102250000",
                "D:20240102036000",
                "D:20240102030460Z",
                "D:20240102030405+24'00'",
                "D:20240102030405+01'60'",
            )
        ],
    ],
)
def test_dates_of_documents_are_written_as_elsewhere(written: str, date: str) -> None:
    assert iso_date(written) == date


@given(st.from_regex(r"D:[0-9]{14}(Z|[+-][0-9]{2}'?([0-9]{2}'?)?)?", fullmatch=True))
def test_a_date_is_one_of_the_calendar_or_stays_as_written(written: str) -> None:
    date = iso_date(written)
    assert date == written or datetime.fromisoformat(date).isoformat()[:19] == date[:19]


def test_long_books_tell_places_by_tenths(tmp_path: Path) -> None:
    rows = "".join(f"<p>Sentence {row} of a long book.</p>" for row in range(4000))
    with zipfile.ZipFile(BytesIO(epub())) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    first = files["book/c1.xhtml"].replace(b"</body>", f"{rows}</body>".encode())
    info = probe_document(put(tmp_path, "long.epub", zipped(files | {"book/c1.xhtml": first})))
    assert info.pages > 100
    assert len(set(info.labels)) > 100
    assert info.labels[1].endswith(" %")
    assert "." in info.labels[1]


def test_xps_has_pages_and_words(tmp_path: Path) -> None:
    path = put(tmp_path, "page.xps", xps())
    info = probe_document(path)
    assert (info.format, info.labels) == ("xps", ("1",))
    (passage,) = passages(path)
    assert passage.text == WORDS


# Pictures


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.png", "PNG"), ("a.jpg", "JPEG"), ("a.tif", "TIFF"), ("a.webp", "WEBP")],
)
def test_a_picture_is_a_page_to_be_read(tmp_path: Path, name: str, kind: str) -> None:
    path = put(tmp_path, name, picture("Harbour", kind))
    info = probe_document(path)
    (page,) = read_pages(path, info, 1, 1, SETTINGS)
    assert page.needs_ocr
    assert page.picture is not None
    assert page.width_pt / page.height_pt == pytest.approx(3)
    image, dpi = render_page(path, 1, SETTINGS.scan_dpi)
    assert dpi == SETTINGS.scan_dpi
    assert image.shape[1] == pytest.approx(page.width_pt * dpi / 72, abs=2)


def test_points_follow_the_resolution_that_a_picture_states(tmp_path: Path) -> None:
    written = BytesIO()
    Image.new("RGB", (600, 400), "white").save(written, "PNG", dpi=(72, 72))
    path = put(tmp_path, "a.png", written.getvalue())
    (page,) = read_pages(path, probe_document(path), 1, 1, SETTINGS)
    assert (page.width_pt, page.height_pt) == pytest.approx((600, 400), rel=0.01)


def test_large_photos_are_not_enlarged_for_reading(tmp_path: Path) -> None:
    written = BytesIO()
    Image.new("RGB", (3000, 2400), "white").save(written, "JPEG", dpi=(72, 72))
    image, dpi = render_page(put(tmp_path, "photo.jpg", written.getvalue()), 1, 150)
    assert dpi == pytest.approx(72)
    assert image.shape == (2400, 3000, 3)


def test_every_picture_of_a_tiff_or_comic_is_a_page_in_order(tmp_path: Path) -> None:
    tiff = put(tmp_path, "fax.tif", picture("One", "TIFF", more=("Two", "Three")))
    assert probe_document(tiff).labels == ("1", "2", "3")
    path = put(tmp_path, "comic.cbz", comic())
    info = probe_document(path)
    assert (info.format, info.pages) == ("cbz", 2)
    assert all(page.needs_ocr for page in read_pages(path, info, 1, 2, SETTINGS))


# Text


MARKDOWN = """# The gauge

It stands in the harbour.
It has no moving parts.

## Care

Clean it in spring.

```
# not a heading
```

| Part | Torque |
|------|--------|
| Cap  | 3 Nm   |
| Lid  | 5 Nm   |

Repair
------

Ask for help.
"""


def test_markdown_has_sections_tables_and_lines(tmp_path: Path) -> None:
    path = put(tmp_path, "gauge.md", MARKDOWN.encode())
    info = probe_document(path)
    assert (info.format, info.title, info.labels) == ("markdown", "The gauge", ("lines 1-22",))
    found = passages(path)
    assert [(each.heading, each.text.split("\n")[0]) for each in found] == [
        ("The gauge", "The gauge"),
        ("The gauge > Care", "Care"),
        ("The gauge > Care", "| Part | Torque |"),
        ("The gauge > Repair", "Repair"),
    ]
    assert found[0].text == "The gauge\nIt stands in the harbour. It has no moving parts."
    labels = ["lines 1-4", "lines 6-12", "lines 14-17", "lines 19-22"]
    assert [each.area.label for each in found] == labels
    assert "# not a heading" in found[1].text
    assert found[2].text.splitlines()[2:] == ["| Cap | 3 Nm |", "| Lid | 5 Nm |"]
    (first, *_) = found[0].area.boxes
    assert (first.x0, first.y0) == (36, 36)


def test_long_texts_are_cut_at_paragraphs_and_labelled_by_their_lines(tmp_path: Path) -> None:
    rows = [f"Row {number} of the log." if number % 7 else "" for number in range(1, 301)]
    path = put(tmp_path, "log.txt", "\n".join(rows).encode())
    info = probe_document(path)
    ends = [int(label.rsplit("-")[-1]) for label in info.labels]
    assert info.labels[0] == "lines 1-56"
    assert ends[-1] == 300
    assert all(end % 7 == 0 for end in ends[:-1])
    (*_, last) = passages_on(moments_of(path), info.pages)
    assert "Row 299 of the log." in last.text
    for passage in passages(path):
        numbers = re.findall(r"Row (\d+)", passage.text)
        assert passage.area.label == f"lines {numbers[0]}-{numbers[-1]}"
    words = " ".join(each.text for each in passages(path)).split()
    assert words == " ".join(rows).split(), "every word once, in order"


@pytest.mark.parametrize(
    ("encoding", "noted"), [("utf-8", False), ("utf-16", False), ("cp1251", True)]
)
def test_encodings_are_told_and_guesses_are_noted(
    tmp_path: Path, encoding: str, noted: bool
) -> None:
    text = "Ветер дует с севера, и вода в гавани поднимается к полудню. " * 5
    path = put(tmp_path, "wind.txt", text.encode(encoding))
    info = probe_document(path)
    assert bool(info.notes) is noted
    assert "".join(each.text for each in passages(path)).split() == text.split()


def test_a_picture_of_a_text_shows_its_letters_where_the_boxes_are(tmp_path: Path) -> None:
    path = put(tmp_path, "wide.txt", "\n\n\n      水位計\n".encode())
    page, passage = moments_of(path)
    (box,) = passage.area.boxes
    with Image.open(BytesIO(page.read_picture() or b"")) as shown:
        scale = shown.height / (72 + 60 * 12)
        dark = shown.convert("L").point(lambda level: 255 * (level < 128)).getbbox()
    assert dark is not None
    left, top, right, bottom = (each / scale for each in dark)
    assert box.x0 - 1 <= left < right <= box.x1 + 1
    assert box.y0 - 1 <= top < bottom <= box.y1 + 1


# Locked files


def _locked(path: Path, user: str) -> str:
    document = pymupdf.open()
    document.new_page().insert_text((72, 72), WORDS)
    document.save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="owner", user_pw=user)
    return str(path)


def test_a_locked_file_opens_with_a_line_of_the_password_file(tmp_path: Path) -> None:
    path = _locked(tmp_path / "locked.pdf", "pässword 1")
    with pytest.raises(SourceError, match=r"is encrypted; .*--password-file FILE"):
        probe_document(path)
    wrong = put(tmp_path, "wrong.txt", b"one\n\ntwo\n")
    with pytest.raises(SourceError, match="no line of the password file opens it"):
        probe_document(path, wrong)
    right = put(tmp_path, "right.txt", "one\r\npässword 1\r\n".encode())
    assert probe_document(path, right).pages == 1
    with pytest.raises(SourceError, match="the password file cannot be read"):
        probe_document(path, str(tmp_path / "gone.txt"))


def test_a_file_locked_against_changes_only_opens_without(tmp_path: Path) -> None:
    path = _locked(tmp_path / "owner.pdf", "")
    assert [each.text for each in passages(path)] == [WORDS]


def test_words_of_a_table_in_markdown_stand_in_their_cells(tmp_path: Path) -> None:
    rows = "| Part | 色 |\n|------|---------|\n| pump valve | 青い 水 |\n"
    (table,) = passages(put(tmp_path, "parts.md", rows.encode()))
    boxes = {
        table.text[start:end]: (x0, x1) for start, end, x0, _, x1, _ in table.word_boxes.rows()
    }
    cell_pt = boxes["pump"][0] - 36.0
    cell_pt /= 2
    assert boxes == {
        word: pytest.approx((36.0 + first * cell_pt, 36.0 + end * cell_pt))
        for word, first, end in [
            ("Part", 2, 6),
            ("色", 9, 11),
            ("pump", 2, 6),
            ("valve", 7, 12),
            ("青い", 15, 19),
            ("水", 20, 22),
        ]
    }
