"""Long work of a model is done in parts: each a call with a cache entry of its own.

A worker that dies costs one part, a killed run goes on at the part it was in, and all workers of a
pool share one long file. Where parts begin follows from the content alone, never from how the work
is spread: recognisers see what begins a part without what was before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Final, TypeVar

Item = TypeVar("Item")

_PART_S: Final = 300


@dataclass(frozen=True, slots=True)
class Parts:
    """How the work of models on a source is cut."""

    number: int
    """Of parts, known before anything is: late ones are empty where there is little to do."""
    pictures: int = 64
    """Fewest, but for the last part, that are read or embedded in one call: a minute's work."""
    windows: int = 24
    """Fewest that are heard in one call: whole batches of them, about ten minutes of speech."""
    texts: int = 256
    """Fewest that are embedded in one call: some seconds of work."""


def parts_of_video(duration: Fraction) -> Parts:
    """How a video of so many seconds is cut."""
    return Parts(max(1, ceil(duration / _PART_S)))


def in_parts(
    items: tuple[Item, ...],
    number: int,
    *,
    least: int,
    begins: Callable[[Item], bool] | None = None,
) -> tuple[tuple[Item, ...], ...]:
    """Cut items into `number` stretches of one size, a multiple of `least`; late ones may be empty.

    Where one of the next items (up to half a part on) `begins` something, the cut moves there.
    """
    size = least * max(1, ceil(len(items) / (number * least)))
    cuts = [_moved(items, size * part, size // 2, begins) for part in range(number)]
    return tuple(items[cut:until] for cut, until in zip(cuts, [*cuts[1:], len(items)], strict=True))


def _moved(
    items: Sequence[Item], cut: int, reach: int, begins: Callable[[Item], bool] | None
) -> int:
    if cut == 0 or begins is None:
        return min(cut, len(items))
    near = range(cut, min(cut + reach, len(items)))
    return next((at for at in near if begins(items[at])), min(cut, len(items)))
