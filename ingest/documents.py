"""PDF files through PyMuPDF, its only user: probing, text with boxes, tables, figures, pictures.

MuPDF keeps global state: read in several processes, never in several threads of one.
Boxes are in PDF points of the page as displayed (rotation and crop applied), origin top left.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pymupdf
from numpy.typing import NDArray
from PIL import Image

from index.errors import SourceError
from index.records import Box
from ingest.pages import (
    FIGURE_CAPTION,
    POINTS_PER_INCH,
    TABLE_CAPTION,
    DocumentInfo,
    FigureBlock,
    OutlineEntry,
    PageContent,
    PageItem,
    PageLine,
    TableBlock,
    TextBlock,
    area,
    clipped,
    cluster_boxes,
    holds_center,
    is_figure_sized,
    nearest_caption,
    reading_order,
    suggests_grid,
    without_lines_in,
)
from ingest.settings import DocumentSettings

__all__ = ["DocumentInfo", "OutlineEntry", "probe_document", "read_pages", "render_page"]

_HEADER_WITHIN_BYTES = 1024
_NO_PAGE = "is broken beyond repair: no page can be found in it"
_JPEG_QUALITY = 80
_MAX_ZOOM = 4.0
"""Pictures of small pages and figures are enlarged at most this much over 72 dpi."""
_MAX_SCAN_SIDE_PX = 8000
"""Poster-sized scans are rendered coarser than asked, to bound memory (about 200 MB)."""

_UNITS_PER_POINT = 100
"""MuPDF writes boxes as integers: this keeps hundredths of a point."""
_TEXT_FLAGS = (
    pymupdf.TEXT_PRESERVE_WHITESPACE
    | pymupdf.TEXT_MEDIABOX_CLIP
    | pymupdf.TEXT_PRESERVE_IMAGES
    | pymupdf.TEXT_COLLECT_VECTORS
)
_SIZE_CHANGE = 1.15
"""A line whose letters differ from those above by this ratio starts a block of its own."""
_UNKNOWN_LETTER = "\ufffd"
_NO_WORDS = " \t\n\r" + _UNKNOWN_LETTER
_LETTERS = str.maketrans(
    {"\u00a0": " ", "\u2002": " ", "\u2003": " ", "\u2009": " ", "\u202f": " ", "\u200b": None}
    | {chr(control): None for control in range(32) if chr(control) not in "\t\n\r"}
    | dict(zip("ﬀﬁﬂﬃﬄﬅﬆ", ["ff", "fi", "fl", "ffi", "ffl", "st", "st"], strict=True))
)
"""The compatibility forms that never carry meaning; whole NFKC would turn x² into x2."""

_FEW_LETTERS = 16
_STAMP_LETTERS = 200
_SCAN_SHARE = 0.1
_FULL_SCAN_SHARE = 0.7
_DRAWING_GAP_PT = 12.0
_LEAST_DRAWINGS = 3

pymupdf.TOOLS.mupdf_display_errors(False)
pymupdf.TOOLS.mupdf_display_warnings(False)


def probe_document(path: str) -> DocumentInfo:
    """Open a PDF and read what it says about itself.

    Raises SourceError (stage "probe") for files that are empty, no PDF, encrypted or broken
    beyond repair.
    """
    with _opened(path, "probe") as document:
        pages = len(document)
        document[0].get_displaylist()  # a broken page tree shows itself here
        labels = tuple(document[i].get_label() or str(i + 1) for i in range(pages))
        outline = tuple(
            OutlineEntry(level, " ".join(title.split()), min(page, pages))
            for level, title, page in document.get_toc()
            if title.strip() and page >= 1
        )
        title = " ".join(((document.metadata or {}).get("title") or "").split())
        return DocumentInfo(path, pages, labels, title, outline, bool(document.is_repaired))


def read_pages(
    path: str,
    info: DocumentInfo,
    first: int,
    last: int,
    settings: DocumentSettings,
    *,
    pictures: bool = True,
) -> list[PageContent]:
    """Read pages first..last (counted from 1, both included).

    Ranges are independent of each other and may be read in different processes. Without
    `pictures` neither pages nor figures are rendered. Pages with `needs_ocr` hold no words yet:
    see `render_page` and `pages.apply_ocr`. Raises SourceError (stage "pages").
    """
    if not 1 <= first <= last <= info.pages:
        raise ValueError(f"pages {first}..{last} are not within 1..{info.pages}")
    with _opened(path, "pages") as document:
        return [
            _read_page(document, number, info.labels[number - 1], settings, pictures=pictures)
            for number in range(first, last + 1)
        ]


def render_page(path: str, page: int, dpi: float) -> tuple[NDArray[np.uint8], float]:
    """Render one page (counted from 1) for text recognition.

    Returns RGB uint8 of shape (height, width, 3) and the resolution used, in dpi: the one asked
    for, less on pages so large that it would need too much memory. Raises SourceError.
    """
    with _opened(path, "pages") as document:
        displayed = document[page - 1].get_displaylist()
        largest = max(displayed.rect.width, displayed.rect.height)
        used_dpi = min(float(dpi), _MAX_SCAN_SIDE_PX * POINTS_PER_INCH / largest)
        pixels = _pixels(displayed, used_dpi / POINTS_PER_INCH, None)
        rows = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.stride)
        image = rows[:, : pixels.width * 3].reshape(pixels.height, pixels.width, 3)
        return np.ascontiguousarray(image), used_dpi


@contextmanager
def _opened(path: str, stage: str) -> Iterator[Any]:
    """Open a PDF; errors of MuPDF while it is open become SourceErrors."""
    try:
        with open(path, "rb") as file:
            head = file.read(_HEADER_WITHIN_BYTES)
    except OSError as error:
        raise SourceError(path, stage, f"cannot be read: {error.strerror or error}") from error
    if not head:
        raise SourceError(path, stage, "is empty (0 bytes)")
    if b"%PDF-" not in head:
        raise SourceError(path, stage, "is not a PDF: it has no %PDF header")
    try:
        with pymupdf.open(path, filetype="pdf") as document:
            if document.needs_pass:
                reason = "is encrypted; save a copy without its password and ingest that"
                raise SourceError(path, stage, reason)
            if len(document) == 0:
                raise SourceError(path, stage, _NO_PAGE)
            yield document
    except pymupdf.FileDataError as error:
        raise SourceError(path, stage, _NO_PAGE) from error
    except (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase) as error:
        detail = " ".join(str(error).split())
        raise SourceError(path, stage, f"is broken: {detail}") from error


def _read_page(
    document: Any, number: int, label: str, settings: DocumentSettings, *, pictures: bool
) -> PageContent:
    page = document[number - 1]
    displayed = page.get_displaylist()
    width, height = displayed.rect.width, displayed.rect.height
    blocks, images, vectors, unknown = _structure(displayed)
    needs_ocr = _is_picture_of_text(blocks, unknown, images, width * height)
    items: list[PageItem] = list(blocks)
    has_caption = any(FIGURE_CAPTION.match(block.text) for block in blocks)
    drawings: list[dict[str, Any]] = []
    if vectors and (has_caption or vectors >= _LEAST_DRAWINGS):
        drawings = page.get_cdrawings()
    if not needs_ocr and _suggests_table(drawings):
        items = _with_tables(items, _tables(page))
    if not needs_ocr and (images or (has_caption and drawings)):
        drawn = _drawn_boxes(page, drawings) if has_caption else []
        items = _with_figures(items, images, drawn, displayed, settings, pictures=pictures)
    picture = None
    if pictures:
        zoom = settings.page_side_px / max(width, height)
        picture = _jpeg(_pixels(displayed, min(zoom, _MAX_ZOOM), None))
    ordered = reading_order(items)
    return PageContent(number, label, width, height, ordered, needs_ocr, picture)


def _structure(displayed: Any) -> tuple[list[TextBlock], list[Box], int, int]:
    """Text blocks in file order, boxes of bitmaps, numbers of drawings and of unknown letters.

    MuPDF's own JSON is read: 1.4 to 2 times as fast as PyMuPDF's dictionaries.
    """
    text_page = displayed.get_textpage(_TEXT_FLAGS)
    buffer = pymupdf.mupdf.fz_new_buffer(1 << 14)
    output = pymupdf.mupdf.FzOutput(buffer)
    pymupdf.mupdf.fz_print_stext_page_as_json(output, text_page, _UNITS_PER_POINT)
    output.fz_close_output()
    written = pymupdf.mupdf.fz_buffer_extract(buffer).decode(errors="replace")
    blocks: list[TextBlock] = []
    images: list[Box] = []
    vectors = 0
    for block in json.loads(written)["blocks"]:
        if block["type"] == "text":
            blocks.extend(_text_blocks(block["lines"]))
        elif block["type"] == "image":
            images.append(_box(block["bbox"]))
        elif block["type"] == "vector":
            vectors += 1
    return blocks, images, vectors, written.count(_UNKNOWN_LETTER)


def _text_blocks(raw_lines: Sequence[dict[str, Any]]) -> Iterator[TextBlock]:
    """Lines of one MuPDF block, parted where the size of letters changes."""
    lines: list[PageLine] = []
    for raw in raw_lines:
        text = raw["text"].translate(_LETTERS).strip()
        if not text.strip(_NO_WORDS):
            continue
        size = raw["font"]["size"] / _UNITS_PER_POINT
        if lines and not 1 / _SIZE_CHANGE < size / (lines[-1].size_pt or size) < _SIZE_CHANGE:
            yield TextBlock(tuple(lines))
            lines = []
        lines.append(PageLine(text, _box(raw["bbox"]), size))
    if lines:
        yield TextBlock(tuple(lines))


def _box(raw: dict[str, int]) -> Box:
    x0, y0 = raw["x"] / _UNITS_PER_POINT, raw["y"] / _UNITS_PER_POINT
    # Sizes are cut to integers: one unit more keeps the box around its letters.
    return Box(
        x0, y0, x0 + (raw["w"] + 1) / _UNITS_PER_POINT, y0 + (raw["h"] + 1) / _UNITS_PER_POINT
    )


def _is_picture_of_text(
    blocks: Sequence[TextBlock], unknown: int, images: Sequence[Box], page_area: float
) -> bool:
    """True when words are seen that the file does not hold.

    That is: pictures and no text layer, or no more than a stamp over a full scan, or letters most
    of which have no Unicode value.
    """
    letters = sum(sum(map(str.isalnum, line.text)) for block in blocks for line in block.lines)
    if letters >= _STAMP_LETTERS:
        return False
    if unknown >= _STAMP_LETTERS:
        return True
    if not images:
        return False
    share = sum(map(area, cluster_boxes(images, 1.0))) / page_area
    return share >= (_SCAN_SHARE if letters < _FEW_LETTERS else _FULL_SCAN_SHARE)


def _suggests_table(drawings: Sequence[dict[str, Any]]) -> bool:
    """True when lines and rectangles are drawn as a grid. `find_tables` is too slow to ask."""
    rules: list[Box] = []
    for drawing in drawings:
        for item in drawing["items"]:
            if item[0] == "l":
                (x0, y0), (x1, y1) = item[1], item[2]
            elif item[0] == "re":
                x0, y0, x1, y1 = item[1]
            else:
                continue
            rules.append(Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
    return suggests_grid(rules)


def _tables(page: Any) -> list[TableBlock]:
    """Ruled tables with two rows and columns or more, at least half of their cells filled.

    PyMuPDF finds the cells (it answers None where it stumbles; the words then stay running text);
    the words in them are MuPDF's: `Table.extract` loses the spaces between small letters.
    """
    words = [
        (_displayed(page, word[:4]), word[4].translate(_LETTERS))
        for word in page.get_text("words", flags=_TEXT_FLAGS)
    ]
    found = page.find_tables(use_layout=False)
    tables: list[TableBlock] = []
    for table in found.tables if found is not None else ():
        box = Box(*map(float, table.bbox))
        inside = [word for word in words if holds_center(box, word[0])]
        cells = tuple(
            tuple(_words_in(cell, inside) if cell else "" for cell in row.cells)
            for row in table.rows
        )
        filled = sum(bool(cell) for row in cells for cell in row)
        if len(cells) < 2 or len(cells[0]) < 2 or filled * 2 < len(cells) * len(cells[0]):
            continue
        row_boxes = tuple(Box(*map(float, row.bbox)) for row in table.rows)
        tables.append(TableBlock(box, cells, row_boxes))
    return tables


def _words_in(cell: Sequence[float], words: Sequence[tuple[Box, str]]) -> str:
    box = Box(*map(float, cell))
    return " ".join(word for place, word in words if holds_center(box, place))


def _displayed(page: Any, rect: Sequence[float]) -> Box:
    """A rectangle of the page as stored, where it is displayed."""
    return Box(*map(float, (pymupdf.Rect(rect) * page.rotation_matrix).normalize()))


def _with_tables(items: list[PageItem], tables: list[TableBlock]) -> list[PageItem]:
    """Take the lines printed inside tables, and the tables' captions, out of the running text."""
    kept, _ = without_lines_in(items, [table.box for table in tables])
    captions: list[TextBlock] = []
    for table in tables:
        blocks = [item for item in kept if isinstance(item, TextBlock)]
        caption = nearest_caption(table.box, blocks, captions, TABLE_CAPTION)
        captions.extend([caption] if caption else [])
        kept.append(replace(table, caption=caption))
    taken = {id(caption) for caption in captions}
    return [item for item in kept if id(item) not in taken]


def _drawn_boxes(page: Any, drawings: Sequence[dict[str, Any]]) -> list[Box]:
    """Boxes of vector drawings, as displayed."""
    return [_displayed(page, drawing["rect"]) for drawing in drawings]


def _with_figures(
    items: list[PageItem],
    images: Sequence[Box],
    drawn: Sequence[Box],
    displayed: Any,
    settings: DocumentSettings,
    *,
    pictures: bool,
) -> list[PageItem]:
    """Recognise figures: bitmaps, and drawings with a caption; their words leave the text."""
    whole = Box(*map(float, displayed.rect))
    tables = [item.box for item in items if isinstance(item, TableBlock)]
    bitmaps = [clipped(box, whole) for box in cluster_boxes(images, 1.0)]
    sketches = [
        clipped(box, whole)
        for box in cluster_boxes(
            (box for box in drawn if area(box) < area(whole) / 2), _DRAWING_GAP_PT
        )
    ]
    boxes: list[Box] = []
    captions: list[TextBlock | None] = []
    for box, needs_caption in [(box, False) for box in bitmaps] + [(box, True) for box in sketches]:
        if not is_figure_sized(box, whole) or any(holds_center(other, box) for other in tables):
            continue
        if any(holds_center(other, box) for other in boxes):
            continue
        blocks = [item for item in items if isinstance(item, TextBlock)]
        caption = nearest_caption(box, blocks, [each for each in captions if each], FIGURE_CAPTION)
        if caption is not None or not needs_caption:
            boxes.append(box)
            captions.append(caption)
    taken = {id(caption) for caption in captions}
    kept, labels = without_lines_in([item for item in items if id(item) not in taken], boxes)
    for box, caption, inside in zip(boxes, captions, labels, strict=True):
        zoom = settings.page_side_px / max(box.x1 - box.x0, box.y1 - box.y0)
        picture = _jpeg(_pixels(displayed, min(zoom, _MAX_ZOOM), box)) if pictures else None
        kept.append(FigureBlock(box, caption, tuple(inside), picture))
    return kept


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
