"""What is said while something that matches is on screen: both speak for the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from index.catalog import MOMENT_KINDS
from index.records import MomentKind

if TYPE_CHECKING:
    from index.snapshot_columns import Columns

_SAID = MOMENT_KINDS.index(MomentKind.UTTERANCE)
_SHOWN = MOMENT_KINDS.index(MomentKind.SCREEN_TEXT)


def add_shown(
    fused: Sequence[tuple[int, float]], columns: Columns, shown_share: float
) -> list[tuple[int, float]]:
    """Add to the score of what is said a share of that of the best text on screen meanwhile.

    A misheard sentence is so found by its slide, and of all that is said while a slide is shown,
    what is nearest to the question comes first. Takes and gives (moment id, score 0..1), best
    first, ties by the smaller id.
    """
    if not fused:
        return []
    ids = np.array([moment_id for moment_id, _ in fused])
    scores = np.array([score for _, score in fused])
    kinds, sources = columns.kind[ids], columns.source_index[ids]
    starts, ends = columns.start_s[ids], columns.end_s[ids]
    said, shown = np.flatnonzero(kinds == _SAID), np.flatnonzero(kinds == _SHOWN)
    together = (
        (sources[said, None] == sources[shown])
        & (starts[said, None] < ends[shown])
        & (ends[said, None] > starts[shown])
    )
    best = np.where(together, scores[shown], 0.0).max(axis=1, initial=0.0)
    scores[said] += shown_share * best
    scores /= 1 + shown_share
    order = np.lexsort((ids, -scores))
    return list(zip(ids[order].tolist(), scores[order].tolist(), strict=True))
