"""What a segment shows and says becomes one input of an embedder that sees both."""

from __future__ import annotations

import io
from fractions import Fraction

from PIL import Image

from index.records import Moment, MomentKind, PageArea, PageRange, Segment, Span
from ingest.joining import MAX_PICTURES, MAX_TEXT_CHARACTERS, joint_input, told_by


def _jpeg(shade: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (32, 24), shade).save(buffer, "JPEG")
    return buffer.getvalue()


def _span(start: Fraction) -> Span:
    return Span(start, start + 1)


def _scene(frames: int, said: str = "the ferry leaves") -> Segment:
    start = Fraction(3605)
    moments = [
        Moment(MomentKind.FRAME, _span(start + second), "pier", picture=_jpeg(second))
        for second in range(frames)
    ]
    moments += [Moment(MomentKind.UTTERANCE, _span(start), said) for _ in range(2)]
    return Segment(Span(start, start + 60), "", tuple(moments))


def test_frames_come_with_their_times_and_words_once() -> None:
    given = joint_input(_scene(3))
    assert given is not None
    assert given.times == tuple(map(Fraction, (3605, 3606, 3607)))
    assert [picture.size for picture in given.pictures] == [(32, 24)] * 3
    assert given.text == "the ferry leaves"  # and no names that a classifier gave


def test_long_segments_are_shown_evenly_and_cut() -> None:
    given = joint_input(_scene(40, said="word " * 4000))
    assert given is not None
    assert len(given.pictures) == len(given.times) == MAX_PICTURES
    assert given.times[0] == 3605
    assert given.times[-1] > 3605 + 35
    assert len(given.text) == MAX_TEXT_CHARACTERS


def test_pages_have_no_times() -> None:
    page = Moment(MomentKind.PAGE, PageArea(1, "1"), "all of it", picture=_jpeg(9))
    passage = Moment(MomentKind.PASSAGE, PageArea(1, "1"), "a passage")
    given = joint_input(Segment(PageRange(1, 1), "", (page, passage)))
    assert given is not None
    assert (len(given.pictures), given.times, given.text) == (1, (), "a passage")


def test_a_segment_that_shows_and_says_nothing_has_no_vector() -> None:
    assert joint_input(Segment(_span(Fraction(0)), "", ())) is None


def test_everything_that_shapes_the_vector_is_told() -> None:
    told = {tuple(told_by(one)) for one in (_scene(2), _scene(3), _scene(2, said="no ferry"))}
    assert len(told) == 3
