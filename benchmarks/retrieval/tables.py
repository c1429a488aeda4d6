"""What was measured, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.retrieval.questions import KINDS, TEXT_KINDS, Question
from benchmarks.retrieval.scores import Outcome, abstention, lead, reliability, scores_of
from benchmarks.retrieval.truth import Truth

Results = Mapping[str, Sequence[Outcome]]
"""Outcomes of every system on the same questions, by its name; the first is the whole."""


def archive_table(truth: Truth, questions: Sequence[Question]) -> str:
    """What the halves hold."""
    rows = ["| half | talks | minutes | sentences said or shown or printed | questions |"]
    rows.append("|---|---|---|---|---|")
    for split in ("dev", "test"):
        talks = [talk for talk in truth.talks if talk.split == split]
        sentences = sum(one.split == split for one in truth.sentences)
        asked = sum(question.split == split for question in questions)
        minutes = sum(talk.duration_s for talk in talks) / 60
        rows.append(f"| {split} | {len(talks)} | {minutes:.0f} | {sentences} | {asked} |")
    return "\n".join(rows)


def systems_table(results: Results, *, seed: int) -> str:
    """All answerable questions in words together, and by how much the whole leads."""
    rows = [
        "| system | hit@1 | hit@5 | MRR | recall@1, IoU 0.5 | IoU 0.7 | border error, median s | "
        "90% | the whole leads by |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    whole = _of_kinds(next(iter(results.values())), TEXT_KINDS)
    for name, outcomes in results.items():
        own = _of_kinds(outcomes, TEXT_KINDS)
        s = scores_of(own)
        leads = ""
        if name != next(iter(results)):
            mean, low, high = lead(whole, own, seed=seed)
            leads = f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"
        rows.append(
            f"| {name} | {s.hit_1:.3f} | {s.hit_5:.3f} | {s.mrr:.3f} | {s.iou_50:.3f} | "
            f"{s.iou_70:.3f} | {_seconds(s.border_median_s)} | {_seconds(s.border_p90_s)} | "
            f"{leads} |"
        )
    return "\n".join(rows)


def kinds_table(results: Results, names: Sequence[str]) -> str:
    """hit@1 and hit@5 of some systems, kind by kind of question."""
    rows = [
        f"| questions | number | {' | '.join(names)} |",
        f"|---|---|{'---|' * len(names)}",
    ]
    for kind in (kind for kind in KINDS if kind != "unanswerable"):
        own = {name: _of_kinds(results[name], (kind,)) for name in names}
        count = len(own[names[0]])
        if count:
            scores = [scores_of(outcomes) for outcomes in own.values()]
            cells = " | ".join(f"{s.hit_1:.2f} / {s.hit_5:.2f}" for s in scores)
            rows.append(f"| {kind} | {count} | {cells} |")
    return "\n".join(rows)


def confidence_table(outcomes: Sequence[Outcome]) -> str:
    """The reliability diagram as a table, the calibration error, and abstention."""
    bins, error = reliability(outcomes)
    rows = ["| confidence | questions | mean confidence | right |", "|---|---|---|---|"]
    rows += [
        f"| {one.low:.1f} to {one.high:.1f} | {one.count} | {one.mean_confidence:.2f} | "
        f"{one.share_right:.2f} |"
        for one in bins
    ]
    precision, recall = abstention(outcomes)
    rows.append(
        f"\nExpected calibration error {error:.3f}. "
        f'"Nothing found": precision {precision:.2f}, recall {recall:.2f}.'
    )
    return "\n".join(rows)


def latency_line(outcomes: Sequence[Outcome]) -> str:
    """How long the whole took, the embedding of the question included."""
    took = np.array([one.took_ms for one in outcomes])
    p50, p90 = np.quantile(took, (0.5, 0.9))
    return f"A question takes {p50:.0f} ms, nine in ten less than {p90:.0f} ms."


def misses(outcomes: Sequence[Outcome]) -> str:
    """Questions whose best answer is wrong, one a line, with the rank of the right one."""
    return "\n".join(
        f"{one.rank or '-'}\t{one.question.kind}\t{one.question.text}\t{_first(one.question)}"
        for one in outcomes
        if one.rank != 1 and one.question.answers
    )


def draw_reliability(outcomes: Sequence[Outcome], path: Path) -> None:
    """The reliability diagram as a picture. Raises ImportError without matplotlib."""
    pyplot: Any = import_module("matplotlib.pyplot")
    bins, error = reliability(outcomes)
    figure, axes = pyplot.subplots(figsize=(5, 5))
    axes.plot([0, 1], [0, 1], color="0.7", linestyle="--")
    confidences = [one.mean_confidence for one in bins]
    axes.plot(confidences, [one.share_right for one in bins], marker="o")
    for one in bins:
        axes.annotate(str(one.count), (one.mean_confidence, one.share_right), fontsize=8)
    axes.set_xlabel("confidence of the best hit")
    axes.set_ylabel("share that is right")
    axes.set_title(f"Expected calibration error {error:.3f}")
    figure.tight_layout()
    figure.savefig(path)


def _of_kinds(outcomes: Sequence[Outcome], kinds: Sequence[str]) -> list[Outcome]:
    return [one for one in outcomes if one.question.kind in kinds]


def _seconds(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.2f}"


def _first(question: Question) -> str:
    place = question.answers[0]
    return f"{place.source} " + (f"p. {place.page}" if place.page else f"{place.start_s:.1f} s")
