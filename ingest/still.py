"""Stretches of a video in which nothing changes, told by the sizes of the packets alone.

Where the picture stands still, an encoder says little more than "as before": a few dozen bytes.
Whatever changes on the screen costs more than that when it comes, and again when it goes. So the
end of a group of pictures in which every packet is tiny need not be decoded: it shows what was
shown before it, and the next group starts from a keyframe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Final, Generic, Protocol, TypeVar

QUIET_BYTES: Final = 100
"""A larger packet is never quiet. On 1280 x 720 slides x264 spends 35-66 bytes on a picture like
the one before, 150 and more where a word comes or goes."""
_HEADROOM: Final = Fraction(11, 10)
"""Nor is one that costs a tenth more than stillness did before: even a flat square does."""
CODECS: Final = frozenset({"h264", "hevc"})
"""VP9 and AV1 can bring back an earlier picture with a few bytes; others are never this quiet."""
_REFINEMENT: Final = Fraction(1, 2)
"""Seconds in which encoders still sharpen a new picture; they also reorder no further than this."""
_MEASURED: Final = Fraction(1, 2)
"""Seconds after that in which is seen what stillness costs."""


class Coded(Protocol):
    """A packet as far as its stillness goes."""

    @property
    def pts(self) -> int | None:
        """When it is shown, in units of its time base."""

    @property
    def size_bytes(self) -> int:
        """Length of the coded picture."""

    @property
    def keyframe(self) -> bool:
        """True when it is coded without reference to others."""


CodedT = TypeVar("CodedT", bound=Coded)


@dataclass(frozen=True, slots=True)
class Lively(Generic[CodedT]):
    """A packet to decode."""

    packet: CodedT
    burst: bool
    """True when it ends a stretch of stillness: something new is shown."""
    gap: bool
    """True when packets were left out before it; it is a keyframe, and nothing refers across."""


def lively(
    packets: Iterable[CodedT], *, rate: Fraction, time_base: Fraction
) -> Iterator[Lively[CodedT]]:
    """Leave out the still end of each group of pictures.

    `packets` come in decoding order from a keyframe on; 1 / `rate` seconds lie between samples.
    After the last packet that is not quiet, as much is kept as lets a sample show its picture.
    What is left out depends on the packets of the group alone, so pieces join without a seam.
    Groups whose end is shown after the next keyframe was decoded (open groups) are kept whole,
    and so is the last one. Memory: the tiny packets of one group.
    """
    quiet = _Quiet(1 / time_base)
    settling = ceil((1 / rate + _REFINEMENT + _MEASURED) / time_base)
    held: list[CodedT] = []
    opening: CodedT | None = None
    for packet in packets:
        if opening is not None:
            is_open = packet.pts is None or opening.pts is None or packet.pts < opening.pts
            if is_open:
                yield from as_they_are(held)
            yield Lively(opening, burst=False, gap=not is_open)
            opening, held = None, []
        is_quiet = quiet.takes(packet)
        if packet.keyframe and held:
            opening = packet
        elif is_quiet and (held or quiet.lasts(packet) >= settling):
            held.append(packet)
        else:
            yield from as_they_are(held)
            yield Lively(packet, burst=bool(held), gap=False)
            held = []
    yield from as_they_are([*held, opening] if opening is not None else held)


class _Quiet:
    """Tells packets that show what the one before showed."""

    def __init__(self, ticks: Fraction) -> None:
        """`ticks` are the units of the time base in a second."""
        # Whole units, rounded up, tell the same of whole units, in less time.
        self._measure_from = ceil(_REFINEMENT * ticks)
        self._measure_until = ceil((_REFINEMENT + _MEASURED) * ticks)
        self._loud_at: int | None = None
        self._usual_bytes = 0

    def takes(self, packet: Coded) -> bool:
        """Look at the next packet: whether it is quiet. Keyframes never are."""
        if packet.pts is None or (self._loud_at is None and not packet.keyframe):
            return False
        loud = packet.keyframe or packet.size_bytes > QUIET_BYTES
        if not loud and self.lasts(packet) >= self._measure_until:
            loud = packet.size_bytes > self._usual_bytes * _HEADROOM
        if loud:
            self._loud_at = packet.pts
            self._usual_bytes = 0
        elif self._measure_from <= self.lasts(packet) < self._measure_until:
            self._usual_bytes = max(self._usual_bytes, packet.size_bytes)
        return not loud

    def lasts(self, packet: Coded) -> int:
        """Units of the time base since the last packet that was not quiet."""
        if packet.pts is None or self._loud_at is None:
            return 0
        return packet.pts - self._loud_at


def as_they_are(packets: Iterable[CodedT]) -> Iterator[Lively[CodedT]]:
    """Leave nothing out."""
    return (Lively(packet, burst=False, gap=False) for packet in packets)
