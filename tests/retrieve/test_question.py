"""Questions as typed: where they say to look, and what is left to look for."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generate.answer import answer
from generate.settings import GenerateSettings
from index.embedders import Embedder
from index.records import MomentKind, Source, SourceKind, Span
from index.snapshot import Snapshot
from retrieve.filters import Filters, allowed_moments
from retrieve.question import analyse
from retrieve.result import SearchResult
from retrieve.search import search
from retrieve.settings import RetrieveSettings
from retrieve.understanding import understand
from tests.retrieve.archive import BEES, COFFEE, MANUAL, span_of_sentence


def source(name: str, hours: Fraction | None, title: str = "") -> Source:
    return Source(
        id=name,
        kind=SourceKind.DOCUMENT if hours is None else SourceKind.VIDEO,
        name=name,
        size_bytes=1,
        duration=None if hours is None else hours * 3600,
        pages=7 if hours is None else None,
        details={"title": title} if title else {},
    )


TALK = source("lecture_03.mp4", Fraction(3), "Graph Colouring")
SHORT = source("intro.mp4", Fraction(1, 6))
SLIDES = source("lecture_03.pdf", None)
NOTES = source("lecture_03_part_2.md", None)
SOURCES = (TALK, SHORT, SLIDES, NOTES)


@pytest.mark.parametrize(
    ("text", "searched", "named"),
    [
        ("proofs in lecture_03.mp4", "proofs", [TALK]),
        ("proofs in lecture 3.mp4?", "proofs?", [TALK]),
        ("proofs in lecture3", "proofs", [TALK, SLIDES]),
        ("proofs from lecture 3 part 2", "proofs", [NOTES]),
        ("In “lecture_03.pdf”, which proofs?", "which proofs?", [SLIDES]),
        ("在lecture3.mp4里讲了什么证明", "讲了什么证明", [TALK]),
        ("какие доказательства в lecture_03.mp4?", "какие доказательства?", [TALK]),
        ("maps in Graph Colouring", "maps", [TALK]),
        ('maps in "intro"', "maps", [SHORT]),
        ("intro.mp4 maps", "maps", [SHORT]),
        ("maps in the intro", "maps in the intro", []),
        ("how does graph colouring work", "how does graph colouring work", []),
        ("lecture 3 proofs", "lecture 3 proofs", []),
        ("proofs in lecture 31", "proofs in lecture 31", []),
    ],
)
def test_names_of_sources(text: str, searched: str, named: list[Source]) -> None:
    question = analyse(text, SOURCES)
    assert question.searched == searched
    assert question.sources == (tuple(one.id for one in named) or None)


@pytest.mark.parametrize(
    ("text", "searched", "kind"),
    [
        ("margins on the slide", "margins", MomentKind.SCREEN_TEXT),
        ("margins on screen", "margins", MomentKind.SCREEN_TEXT),
        ("幻灯片上的公式", "的公式", MomentKind.SCREEN_TEXT),
        ("формула на слайде", "формула", MomentKind.SCREEN_TEXT),
        ("margins, said aloud", "margins", MomentKind.UTTERANCE),
        ("цена вслух", "цена", MomentKind.UTTERANCE),
        ("a cat in the picture", "a cat", MomentKind.FRAME),
        ("margins in the pdf", "margins", MomentKind.PASSAGE),
        ("what did she say about margins?", "what did she say about margins?", None),
        ("press on the screen of the pump", "press on the screen of the pump", None),
        ("the picture of the king", "the picture of the king", None),
        ('"in the picture" he said', '"in the picture" he said', None),
    ],
)
def test_kinds(text: str, searched: str, kind: MomentKind | None) -> None:
    question = analyse(text, SOURCES)
    assert question.searched == searched
    if kind is None:
        assert question.kinds is None
    else:
        assert question.kinds is not None
        assert kind in question.kinds
        assert len(question.kinds) < len(MomentKind)


def test_times_are_relative_to_each_video() -> None:
    question = analyse("margins in the last ten minutes?", SOURCES)
    assert question.searched == "margins?"
    assert question.spans == (
        (TALK.id, Span(Fraction(10_200), Fraction(10_800))),
        (SHORT.id, Span(Fraction(0), Fraction(600))),
    )
    assert not question.doubtful
    in_one = analyse("margins in the last ten minutes of lecture_03.mp4", SOURCES)
    assert in_one.searched == "margins"
    assert in_one.spans == question.spans[:1]
    assert in_one.notes == (
        "only in lecture_03.mp4",
        "“in the last ten minutes”: 02:50:00-03:00:00 of lecture_03.mp4",
    )


def test_sources_that_are_too_short_are_not_meant() -> None:
    assert analyse("margins in the second hour", SOURCES).spans == (
        (TALK.id, Span(Fraction(3600), Fraction(7200))),
    )
    question = analyse("margins in the second hour", (SHORT, SLIDES))
    assert question.spans is None
    assert question.searched == "margins in the second hour"
    assert "fits no video" in question.notes[0]


def test_a_clock_alone_is_a_time() -> None:
    assert analyse("lecture_03.mp4 3:25", SOURCES).spans == (
        (TALK.id, Span(Fraction(195), Fraction(215))),
    )
    assert analyse("3:25 margins", SOURCES).spans is None


def test_what_may_be_content_can_be_left() -> None:
    text = "the meeting at 1:00:00"
    assert analyse(text, SOURCES).doubtful
    kept = analyse(text, SOURCES, is_content=lambda words, rest: rest == "the meeting")
    assert (kept.searched, kept.spans) == (text, None)
    assert analyse(text, SOURCES, doubtful=False).spans is None


@pytest.mark.parametrize(
    ("text", "has_words"),
    [
        ("what happened in the second hour?", False),
        ("what is discussed in the second hour?", False),
        ("第二小时讲了什么？", False),
        ("что происходит во втором часе?", False),
        ("margins in the second hour", True),
        ("第二小时的图论", True),
        ("графы во втором часе", True),
    ],
)
def test_questions_without_words(text: str, has_words: bool) -> None:
    assert analyse(text, SOURCES).has_words is has_words


@given(st.text(alphabet="abcdwxyz бгджю 蜂蜜花 ,.?!\n-'", max_size=80))
def test_texts_that_say_no_place_come_back_unchanged(text: str) -> None:
    question = analyse(text, SOURCES)
    assert question.searched == text
    assert not question.is_restricted
    assert question.notes == ()


def ask(
    archive: Snapshot, embedder: Embedder, query: str, *, filters: Filters | None = None, k: int = 5
) -> SearchResult:
    return search(
        archive,
        embedder,
        query,
        k=k,
        filters=filters or Filters(),
        settings=RetrieveSettings(),
    )


def ids(archive: Snapshot) -> dict[str, str]:
    return {source.name: source.id for source in archive.sources.values()}


def test_hits_lie_where_the_question_says(archive: Snapshot, embedder: Embedder) -> None:
    result = ask(archive, embedder, "eggs of the queen in the last 20 seconds", k=20)
    assert result.query == "eggs of the queen in the last 20 seconds"
    assert result.searched == "eggs of the queen"
    for hit in result:
        assert hit.source.duration is not None
        assert isinstance(hit.place, Span)
        assert hit.place.end > hit.source.duration - 20
    assert result.question is not None
    assert "little there speaks of it" in result.question.notes[-1]
    named = ask(archive, embedder, f"how long does it keep in {MANUAL}?")
    assert {hit.source.name for hit in named} == {MANUAL}


def test_a_time_that_the_archive_says_is_content(archive: Snapshot, embedder: Embedder) -> None:
    said = understand(archive, "what do you hear after nine minutes?", Filters())
    assert said.notes == ("“after nine minutes” is taken for words to look for",)
    other = understand(archive, "sugar syrup after nine minutes", Filters())
    assert "fits no video" in other.notes[0]  # nobody says it of syrup
    closed = Filters(sources=(ids(archive)[BEES],))
    hidden = understand(archive, "what do you hear after nine minutes?", closed)
    assert "fits no video" in hidden.notes[0]  # what may not be found is not told of


def test_kinds_that_hide_the_answer_give_way(archive: Snapshot, embedder: Embedder) -> None:
    result = ask(archive, embedder, "which importer visits the farms, in the pdf?")
    assert result[0].source.name == COFFEE
    assert result.question is not None
    assert "searched without" in result.question.notes[-1]


def test_given_filters_go_first(archive: Snapshot, embedder: Embedder) -> None:
    window = Span(Fraction(0), Fraction(10))
    filters = Filters(sources=(ids(archive)[BEES],), within=window)
    result = ask(archive, embedder, "bees in the last 20 seconds", filters=filters)
    assert result.searched == "bees"
    assert all(isinstance(hit.place, Span) and hit.place.overlaps(window) for hit in result)
    assert result.question is not None
    assert "filters that were given" in " ".join(result.question.notes)


def test_what_there_is_comes_in_its_order(archive: Snapshot, embedder: Embedder) -> None:
    text = f"what happens in the first 30 seconds of {BEES}?"
    result = ask(archive, embedder, text, k=3)
    assert result.is_overview
    starts = [hit.place.start for hit in result if isinstance(hit.place, Span)]
    assert starts == sorted(starts)
    assert len(starts) == 3
    assert starts[-1] < 30
    said = answer(
        text,
        archive,
        embedder,
        filters=Filters(),
        retrieve=RetrieveSettings(),
        settings=GenerateSettings(),
    )
    assert said.found
    assert all(sentence.citations[0].place.start < 30 for sentence in said.sentences
               if isinstance(sentence.citations[0].place, Span))  # fmt: skip


def test_what_is_at_an_instant_comes_first(archive: Snapshot, embedder: Embedder) -> None:
    for number in (1, 3):
        said = span_of_sentence(number)
        instant = (said.start + said.end) / 2
        result = ask(archive, embedder, f"what is said at 0:{int(instant):02} in {BEES}?", k=3)
        assert result.is_overview
        spans = [hit.place for hit in result if isinstance(hit.place, Span)]
        assert spans[0] == said
        gaps = [max(span.start - instant, instant - span.end, 0) for span in spans]
        assert gaps == sorted(gaps)


def test_literal_questions_are_searched_as_they_are(archive: Snapshot, embedder: Embedder) -> None:
    text = "bees in the last 20 seconds"
    result = search(
        archive, embedder, text, k=3, filters=Filters(), settings=RetrieveSettings(), literal=True
    )
    assert (result.question, result.searched) == (None, text)


def test_spans_of_sources_are_masks(archive: Snapshot) -> None:
    bees, coffee = ids(archive)[BEES], ids(archive)[COFFEE]
    first, second = span_of_sentence(0), span_of_sentence(3)
    filters = Filters(
        kinds=(MomentKind.UTTERANCE,), spans=((bees, first), (bees, second), (coffee, first))
    )
    mask = allowed_moments(archive, filters)
    assert mask is not None
    found = {
        (one.source.name, one.moment.span)
        for one in archive.moments([number for number, may in enumerate(mask) if may])
    }
    assert found == {(BEES, first), (BEES, second), (COFFEE, first)}
    nothing = allowed_moments(archive, replace(filters, spans=()))
    assert nothing is not None
    assert not nothing.any()
