"""Confidence is a probability that grows with every signal, and tells when nothing is there."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.embedders import Embedder
from index.snapshot import Snapshot
from retrieve.confidence import Signals, confidence
from retrieve.filters import Filters
from retrieve.result import SearchResult
from retrieve.search import search
from retrieve.settings import ConfidenceSettings, RetrieveSettings
from tests.generate.questions import ANSWERABLE, UNANSWERABLE
from tests.retrieve.archive import BEE_TALK

SHARES = st.floats(0, 1)
SIGNALS = st.builds(
    Signals,
    meaning=SHARES,
    picture=SHARES,
    cover=SHARES,
    lead=st.floats(-1, 1),
    listed=SHARES,
    agreement=SHARES,
    verbatim=st.sampled_from((0.0, 1.0)),
)
NAMES = [field.name for field in dataclasses.fields(Signals)]


@given(SIGNALS, st.sampled_from(NAMES), st.floats(0, 1))
def test_more_evidence_never_makes_less_sure(signals: Signals, name: str, more: float) -> None:
    settings = ConfidenceSettings()
    before = confidence(signals, settings)
    grown = dataclasses.replace(signals, **{name: getattr(signals, name) + more})
    assert 0 <= before <= confidence(grown, settings) <= 1


def test_every_signal_has_a_coefficient_that_is_not_negative() -> None:
    assert all(getattr(ConfidenceSettings(), name) >= 0 for name in NAMES)


@given(st.floats(-1e9, 1e9))
def test_any_coefficient_gives_a_probability(intercept: float) -> None:
    nothing = Signals(*[0.0] * len(NAMES))
    assert 0 <= confidence(nothing, ConfidenceSettings(intercept=intercept)) <= 1


def ask(archive: Snapshot, embedder: Embedder, query: str) -> SearchResult:
    settings = RetrieveSettings()
    return search(archive, embedder, query, k=5, filters=Filters(), settings=settings)


def test_nothing_relevant_is_said_of_most_that_is_not_there(
    archive: Snapshot, embedder: Embedder
) -> None:
    silent = [not ask(archive, embedder, question).found for question in UNANSWERABLE]
    told = [ask(archive, embedder, question).found for question, _ in ANSWERABLE]
    assert sum(silent) >= 0.6 * len(silent)
    assert sum(told) >= 0.9 * len(told)


@pytest.mark.parametrize("query", [BEE_TALK[4], "a cup of espresso", "oxalic acid"])
def test_what_is_there_is_found(archive: Snapshot, embedder: Embedder, query: str) -> None:
    result = ask(archive, embedder, query)
    assert result.found
    assert all(0 <= hit.confidence <= 1 for hit in result.hits)
