"""The borders of what is seen, in a real clip with known cuts, and how a step is found."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.embedders import Embedder
from index.records import Span
from index.snapshot import Snapshot
from retrieve.boundaries import step_in
from retrieve.filters import Filters
from retrieve.hits import Hit
from retrieve.pictures import read_picture
from retrieve.query import Query
from retrieve.search import search
from retrieve.settings import BoundarySettings, RetrieveSettings
from tests.retrieve.archive import PHOTOS
from tests.retrieve.events import EVENTS, ClipFrames, build_library, write_clip

UNHURRIED = RetrieveSettings(
    boundaries=BoundarySettings(time_limit_ms=600_000),
    duplicate_picture_cosine=2.0,  # the same picture shown again is a hit of its own
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("events") / "events.mp4"
    write_clip(path)
    return path


@pytest.fixture(scope="module")
def snapshot(clip: Path, embedder: Embedder) -> Snapshot:
    return build_library(clip.parent / "library", clip, embedder)


def find(
    snapshot: Snapshot,
    embedder: Embedder,
    query: Query,
    frames: ClipFrames | None,
    settings: RetrieveSettings = UNHURRIED,
) -> tuple[Hit, ...]:
    return search(
        snapshot, embedder, query, k=6, filters=Filters(), settings=settings, frames=frames
    ).hits


def errors_s(hits: tuple[Hit, ...], words: str) -> list[float]:
    """How far the borders of what is seen are from those of the hits that show it."""
    found = []
    for event in EVENTS:
        if event.words != words:
            continue
        spans = [
            hit.place
            for hit in hits
            if isinstance(hit.place, Span)
            and hit.place.start < event.span.end - 1
            and hit.place.end > event.span.start + 1
        ]
        assert spans, f"{words} at {event.span} is not found"
        found.append(abs(float(min(span.start for span in spans) - event.span.start)))
        found.append(abs(float(max(span.end for span in spans) - event.span.end)))
    return found


def test_borders_are_within_a_picture_of_the_cuts(
    snapshot: Snapshot, clip: Path, embedder: Embedder
) -> None:
    before: list[float] = []
    after: list[float] = []
    cat = Query(picture=read_picture(PHOTOS / "cat.jpg"))
    asked = [(Query(words), words) for words in {event.words: None for event in EVENTS}]
    for query, words in (*asked, (cat, "a tabby cat")):
        before += errors_s(find(snapshot, embedder, query, None), words)
        after += errors_s(find(snapshot, embedder, query, ClipFrames(clip)), words)
    told = f"border errors, s: before {sorted(before)}, after {sorted(after)}"
    assert median(before) > 0.3, told
    assert median(after) <= 0.25, told
    assert max(after) <= max(before), told


def test_only_the_neighbourhood_of_borders_is_decoded(
    snapshot: Snapshot, clip: Path, embedder: Embedder
) -> None:
    frames = ClipFrames(clip)
    find(snapshot, embedder, Query("a tabby cat"), frames)
    assert frames.spans
    assert all(span.duration <= 2 for span in frames.spans)


def test_without_time_spans_stay(snapshot: Snapshot, clip: Path, embedder: Embedder) -> None:
    query = Query("a tabby cat")
    loose = find(snapshot, embedder, query, None)
    off = replace(UNHURRIED, boundaries=BoundarySettings(time_limit_ms=0))
    frames = ClipFrames(clip)
    assert find(snapshot, embedder, query, frames, off) == loose
    assert frames.spans == []


def test_a_file_that_shows_nothing_leaves_spans(
    snapshot: Snapshot, clip: Path, embedder: Embedder
) -> None:
    class Gone(ClipFrames):
        def __call__(self, *_: object, **__: object) -> object:  # type: ignore[override]
            return iter(())

    query = Query("a tabby cat")
    loose = find(snapshot, embedder, query, None)
    assert find(snapshot, embedder, query, Gone(clip)) == loose


@given(
    count=st.integers(2, 60), at=st.integers(1, 59), rising=st.booleans(), noise=st.floats(0, 0.1)
)
def test_a_step_is_found_where_it_is(count: int, at: int, rising: bool, noise: float) -> None:
    compared: list[int] = []

    def likeness(number: int) -> float:
        compared.append(number)
        level = 0.6 if (number >= at) is rising else 0.2
        return level + (noise * (number % 3 - 1) if at < count else 0.0)

    found = step_in(count, likeness, fall=0.15, rising=rising, go_on=lambda: True)
    assert found == (at if at < count else None)
    assert len(compared) <= 2 + (count - 1).bit_length()


@pytest.mark.parametrize("rising", [True, False])
def test_no_step_is_found_where_there_is_none(rising: bool) -> None:
    def level(_: int) -> float:
        return 0.5

    assert step_in(9, level, fall=0.15, rising=rising, go_on=lambda: True) is None
    assert step_in(9, lambda at: -0.1 * at, fall=0.1, rising=False, go_on=lambda: True) is None
    assert step_in(1, level, fall=0.15, rising=rising, go_on=lambda: True) is None
    assert step_in(0, level, fall=0.15, rising=rising, go_on=lambda: True) is None


def test_a_step_is_not_told_when_there_is_no_time_for_it() -> None:
    left = iter([True, True, False])

    def likeness(number: int) -> float:
        return float(number >= 5)

    assert step_in(9, likeness, fall=0.1, rising=True, go_on=lambda: next(left)) is None


def test_spans_are_exact_times_of_pictures(
    snapshot: Snapshot, clip: Path, embedder: Embedder
) -> None:
    for hit in find(snapshot, embedder, Query("a tabby cat"), ClipFrames(clip)):
        assert isinstance(hit.place, Span)
        assert (hit.place.start * 25).denominator == 1
        assert isinstance(hit.place.end, Fraction)
