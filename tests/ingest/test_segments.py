"""Every moment is in exactly one segment, extents tile the video, borders lie where they should."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.records import Box, Moment, MomentKind, PageArea, PageRange, Segment, Span, TextLine
from ingest.segments import segment_document, segment_video
from ingest.settings import SegmentSettings

SETTINGS = SegmentSettings()
MILLI = Fraction(1, 1000)
DIMS = 8

Vectors = npt.NDArray[np.float32]


def _said(start_s: float, end_s: float, text: str = "Words are said.") -> Moment:
    return Moment(MomentKind.UTTERANCE, Span(Fraction(start_s), Fraction(end_s)), text)


def _shown(start_s: float, end_s: float, *lines: tuple[str, float]) -> Moment:
    read = tuple(
        TextLine(text, Box(10, 100 * at, 500, 100 * at + height_px), 0.99)
        for at, (text, height_px) in enumerate(lines)
    )
    span = Span(Fraction(start_s), Fraction(end_s))
    return Moment(MomentKind.SCREEN_TEXT, span, "\n".join(line.text for line in read), lines=read)


def _alike(moments: Sequence[Moment]) -> Vectors:
    """Vectors that differ in nothing: no topic turns."""
    return np.full((len(moments), DIMS), DIMS**-0.5, np.float32)


def _starts(segments: tuple[Segment, ...]) -> list[float]:
    return [segment.extent.start_s for segment in segments if isinstance(segment.extent, Span)]


@st.composite
def _videos(draw: st.DrawFn) -> tuple[list[Moment], Vectors, list[Fraction], Fraction]:
    length = draw(st.integers(1, 400_000))
    moments = []
    for number, begin in enumerate(draw(st.lists(st.integers(0, length - 1), max_size=30))):
        end = draw(st.integers(begin + 1, min(length, begin + 20_000)))
        kind = draw(
            st.sampled_from([MomentKind.FRAME, MomentKind.UTTERANCE, MomentKind.SCREEN_TEXT])
        )
        moments.append(Moment(kind, Span(begin * MILLI, end * MILLI), f"text {number}"))
    shots = [at * MILLI for at in draw(st.lists(st.integers(0, length), max_size=10))]
    # A few topics, some noise, and now and then a moment without any meaning.
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    topics = chance.integers(0, DIMS, len(moments))
    vectors = np.eye(DIMS)[topics] + chance.normal(0, 0.2, (len(moments), DIMS))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[chance.random(len(moments)) < 0.1] = 0
    return moments, vectors.astype(np.float32), shots, length * MILLI


@given(_videos(), st.randoms(use_true_random=False))
def test_segments_tile_the_video(
    video: tuple[list[Moment], Vectors, list[Fraction], Fraction], chance: random.Random
) -> None:
    moments, vectors, shots, duration = video
    segments = segment_video(moments, vectors, shots, duration, SETTINGS)
    spans = [segment.extent for segment in segments]
    assert all(isinstance(span, Span) for span in spans)
    tiles = [span for span in spans if isinstance(span, Span)]
    assert tiles[0].start == 0
    assert tiles[-1].end == duration
    for before, after in pairwise(tiles):
        assert before.end == after.start
    held = [moment for segment in segments for moment in segment.moments]
    assert held == sorted(moments, key=lambda moment: moment.span.start)
    for segment, tile in zip(segments, tiles, strict=True):
        assert all(moment.span.start in tile for moment in segment.moments)
        assert tile.duration <= SETTINGS.max_s
        assert tile.duration >= SETTINGS.min_s or duration < SETTINGS.min_s
    assert segment_video(moments, vectors, shots, duration, SETTINGS) == segments
    order = chance.sample(range(len(moments)), len(moments))
    shuffled = segment_video(
        [moments[row] for row in order],
        vectors[order],
        chance.sample(shots, len(shots)),
        duration,
        SETTINGS,
    )
    assert [segment.extent for segment in shuffled] == spans
    assert [set(map(id, segment.moments)) for segment in shuffled] == [
        set(map(id, segment.moments)) for segment in segments
    ]


def test_cuts_fall_on_shots_and_between_sentences() -> None:
    talk = [_said(start + 0.3, start + 4.6) for start in range(0, 120, 5)]
    segments = segment_video(
        talk, _alike(talk), [Fraction(35), Fraction(70)], Fraction(120), SETTINGS
    )
    starts = _starts(segments)
    assert {35, 70} <= set(starts)
    for at in starts:
        assert not any(moment.span.start < at < moment.span.end for moment in talk)


def test_a_shot_inside_a_sentence_does_not_cut_it() -> None:
    talk = [_said(start, start + 9.5) for start in range(0, 60, 10)]
    segments = segment_video(talk, _alike(talk), [Fraction(33)], Fraction(60), SETTINGS)
    assert 33 not in _starts(segments)
    assert len(segments) > 1


def test_an_endless_utterance_is_cut_only_because_it_must() -> None:
    said = [_said(0, 200)]
    segments = segment_video(said, _alike(said), [], Fraction(200), SETTINGS)
    assert len(segments) >= 4
    assert [len(segment.moments) for segment in segments] == [1] + [0] * (len(segments) - 1)


def test_titles_come_from_the_screen_then_from_speech() -> None:
    talk = [
        _said(start, start + 4, "We speak about the gauge and much more here.") for start in (1, 31)
    ]
    slide = _shown(0, 29, ("Halden station", 20), ("How the gauge works", 40), ("Pipe", 38))
    moments = [slide, *talk]
    segments = segment_video(moments, _alike(moments), [Fraction(30)], Fraction(60), SETTINGS)
    assert [segment.title for segment in segments] == [
        "How the gauge works",
        "We speak about the gauge and much more",
    ]


def test_moments_outside_the_video_are_refused() -> None:
    with pytest.raises(ValueError, match="the video ends at 10"):
        segment_video([_said(10, 11)], _alike([_said(10, 11)]), [], Fraction(10), SETTINGS)


def test_every_moment_needs_a_vector() -> None:
    with pytest.raises(ValueError, match="one vector a moment"):
        segment_video([_said(1, 2)], _alike([]), [], Fraction(10), SETTINGS)


def _passage(page: int, heading: str = "", text: str = "words") -> Moment:
    return Moment(MomentKind.PASSAGE, PageArea(page, str(page)), text, heading=heading)


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ABC")), max_size=40))
def test_sections_hold_every_moment_once(steps: list[tuple[int, str]]) -> None:
    page, moments = 1, []
    for forward, heading in steps:
        page += forward
        moments.append(_passage(page, heading))
    sections = segment_document(moments, SETTINGS)
    assert [moment for section in sections for moment in section.moments] == moments
    for section in sections:
        assert isinstance(section.extent, PageRange)
        pages = [moment.area.page for moment in section.moments]
        assert (section.extent.first, section.extent.last) == (pages[0], pages[-1])
        assert section.extent.last - section.extent.first < SETTINGS.max_pages


def test_sections_begin_at_headings_on_later_pages() -> None:
    moments = [_passage(1, "A"), _passage(1, "A > 1"), _passage(2, "A > 1"), _passage(2, "B")]
    sections = segment_document([*moments, _passage(3, "B"), _passage(4, "C")], SETTINGS)
    assert [section.extent for section in sections] == [
        PageRange(1, 2),
        PageRange(2, 3),
        PageRange(4, 4),
    ]
    assert [section.title for section in sections] == ["A", "B", "C"]


def test_long_sections_are_shared_out_evenly() -> None:
    sections = segment_document([_passage(page, "A") for page in range(1, 6)], SETTINGS)
    assert [section.extent for section in sections] == [PageRange(1, 2), PageRange(3, 5)]


def test_pages_that_go_backwards_are_refused() -> None:
    with pytest.raises(ValueError, match="page 1 comes after page 2"):
        segment_document([_passage(2), _passage(1)], SETTINGS)
