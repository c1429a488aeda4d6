"""Moments to index, questions to ask, and the exact answers.

Synthetic moments cluster as those of videos do: videos, in them segments, in them moments, 5% of
which are needles, unlike their segment. They flatter every index that clusters; `text.py` makes
the same files from real sentences.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

QUESTIONS = 1000
"""Half of them ask for needles."""
BEST = 10
_PER_SEGMENT = 40
_SEGMENTS_PER_VIDEO = 60
_NEEDLES = 0.05
_SEGMENT_SPREAD, _MOMENT_SPREAD, _QUESTION_SPREAD = 0.9, 0.7, 0.9
_BLOCK = 100_000
SHARD_ROWS = 250_000
_ROWS_OF_KEY = 1000


@dataclass(frozen=True, slots=True)
class Data:
    """A folder that `write_synthetic` or `benchmarks.index.text` filled, mapped."""

    moments: Rows
    """(n, d), unit rows, by segment."""
    segment_of: Ids
    """(n,) ascending."""
    queries: Rows
    """(QUESTIONS, d), unit rows; the second half are needles."""
    targets: Ids
    """The moment that each was made from."""
    truth: Ids
    """(QUESTIONS, BEST) ids of the exact best."""

    @property
    def num_segments(self) -> int:
        return int(self.segment_of[-1]) + 1


def open_data(folder: Path) -> Data:
    """Map what is in a folder."""
    arrays = {
        name: np.load(folder / f"{name}.npy", mmap_mode="r" if name == "moments" else None)
        for name in ("moments", "segment_of", "queries", "targets", "truth")
    }
    return Data(**arrays)


def describe(folder: Path) -> str:
    """What the folder holds, in words."""
    about: dict[str, object] = json.loads((folder / "about.json").read_text())
    return str(about["words"])


def key_of(folder: Path) -> str:
    """A name for the data: the same for the same moments, whichever folder holds them."""
    data = open_data(folder)
    some = np.linspace(0, len(data.moments) - 1, _ROWS_OF_KEY).astype(np.int64)
    digest = hashlib.sha256(np.ascontiguousarray(data.moments[some]).tobytes())
    digest.update(data.segment_of.tobytes())
    return f"{len(data.moments)}x{data.moments.shape[1]}-{digest.hexdigest()[:12]}"


def unit(rows: npt.NDArray[np.floating]) -> Rows:
    """The rows, each of length 1."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def write_synthetic(folder: Path, num_moments: int, dims: int, seed: int = 0) -> None:
    """Write moments, questions and answers into a new folder."""
    folder.mkdir(parents=True)
    moments = np.lib.format.open_memmap(
        folder / "moments.npy", mode="w+", dtype=np.float32, shape=(num_moments, dims)
    )
    segment_of = np.arange(num_moments, dtype=np.int64) // _PER_SEGMENT
    is_needle = np.zeros(num_moments, dtype=np.bool_)
    block = _PER_SEGMENT * _SEGMENTS_PER_VIDEO * 40
    for number, first in enumerate(range(0, num_moments, block)):
        generator = np.random.default_rng([seed, number])
        last = min(first + block, num_moments)
        segments = np.arange(segment_of[last - 1] + 1 - segment_of[first])
        videos = _random_rows(generator, int(segments[-1]) // _SEGMENTS_PER_VIDEO + 1, dims)
        centres = unit(
            videos[segments // _SEGMENTS_PER_VIDEO]
            + _SEGMENT_SPREAD * _random_rows(generator, len(segments), dims)
        )
        rows = unit(
            centres[segment_of[first:last] - segment_of[first]]
            + _MOMENT_SPREAD * _random_rows(generator, last - first, dims)
        )
        needles = generator.random(last - first) < _NEEDLES
        rows[needles] = _random_rows(generator, int(needles.sum()), dims)
        moments[first:last], is_needle[first:last] = rows, needles
    write_questions(folder, moments, segment_of, is_needle, seed)
    words = f"{num_moments:,} synthetic moments, {dims} dims, {_NEEDLES:.0%} needles"
    (folder / "about.json").write_text(json.dumps({"words": words}))


def write_questions(
    folder: Path, moments: Rows, segment_of: Ids, is_needle: npt.NDArray[np.bool_], seed: int
) -> None:
    """Questions near moments, half of them near needles, and the best of an exact scan."""
    generator = np.random.default_rng([seed, 2**31])
    halves = [np.flatnonzero(~is_needle), np.flatnonzero(is_needle)]
    targets = np.concatenate(
        [generator.choice(half, QUESTIONS // 2, replace=False) for half in halves]
    )
    noise = _random_rows(generator, QUESTIONS, moments.shape[1])
    queries = unit(moments[targets] + _QUESTION_SPREAD * noise)
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "segment_of": segment_of,
        "queries": queries,
        "targets": targets,
        "truth": exact_best(moments, queries),
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


def exact_best(moments: Rows, queries: Rows) -> Ids:
    """(queries, BEST) ids by a scan of the float vectors."""
    best_scores = np.full((len(queries), BEST), -2, dtype=np.float32)
    best_ids = np.full((len(queries), BEST), -1, dtype=np.int64)
    for first in range(0, len(moments), _BLOCK):
        scores = queries @ moments[first : first + _BLOCK].T
        own = np.argpartition(-scores, BEST - 1, axis=1)[:, :BEST]
        scores = np.concatenate([best_scores, np.take_along_axis(scores, own, axis=1)], axis=1)
        ids = np.concatenate([best_ids, own + first], axis=1)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :BEST]
        best_scores = np.take_along_axis(scores, order, axis=1)
        best_ids = np.take_along_axis(ids, order, axis=1)
    return best_ids


def _random_rows(generator: np.random.Generator, count: int, dims: int) -> Rows:
    return unit(generator.standard_normal((count, dims), dtype=np.float32))
