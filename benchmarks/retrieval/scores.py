"""What is right, and how much of it: hits, boundaries, calibration, abstention, and how sure.

A hit is right when it is on a right page, or covers at least half of a right span, or is at least
half covered by it. Boundaries are counted where the best hit is right and what was asked for is
said in that talk: both of its borders against those of the sentence, in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.retrieval.questions import Question
from benchmarks.retrieval.truth import Place

SPOKEN_KINDS = frozenset(("verbatim", "paraphrased", "keywords", "typos", "speech only"))
RESAMPLES = 10_000
BINS = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """One place that a system names."""

    source: str
    start_s: float
    end_s: float
    page: int
    """0 in videos."""
    confidence: float
    """0..1."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a system did on one question."""

    question: Question
    rank: int
    """Of the first right answer, from 1; 0: none of those given is right."""
    iou: float
    """Of the best answer with the right span it is most like; 1 on a right page."""
    border_errors_s: tuple[float, ...]
    """Of the best answer's two borders; empty where they do not count."""
    confidence: float
    """Of the best answer; 0 when there is none."""
    abstains: bool
    """Nothing of what was found is to be shown."""
    took_ms: float


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over questions."""

    questions: int
    hit_1: float
    hit_5: float
    mrr: float
    iou_50: float
    """Share of questions whose best answer has an IoU of at least 0.5."""
    iou_70: float
    border_median_s: float
    """NaN where no borders count."""
    border_p90_s: float


def outcome_of(
    question: Question, answers: Sequence[Answer], *, abstains: bool, took_ms: float
) -> Outcome:
    """Judge what a system answers, best first."""
    matched = [_matched(answer, question.answers) for answer in answers]
    rank = next((n for n, place in enumerate(matched, start=1) if place is not None), 0)
    best = matched[0] if matched else None
    errors: tuple[float, ...] = ()
    if best is not None and not best.page and question.kind in SPOKEN_KINDS:
        errors = _border_errors(answers[0], question.answers)
    return Outcome(
        question,
        rank,
        0.0 if best is None else _iou(answers[0], best),
        errors,
        answers[0].confidence if answers else 0.0,
        abstains,
        took_ms,
    )


def _matched(answer: Answer, places: Sequence[Place]) -> Place | None:
    """The right place most like the answer; None when it is wrong."""
    right = [place for place in places if _is_right(answer, place)]
    return max(right, key=lambda place: _iou(answer, place), default=None)


def _is_right(answer: Answer, place: Place) -> bool:
    if answer.source != place.source:
        return False
    if place.page:
        return answer.page == place.page
    shorter = min(answer.end_s - answer.start_s, place.end_s - place.start_s)
    return _common_s(answer, place) >= shorter / 2


def _common_s(answer: Answer, place: Place) -> float:
    return max(0.0, min(answer.end_s, place.end_s) - max(answer.start_s, place.start_s))


def _iou(answer: Answer, place: Place) -> float:
    if place.page:
        return 1.0
    together = max(answer.end_s, place.end_s) - min(answer.start_s, place.start_s)
    return _common_s(answer, place) / together


def _border_errors(answer: Answer, places: Sequence[Place]) -> tuple[float, ...]:
    said = [p for p in places if p.medium == "said" and _is_right(answer, p)]
    if not said:
        return ()
    place = max(said, key=lambda one: _iou(answer, one))
    return abs(answer.start_s - place.start_s), abs(answer.end_s - place.end_s)


def scores_of(outcomes: Sequence[Outcome]) -> Scores:
    """Means of at least one outcome."""
    ranks = np.array([one.rank for one in outcomes])
    ious = np.array([one.iou for one in outcomes])
    errors = np.array([error for one in outcomes for error in one.border_errors_s])
    found = ranks > 0
    return Scores(
        questions=len(outcomes),
        hit_1=float((ranks == 1).mean()),
        hit_5=float((found & (ranks <= 5)).mean()),
        mrr=float(np.where(found, 1 / np.maximum(ranks, 1), 0).mean()),
        iou_50=float((ious >= 0.5).mean()),
        iou_70=float((ious >= 0.7).mean()),
        border_median_s=float(np.median(errors)) if len(errors) else float("nan"),
        border_p90_s=float(np.quantile(errors, 0.9)) if len(errors) else float("nan"),
    )


def lead(first: Sequence[Outcome], second: Sequence[Outcome], *, seed: int) -> tuple[float, ...]:
    """How much more often the first system is right at once: the difference of hit@1, and its 95%
    interval over resamples of the questions, which both were asked in the same order."""
    gains = np.array(
        [(a.rank == 1) - (b.rank == 1) for a, b in zip(first, second, strict=True)], dtype=float
    )
    draw = np.random.default_rng(seed)
    picked = draw.integers(len(gains), size=(RESAMPLES, len(gains)))
    low, high = np.quantile(gains[picked].mean(axis=1), (0.025, 0.975))
    return float(gains.mean()), float(low), float(high)


@dataclass(frozen=True, slots=True)
class Bin:
    """Questions whose best answer has about the same confidence."""

    low: float
    high: float
    count: int
    mean_confidence: float
    share_right: float


def reliability(outcomes: Sequence[Outcome]) -> tuple[list[Bin], float]:
    """Bins of confidence of the best answers, and the expected calibration error (Naeini, Cooper
    and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015).
    """
    confidences = np.array([one.confidence for one in outcomes])
    right = np.array([one.rank == 1 for one in outcomes])
    bins, error = [], 0.0
    for number in range(BINS):
        low, high = number / BINS, (number + 1) / BINS
        inside = (confidences >= low) & ((confidences < high) | (number == BINS - 1))
        if inside.any():
            mean, share = float(confidences[inside].mean()), float(right[inside].mean())
            bins.append(Bin(low, high, int(inside.sum()), mean, share))
            error += inside.mean() * abs(mean - share)
    return bins, float(error)


def abstention(outcomes: Sequence[Outcome]) -> tuple[float, float]:
    """Precision and recall of saying that nothing was found; NaN where it was never said."""
    silent = np.array([one.abstains for one in outcomes])
    nothing = np.array([not one.question.answers for one in outcomes])
    both = float((silent & nothing).sum())
    precision = both / silent.sum() if silent.any() else float("nan")
    return float(precision), both / nothing.sum() if nothing.any() else float("nan")
