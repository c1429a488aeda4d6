"""Fit how sure a hit is: `python -m benchmarks.retrieval.calibrate --media M --archive A`.

Asks the questions of the dev half, takes the first hits of each with what spoke for them
(`retrieve.confidence.Signals`) and whether they are right, and fits the logistic model whose
coefficients are the settings `retrieve.confidence`: the penalised likelihood (ridge), with no
coefficient of evidence below 0. Prints them as YAML, with the threshold `found_confidence` that
best tells questions with a right first hit from those that nothing answers, and how well the
model is calibrated on questions it was not fitted with (five folds). For another embedder, an
archive is made with it first: `python -m benchmarks.retrieval --config C --archive A`.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.retrieval.archive import SEED, add_arguments, build_archive
from benchmarks.retrieval.questions import Question, all_questions
from benchmarks.retrieval.scores import Outcome, outcome_of, reliability
from benchmarks.retrieval.systems import answer_at
from retrieve.confidence import Signals
from secondsight import Library
from secondsight.settings import load_settings

HITS = 3
"""Of each question, as many are learnt from."""
FOLDS = 5
RIDGE = 1.0
_STEPS = 5_000
_STEP_SIZE = 0.5
NAMES = tuple(field.name for field in dataclasses.fields(Signals))

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shown:
    """Hits of all questions, one row each."""

    outcomes: list[Outcome]
    """Of each hit, as if it were the only one."""
    signals: Floats
    """(hits, number of signals)."""
    right: Floats
    """(hits,) 1 where it is what was asked for, else 0."""
    question: npt.NDArray[np.int64]
    """(hits,) which question."""
    first: npt.NDArray[np.bool_]
    """(hits,) whether it is the first hit of its question."""
    answerable: npt.NDArray[np.bool_]
    """(hits,) whether anything answers its question."""


def fitted(signals: Floats, right: Floats) -> tuple[float, Floats]:
    """Intercept and coefficients, none of these below 0: projected gradient descent."""
    weights = np.ones(signals.shape[1])
    intercept = 0.0
    for _ in range(_STEPS):
        errors = probabilities(signals, intercept, weights) - right
        intercept -= _STEP_SIZE * float(errors.mean())
        gradient = signals.T @ errors / len(right) + RIDGE / len(right) * weights
        weights = np.maximum(weights - _STEP_SIZE * gradient, 0.0)
    return intercept, weights


def probabilities(signals: Floats, intercept: float, weights: Floats) -> Floats:
    """Of being right, (hits,)."""
    odds: Floats = 1 / (1 + np.exp(-(signals @ weights + intercept)))
    return odds


def calibration_error(outcomes: Sequence[Outcome], confidences: Floats) -> float:
    """Expected calibration error of hits that were this sure."""
    pairs = zip(outcomes, confidences.tolist(), strict=True)
    return reliability([dataclasses.replace(one, confidence=sure) for one, sure in pairs])[1]


def best_threshold(confidences: Floats, right: Floats, answerable: npt.NDArray[np.bool_]) -> float:
    """Where first hits that are right and those of questions without an answer part best.

    Maximises the share of the right ones above plus that of the unanswerable ones below (Youden).
    """
    kept, silent = confidences[right == 1], confidences[~answerable]
    tried = np.round(np.arange(0.02, 0.99, 0.01), 2)
    gains = [float((kept >= one).mean() + (silent < one).mean()) for one in tried]
    best = [float(one) for one, gain in zip(tried, gains, strict=True) if gain > max(gains) - 1e-9]
    return best[len(best) // 2]


def ask(library: Library, questions: Sequence[Question]) -> Shown:
    """Search for every question and judge its first hits."""
    outcomes: list[Outcome] = []
    rows: list[tuple[list[float], int, bool]] = []
    for number, question in enumerate(questions):
        for hit in library.search(question.text, k=HITS):
            answer = answer_at(hit.source, hit.place, hit.confidence)
            outcomes.append(outcome_of(question, [answer], abstains=False, took_ms=0.0))
            rows.append(([getattr(hit.signals, name) for name in NAMES], number, hit.rank == 1))
    signals, numbers, first = zip(*rows, strict=True)
    return Shown(
        outcomes,
        np.array(signals),
        np.array([one.rank for one in outcomes], dtype=float),
        np.array(numbers),
        np.array(first),
        np.array([bool(one.question.answers) for one in outcomes]),
    )


def held_out(shown: Shown) -> Floats:
    """Confidences of all hits, each from a model fitted without its question."""
    confidences = np.zeros(len(shown.right))
    for fold in range(FOLDS):
        inside = shown.question % FOLDS == fold
        intercept, weights = fitted(shown.signals[~inside], shown.right[~inside])
        confidences[inside] = probabilities(shown.signals[inside], intercept, weights)
    return confidences


def report(shown: Shown) -> str:
    """The settings to copy, and how good they are."""
    intercept, weights = fitted(shown.signals, shown.right)
    confidences = held_out(shown)
    first = shown.first
    right, answerable = shown.right[first], shown.answerable[first]
    threshold = best_threshold(confidences[first], right, answerable)
    silent = confidences[first] < threshold
    all_error = calibration_error(shown.outcomes, confidences)
    firsts = [one for one, is_first in zip(shown.outcomes, first, strict=True) if is_first]
    first_error = calibration_error(firsts, confidences[first])
    lines = [
        f"# {len(shown.right)} hits of {int(shown.question.max()) + 1} questions",
        "retrieve:",
        f"  found_confidence: {threshold}",
        "  confidence:",
        f"    intercept: {intercept:.2f}",
        *(f"    {name}: {weight:.2f}" for name, weight in zip(NAMES, weights, strict=True)),
        f"# calibration error, held out: first hits {first_error:.3f}, all {all_error:.3f}",
        f"# says nothing was found: {silent[~answerable].mean():.2f} of the unanswerable, "
        f"{silent[right == 1].mean():.3f} of those with a right first hit",
    ]
    return "\n".join(lines)


def main() -> None:
    """Ask the dev half, print the settings."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    given = parser.parse_args()
    settings = load_settings(given.config)
    archive = build_archive(
        given.media, given.archive, settings, minutes=given.minutes, ingest=False
    )
    questions = [one for one in all_questions(archive.truth, seed=SEED) if one.split == "dev"]
    print(report(ask(archive.library, questions)))


if __name__ == "__main__":
    main()
