"""Pages and parts of pages become pixels."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import numpy as np
import pymupdf
from numpy.typing import NDArray
from PIL import Image

from index.records import Box
from ingest.mupdf.opening import broken_pages, opened
from ingest.pages import POINTS_PER_INCH

_JPEG_QUALITY = 80
_MAX_ZOOM = 4.0
"""Pictures of small pages and figures are enlarged at most this much over 72 dpi."""
_MAX_SCAN_SIDE_PX = 8000
"""Poster-sized scans are rendered coarser than asked, to bound memory (about 200 MB)."""
_LARGE_SIDE_PX = 2000
"""Photos and scans of this size are not enlarged for reading, smaller ones are."""


def render_page(
    path: str, page: int, dpi: float, password_file: str | None = None
) -> tuple[NDArray[np.uint8], float]:
    """Render one page (counted from 1) for text recognition.

    Returns RGB uint8 of shape (height, width, 3) and the resolution used, in dpi: the one asked
    for, less on pages so large that it would need too much memory. Raises SourceError.
    """
    with page_renderer(path, dpi, password_file) as render:
        return render(page)


@contextmanager
def page_renderer(
    path: str, dpi: float, password_file: str | None
) -> Iterator[Callable[[int], tuple[NDArray[np.uint8], float]]]:
    """A session: what it yields renders one page, counted from 1, as `render_page` does."""
    with opened(path, "pages", password_file) as document:

        def render(page: int) -> tuple[NDArray[np.uint8], float]:
            with broken_pages(path, "pages"):
                shown = document[page - 1]
                displayed = shown.get_displaylist()
                largest = max(displayed.rect.width, displayed.rect.height)
                used_dpi = min(float(dpi), _MAX_SCAN_SIDE_PX * POINTS_PER_INCH / largest)
                if not document.is_pdf:
                    used_dpi = min(used_dpi, _own_dpi(shown))
                pixels = _pixels(displayed, used_dpi / POINTS_PER_INCH, None)
                rows = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.stride)
                image = rows[:, : pixels.width * 3].reshape(pixels.height, pixels.width, 3)
                return np.ascontiguousarray(image), used_dpi

        yield render


@contextmanager
def picture_renderer(
    path: str, password_file: str | None
) -> Iterator[Callable[[tuple[int, int]], bytes]]:
    """A session: what it yields makes a JPEG of (page from 1, px on the longer side)."""
    with opened(path, "pages", password_file) as document:

        def render(wanted: tuple[int, int]) -> bytes:
            page, side_px = wanted
            with broken_pages(path, "pages"):
                return picture_of(document[page - 1].get_displaylist(), side_px, None)

        yield render


def _own_dpi(page: Any) -> float:
    """The resolution of the finest picture on a page, when it is a large one; else endless."""
    found = [
        POINTS_PER_INCH * image["width"] / (image["bbox"][2] - image["bbox"][0])
        for image in page.get_image_info()
        if max(image["width"], image["height"]) > _LARGE_SIDE_PX
    ]
    return max(found, default=float("inf"))


def picture_of(displayed: Any, side_px: int, box: Box | None) -> bytes:
    """JPEG of a page's display list, or of a box on it, `side_px` on the longer side."""
    shown = box if box is not None else Box(*map(float, displayed.rect))
    zoom = side_px / max(shown.x1 - shown.x0, shown.y1 - shown.y0)
    return _jpeg(_pixels(displayed, min(zoom, _MAX_ZOOM), box))


def _pixels(displayed: Any, zoom: float, clip: Box | None) -> Any:
    area_pt = None if clip is None else pymupdf.Rect(clip.x0, clip.y0, clip.x1, clip.y1)
    return displayed.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=0, clip=area_pt)


def _jpeg(pixels: Any) -> bytes:
    """Encode with Pillow: ten times as fast as MuPDF's encoder."""
    size = (pixels.width, pixels.height)
    image = Image.frombuffer("RGB", size, pixels.samples_mv, "raw", "RGB", pixels.stride, 1)
    written = BytesIO()
    image.save(written, "JPEG", quality=_JPEG_QUALITY)
    return written.getvalue()
