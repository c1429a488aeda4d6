"""The proof benchmark: its cases say what they are, its scores count right."""

from __future__ import annotations

import pytest

from benchmarks.proof.cases import Case, cases_of
from benchmarks.proof.evidence import language_claims
from benchmarks.proof.scores import Judged, passed_as_supported, verdict_scores
from generate.answer_sentence import AnswerSentence, Verdict
from generate.model_citations import parse_cited

CLAIMS = language_claims()["German"]


def judged(given: Verdict, wanted: Verdict) -> Judged:
    case = Case("a kind", "It hums.", CLAIMS[0], wanted, moves=False)
    return Judged(case, AnswerSentence("It hums.", given, ()))


def test_precision_and_recall_are_counted() -> None:
    done = [
        *[judged("supported", "supported")] * 3,
        judged("not shown", "supported"),
        judged("supported", "contradicted"),
        judged("contradicted", "contradicted"),
        *[judged("not shown", "not shown")] * 2,
    ]
    scores = verdict_scores(done)
    assert (scores["supported"].precision, scores["supported"].recall) == (0.75, 0.75)
    assert (scores["contradicted"].precision, scores["contradicted"].recall) == (1.0, 0.5)
    assert scores["not shown"].precision == pytest.approx(2 / 3)
    assert [score.count for score in scores.values()] == [4, 2, 2]
    assert passed_as_supported(done) == 1 / 4


def test_the_same_seed_gives_the_same_cases() -> None:
    assert cases_of(CLAIMS, seed=3) == cases_of(CLAIMS, seed=3)
    assert cases_of(CLAIMS, seed=3) != cases_of(CLAIMS, seed=4)


def test_cases_are_one_sentence_that_cites_as_they_say() -> None:
    cases = cases_of(CLAIMS, seed=1)
    assert {"swapped", "shifted", "uncited", "false", "invented"} <= {one.kind for one in cases}
    for case in cases:
        (sentence,) = parse_cited(case.text, case.claim.evidence)
        cited = {mark.evidence for mark in sentence.marks}
        assert bool(cited) is (case.kind != "uncited")
        right = cited <= case.claim.proofs
        assert right is (case.kind not in ("swapped", "no such evidence"))
