"""Numbers of what is kept of a shard or library when some of its sources are forgotten.

A shard is never changed: what is forgotten of it stays in its files, with its numbers, until the
shard is written anew. Whoever reads sees only the rest, numbered from 0 without gaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from index.ranking import Ids, Mask

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class SourceRun:
    """Neighbouring sources of a shard, all kept: their numbers, segments and moments in it."""

    sources: range
    segments: range
    moments: range

    def moved(self, sources: int, segments: int, moments: int) -> SourceRun:
        """The same with its numbers moved by so many."""
        return SourceRun(
            range(self.sources.start + sources, self.sources.stop + sources),
            range(self.segments.start + segments, self.segments.stop + segments),
            range(self.moments.start + moments, self.moments.stop + moments),
        )


def runs_of(sizes: Sequence[tuple[int, int]], kept: Sequence[bool]) -> list[SourceRun]:
    """The runs of kept sources of a shard, from the (segments, moments) of every source."""
    runs: list[SourceRun] = []
    segment = moment = 0
    for source, ((segments, moments), keep) in enumerate(zip(sizes, kept, strict=True)):
        if keep:
            first = SourceRun(range(source, source), range(segment, segment), range(moment, moment))
            if runs and runs[-1].sources.stop == source:
                first = runs.pop()
            runs.append(
                SourceRun(
                    range(first.sources.start, source + 1),
                    range(first.segments.start, segment + segments),
                    range(first.moments.start, moment + moments),
                )
            )
        segment, moment = segment + segments, moment + moments
    return runs


class Numbering:
    """Two numberings of the same things: as stored, and as seen, where the forgotten are no more.

    Both ascend together. Without anything forgotten they are one.
    """

    def __init__(self, runs: Sequence[range], num_stored: int) -> None:
        """`runs`: what is kept of 0..num_stored, ascending; touching runs are fine."""
        self.num_stored = num_stored
        filled = [run for run in runs if len(run)]
        self._sizes: Ids = np.array([len(run) for run in filled], dtype=np.int64)
        self._stored: Ids = np.array([run.start for run in filled], dtype=np.int64)
        self._seen: Ids = np.cumsum(self._sizes) - self._sizes
        self.num_seen = int(self._sizes.sum())
        self.is_whole = self.num_seen == num_stored
        """True when nothing is forgotten."""
        self._kept: Mask = np.zeros(0 if self.is_whole else num_stored, dtype=np.bool_)
        for run in [] if self.is_whole else filled:
            self._kept[run.start : run.stop] = True

    def stored(self, seen: Ids) -> Ids:
        """Numbers as stored of these as seen."""
        return seen if self.is_whole else _moved(seen, self._seen, self._stored)

    def seen(self, stored: Ids) -> Ids:
        """Numbers as seen of these as stored, all of them kept."""
        return stored if self.is_whole else _moved(stored, self._stored, self._seen)

    def kept_before(self, stored: int) -> int:
        """How many of those stored before this one are kept: its number as seen, if it is kept."""
        before = np.clip(stored - self._stored, 0, self._sizes)
        return int(before.sum())

    def mask(self, allowed: Mask | None) -> Mask | None:
        """(num_stored,) what may be found, from (num_seen,); None: everything."""
        if self.is_whole:
            return allowed
        if allowed is None:
            return self._kept
        if allowed.shape != (self.num_seen,):
            raise ValueError(f"allowed must be ({self.num_seen},), got {allowed.shape}")
        mask = np.zeros(self.num_stored, dtype=np.bool_)
        mask[self._kept] = allowed
        return mask

    def kept(self, values: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """The values, one of each thing stored, of what is kept."""
        if self.is_whole:
            return values
        return values[self._kept]


def _moved(numbers: Ids, before: Ids, after: Ids) -> Ids:
    run = np.searchsorted(before, numbers, side="right") - 1
    moved: Ids = numbers - before[run] + after[run]
    return moved
