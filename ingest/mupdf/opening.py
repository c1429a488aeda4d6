"""A document file is opened, or refused with the reason, and says what it is."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymupdf

from index.errors import SourceError
from ingest.pages import DocumentInfo, OutlineEntry

_HEADER_WITHIN_BYTES = 1024
_NO_PAGE = "is broken beyond repair: no page can be found in it"


def probe_document(path: str) -> DocumentInfo:
    """Open a PDF and read what it says about itself.

    Raises SourceError (stage "probe") for files that are empty, no PDF, encrypted or broken
    beyond repair.
    """
    with opened(path, "probe") as document:
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


@contextmanager
def opened(path: str, stage: str) -> Iterator[Any]:
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
