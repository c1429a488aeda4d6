"""What both searches share: numbering through shards, and the best k with ties in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def starts_of(sizes: Sequence[int]) -> Ids:
    """Running totals from 0: where each part starts, and the end of the last one."""
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)


def top_k(
    search: Callable[[int], tuple[Ids, Vectors]], k: int, available: int, *, spare: int = 1
) -> tuple[Ids, Vectors]:
    """The best k of a search whose order among equal scores is its own.

    `search(count)` returns ids and scores of some best `count`. The count, k + `spare` at first,
    grows until no score equal to the k-th can have been left out; equals then come in ascending id.
    """
    count = min(k + spare, available)
    if k < 1 or available < 1:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    while True:
        ids, scores = search(count)
        order = np.lexsort((ids, -scores))
        ids, scores = ids[order], scores[order]
        complete = len(ids) < count or count >= available
        if complete or scores[-1] < scores[k - 1]:
            return ids[:k], scores[:k]
        count = min(2 * count, available)
