"""Links of documents stay with the words that carry them."""

# mypy: allow-untyped-calls

from __future__ import annotations

import time
import zipfile
from io import BytesIO
from pathlib import Path

import pymupdf
import pytest

from index.records import Moment, MomentKind, PageArea
from ingest.hyperlinks import MOST_ON_PAGE, safe_address
from ingest.mupdf.opening import probe_document
from ingest.mupdf.reading import read_pages
from ingest.text_links import text_links
from tests.ingest.pdfs import ROWS, SETTINGS, draw_table, moments_of, passages_on, save
from tests.media.small_documents import epub, zipped

Found = list[tuple[str, str | PageArea]]


def links_of(moment: Moment) -> Found:
    """The words of each link, and where it leads."""
    return [(moment.text[link.start : link.end], link.target) for link in moment.hyperlinks]


def link(page: pymupdf.Page, words: str, target: str | int) -> None:
    """Put a link on every line of these words."""
    for place in page.search_for(words):
        kind = pymupdf.LINK_URI if isinstance(target, str) else pymupdf.LINK_GOTO
        to = {"uri": target} if isinstance(target, str) else {"page": target - 1}
        page.insert_link({"kind": kind, "from": place, "to": pymupdf.Point(0, 0), **to})


def linked_pdf(path: Path, rotation: int = 0) -> str:
    """Three pages, the last labelled iii, the first with links."""
    document = pymupdf.open()
    for _ in range(3):
        document.new_page(width=400, height=500)
    first = document[0]
    lines = ["How to reset the gauge is told in the", "service manual (page iii), and more"]
    for row, line in enumerate([*lines, "stands on the website. Nothing else."]):
        first.insert_text((50, 80 + 16 * row), line, fontsize=11)
    draw_table(first, ROWS, 50, 200)
    link(first, "told in the service manual", 3)
    link(first, "website", "https://example.org/a b?c=1")
    link(first, "Torque", "https://example.org/torque")
    link(first, "Nothing", "javascript:alert(1)")
    first.insert_link(
        {"kind": pymupdf.LINK_LAUNCH, "from": first.search_for("else")[0], "file": "/bin/sh"}
    )
    document.set_page_labels([{"startpage": 0, "style": "r", "firstpagenum": 1}])
    if rotation:
        first.set_rotation(rotation)
    return save(document, path)


@pytest.mark.parametrize("rotation", [0, 90])
def test_links_of_a_pdf_lie_on_their_words(tmp_path: Path, rotation: int) -> None:
    moments = moments_of(linked_pdf(tmp_path / "linked.pdf", rotation))
    found = [each for passage in passages_on(moments, 1) for each in links_of(passage)]
    expected: Found = [
        ("told in the service manual", PageArea(3, "iii")),
        ("website.", "https://example.org/a%20b?c=1"),
        ("Torque", "https://example.org/torque"),
    ]
    assert sorted(found, key=str) == sorted(expected, key=str)
    (text, *_) = passages_on(moments, 1)
    for hyperlink in text.hyperlinks:
        boxes = text.word_boxes.boxes_of(hyperlink.start, hyperlink.end)
        assert len(boxes) == (2 if isinstance(hyperlink.target, PageArea) else 1)


def test_a_footnote_mark_is_a_link_on_its_word(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((72, 100), "The weir is high1 and dry.")
    (mark,) = page.search_for("high1")
    mark.x0 = mark.x1 - 5
    page.insert_link({"kind": pymupdf.LINK_URI, "from": mark, "uri": "https://example.org/1"})
    page.insert_link({"kind": pymupdf.LINK_URI, "from": page.rect, "uri": "https://all.org"})
    (passage,) = passages_on(moments_of(save(document, tmp_path / "note.pdf")), 1)
    assert links_of(passage) == [
        ("The weir is", "https://all.org"),
        ("high1", "https://example.org/1"),
        ("and dry.", "https://all.org"),
    ]


def test_links_of_an_epub_lead_to_its_pages(tmp_path: Path) -> None:
    with zipfile.ZipFile(BytesIO(epub())) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    linking = (
        b'<p>See <a href="c3.xhtml">the chapter on salt</a>, <a href="https://example.org/tide">'
        b'a table of tides</a> or <a href="none.xhtml">nothing</a>.</p><p>'
    )
    files["book/c1.xhtml"] = files["book/c1.xhtml"].replace(b"<p>", linking, 1)
    path = tmp_path / "linked.epub"
    path.write_bytes(zipped(files))
    moments = moments_of(str(path))
    salt, tides = [each for passage in moments for each in links_of(passage)]
    assert tides == ("a table of tides", "https://example.org/tide")
    assert salt[0] == "the chapter on salt"
    assert isinstance(salt[1], PageArea)
    third = next(one for one in moments if one.heading.endswith("Salt"))
    assert salt[1] == PageArea(third.area.page, third.area.label)


def test_a_page_with_too_many_links_keeps_some_and_says_so(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((72, 100), "Linked to no end.")
    written = "".join(
        f"<</Type/Annot/Subtype/Link/Rect[72 690 200 710]/A<</S/URI/URI(https://x.org/{n})>>>>"
        for n in range(MOST_ON_PAGE + 1)
    )
    document.xref_set_key(page.xref, "Annots", f"[{written}]")
    path = save(document, tmp_path / "many.pdf")
    (read,) = read_pages(path, probe_document(path), 1, 1, SETTINGS)
    assert len(read.links) == MOST_ON_PAGE
    assert "first 1,000 links" in read.links_note


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("https://example.org/a b", "https://example.org/a%20b"),
        (" HTTP://example.org ", "HTTP://example.org"),
        ("mailto:ada@example.org", "mailto:ada@example.org"),
        ("javascript:alert(1)", None),
        ("java\nscript:alert(1)", None),
        ("https://example.org\n/x", None),
        ("file:///etc/passwd", None),
        ("data:text/html,x", None),
        ("vbscript:x", None),
        ("page.html", None),
        ("https://" + "a" * 5000, None),
        ("", None),
    ],
)
def test_only_safe_addresses_are_kept(written: str, address: str | None) -> None:
    assert safe_address(written) == address


MARKDOWN = """# Gauges

Read [the manual](https://example.org/a_(b) "Manual"), [the
care guide][care] or [Care](#care--repair), not `[code](https://no.org)`.
See <https://example.org/auto>, https://example.org/bare. Not [a script](javascript:x)
or [a file](other.md), but 水位計 [水位](https://example.org/cjk) and a\ttab [tab](https://tab.org).

```
[fenced](https://no.org)
```

| Part | Shop |
|------|------|
| Cap  | [buy](https://example.org/cap) |

[care]: https://example.org/care

"""


def test_links_of_markdown_lead_to_addresses_and_headings(tmp_path: Path) -> None:
    path = tmp_path / "gauges.md"
    filling = "".join(f"Line {number} of many.\n\n" for number in range(40))
    path.write_text(MARKDOWN + filling + "## Care & Repair\n\nOil it.\n", "utf-8")
    moments = moments_of(str(path))
    assert moments[-1].area.page == 2
    found = [each for one in moments for each in links_of(one)]
    page = next(one.area for one in moments if one.kind is MomentKind.PAGE and one.area.page == 2)
    assert found == [
        ('[the manual](https://example.org/a_(b) "Manual"),', "https://example.org/a_(b)"),
        ("[the care guide][care]", "https://example.org/care"),
        ("[Care](#care--repair),", PageArea(2, page.label)),
        ("<https://example.org/auto>,", "https://example.org/auto"),
        ("https://example.org/bare.", "https://example.org/bare"),
        ("[水位](https://example.org/cjk)", "https://example.org/cjk"),
        ("[tab](https://tab.org).", "https://tab.org"),
        ("[care]: https://example.org/care", "https://example.org/care"),
        ("[buy](https://example.org/cap)", "https://example.org/cap"),
    ]


def test_links_of_long_lines_lie_on_every_row(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("word " * 18 + "https://example.org/" + "x" * 150 + " end.", "utf-8")
    (passage,) = passages_on(moments_of(str(path)), 1)
    (hyperlink,) = passage.hyperlinks
    assert hyperlink.target == "https://example.org/" + "x" * 150
    assert len(passage.word_boxes.boxes_of(hyperlink.start, hyperlink.end)) >= 2


@pytest.mark.parametrize(
    "hostile",
    [
        "[" * 19_000,
        "[a](" + " " * 19_000,
        "`" * 9_000 + "a" * 9_000,
        "[a](b (" * 2_700,
        "[x" + "[a]" * 6_000,
        "http://" * 2_700,
        "[a]" * 6_300,
        "[\\" * 9_000,
    ],
)
def test_hostile_brackets_take_no_time(hostile: str) -> None:
    begun = time.process_time()
    text_links([hostile, "x"], (), is_markdown=True)
    assert time.process_time() - begun < 2


def test_page_moments_carry_no_links(tmp_path: Path) -> None:
    moments = moments_of(linked_pdf(tmp_path / "linked.pdf"))
    assert not any(one.hyperlinks for one in moments if one.kind is MomentKind.PAGE)
