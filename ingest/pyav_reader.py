"""The first frame reader: streaming through PyAV, pictures with exact times on the clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Final, TypeAlias

import av
import av.error
import numpy as np
import numpy.typing as npt
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream

from index.errors import SourceError
from ingest import foresight, still
from ingest.media import demuxed, display_matrix, open_media
from ingest.media_info import (
    Frame,
    MediaInfo,
    Picture,
    VideoFacts,
    displayed_size,
    raw_time,
    scaled_size,
    upright,
)
from ingest.sampling import pictures_from, sample

_AvPacket: TypeAlias = "av.Packet[VideoStream]"
_PROGRESSIVE: Final = 1  # AV_FIELD_PROGRESSIVE
_UNSPECIFIED_COLORSPACE: Final = 2  # AVCOL_SPC_UNSPECIFIED
_EVERY_PICTURE: Final = Fraction(1, 1000)
"""A rate so low that `ingest.foresight` leaves nothing undecoded."""


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
    go_on: Callable[[], bool] = lambda: True,
) -> Iterator[Frame]:
    """Yield, of the pictures in [start, end), keyframes and the first at or after each k / rate_hz.

    Cutting [a, c) at any b gives the same frames: [a, b) and then [b, c). With `rate_hz` 0 only
    keyframes are decoded. `skip_still` leaves out frames of stretches in which nothing changes,
    which are not decoded then, and adds the picture that ends such a stretch (`ingest.still`).
    Nor are pictures decoded that nobody needs (`ingest.foresight`). Those that cannot be decoded
    are skipped (with such a one first, the next that was decoded is sampled); what was skipped, and
    an early end of the file, is said in `notes`. When `go_on`, asked at every decoded picture, says
    no, there are no more. Memory: one picture, whatever the duration.

    Raises SourceError (stage "frames") when there is no picture track, or it has no timestamps.
    """
    if info.video is None:
        raise SourceError(path, "frames", "has no picture track")
    said = notes if notes is not None else []
    rate = Fraction(rate_hz).limit_denominator(1000)
    decoder = _Decoder(path, info, info.video, threads, rate, skip_still, said)
    pictures = pictures_from(decoder.pictures, start, first=info.video.start)
    shaper = _Shaper(max_side_px, info.video.pixel_aspect)
    try:
        taken = sample(
            pictures, info.video, start=start, end=end, rate=rate, notes=said, go_on=go_on
        )
        for picture in taken:
            image = shaper.image(picture.raw)
            yield Frame(picture.time, picture.pts, picture.time_base, picture.keyframe, image)
    except av.error.FFmpegError as error:
        raise SourceError(path, "frames", f"cannot be decoded: {error.strerror}") from error
    if decoder.broken:
        said.append(f"{decoder.broken} pictures could not be decoded")


def read_shown_at(
    path: str,
    info: MediaInfo,
    times: Sequence[Fraction],
    *,
    max_side_px: int,
    threads: int = 0,
) -> Iterator[Frame]:
    """Yield the picture on show at each of some rising times: the last that begins by then.

    Before the first picture that is the first. All between the first and the last time is decoded.
    Raises SourceError (stage "frames") when there is no picture track, or a picture that could
    tell is missing.
    """
    if info.video is None:
        raise SourceError(path, "frames", "has no picture track")
    decoder = _Decoder(path, info, info.video, threads, _EVERY_PICTURE, False, [])
    shaper = _Shaper(max_side_px, info.video.pixel_aspect)
    try:
        for picture in _shown_at(decoder, info.video, times):
            image = shaper.image(picture.raw)
            yield Frame(picture.time, picture.pts, picture.time_base, picture.keyframe, image)
    except av.error.FFmpegError as error:
        raise SourceError(path, "frames", f"cannot be decoded: {error.strerror}") from error
    if decoder.broken or decoder.notes:
        raise SourceError(path, "frames", "cannot be decoded there")


def _shown_at(decoder: _Decoder, video: VideoFacts, times: Sequence[Fraction]) -> Iterator[Picture]:
    shown: Picture | None = None
    wanted = deque(times)
    for picture in pictures_from(decoder.pictures, times[0], first=video.start):
        while shown is not None and wanted and wanted[0] < picture.time:
            yield shown
            wanted.popleft()
        if not wanted:
            return
        shown = picture
    if shown is None:
        raise SourceError(decoder.path, "frames", "has no pictures there")
    yield from (shown for _ in wanted)


@dataclass(slots=True)
class _Decoder:
    """Decodes one picture track in display order, from any instant on."""

    path: str
    info: MediaInfo
    video: VideoFacts
    threads: int
    rate: Fraction
    """Sampling rate; 0: keyframes only."""
    skip_still: bool
    notes: list[str]
    broken: int = 0
    """Pictures that were skipped since the last seek."""
    _bursts: set[int] = field(default_factory=set)
    """Raw times of the pictures that ended a stretch of stillness."""

    def pictures(self, instant: Fraction | None) -> Generator[Picture, None, None]:
        """Yield pictures, times strictly rising, from where a seek to `instant` lands."""
        self.broken = 0
        previous: Fraction | None = None
        self._bursts.clear()
        for raw in self._decoded(instant):
            pts, time_base = raw_time(self.path, raw)
            time = pts * time_base - self.info.start
            # After a seek, pictures before the first keyframe lack the pictures they refer to.
            leading = previous is None and instant is not None and not raw.key_frame
            if leading or time < 0:
                continue
            if raw.is_corrupt or (previous is not None and time <= previous):
                self.broken += 1
                continue
            previous = time
            yield Picture(time, pts, time_base, bool(raw.key_frame), pts in self._bursts, raw)

    def _decoded(self, instant: Fraction | None) -> Iterator[av.VideoFrame]:
        with open_media(self.path) as container:
            stream = container.streams[self.video.index]
            assert isinstance(stream, VideoStream)
            assert stream.time_base is not None
            stream.thread_type, stream.codec_context.thread_count = "AUTO", self.threads
            if not self.rate:
                stream.codec_context.skip_frame = "NONKEY"
            if instant is not None:
                raw = floor((instant + self.info.start) / stream.time_base)
                container.seek(raw, stream=stream)
            packets = self._readable(demuxed(container, [stream]))
            for packet in self._chosen(packets, stream, stream.time_base):
                yield from self._pictures_of(stream, packet)
            yield from self._pictures_of(stream, None)

    def _chosen(
        self, packets: Iterator[_AvPacket], stream: VideoStream, time_base: Fraction
    ) -> Iterator[_AvPacket | None]:
        """The packets to decode, with the decoder set to what is needed of each; None: a gap."""
        coded = (_CodedPacket(packet) for packet in packets)
        if self.skip_still and self.rate and self.video.codec in still.CODECS:
            lively = still.lively(coded, rate=self.rate, time_base=time_base)
        else:
            lively = still.as_they_are(coded)
        foreseen = self._foreseen(stream, time_base)
        for one in lively:
            packet = one.packet
            if one.gap:
                yield None
                stream.codec_context.flush_buffers()
            if one.burst and packet.pts is not None:
                self._bursts.add(packet.pts)
            if foreseen is not None:
                needed = (
                    packet.keyframe
                    or one.burst
                    or packet.pts is None
                    or packet.raw.is_discard  # Never shown: it must not stand for its tick.
                    or foreseen.may_be_sampled(packet.pts)
                )
                stream.codec_context.skip_frame = "DEFAULT" if needed else "NONREF"
            yield packet.raw

    def _foreseen(self, stream: VideoStream, time_base: Fraction) -> foresight.Foresight | None:
        """Tells which pictures are needed; None: all are, or keyframes only."""
        # A packet of interlaced video may hold half a picture.
        progressive = stream.codec_context.field_order == _PROGRESSIVE
        known = progressive and self.video.codec in foresight.CODECS
        if not known or self.rate < foresight.SLOWEST:
            return None
        return foresight.Foresight(self.rate, time_base, self.info.start)

    def _readable(self, packets: Iterator[_AvPacket]) -> Iterator[_AvPacket]:
        """The packets of the track up to where the file cannot be read any further."""
        try:
            yield from (packet for packet in packets if packet.size)
        except av.error.FFmpegError as error:
            self.notes.append(f"pictures could not be read to the end: {error.strerror}")

    def _pictures_of(
        self, stream: VideoStream, packet: _AvPacket | None
    ) -> Iterator[av.VideoFrame]:
        """What a packet lets the decoder show; None: what it still holds."""
        try:
            for picture in stream.codec_context.decode(packet):
                if picture.time_base is None:  # Lost by what the decoder held.
                    picture.time_base = stream.time_base
                yield picture
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            self.broken += 1


class _CodedPacket:
    """PyAV's Packet as `ingest.still` looks at it."""

    __slots__ = ("keyframe", "pts", "raw", "size_bytes")

    def __init__(self, raw: _AvPacket) -> None:
        self.raw, self.pts = raw, raw.pts
        self.size_bytes, self.keyframe = raw.size, raw.is_keyframe


class _Shaper:
    """Turns decoded pictures into upright RGB arrays with square pixels."""

    def __init__(self, max_side_px: int, pixel_aspect: Fraction) -> None:
        self._max_side_px, self._pixel_aspect = max_side_px, pixel_aspect
        self._reformatter = VideoReformatter()

    def image(self, raw: av.VideoFrame) -> npt.NDArray[np.uint8]:
        size_px = displayed_size(raw.width, raw.height, self._pixel_aspect, 0)
        width_px, height_px = scaled_size(size_px, self._max_side_px)
        space = raw.colorspace
        if space == _UNSPECIFIED_COLORSPACE:  # What players assume.
            space = Colorspace.ITU709 if raw.height >= 720 else Colorspace.ITU601
        flat = self._reformatter.reformat(
            raw,
            width=width_px,
            height=height_px,
            format="rgb24",
            src_colorspace=space,
            interpolation=Interpolation.AREA,
            threads=1,
        )
        return upright(np.asarray(flat.to_ndarray(), dtype=np.uint8), display_matrix(raw))
