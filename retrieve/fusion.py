"""Ranked lists become one: weighted reciprocal-rank fusion.

Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank
Learning Methods", SIGIR 2009. Only ranks count, so that lists whose scores have different scales
(cosines of texts, BM25, cosines of pictures) can be joined.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
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
