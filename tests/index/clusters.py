"""Moments clustered in segments, written as shards, and what a scan of all of them finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index.manifest import random_rotation
from index.settings import Codes
from index.two_level import Mode, TwoLevelIndex, write_vectors
from tests.index.build import Vectors, unit_rows

DIMS = 48
ROTATION = random_rotation(DIMS)
BOTH_MODES: tuple[Mode, ...] = ("fast", "thorough")


@dataclass(frozen=True)
class Archive:
    """Clustered moments in segments, 3% of them needles that are unlike their segment."""

    moments: Vectors
    owners: npt.NDArray[np.int64]
    segments: Vectors
    needles: npt.NDArray[np.int64]


def clustered_archive(num_segments: int, per_segment: int, seed: int = 0) -> Archive:
    generator = np.random.default_rng(seed)
    centres = unit_rows(generator.standard_normal((num_segments, DIMS)))
    owners = np.repeat(np.arange(num_segments), per_segment)
    spread = centres[owners] + 0.06 * generator.standard_normal((len(owners), DIMS))
    needles = np.sort(generator.choice(len(owners), max(1, len(owners) * 3 // 100), replace=False))
    spread[needles] = generator.standard_normal((len(needles), DIMS))
    moments = unit_rows(spread)
    sums = np.zeros((num_segments, DIMS))
    np.add.at(sums, owners, moments)
    return Archive(moments, owners, unit_rows(sums), needles)


def write_shards(
    root: Path,
    archive: Archive,
    num_shards: int,
    borders: Sequence[int] = (),
    codes: Codes = "8bit",
) -> list[Path]:
    """Split an archive into shards: of equally many segments, or at `borders`."""
    directories = []
    if not borders:
        borders = np.linspace(0, len(archive.segments), num_shards + 1).astype(int).tolist()
    for first, last in pairwise(borders):
        mine = (archive.owners >= first) & (archive.owners < last)
        directory = root / f"{num_shards}-{first}"
        directory.mkdir()
        write_vectors(
            directory,
            archive.moments[mine],
            archive.owners[mine] - first,
            archive.segments[first:last],
            rotation=ROTATION,
            codes=codes,
        )
        directories.append(directory)
    return directories


def brute_force(
    index: TwoLevelIndex, query: Vectors, k: int, allowed: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32]:
    """Scores of the best k allowed on the same 8-bit codes."""
    scores = index.reconstruct(np.arange(index.num_moments)) @ query
    return np.sort(scores[allowed])[::-1][:k]


def queries_near(archive: Archive, targets: npt.NDArray[np.int64]) -> Vectors:
    noise = np.random.default_rng(1).standard_normal((len(targets), DIMS))
    return unit_rows(archive.moments[targets] + 0.03 * noise)
