"""Which packets hold pictures that will be sampled, told before they are decoded.

Pictures to which no other refers need not be decoded unless they are looked at: of camera video
they are every second picture.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Final, Protocol, TypeVar

CODECS: Final = frozenset({"h264", "mpeg1video", "mpeg2video"})
"""Their streams say of each picture whether another refers to it. HEVC says it of the pictures of
one temporal layer only."""
_REORDERED: Final = 32
"""Packets, more than lie between a picture and its neighbours: H.264 reorders up to 16 pictures."""


class Timed(Protocol):
    """A packet as far as its time goes."""

    @property
    def pts(self) -> int | None:
        """When it is shown, in units of its time base."""


TimedT = TypeVar("TimedT", bound=Timed)


def sampled(
    packets: Iterable[TimedT], *, rate: Fraction, time_base: Fraction, start: Fraction
) -> Iterator[tuple[TimedT, bool]]:
    """Tell of each packet, in decoding order, whether its picture is the first of 1 / `rate` s.

    `start` is the raw timestamp in seconds at which the clock is 0. The packets before and behind
    such a one count as well: they may hold the other field of its picture. So do those without a
    time. Memory: the packets that reordering spans, and a number for each sample.
    """
    # (pts x time_base - start) x rate in whole numbers: most of the packets are looked at twice.
    factor, offset = time_base * rate, start * rate
    unit = factor.denominator * offset.denominator
    step = factor.numerator * offset.denominator
    origin = offset.numerator * factor.denominator
    first: dict[int, int] = {}

    def tick(pts: int) -> int:
        return (pts * step - origin) // unit

    def is_first(packet: TimedT) -> bool:
        return packet.pts is None or first[tick(packet.pts)] == packet.pts

    ahead: deque[TimedT] = deque()
    before = False
    source = iter(packets)
    while True:
        while len(ahead) <= _REORDERED and (packet := next(source, None)) is not None:
            ahead.append(packet)
            if packet.pts is not None:
                at = tick(packet.pts)
                first[at] = min(packet.pts, first.get(at, packet.pts))
        if not ahead:
            return
        packet = ahead.popleft()
        now = is_first(packet)
        yield packet, before or now or (bool(ahead) and is_first(ahead[0]))
        before = now
