"""Which pictures need not be decoded: none that sampling would look at."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import floor
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.foresight import Foresight
from ingest.media import probe
from ingest.pyav_reader import _Decoder


@st.composite
def _tracks(draw: st.DrawFn) -> list[int]:
    """Times of packets in decoding order: rising, each at most 16 places from its own."""
    steps = draw(st.lists(st.integers(1, 900), min_size=1, max_size=200))
    start = draw(st.integers(-2000, 2000))
    times = [start + sum(steps[:number]) for number in range(len(steps))]
    reach = draw(st.integers(0, 16))
    delays = [number + draw(st.integers(0, reach)) for number in range(len(steps))]
    order = sorted(range(len(steps)), key=lambda number: (delays[number], -number))
    return [times[number] for number in order]


@given(
    _tracks(),
    st.fractions(Fraction(1, 10), 60, max_denominator=1000),
    st.fractions(-3, 3, max_denominator=90_000),
)
def test_no_picture_that_is_sampled_is_missed(
    track: list[int], rate: Fraction, start: Fraction
) -> None:
    time_base = Fraction(1, 1000)
    foresight = Foresight(rate, time_base, start)
    told = {pts for pts in track if foresight.may_be_sampled(pts)}
    ticks = {pts: floor((pts * time_base - start) * rate) for pts in track}
    shown = sorted(ticks)
    sampled = {after for before, after in pairwise(shown) if ticks[before] != ticks[after]}
    assert sampled | {shown[0]} <= told
    if track == shown:  # Nothing is reordered: nothing else is decoded.
        assert sampled | {shown[0]} == told


@pytest.mark.parametrize("interlaced", [False, True])
def test_pictures_that_nobody_needs_are_not_decoded(tmp_path: Path, interlaced: bool) -> None:
    path = tmp_path / "panned.mp4"
    scene = np.random.default_rng(5).integers(0, 256, (96, 160, 3), dtype=np.uint8)
    options = {"bf": "2", "b_strategy": "0", "x264-params": f"interlaced={int(interlaced)}"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for number in range(250):
            image = np.roll(scene, number, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    info = probe(str(path))
    assert info.video is not None
    # Interlaced video is decoded whole: a packet that nobody needs may be half of one that is.
    bounds = (250, 250) if interlaced else (10, 200)
    for rate, (least, most) in ((Fraction(1), bounds), (Fraction(25), (250, 250))):
        decoder = _Decoder(str(path), info, info.video, 1, rate, skip_still=False, notes=[])
        decoded = [picture.time for picture in decoder.pictures(None)]
        assert least <= len(decoded) <= most
        assert {Fraction(second) for second in range(10)} <= set(decoded)
