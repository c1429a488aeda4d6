"""How an expression came to its hits, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from index.records import Source


@dataclass(frozen=True, slots=True)
class Count:
    """How many hits an expression has."""

    total: int
    by_source: tuple[tuple[Source, int], ...]
    """Those of each source that has any, in the order of the library."""
    complete: bool
    """False: an operand has more hits than were looked at (`retrieve.operand_candidates`)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One part of an expression."""

    expression: str
    kept: int
    """Hits that it gives."""
    of: int
    """What it chose them from: moments for an operand, hits of its left side for the others."""
    is_operand: bool
    pairs: int | None = None
    """Pairs that a join found."""
    on_pages: int = 0
    """Hits of either side that have no time and so were left out."""
    complete: bool = True
    """False: an operand has more hits than were looked at."""
    statement: str | None = None
    """The SQL of a join."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """An expression as it was read and evaluated."""

    expression: str
    kept: str
    """Text of the operand whose hits are kept."""
    steps: tuple[Step, ...]
    """In the order in which they were done."""
