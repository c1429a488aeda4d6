"""A document file is opened, or refused with the reason, and says what it is."""

# mypy: allow-untyped-calls

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pymupdf
from PIL import Image, UnidentifiedImageError

from index.errors import SourceError
from ingest.formats import DocumentFormat, format_of
from ingest.mupdf.metadata import metadata_of, spaced
from ingest.mupdf.outline import outline_entries
from ingest.mupdf.plain_text import TextDocument
from ingest.pages import DocumentInfo, OutlineEntry

_NO_PAGE = "is broken beyond repair: no page can be found in it"
_NAMES = {
    DocumentFormat.PDF: "a PDF",
    DocumentFormat.XPS: "an XPS document",
    DocumentFormat.EPUB: "an EPUB",
    DocumentFormat.MOBI: "a MOBI book",
    DocumentFormat.CBZ: "a comic book (CBZ)",
}
_BOOK_PAGE_PT = (420.0, 595.0)
_BOOK_LETTERS_PT = 11.0
"""E-books are always laid out on A5 in this size, so that a page stays the same page."""
_MOST_PAGES = 100_000
"""A file may claim any number of pages in a few bytes."""
_MANY_PAGES = 100
"""Books of more pages tell places by tenths of a percent."""
_PASSWORD_FILE_BYTES = 1_000_000
BROKEN = (RuntimeError, ValueError, IndexError, pymupdf.mupdf.FzErrorBase)
"""What MuPDF raises on content that it cannot read."""


class _Document(pymupdf.Document):  # type: ignore[misc]  # PyMuPDF has no types
    """PyMuPDF reads the outline whenever it opens a file; a hostile one costs only who asks."""

    def _loadOutline(self) -> None:  # noqa: N802
        return None


def probe_document(path: str, password_file: str | None = None) -> DocumentInfo:
    """Open a document and read what it says about itself.

    Raises SourceError (stage "probe") for files that are empty, not what their name says, locked or
    broken beyond repair.
    """
    with probing(path, password_file) as part:
        info: DocumentInfo = part("info")
        return replace(info, outline=part("outline"))


@contextmanager
def probing(path: str, password_file: str | None) -> Iterator[Any]:
    """A session: "info" is the document without its outline, "outline" its bookmarks."""
    with opened(path, "probe", password_file) as document:
        yield lambda part: (_info if part == "info" else _outline)(document, path)


def _info(document: Any, path: str) -> DocumentInfo:
    with broken_pages(path, "probe"):
        if isinstance(document, TextDocument):
            return document.info(path)
        kind = format_of(path) or DocumentFormat.PDF
        document[0].get_displaylist()  # a broken page tree shows itself here
        pages = len(document)  # not before: it may just have been repaired
        if pages > _MOST_PAGES:
            reason = f"has {pages:,} pages; more than {_MOST_PAGES:,} are not read: split it"
            raise SourceError(path, "probe", reason)
        return DocumentInfo(
            path,
            pages,
            _labels(document, kind, pages),
            title=spaced((document.metadata or {}).get("title")),
            outline=(),
            repaired=bool(document.is_pdf and document.is_repaired),
            format=kind.value,
            metadata=metadata_of(document),
        )


def _outline(document: Any, path: str) -> tuple[OutlineEntry, ...]:
    if isinstance(document, TextDocument):
        return document.outline()
    with broken_pages(path, "probe"):
        return tuple(outline_entries(document))


def _labels(document: Any, kind: DocumentFormat, pages: int) -> tuple[str, ...]:
    if kind.is_reflowable:
        digits = 1 if pages > _MANY_PAGES else 0
        return tuple(f"{100 * page / pages:.{digits}f} %" for page in range(pages))
    rules = sorted(document._get_page_labels()) if document.is_pdf else []
    if not rules:
        return tuple(str(page + 1) for page in range(pages))
    return tuple(pymupdf.utils.get_label_pno(page, rules) or str(page + 1) for page in range(pages))


@contextmanager
def broken_pages(path: str, stage: str) -> Iterator[None]:
    """Errors of MuPDF become SourceErrors of their own; the document stays open."""
    try:
        yield
    except BROKEN as error:
        raise SourceError(path, stage, _detail(error)) from error


@contextmanager
def opened(path: str, stage: str, password_file: str | None = None) -> Iterator[Any]:
    """Open a document; errors of MuPDF while it is open become SourceErrors.

    Yields a PyMuPDF document, or a TextDocument. `password_file` holds passwords, one a line.
    """
    try:
        kind = format_of(path)
        empty = os.stat(path).st_size == 0
    except OSError as error:
        raise SourceError(path, stage, f"cannot be read: {error.strerror or error}") from error
    if empty:
        raise SourceError(path, stage, "is empty (0 bytes)")
    if kind is None:
        raise SourceError(path, stage, "is no document of a known format")
    if kind.is_plain_text:
        yield TextDocument.read(path, kind, stage)
        return
    try:
        with _open(path, kind, stage) as document:
            if document.needs_pass:
                _unlock(document, path, stage, password_file)
            if len(document) == 0:
                raise SourceError(path, stage, _NO_PAGE)
            yield document
    except BROKEN as error:
        if isinstance(error, pymupdf.FileDataError):
            raise SourceError(path, stage, _refusal(path, kind)) from error
        raise _broken(path, stage, error) from error
    finally:
        pymupdf.TOOLS.store_shrink(100)


def _open(path: str, kind: DocumentFormat, stage: str) -> Any:
    if kind is DocumentFormat.WEBP:
        return _Document(stream=_as_png(path, stage), filetype="png")
    width, height = _BOOK_PAGE_PT
    return _Document(
        path, filetype=kind.value, width=width, height=height, fontsize=_BOOK_LETTERS_PT
    )


def _as_png(path: str, stage: str) -> bytes:
    """A WebP picture as MuPDF reads it. Of an animation, the first picture."""
    written = io.BytesIO()
    try:
        with Image.open(path) as picture:
            picture.convert("RGB").save(written, "PNG", compress_level=1)
    except UnidentifiedImageError as error:
        raise SourceError(path, stage, _refusal(path, DocumentFormat.WEBP)) from error
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise _broken(path, stage, error) from error
    return written.getvalue()


def _unlock(document: Any, path: str, stage: str, password_file: str | None) -> None:
    if any(document.authenticate(word) for word in _passwords(path, stage, password_file)):
        return
    reason = (
        "is encrypted; put its password into a file and add --password-file FILE"
        if password_file is None
        else "is encrypted, and no line of the password file opens it"
    )
    raise SourceError(path, stage, reason)


def _passwords(path: str, stage: str, password_file: str | None) -> list[str]:
    if password_file is None:
        return []
    try:
        with open(password_file, encoding="utf-8-sig") as file:
            return [line.rstrip("\r\n") for line in file.readlines(_PASSWORD_FILE_BYTES)]
    except OSError as error:
        reason = f"is encrypted, and the password file cannot be read: {error.strerror or error}"
    except UnicodeDecodeError:
        reason = "is encrypted, and the password file is not UTF-8 text"
    raise SourceError(path, stage, reason)


def _refusal(path: str, kind: DocumentFormat) -> str:
    with open(path, "rb") as file:
        head = file.read(1024)
    if kind is DocumentFormat.PDF:
        return _NO_PAGE if b"%PDF-" in head else "is not a PDF: it has no %PDF header"
    return f"is broken, or not {_NAMES.get(kind, f'a {kind.value.upper()} picture')}"


def _broken(path: str, stage: str, error: BaseException) -> SourceError:
    detail = _detail(error)
    if "DRM" in detail:
        return SourceError(path, stage, "is locked by its seller (DRM)")
    return SourceError(path, stage, f"is broken: {detail}")


def _detail(error: BaseException) -> str:
    """What MuPDF says, without its error codes."""
    return spaced(re.sub(r"\bcode=\d+: *", "", str(error))) or type(error).__name__
