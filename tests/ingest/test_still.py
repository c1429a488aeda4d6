"""What stands still is not decoded, and nothing that lasts a second is missed for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from ingest import still
from ingest.frames import KeptFrame, describe_frames, select_frames
from ingest.media import probe
from ingest.media_info import Frame
from ingest.readers import frame_reader
from ingest.settings import FrameSettings

RATE_HZ = 25
LENGTH_S = 24
SETTINGS = FrameSettings()
Draw = Callable[[ImageDraw.ImageDraw], None]


@dataclass(frozen=True, slots=True)
class Flash:
    """Something that is on the screen for a while."""

    start_s: float
    end_s: float
    draw: Draw


def _words(draw: ImageDraw.ImageDraw) -> None:
    draw.text((200, 400), "Duty phone 4711", (20, 24, 40), ImageFont.load_default(size=34))


def _box(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((640, 512, 703, 575), (120, 120, 120))


def _slide(*flashes: Draw) -> Image.Image:
    picture = Image.new("RGB", (1280, 720), (250, 250, 246))
    draw = ImageDraw.Draw(picture)
    for row, text in enumerate(("Margins", "Rose in spring", "Fell in May", "Rose again")):
        draw.text((90, 60 + 70 * row), text, (20, 24, 40), ImageFont.load_default(size=40))
    for flash in flashes:
        flash(draw)
    return picture


def _write(path: Path, codec: str, options: dict[str, str], *flashes: Flash) -> str:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE_HZ, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for shown, numbers in groupby(
            range(LENGTH_S * RATE_HZ),
            key=lambda number: tuple(
                flash for flash in flashes if flash.start_s <= number / RATE_HZ < flash.end_s
            ),
        ):
            pixels = np.asarray(_slide(*(flash.draw for flash in shown)))
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
            for number in numbers:
                frame.pts, frame.time_base = number, Fraction(1, RATE_HZ)
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return str(path)


def _read(path: str, *, reader: str = "pyav", **options: object) -> list[Frame]:
    return list(frame_reader(reader)(path, probe(path), **options))  # type: ignore[arg-type]


def _kept(path: str, folder: Path, *, skip_still: bool) -> list[KeptFrame]:
    info = probe(path)
    assert info.video is not None
    pictures = folder / f"pictures {skip_still}"
    frames = frame_reader("pyav")(path, info, skip_still=skip_still)
    with pictures.open("wb") as file:
        candidates = list(describe_frames(frames, SETTINGS, file))
    return list(select_frames([(pictures, candidates)], SETTINGS, end=info.video.end))


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("libx264", {"preset": "veryfast", "g": "250"}),
        ("libx264", {"preset": "ultrafast", "g": "100", "x264-params": "cabac=0:bframes=0"}),
        ("libx264", {"preset": "medium", "g": "600", "tune": "stillimage", "bf": "3"}),
        ("libx265", {"preset": "ultrafast", "x265-params": "log-level=none:keyint=250"}),
    ],
    ids=["veryfast", "no reordering", "still image", "hevc"],
)
@pytest.mark.parametrize("draw", [_words, _box], ids=["words", "box"])
def test_flashes_are_seen(tmp_path: Path, codec: str, options: dict[str, str], draw: Draw) -> None:
    seen_for_sure = [(9.32, 10.32), (14.6, 16.6)]
    flashes = [Flash(4.28, 4.78, draw), *(Flash(*span, draw) for span in seen_for_sure)]
    path = _write(tmp_path / "flashes.mp4", codec, options, *flashes)
    kept = _kept(path, tmp_path, skip_still=True)
    shown = [(frame.span.start_s, frame.span.end_s) for frame in kept[1::2]]
    # What comes out of stillness is seen when it comes, what goes within the next second.
    for start_s, end_s in seen_for_sure:
        assert any(
            0 <= start - start_s <= 1 and -1 <= end - end_s <= 1 and start < end_s
            for start, end in shown
        ), (start_s, shown)
    assert len(kept) in (5, 7)


def test_a_slide_that_comes_out_of_stillness_is_dated_by_its_first_picture(tmp_path: Path) -> None:
    flash = Flash(9.32, 15.0, _words)
    options = {"preset": "veryfast", "g": "250", "bf": "0"}
    path = _write(tmp_path / "slide.mp4", "libx264", options, flash)
    for skip_still, start_s in ((True, 9.32), (False, 10.0)):
        kept = _kept(path, tmp_path, skip_still=skip_still)
        assert [frame.span.start_s for frame in kept] == [0, start_s, 15.0]


def test_stillness_is_not_decoded(tmp_path: Path) -> None:
    options = {"preset": "veryfast", "g": "250"}
    path = _write(tmp_path / "still.mp4", "libx264", options)
    everything = _read(path)
    decoded = _read(path, skip_still=True)
    assert {frame.time for frame in decoded} < {frame.time for frame in everything}
    # Of each group the keyframe and the two seconds in which it settles; the last one is whole.
    assert len(decoded) <= 3 + 3 + 5
    assert len(_kept(path, tmp_path, skip_still=True)) == 1


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_both_readers_and_all_pieces_agree_on_what_is_still(tmp_path: Path, codec: str) -> None:
    options = {"preset": "ultrafast", "g": "125", "x265-params": "log-level=none:keyint=125"}
    flashes = (Flash(4.28, 5.28, _words), Flash(13.0, 19.4, _box))
    path = _write(tmp_path / "talk.mp4", codec, options, *flashes)
    whole = [(frame.time, frame.keyframe) for frame in _read(path, skip_still=True)]
    for cut in (Fraction(3), Fraction(529, 100), Fraction(14), Fraction(20)):
        parts = [
            *_read(path, skip_still=True, end=cut),
            *_read(path, skip_still=True, start=cut),
        ]
        assert [(frame.time, frame.keyframe) for frame in parts] == whole
    if codec == "libx264":
        other = _read(path, reader="decord", skip_still=True)
        assert [(frame.time, frame.keyframe) for frame in other] == whole


@dataclass(frozen=True, slots=True)
class _Packet:
    pts: int | None
    size_bytes: int
    keyframe: bool


@st.composite
def _tracks(draw: st.DrawFn) -> list[_Packet]:
    """Closed groups of pictures without reordering, one picture every 40 ms."""
    track: list[_Packet] = []
    for length in draw(st.lists(st.integers(1, 120), min_size=1, max_size=6)):
        for at in range(length):
            loud = at == 0 or draw(st.integers(0, 30)) == 0
            track.append(_Packet(len(track), 5_000 if loud else 40, at == 0))
    return track


def _left(track: list[_Packet]) -> Iterator[still.Lively[_Packet]]:
    return still.lively(iter(track), rate=Fraction(1), time_base=Fraction(1, RATE_HZ))


@given(_tracks())
def test_only_the_quiet_end_of_a_group_is_left_out(track: list[_Packet]) -> None:
    left = list(_left(track))
    decoded = {one.packet.pts for one in left}
    missing = [packet for packet in track if packet.pts not in decoded]
    assert all(packet.size_bytes <= still.QUIET_BYTES for packet in missing)
    for packet in missing:
        assert packet.pts is not None
        behind = track[packet.pts :]
        rest = next((at for at, one in enumerate(behind) if one.keyframe), None)
        assert rest is not None  # Never the last group.
        assert all(one.pts not in decoded for one in behind[:rest])
        # Two seconds before it were decoded, and nothing in them was loud.
        assert track[packet.pts - 1].pts not in decoded or all(
            one.size_bytes <= still.QUIET_BYTES for one in track[packet.pts - 49 : packet.pts]
        )
    for before, one in zip([None, *left], left, strict=False):
        follows = before is None or one.packet.pts == (before.packet.pts or 0) + 1
        assert one.gap != follows
        assert not one.gap or one.packet.keyframe


@given(_tracks(), st.data())
def test_what_is_left_out_does_not_depend_on_where_reading_begins(
    track: list[_Packet], data: st.DataObject
) -> None:
    keyframes = [at for at, packet in enumerate(track) if packet.keyframe]
    begin = data.draw(st.sampled_from(keyframes))
    whole = [(one.packet, one.burst) for one in _left(track) if (one.packet.pts or 0) >= begin]
    assert [(one.packet, one.burst) for one in _left(track[begin:])] == whole


def test_open_groups_are_decoded_whole() -> None:
    track = [_Packet(at, 5_000 if at == 0 else 40, at == 0) for at in range(100)]
    # The next keyframe is shown after two pictures that are decoded after it.
    track += [_Packet(102, 5_000, True), _Packet(100, 40, False), _Packet(101, 40, False)]
    track += [_Packet(at, 40, False) for at in range(103, 200)]
    assert [one.packet for one in _left(track)] == track
