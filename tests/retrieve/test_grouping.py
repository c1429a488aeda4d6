"""The same thing twice is one hit with a duplicate; similar things are two hits."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from index.embedders import Embedder
from index.records import MomentKind, PageArea
from index.snapshot import Snapshot
from index.words import all_words
from retrieve.building import build_hits
from retrieve.filters import Filters
from retrieve.grouping import distinct_places, same_picture, same_text
from retrieve.hits import Candidate
from retrieve.merging import merged
from retrieve.search import search
from retrieve.settings import RetrieveSettings
from tests.retrieve.archive import BEE_TALK
from tests.retrieve.places import AGAIN, MANUAL, candidate

SETTINGS = RetrieveSettings()


def same(one: str, other: str) -> bool:
    first, second = Counter(all_words(one)), Counter(all_words(other))
    return same_text(first, second, SETTINGS.duplicate_text_share)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (BEE_TALK[8], BEE_TALK[8].upper().replace(",", ""), True),
        (
            "Fill the housing with clean water before the first start, or it runs dry.",
            "Fill the housing with clear water before the first start, or it runs dry.",
            True,
        ),
        ("The valve must be open at night.", "The valve must not be open at night.", False),
        ("Let it cool for 10 minutes at least.", "Let it cool for 20 minutes at least.", False),
        ("Thank you very.", "Thank you very.", False),
        ("Wear gloves and goggles here.", "Wear a helmet and goggles here.", False),
        ("", "", False),
    ],
)
def test_texts_are_the_same_in_nearly_all_words(one: str, other: str, expected: bool) -> None:
    assert same(one, other) is expected
    assert same(other, one) is expected


@given(st.text(), st.text())
def test_sameness_is_mutual(one: str, other: str) -> None:
    assert same(one, other) is same(other, one)


def _jpeg(text: str, shade: int = 200) -> bytes:
    picture = Image.new("RGB", (640, 360), (shade, shade, shade))
    ImageDraw.Draw(picture).text((80, 120), text, fill=(0, 0, 0), font_size=60)
    stream = BytesIO()
    picture.save(stream, "JPEG", quality=70)
    return stream.getvalue()


def test_pictures_are_the_same_when_they_look_so() -> None:
    assert same_picture(_jpeg("4.36 m"), _jpeg("4.36 m", 203))
    assert not same_picture(_jpeg("4.36 m"), _jpeg("4.36 m at night"))
    assert not same_picture(_jpeg("4.36 m"), _jpeg("4.36 m", 120))


def test_only_moments_of_one_kind_are_duplicates(archive: Snapshot) -> None:
    text = BEE_TALK[8]
    said = candidate(1, text, 0.9)
    repeated = candidate(2, text, 0.8, source=AGAIN)
    shown = candidate(3, text, 0.7, kind=MomentKind.SCREEN_TEXT, source=AGAIN)
    printed = candidate(4, text, 0.6, kind=MomentKind.PASSAGE, source=MANUAL)
    edition = candidate(5, text, 0.5, kind=MomentKind.PASSAGE, source=MANUAL)
    groups = merged([said, repeated, shown, printed, edition], "mites", SETTINGS)
    places = distinct_places(groups, archive, SETTINGS, k=len(groups))
    ids = [
        [group.anchor.stored.id for group in (place.leader, *place.duplicates)] for place in places
    ]
    assert ids == [[1, 2], [3], [4, 5]]


def test_duplicates_are_hits_of_their_own_where_each_counts(archive: Snapshot) -> None:
    said = [
        one
        for one in archive.texts(range(archive.num_moments))
        if one.moment.kind is MomentKind.UTTERANCE
    ]
    first, last = said[0], said[-1]
    same = replace(last, moment=replace(last.moment, text=first.moment.text))
    twice = [Candidate(first, 0.9, None), Candidate(same, 0.8, None)]
    grouped = build_hits(archive, twice, "bees", k=5, settings=SETTINGS)
    apart = build_hits(archive, twice, "bees", k=5, settings=SETTINGS, apart=True)
    assert [len(hit.duplicates) for hit in grouped] == [1]
    assert [len(hit.duplicates) for hit in apart] == [0, 0]


def test_frames_of_one_photograph_are_duplicates(archive: Snapshot, embedder: Embedder) -> None:
    """The archive shows one picture of a rocket on every page, and a cat for three seconds."""
    frames = [
        number
        for number in range(archive.num_moments)
        if archive.texts([number])[0].moment.kind is MomentKind.FRAME
    ]
    found = archive.texts(frames)
    apart = [
        candidate(
            one.id, one.moment.text, 0.5, at_s=100 * one.id, kind=MomentKind.FRAME, cosine=0.5
        )
        for one in found
    ]
    places = distinct_places(merged(apart, "animal", SETTINGS), archive, SETTINGS, k=9)
    assert sorted(len(place.duplicates) for place in places) == [2, 2]  # a cat, a cup of coffee


def test_duplicates_take_no_ranks(archive: Snapshot, embedder: Embedder) -> None:
    result = search(
        archive, embedder, "rinse the filter", k=6, filters=Filters(), settings=SETTINGS
    )
    assert [hit.rank for hit in result.hits] == list(range(1, len(result.hits) + 1))
    places = [(hit.source.id, hit.place) for hit in result.hits]
    repeated = [(one.source.id, one.place) for hit in result.hits for one in hit.duplicates]
    assert not set(map(str, places)) & set(map(str, repeated))
    assert isinstance(result.hits[0].place, PageArea)


@given(*[st.lists(st.sampled_from(["a", "bee", "its", "hive", "not", "9"]), max_size=12)] * 2)
def test_sameness_counts_every_word(one: list[str], other: list[str]) -> None:
    first, second = Counter(one), Counter(other)
    shared = sum(min(first[word], second[word]) for word in first)
    different = {word for word in (*one, *other) if first[word] != second[word]}
    expected = (
        min(len(one), len(other)) >= 4
        and 2 * shared >= 0.7 * (len(one) + len(other))
        and different.isdisjoint(("not", "9"))
    )
    assert same_text(first, second, 0.7) is expected
