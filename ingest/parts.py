"""Long work of a model is done in parts: each a call with a cache entry of its own.

A worker that dies costs one part, a killed run goes on at the part it was in, and all workers of a
pool share one long file. Where parts begin follows from the content alone, never from how the work
is spread: recognisers see what begins a part without what was before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil
from typing import Final, TypeVar

Item = TypeVar("Item")

_PART_S: Final = 300


def number_of_parts(duration: Fraction) -> int:
    """Into how many parts the work on a video of so many seconds is cut at most."""
    return max(1, ceil(duration / _PART_S))


def in_parts(
    items: tuple[Item, ...],
    parts: int,
    *,
    least: int,
    begins: Callable[[Item], bool] | None = None,
) -> tuple[tuple[Item, ...], ...]:
    """Cut items into `parts` stretches of one size, a multiple of `least`; late ones may be empty.

    Where one of the next items (up to half a part on) `begins` something, the cut moves there.
    """
    size = least * max(1, ceil(len(items) / (parts * least)))
    cuts = [_moved(items, size * number, size // 2, begins) for number in range(parts)]
    return tuple(items[cut:until] for cut, until in zip(cuts, [*cuts[1:], len(items)], strict=True))


def _moved(
    items: Sequence[Item], cut: int, reach: int, begins: Callable[[Item], bool] | None
) -> int:
    if cut == 0 or begins is None:
        return min(cut, len(items))
    near = range(cut, min(cut + reach, len(items)))
    return next((at for at in near if begins(items[at])), min(cut, len(items)))
