"""Which of the decoded pictures are taken, decided by their times alone, and what was missing."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from fractions import Fraction
from math import floor
from typing import Final, Protocol, TypeVar

from index.clock import format_clock
from ingest.media_info import VideoFacts

_SEEK_BACK_OFFS_S: Final = (0, 2, 10, 60)
"""Seeking can land behind the wanted keyframe (MPEG-TS): each retry asks for this much earlier."""
_END_TOLERANCE: Final = Fraction(2)
"""Pictures that end this much before the announced end are worth a note."""


class Timed(Protocol):
    """A decoded picture as far as sampling looks at it."""

    @property
    def time(self) -> Fraction:
        """Seconds on the clock."""

    @property
    def keyframe(self) -> bool:
        """True when it was coded without reference to others."""

    @property
    def burst(self) -> bool:
        """True when it ends a stretch of stillness."""


PictureT = TypeVar("PictureT", bound=Timed)
Pictures = Generator[PictureT, None, None]
DecodeFrom = Callable[[Fraction | None], Pictures[PictureT]]
"""Yields pictures in display order from a keyframe that a seek to the instant finds, which should
be at or before it and may be behind it; from the first picture of the file for None."""


def pictures_from(
    decode_from: DecodeFrom[PictureT], start: Fraction | None, *, first: Fraction
) -> Iterator[PictureT]:
    """Yield pictures from a keyframe at or before `start`; `first` is the first of the track."""
    if start is None or start <= first:
        yield from decode_from(None)
        return
    found = False
    for back_off_s in _SEEK_BACK_OFFS_S:
        pictures = decode_from(start - back_off_s)
        opening = next(pictures, None)
        found = found or opening is not None
        if opening is not None and opening.time <= start:
            yield opening
            yield from pictures
            return
        pictures.close()
    if found:  # Otherwise the file ends before: nothing to read, and no use in starting over.
        yield from decode_from(None)


def sample(
    pictures: Iterator[PictureT],
    video: VideoFacts,
    *,
    start: Fraction | None,
    end: Fraction | None,
    rate: Fraction,
    notes: list[str],
    go_on: Callable[[], bool] = lambda: True,
) -> Iterator[PictureT]:
    """Yield keyframes and bursts in [start, end) and the first picture at or after each k / rate.

    `pictures` begin with a keyframe at or before `start`. That is what makes pieces join without
    a seam: the first picture of a piece is a keyframe, or the one before it is known. `go_on` is
    asked before each of them, those before `start` too; when it says no, there are no more.
    """
    previous: Fraction | None = None
    for picture in pictures:
        if (end is not None and picture.time >= end) or not go_on():
            return
        due = previous is None or floor(picture.time * rate) > floor(previous * rate)
        previous = picture.time
        if (due or picture.keyframe or picture.burst) and (start is None or picture.time >= start):
            yield picture
    _note_early_end(previous, video, keyframes_only=rate == 0, notes=notes)


def _note_early_end(
    last: Fraction | None, video: VideoFacts, *, keyframes_only: bool, notes: list[str]
) -> None:
    # The same words whichever piece finds out, so that a run can say it once.
    if last is None:
        notes.append("pictures are missing at the end")
    # Between keyframes there may be a minute: their times say nothing about the end.
    elif not keyframes_only and video.end - last > _END_TOLERANCE:
        announced = format_clock(video.end)
        notes.append(f"pictures end at {format_clock(last)}, {announced} was announced")
