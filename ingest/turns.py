"""Where speech turns to another topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from index.records import Span

_WINDOW_S: Final = 20.0
"""What begins within so long before and after a border is compared (`benchmarks.segments`: 15 s
are often a sentence or two; 30 s blur the turns of topics that are left again soon)."""

Depths = npt.NDArray[np.float64]


def turn_depths(spans: Sequence[Span], vectors: npt.NDArray[np.float32]) -> Depths:
    """How deep the likeness of what is said dips between each utterance and the next.

    TextTiling (Hearst, "TextTiling: Segmenting Text into Multi-paragraph Subtopic Passages",
    Computational Linguistics 23(1), 1997) with vectors of sentences in place of counts of words:
    the cosine between the mean vectors before and after a border falls towards a turn and rises
    behind it; its depth is how far it lies below the peak on its left and the one on its right,
    added up. Depths are divided by the scatter of the vectors within the windows, so that they do
    not shrink with an embedder whose cosines all lie close together: most borders within a topic
    lie below 0.4, turns around 1, whatever the embedder and the library.

    Args:
        spans: of the utterances, ordered by start.
        vectors: theirs; (utterances, dims), unit rows.

    Returns:
        (utterances - 1,) float64, 0 or more. All 0 where nothing differs, and for fewer than three
        utterances.
    """
    if len(spans) != len(vectors):
        raise ValueError(f"one vector an utterance needed, got {len(spans) = }, {vectors.shape = }")
    borders = np.arange(1, len(spans))
    if len(borders) < 2:
        return np.zeros(len(borders))
    at_s = np.array([float(span.start) for span in spans])
    first = np.minimum(np.searchsorted(at_s, at_s[borders] - _WINDOW_S), borders - 1)
    last = np.maximum(np.searchsorted(at_s, at_s[borders] + _WINDOW_S), borders + 1)
    sums = np.zeros((len(spans) + 1, vectors.shape[1]))
    np.cumsum(vectors, axis=0, dtype=np.float64, out=sums[1:])
    before, after = sums[borders] - sums[first], sums[last] - sums[borders]
    scatter = _scatter(before, borders - first, after, last - borders)
    if scatter < np.finfo(np.float32).eps:
        return np.zeros(len(borders))
    return _depths(_cosines(before, after)) / scatter


def _cosines(one: Depths, other: Depths) -> Depths:
    """Of the rows; 0 where one is no direction."""
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    products = np.einsum("bd,bd->b", one, other)
    return np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)


def _scatter(
    before: Depths,
    num_before: npt.NDArray[np.int64],
    after: Depths,
    num_after: npt.NDArray[np.int64],
) -> float:
    """Variance of unit vectors around the means of their windows; from sums and counts of each."""
    squares = sum(
        num - np.einsum("bd,bd->b", total, total) / num
        for total, num in ((before, num_before), (after, num_after))
    )
    freedom = int((num_before + num_after - 2).sum())
    return float(np.sum(squares)) / freedom if freedom else 0.0


def _depths(likeness: Depths) -> Depths:
    """How far each value lies below the peaks that are reached by climbing left and right."""
    return _climbed(likeness) + _climbed(likeness[::-1])[::-1] - 2 * likeness


def _climbed(likeness: Depths) -> Depths:
    """The peak left of each value: where going left goes up no more."""
    peaks = likeness.copy()
    for at in range(1, len(peaks)):
        if likeness[at - 1] >= likeness[at]:
            peaks[at] = peaks[at - 1]
    return peaks
