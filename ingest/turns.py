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
    the likeness of what is said before and after a border falls towards a turn and rises behind
    it; its depth is how far it lies below the peak on its left and the one on its right, added up.

    Likeness is not the cosine but the negative squared distance of the two mean vectors, less what
    chance alone makes of it with so few sentences, in units of the scatter of single sentences
    within the windows. What all vectors of an embedder have in common, which makes their cosines
    lie close together, falls out of the differences, and how far they spread out of the ratio. So
    depths mean the same for every embedder and library: three of four borders within a topic lie
    below 0.6, most turns above 1.

    Args:
        spans: of the utterances, ordered by start.
        vectors: theirs; (utterances, dims), unit rows.

    Returns:
        (utterances - 1,) float64, 0 or more. All 0 where nothing differs, and where no window holds
        two sentences, so that their scatter is not known.
    """
    if len(spans) != len(vectors):
        raise ValueError(f"one vector an utterance needed, got {len(spans) = }, {vectors.shape = }")
    borders = np.arange(1, len(spans))
    if not len(borders):
        return np.zeros(0)
    at_s = np.array([float(span.start) for span in spans])
    first = np.minimum(np.searchsorted(at_s, at_s[borders] - _WINDOW_S), borders - 1)
    last = np.maximum(np.searchsorted(at_s, at_s[borders] + _WINDOW_S), borders + 1)
    before, after = borders - first, last - borders
    sums, lengths = _running(vectors), _running(np.square(vectors).sum(axis=1))
    means_before = (sums[borders] - sums[first]) / before[:, None]
    means_after = (sums[last] - sums[borders]) / after[:, None]
    spread = lengths[last] - lengths[first]
    spread -= before * _squared(means_before) + after * _squared(means_after)
    scatter = float(spread.sum()) / max(1, int((before + after - 2).sum()))
    if scatter < np.finfo(np.float32).eps:
        return np.zeros(len(borders))
    by_chance = 1 / before + 1 / after
    return _depths(by_chance - _squared(means_before - means_after) / scatter)


def _running(values: npt.NDArray[np.float32]) -> Depths:
    """Sums of the first 0, 1, 2, ... of the values."""
    sums = np.zeros((len(values) + 1, *values.shape[1:]))
    np.cumsum(values, axis=0, dtype=np.float64, out=sums[1:])
    return sums


def _squared(rows: Depths) -> Depths:
    """Squared lengths."""
    lengths: Depths = np.einsum("bd,bd->b", rows, rows)
    return lengths


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
