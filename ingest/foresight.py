"""Which pictures will be sampled, told from the times of their packets before they are decoded.

Pictures to which no other refers need not be decoded unless they are looked at. Of H.264 with two
and more B pictures between others, as x264 writes it by default, they are about half of all.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

CODECS: Final = frozenset({"h264", "mpeg1video", "mpeg2video"})
"""Their streams say of each picture whether another refers to it. HEVC says it of the pictures of
one temporal layer only."""
SLOWEST: Final = Fraction(1, 2)
"""Samples a second. At lower rates so much would be left out that the end seemed to be missing."""
_REMEMBERED: Final = 64
"""Ticks, more than pictures are reordered by: H.264 allows 16."""


class Foresight:
    """Follows the packets of one track in decoding order.

    A picture is sampled when it is the first of a tick, 1 / `rate` seconds of the clock. Of each
    tick the earliest so far is told, so that the first is never missed.
    """

    def __init__(self, rate: Fraction, time_base: Fraction, start: Fraction) -> None:
        """`start` is the raw timestamp in seconds at which the clock is 0."""
        # (pts x time_base - start) x rate in whole numbers: this is asked of every packet.
        factor, offset = time_base * rate, start * rate
        self._step = factor.numerator * offset.denominator
        self._origin = offset.numerator * factor.denominator
        self._unit = factor.denominator * offset.denominator
        self._first: dict[int, int] = {}

    def may_be_sampled(self, pts: int) -> bool:
        """Whether the next packet, shown at `pts`, is the earliest of its tick so far."""
        tick = (pts * self._step - self._origin) // self._unit
        earliest = self._first.get(tick)
        if earliest is not None and earliest < pts:
            return False
        self._first[tick] = pts
        if len(self._first) > _REMEMBERED:
            del self._first[next(iter(self._first))]
        return True
