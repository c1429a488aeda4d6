"""Pages whose visible part was cut down: what lies outside is not there."""

# mypy: allow-untyped-calls

from __future__ import annotations

from pathlib import Path

import pymupdf

from index.records import MomentKind
from tests.ingest.pdfs import moments_of, save


def test_what_lies_outside_a_cropped_page_is_left_out(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    pixels = pymupdf.Pixmap(pymupdf.csRGB, pymupdf.IRect(0, 0, 200, 100))
    pixels.clear_with(90)
    page.insert_image((50, 600, 450, 800), pixmap=pixels)
    page.insert_text((72, 72), "The upper part stays.")
    page.insert_text((72, 700), "The lower part goes.")
    page.set_mediabox(pymupdf.Rect(0, page.rect.height - 300, page.rect.width, page.rect.height))
    moments = moments_of(save(document, tmp_path / "cropped.pdf"))
    passages = [moment for moment in moments if moment.kind is MomentKind.PASSAGE]
    assert [moment.text for moment in passages] == ["The upper part stays."]
    assert MomentKind.FIGURE not in {moment.kind for moment in moments}
