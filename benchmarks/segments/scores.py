"""How far found borders are from true ones.

A segmentation is a sequence of 0 and 1, one for each border between neighbouring sentences: 1 where
a segment begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence


def window_of(truth: Sequence[int]) -> int:
    """Half the mean length of the true segments, in sentences, as both papers take it."""
    return max(1, round((len(truth) + 1) / (sum(truth) + 1) / 2))


def pk(truth: Sequence[int], found: Sequence[int], window: int) -> float:
    """Beeferman, Berger and Lafferty, "Statistical Models for Text Segmentation" (1999).

    Probability that two sentences `window` apart are wrongly told to be in one segment, or not.
    """
    return _share(truth, found, window, lambda one, other: (one > 0) != (other > 0))


def window_diff(truth: Sequence[int], found: Sequence[int], window: int) -> float:
    """Pevzner and Hearst, "A Critique and Improvement of an Evaluation Metric" (2002).

    Share of windows with another number of borders than in truth.
    """
    return _share(truth, found, window, lambda one, other: one != other)


def _share(
    truth: Sequence[int], found: Sequence[int], window: int, differ: Callable[[int, int], bool]
) -> float:
    if len(truth) != len(found):
        raise ValueError(f"{len(found)} borders found among {len(truth)}")
    if not 1 <= window <= len(truth):
        raise ValueError(f"a window of {window} in {len(truth)} borders")
    starts = range(len(truth) - window + 1)
    wrong = sum(differ(sum(truth[at : at + window]), sum(found[at : at + window])) for at in starts)
    return wrong / len(starts)
