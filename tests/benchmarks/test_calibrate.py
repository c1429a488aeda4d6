"""The fit of confidence finds planted coefficients, none below 0."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.retrieval.calibrate import best_threshold, fitted, probabilities


def test_planted_coefficients_are_found() -> None:
    draw = np.random.default_rng(3)
    signals = draw.uniform(size=(20_000, 3))
    planted = np.array([4.0, 2.0, 0.0])
    odds = probabilities(signals, -3.0, planted)
    intercept, weights = fitted(signals, (draw.uniform(size=len(odds)) < odds).astype(float))
    assert intercept == pytest.approx(-3.0, abs=0.25)
    assert weights == pytest.approx(planted, abs=0.3)


def test_evidence_against_is_left_out() -> None:
    draw = np.random.default_rng(4)
    signals = draw.uniform(size=(2_000, 2))
    right = (signals[:, 0] > signals[:, 1]).astype(float)
    _, weights = fitted(signals, right)
    assert weights[0] > 1
    assert weights[1] == 0


def test_the_threshold_parts_right_from_unanswerable() -> None:
    confidences = np.array([0.9, 0.7, 0.6, 0.2, 0.1])
    right = np.array([1.0, 1.0, 0.0, 0.0, 0.0])
    answerable = np.array([True, True, True, False, False])
    assert 0.2 < best_threshold(confidences, right, answerable) <= 0.7
