"""What kind of document a file is, told from its content: names lie, first bytes seldom."""

from __future__ import annotations

import os
import re
import zipfile
from enum import StrEnum
from pathlib import PurePosixPath

_HEAD_BYTES = 4096
_PDF_HEADER_WITHIN_BYTES = 1024
"""Readers accept junk before the header within this many bytes (PDF 1.7, appendix H.3, note 13)."""
_MOST_MEMBERS = 100_000
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""Bytes that no text holds: control characters, but for the white space and escape."""


class DocumentFormat(StrEnum):
    """The formats that documents are read in."""

    PDF = "pdf"
    XPS = "xps"
    EPUB = "epub"
    MOBI = "mobi"
    CBZ = "cbz"
    PNG = "png"
    JPEG = "jpeg"
    TIFF = "tiff"
    WEBP = "webp"
    TEXT = "text"
    MARKDOWN = "markdown"

    @property
    def is_picture(self) -> bool:
        """A file that is one picture, or several: scans and photos."""
        return self in (self.PNG, self.JPEG, self.TIFF, self.WEBP)

    @property
    def is_reflowable(self) -> bool:
        """An e-book: its pages are laid out by whoever shows it."""
        return self in (self.EPUB, self.MOBI)

    @property
    def is_plain_text(self) -> bool:
        """A file that is nothing but characters."""
        return self in (self.TEXT, self.MARKDOWN)


VIDEO_SUFFIXES = frozenset(
    {".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts"}
    | {".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv"}
)
AUDIO_SUFFIXES = frozenset(
    {".aac", ".aif", ".aiff", ".flac", ".m4a", ".mka", ".mp3", ".oga", ".ogg", ".opus", ".wav"}
    | {".weba", ".wma"}
)
SUFFIXES = {
    ".pdf": DocumentFormat.PDF,
    ".xps": DocumentFormat.XPS,
    ".oxps": DocumentFormat.XPS,
    ".epub": DocumentFormat.EPUB,
    ".mobi": DocumentFormat.MOBI,
    ".azw": DocumentFormat.MOBI,
    ".prc": DocumentFormat.MOBI,
    ".cbz": DocumentFormat.CBZ,
    ".png": DocumentFormat.PNG,
    ".jpg": DocumentFormat.JPEG,
    ".jpeg": DocumentFormat.JPEG,
    ".tif": DocumentFormat.TIFF,
    ".tiff": DocumentFormat.TIFF,
    ".webp": DocumentFormat.WEBP,
    ".txt": DocumentFormat.TEXT,
    ".text": DocumentFormat.TEXT,
    ".md": DocumentFormat.MARKDOWN,
    ".markdown": DocumentFormat.MARKDOWN,
}
"""What a name promises."""
_SUBTITLE_SUFFIXES = frozenset({".ass", ".lrc", ".sbv", ".srt", ".ssa", ".sub", ".ttml", ".vtt"})
_NO_TEXT_SUFFIXES = VIDEO_SUFFIXES | AUDIO_SUFFIXES | _SUBTITLE_SUFFIXES
"""Such a file is no document, even if it holds text: it is a broken video, or tells one."""

_SIGNS = (
    (60, (b"BOOKMOBI", b"TEXtREAd"), DocumentFormat.MOBI),
    (0, (b"\x89PNG\r\n\x1a\n",), DocumentFormat.PNG),
    (0, (b"\xff\xd8\xff",), DocumentFormat.JPEG),
    (0, (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), DocumentFormat.TIFF),
    (8, (b"WEBP",), DocumentFormat.WEBP),
)
"""Where which bytes stand."""
_PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".jp2")


def format_of(path: str) -> DocumentFormat | None:
    """The format of a file by its content, then by its name; None: no document.

    Text has no first bytes to know it by: a file of text is one unless its name says that it is
    something else. A file that has the name of a document but not its content is what its name
    says, so that the reader refuses it with a reason. Raises OSError.
    """
    with open(path, "rb") as file:
        head = file.read(_HEAD_BYTES)
    suffix = os.path.splitext(path)[1].lower()
    promised = SUFFIXES.get(suffix)
    found = _by_first_bytes(head)
    if found is None and head.startswith(b"PK\x03\x04"):
        found = _zipped(path)
    if found is None and promised is None and suffix not in _NO_TEXT_SUFFIXES:
        return DocumentFormat.TEXT if head and is_text(head) else None
    return found or promised


def is_text(head: bytes) -> bool:
    """True when bytes may be the beginning of a text: no control characters, or UTF-16 or -32."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return not _CONTROLS.search(head)


def _by_first_bytes(head: bytes) -> DocumentFormat | None:
    if b"%PDF-" in head[:_PDF_HEADER_WITHIN_BYTES]:
        return DocumentFormat.PDF
    for at, signs, kind in _SIGNS:
        if head.startswith(signs, at):
            return kind
    return None


def _zipped(path: str) -> DocumentFormat | None:
    """EPUB, XPS and CBZ are all ZIP archives: what lies in them tells."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist()[:_MOST_MEMBERS] if not name.endswith("/")]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError):
        return None
    members = set(names)
    if "META-INF/container.xml" in members:
        return DocumentFormat.EPUB
    if any(name.lower().endswith(".fdseq") for name in names):
        return DocumentFormat.XPS
    shown = [name for name in names if not name.startswith("__MACOSX/")]
    pictures = [name for name in shown if name.lower().endswith(_PICTURE_SUFFIXES)]
    others = {PurePosixPath(name).suffix.lower() for name in shown} - set(_PICTURE_SUFFIXES)
    return DocumentFormat.CBZ if pictures and others <= {".xml", ".txt", ".nfo", ".db"} else None
