"""Search on the hand-written archive: ranks, exact places, filters, merging."""

from __future__ import annotations

from fractions import Fraction

import pytest

from index.embedders import Embedder
from index.errors import QuestionError
from index.records import MomentKind, PageArea, Span
from index.snapshot import Snapshot
from retrieve.filters import Filters, allowed_moments
from retrieve.hits import Hit
from retrieve.search import search
from retrieve.settings import RetrieveSettings
from tests.retrieve.archive import BEE_SLIDES, BEE_TALK, BEES, COFFEE, MANUAL, span_of_sentence


def find(
    archive: Snapshot,
    embedder: Embedder,
    query: str,
    *,
    k: int = 5,
    filters: Filters | None = None,
) -> tuple[Hit, ...]:
    result = search(
        archive,
        embedder,
        query,
        k=k,
        filters=filters or Filters(),
        settings=RetrieveSettings(),
    )
    return result.hits


def source_id(archive: Snapshot, name: str) -> str:
    return next(source.id for source in archive.sources.values() if source.name == name)


@pytest.mark.parametrize("number", range(len(BEE_TALK)))
def test_quoted_sentence_is_first_with_its_exact_span(
    archive: Snapshot, embedder: Embedder, number: int
) -> None:
    best = find(archive, embedder, BEE_TALK[number])[0]
    assert best.source.name == BEES
    assert best.place == span_of_sentence(number)
    assert best.text == BEE_TALK[number]


def test_quote_of_two_sentences_joins_them(archive: Snapshot, embedder: Embedder) -> None:
    best = find(archive, embedder, f"{BEE_TALK[10]} {BEE_TALK[11]}")[0]
    assert best.place == span_of_sentence(10).union(span_of_sentence(11))
    assert best.text == f"{BEE_TALK[10]} {BEE_TALK[11]}"


@pytest.mark.parametrize("query", ["HV-2207-B", "order number of foundation frames"])
def test_text_on_a_slide_is_found_while_it_is_shown(
    archive: Snapshot, embedder: Embedder, query: str
) -> None:
    best = find(archive, embedder, query)[0]
    text, first, last = BEE_SLIDES[2]
    assert best.text == text
    assert best.place == Span(span_of_sentence(first).start, span_of_sentence(last).start)
    assert best.reasons[0].kind is MomentKind.SCREEN_TEXT


def test_a_fact_in_a_document_is_found_with_its_boxes(
    archive: Snapshot, embedder: Embedder
) -> None:
    best = find(archive, embedder, "What does error E47 mean?")[0]
    assert isinstance(best.place, PageArea)
    assert (best.source.name, best.place.page) == (MANUAL, 4)
    assert best.place.boxes[0].y0 == 100
    assert "Filter blocked" in best.text


def test_a_picture_is_found_and_does_not_fill_the_list(
    archive: Snapshot, embedder: Embedder
) -> None:
    hits = find(archive, embedder, "a cup of espresso", k=10)
    seen = [hit for hit in hits if hit.reasons[0].kind is MomentKind.FRAME]
    assert [hit.source.name for hit in seen if "espresso" in hit.text] == [COFFEE]
    shown = next(hit for hit in seen if hit.source.name == COFFEE)
    assert shown.place.duration == 3 if isinstance(shown.place, Span) else False
    assert archive.picture(shown.moment_id) is not None
    assert shown.rank <= 3


def test_pages_support_passages_and_never_repeat_them(
    archive: Snapshot, embedder: Embedder
) -> None:
    hits = find(archive, embedder, "how do I stop the pump", k=10)
    assert all(hit.reasons[0].kind is not MomentKind.PAGE for hit in hits if hit.rank <= 5)
    places = [(hit.source.id, hit.place) for hit in hits]
    assert len(set(places)) == len(places)


def test_hits_are_ranked_and_scored(archive: Snapshot, embedder: Embedder) -> None:
    hits = find(archive, embedder, "treating mites", k=8)
    assert [hit.rank for hit in hits] == list(range(1, 9))
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)
    assert find(archive, embedder, "treating mites", k=3) == hits[:3]


def test_filters_act_before_ranking(archive: Snapshot, embedder: Embedder) -> None:
    query = "How many eggs does a queen lay?"
    coffee = source_id(archive, COFFEE)
    hits = find(archive, embedder, query, k=5, filters=Filters(sources=(coffee,)))
    assert len(hits) == 5
    assert {hit.source.id for hit in hits} == {coffee}
    hits = find(archive, embedder, query, filters=Filters(kinds=(MomentKind.PASSAGE,)))
    assert {reason.kind for hit in hits for reason in hit.reasons} == {MomentKind.PASSAGE}
    window = Span(Fraction(40), Fraction(60))
    hits = find(archive, embedder, query, k=20, filters=Filters(within=window))
    assert hits
    assert all(isinstance(hit.place, Span) and hit.place.overlaps(window) for hit in hits)


def test_masks_follow_the_half_open_rule(archive: Snapshot) -> None:
    assert allowed_moments(archive, Filters()) is None
    first = span_of_sentence(0)
    mask = allowed_moments(
        archive,
        Filters(
            kinds=(MomentKind.UTTERANCE,),
            within=Span(first.end, first.end + Fraction(1, 4)),
            sources=(source_id(archive, BEES),),
        ),
    )
    assert mask is not None
    assert not mask.any()  # it ends where the window starts, and the pause is 1/2 s
    none_named = allowed_moments(archive, Filters(sources=()))
    assert none_named is not None
    assert not none_named.any()


def test_nothing_allowed_finds_nothing(archive: Snapshot, embedder: Embedder) -> None:
    late = Filters(within=Span(Fraction(10_000), Fraction(10_001)))
    assert find(archive, embedder, "bees", filters=late) == ()


@pytest.mark.parametrize(("query", "k"), [("", 3), ("  \n", 3), ("bees", 0)])
def test_unusable_questions_are_refused(
    archive: Snapshot, embedder: Embedder, query: str, k: int
) -> None:
    with pytest.raises(QuestionError):
        find(archive, embedder, query, k=k)


def test_unknown_source_is_refused(archive: Snapshot, embedder: Embedder) -> None:
    with pytest.raises(QuestionError, match="no source 'nothing'"):
        find(archive, embedder, "bees", filters=Filters(sources=("nothing",)))


def test_words_of_no_script_we_know_are_searched(archive: Snapshot, embedder: Embedder) -> None:
    assert len(find(archive, embedder, "🐝 ???", k=3)) == 3
