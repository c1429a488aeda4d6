"""PDFs made on the spot, and short ways to what is read from them."""

# mypy: allow-untyped-calls

from io import BytesIO
from pathlib import Path

import numpy as np
import pymupdf
from PIL import Image

from index.records import Moment, MomentKind
from ingest.mupdf.opening import probe_document
from ingest.mupdf.reading import read_pages
from ingest.passages import document_moments
from ingest.settings import DocumentSettings

SETTINGS = DocumentSettings()
WORDS = ("valve", "pump", "filter", "motor", "sensor", "panel", "cable", "relay", "switch")


def save(document: pymupdf.Document, path: Path) -> str:
    """Write a document; its path."""
    document.save(path)
    return str(path)


def moments_of(path: str, settings: DocumentSettings = SETTINGS) -> tuple[Moment, ...]:
    """All moments of a file, pictures included."""
    info = probe_document(path)
    return document_moments(info, read_pages(path, info, 1, info.pages, settings), settings)


def passages_on(moments: tuple[Moment, ...], page: int) -> list[Moment]:
    """The passages of one page."""
    return [
        moment
        for moment in moments
        if moment.kind is MomentKind.PASSAGE and moment.area.page == page
    ]


def noise_png(width: int = 200, height: int = 150) -> bytes:
    """A PNG full of noise."""
    pixels = np.random.default_rng(7).integers(0, 255, (height, width, 3), np.uint8)
    written = BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    return written.getvalue()


def draw_table(page: pymupdf.Page, rows: list[list[str]], x: float, y: float) -> None:
    """Draw a ruled table at (x, y)."""
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
