"""What a media file is: the facts probing finds, one decoded picture, why a file is none."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from index.errors import SourceError

SAMPLE_RATE_HZ: Final = 16_000
"""Rate of the sound that `read_audio` returns."""


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """The picture track that is played."""

    index: int
    codec: str
    width_px: int
    """As displayed: after rotation and sample aspect ratio."""
    height_px: int
    rate_hz: Fraction | None
    """Average frames per second, for show: never used for times. None when unknown."""
    start: Fraction
    """First picture, seconds on the clock."""
    end: Fraction
    """End of the last picture, seconds on the clock."""
    pixel_aspect: Fraction
    """Width of a stored pixel over its height."""
    mirrored: bool = False
    """The file asks for a mirrored display, as front cameras do."""
    tracks: int = 1
    """Picture tracks in the file, cover art included."""


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """The sound track that is played."""

    index: int
    codec: str
    rate_hz: int
    start: Fraction
    """First sound, seconds on the clock."""
    end: Fraction
    language: str | None
    """ISO 639 code as the file states it; None when it states none."""


@dataclass(frozen=True, slots=True)
class SubtitleFacts:
    """A subtitle stream."""

    index: int
    codec: str
    language: str | None
    """ISO 639 code as the file states it; None when it states none."""
    default: bool
    forced: bool
    """Whether it holds only what is said in a foreign language."""
    is_text: bool
    """False for pictures of text (DVD, Blu-ray, DVB)."""


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a media file is. At least one of video and audio is there."""

    container: str
    """FFmpeg's name of the format, e.g. `mov,mp4,m4a,3gp,3g2,mj2`."""
    start: Fraction
    """Raw timestamp in seconds at which the clock is 0."""
    duration: Fraction
    """Exact seconds from clock 0 to the end of the last stream."""
    video: VideoFacts | None
    audio: AudioFacts | None
    title: str | None
    """Title from the file's metadata."""
    subtitles: tuple[SubtitleFacts, ...] = ()
    """Every subtitle stream, in the order of the file."""
    notes: tuple[str, ...] = ()
    """What is known to be missing at its end."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded picture."""

    time: Fraction
    """Seconds on the clock: pts x time_base - start of the container."""
    pts: int
    """Raw timestamp, in units of `time_base`."""
    time_base: Fraction
    keyframe: bool
    image: npt.NDArray[np.uint8]
    """uint8, height x width x 3 (RGB), upright, square pixels."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture with its times; its pixels stay as the decoder left them."""

    time: Fraction
    pts: int
    time_base: Fraction
    keyframe: bool
    burst: bool
    """True when something new is shown after a stretch that was not decoded in full."""
    raw: Any
    """PyAV's VideoFrame."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Start and end of a stream as its raw timestamps say, in exact seconds."""

    start: Fraction
    end: Fraction

    def union(self, other: Extent) -> Extent:
        """The smallest extent that covers both."""
        return Extent(min(self.start, other.start), max(self.end, other.end))


@dataclass(frozen=True, slots=True)
class Packet:
    """What one packet of a stream says of itself."""

    index: int
    """Of its stream."""
    pts: int
    """Raw timestamp, in units of `time_base`."""
    time_base: Fraction
    length: Fraction
    """Seconds."""
    keyframe: bool
    size_bytes: int = 0


def extents_of(packets: Iterable[Packet]) -> dict[int, Extent]:
    """What the timestamps of all packets cover, by the index of the stream."""
    extents: dict[int, Extent] = {}
    for packet in packets:
        begin = packet.pts * packet.time_base
        extent = Extent(begin, begin + packet.length)
        extents[packet.index] = extents.get(packet.index, extent).union(extent)
    return extents


def on_the_clock(
    container: str, title: str | None, video: VideoFacts | None, audio: AudioFacts | None
) -> MediaInfo:
    """Move facts with raw times to the clock on which the earliest of them starts at 0."""
    played = [facts for facts in (video, audio) if facts is not None]
    start = min(facts.start for facts in played)
    if video is not None:
        video = replace(video, start=video.start - start, end=video.end - start)
    if audio is not None:
        audio = replace(audio, start=audio.start - start, end=audio.end - start)
    duration = max(facts.end for facts in played) - start
    return MediaInfo(container, start, duration, video, audio, title)


def raw_time(path: str, picture: Any) -> tuple[int, Fraction]:
    """Raw time of PyAV's VideoFrame: its PTS, or where a format has none (AVI) its decoding time.

    Raises SourceError (stage "frames") when it has neither.
    """
    pts = picture.pts if picture.pts is not None else picture.dts
    if pts is None or picture.time_base is None:
        raise SourceError(path, "frames", "its pictures carry no timestamps")
    return pts, picture.time_base


def displayed_size(
    width_px: int, height_px: int, aspect: Fraction, rotation: int
) -> tuple[int, int]:
    """Width and height of a picture with square pixels, turned upright (`rotation` in degrees)."""
    width_px = max(1, round(width_px * aspect))
    if round(rotation / 90) % 2:
        width_px, height_px = height_px, width_px
    return width_px, height_px


def scaled_size(size_px: tuple[int, int], max_side_px: int) -> tuple[int, int]:
    """Width and height scaled down so that no side is longer than asked."""
    scale = min(Fraction(1), Fraction(max_side_px, max(size_px)))
    return max(1, round(size_px[0] * scale)), max(1, round(size_px[1] * scale))


def upright(
    image: npt.NDArray[np.uint8], matrix: npt.NDArray[np.int32] | None
) -> npt.NDArray[np.uint8]:
    """Turn and mirror a stored picture as its display matrix (ISO 14496-12, 6.2.2) says."""
    if matrix is not None:
        right, swap_down, swap_right, down = (int(matrix[at]) for at in (0, 1, 3, 4))
        if abs(swap_down) > abs(right):
            image, right, down = image.swapaxes(0, 1), swap_right, swap_down
        image = image[:: -1 if down < 0 else 1, :: -1 if right < 0 else 1]
    return np.ascontiguousarray(image)


def is_mirror(matrix: npt.NDArray[np.int32] | None) -> bool:
    """Whether a display matrix mirrors: no turning alone gives what it asks for."""
    if matrix is None:
        return False
    return int(matrix[0]) * int(matrix[4]) - int(matrix[1]) * int(matrix[3]) < 0


def reason_unreadable(path: str) -> str | None:
    """Why the file cannot be read at all; None when it can."""
    try:
        with open(path, "rb") as file:
            return None if file.read(1) else "is empty"
    except FileNotFoundError:
        return "does not exist"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def reason_not_media(path: str) -> str:
    """Why FFmpeg refused it: the usual cause is a recording or copy that was cut short."""
    with open(path, "rb") as file:
        size_bytes = os.path.getsize(path)
        offset = 0
        kinds: set[bytes] = set()
        while offset + 8 <= size_bytes and len(kinds) < 64:
            file.seek(offset)
            header = file.read(16)
            kinds.add(header[4:8])
            length = int.from_bytes(header[:4], "big")
            length = int.from_bytes(header[8:16], "big") if length == 1 else length
            if length < 8:
                break
            offset += length
    if b"ftyp" in kinds and b"moov" not in kinds:
        return "is an incomplete MP4: its index (moov) is missing, the recording was cut short"
    return "is not a media file, or is damaged beyond reading"
