"""The likeliest way of a speaker through the pages, given what speaks for each page at each time.

A hidden Markov model, decoded by Viterbi's algorithm (Viterbi 1967): a page stays, is left for the
next one, more seldom for another one, or hidden by something else, after which it may come back.
Pages that look the same are told apart by their order.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_NEXT = 1.0
"""Cost of going on to the next page, in the unit of the evidence (natural logarithms)."""
_AHEAD = 3.0
_BACK = 4.0
_HIDE = 1.5
_COME_BACK = 1.0
_NEVER = -1e9

Scores = npt.NDArray[np.float64]


def likeliest_pages(evidence: Scores, pages: npt.NDArray[np.int64]) -> list[int | None]:
    """The page at each time, None where none of them is shown.

    `evidence` (times, pages): logarithm of how much likelier the picture is when the page is shown
    than when no page is. `pages`: their numbers, counted from 1, rising. Memory: 16 bytes for each
    number of `evidence`.
    """
    times, count = evidence.shape
    numbers = np.concatenate([[0], pages])  # before the first page nothing is shown yet
    to_next = np.where(np.diff(numbers) == 1, _NEXT, _AHEAD)
    shown = np.full(count + 1, _NEVER)
    hidden = np.full(count + 1, _NEVER)
    hidden[0] = 0.0
    # Where each state came from: the index of a page, or of a hidden page + count + 1.
    shown_from = np.zeros((times, count + 1), np.int32)
    hidden_from = np.zeros((times, count + 1), np.int32)
    own = np.arange(count + 1)
    for time in range(times):
        best = np.maximum(shown, hidden)
        origin = np.where(shown >= hidden, own, own + count + 1)
        ahead, ahead_at = _running_best(best)
        back, back_at = (part[::-1] for part in _running_best(best[::-1]))
        options = np.full((5, count + 1), _NEVER)
        sources = np.zeros((5, count + 1), np.int64)
        options[0], sources[0] = shown, own
        options[1], sources[1] = hidden - _COME_BACK, own + count + 1
        options[2, 1:], sources[2, 1:] = best[:-1] - to_next, origin[:-1]
        options[3, 2:], sources[3, 2:] = ahead[:-2] - _AHEAD, origin[ahead_at[:-2]]
        options[4, :-1], sources[4, :-1] = back[1:] - _BACK, origin[count - back_at[1:]]
        chosen = options.argmax(axis=0)
        shown_from[time] = sources[chosen, own]
        hides = shown - _HIDE > hidden
        hidden_from[time] = np.where(hides, own, own + count + 1)
        hidden = np.maximum(hidden, shown - _HIDE)
        shown = options[chosen, own]
        shown[1:] += evidence[time]
        shown[0] = _NEVER
    return _traced(shown, hidden, shown_from, hidden_from, numbers)


def _running_best(scores: Scores) -> tuple[Scores, npt.NDArray[np.int64]]:
    """The best score up to each place, and where it stands."""
    best = np.maximum.accumulate(scores)
    places = np.where(scores == best, np.arange(len(scores)), 0)
    return best, np.maximum.accumulate(places)


def _traced(
    shown: Scores,
    hidden: Scores,
    shown_from: npt.NDArray[np.int32],
    hidden_from: npt.NDArray[np.int32],
    numbers: npt.NDArray[np.int64],
) -> list[int | None]:
    states = len(shown)
    state = int(np.argmax(np.concatenate([shown, hidden])))
    found: list[int | None] = []
    for time in range(len(shown_from) - 1, -1, -1):
        is_shown = state < states
        found.append(int(numbers[state]) if is_shown else None)
        state = int((shown_from if is_shown else hidden_from)[time, state % states])
    return found[::-1]
