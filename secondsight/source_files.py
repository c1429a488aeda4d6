"""The files of sources, opened only while they are what was ingested."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from io import BytesIO
from typing import BinaryIO

import numpy as np
from PIL import Image

from generate.visuals import PicturesError
from index.catalog import MOMENT_KINDS
from index.errors import SourceError
from index.inventory import InventoryRow
from index.records import MomentKind, SourceKind, Span
from index.snapshot import Snapshot
from ingest.isolation import Lost, isolated, limits_of
from ingest.media import glance
from ingest.media_info import MediaInfo
from ingest.pyav_reader import read_frames, read_shown_at
from ingest.settings import DocumentSettings

_SEEK_FROM = Fraction(10)
"""Seconds between two times from which on the file is sought anew."""
_PICTURE_RENDERER = "ingest.mupdf.rendering.picture_renderer"
_SIDE_PX = 512
"""Longest side of the pictures that are looked at again; embedders see 224 to 384."""


def open_unchanged(snapshot: Snapshot, source_id: str) -> tuple[BinaryIO, str] | None:
    """The open file of a source, and its path; None when it has changed or is gone.

    Only a file that the inventory names for the source is opened, and only one whose size and time
    of modification are those that were ingested.
    """
    for row in snapshot.inventory():
        if row.source_id == source_id and row.outcome != "failed":
            file = _open_if_unchanged(row)
            if file is not None:
                return file, row.path
    return None


def _open_if_unchanged(row: InventoryRow) -> BinaryIO | None:
    """The file of a row; None when it is not the one that was ingested."""
    try:
        if not stat.S_ISREG(os.stat(row.path).st_mode):  # opening a pipe would wait for a writer
            return None
        file = open(row.path, "rb", buffering=0)  # noqa: SIM115 - the caller closes it
    except OSError:
        return None
    # What is open is looked at, so that no file can take its place after the look.
    status = os.fstat(file.fileno())
    if (status.st_size, status.st_mtime_ns) != (row.size_bytes, row.mtime_ns):
        file.close()
        return None
    return file


class SourceFrames:
    """Pictures of the sources of a snapshot, made anew from their files.

    A `retrieve.boundaries.Frames`, and a `generate.visuals.SourcePictures`.
    """

    def __init__(self, snapshot: Snapshot, documents: DocumentSettings | None = None) -> None:
        self._snapshot = snapshot
        self._documents = documents or DocumentSettings()

    def __call__(
        self, source_id: str, span: Span, *, rate_hz: float, go_on: Callable[[], bool]
    ) -> Iterator[tuple[Fraction, Image.Image]]:
        """Yield (time on the source's clock, picture) of a span, while `go_on` says so.

        Only the neighbourhood is decoded, from the keyframe before the span. Nothing when the file
        is gone or has changed, or has no pictures; no more where it cannot be decoded.
        """
        found = open_unchanged(self._snapshot, source_id)
        start = self._clock_start(source_id)
        duration = self._snapshot.sources[source_id].duration
        if found is None:
            return
        file, path = found
        file.close()
        if start is None or duration is None:
            return
        try:
            info = _glance(source_id, path, start, duration)
            for frame in read_frames(
                path,
                info,
                start=span.start,
                end=span.end,
                rate_hz=rate_hz,
                max_side_px=_SIDE_PX,
                go_on=go_on,
            ):
                yield frame.time, Image.fromarray(frame.image)
        except SourceError:
            return

    def is_there(self, source_id: str) -> bool:
        """Whether the file of a source is still the one that was ingested."""
        found = open_unchanged(self._snapshot, source_id)
        if found is None:
            return False
        found[0].close()
        is_document = self._snapshot.sources[source_id].kind is SourceKind.DOCUMENT
        return is_document or self._clock_start(source_id) is not None

    def shown_at(
        self, source_id: str, times: Sequence[Fraction], *, max_side_px: int
    ) -> list[Image.Image]:
        """The frames on show at rising times, one for each; what lies between is decoded, too.

        Far from each other, they are sought one by one. Raises PicturesError when one of them
        cannot be decoded.
        """
        source = self._snapshot.sources[source_id]
        found, start = open_unchanged(self._snapshot, source_id), self._clock_start(source_id)
        if found is None or start is None or source.duration is None:
            raise PicturesError(source_id, f"{source.name}: the file is gone or has changed")
        file, path = found
        file.close()
        try:
            info = _glance(source_id, path, start, source.duration)
            return [
                Image.fromarray(frame.image)
                for run in _runs(times)
                for frame in read_shown_at(path, info, run, max_side_px=max_side_px)
            ]
        except SourceError as error:
            raise PicturesError(source_id, f"{source.name}: {error.reason}") from error

    def page_at(self, source_id: str, page: int, *, side_px: int) -> Image.Image:
        """A page, from 1, about `side_px` on its longer side, rendered in a process with limits.

        Raises PicturesError when the file is gone or has changed, or the page cannot be rendered.
        """
        name = self._snapshot.sources[source_id].name
        found = open_unchanged(self._snapshot, source_id)
        if found is None:
            raise PicturesError(source_id, f"{name}: the file is gone or has changed")
        file, path = found
        file.close()
        arguments = (path, self._documents.password_file)
        try:
            (made,) = isolated(
                _PICTURE_RENDERER, arguments, [(page, side_px)], limits_of(self._documents)
            )
        except SourceError as error:
            raise PicturesError(source_id, f"{name}: {error.reason}") from error
        if isinstance(made, Lost):
            raise PicturesError(source_id, f"{name}: page {page}: {made.reason}")
        return Image.open(BytesIO(made.value)).convert("RGB")

    def _clock_start(self, source_id: str) -> Fraction | None:
        """Raw time of clock 0, in seconds, as any frame of the source tells it; None: it has none.

        Probing would find it, too, but reads whole files of some formats.
        """
        own = self._snapshot.source_range(source_id)
        kinds = self._snapshot.columns.kind[own.start : own.stop]
        frames = np.flatnonzero(kinds == MOMENT_KINDS.index(MomentKind.FRAME))[:1]
        for stored in self._snapshot.moments(frames + own.start):
            raw = stored.moment.frame_time
            if raw is not None:
                return raw.pts * raw.time_base - stored.moment.span.start
        return None


def _runs(times: Sequence[Fraction]) -> list[list[Fraction]]:
    """The times, cut where seeking costs less than decoding what lies between."""
    runs: list[list[Fraction]] = []
    for time in times:
        if not runs or time - runs[-1][-1] > _SEEK_FROM:
            runs.append([])
        runs[-1].append(time)
    return runs


@lru_cache(maxsize=256)
def _glance(source_id: str, path: str, start: Fraction, duration: Fraction) -> MediaInfo:
    """Kept by the source's id, which is the hash of the file's content."""
    return glance(path, start, duration)
