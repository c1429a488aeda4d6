"""Pages made into scans: pictures of real pages, turned, skewed, noisy, in a new PDF."""

# mypy: allow-untyped-calls

from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pymupdf
from PIL import Image

from ingest.text_cuts import evenly_spread
from ingest.text_engine import PlacedLine
from tests.ingest.pdfs import save

DPI = 150


def picture_of_page(page: pymupdf.Page, dpi: int = DPI) -> Image.Image:
    """A page as a scanner sees it, without a flaw."""
    pixels = page.get_pixmap(dpi=dpi)
    return Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples)


def turned(picture: Image.Image, counterclockwise_deg: float) -> Image.Image:
    """A page put askew on the scanner; whole quarters turn the sheet, too."""
    is_quarter = counterclockwise_deg % 90 == 0
    return picture.rotate(
        counterclockwise_deg, Image.Resampling.BICUBIC, expand=is_quarter, fillcolor="white"
    )


def worn(
    picture: Image.Image, *, noise: float = 12, paper: int = 200, ink: int = 90
) -> Image.Image:
    """Grey letters on grey paper, with noise: levels of 0..255."""
    levels = np.asarray(picture.convert("L"), np.float32) / 255 * (paper - ink) + ink
    levels += np.random.default_rng(7).normal(0, noise, levels.shape)
    return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8)).convert("RGB")


def scan_pdf(pictures: list[Image.Image], path: Path, dpi: int = DPI) -> str:
    """A PDF whose pages are nothing but these pictures; its path."""
    document = pymupdf.open()
    for picture in pictures:
        written = BytesIO()
        picture.save(written, "JPEG", quality=75)
        width, height = (side * 72 / dpi for side in picture.size)
        page = document.new_page(width=width, height=height)
        page.insert_image(page.rect, stream=written.getvalue())
    return save(document, path)


def placed_line(
    text: str, box: tuple[float, float, float, float], confidence: float = 0.95, band_px: float = 9
) -> PlacedLine:
    """A line as if it was read in a box, its letters evenly spread."""
    x0, y0, x1, y1 = box
    corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float32)
    letters: npt.NDArray[np.float32] = evenly_spread(len(text))
    return PlacedLine(text, confidence, corners, letters, band_px)
