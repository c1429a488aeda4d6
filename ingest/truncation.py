"""What the head of a media file says of the whole of it, and so what is missing at its end.

FFmpeg reads what is there and is silent about the rest. Here only sizes and durations are read, a
bounded number of bytes at places that the file itself names; whatever makes no sense counts as not
said. Formats that say nothing of their length (MPEG program streams, raw streams, recordings that
were written into a pipe) end where they end: nobody can know.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from struct import unpack
from typing import BinaryIO, Final

from index.clock import format_clock

_HEAD_BYTES: Final = 1 << 16
_MOST_BOXES: Final = 100_000
"""A day of MP4 in fragments of 2 s."""
_BOXES: Final = frozenset(
    {b"mdat", b"moov", b"moof", b"mfra", b"free", b"skip", b"wide", b"uuid", b"meta", b"sidx"}
)
"""Outer boxes whose size is believed: behind the last box, any bytes may follow."""
_STREAMED: Final = 0x7FFF_0000
"""RIFF sizes from here on are what programs write that do not know the size yet."""
_UNKNOWN: Final = 1 << 56
"""Larger than any size of a Matroska element: one whose size is not known."""
_OGG_PAGE_BYTES: Final = 27 + 255 + 255 * 255
_TS_PACKETS: Final = ((188, 0), (192, 4), (204, 0))
"""Bytes of a packet (ISO 13818-1; with time code; with check sums), and where its 0x47 is."""
_TOLERANCE: Final = Fraction(1)
"""A duration is believed to the second: headers are rounded, and count what is never shown."""
_WORTH_TELLING: Final = Fraction(1, 10)
"""Less than this many seconds are told in bytes."""


@dataclass(frozen=True, slots=True)
class Announced:
    """What a file says of itself; None where it says nothing."""

    size_bytes: int | None = None
    duration: Fraction | None = None
    """Seconds."""
    ends_whole: bool = True
    """False when it ends within a packet, or without the mark of an end that its format asks for.
    """


def read_announced(path: str, container: str) -> Announced:
    """What a file of a format (FFmpeg's name of it) says of its length. Raises OSError."""
    reader = _READERS.get(container.partition(",")[0])
    if reader is None:
        return Announced()
    with open(path, "rb") as file:
        return reader(file, os.fstat(file.fileno()).st_size)


def is_cut(told: Announced, size_bytes: int) -> bool:
    """Whether bytes are missing, whatever the times say."""
    return not told.ends_whole or (told.size_bytes or 0) > size_bytes


def is_early(told: Announced, end: Fraction) -> bool:
    """Whether an end, in seconds, is earlier than what a file says of its duration."""
    return told.duration is not None and told.duration - end > _TOLERANCE


def missing_end(
    told: Announced, size_bytes: int, *, end: Fraction, announced: Fraction
) -> str | None:
    """A note on what is missing; None when nothing is known to be.

    `end` is where the last packet ends, `announced` the end by the header, in seconds on the clock.
    """
    if not is_cut(told, size_bytes) and not is_early(told, end):
        return None
    if announced - end > _WORTH_TELLING:
        times = f"{format_clock(end)} although its header says {format_clock(announced)}"
        return f"ends at {times}: the rest is missing"
    missing_bytes = (told.size_bytes or 0) - size_bytes
    if missing_bytes > 0:
        return f"its last {missing_bytes:,} bytes are missing: its header announces them"
    return f"ends at {format_clock(end)} unfinished: it was cut short, or never completed"


def _matroska(file: BinaryIO, size_bytes: int) -> Announced:
    """RFC 9559: the sizes of elements, `Segment` and in it `Info`."""
    head = file.read(_HEAD_BYTES)
    header = _element(head, 0)
    segment = _element(head, header[2]) if header and header[0] == 0x1A45DFA3 else None
    if segment is None or segment[0] != 0x18538067:
        return Announced()
    _, at, end = segment
    duration = None
    while (child := _element(head, at)) is not None and child[0] != 0x1F43B675:  # Cluster
        if child[0] == 0x1549A966:
            duration = _matroska_duration(head[: child[2]], child[1])
        at = child[2]
    return Announced(end if end - segment[1] < _UNKNOWN else None, duration)


def _matroska_duration(info: bytes, at: int) -> Fraction | None:
    scale_ns, ticks = 1_000_000, 0.0
    while (child := _element(info, at)) is not None:
        content = info[child[1] : child[2]]
        if child[0] == 0x2AD7B1:
            scale_ns = int.from_bytes(content[:8], "big")
        elif child[0] == 0x4489 and len(content) in (4, 8):
            (ticks,) = unpack(">f" if len(content) == 4 else ">d", content)
        at = child[2]
    return _seconds(ticks * scale_ns / 1e9)


def _element(data: bytes, at: int) -> tuple[int, int, int] | None:
    """The element at a place (RFC 8794): its id, where its content begins and where it ends."""
    id_bytes = _vint_bytes(data, at)
    size_at = at + id_bytes
    size_bytes = _vint_bytes(data, size_at)
    begin = size_at + size_bytes
    if not id_bytes or not size_bytes or begin > len(data):
        return None
    ones = (1 << 7 * size_bytes) - 1
    length = int.from_bytes(data[size_at:begin], "big") & ones
    end = begin + (_UNKNOWN if length == ones else length)
    return int.from_bytes(data[at:size_at], "big"), begin, end


def _vint_bytes(data: bytes, at: int) -> int:
    """Length of a number of variable length, from its first byte; 0: there is none."""
    return 9 - data[at].bit_length() if at < len(data) and data[at] else 0


def _riff(file: BinaryIO, size_bytes: int) -> Announced:
    """AVI and WAV: the sizes of the outer chunks, several in an AVI above 1 GB, and `ds64`."""
    head = file.read(_HEAD_BYTES)
    at, count = 0, 0
    while at + 12 <= size_bytes and count < _MOST_BOXES:
        file.seek(at)
        chunk = file.read(28)
        length = int.from_bytes(chunk[4:8], "little")
        if chunk[:4] == b"RF64" and chunk[12:16] == b"ds64":
            length = int.from_bytes(chunk[20:28], "little")
        elif chunk[:4] != b"RIFF" or not 0 < length < _STREAMED:
            break
        at, count = at + 8 + length, count + 1
        at += at % 2
    return Announced(_unpadded(at, size_bytes), _avi_duration(head))


def _avi_duration(head: bytes) -> Fraction | None:
    """Number of pictures over their rate, from the headers of the tracks."""
    durations = []
    at = head.find(b"strh")
    while at >= 0:
        scale, rate, _, length = unpack("<4I", head[at + 28 : at + 44].ljust(16, b"\0"))
        if head[at + 8 : at + 12] == b"vids" and rate:
            durations.append(Fraction(length * scale, rate))
        at = head.find(b"strh", at + 4)
    return max(durations, default=None)


def _aiff(file: BinaryIO, size_bytes: int) -> Announced:
    head = file.read(8)
    end = 8 + int.from_bytes(head[4:], "big")
    return Announced(_unpadded(end + end % 2, size_bytes) if head[:4] == b"FORM" else None)


def _unpadded(end: int, size_bytes: int) -> int:
    """The byte that makes the last chunk even is often left out."""
    return size_bytes if end == size_bytes + 1 else end


def _mp4(file: BinaryIO, size_bytes: int) -> Announced:
    """ISO 14496-12, 4.2: the sizes of the outer boxes; 8.8.4: media follows a `moof`."""
    at, kind = 0, b""
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        length = int.from_bytes(head[8:16], "big") if length == 1 else length
        if length < 8:  # 0: to the end of the file
            break
        kind = head[4:8]
        if at + length > size_bytes:
            return Announced(at + length if kind in _BOXES else None)
        at += length
    return Announced(ends_whole=kind != b"moof")


def _flv(file: BinaryIO, size_bytes: int) -> Announced:
    """Numbers of the `onMetaData` script tag (Adobe FLV 10.1, E.5)."""
    head = file.read(_HEAD_BYTES)
    told = _flv_number(head, b"filesize")
    return Announced(None if told is None else int(told), _flv_number(head, b"duration"))


def _flv_number(head: bytes, name: bytes) -> Fraction | None:
    _, said, end = head.partition(b"onMetaData")[2].partition(b"\0\x08" + name + b"\0")
    return _seconds(unpack(">d", end[:8])[0]) if said and len(end) >= 8 else None


def _asf(file: BinaryIO, size_bytes: int) -> Announced:
    """File Properties Object (ASF 1.20.03, 3.2)."""
    head = file.read(_HEAD_BYTES)
    at = head.find(bytes.fromhex("A1DCAB8C47A9CF118EE400C00C205365"))
    if at < 0 or at + 92 > len(head):
        return Announced()
    told_bytes, _, _, play, _, preroll_ms, flags = unpack("<6QI", head[at + 40 : at + 92])
    if flags & 1:  # A broadcast: its length was not known.
        return Announced()
    duration = Fraction(play, 10**7) - Fraction(preroll_ms, 1000)
    return Announced(told_bytes, duration if duration > 0 else None)


def _ogg(file: BinaryIO, size_bytes: int) -> Announced:
    """RFC 3533, 6: the last page is whole, and marked as the end of its stream."""
    file.seek(max(0, size_bytes - _OGG_PAGE_BYTES))
    tail = file.read(_OGG_PAGE_BYTES)
    page = tail[max(0, tail.rfind(b"OggS")) :]
    segments = page[26] if len(page) > 26 else 255
    whole = len(page) >= 27 + segments + sum(page[27 : 27 + segments])
    return Announced(ends_whole=whole and bool(page[5] & 4))


def _mpegts(file: BinaryIO, size_bytes: int) -> Announced:
    """A file of whole packets; a cut between two packets leaves no trace."""
    head = file.read(_HEAD_BYTES)
    for packet_bytes, sync_at in _TS_PACKETS:
        starts = range(sync_at, min(len(head), 8 * packet_bytes), packet_bytes)
        if len(starts) > 1 and all(head[at] == 0x47 for at in starts):
            return Announced(ends_whole=size_bytes % packet_bytes == 0)
    return Announced()


def _mp3(file: BinaryIO, size_bytes: int) -> Announced:
    """The number of bytes in the `Xing` or `Info` frame, which is behind the tag of ID3v2."""
    tag = file.read(10)
    at = 0
    if tag[:3] == b"ID3" and len(tag) == 10:
        at = 10 + sum(part << shift for part, shift in zip(tag[6:], (21, 14, 7, 0), strict=True))
    file.seek(at)
    frame = file.read(64)
    found = max(frame.find(b"Xing"), frame.find(b"Info"))
    flags = int.from_bytes(frame[found + 4 : found + 8], "big")
    if found < 0 or not flags & 2:
        return Announced()
    number_at = found + (12 if flags & 1 else 8)
    return Announced(at + int.from_bytes(frame[number_at : number_at + 4], "big"))


def _flac(file: BinaryIO, size_bytes: int) -> Announced:
    """RFC 9639, 8.2: the number of samples and their rate."""
    head = file.read(26)
    numbers = int.from_bytes(head[18:26], "big")
    rate_hz, samples = numbers >> 44, numbers & (1 << 36) - 1
    if head[:4] != b"fLaC" or len(head) < 26 or not rate_hz or not samples:
        return Announced()
    return Announced(duration=Fraction(samples, rate_hz))


def _seconds(number: float) -> Fraction | None:
    return Fraction(number) if isfinite(number) and number > 0 else None


_READERS: Final[dict[str, Callable[[BinaryIO, int], Announced]]] = {
    "aiff": _aiff,
    "asf": _asf,
    "avi": _riff,
    "flac": _flac,
    "flv": _flv,
    "matroska": _matroska,
    "mov": _mp4,
    "mp3": _mp3,
    "mpegts": _mpegts,
    "ogg": _ogg,
    "wav": _riff,
}
