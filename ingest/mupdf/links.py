"""Links of a page: its rectangles that lead to an address or to another page."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from math import isfinite
from typing import Any

import pymupdf

from index.records import Box
from ingest.hyperlinks import MOST_ON_PAGE, TOO_MANY, safe_address
from ingest.pages import PageLink


def links_on(document: Any, page: Any) -> tuple[tuple[PageLink, ...], str]:
    """Links of a page, in the order of the file, and why some may be missing ("": none are).

    Those that lead to files, programs or scripts are left out, as are those into the void.
    """
    found: list[PageLink] = []
    try:
        count = 0
        for count, link in enumerate(islice(_links_of(page), MOST_ON_PAGE + 1)):
            if count < MOST_ON_PAGE and (kept := _page_link(document, link)):
                found.append(kept)
    except (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase):
        return tuple(found), "links could not be read"
    return tuple(found), TOO_MANY if count == MOST_ON_PAGE else ""


def _links_of(page: Any) -> Iterator[Any]:
    # PyMuPDF's own list of links would ask for the annotation of each, and clip none.
    own = page.this.super() if isinstance(page.this, pymupdf.mupdf.PdfPage) else page.this
    link = pymupdf.mupdf.fz_load_links(own)
    while link.m_internal:
        yield link
        link = link.next()


def _page_link(document: Any, link: Any) -> PageLink | None:
    rect, written = link.rect(), link.uri()
    corners = rect.x0, rect.y0, rect.x1, rect.y1
    if not written or not all(map(isfinite, corners)):
        return None
    x0, x1 = sorted(corners[::2])
    y0, y1 = sorted(corners[1::2])
    target: str | int | None
    if pymupdf.mupdf.fz_is_external_link(written):
        target = safe_address(written)
    else:
        page = int(document.resolve_link(written)[0]) + 1
        target = page if 1 <= page <= len(document) else None
    return None if target is None else PageLink(Box(x0, y0, x1, y1), target)
