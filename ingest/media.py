"""Video and audio files: what they are, their pictures with exact times, their sound on the clock.

The only module that imports PyAV. Every time is PTS x time_base minus the start of the container
(the earliest start among the streams that are played, edit lists applied as FFmpeg does), so that
0 is where a player starts. Frame counts and average rates never become times.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Final

import av
import av.container
import av.error
import numpy as np
import numpy.typing as npt
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.stream import Disposition
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream

from index.clock import format_clock
from index.errors import SourceError
from ingest.media_info import (
    SAMPLE_RATE_HZ,
    AudioFacts,
    Frame,
    MediaInfo,
    VideoFacts,
    reason_not_media,
    reason_unreadable,
)

__all__ = [
    "SAMPLE_RATE_HZ",
    "AudioFacts",
    "Frame",
    "MediaInfo",
    "VideoFacts",
    "probe",
    "read_audio",
    "read_frames",
]

_SEEK_BACK_OFFS_S: Final = (0, 2, 10, 60)
"""Seeking can land behind the wanted keyframe (MPEG-TS): each retry asks for this much earlier."""
_AUDIO_JITTER: Final = Fraction(20, 1000)
"""Timestamps this close to the running sample count are rounding, not gaps."""
_END_TOLERANCE: Final = Fraction(2)
"""Pictures that end this much before the announced end are worth a note."""
_PLAYLISTS: Final = frozenset({"hls", "concat", "dash", "sdp", "applehttp", "lavfi"})
_UNSPECIFIED_COLORSPACE: Final = 2  # AVCOL_SPC_UNSPECIFIED
_INDEXED_FORMATS: Final = frozenset({"mov", "wav"})
"""Formats whose header states the length exactly. Others are measured from their packets."""


@dataclass(frozen=True, slots=True)
class _Extent:
    """Raw start and end of a stream, in exact seconds."""

    start: Fraction
    end: Fraction


def probe(path: str) -> MediaInfo:
    """Say what a media file is.

    Raises SourceError (stage "probe") with the reason when it is no playable media file.
    """
    reason = reason_unreadable(path)
    if reason is not None:
        raise SourceError(path, "probe", reason)
    try:
        with _open(path) as container:
            return _probe_open(path, container)
    except av.error.FFmpegError as error:
        raise SourceError(path, "probe", reason_not_media(path)) from error
    except OSError as error:
        raise SourceError(path, "probe", f"cannot be read: {error.strerror}") from error


def read_frames(
    path: str,
    info: MediaInfo,
    *,
    start: Fraction | None = None,
    end: Fraction | None = None,
    rate_hz: float = 1.0,
    max_side_px: int = 1280,
    threads: int = 0,
    notes: list[str] | None = None,
) -> Iterator[Frame]:
    """Yield, of the pictures in [start, end), keyframes and the first at or after each k / rate_hz.

    Cutting [a, c) at any b gives the same frames: [a, b) and then [b, c). With `rate_hz` 0 only
    keyframes are decoded. Pictures that cannot be decoded are skipped; what was skipped, and an
    early end of the file, is said in `notes`. Memory: one picture, whatever the duration.

    Raises SourceError (stage "frames") when there is no picture track, or it has no timestamps.
    """
    if info.video is None:
        raise SourceError(path, "frames", "has no picture track")
    said = notes if notes is not None else []
    rate = Fraction(rate_hz).limit_denominator(1000)
    reader = _PictureReader(path, info, threads=threads, keyframes_only=rate == 0, notes=said)
    shaper = _Shaper(max_side_px)
    previous: Fraction | None = None
    try:
        for time, picture in reader.pictures(start):
            if end is not None and time >= end:
                break
            due = previous is None or floor(time * rate) > floor(previous * rate)
            previous = time
            if (due or picture.key_frame) and (start is None or time >= start):
                pts, time_base = _timestamp(path, picture)
                image = shaper.image(picture, info.video.pixel_aspect)
                yield Frame(time, pts, time_base, bool(picture.key_frame), image)
    except av.error.FFmpegError as error:
        raise SourceError(path, "frames", f"cannot be decoded: {error}") from error
    reader.note_early_end(previous, end)


def read_audio(
    path: str, info: MediaInfo, *, notes: list[str] | None = None
) -> npt.NDArray[np.float32]:
    """Read the sound track as float32 mono at 16 kHz; sample i is heard at i / 16000 on the clock.

    A late start and gaps are zeros, overlaps are trimmed. Memory: 64 kB a second of the result.

    Raises SourceError (stage "speech") when there is no sound track or nothing of it decodes.
    """
    if info.audio is None:
        raise SourceError(path, "speech", "has no sound track")
    said = notes if notes is not None else []
    track = _Track(info.duration)
    broken = 0
    try:
        with _open(path) as container:
            stream = container.streams[info.audio.index]
            assert isinstance(stream, AudioStream)
            for packet in container.demux(stream):
                try:
                    for frame in packet.decode():
                        track.add(frame, info.start)
                except av.error.FFmpegError:
                    broken += 1
    except av.error.FFmpegError as error:
        said.append(f"sound could not be read to the end: {error.strerror}")
    track.close()
    if track.length == 0:
        raise SourceError(path, "speech", "its sound track cannot be decoded")
    if broken:
        said.append(f"{broken} packets of sound could not be decoded")
    return track.samples()


def _open(path: str) -> av.container.InputContainer:
    # An absolute path and the "file" protocol: names like "http:..." must not reach the network,
    # and a playlist named .mp4 must not read other files.
    options = {"protocol_whitelist": "file"}
    return av.open(os.path.abspath(path), options=options, metadata_errors="replace")


def _probe_open(path: str, container: av.container.InputContainer) -> MediaInfo:
    names = container.format.name
    if _PLAYLISTS & set(names.split(",")):
        raise SourceError(path, "probe", f"is a playlist ({names}), not a media file")
    video, audio = _played_video(container), _played_audio(container)
    if video is None and audio is None:
        raise SourceError(path, "probe", "has neither a picture nor a sound track")
    extents = _extents(path, container, [stream for stream in (video, audio) if stream is not None])
    if video is not None and video.index not in extents:
        reason = "its pictures carry no timestamps; put the stream into a container such as MP4"
        raise SourceError(path, "probe", reason)
    if not extents:
        raise SourceError(path, "probe", "its tracks are empty")
    start = min(extent.start for extent in extents.values())
    duration = max(extent.end for extent in extents.values()) - start
    if duration <= 0:
        raise SourceError(path, "probe", "lasts 0 seconds")
    return MediaInfo(
        container=names,
        start=start,
        duration=duration,
        video=None if video is None else _video_facts(path, video, extents[video.index], start),
        audio=(
            None
            if audio is None or audio.index not in extents
            else _audio_facts(audio, extents[audio.index], start)
        ),
        title=container.metadata.get("title") or None,
    )


def _played_video(container: av.container.InputContainer) -> VideoStream | None:
    """The stream a player shows: a default one before others; cover art is not video."""
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
        and stream.codec_context is not None
        and stream.codec_context.width > 0
    ]
    return next(iter(sorted(streams, key=_not_default)), None)


def _played_audio(container: av.container.InputContainer) -> AudioStream | None:
    streams = [
        stream
        for stream in container.streams.audio
        if stream.codec_context is not None and stream.codec_context.sample_rate > 0
    ]
    return next(iter(sorted(streams, key=_not_default)), None)


def _not_default(stream: VideoStream | AudioStream) -> bool:
    return not stream.disposition & Disposition.default


def _video_facts(path: str, stream: VideoStream, extent: _Extent, start: Fraction) -> VideoFacts:
    context = stream.codec_context
    aspect = stream.sample_aspect_ratio or Fraction(1)
    width_px, height_px = _displayed_size(
        context.width, context.height, aspect, _rotation(path, stream.index)
    )
    return VideoFacts(
        index=stream.index,
        codec=context.name,
        width_px=width_px,
        height_px=height_px,
        rate_hz=stream.average_rate or None,
        start=extent.start - start,
        end=extent.end - start,
        pixel_aspect=aspect,
    )


def _audio_facts(stream: AudioStream, extent: _Extent, start: Fraction) -> AudioFacts:
    language = stream.language
    return AudioFacts(
        index=stream.index,
        codec=stream.codec_context.name,
        rate_hz=stream.codec_context.sample_rate,
        start=extent.start - start,
        end=extent.end - start,
        language=None if language in (None, "", "und") else language,
    )


def _rotation(path: str, index: int) -> int:
    """Degrees counterclockwise that make the first picture upright; 0 when none can be decoded."""
    with _open(path) as container:
        try:
            for picture in container.decode(container.streams[index]):
                assert isinstance(picture, av.VideoFrame)
                return picture.rotation
        except av.error.FFmpegError:
            return 0
    return 0


def _displayed_size(
    width_px: int, height_px: int, aspect: Fraction, rotation: int
) -> tuple[int, int]:
    width_px = max(1, round(width_px * aspect))
    if round(rotation / 90) % 2:
        width_px, height_px = height_px, width_px
    return width_px, height_px


def _extents(
    path: str,
    container: av.container.InputContainer,
    streams: list[VideoStream | AudioStream],
) -> dict[int, _Extent]:
    """Raw extent of each stream by its index; streams without any timestamp are left out."""
    indexed = bool(_INDEXED_FORMATS & set(container.format.name.split(",")))
    extents: dict[int, _Extent] = {}
    measured: dict[int, _Extent] | None = None
    for stream in streams:
        begin, ticks, unit = stream.start_time, stream.duration, stream.time_base
        # Fragmented MP4 announces no samples: its header knows nothing of the fragments.
        if indexed and stream.frames and begin is not None and ticks and unit is not None:
            extents[stream.index] = _Extent(begin * unit, (begin + ticks) * unit)
            continue
        if measured is None:
            measured = _measure_packets(path, [stream.index for stream in streams])
        found = measured.get(stream.index)
        if found is None:
            continue
        first = found.start if begin is None or unit is None else begin * unit
        extents[stream.index] = _Extent(first, max(first, found.end))
    return extents


def _measure_packets(path: str, indices: list[int]) -> dict[int, _Extent]:
    """Read every packet (nothing is decoded) and return the extent that the timestamps cover."""
    extents: dict[int, _Extent] = {}
    with _open(path) as container:
        streams = [container.streams[index] for index in indices]
        try:
            for packet in container.demux(streams):
                pts, unit = packet.pts, packet.time_base
                if pts is None or unit is None:
                    continue
                index = packet.stream.index
                span = (pts * unit, (pts + (packet.duration or 0)) * unit)
                if not packet.duration and isinstance(packet.stream, VideoStream):
                    span = (span[0], span[0] + 1 / (packet.stream.average_rate or Fraction(25)))
                known = extents.get(index, _Extent(*span))
                extents[index] = _Extent(min(known.start, span[0]), max(known.end, span[1]))
        except av.error.FFmpegError:
            pass  # Cut short: what was read up to here is its extent.
    return extents


class _PictureReader:
    """Decodes one picture track in display order from any instant on."""

    def __init__(
        self, path: str, info: MediaInfo, *, threads: int, keyframes_only: bool, notes: list[str]
    ) -> None:
        assert info.video is not None
        self._path, self._info, self._video = path, info, info.video
        self._threads, self._keyframes_only = threads, keyframes_only
        self._notes = notes
        self._broken = 0

    def pictures(
        self, start: Fraction | None
    ) -> Generator[tuple[Fraction, av.VideoFrame], None, None]:
        """Yield (time, picture), times strictly rising, from a keyframe at or before `start`."""
        if start is not None and start > self._video.start:
            for back_off_s in _SEEK_BACK_OFFS_S:
                pictures = self._from(start - back_off_s)
                first = next(pictures, None)
                if first is not None and first[0] <= start:
                    yield first
                    yield from pictures
                    return
                pictures.close()
        yield from self._from(None)

    def note_early_end(self, last: Fraction | None, end: Fraction | None) -> None:
        """Say what was missing, after the last picture was read."""
        wanted = self._video.end if end is None else min(end, self._video.end)
        if self._broken:
            self._notes.append(f"{self._broken} pictures could not be decoded")
        if last is None and wanted > self._video.start:
            self._notes.append(f"no picture could be read before {format_clock(wanted)}")
        # Between keyframes there may be a minute: their times say nothing about the end.
        elif last is not None and not self._keyframes_only and wanted - last > _END_TOLERANCE:
            self._notes.append(
                f"pictures end at {format_clock(last)}, before {format_clock(wanted)}"
            )

    def _from(
        self, instant: Fraction | None
    ) -> Generator[tuple[Fraction, av.VideoFrame], None, None]:
        """Decode from the keyframe that a seek to `instant` finds; None: from the first byte."""
        previous: Fraction | None = None
        sought = instant is not None
        for picture in self._decoded(instant):
            # After a seek, pictures before the first keyframe lack the pictures they refer to.
            if sought and previous is None and not picture.key_frame:
                continue
            pts, time_base = _timestamp(self._path, picture)
            time = pts * time_base - self._info.start
            if picture.is_corrupt or time < 0 or (previous is not None and time <= previous):
                self._broken += 1
                continue
            previous = time
            yield time, picture

    def _decoded(self, instant: Fraction | None) -> Iterator[av.VideoFrame]:
        self._broken = 0
        with _open(self._path) as container:
            stream = container.streams[self._video.index]
            assert isinstance(stream, VideoStream)
            assert stream.time_base is not None
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = self._threads
            if self._keyframes_only:
                stream.codec_context.skip_frame = "NONKEY"
            if instant is not None:
                raw = floor((instant + self._info.start) / stream.time_base)
                container.seek(raw, stream=stream)
            packets = container.demux(stream)
            while True:
                try:
                    packet = next(packets, None)
                except av.error.FFmpegError as error:
                    self._notes.append(f"pictures could not be read to the end: {error.strerror}")
                    packet = None
                try:
                    yield from stream.codec_context.decode(packet)
                except av.error.EOFError:
                    return
                except av.error.FFmpegError:
                    self._broken += 1
                if packet is None:
                    return


class _Shaper:
    """Turns decoded pictures into upright RGB arrays with square pixels."""

    def __init__(self, max_side_px: int) -> None:
        self._max_side_px = max_side_px
        self._reformatter = VideoReformatter()

    def image(self, picture: av.VideoFrame, aspect: Fraction) -> npt.NDArray[np.uint8]:
        width_px, height_px = _displayed_size(picture.width, picture.height, aspect, 0)
        scale = min(Fraction(1), Fraction(self._max_side_px, max(width_px, height_px)))
        space = picture.colorspace
        if space == _UNSPECIFIED_COLORSPACE:  # What players assume.
            space = Colorspace.ITU709 if picture.height >= 720 else Colorspace.ITU601
        flat = self._reformatter.reformat(
            picture,
            width=max(1, round(width_px * scale)),
            height=max(1, round(height_px * scale)),
            format="rgb24",
            src_colorspace=space,
            interpolation=Interpolation.AREA,
            threads=1,
        )
        quarter_turns = round(picture.rotation / 90) % 4
        return np.ascontiguousarray(np.rot90(flat.to_ndarray(), quarter_turns))


class _Track:
    """Sound placed on the clock, sample by sample."""

    def __init__(self, duration: Fraction) -> None:
        self._buffer = np.zeros(ceil(duration * SAMPLE_RATE_HZ), dtype=np.float32)
        self.length = 0
        """Samples up to the end of the last sound."""
        self._position = 0
        self._resampler: AudioResampler | None = None
        self._kind: tuple[str, str, int] | None = None
        self._expected = Fraction(0)

    def add(self, frame: av.AudioFrame, start: Fraction) -> None:
        """Append one decoded frame where its timestamp says; `start` is the raw time of clock 0."""
        time = self._expected
        if frame.pts is not None and frame.time_base is not None:
            time = frame.pts * frame.time_base - start
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        jumped = abs(time - self._expected) > _AUDIO_JITTER
        if self._resampler is None or jumped or kind != self._kind:
            self.close()
            self._resampler = AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
            self._kind, self._expected = kind, time
            self._position = round(time * SAMPLE_RATE_HZ)
        self._expected += Fraction(frame.samples, frame.sample_rate)
        self._write(self._resampler.resample(frame))

    def close(self) -> None:
        """Write what the resampler still holds."""
        if self._resampler is not None:
            self._write(self._resampler.resample(None))
            self._resampler = None

    def samples(self) -> npt.NDArray[np.float32]:
        """float32, mono, 16 kHz, from clock 0 to the last sound."""
        return self._buffer[: self.length]

    def _write(self, frames: list[av.AudioFrame]) -> None:
        for frame in frames:
            samples = frame.to_ndarray().reshape(-1)
            begin, self._position = self._position, self._position + len(samples)
            # Sound before clock 0 or already there is trimmed; past the end the clock has no room.
            first = max(begin, self.length)
            last = min(self._position, len(self._buffer))
            if first < last:
                self._buffer[first:last] = samples[first - begin : last - begin]
                self.length = last


def _timestamp(path: str, picture: av.VideoFrame) -> tuple[int, Fraction]:
    """Raw time of a picture: its PTS, or where a format has none (AVI) the decoding time."""
    pts = picture.pts if picture.pts is not None else picture.dts
    if pts is None or picture.time_base is None:
        raise SourceError(path, "frames", "its pictures carry no timestamps")
    return pts, picture.time_base
