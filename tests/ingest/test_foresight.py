"""Which pictures need not be decoded: exactly those that sampling would never look at."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import floor
from pathlib import Path

import av
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.foresight import sampled
from ingest.media import probe
from ingest.pyav_reader import _Decoder


@dataclass(frozen=True)
class _Packet:
    pts: int | None


@st.composite
def _tracks(draw: st.DrawFn) -> list[_Packet]:
    """Packets in decoding order: shown at rising times, each at most 16 places from its own."""
    steps = draw(st.lists(st.integers(1, 900), min_size=1, max_size=120))
    start = draw(st.integers(-2000, 2000))
    times = [start + sum(steps[:number]) for number in range(len(steps))]
    reach = draw(st.integers(0, 16))
    delays = [number + draw(st.integers(0, reach)) for number in range(len(steps))]
    order = sorted(range(len(steps)), key=lambda number: (delays[number], -number))
    return [_Packet(times[number]) for number in order]


@given(
    _tracks(),
    st.fractions(Fraction(1, 10), 60, max_denominator=1000),
    st.fractions(-3, 3, max_denominator=90_000),
)
def test_the_first_picture_of_every_tick_is_foreseen(
    track: list[_Packet], rate: Fraction, start: Fraction
) -> None:
    time_base = Fraction(1, 1000)
    told = list(sampled(track, rate=rate, time_base=time_base, start=start))
    assert [packet for packet, _ in told] == track
    ticks = {
        packet.pts: floor((packet.pts * time_base - start) * rate)
        for packet in track
        if packet.pts is not None
    }
    shown = sorted(ticks)
    firsts = {shown[0]} | {
        after for before, after in pairwise(shown) if ticks[before] != ticks[after]
    }
    for at, (_, needed) in enumerate(told):
        nearby = track[max(0, at - 1) : at + 2]
        assert needed == any(packet.pts in firsts for packet in nearby)


def test_packets_without_a_time_are_needed() -> None:
    track = [_Packet(None) for _ in range(40)]
    told = sampled(track, rate=Fraction(1), time_base=Fraction(1, 25), start=Fraction(0))
    assert all(needed for _, needed in told)


def test_pictures_that_nobody_needs_are_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "panned.mp4"
    scene = np.random.default_rng(5).integers(0, 256, (96, 160, 3), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "2", "b_strategy": "0"})
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for number in range(250):
            image = np.roll(scene, number, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    info = probe(str(path))
    assert info.video is not None
    for rate, least, most in ((Fraction(1), 10, 200), (Fraction(25), 250, 250)):
        decoder = _Decoder(str(path), info, info.video, 1, rate, None, [])
        decoded = [picture.time for picture in decoder.pictures(None)]
        assert least <= len(decoded) <= most
        assert {Fraction(second) for second in range(10)} <= set(decoded)
