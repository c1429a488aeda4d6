"""The second frame reader: random access through decord, with the times PyAV lists.

The only module that imports decord. decord numbers pictures and gives their times as 32-bit
floats, counted from the first picture: exact times come from the packets. It also returns wrong
pictures without a word (open GOP, edit lists, seeks in MPEG-TS), so a file it cannot be
trusted with is refused before any picture is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Final

import decord
import numpy as np
import numpy.typing as npt
from PIL import Image

from index.errors import SourceError
from ingest import still
from ingest.media import list_pictures
from ingest.media_info import Frame, MediaInfo, Packet, VideoFacts, scaled_size
from ingest.sampling import sample

__all__ = ["read_frames"]

_BATCH: Final = 8
"""Pictures decoded at a time: what is held in memory."""
_SEEKABLE_FORMATS: Final = frozenset({"mov", "matroska"})
"""Formats proven by the conformance suite. In MPEG-TS, MPEG-PS and ASF decord's seeks go astray."""
_FLOAT_STEP: Final = 2.0**-23
"""Relative step of 32-bit floats, in which decord gives times."""
_NO_FAULTS: Final = 1e-9
"""Largest share of pictures that may be replaced by another one: none."""

decord.logging.set_level(decord.logging.QUIET)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A picture of the track before it is decoded."""

    number: int
    time: Fraction
    keyframe: bool
    burst: bool
    packet: Packet


def read_frames(
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
    """Yield the pictures that `ingest.pyav_reader.read_frames` yields; same contract, same times.

    Memory: 8 pictures, and a few dozen bytes a picture of the whole track.

    Raises SourceError (stage "frames") where decord cannot be trusted with the file; the PyAV
    reader (`ingest.frames.reader: pyav`) reads it.
    """
    if info.video is None:
        raise SourceError(path, "frames", "has no picture track")
    packets = list_pictures(path, info)
    reason = _reason_untrusted(info, info.video, packets)
    if reason is not None:
        raise _refusal(path, reason)
    rate = Fraction(rate_hz).limit_denominator(1000)
    bursts = {packet.pts: False for packet in packets}
    if skip_still and rate and info.video.codec in still.CODECS:
        kept = still.lively(packets, rate=rate, time_base=packets[0].time_base)
        bursts = {one.packet.pts: one.burst for one in kept}
    packets = sorted(packets, key=lambda packet: packet.pts)
    reader = _opened(path, threads, packets)
    entries = [
        _Entry(
            number,
            packet.pts * packet.time_base - info.start,
            packet.keyframe,
            bursts[packet.pts],
            packet,
        )
        for number, packet in enumerate(packets)
        if packet.pts in bursts
    ]
    said = notes if notes is not None else []
    known = _from_keyframe(entries, start, keyframes_only=not rate)
    chosen = sample(iter(known), info.video, start=start, end=end, rate=rate, notes=said)
    while batch := list(islice(chosen, _BATCH)):
        for entry, stored in zip(batch, _decoded(path, reader, batch), strict=True):
            image = _shaped(stored, info, max_side_px)
            packet = entry.packet
            yield Frame(entry.time, packet.pts, packet.time_base, entry.keyframe, image)


def _from_keyframe(
    entries: Sequence[_Entry], start: Fraction | None, *, keyframes_only: bool
) -> list[_Entry]:
    """The entries from the last keyframe at or before `start`, as a decoder would give them."""
    if keyframes_only:
        entries = [entry for entry in entries if entry.keyframe]
    before = [
        at
        for at, entry in enumerate(entries)
        if entry.keyframe and start is not None and entry.time <= start
    ]
    return list(entries[before[-1] if before else 0 :])


def _reason_untrusted(info: MediaInfo, video: VideoFacts, packets: Sequence[Packet]) -> str | None:
    """Why the packets, in decoding order, tell that decord would return wrong pictures."""
    end = max((one.pts * one.time_base + one.length for one in packets), default=info.start)
    spare = packets[0].length if packets else 0
    doubts = (
        (
            not _SEEKABLE_FORMATS & set(info.container.split(",")),
            f"it does not seek exactly in {info.container}",
        ),
        (video.tracks > 1, f"it would choose among {video.tracks} picture tracks by itself"),
        (video.mirrored, "it does not mirror pictures"),
        (
            not packets or not packets[0].keyframe,
            "its pictures do not begin with a keyframe",
        ),
        (end - info.start + spare < video.end, "it is cut short"),
        (_has_open_groups(packets), "its groups of pictures are open"),
    )
    return next((reason for doubted, reason in doubts if doubted), None)


def _has_open_groups(packets: Sequence[Packet]) -> bool:
    """Whether a picture decoded after a keyframe is shown before it."""
    keyframe: int | None = None
    for packet in packets:
        if packet.keyframe:
            keyframe = packet.pts
        elif keyframe is not None and packet.pts < keyframe:
            return True
    return False


def _opened(path: str, threads: int, packets: Sequence[Packet]) -> decord.VideoReader:
    """Open the file and check that decord sees the pictures that the packets announce."""
    try:
        # An absolute path: names like "http:..." must not reach the network.
        reader = decord.VideoReader(
            os.path.abspath(path), num_threads=threads, fault_tol=_NO_FAULTS
        )
        count = len(reader)
        if count != len(packets):
            raise _refusal(path, f"it sees {count} pictures where the file shows {len(packets)}")
        seen = reader.get_frame_timestamp(range(count))[:, 0]
    except (decord.DECORDError, RuntimeError, AssertionError, UnicodeError) as error:
        raise _refusal(path, "it cannot open the file") from error
    unit = packets[0].time_base
    ticks = np.array([packet.pts - packets[0].pts for packet in packets], dtype=np.float64)
    expected = ticks * float(unit)
    # A shared offset is decord's own (it counts from the first picture): only distances matter.
    distance = np.abs((seen.astype(np.float64) - float(seen[0])) - expected)
    reach = 4 * _FLOAT_STEP * (np.abs(expected) + abs(float(seen[0]))) + float(unit) / 2
    if not np.all(distance <= reach):
        raise _refusal(path, "its times are not those of the file")
    return reader


def _decoded(
    path: str, reader: decord.VideoReader, batch: Sequence[_Entry]
) -> npt.NDArray[np.uint8]:
    try:
        pictures: npt.NDArray[np.uint8] = reader.get_batch(
            [entry.number for entry in batch]
        ).asnumpy()
    except (decord.DECORDError, RuntimeError) as error:
        raise _refusal(path, "it cannot decode all pictures") from error
    return pictures


def _shaped(
    stored: npt.NDArray[np.uint8], info: MediaInfo, max_side_px: int
) -> npt.NDArray[np.uint8]:
    """Upright (decord turned it already) with square pixels, no side longer than asked."""
    assert info.video is not None
    wanted = scaled_size((info.video.width_px, info.video.height_px), max_side_px)
    if wanted == (stored.shape[1], stored.shape[0]):
        return stored
    return np.asarray(Image.fromarray(stored).resize(wanted, Image.Resampling.BOX))


def _refusal(path: str, reason: str) -> SourceError:
    advice = "set ingest.frames.reader to pyav"
    return SourceError(path, "frames", f"decord cannot be trusted with it, {reason}; {advice}")
