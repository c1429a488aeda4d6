"""A picture that somebody gives as a question: read with care, whatever it claims to be."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from threading import BoundedSemaphore

from PIL import Image, ImageOps, UnidentifiedImageError

from index.errors import QuestionError

MAX_PICTURE_BYTES = 16 * 1024 * 1024
MAX_PICTURE_PX = 50_000_000
PICTURE_TYPES = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/bmp": "BMP",
}
"""Media types that can be asked with, and Pillow's names of the formats; no other is decoded."""
_decoding = BoundedSemaphore(2)
"""A picture takes up to 200 MB while it is decoded: with many askers at once, others wait."""
_SIDE_PX = 1280
"""Longest side that is kept; no embedder looks closer."""
_REFUSALS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What Pillow raises for files that are damaged, are no pictures, or mean harm."""


def read_picture(content: bytes | str | os.PathLike[str]) -> Image.Image:
    """The picture in a file (its bytes, or its path): RGB, upright, no side above 1280 pixels.

    Of moving pictures the first is taken; what is transparent becomes white. Raises QuestionError
    when it is no JPEG, PNG, WebP, GIF or BMP, is damaged, or has more than 16 MiB or 50 megapixels;
    the size is known before anything is decoded.
    """
    if not isinstance(content, bytes):
        content = _content(Path(content))
    _require_bytes(len(content))
    if not content:
        raise QuestionError("the picture is empty")
    try:
        picture = Image.open(io.BytesIO(content), formats=list(PICTURE_TYPES.values()))
    except UnidentifiedImageError as error:
        raise QuestionError(
            f"this is no picture that can be read; give a {', '.join(PICTURE_TYPES.values())}"
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large() from error
    except _REFUSALS as error:
        raise _damaged(error) from error
    if picture.width * picture.height > MAX_PICTURE_PX:
        raise _too_large(f"; it has {picture.width} x {picture.height}")
    try:
        with _decoding:
            return _decoded(picture)
    except _REFUSALS as error:
        raise _damaged(error) from error


def _decoded(picture: Image.Image) -> Image.Image:
    picture.draft("RGB", (_SIDE_PX, _SIDE_PX))  # JPEG: reduced while it is decoded
    picture.load()
    picture.thumbnail((_SIDE_PX, _SIDE_PX))
    picture = ImageOps.exif_transpose(picture)
    if picture.has_transparency_data:
        seen = picture.convert("RGBA")
        white = Image.new("RGBA", seen.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(white, seen)
    return picture.convert("RGB")


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_PICTURE_BYTES + 1)
    except OSError as error:
        raise QuestionError(f"cannot read the picture {path}: {error.strerror}") from error
    _require_bytes(len(content))
    return content


def _require_bytes(size_bytes: int) -> None:
    if size_bytes > MAX_PICTURE_BYTES:
        raise QuestionError(f"a picture to search with may have {MAX_PICTURE_BYTES} bytes")


def _too_large(told: str = "") -> QuestionError:
    return QuestionError(
        f"a picture to search with may have {MAX_PICTURE_PX // 1_000_000} megapixels{told}"
    )


def _damaged(error: BaseException) -> QuestionError:
    said = " ".join(str(error).split()) or type(error).__name__
    return QuestionError(f"the picture is damaged: {said}")
