"""The files of sources, whole or by byte ranges (RFC 9110, section 14)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import PurePath
from typing import BinaryIO
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from index.records import Source, SourceKind
from index.snapshot import Snapshot
from secondsight.server.problems import ProblemError
from secondsight.source_files import open_unchanged

CHUNK_BYTES = 256 * 1024
_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)
_CONTENT_TYPES = {
    ".3gp": "video/3gpp",
    ".aac": "audio/aac",
    ".aif": "audio/aiff",
    ".aiff": "audio/aiff",
    ".avi": "video/x-msvideo",
    ".flac": "audio/flac",
    ".flv": "video/x-flv",
    ".m2ts": "video/mp2t",
    ".m4a": "audio/mp4",
    ".m4v": "video/mp4",
    ".mka": "audio/x-matroska",
    ".mkv": "video/x-matroska",
    ".mov": "video/quicktime",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".mpeg": "video/mpeg",
    ".mpg": "video/mpeg",
    ".mts": "video/mp2t",
    ".mxf": "application/mxf",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".opus": "audio/ogg",
    ".ts": "video/mp2t",
    ".vob": "video/mpeg",
    ".wav": "audio/wav",
    ".weba": "audio/webm",
    ".webm": "video/webm",
    ".wma": "audio/x-ms-wma",
    ".wmv": "video/x-ms-wmv",
}


def media_response(
    snapshot: Snapshot,
    source: Source,
    *,
    range_header: str | None,
    if_range: str | None,
    if_none_match: str | None,
    head: bool,
) -> Response:
    """The file of a source, or the range of its bytes that was asked for.

    Only a file that the inventory names for the source is opened, and only one whose size and time
    of modification are those that were ingested. Raises ProblemError: 410 when there is none any
    more, 416 when the range lies outside it.
    """
    etag = f'"{source.id}"'  # the id is the hash of the content: a strong validator
    file, path = _open_unchanged(snapshot, source)
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f"inline; filename*=UTF-8''{quote(source.name, safe='')}",
        "ETag": etag,
        "X-Content-Type-Options": "nosniff",
    }
    if if_none_match is not None and _matches(if_none_match, etag):
        file.close()
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if if_range is not None and if_range != etag:
        range_header = None
    try:
        part = parse_range(range_header, source.size_bytes)
    except ProblemError:
        file.close()
        raise
    status = HTTPStatus.OK
    if part is not None:
        status = HTTPStatus.PARTIAL_CONTENT
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{source.size_bytes}"
    part = range(source.size_bytes) if part is None else part
    headers["Content-Length"] = str(len(part))
    return _FileResponse(
        file,
        part=part[:0] if head else part,
        status=status,
        headers=headers,
        media_type=content_type(source, path),
    )


def content_type(source: Source, path: str) -> str:
    """Media type of a source's file, by kind and suffix."""
    if source.kind is SourceKind.DOCUMENT:
        return "application/pdf"
    return _CONTENT_TYPES.get(PurePath(path).suffix.lower(), "application/octet-stream")


def parse_range(header: str | None, size_bytes: int) -> range | None:
    """The bytes a Range header asks for, of a file of this size; None: the whole file.

    Several ranges, other units and malformed headers ask for the whole file, as RFC 9110 lets a
    server do. Raises ProblemError (416) when the range holds no byte of the file.
    """
    match = None if header is None else _RANGE.fullmatch(header)
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        part = range(max(0, size_bytes - int(last)), size_bytes)
    elif last and int(last) < int(first):
        return None
    else:
        part = range(int(first), min(size_bytes, int(last) + 1) if last else size_bytes)
    if len(part) == 0:
        raise ProblemError(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            f"{header!r} holds no byte of a file of {size_bytes} bytes",
            headers={"Content-Range": f"bytes */{size_bytes}"},
        )
    return part


class _FileResponse(StreamingResponse):
    """A part of an open file, read in the thread pool and closed whatever happens."""

    def __init__(
        self,
        file: BinaryIO,
        *,
        part: range,
        status: HTTPStatus,
        headers: dict[str, str],
        media_type: str,
    ) -> None:
        super().__init__(_chunks(file, part), status, headers, media_type)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._file:
            await super().__call__(scope, receive, send)


def _chunks(file: BinaryIO, part: range) -> Iterator[bytes]:
    """Bytes of a file; fewer than asked for when it shrinks, which ends the connection."""
    file.seek(part.start)
    left_bytes = len(part)
    while left_bytes and (chunk := file.read(min(CHUNK_BYTES, left_bytes))):
        left_bytes -= len(chunk)
        yield chunk


def _open_unchanged(snapshot: Snapshot, source: Source) -> tuple[BinaryIO, str]:
    found = open_unchanged(snapshot, source.id)
    if found is None:
        raise ProblemError(
            HTTPStatus.GONE,
            f"the file of {source.name} has changed or is gone since it was ingested; "
            "ingest it again",
        )
    return found


def _matches(if_none_match: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag in tags
