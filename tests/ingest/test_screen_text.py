"""Text in pictures is read once, in order, and told as long as it is shown."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont

from index.files import FilePart
from index.records import Box, FrameTime, MomentKind, Span, TextLine
from ingest.frames import KeptFrame, decode_jpeg
from ingest.screen_text import ScreenTextReader, in_rows, screen_text_moments
from ingest.settings import ScreenTextSettings

NO_PICTURE = FilePart("", 0, 0)
CLOCK_BOX = Box(1000, 680, 1200, 710)


def _frames(count: int) -> list[KeptFrame]:
    unit = Fraction(1, 1000)
    return [
        KeptFrame(
            Span(Fraction(at), Fraction(at + 1)),
            FrameTime(at * 1000, unit),
            NO_PICTURE,
            NO_PICTURE,
            at == 0,
        )
        for at in range(count)
    ]


def _lines(*texts: str, clock: str | None = None) -> list[TextLine]:
    lines = [
        TextLine(text, Box(100, 100 + 60 * at, 100 + 20 * len(text), 140 + 60 * at), 0.98)
        for at, text in enumerate(texts)
    ]
    return lines if clock is None else [*lines, TextLine(clock, CLOCK_BOX, 0.9)]


def _told(*shown: list[TextLine]) -> list[tuple[float, float, str]]:
    moments = screen_text_moments(_frames(len(shown)), shown)
    return [(one.span.start_s, one.span.end_s, one.text) for one in moments]


def test_the_same_text_is_one_moment() -> None:
    slide = ("Margins of 2025", "Gross margin rose to 41.5 %")
    jitter = ("Margins of 2025", "Gross margln rose to 41.5 %")
    assert _told(_lines(*slide), _lines(*jitter), _lines(*slide)) == [(0, 3, "\n".join(slide))]


def test_growing_text_is_told_anew() -> None:
    told = _told(_lines("Costs"), _lines("Costs", "Ships"), _lines("Costs", "Ships", "Rail"))
    assert [text for _, _, text in told] == ["Costs", "Costs\nShips", "Costs\nShips\nRail"]
    assert [(start, end) for start, end, _ in told] == [(0, 1), (1, 2), (2, 3)]


def test_almost_the_same_title_is_another_one() -> None:
    assert len(_told(_lines("Chapter 11 of the manual"), _lines("Chapter 12 of the manual"))) == 2


def test_running_clocks_and_counters_are_left_out() -> None:
    clocks = [_lines("Costs", clock=f"00:00:{second:02d}.480") for second in range(3)]
    assert _told(*clocks) == [(0, 3, "Costs")]
    counters = [_lines("Costs", clock=f"{number}") for number in (17, 18, 19)]
    assert _told(*counters) == [(0, 3, "Costs")]
    assert _told(_lines(clock="00:00:01")) == []


def test_a_number_that_stays_is_text() -> None:
    shown = [_lines("Visitors", clock="1,148"), _lines("Visitors", clock="1,148")]
    assert _told(*shown) == [(0, 2, "Visitors\n1,148")]


def test_text_that_goes_and_comes_back_is_two_moments() -> None:
    told = _told(_lines("Costs"), [], _lines("Costs"))
    assert [(start, end) for start, end, _ in told] == [(0, 1), (2, 3)]


def test_moments_keep_time_lines_and_confidence() -> None:
    moment = screen_text_moments(_frames(2), [[], _lines("Costs", "Ships")])[0]
    assert moment.kind is MomentKind.SCREEN_TEXT
    assert moment.frame_time == FrameTime(1000, Fraction(1, 1000))
    assert [line.text for line in moment.lines] == ["Costs", "Ships"]
    assert moment.confidence == pytest.approx(0.98)


def test_lines_and_pictures_must_match() -> None:
    with pytest.raises(ValueError, match="2 pictures with lines of 1"):
        screen_text_moments(_frames(2), [[]])


def test_what_stands_side_by_side_is_one_row() -> None:
    cells = [("Month", 0, 0), ("Job", 200, 3), ("May", 0, 60), ("Scrub", 200, 58)]
    lines = [TextLine(text, Box(x, y, x + 90, y + 30), 0.9) for text, x, y in reversed(cells)]
    assert [[line.text for line in row] for row in in_rows(lines)] == [
        ["Month", "Job"],
        ["May", "Scrub"],
    ]


@pytest.fixture(scope="module")
def reader() -> ScreenTextReader:
    """The models, loaded once."""
    return ScreenTextReader(ScreenTextSettings())


def _drawn(*lines: tuple[str, int, int]) -> npt.NDArray[np.uint8]:
    picture = Image.new("RGB", (960, 540), "white")
    draw = ImageDraw.Draw(picture)
    for text, x, y in lines:
        draw.text((x, y), text, fill=(10, 10, 60), font=ImageFont.load_default(size=32))
    return np.asarray(picture)


def test_lines_are_read_in_order_with_their_boxes(reader: ScreenTextReader) -> None:
    drawn = (("Serial TG-4471-K", 60, 60), ("Left column", 60, 200), ("Right column", 520, 200))
    lines = reader.read(_drawn(*reversed(drawn)))
    assert [line.text for line in lines] == [text for text, _, _ in drawn]
    for line, (_, x, y) in zip(lines, drawn, strict=True):
        assert line.box.x0 == pytest.approx(x, abs=12)
        assert line.box.y0 == pytest.approx(y, abs=14)
        assert line.confidence > 0.8


def test_a_picture_without_text_has_no_lines(reader: ScreenTextReader) -> None:
    assert reader.read(_drawn()) == ()


@pytest.fixture(scope="module")
def slides(
    reader: ScreenTextReader, talk_frames: list[KeptFrame]
) -> list[tuple[float, float, str]]:
    """Start, end and text of what is shown in the sample."""
    # Half of the pictures are of scenes without text: reading where they begin will do.
    read = [
        reader.read(decode_jpeg(frame.picture.read())) if frame.shot_start else ()
        for frame in talk_frames
    ]
    moments = screen_text_moments(talk_frames, read)
    return [(one.span.start_s, one.span.end_s, one.text) for one in moments]


def test_slides_of_the_sample_are_read(
    slides: list[tuple[float, float, str]], truth: dict[str, Any]
) -> None:
    wanted, found = 0, 0
    for slide in truth["slides"]:
        shown = [one for one in slides if abs(one[0] - slide["start_s"]) <= 1.0]
        assert len(shown) == 1, slide["title"]
        start, end, text = shown[0]
        assert start >= slide["start_s"] - 0.001
        assert abs(end - slide["end_s"]) <= 1.0
        read = set(text.lower().split())
        for line in (slide["title"], *slide["lines"]):
            wanted += len(line.split())
            found += sum(word in read for word in line.lower().split())
    assert found / wanted > 0.95


def test_the_clock_of_the_sample_is_no_text(slides: list[tuple[float, float, str]]) -> None:
    assert not any("00:0" in text for _, _, text in slides)
