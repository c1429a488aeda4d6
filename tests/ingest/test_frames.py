"""Near-duplicates go, changes stay, and cutting a video into pieces changes nothing."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from index.records import FrameTime, Span
from ingest.frames import Candidate, KeptFrame, describe_frames, select_frames
from ingest.media_info import Frame
from ingest.settings import FrameSettings

ROUNDING_S = 1e-5
SETTINGS = FrameSettings()
Picture = npt.NDArray[np.uint8]
Keep = Callable[[list[Picture]], list[KeptFrame]]


def _slide(*lines: str, clock: str = "00:00:01.000") -> Picture:
    picture = Image.new("RGB", (1280, 720), (250, 250, 246))
    draw = ImageDraw.Draw(picture)
    for index, line in enumerate(lines):
        font = ImageFont.load_default(size=54 if index == 0 else 30)
        draw.text((90, 60 + 70 * index), line, fill=(20, 24, 40), font=font)
    draw.text((1100, 684), clock, fill=(20, 24, 40), font=ImageFont.load_default(size=22))
    return np.asarray(picture)


def _frames(pictures: list[Picture], *, rate_hz: int = 1) -> list[Frame]:
    unit = Fraction(1, 90_000)
    return [
        Frame(Fraction(index, rate_hz), index * 90_000 // rate_hz, unit, index == 0, picture)
        for index, picture in enumerate(pictures)
    ]


def _described(path: Path, frames: list[Frame]) -> tuple[Path, list[Candidate]]:
    """A piece: the file of its pictures, and its candidates."""
    with path.open("wb") as file:
        return path, list(describe_frames(frames, SETTINGS, file))


def _selected(*pieces: tuple[Path, list[Candidate]], end: int) -> list[KeptFrame]:
    return list(select_frames(pieces, SETTINGS, end=Fraction(end)))


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    """What is kept of pictures that follow each other by a second."""

    def kept_of(pictures: list[Picture]) -> list[KeptFrame]:
        return _selected(_described(tmp_path / "pictures", _frames(pictures)), end=len(pictures))

    return kept_of


def test_a_running_clock_makes_no_picture_new(keep: Keep) -> None:
    pictures = [_slide("Margins", "Rose in spring", clock=f"00:00:{s:02d}.480") for s in range(30)]
    kept = keep(pictures)
    assert [frame.span.start for frame in kept] == [0]
    assert kept[0].span.end == 30


def test_an_added_line_makes_the_picture_new(keep: Keep) -> None:
    before, after = ("Margins", "Rose in spring"), ("Margins", "Rose in spring", "Fell in May")
    pictures = [_slide(*before)] * 3 + [_slide(*after)] * 3
    kept = keep(pictures)
    assert [(frame.span.start_s, frame.span.end_s) for frame in kept] == [(0, 3), (3, 6)]
    assert [frame.shot_start for frame in kept] == [True, False]


def test_another_slide_and_another_scene_begin_a_shot(keep: Keep) -> None:
    dark = np.full((720, 1280, 3), (20, 40, 90), dtype=np.uint8)
    slides = [_slide("Margins", "Rose in spring")] * 4
    slides += [_slide("Prices of raw copper", "Down a third", "Tin is stable", "Zinc is not")] * 4
    kept = keep([*slides, dark, dark])
    assert [(frame.span.start_s, frame.shot_start) for frame in kept] == [
        (0, True),
        (4, True),
        (8, True),
    ]


def test_kept_pictures_carry_their_own_time(keep: Keep) -> None:
    kept = keep([_slide("One"), _slide("One"), _slide("Another title")])
    assert [frame.frame_time.pts for frame in kept] == [0, 180_000]
    assert all(frame.span.start == frame.frame_time.pts * Fraction(1, 90_000) for frame in kept)


@given(data=st.data(), levels=st.lists(st.integers(0, 12), min_size=1, max_size=24))
@settings(max_examples=60)
def test_selection_does_not_depend_on_cuts(data: st.DataObject, levels: list[int]) -> None:
    # Level n changes n / 1000 of the picture: some steps are below the threshold, sums above it.
    pictures = []
    for level in levels:
        picture = np.zeros((40, 320, 3), dtype=np.uint8)
        picture.reshape(-1, 3)[: level * 13] = 200
        pictures.append(picture)
    frames = _frames(pictures)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(frames)), max_size=4)))
    pieces = [
        frames[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(frames)], strict=True)
    ]
    with TemporaryDirectory() as folder:
        described = [_described(Path(folder, str(at)), piece) for at, piece in enumerate(pieces)]
        everything = [
            _described(Path(folder, f"all {at}"), [frame]) for at, frame in enumerate(frames)
        ]
        in_pieces = _selected(*described, end=len(frames))
        straight = _selected(*everything, end=len(frames))
        assert list(map(_told, in_pieces)) == list(map(_told, straight))


def _told(frame: KeptFrame) -> tuple[Span, FrameTime, bool, bytes, bytes]:
    """All of a kept picture, wherever its pixels lie."""
    pixels = frame.picture.read(), frame.thumbnail.read()
    return frame.span, frame.frame_time, frame.shot_start, *pixels


def test_a_static_piece_costs_few_candidates(tmp_path: Path) -> None:
    still = [_slide("Margins")] * 50
    assert len(_described(tmp_path / "pictures", _frames(still))[1]) == 1


def test_thumbnails_are_smaller_and_never_enlarged(keep: Keep) -> None:
    small = np.asarray(Image.fromarray(_slide("Margins")).resize((320, 180)))
    for picture, size in ((_slide("Margins"), (640, 360)), (small, (320, 180))):
        with Image.open(io.BytesIO(keep([picture])[0].thumbnail.read())) as thumbnail:
            assert thumbnail.size == size


def test_each_slide_of_the_sample_is_kept_once(
    talk_frames: list[KeptFrame], truth: dict[str, Any]
) -> None:
    for slide in truth["slides"]:
        begin_s, end_s = slide["start_s"] - ROUNDING_S, slide["end_s"] - 1
        shown = [frame for frame in talk_frames if begin_s <= frame.span.start_s < end_s]
        assert len(shown) == 1, slide
        assert shown[0].span.start_s - slide["start_s"] <= 1.0
        assert shown[0].shot_start


def test_kept_pictures_of_the_sample_follow_each_other(talk_frames: list[KeptFrame]) -> None:
    assert talk_frames[0].span.start == Fraction(248, 100)
    for before, after in pairwise(talk_frames):
        assert before.span.end == after.span.start
