"""Scores of retrieval are what they say; questions are asked in both halves and hold no answer."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import benchmarks.retrieval
from benchmarks.retrieval.plan import DOCUMENTS, PACKAGES, TALKS, find_documents
from benchmarks.retrieval.questions import Question, mistyped
from benchmarks.retrieval.scores import (
    Answer,
    Outcome,
    abstention,
    lead,
    outcome_of,
    reliability,
    scores_of,
)
from benchmarks.retrieval.truth import Place, letters_of, stems_of
from tests.media.speech import speak

FOLDER = Path(next(iter(benchmarks.retrieval.__path__)))
SAID = Place("talk.mp4", "said", 10.0, 14.0)
PRINTED = Place("manual.pdf", "printed", page=3)
ASKED = Question("the yellow house", "verbatim", "dev", (SAID, PRINTED))
NOTHING = Question("the purple house", "unanswerable", "dev", ())


def _answer(start_s: float, end_s: float, confidence: float = 0.5) -> Answer:
    return Answer("talk.mp4", start_s, end_s, 0, confidence)


def _judged(*answers: Answer, question: Question = ASKED) -> Outcome:
    return outcome_of(question, answers, abstains=not answers, took_ms=1.0)


def test_right_is_what_covers_half_of_the_span_or_is_half_covered() -> None:
    assert _judged(_answer(12.1, 16.0)).rank == 0
    assert _judged(_answer(12.0, 16.0)).rank == 1
    assert _judged(_answer(0, 60)).rank == 1
    assert _judged(_answer(20, 30), Answer("manual.pdf", 0, 0, 3, 0.1)).rank == 2
    assert _judged(Answer("other.mp4", 10, 14, 0, 0.9)).rank == 0
    assert _judged(Answer("manual.pdf", 0, 0, 4, 0.9)).rank == 0


def test_borders_and_overlap_are_those_of_the_best_answer() -> None:
    one = _judged(_answer(10.5, 15.0))
    assert one.border_errors_s == (0.5, 1.0)
    assert one.iou == pytest.approx(3.5 / 5)
    page = _judged(Answer("manual.pdf", 0, 0, 3, 0.1), _answer(10, 14))
    assert page.iou == 1
    assert page.border_errors_s == ()
    s = scores_of([one, page, _judged()])
    assert (s.hit_1, s.mrr, s.iou_70) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert (s.border_median_s, s.border_p90_s) == pytest.approx((0.75, 0.95))


def test_a_lead_is_clear_of_zero_only_where_one_wins_mostly() -> None:
    right, wrong = _judged(_answer(10, 14)), _judged()
    assert lead([right] * 40, [wrong] * 40, seed=1) == (1, 1, 1)
    mean, low, high = lead([right, wrong] * 20, [wrong, right] * 20, seed=1)
    assert low < mean == 0 < high


def test_calibration_and_abstention() -> None:
    outcomes = [_judged(_answer(10, 14, 0.95))] * 8 + [_judged(_answer(90, 94, 0.95))] * 2
    bins, error = reliability(outcomes)
    assert [(one.count, one.share_right) for one in bins] == [(10, 0.8)]
    assert error == pytest.approx(0.15)
    silent = [_judged(question=NOTHING), _judged(), _judged(_answer(1, 2), question=NOTHING)]
    assert abstention(silent) == (0.5, 0.5)


@given(st.lists(st.sampled_from(["alpine", "meadow", "goat", "of"]), min_size=1), st.integers())
def test_slips_keep_words_and_first_letters(words: list[str], seed: int) -> None:
    typed = mistyped(" ".join(words), random.Random(seed)).split()
    assert [word[0] for word in typed] == [word[0] for word in words]
    changed = sum(a != b for a, b in zip(typed, words, strict=True))
    long = sum(len(word) >= 5 for word in words)
    assert changed <= -(-long // 3)


def test_letters_are_the_same_however_a_text_is_printed() -> None:
    assert letters_of("Schlüs­sel, f¨ur 1.15") == letters_of("Schlussel fur (115)")
    assert stems_of("The keys of the house were 12 inches") == stems_of("inch key, houses")


def test_the_halves_have_no_document_in_common() -> None:
    of = {
        split: {one.document for one in (*TALKS, *DOCUMENTS) if one.document and one.split == split}
        for split in ("dev", "test")
    }
    assert not of["dev"] & of["test"]
    by_name = {plan.name: plan.split for plan in TALKS}
    assert all(by_name[back] == plan.split for plan in TALKS for back in plan.looks_back_at)


def test_paraphrases_say_it_in_other_words() -> None:
    written = json.loads((FOLDER / "paraphrases.json").read_text("utf-8"))
    assert len(written) >= 150
    assert len(set(written.values())) == len(written)
    shared = [
        len(stems_of(question) & stems_of(sentence)) / max(1, len(stems_of(question)))
        for sentence, question in written.items()
    ]
    assert sum(shared) / len(shared) < 0.5
    nothing = json.loads((FOLDER / "unanswerable.json").read_text("utf-8"))
    assert not set(nothing["dev"]) & set(nothing["test"])


def test_documents_that_are_missing_are_told_with_their_packages(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=re.escape(f"apt-get download {' '.join(PACKAGES)}")):
        find_documents(tmp_path)


def test_without_espeak_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match="apt-get install espeak-ng"):
        speak("a sentence", "en-us")
