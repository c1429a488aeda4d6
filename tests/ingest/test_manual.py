"""The sample manual against its truth; boxes against another search of the same page."""

# mypy: allow-untyped-calls

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pymupdf
import pytest
from PIL import Image

from index.records import Box, Moment, MomentKind
from ingest.mupdf.opening import probe_document
from ingest.mupdf.reading import read_pages
from ingest.mupdf.rendering import render_page
from ingest.pages import DocumentInfo
from ingest.passages import HEADING_SEPARATOR, document_moments
from ingest.scans import with_scan
from ingest.screen_text import ScreenTextReader
from ingest.settings import DocumentSettings, ScreenTextSettings

MANUAL = Path(__file__).parent.parent / "media" / "halden_manual.pdf"
TRUTH: dict[str, Any] = json.loads(MANUAL.with_suffix(".truth.json").read_text("utf-8"))
SETTINGS = DocumentSettings()
WRITTEN_FACTS = [fact for fact in TRUTH["facts"] if fact["page"] not in TRUTH["scanned_pages"]]
SCANNED_FACTS = [fact for fact in TRUTH["facts"] if fact["page"] in TRUTH["scanned_pages"]]


@pytest.fixture(scope="module")
def info() -> DocumentInfo:
    return probe_document(str(MANUAL))


@pytest.fixture(scope="module")
def moments(info: DocumentInfo) -> tuple[Moment, ...]:
    """All moments, pages read in two ranges as on a cluster, scans by the real reader."""
    path = str(MANUAL)
    middle = info.pages // 2
    pages = read_pages(path, info, 1, middle, SETTINGS)
    pages += read_pages(path, info, middle + 1, info.pages, SETTINGS)
    reader = ScreenTextReader(ScreenTextSettings())
    for index, page in enumerate(pages):
        if page.needs_ocr:
            image, dpi = render_page(path, page.number, SETTINGS.scan_dpi)
            pages[index] = with_scan(page, reader.read_page(image), dpi)
    return document_moments(info, pages, SETTINGS)


def _of_kind(moments: tuple[Moment, ...], kind: MomentKind, page: int) -> list[Moment]:
    return [moment for moment in moments if moment.kind is kind and moment.area.page == page]


def _is_covered(rect: pymupdf.Rect, boxes: tuple[Box, ...]) -> bool:
    """True when the letters of a rectangle lie in one box (their line may be set taller)."""
    middle = (rect.y0 + rect.y1) / 2
    return any(
        box.x0 - 1 <= rect.x0 and rect.x1 <= box.x1 + 1 and box.y0 < middle < box.y1
        for box in boxes
    )


def test_pages_labels_and_outline_are_as_made(info: DocumentInfo) -> None:
    assert info.pages == TRUTH["pages"]
    assert list(info.labels) == TRUTH["page_labels"]
    assert not info.repaired
    outline = [
        {"text": entry.title, "level": entry.level, "page": entry.page} for entry in info.outline
    ]
    assert [heading for heading in outline if heading["text"] != "Contents"] == TRUTH["headings"]


def test_only_the_scanned_page_needs_recognition(info: DocumentInfo) -> None:
    pages = read_pages(str(MANUAL), info, 1, info.pages, SETTINGS, pictures=False)
    assert [page.number for page in pages if page.needs_ocr] == TRUTH["scanned_pages"]
    assert all(page.picture is None for page in pages)


@pytest.mark.parametrize("fact", WRITTEN_FACTS, ids=lambda fact: fact["answer"][:20])
def test_every_fact_is_in_one_passage_whose_boxes_cover_it(
    moments: tuple[Moment, ...], fact: dict[str, Any]
) -> None:
    holders = [
        moment
        for moment in moments
        if moment.kind is MomentKind.PASSAGE and fact["sentence"] in moment.text.replace("\n", " ")
    ]
    assert [moment.area.page for moment in holders] == [fact["page"]]
    assert holders[0].area.label == TRUTH["page_labels"][fact["page"] - 1]
    with pymupdf.open(MANUAL) as document:
        rects = document[fact["page"] - 1].search_for(fact["sentence"])
    assert rects
    assert all(_is_covered(rect, holders[0].area.boxes) for rect in rects)


def test_passages_know_the_headings_above_them(moments: tuple[Moment, ...]) -> None:
    chapter, paths = "", set()
    for heading in TRUTH["headings"]:
        if heading["level"] == 1:
            chapter = heading["text"]
        else:
            paths.add(chapter + HEADING_SEPARATOR + heading["text"])
    seen = {moment.heading for moment in moments if moment.kind is MomentKind.PASSAGE}
    assert paths <= seen
    (float_weight,) = (m for m in moments if "3.28 kilograms" in m.text and m.kind == "passage")
    assert float_weight.heading == "8 Maintenance > 8.2 Cleaning the float"


@pytest.mark.parametrize("table", TRUTH["tables"], ids=lambda table: table["caption"][:7])
def test_tables_have_their_cells_caption_and_box(
    moments: tuple[Moment, ...], table: dict[str, Any]
) -> None:
    (found,) = (
        moment
        for moment in _of_kind(moments, MomentKind.PASSAGE, table["page"])
        if "| --- |" in moment.text
    )
    caption, header, rule, *rows = found.text.splitlines()
    assert caption == table["caption"]
    assert rule == "| --- | --- | --- |"
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in (header, *rows)]
    assert cells == [table["header"], *table["rows"]]
    with pymupdf.open(MANUAL) as document:
        (last,) = document[table["page"] - 1].search_for(table["rows"][-1][2])
    assert _is_covered(last, found.area.boxes[:1])


@pytest.mark.parametrize("figure", TRUTH["figures"], ids=lambda figure: figure["caption"][:8])
def test_figures_have_caption_box_and_picture(
    moments: tuple[Moment, ...], figure: dict[str, Any]
) -> None:
    (found,) = _of_kind(moments, MomentKind.FIGURE, figure["page"])
    assert found.text.splitlines()[0] == figure["caption"]
    drawn, caption = found.area.boxes
    with pymupdf.open(MANUAL) as document:
        (printed,) = document[figure["page"] - 1].search_for(figure["caption"])
    assert _is_covered(printed, (caption,))
    assert drawn.y1 <= caption.y0
    assert found.picture is not None
    picture = Image.open(BytesIO(found.read_picture() or b""))
    ratio = (drawn.x1 - drawn.x0) / (drawn.y1 - drawn.y0)
    assert picture.width / picture.height == pytest.approx(ratio, rel=0.02)
    ink = np.asarray(picture.convert("L")) < 200
    assert 0.002 < ink.mean() < 0.6


def test_running_heads_and_feet_are_in_no_passage(moments: tuple[Moment, ...]) -> None:
    passages = [moment.text for moment in moments if moment.kind is MomentKind.PASSAGE]
    assert not [text for text in passages[1:] if "Operator's Manual" in text]
    assert not [text for text in passages[1:] if "Halden Instruments, edition" in text]
    lines = [line for text in passages[2:] for line in text.splitlines()]
    for heading in TRUTH["headings"]:
        assert lines.count(heading["text"]) <= 1
    assert not [line for line in lines if line in TRUTH["page_labels"]]


@pytest.mark.parametrize("fact", SCANNED_FACTS, ids=lambda fact: fact["answer"][:20])
def test_facts_of_the_scanned_page_are_read(
    moments: tuple[Moment, ...], fact: dict[str, Any]
) -> None:
    passages = _of_kind(moments, MomentKind.PASSAGE, fact["page"])
    words = "".join(" ".join(passage.text for passage in passages).split())
    assert "".join(fact["sentence"].split()) in words
    assert all(passage.confidence and passage.confidence > 0.6 for passage in passages)
    assert all(passage.heading == "9 Factory test record" for passage in passages)


def test_moments_are_ordered_by_page_with_the_page_first(moments: tuple[Moment, ...]) -> None:
    numbers = [moment.area.page for moment in moments]
    assert numbers == sorted(numbers)
    for number in range(1, TRUTH["pages"] + 1):
        first, *others = (moment for moment in moments if moment.area.page == number)
        assert first.kind is MomentKind.PAGE
        assert MomentKind.PAGE not in {moment.kind for moment in others}
        assert first.picture is not None
        assert max(Image.open(BytesIO(first.read_picture() or b"")).size) == SETTINGS.page_side_px
