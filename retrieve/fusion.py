"""Ranked lists become one: by their scores, where they have a common scale, or by their ranks.

Scores: how much a text is like the question, and what share of the most that its words could earn
a text earns by them. Squared, that share says little where a few common words are met, and decides
where nearly all are; a question in other words than the text is so left to its meaning.

Ranks: weighted reciprocal-rank fusion, Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion
outperforms Condorcet and individual Rank Learning Methods", SIGIR 2009, for lists of examples whose
scores have different scales. `benchmarks/RESULTS.md` compares both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RankedList:
    """Moment ids, best first, without repeats, and how much the list counts."""

    moment_ids: Sequence[int]
    weight: float

    def __post_init__(self) -> None:
        if self.weight < 0:
            raise ValueError(f"a list's weight cannot be negative, got {self.weight}")
        if len(set(self.moment_ids)) != len(self.moment_ids):
            raise ValueError("a ranked list holds each moment once")


def fuse_scores(
    meaning: Mapping[int, float],
    words: Mapping[int, float],
    pictures: Mapping[int, float],
    *,
    meaning_weight: float,
    words_weight: float,
) -> list[tuple[int, float]]:
    """Join scores of moments: (moment id, score 0..1), best first, ties by the smaller id.

    Args:
        meaning: likeness of texts to the question, -1..1; below 0 counts as 0.
        words: share of the highest score that the question's words could earn, 0..1.
        pictures: likeness of pictures, weighed so that it can stand beside that of texts.
        meaning_weight: how much likeness counts; not both weights are 0.
        words_weight: how much the squared share counts.
    """
    scores = {
        moment_id: meaning_weight * max(0.0, meaning.get(moment_id, 0.0))
        + words_weight * words.get(moment_id, 0.0) ** 2
        for moment_id in {*meaning, *words}
    }
    for moment_id, likeness in pictures.items():
        scores[moment_id] = max(scores.get(moment_id, 0.0), likeness)
    highest = meaning_weight + words_weight
    return sorted(
        ((moment_id, min(1.0, score / highest)) for moment_id, score in scores.items()),
        key=lambda pair: (-pair[1], pair[0]),
    )


def fuse(lists: Sequence[RankedList], *, rank_constant: float) -> list[tuple[int, float]]:
    """Join ranked lists: (moment id, score), best first, ties by the smaller id.

    A moment's score is the sum of weight / (rank_constant + rank) over the lists that hold it,
    rank from 1, divided by what a moment first in every list would get: 0 < score <= 1.
    Lists that are empty or weigh nothing do not count.
    """
    counted = [ranked for ranked in lists if ranked.weight > 0 and len(ranked.moment_ids) > 0]
    highest = sum(ranked.weight for ranked in counted) / (rank_constant + 1)
    scores: defaultdict[int, float] = defaultdict(float)
    for ranked in counted:
        for rank, moment_id in enumerate(ranked.moment_ids, start=1):
            scores[int(moment_id)] += ranked.weight / (rank_constant + rank)
    return sorted(
        ((moment_id, score / highest) for moment_id, score in scores.items()),
        key=lambda pair: (-pair[1], pair[0]),
    )
