"""Video and audio files: what they are, their packets, captions, and sound on the clock.

With `ingest.pyav_reader`, which decodes pictures, the only user of PyAV. Every time is
PTS x time_base minus the start of the container (the earliest start among the streams that are
played, edit lists applied as FFmpeg does), so that 0 is where a player starts. Frame counts and
average rates never become times.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import IO, Any, Final, TypeVar

import av
import av.container
import av.error
import numpy as np
import numpy.typing as npt
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.codec.codec import Properties
from av.sidedata.sidedata import SideData
from av.stream import Disposition, Stream
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle
from av.video.stream import VideoStream

from index.errors import SourceError
from index.files import disk_error
from ingest.captions import Cue, ass_cue
from ingest.media_info import (
    SAMPLE_RATE_HZ,
    AudioFacts,
    Extent,
    MediaInfo,
    Packet,
    SubtitleFacts,
    VideoFacts,
    displayed_size,
    extents_of,
    is_mirror,
    on_the_clock,
    reason_not_media,
    reason_unreadable,
)
from ingest.soundtrack import Sound, SoundConverter, Soundtrack
from ingest.truncation import is_cut, is_early, missing_end, read_announced

__all__ = [
    "demuxed",
    "display_matrix",
    "glance",
    "list_pictures",
    "open_media",
    "probe",
    "read_audio",
    "read_captions",
]

StreamT = TypeVar("StreamT", bound=Stream)

_NO_TIMES: Final = "its pictures carry no timestamps; put the stream into a container such as MP4"
_PLAYLISTS: Final = frozenset({"hls", "concat", "dash", "sdp", "applehttp", "lavfi"})
_INDEXED_FORMATS: Final = frozenset({"mov", "wav"})
"""Formats whose header knows the length. Others are measured from their packets."""


def probe(path: str) -> MediaInfo:
    """Say what a media file is.

    Raises SourceError (stage "probe") with the reason when it is no playable media file.
    """
    reason = reason_unreadable(path)
    if reason is not None:
        raise SourceError(path, "probe", reason)
    try:
        with open_media(path) as container:
            return _probe_open(path, container)
    except av.error.FFmpegError as error:
        raise SourceError(path, "probe", reason_not_media(path)) from error
    except OSError as error:
        raise SourceError(path, "probe", f"cannot be read: {error.strerror}") from error


def glance(path: str, start: Fraction, duration: Fraction) -> MediaInfo:
    """What decoding pictures needs to know of a file that was probed before; reads only its head.

    `start` (raw seconds) is where its clock is 0, `duration` what probing found. Raises SourceError
    (stage "frames") when it has no picture track or cannot be opened.
    """
    try:
        with open_media(path) as container:
            video = _played_video(container)
            if video is None:
                raise SourceError(path, "frames", "has no picture track")
            facts = _video_facts(path, video, Extent(Fraction(0), duration))
            return MediaInfo(container.format.name, start, duration, facts, None, None)
    except av.error.FFmpegError as error:
        raise SourceError(path, "frames", f"cannot be opened: {error.strerror}") from error


def list_pictures(path: str, info: MediaInfo) -> list[Packet]:
    """The packets of the picture track in decoding order; nothing is decoded."""
    return list(_packets(path, [info.video.index])) if info.video else []


def read_audio(
    path: str, info: MediaInfo, *, file: IO[bytes] | None = None, notes: list[str] | None = None
) -> Sound:
    """Read the sound track as float32 mono at 16 kHz; sample i is heard at i / 16000 on the clock.

    A late start and gaps are zeros, overlaps are trimmed. It lies in `file`, which is empty, to be
    written and read, 32 kB a second; None: an unnamed one that is gone when the sound is closed.

    Raises SourceError (stage "speech") when there is no sound track or nothing of it decodes,
    LibraryError when the disk refuses.
    """
    if info.audio is None:
        raise SourceError(path, "speech", "has no sound track")
    said = notes if notes is not None else []
    place = Path(gettempdir() if file is None else file.name)
    try:
        with ExitStack() as closed_on_error:
            target = closed_on_error.enter_context(TemporaryFile()) if file is None else file
            sound = _fill(Soundtrack(target, info.duration), path, info, said)
            closed_on_error.pop_all()
            return sound
    except OSError as error:
        raise disk_error(place, "write sound to", error) from error


def _fill(track: Soundtrack, path: str, info: MediaInfo, notes: list[str]) -> Sound:
    assert info.audio is not None
    converter = SoundConverter(
        track,
        info.start,
        lambda: AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ),
    )
    broken = 0
    try:
        with open_media(path) as container:
            stream = container.streams[info.audio.index]
            assert isinstance(stream, AudioStream)
            for packet in demuxed(container, [stream]):
                try:
                    for frame in packet.decode():
                        converter.add(frame)
                except av.error.FFmpegError:
                    broken += 1
    except av.error.FFmpegError as error:
        notes.append(f"sound could not be read to the end: {error.strerror}")
    converter.close()
    if track.length == 0:
        raise SourceError(path, "speech", "its sound track cannot be decoded")
    if broken:
        notes.append(f"{broken} packets of sound could not be decoded")
    return track.sound()


def read_captions(path: str, info: MediaInfo, index: int) -> Iterator[Cue]:
    """Yield the cues of text subtitle stream `index`, in the order of the file, on the clock.

    Raises SourceError (stage "subtitles") when the stream cannot be read.
    """
    try:
        with open_media(path) as container:
            stream = container.streams[index]
            assert isinstance(stream, SubtitleStream)
            for packet in demuxed(container, [stream]):
                if packet.pts is None or packet.time_base is None or not packet.size:
                    continue
                start = packet.pts * packet.time_base - info.start
                end = start + (packet.duration or 0) * packet.time_base
                for shown in stream.decode(packet):
                    if isinstance(shown, AssSubtitle):
                        yield ass_cue(start, end, shown.dialogue.decode(errors="replace"))
    except av.error.FFmpegError as error:
        raise SourceError(path, "subtitles", f"cannot be decoded: {error.strerror}") from error


def demuxed(
    container: av.container.InputContainer, streams: Sequence[StreamT]
) -> Iterator[av.Packet[StreamT]]:
    """The packets of some tracks. Raises av.error.FFmpegError where they cannot be read."""
    packets: Iterator[Any] = container.demux(*streams)
    try:
        yield from packets
    except IndexError as error:  # PyAV has no place for a track that begins later.
        what = "a track begins that the head of the file does not announce"
        raise av.error.InvalidDataError(-1, what) from error


def open_media(path: str) -> av.container.InputContainer:
    """Open a media file with FFmpeg. Raises av.error.FFmpegError."""
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
        raise SourceError(path, "probe", _NO_TIMES)
    if not extents:
        raise SourceError(path, "probe", "its tracks are empty")
    info = on_the_clock(
        names,
        container.metadata.get("title") or None,
        None if video is None else _video_facts(path, video, extents[video.index]),
        _audio_facts(audio, extents[audio.index]) if audio and audio.index in extents else None,
    )
    if info.duration <= 0:
        raise SourceError(path, "probe", "lasts 0 seconds")
    return replace(
        info,
        subtitles=tuple(map(_subtitle_facts, container.streams.subtitles)),
        notes=_missing(path, container, info),
    )


def _missing(path: str, container: av.container.InputContainer, info: MediaInfo) -> tuple[str, ...]:
    """A note where the file is shorter than it says of itself. Its tracks are counted only then."""
    told, size_bytes = read_announced(path, info.container), os.path.getsize(path)
    if not is_cut(told, size_bytes) and not is_early(told, info.start + info.duration):
        return ()
    # Not only what is played: subtitles and other languages may last longer.
    extents = extents_of(_packets(path, [stream.index for stream in container.streams])).values()
    raw_end = max((extent.end for extent in extents), default=info.start)
    note = missing_end(
        told,
        size_bytes,
        end=raw_end - info.start,
        announced=max(info.duration, told.duration or Fraction(0)),
    )
    return () if note is None else (note,)


def _played_video(container: av.container.InputContainer) -> VideoStream | None:
    """The stream a player shows: a default one before others; cover art is not video."""
    streams = sorted(container.streams.video, key=_not_default)
    shown = (one for one in streams if not one.disposition & Disposition.attached_pic)
    return next((one for one in shown if one.codec_context and one.codec_context.width), None)


def _played_audio(container: av.container.InputContainer) -> AudioStream | None:
    streams = sorted(container.streams.audio, key=_not_default)
    heard = (one for one in streams if one.codec_context and one.codec_context.sample_rate)
    return next(heard, None)


def _not_default(stream: VideoStream | AudioStream) -> bool:
    return not stream.disposition & Disposition.default


def _video_facts(path: str, stream: VideoStream, extent: Extent) -> VideoFacts:
    context = stream.codec_context
    aspect = stream.sample_aspect_ratio or Fraction(1)
    rotation, mirrored = _rotation(path, stream.index)
    width_px, height_px = displayed_size(context.width, context.height, aspect, rotation)
    name, rate_hz, tracks = (
        context.name,
        stream.average_rate or None,
        stream.container.streams.video,
    )
    start, end, index = extent.start, extent.end, stream.index
    size = width_px, height_px
    return VideoFacts(index, name, *size, rate_hz, start, end, aspect, mirrored, len(tracks))


def _audio_facts(stream: AudioStream, extent: Extent) -> AudioFacts:
    codec, rate_hz = stream.codec_context.name, stream.codec_context.sample_rate
    language = stream.language if stream.language not in ("", "und") else None
    return AudioFacts(stream.index, codec, rate_hz, extent.start, extent.end, language)


def _subtitle_facts(stream: SubtitleStream) -> SubtitleFacts:
    context = stream.codec_context
    return SubtitleFacts(
        stream.index,
        context.name if context else "unknown",
        None if stream.language in (None, "", "und") else stream.language,
        bool(stream.disposition & Disposition.default),
        bool(stream.disposition & Disposition.forced),
        bool(context and Properties(context.codec.properties) & Properties.TEXT_SUB),
    )


def _rotation(path: str, index: int) -> tuple[int, bool]:
    """Degrees to turn the first picture by, and whether to mirror; 0 when none can be decoded."""
    with open_media(path) as container, suppress(av.error.FFmpegError):
        for packet in demuxed(container, [container.streams[index]]):
            for picture in packet.decode():
                assert isinstance(picture, av.VideoFrame)
                return picture.rotation, is_mirror(display_matrix(picture))
    return 0, False


def display_matrix(picture: av.VideoFrame) -> npt.NDArray[np.int32] | None:
    """How a picture is to be turned for display, int32, 9 numbers; None when it is upright."""
    found = picture.side_data.get("DISPLAYMATRIX")
    return np.frombuffer(bytes(found), dtype=np.int32) if isinstance(found, SideData) else None


def _extents(
    path: str, container: av.container.InputContainer, streams: list[VideoStream | AudioStream]
) -> dict[int, Extent]:
    """Raw extent of each stream by its index; streams without any timestamp are left out."""
    # Fragmented MP4 announces no samples: its header knows nothing of the fragments.
    indexed = bool(_INDEXED_FORMATS & set(container.format.name.split(",")))
    indexed = indexed and all(stream.frames and stream.duration for stream in streams)
    extents = extents_of(_packets(path, [stream.index for stream in streams], tail=indexed))
    for stream in streams:
        begin, ticks, unit = stream.start_time, stream.duration, stream.time_base
        if begin is None or unit is None:
            continue
        known = Extent(begin * unit, (begin + (ticks if indexed and ticks else 0)) * unit)
        measured = extents.get(stream.index, known)
        # The header knows where sound is trimmed, the packets when the last picture is shown.
        trimmed = indexed and isinstance(stream, AudioStream)
        end = known.end if trimmed else max(known.end, measured.end)
        if stream.index in extents or indexed:
            extents[stream.index] = Extent(known.start, end)
    return extents


def _packets(path: str, indices: list[int], *, tail: bool = False) -> Iterator[Packet]:
    """Yield the packets that have a timestamp and are shown; `tail`: since the last keyframe."""
    # Cut short: what can be read up to there is what there is.
    with open_media(path) as container, suppress(av.error.FFmpegError):
        if tail and container.duration is not None:
            container.seek(2 * container.duration + max(0, container.start_time or 0))
        for packet in demuxed(container, [container.streams[index] for index in indices]):
            pts, unit, stream = packet.pts, packet.time_base, packet.stream
            if pts is not None and unit is not None and not packet.is_discard:
                length = (packet.duration or 0) * unit
                if not length and isinstance(stream, VideoStream):
                    length = 1 / (stream.average_rate or Fraction(25))
                yield Packet(stream.index, pts, unit, length, packet.is_keyframe, packet.size)
