"""How much the text of a picture and the text of a page have in common.

Texts are compared by their short runs of letters, so that a misread letter, a lost space or a
script without spaces costs little. Runs weigh by their rarity in the document (inverse document
frequency, Spärck Jones 1972): running heads and page furniture tell no pages apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from index.words import UNSPACED, fold

_RUN_LETTERS = 4
_UNSPACED_RUN_LETTERS = 2
_SMOOTHING = 0.5
"""What all pages hold weighs nearly nothing, yet something where there is but one page."""
_FULL_WEIGHT_RUNS = 25
"""A text with fewer runs than this says less."""

Scores = npt.NDArray[np.float64]


def runs_of(text: str) -> frozenset[str]:
    """The runs of letters and digits in each line of a text, folded, without spaces."""
    found: set[str] = set()
    for line in fold(text).splitlines():
        letters = "".join(filter(str.isalnum, line))
        end = 0
        for unspaced in UNSPACED.finditer(letters):
            found.update(_cut(letters[end : unspaced.start()], _RUN_LETTERS))
            found.update(_cut(unspaced.group(), _UNSPACED_RUN_LETTERS))
            end = unspaced.end()
        found.update(_cut(letters[end:], _RUN_LETTERS))
    return frozenset(found)


def _cut(letters: str, length: int) -> Iterable[str]:
    if len(letters) <= length:
        return filter(None, [letters])
    return (letters[start : start + length] for start in range(len(letters) - length + 1))


def sureness(runs: frozenset[str]) -> float:
    """0..1: how much the likeness of a text means; little text may be like much by chance."""
    return min(1.0, len(runs) / _FULL_WEIGHT_RUNS)


class PageWords:
    """The texts of a document's pages, ready to be compared with."""

    def __init__(self, pages: Sequence[frozenset[str]]) -> None:
        """`pages`: the runs of each page."""
        holders: defaultdict[str, list[int]] = defaultdict(list)
        for number, runs in enumerate(pages):
            for run in runs:
                holders[run].append(number)
        self._pages = [np.array(numbers) for numbers in holders.values()]
        self._row = {run: row for row, run in enumerate(holders)}
        counts = np.array([len(numbers) for numbers in holders.values()], np.float64)
        self._weights = np.log((len(pages) + _SMOOTHING) / np.maximum(counts, 1))
        self._unknown_weight = float(np.log(len(pages) + _SMOOTHING))
        self._totals = np.zeros(len(pages))
        for numbers, weight in zip(self._pages, self._weights.tolist(), strict=True):
            self._totals[numbers] += weight
        self.sureness = np.array([sureness(runs) for runs in pages])
        """For every page, how much the likeness of its text means."""

    def likeness(self, runs: frozenset[str]) -> Scores:
        """0..1 for every page: 1 when it holds the same runs and no others.

        The weight of what both hold, divided by the geometric mean of what each holds.
        """
        known = [self._row[run] for run in runs if run in self._row]
        shared = np.zeros(len(self._totals))
        for row in known:
            shared[self._pages[row]] += self._weights[row]
        own = self._weights[known].sum() + self._unknown_weight * (len(runs) - len(known))
        weight = np.sqrt(own * self._totals)
        scores: Scores = np.divide(shared, weight, out=np.zeros_like(shared), where=weight > 0)
        return scores
