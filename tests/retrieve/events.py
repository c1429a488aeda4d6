"""A clip in which known things are seen at known times, and a library of its frames.

Photographs stand between drawn pages, moving slowly; the cuts fall anywhere and carry no keyframe.
Frames are chosen as ingest chooses them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw

from index.embedders import Embedder
from index.manifest import create_library
from index.records import Moment, MomentKind, Segment, Source, SourceKind, Span
from index.snapshot import Snapshot
from ingest.frames import describe_frames, select_frames
from ingest.media import probe
from ingest.pyav_reader import read_frames
from ingest.settings import FrameSettings
from tests.retrieve.archive import PHOTOS, add_source

RATE_HZ = 25
SIZE_PX = (480, 270)
SOURCE = "e" * 32


@dataclass(frozen=True)
class Event:
    """A photograph and when it is seen."""

    photo: str
    words: str
    span: Span


def _event(photo: str, words: str, start: str, end: str) -> Event:
    return Event(photo, words, Span(Fraction(start), Fraction(end)))


EVENTS = (
    _event("cat", "a tabby cat", "3.64", "7.32"),
    _event("coffee", "a cup of espresso", "11.40", "14.88"),
    _event("rocket", "a missile", "18.76", "22.56"),
    _event("coffee", "a cup of espresso", "26.52", "28.84"),
    _event("cat", "a tabby cat", "31.96", "33.68"),
)
END = Fraction(37)


def write_clip(path: Path) -> None:
    """Write the clip as H.264 with one keyframe, at its beginning."""
    photos = {
        name: Image.open(PHOTOS / f"{name}.jpg").convert("RGB")
        for name in ("cat", "coffee", "rocket")
    }
    with av.open(str(path), "w") as container:
        options = {"preset": "veryfast", "sc_threshold": "0"}
        stream = container.add_stream("libx264", rate=RATE_HZ, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *SIZE_PX, "yuv420p"
        stream.codec_context.gop_size = 10_000
        for number in range(int(END * RATE_HZ)):
            picture = np.asarray(_seen(Fraction(number, RATE_HZ), photos))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def _seen(at: Fraction, photos: dict[str, Image.Image]) -> Image.Image:
    for event in EVENTS:
        if at in event.span:
            photo = photos[event.photo]
            share = float((at - event.span.start) / event.span.duration)
            left, top = (0.08 * share * side for side in photo.size)
            box = (left, top, left + 0.9 * photo.width, top + 0.9 * photo.height)
            return photo.resize(SIZE_PX, box=box)
    page = Image.new("RGB", SIZE_PX, (236, 238, 240))
    draw = ImageDraw.Draw(page)
    for line in range(8):
        width_px = 120 + (int(at) // 4 * 37 + line * 53) % 200
        draw.rectangle((40, 30 + 28 * line, 40 + width_px, 42 + 28 * line), fill=(60, 70, 90))
    return page


def build_library(directory: Path, clip: Path, embedder: Embedder) -> Snapshot:
    """A library of the clip's frames, one sampled every second."""
    settings = FrameSettings()
    info = probe(str(clip))
    moments = []
    pieces = directory.with_suffix(".pieces")
    with pieces.open("wb") as file:
        frames = read_frames(str(clip), info, rate_hz=settings.rate_hz)
        candidates = list(describe_frames(frames, settings, file))
    for kept in select_frames([(pieces, candidates)], settings, end=info.duration):
        picture = kept.thumbnail.read()
        with Image.open(io.BytesIO(picture)) as shown:
            text = embedder.embed_images([shown]).labels[0]
        moments.append(
            Moment(
                kind=MomentKind.FRAME,
                place=kept.span,
                text=text,
                picture=picture,
                frame_time=kept.frame_time,
            )
        )
    create_library(directory, embedder.identity)
    source = Source(
        id=SOURCE,
        kind=SourceKind.VIDEO,
        name=clip.name,
        size_bytes=clip.stat().st_size,
        duration=info.duration,
        pages=None,
    )
    whole = Segment(Span(Fraction(0), info.duration), "all", tuple(moments))
    add_source(directory, embedder, source, (whole,))
    return Snapshot.open(directory)


class ClipFrames:
    """Decodes the clip again; counts what was asked for."""

    def __init__(self, clip: Path) -> None:
        self._clip, self._info = str(clip), probe(str(clip))
        self.spans: list[Span] = []

    def __call__(
        self, source_id: str, span: Span, *, rate_hz: float, go_on: Callable[[], bool]
    ) -> Iterator[tuple[Fraction, Image.Image]]:
        """The pictures of a span."""
        assert source_id == SOURCE
        self.spans.append(span)
        for frame in read_frames(
            self._clip, self._info, start=span.start, end=span.end, rate_hz=rate_hz, go_on=go_on
        ):
            yield frame.time, Image.fromarray(frame.image)
