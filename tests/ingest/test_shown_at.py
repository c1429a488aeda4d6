"""The picture on show at an instant is the last that begins by then, in every format."""

from __future__ import annotations

import random
from bisect import bisect_right
from fractions import Fraction

import pytest

from index.errors import SourceError
from ingest.media import probe
from ingest.pyav_reader import read_frames, read_shown_at
from tests.ingest.test_conformance import ALL_RATE_HZ, PICTURED
from tests.media.corpus import CORPUS

NOT_SOUGHT = {"mpeg4.avi": "Operation not permitted"}
"""Where FFmpeg refuses to seek to some instants: it is said, no other picture is taken."""


@pytest.mark.parametrize("name", PICTURED)
def test_the_picture_on_show_is_the_last_that_begins_by_then(name: str) -> None:
    path = str(CORPUS / name)
    info = probe(path)
    begun = [frame.time for frame in read_frames(path, info, rate_hz=ALL_RATE_HZ, max_side_px=32)]
    dice = random.Random(name)
    end = int(begun[-1] * 1000)
    times = [Fraction(dice.randrange(end + 1), 1000) for _ in range(6)]
    times = sorted([*times, begun[len(begun) // 2], begun[len(begun) // 2]])
    if name in NOT_SOUGHT:
        with pytest.raises(SourceError, match=NOT_SOUGHT[name]):
            list(read_shown_at(path, info, times, max_side_px=32))
        return
    shown = list(read_shown_at(path, info, times, max_side_px=32))
    expected = [begun[max(0, bisect_right(begun, time) - 1)] for time in times]
    assert [frame.time for frame in shown] == expected


def test_sound_shows_nothing() -> None:
    path = str(CORPUS / "tone.m4a")
    with pytest.raises(SourceError, match="has no picture track"):
        list(read_shown_at(path, probe(path), [Fraction(1)], max_side_px=32))
