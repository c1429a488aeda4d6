"""What can be asked for: how places are written, phrases, and what makes no sense."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.clock import format_clock
from index.errors import QuestionError
from index.records import MomentKind, PageArea, Span
from index.snapshot import Snapshot
from index.word_query import parse_query
from retrieve.query import Like, Query, moments_at, parse_like, with_phrase
from tests.retrieve.archive import BEE_TALK, BEES, MANUAL, span_of_sentence
from tests.retrieve.test_search import source_id

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=20)


@given(name=NAMES, number=st.integers(0, 999_999_999), seconds=st.integers(0, 360_000))
def test_a_place_is_read_as_it_is_written(name: str, number: int, seconds: int) -> None:
    assert parse_like(f"{name}#{number}") == Like(name, ordinal=number)
    assert parse_like(f"{name}/{number}") == Like(name, ordinal=number)
    assert parse_like(f"{name}@p{number}") == Like(name, page=number)
    assert parse_like(f"{name}@{format_clock(seconds)}") == Like(name, time=Fraction(seconds))


@given(st.text(max_size=40))
def test_whatever_is_written_is_a_place_or_is_refused(text: str) -> None:
    with suppress(QuestionError):
        assert parse_like(text).source


@pytest.mark.parametrize(
    "text", ["", "talk.mp4", "talk.mp4@", "talk.mp4@soon", "talk.mp4@1:2:3:4", "#3", "a#-1", "a@p"]
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(QuestionError, match="like: "):
        parse_like(text)


def test_numbers_too_long_for_a_place_are_refused() -> None:
    with pytest.raises(QuestionError, match="like: cannot read"):
        parse_like(f"talk.mp4#{'9' * 5000}")


def test_phrases_are_quoted_whatever_they_hold() -> None:
    assert with_phrase("", "storm surge") == '"storm surge"'
    (phrase,) = parse_query(with_phrase("when", 'the "storm” surge ')).phrases
    assert phrase.words == ("the", "storm", "surge")
    with pytest.raises(QuestionError, match="the phrase is empty"):
        with_phrase("when", ' "" ')


def test_a_query_asks_for_something_and_for_one_example_only() -> None:
    with pytest.raises(QuestionError, match="the query is empty"):
        Query(" \n")
    with pytest.raises(ValueError, match="one of ordinal, time and page"):
        Like("id", ordinal=1, page=1)
    assert not Query(like=Like("id", page=1)).has_text


def test_an_instant_is_all_that_is_said_and_shown_then(archive: Snapshot) -> None:
    bees = source_id(archive, BEES)
    at = span_of_sentence(8).start
    places = archive.moments(moments_at(archive, Like(bees, time=at)))
    assert {one.moment.kind for one in places} == {MomentKind.UTTERANCE, MomentKind.SCREEN_TEXT}
    assert BEE_TALK[8] in {one.moment.text for one in places}
    for one in places:
        assert isinstance(one.moment.place, Span)
        assert at in one.moment.place


def test_a_pause_is_what_is_nearest(archive: Snapshot) -> None:
    bees = source_id(archive, BEES)
    pause = span_of_sentence(4).end + Fraction(1, 10)
    (before,) = archive.moments(moments_at(archive, Like(bees, time=pause)))
    assert before.moment.text == BEE_TALK[4]


def test_a_page_is_all_that_is_on_it(archive: Snapshot) -> None:
    found = archive.moments(moments_at(archive, Like(source_id(archive, MANUAL), page=3)))
    assert [one.moment.kind for one in found] == ["passage", "passage", "page"]
    assert {one.moment.place.page for one in found if isinstance(one.moment.place, PageArea)} == {3}


@pytest.mark.parametrize(
    ("name", "rest", "says"),
    [
        (BEES, {"ordinal": 10_000}, "the moments of bees.mp4 are 0.."),
        (BEES, {"page": 1}, "nothing on a page 1"),
        (BEES, {"time": Fraction(3600)}, "bees.mp4 ends at 00:01:25"),
        (MANUAL, {"page": 6}, "nothing on a page 6"),
        (MANUAL, {"time": Fraction(3)}, "pump_manual.pdf has pages"),
    ],
)
def test_a_place_that_is_not_there_is_told(
    archive: Snapshot, name: str, rest: dict[str, int], says: str
) -> None:
    with pytest.raises(QuestionError, match=says.replace(".", r"\.")):
        moments_at(archive, Like(source_id(archive, name), **rest))  # type: ignore[arg-type]
    with pytest.raises(QuestionError, match="no source 'nobody'"):
        moments_at(archive, Like("nobody", **rest))  # type: ignore[arg-type]


def test_paths_may_hold_the_signs_of_places() -> None:
    assert parse_like("a#1@2/b@x.mp4@0:30") == Like("a#1@2/b@x.mp4", time=Fraction(30))
    assert parse_like(str(Path("dir") / "talk.mp4#7")) == Like("dir/talk.mp4", ordinal=7)
