"""The bookmarks of a document, however deep, long or cyclic."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pymupdf

from ingest.pages import OutlineEntry

_DEEPEST = 64
"""Deeper bookmarks are taken as if they were this deep."""


def outline_entries(document: Any) -> Iterator[OutlineEntry]:
    """Bookmarks that have a title and a page, in order."""
    pages = len(document)
    for level, entry in _walked(document):
        title = " ".join((entry.m_internal.title or "").split())
        page = _page_of(document, entry)
        if title and page >= 1:
            yield OutlineEntry(min(level, _DEEPEST), title, min(page, pages))


def _walked(document: Any) -> Iterator[tuple[int, Any]]:
    """(level from 1, bookmark), parents first. MuPDF refuses outlines that are cyclic."""
    waiting = [(1, pymupdf.mupdf.fz_load_outline(document.this))]
    while waiting:
        level, entry = waiting.pop()
        if entry.m_internal:
            yield level, entry
            waiting.append((level, entry.next()))
            waiting.append((level + 1, entry.down()))


def _page_of(document: Any, entry: Any) -> int:
    """The page a bookmark leads to, from 1; 0 when it leads out of the document or nowhere."""
    uri = entry.m_internal.uri
    if not uri or pymupdf.mupdf.fz_is_external_link(uri):
        return 0
    inner = entry.m_internal.page
    place = pymupdf.mupdf.FzLocation(inner.chapter, inner.page)
    if inner.page < 0:
        try:
            place, _, _ = pymupdf.mupdf.fz_resolve_link(document.this, uri)
        except pymupdf.mupdf.FzErrorBase:
            return 0
    return int(pymupdf.mupdf.fz_page_number_from_location(document.this, place)) + 1
