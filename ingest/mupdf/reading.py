"""Pages of a document, read: text in reading order, tables, figures, pictures."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from math import inf
from typing import Any

from ingest.mupdf.figures import drawn_boxes, with_figures
from ingest.mupdf.links import links_on
from ingest.mupdf.opening import broken_pages, opened
from ingest.mupdf.plain_text import TextDocument
from ingest.mupdf.rendering import picture_of
from ingest.mupdf.tables import tables_on, with_tables
from ingest.mupdf.text import page_structure
from ingest.pages import (
    FIGURE_CAPTION,
    DocumentInfo,
    PageContent,
    PageItem,
    reading_order,
)
from ingest.settings import DocumentSettings
from ingest.text_layer import is_doubtful, is_picture_of_text

_LEAST_DRAWINGS = 3


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
    see `render_page` and `scans.with_scan`. Raises SourceError (stage "pages").
    """
    if not 1 <= first <= last <= info.pages:
        raise ValueError(f"pages {first}..{last} are not within 1..{info.pages}")
    labels = dict(enumerate(info.labels, 1))
    with page_reader(path, labels, settings, pictures) as read:
        return [read(number) for number in range(first, last + 1)]


@contextmanager
def page_reader(
    path: str, labels: Mapping[int, str], settings: DocumentSettings, pictures: bool = True
) -> Iterator[Callable[[int], PageContent]]:
    """A session: what it yields reads one page, counted from 1.

    `labels` are those of the pages that are to be read, by number. A page that is broken raises
    SourceError (stage "pages"); others can be read after it.
    """
    with opened(path, "pages", settings.password_file) as document:

        def read(number: int) -> PageContent:
            if isinstance(document, TextDocument):
                content = document.content(number)
                if not pictures:
                    return content
                with document.sheet(number) as displayed:
                    return replace(
                        content, picture=picture_of(displayed, settings.page_side_px, None)
                    )
            with broken_pages(path, "pages"):
                return _read_page(document, number, labels[number], settings, pictures=pictures)

        yield read


def _read_page(
    document: Any, number: int, label: str, settings: DocumentSettings, *, pictures: bool
) -> PageContent:
    page = document[number - 1]
    displayed = page.get_displaylist()
    width, height = displayed.rect.width, displayed.rect.height
    if not (0 < width < inf and 0 < height < inf):
        raise ValueError("it has no area")
    blocks, images, vectors, unknown = page_structure(displayed)
    is_doubted = is_doubtful(blocks, unknown)
    needs_ocr = is_doubted or is_picture_of_text(blocks, images, width * height)
    items: list[PageItem] = list(blocks)
    has_caption = any(FIGURE_CAPTION.match(block.text) for block in blocks)
    drawings: list[dict[str, Any]] = []
    if vectors and (has_caption or vectors >= _LEAST_DRAWINGS):
        drawings = page.get_cdrawings()
    if tables := tables_on(page, drawings, blocks):
        items = with_tables(items, tables)
    if images or (has_caption and drawings):
        drawn = drawn_boxes(page, drawings) if has_caption else []
        items = with_figures(items, images, drawn, displayed, settings, pictures=pictures)
    picture = None
    if pictures:
        picture = picture_of(displayed, settings.page_side_px, None)
    links, links_note = links_on(document, page)
    return PageContent(
        number,
        label,
        width,
        height,
        reading_order(items),
        needs_ocr,
        picture,
        is_doubted=is_doubted,
        links=links,
        links_note=links_note,
    )
