"""Text in pictures is read once, in order, and told as long as it is shown."""

from __future__ import annotations

import io
from collections.abc import Sequence
from difflib import SequenceMatcher
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont

from index.files import FilePart
from index.records import Box, FrameTime, MomentKind, Span, TextLine
from ingest.frames import KeptFrame, decode_jpeg
from ingest.screen_text import ScreenTextReader, is_fleeting, screen_text_moments
from ingest.settings import ScreenTextSettings
from ingest.text_engine import FoundLine, PendingLine
from ingest.text_rows import in_rows

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


BULLETS = ("Gross margin rose to 41.5 %", "Freight costs fell by 12 %", "Two ships are laid up")


def _shown(bullets: int, second: int, camera: Image.Image | None = None) -> npt.NDArray[np.uint8]:
    """A slide with a clock and a camera in its corner, as a codec leaves it."""
    picture = Image.new("RGB", (1280, 720), (250, 250, 245))
    draw = ImageDraw.Draw(picture)
    draw.text((80, 50), "Ships of 2025", fill=(20, 30, 90), font=ImageFont.load_default(size=54))
    for row, text in enumerate(BULLETS[:bullets]):
        place = (110, 180 + 70 * row)
        draw.text(place, text, fill=(40, 40, 40), font=ImageFont.load_default(size=32))
    clock = f"00:00:{second:02d}"
    draw.text((1120, 30), clock, fill=(90, 90, 90), font=ImageFont.load_default(size=24))
    if camera is not None:
        picture.paste(camera.resize((320, 180)), (940, 520))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=85 + second % 10)
    return np.asarray(Image.open(stream).convert("RGB"))


def _assert_alike(
    reader: ScreenTextReader, pictures: Sequence[npt.NDArray[np.uint8]]
) -> list[list[str]]:
    """Read on and read whole, the lines are the same. Returns their texts."""
    texts = []
    for picture, lines in zip(pictures, reader.read_changes(iter(pictures)), strict=True):
        whole = reader.read(picture)
        assert [line.text for line in lines] == [line.text for line in whole]
        for line, same in zip(lines, whole, strict=True):
            for side in ("x0", "y0", "x1", "y1"):
                assert getattr(line.box, side) == pytest.approx(getattr(same.box, side), abs=8)
        texts.append([line.text for line in lines])
    return texts


def test_bullets_and_a_clock_are_read_as_they_change(reader: ScreenTextReader) -> None:
    shown = [(1, 3), (2, 9), (3, 16), (3, 17), (1, 18)]
    texts = _assert_alike(reader, [_shown(bullets, second) for bullets, second in shown])
    for (bullets, second), lines in zip(shown, texts, strict=True):
        assert lines == [f"00:00:{second:02d}", "Ships of 2025", *BULLETS[:bullets]]


def test_a_moving_camera_picture_leaves_the_text_alone(
    reader: ScreenTextReader, talk_frames: list[KeptFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    moving = [frame for frame in talk_frames if not frame.shot_start][:3]
    cameras = [Image.fromarray(decode_jpeg(frame.picture.read())) for frame in moving]
    shown = [_shown(3, 3, camera) for camera in cameras]
    texts = _assert_alike(reader, shown)
    assert all(["Ships of 2025", *BULLETS] == lines[1:5] for lines in texts)

    recognized: list[int] = []
    recognize = reader._engine.recognize

    def counting(image: npt.NDArray[np.uint8], found: Sequence[FoundLine]) -> list[PendingLine]:
        recognized.append(len(found))
        return recognize(image, found)

    monkeypatch.setattr(reader._engine, "recognize", counting)
    list(reader.read_changes(shown))
    assert recognized[0] >= 5
    assert max(recognized[1:]) <= 2


def _moving(second: int) -> npt.NDArray[np.uint8]:
    """A scene that differs everywhere from second to second, with a caption."""
    levels = np.random.default_rng(second).integers(40, 160, (9, 16, 3), dtype=np.uint8)
    picture = Image.fromarray(levels).resize((1280, 720), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((300, 620, 980, 690), fill=(0, 0, 0))
    caption = f"Platform {second} is closed today"
    draw.text((330, 630), caption, fill=(255, 255, 255), font=ImageFont.load_default(size=40))
    return np.asarray(picture)


def test_captions_on_moving_pictures_are_read_with_less_work(
    reader: ScreenTextReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    coarsely: list[bool] = []
    find = reader._engine.find

    def noting(*args: Any, **options: Any) -> list[list[FoundLine]]:
        coarsely.append(options.get("coarsely", False))
        return find(*args, **options)

    monkeypatch.setattr(reader._engine, "find", noting)
    shown = [_moving(second) for second in (1, 2, 3)]
    read = list(reader.read_changes(shown, [True, True, True]))
    assert [[line.text for line in lines] for lines in read] == [
        [f"Platform {second} is closed today"] for second in (1, 2, 3)
    ]
    assert coarsely == [False, True, True]  # The first one is new, whatever comes after it.


def test_what_was_searched_coarsely_is_read_again_when_it_stays(reader: ScreenTextReader) -> None:
    slide = np.asarray(_recorded_small(12, 1.0))
    more = Image.fromarray(slide)
    ImageDraw.Draw(more).text((80, 400), "And more", fill=(0, 0, 0), font_size=30)
    shown = [_moving(1), slide, np.asarray(more)]
    *_, last = reader.read_changes(shown, [True, True, False])
    assert [line.text for line in last] == [*SENTENCES, "And more"]


def test_a_slide_is_not_fleeting() -> None:
    def frame(start: float, end: float, *, shot_start: bool) -> KeptFrame:
        span = Span(Fraction(start), Fraction(end))
        time = FrameTime(0, Fraction(1, 25))
        return KeptFrame(span, time, NO_PICTURE, NO_PICTURE, shot_start)

    assert is_fleeting(frame(3, 4, shot_start=False))
    assert not is_fleeting(frame(3, 4, shot_start=True))
    assert not is_fleeting(frame(3, 4.5, shot_start=False))


def test_pictures_are_read_in_their_order(reader: ScreenTextReader) -> None:
    numbers = [f"Invoice {number}" for number in range(101, 113)]
    read = list(reader.read_changes(_drawn((text, 60, 60)) for text in numbers))
    assert [[line.text for line in lines] for lines in read] == [[text] for text in numbers]


def test_text_that_fades_in_is_read(reader: ScreenTextReader) -> None:
    before, after = _shown(2, 3).astype(np.float32), _shown(3, 3).astype(np.float32)
    steps = 32
    fading = [(before + (after - before) * step / steps) for step in range(steps + 1)]
    *_, last = reader.read_changes(np.rint(picture).astype(np.uint8) for picture in fading)
    assert [line.text for line in last] == ["00:00:03", "Ships of 2025", *BULLETS]


def test_another_size_is_read_whole(reader: ScreenTextReader) -> None:
    large = _shown(1, 3)
    small = np.ascontiguousarray(large[:540])
    first, second = reader.read_changes([large, small])
    assert [line.text for line in first] == [line.text for line in second]


SENTENCES = (
    "The harbour of Halden was dredged in May of the same year",
    "Gross margin rose to 41.5 % while freight costs fell by 12 %",
    "Two ships are laid up until the end of March for repairs",
    "Serial numbers TG-4471-K to TG-4490-K have been replaced",
    "Deliveries to the northern depots resume on the third Monday",
    "Every invoice above 5,000 needs the signature of two clerks",
)


def _recorded_small(size_px: float, share: float) -> Image.Image:
    """Sentences in letters of this size, recorded at a share of the resolution."""
    picture = Image.new("RGB", (1280, 720), "white")
    draw = ImageDraw.Draw(picture)
    for row, text in enumerate(SENTENCES):
        place = (80 + 40 * row, 60 + 40 * row)
        draw.text(place, text, fill=(30, 30, 30), font=ImageFont.load_default(size=size_px))
    return picture.resize((round(1280 * share), round(720 * share)), Image.Resampling.BOX)


def _share_read(lines: Sequence[TextLine]) -> float:
    """How much of the sentences was read: the mean of each one's likeness to the nearest line."""
    shares = [
        max((SequenceMatcher(None, text, line.text).ratio() for line in lines), default=0.0)
        for text in SENTENCES
    ]
    return sum(shares) / len(shares)


def test_small_letters_are_read(reader: ScreenTextReader) -> None:
    assert _share_read(reader.read(np.asarray(_recorded_small(11, 0.5)))) > 0.93


def test_lines_read_unsurely_are_enlarged_and_read_again(reader: ScreenTextReader) -> None:
    once = ScreenTextReader(ScreenTextSettings(enlarge_below=0.0))
    for size_px, share in ((8, 0.6), (10, 0.5)):
        blurred = _recorded_small(size_px, share).resize((1280, 720), Image.Resampling.BILINEAR)
        before, after = (one.read(np.asarray(blurred)) for one in (once, reader))
        assert len(after) >= len(before)
        assert _share_read(after) > _share_read(before)


def test_what_is_read_again_keeps_its_box_and_the_surer_text(reader: ScreenTextReader) -> None:
    sure = reader.read(_drawn(("Serial TG-4471-K", 60, 60)))[0]
    misread = TextLine("Serjal TG-447I-K", sure.box, 0.8)
    picture = Image.fromarray(_drawn(("Serial TG-4471-K", 60, 60)))
    again = reader._engine.surer(picture, misread)
    assert again.text == sure.text
    assert again.box == sure.box
    assert again.confidence > 0.9
    nothing = TextLine("Serjal", Box(600, 300, 700, 330), 0.8)
    assert reader._engine.surer(picture, nothing) == nothing


def test_both_engines_read_the_same(reader: ScreenTextReader) -> None:
    drawn = _drawn(("Serial TG-4471-K", 60, 60), ("Left column", 60, 200), ("Right", 520, 200))
    other = ScreenTextReader(ScreenTextSettings(engine="onnxruntime", threads=1))
    lines, same = reader.read(drawn), other.read(drawn)
    assert [line.text for line in lines] == [line.text for line in same]


def test_pictures_of_any_size_are_read(reader: ScreenTextReader) -> None:
    page = Image.fromarray(_drawn(("Serial TG-4471-K", 60, 60), ("Left column", 60, 200)))
    for size in ((1, 1), (3, 500), (500, 2), (97, 31), (2500, 90), (2600, 2400)):
        for line in reader.read(np.asarray(page.resize(size))):
            assert 0 <= line.box.x0 < line.box.x1 <= size[0]
            assert 0 <= line.box.y0 < line.box.y1 <= size[1]
    large = page.resize((3840, 2160), Image.Resampling.BICUBIC)
    assert [line.text for line in reader.read(np.asarray(large))] == [
        "Serial TG-4471-K",
        "Left column",
    ]


def test_text_that_runs_downwards_is_read(reader: ScreenTextReader) -> None:
    turned = Image.fromarray(_drawn(("Serial TG-4471-K", 60, 60))).transpose(
        Image.Transpose.ROTATE_270
    )
    assert "Serial TG-4471-K" in [line.text for line in reader.read(np.asarray(turned))]


def test_what_stands_beside_an_unsure_line_is_not_read_into_it(reader: ScreenTextReader) -> None:
    drawn = _drawn(("harbour", 60, 60), ("Halden", 215, 60), ("quay", 345, 60))
    for line in reader.read(drawn):
        unsure = TextLine(line.text[:-1], line.box, 0.8)
        again = reader._engine.surer(Image.fromarray(drawn), unsure)
        assert again in (unsure, TextLine(line.text, line.box, again.confidence))


@pytest.fixture(scope="module")
def slides(
    reader: ScreenTextReader, talk_frames: list[KeptFrame]
) -> list[tuple[float, float, str]]:
    """Start, end and text of what is shown in the sample."""
    # Half of the pictures are of scenes without text: reading where they begin will do.
    begins = [at for at, frame in enumerate(talk_frames) if frame.shot_start]
    lines = reader.read_changes(decode_jpeg(talk_frames[at].picture.read()) for at in begins)
    read = dict(zip(begins, lines, strict=True))
    moments = screen_text_moments(talk_frames, [read.get(at, ()) for at in range(len(talk_frames))])
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
