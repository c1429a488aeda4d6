"""Small clips with known truth: every picture carries its own time as black and white blocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

BITS = 20
BLOCK_PX = 16
WIDTH_PX, HEIGHT_PX = BITS * BLOCK_PX, 96
AUDIO_RATE_HZ = 48_000


@dataclass(frozen=True)
class Clip:
    """What is written: the raw times of the pictures and the sound."""

    times: Sequence[Fraction]
    """Raw time of each picture in seconds, rising; none: no picture track."""
    time_base: Fraction = Fraction(1, 90_000)
    codec: str = "libx264"
    options: dict[str, str] = field(default_factory=lambda: {"bf": "2", "preset": "veryfast"})
    gop: int = 12
    rotation: int = 0
    aspect: Fraction = Fraction(1)
    bursts: Sequence[tuple[Fraction, Fraction]] = ()
    """Raw start and length of stretches of sound; silence is not written between them."""


def regular(count: int, rate: int = 25, first: Fraction = Fraction(0)) -> list[Fraction]:
    """Times of `count` pictures at a constant rate."""
    return [first + Fraction(index, rate) for index in range(count)]


def picture_of(time: Fraction) -> npt.NDArray[np.uint8]:
    """A picture that says its time in milliseconds, on a moving background."""
    milliseconds = round(time * 1000)
    image = np.empty((HEIGHT_PX, WIDTH_PX, 3), dtype=np.uint8)
    image[:] = (np.arange(WIDTH_PX) // 3 + milliseconds // 40)[None, :, None] % 128 + 64
    for bit in range(BITS):
        value = 255 if milliseconds >> bit & 1 else 0
        image[:32, bit * BLOCK_PX : (bit + 1) * BLOCK_PX] = value
    return image


def time_in(image: npt.NDArray[np.uint8]) -> Fraction:
    """The time, in whole milliseconds, that a decoded picture says."""
    blocks = image[4:28].astype(float).mean(axis=(0, 2)).reshape(BITS, BLOCK_PX).mean(axis=1)
    return Fraction(sum(1 << bit for bit, level in enumerate(blocks) if level > 127), 1000)


def write(path: Path, clip: Clip) -> str:
    """Write the clip; the container follows from the file's suffix."""
    with av.open(str(path), "w") as container:
        video = _video_stream(container, clip) if clip.times else None
        audio = container.add_stream("aac", rate=AUDIO_RATE_HZ, layout="mono")
        packets: list[av.Packet[Any]] = list(_sound(audio, clip.bursts))
        if video is not None:
            packets.extend(_pictures(video, clip))
        # Interleaved by decoding time, as a recorder writes them.
        for packet in sorted(packets, key=lambda one: (one.dts or 0) * one.time_base):
            container.mux(packet)
    return str(path)


def _video_stream(container: av.container.OutputContainer, clip: Clip) -> av.VideoStream:
    stream = container.add_stream(clip.codec, rate=25, options=clip.options)
    assert isinstance(stream, av.VideoStream)
    stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
    stream.codec_context.time_base = clip.time_base
    stream.time_base = clip.time_base
    stream.codec_context.gop_size = clip.gop
    if clip.aspect != 1:
        stream.codec_context.sample_aspect_ratio = clip.aspect
    if clip.rotation:
        stream.set_display_rotation(clip.rotation)
    return stream


def _pictures(stream: av.VideoStream, clip: Clip) -> Iterable[av.Packet[av.VideoStream]]:
    for time in clip.times:
        frame = av.VideoFrame.from_ndarray(picture_of(time), format="rgb24")
        frame.pts, frame.time_base = round(time / clip.time_base), clip.time_base
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _sound(
    stream: av.AudioStream, bursts: Sequence[tuple[Fraction, Fraction]]
) -> Iterable[av.Packet[av.AudioStream]]:
    unit = Fraction(1, AUDIO_RATE_HZ)
    for start, length in bursts:
        count = round(length * AUDIO_RATE_HZ / 1024)
        for index in range(count):
            at = np.arange(1024) + index * 1024
            wave = 0.5 * np.sin(2 * np.pi * 440 * at / AUDIO_RATE_HZ)
            frame = av.AudioFrame.from_ndarray(
                wave.astype(np.float32)[None, :], format="fltp", layout="mono"
            )
            frame.sample_rate, frame.time_base = AUDIO_RATE_HZ, unit
            frame.pts = round(start * AUDIO_RATE_HZ) + index * 1024
            yield from stream.encode(frame)
    if bursts:
        yield from stream.encode(None)
