"""Which pictures become frame moments: near-duplicates go before anything expensive sees them.

Two steps, so that pieces of a video can be decoded in parallel with the same outcome for any cut:
`describe_frames` runs on each piece and drops only what can be kept under no history;
`select_frames` walks the joined candidates and keeps each one that differs from the last kept.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from index.files import FilePart
from index.records import FrameTime, Span
from ingest.media_info import Frame
from ingest.settings import FrameSettings

_LUMA_WIDTH_PX: Final = 320
_NOISE_LEVELS: Final = 40
"""A pixel of the small luma picture changed when it differs by more than this, of 255."""
_JPEG_QUALITY: Final = 88
_THUMBNAIL_QUALITY: Final = 85
_COLOUR_LEVELS: Final = 4
"""Levels of red, green and blue in the colour histogram: 64 bins."""
_SHOT_COLOUR_SHARE: Final = 0.35
"""Share of the colour mass that moved between two kept pictures: a cut in moving pictures."""
_SHOT_CHANGED_SHARE: Final = 0.03
_SHOT_LOST_SHARE: Final = 0.5
"""Share of the pixels, or of the ink, that changed after a picture stood still: a new slide."""
_STILL: Final = Fraction(2)
"""A picture that is kept for this many seconds stood still."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where something lies in the file of a piece."""

    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture that may be kept. Its pixels lie in a file, so that an hour of them is small."""

    time: Fraction
    """Seconds on the clock."""
    frame_time: FrameTime
    colours: npt.NDArray[np.float32] = field(repr=False)
    """float32, 64: shares of the coarse RGB colours, adding up to 1."""
    luma: Stretch
    """uint8, rows of 320: brightness of the picture, box-filtered."""
    jpeg: Stretch
    """The picture that was read, JPEG."""
    thumbnail: Stretch
    """The picture that is stored, JPEG."""


@dataclass(frozen=True, slots=True)
class KeptFrame:
    """A picture that differs from the one kept before it."""

    span: Span
    """From its own time to the time of the next kept picture, or to the end of the pictures."""
    frame_time: FrameTime
    picture: FilePart
    """The picture that was read, JPEG."""
    thumbnail: FilePart
    """The picture that is stored, JPEG."""
    shot_start: bool
    """True where the content is cut: another scene, another slide."""


def describe_frames(
    frames: Iterable[Frame], settings: FrameSettings, file: BinaryIO
) -> Iterator[Candidate]:
    """Drop the pictures of one piece that are not kept, whatever came before the piece.

    The others are written to `file`.

    What was kept last before the piece is unknown here, so every picture that some history keeps
    is a candidate: while the pictures stay close to the first of the piece, all that differ from
    their predecessor; after the first certain change, those that one of the followed histories
    keeps (usually a single one). Memory: the small luma pictures of the followed histories.
    """
    followed: list[npt.NDArray[np.uint8]] = []
    first: npt.NDArray[np.uint8] | None = None
    previous: npt.NDArray[np.uint8] | None = None
    unknown = True
    for frame in frames:
        picture = Image.fromarray(frame.image)
        luma = _luma(picture)
        if previous is not None and np.array_equal(previous, luma):
            continue  # Never kept: its predecessor was kept, or was too close to the last kept.
        previous = luma
        keeping = [_differ(kept, luma, settings.changed_share) for kept in followed]
        if not unknown and not any(keeping):
            continue
        followed = [kept for kept, keeps in zip(followed, keeping, strict=True) if not keeps]
        followed.append(luma)
        first = luma if first is None else first
        # Triangle inequality: no last kept picture is close to both.
        unknown = unknown and not _differ(
            first, luma, 2 * settings.changed_share, levels=2 * _NOISE_LEVELS
        )
        yield Candidate(
            time=frame.time,
            frame_time=FrameTime(frame.pts, frame.time_base),
            colours=_colours(picture),
            luma=_written(file, luma.tobytes()),
            jpeg=_written(file, _jpeg(picture, _JPEG_QUALITY)),
            thumbnail=_written(file, _thumbnail(picture, settings.thumbnail_side_px)),
        )


def select_frames(
    pieces: Iterable[tuple[Path, Iterable[Candidate]]], settings: FrameSettings, *, end: Fraction
) -> Iterator[KeptFrame]:
    """Keep each candidate of which `changed_share` of the pixels differ from the last kept one.

    `pieces` are the files and candidates of all pieces in order; `end` is where the pictures end
    on the clock. Memory: two small luma pictures. Raises LibraryError when a file cannot be read.
    """
    kept: _Seen | None = None
    shot_start = True
    for path, candidates in pieces:
        for candidate in candidates:
            seen = _Seen(path, candidate, _read_luma(path, candidate))
            if kept is None:
                kept = seen
            elif _differ(kept.luma, seen.luma, settings.changed_share):
                yield _kept(kept, candidate.time, shot_start)
                shot_start = _is_cut(kept, seen)
                kept = seen
    if kept is not None and kept.candidate.time < end:
        yield _kept(kept, end, shot_start)


def thumbnail(jpeg: bytes, side_px: int) -> bytes:
    """The same picture as JPEG with its longest side at most `side_px`."""
    with Image.open(io.BytesIO(jpeg)) as picture:
        return jpeg if max(picture.size) <= side_px else _thumbnail(picture, side_px)


def decode_jpeg(jpeg: bytes) -> npt.NDArray[np.uint8]:
    """The picture as uint8, height x width x 3 (RGB)."""
    with Image.open(io.BytesIO(jpeg)) as picture:
        return np.asarray(picture.convert("RGB"))


def changed_share(
    one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8], *, levels: int = _NOISE_LEVELS
) -> float:
    """Share of the pixels of two luma pictures that differ by more than `levels`; 1 if reshaped."""
    if one.shape != other.shape:
        return 1.0
    distance = np.maximum(one, other) - np.minimum(one, other)
    return float(np.count_nonzero(distance > levels)) / one.size


def _differ(
    one: npt.NDArray[np.uint8],
    other: npt.NDArray[np.uint8],
    share: float,
    *,
    levels: int = _NOISE_LEVELS,
) -> bool:
    return changed_share(one, other, levels=levels) >= share


@dataclass(frozen=True, slots=True)
class _Seen:
    """A candidate with its brightness in memory."""

    path: Path
    candidate: Candidate
    luma: npt.NDArray[np.uint8]


def _read_luma(path: Path, candidate: Candidate) -> npt.NDArray[np.uint8]:
    pixels = np.frombuffer(_part(path, candidate.luma).read(), dtype=np.uint8)
    return pixels.reshape(-1, _LUMA_WIDTH_PX)


def _kept(seen: _Seen, end: Fraction, shot_start: bool) -> KeptFrame:
    candidate = seen.candidate
    return KeptFrame(
        span=Span(candidate.time, end),
        frame_time=candidate.frame_time,
        picture=_part(seen.path, candidate.jpeg),
        thumbnail=_part(seen.path, candidate.thumbnail),
        shot_start=shot_start,
    )


def _part(path: Path, stretch: Stretch) -> FilePart:
    return FilePart(str(path), stretch.offset, stretch.size_bytes)


def _written(file: BinaryIO, content: bytes) -> Stretch:
    offset = file.tell()
    return Stretch(offset, file.write(content))


def _is_cut(before: _Seen, after: _Seen) -> bool:
    """Colours jump at a cut even where motion hides it; a slide changes after standing still."""
    moved = float(np.abs(before.candidate.colours - after.candidate.colours).sum()) / 2
    if moved >= _SHOT_COLOUR_SHARE:
        return True
    if after.candidate.time - before.candidate.time < _STILL:
        return False
    return (
        changed_share(before.luma, after.luma) >= _SHOT_CHANGED_SHARE
        or _lost_share(before.luma, after.luma) >= _SHOT_LOST_SHARE
    )


def _lost_share(before: npt.NDArray[np.uint8], after: npt.NDArray[np.uint8]) -> float:
    """Share of what stood out from the background that changed: little when a line is added."""
    if before.shape != after.shape:
        return 1.0
    background = int(np.median(before))
    ink = np.abs(before.astype(np.int16) - background) > _NOISE_LEVELS
    changed = np.abs(before.astype(np.int16) - after) > _NOISE_LEVELS
    return float(np.count_nonzero(ink & changed) / max(1, int(np.count_nonzero(ink))))


def _luma(picture: Image.Image) -> npt.NDArray[np.uint8]:
    height_px = max(1, round(picture.height * _LUMA_WIDTH_PX / picture.width))
    small = picture.convert("L").resize(
        (_LUMA_WIDTH_PX, height_px), Image.Resampling.BOX, reducing_gap=1.0
    )
    return np.asarray(small)


def _colours(picture: Image.Image) -> npt.NDArray[np.float32]:
    small = np.asarray(
        picture.resize((_LUMA_WIDTH_PX // 2, 90), Image.Resampling.BOX, reducing_gap=1.0)
    )
    levels = small.astype(np.int64) * _COLOUR_LEVELS // 256
    codes = (levels[..., 0] * _COLOUR_LEVELS + levels[..., 1]) * _COLOUR_LEVELS + levels[..., 2]
    counts = np.bincount(codes.reshape(-1), minlength=_COLOUR_LEVELS**3)
    return (counts / codes.size).astype(np.float32)


def _thumbnail(picture: Image.Image, side_px: int) -> bytes:
    """The picture as JPEG with its longest side at most `side_px`."""
    small = picture.convert("RGB")
    # Reduced by whole numbers first: a fraction of the work, and hardly a difference (47 dB).
    small.thumbnail((side_px, side_px), Image.Resampling.LANCZOS, reducing_gap=1.0)
    return _jpeg(small, _THUMBNAIL_QUALITY)


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
