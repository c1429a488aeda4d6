"""A text that holds the query word by word goes before one that has its words anywhere."""

from __future__ import annotations

import itertools
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from index.records import Moment, MomentKind, Source, SourceKind, Span
from index.snapshot import StoredMoment
from retrieve.hits import Candidate
from retrieve.ranking import prefer_verbatim

SOURCE = Source("0" * 32, SourceKind.VIDEO, "talk.mp4", 1, Fraction(60), None)


def _candidate(number: int, text: str, score: float) -> Candidate:
    moment = Moment(MomentKind.UTTERANCE, Span(Fraction(number), Fraction(number + 1)), text)
    return Candidate(StoredMoment(number, SOURCE, number, 0, moment), score, None)


def test_the_words_in_their_order_win_over_the_words_anywhere() -> None:
    anywhere = _candidate(0, "The pressure was the lowest of 961 readings, in hPa.", 0.91)
    verbatim = _candidate(1, "Storm surge\nLowest pressure: 961 hPa\nWind 31 m/s", 0.84)
    found = prefer_verbatim([anywhere, verbatim], "lowest pressure 961 hPa", 0.2)
    assert [candidate.stored.id for candidate in found] == [1, 0]


def test_a_single_word_changes_nothing() -> None:
    given_order = [_candidate(0, "a storm", 0.9), _candidate(1, "storm", 0.8)]
    assert prefer_verbatim(given_order, "storm", 0.2) == given_order


def test_half_a_word_is_not_the_word() -> None:
    (found,) = prefer_verbatim([_candidate(0, "stormy seasons", 1.0)], "storm season", 0.2)
    assert found.score == 0.8


@given(st.lists(st.floats(0, 1), max_size=8))
def test_scores_stay_scores_and_nothing_is_lost(scores: list[float]) -> None:
    scores.sort(reverse=True)
    texts = ["the high tide", "tide high"]
    given_order = [_candidate(n, texts[n % 2], score) for n, score in enumerate(scores)]
    found = prefer_verbatim(given_order, "high tide", 0.2)
    assert sorted(candidate.stored.id for candidate in found) == list(range(len(scores)))
    assert all(0 <= candidate.score <= 1 for candidate in found)
    assert all(a.score >= b.score for a, b in itertools.pairwise(found))
