"""Makes the sample manual: cover, contents, chapters, bookmarks, page labels and truth."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pymupdf

from tests.media import manual_care, manual_use
from tests.media.manual_blocks import ScannedPage
from tests.media.manual_facts import FACTS, UNANSWERABLE
from tests.media.manual_layout import (
    CORAL,
    GREY,
    INK,
    LEFT,
    MANUAL_TITLE,
    NAVY,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    RIGHT,
    TEAL,
    WHITE,
    Composer,
)
from tests.media.sources import Sources

_FRONT_PAGES = 2
_BLOCKS = manual_use.CHAPTERS + manual_care.CHAPTERS


def make_manual(path: Path, sources: Sources) -> dict[str, Any]:
    """Write the manual to ``path`` and return its truth (pages count from 1)."""
    document = pymupdf.open()
    for _ in range(_FRONT_PAGES):
        document.new_page(width=PAGE_WIDTH, height=PAGE_HEIGHT)
    composer = Composer(document, sources)
    composer.compose(_BLOCKS)
    _cover(composer)
    _contents(composer)
    document.set_toc(
        [[1, "Contents", 2]] + [[level, text, page] for text, level, page in composer.headings]
    )
    document.set_page_labels(
        [
            {"startpage": 0, "style": "r", "firstpagenum": 1},
            {"startpage": _FRONT_PAGES, "style": "D", "firstpagenum": 1},
        ]
    )
    document.set_metadata(
        {
            "title": MANUAL_TITLE,
            "author": "Halden Instruments",
            "subject": "Sample document of the Secondsight project; the instrument is invented",
            "creationDate": "D:20240301090000Z",
            "modDate": "D:20240301090000Z",
        }
    )
    document.subset_fonts()
    document.save(str(path), garbage=4, deflate=True, no_new_id=True)
    document.close()
    return _truth(path, composer)


def _cover(composer: Composer) -> None:
    page = composer.document[0]
    page.draw_rect(page.rect, color=None, fill=NAVY)
    page.draw_rect((LEFT, 170, LEFT + 60, 176), color=None, fill=CORAL)
    composer.text(page, LEFT, 240, "TG-40 Tide Gauge", "bold", 40, WHITE)
    composer.text(page, LEFT, 284, "Operator's Manual", "bold", 28, (0.62, 0.83, 0.84))
    composer.text(page, LEFT, 330, "Edition 4, March 2024", "text", 13, WHITE)
    composer.text(page, LEFT, 352, "Document number HI-40-204-E", "text", 13, WHITE)
    shades = ((0.08, 0.27, 0.38), (0.06, 0.36, 0.44), TEAL)
    for layer, shade in enumerate(shades):
        top = 560 + layer * 60
        shape = page.new_shape()
        shape.draw_bezier((0, top + 20), (200, top - 70), (390, top + 90), (595, top))
        shape.draw_line((595, top), (595, 842))
        shape.draw_line((595, 842), (0, 842))
        shape.draw_line((0, 842), (0, top + 20))
        shape.finish(color=None, fill=shade, closePath=True)
        shape.commit()
    composer.text(page, LEFT, 780, "Halden Instruments", "bold", 14, WHITE)


def _contents(composer: Composer) -> None:
    page = composer.document[1]
    composer.text(page, LEFT, 114, "Contents", "bold", 22, NAVY)
    page.draw_rect((LEFT, 122, LEFT + 40, 125), color=None, fill=CORAL)
    y = 148.0
    for text, level, number in composer.headings:
        style, size = ("text-bold", 10) if level == 1 else ("text", 9)
        y += 5 if level == 1 else 0
        composer.text(page, LEFT + (level - 1) * 16, y, text, style, size, INK)
        label = str(number - _FRONT_PAGES)
        composer.text(page, RIGHT - composer.width(label, style, size), y, label, style, size, INK)
        y += 12
    composer.text(page, LEFT, 806, "Halden Instruments, edition 4", "text", 8.5, GREY)
    composer.text(page, RIGHT - 8, 806, "ii", "text-bold", 9, NAVY)


def _truth(path: Path, composer: Composer) -> dict[str, Any]:
    with pymupdf.open(path) as document:
        labels = [page.get_label() for page in document]
        texts = [" ".join(page.get_text().split()) for page in document]
    scans = [block for block in _BLOCKS if isinstance(block, ScannedPage)]
    for page, scan in zip(composer.scanned, scans, strict=True):
        texts[page - 1] = " ".join(" ".join(scan.lines).split())
    return {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "pages": len(labels),
        "page_labels": labels,
        "headings": [
            {"text": text, "level": level, "page": page} for text, level, page in composer.headings
        ],
        "tables": [
            {
                "page": page,
                "caption": table.caption,
                "header": list(table.header),
                "rows": [list(row) for row in table.rows],
            }
            for table, page in composer.tables
        ],
        "figures": [{"page": page, "caption": figure.caption} for figure, page in composer.figures],
        "scanned_pages": composer.scanned,
        "scanned_lines": [[line for line in scan.lines if line] for scan in scans],
        "facts": [
            {
                "question": question,
                "answer": answer,
                "sentence": sentence,
                "page": _only_page_with(sentence, texts),
            }
            for question, answer, sentence in FACTS
        ],
        "unanswerable": list(UNANSWERABLE),
    }


def _only_page_with(sentence: str, texts: list[str]) -> int:
    """Return the page, from 1, on which a sentence stands; it must be exactly one."""
    pages = [number for number, text in enumerate(texts, 1) if sentence in text]
    if len(pages) != 1:
        raise ValueError(f"on pages {pages}: {sentence!r}")
    return pages[0]
