"""The contract of frame readers, and the choice between them by configuration."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Literal, Protocol

from ingest import pyav_reader
from ingest.media_info import Frame, MediaInfo


class FrameReader(Protocol):
    """Yields the same pictures with the same exact times whatever decodes them."""

    def __call__(
        self,
        path: str,
        info: MediaInfo,
        *,
        start: Fraction | None = None,
        end: Fraction | None = None,
        rate_hz: float = 1.0,
        max_side_px: int = 1280,
        threads: int = 0,
        skip_still: bool = False,
        notes: list[str] | None = None,
    ) -> Iterator[Frame]:
        """Yield, of [start, end), keyframes and the first picture at or after each k / rate_hz.

        Cutting [a, c) at any b gives the same frames: [a, b) and then [b, c). `skip_still` leaves
        out frames of stretches in which nothing changes (`ingest.still`), and adds the picture
        that ends such a stretch.

        Raises SourceError (stage "frames") when the pictures or their times cannot be had.
        """


def frame_reader(name: Literal["pyav", "decord"]) -> FrameReader:
    """The reader of that name; decord is loaded only when it is asked for."""
    if name == "pyav":
        return pyav_reader.read_frames
    from ingest import decord_reader

    return decord_reader.read_frames
