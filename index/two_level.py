"""The two-level index: segments first, then the moments inside them.

Level 1 holds the vectors of the segments and, by themselves, the outliers: the moments least like
their segment, which its vector would hide. Level 2 scores the moments of the chosen segments. Each
shard's lists are its segments.

Scores come from the codes alone, whose range is fixed: shards join without copying, and neither
their number nor the order in which they were committed changes a score, nor what is found where all
moments are scored (`SCANNED_UP_TO`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from math import ceil
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from index.errors import LibraryError
from index.files import disk_error
from index.ranking import Ids, Mask, Vectors, starts_of, top_k
from index.settings import Codes
from index.vectors import Bits, JoinedLists, Lists, Table, write_bits, write_lists

MOMENTS_NAME = "moments.ivf"
BITS_NAME = "moments.rabitq"
SEGMENTS_NAME = "segments.npy"
COSINES_NAME = "cosines.npy"

BITS_FROM = 16_384
"""Shards of so many moments are worth 1-bit codes for `thorough`; smaller ones are scanned."""
_CANDIDATES = 4_000
"""Moments with the best estimates that `thorough` scores."""
_FAIR = 1.5
"""No shard is asked for more than its share of the candidates times this: to ask for many costs."""
SCANNED_UP_TO = 200_000
"""So many moments, or allowed moments, are all scored, in either mode: 64 ms a million."""
_ALIKE = 0.995
"""Moments this much like their segment are never hidden by it."""
_MAPPED_FROM_BYTES = 1 << 20
_NORM_TOLERANCE = 0.02

Mode = Literal["fast", "thorough"]


# --- writing -------------------------------------------------------------------------------------


def write_vectors(
    directory: Path,
    moment_vectors: Vectors,
    segment_of_moment: npt.NDArray[np.integer[Any]],
    segment_vectors: Vectors,
    *,
    rotation: Vectors,
    codes: Codes = "8bit",
) -> None:
    """Write a shard's vectors into `directory`.

    `moment_vectors` (n, d) and `segment_vectors` (m, d): float32 rows of length 1 (or 0, like
    nothing); `segment_of_moment` (n,): ascending segment numbers; `rotation` (d, d).
    Raises ValueError on other shapes, LibraryError when the disk refuses.
    """
    dims = rotation.shape[0]
    _check_rows("moment_vectors", moment_vectors, dims)
    _check_rows("segment_vectors", segment_vectors, dims)
    lists = np.ascontiguousarray(segment_of_moment, dtype=np.int64)
    if lists.shape != (len(moment_vectors),) or np.any(np.diff(lists) < 0):
        raise ValueError("segment_of_moment must give every moment's segment, ascending")
    if len(lists) and not 0 <= lists[0] <= lists[-1] < len(segment_vectors):
        raise ValueError(f"segment_of_moment names segments beyond {len(segment_vectors)}")
    cosines = np.einsum("ij,ij->i", moment_vectors, segment_vectors[lists])
    rotated = _rotated(moment_vectors, rotation)
    write_rotated(
        directory,
        rotated,
        lists,
        _rotated(segment_vectors, rotation).astype(np.float16),
        cosines.astype(np.float16),
        codes=codes,
    )


def write_rotated(
    directory: Path,
    moments: Vectors,
    segment_of_moment: Ids,
    segments: npt.NDArray[np.float16],
    cosines: npt.NDArray[np.float16],
    *,
    codes: Codes,
) -> None:
    """As `write_vectors`, for rows that are rotated; `cosines` (n,) are those to the segments."""
    try:
        np.save(directory / SEGMENTS_NAME, segments)
        np.save(directory / COSINES_NAME, cosines)
    except OSError as error:
        raise disk_error(directory, "write the vectors of", error) from error
    if len(segments):
        path = directory / MOMENTS_NAME
        write_lists(path, moments, segment_of_moment, num_lists=len(segments), codes=codes)
    if len(moments) >= BITS_FROM:
        write_bits(directory / BITS_NAME, moments)


def _check_rows(name: str, rows: Vectors, dims: int) -> None:
    if rows.ndim != 2 or rows.shape[1] != dims or rows.dtype != np.float32:
        raise ValueError(f"{name} must be (n, {dims}) float32, got {rows.shape} {rows.dtype}")
    lengths = np.linalg.norm(rows, axis=1)
    if not np.all((lengths == 0) | (np.abs(lengths - 1) < _NORM_TOLERANCE)):
        raise ValueError(f"{name} must have rows of length 1 (or all zeros)")


def _rotated(rows: Vectors, rotation: Vectors) -> Vectors:
    return np.ascontiguousarray(rows @ rotation.T, dtype=np.float32)


def missing_files(files: Collection[str], num_moments: int) -> list[str]:
    """The files of vectors that a shard of an older format lacks, of those it has."""
    wanted = [COSINES_NAME, *([BITS_NAME] if num_moments >= BITS_FROM else [])]
    return [name for name in wanted if name not in files]


def write_missing(directory: Path, names: Collection[str]) -> None:
    """Derive files of vectors that a shard lacks from those that it has.

    Raises LibraryError when these cannot be read or the disk refuses.
    """
    try:
        segments = np.load(directory / SEGMENTS_NAME)
        lists = Lists(directory / MOMENTS_NAME) if len(segments) else None
        rows = np.zeros((0, segments.shape[1]), dtype=np.float32)
        owners = np.zeros(0, dtype=np.int64)
        if lists is not None:
            rows = lists.decoded(np.arange(lists.num_rows))
            owners = np.repeat(np.arange(len(segments)), lists.sizes)
        if COSINES_NAME in names:
            cosines = np.einsum("ij,ij->i", rows, segments[owners].astype(np.float32))
            np.save(directory / COSINES_NAME, cosines.astype(np.float16))
    except (OSError, ValueError) as error:
        raise disk_error(directory, "write the vectors of", error) from error
    if BITS_NAME in names:
        write_bits(directory / BITS_NAME, rows)


# --- one shard, open -----------------------------------------------------------------------------


class ShardVectors:
    """One shard's vectors, mapped into memory; stays readable after its files are deleted."""

    def __init__(self, directory: Path) -> None:
        """Open the files `write_vectors` wrote; raises LibraryError when they are not there."""
        try:
            segments = directory / SEGMENTS_NAME
            large = segments.stat().st_size >= _MAPPED_FROM_BYTES
            self.segments: npt.NDArray[np.float16] = np.load(
                segments, mmap_mode="r" if large else None
            )
            self.cosines: npt.NDArray[np.float16] = np.load(directory / COSINES_NAME)
        except (OSError, ValueError) as error:
            raise disk_error(directory, "read the vectors of", error) from error
        self.num_segments, self.dims = self.segments.shape
        self.lists = Lists(directory / MOMENTS_NAME) if self.num_segments else None
        self.num_moments = 0 if self.lists is None else self.lists.num_rows
        self.list_sizes: Ids = np.zeros(0, np.int64) if self.lists is None else self.lists.sizes
        self.bits = Bits(directory / BITS_NAME) if self.num_moments >= BITS_FROM else None
        whole = (
            (self.lists is None or self.lists.dims == self.dims)
            and len(self.list_sizes) == self.num_segments
            and len(self.cosines) == self.num_moments
            and (self.bits is None or self.bits.num_rows == self.num_moments)
        )
        if not whole:
            raise LibraryError(f"{directory} is damaged; restore this library from a backup")

    def decoded(self, ids: Ids) -> Vectors:
        """Rotated approximations of the moments' vectors, (len(ids), d) float32."""
        if self.lists is None:
            return np.zeros((0, self.dims), dtype=np.float32)
        return self.lists.decoded(ids)

    def scan(self, query: Vectors, count: int, lists: Ids, allowed: Mask) -> tuple[Ids, Vectors]:
        """The best `count` allowed moments of some segments."""
        assert self.lists is not None
        return self.lists.scan(query, count, lists, allowed)


# --- all shards, searched as one -----------------------------------------------------------------


class TwoLevelIndex:
    """The vectors of many shards as one index. Global ids count through the shards in order.

    Safe for concurrent searches. Equal scores come in ascending id.
    """

    def __init__(
        self, shards: Sequence[ShardVectors], rotation: Vectors, *, outlier_share: float = 0.05
    ) -> None:
        """Join open shards; `rotation` (d, d) is the library's.

        `outlier_share`: share of all moments, least like their segment, that stand in level 1.
        """
        self._shards = tuple(shards)
        self._rotation = rotation
        self._dims = rotation.shape[0]
        self.num_moments = sum(shard.num_moments for shard in shards)
        self.num_segments = sum(shard.num_segments for shard in shards)
        self._moment_starts = starts_of([shard.num_moments for shard in shards])
        self._segment_starts = starts_of([shard.num_segments for shard in shards])
        sizes = [shard.list_sizes for shard in shards]
        self._list_sizes: Ids = np.concatenate([np.zeros(0, dtype=np.int64), *sizes])
        self._list_starts: Ids = np.cumsum(self._list_sizes) - self._list_sizes
        files = [shard.lists for shard in shards if shard.lists is not None]
        self._joined = JoinedLists(files, self._dims) if self.num_moments else None
        self._segments = Table(self.num_segments, self._dims, self._segment_rows)
        self._outlier_ids = self._find_outliers(outlier_share)
        self._outliers = Table(
            len(self._outlier_ids),
            self._dims,
            lambda part: self._rotated_rows(self._outlier_ids[part]),
        )

    @classmethod
    def open(
        cls, directories: Sequence[Path], rotation: Vectors, *, outlier_share: float = 0.05
    ) -> TwoLevelIndex:
        """Open the shards in `directories` and join them."""
        shards = [ShardVectors(directory) for directory in directories]
        return cls(shards, rotation, outlier_share=outlier_share)

    def _segment_rows(self, part: slice) -> Vectors:
        numbers = np.arange(self.num_segments)[part]
        rows = np.zeros((len(numbers), self._dims), dtype=np.float32)
        for shard, mine, own in self._owners(numbers, self._segment_starts):
            rows[mine] = shard.segments[own]
        return rows

    def _find_outliers(self, share: float) -> Ids:
        """Ids of the moments whose cosine is in the library's lowest `share`, ascending."""
        none = np.zeros(0, dtype=np.float32)
        cosines = np.concatenate([none, *(shard.cosines for shard in self._shards)])
        count = ceil(share * len(cosines))
        if count == 0:
            return np.zeros(0, dtype=np.int64)
        limit = np.partition(cosines, count - 1)[count - 1]
        return np.flatnonzero((cosines <= limit) & (cosines < _ALIKE))

    def search(
        self,
        query: Vectors,
        k: int,
        *,
        mode: Mode,
        probes: int = 64,
        allowed: Mask | None = None,
    ) -> tuple[Ids, Vectors]:
        """The k moments most like `query` (d,): ids int64 and scores float32, best first.

        Scores are inner products with the codes. `thorough` ranks every moment; `fast` those of
        the `probes` best segments and of the segments of the `probes` best outliers. `allowed`
        (num_moments,) bool acts before ranking, on both levels: the result is the best k of the
        allowed. In both modes it is so for certain when SCANNED_UP_TO or fewer are allowed, all
        of which are then scored. Fewer than k come back when there are fewer.
        """
        if query.shape != (self._dims,) or not np.all(np.isfinite(query)):
            raise ValueError(f"a query is ({self._dims},) finite floats, got {query.shape}")
        if allowed is not None and allowed.shape != (self.num_moments,):
            raise ValueError(f"allowed must be ({self.num_moments},), got {allowed.shape}")
        rotated = _rotated(query[None, :], self._rotation)[0]
        available = self.num_moments
        if allowed is not None:
            available = int(np.count_nonzero(allowed))
            allowed = None if available == self.num_moments else allowed
        eligible = self._eligible(allowed)
        few = available <= SCANNED_UP_TO and (mode == "thorough" or allowed is not None)
        if mode == "thorough" and not few:
            return top_k(lambda count: self._rank(rotated, count, allowed), k, available)
        if few or np.count_nonzero(eligible) <= probes:
            lists = np.flatnonzero(eligible)
        else:
            lists = self._lists_to_scan(rotated, probes, allowed, eligible)
            available = min(available, int(self._list_sizes[lists].sum()))
        return top_k(lambda count: self._scan(rotated, count, lists, allowed), k, available)

    def _eligible(self, allowed: Mask | None) -> Mask:
        """The segments that hold an allowed moment, (num_segments,)."""
        filled = self._list_sizes > 0
        if allowed is None:
            return filled
        eligible = np.zeros(self.num_segments, dtype=np.bool_)
        numbers = np.flatnonzero(filled)
        if len(numbers):
            # As bytes: NumPy joins them twice as fast as bools.
            starts = self._list_starts[numbers]
            eligible[numbers] = np.bitwise_or.reduceat(allowed.view(np.uint8), starts)
        return eligible

    def _lists_to_scan(
        self, query: Vectors, probes: int, allowed: Mask | None, eligible: Mask
    ) -> Ids:
        """Numbers of the segments that level 1 finds, ascending."""
        segments = self._segments.nearest(query, probes, None if allowed is None else eligible)
        usable = None if allowed is None else allowed[self._outlier_ids]
        outliers = self._outlier_ids[self._outliers.nearest(query, probes, usable)]
        owners = np.searchsorted(self._list_starts, outliers, side="right") - 1
        chosen = np.unique(np.concatenate([segments, owners]))
        return np.asarray(chosen[eligible[chosen]], dtype=np.int64)

    def _scan(
        self, query: Vectors, count: int, lists: Ids, allowed: Mask | None
    ) -> tuple[Ids, Vectors]:
        """The `count` best moments of some segments, unordered among equals."""
        if allowed is None:
            assert self._joined is not None
            return self._joined.scan(query, count, lists)
        parts = []
        borders = np.searchsorted(lists, self._segment_starts)
        for number, shard in enumerate(self._shards):
            own = lists[borders[number] : borders[number + 1]] - self._segment_starts[number]
            if len(own):
                start, end = self._moment_starts[number : number + 2]
                ids, scores = shard.scan(query, count, own, allowed[start:end])
                parts.append((ids + start, scores))
        return _best(parts, count)

    def _rank(self, query: Vectors, count: int, allowed: Mask | None) -> tuple[Ids, Vectors]:
        """The `count` best of all moments, unordered among equals.

        Small shards are scanned. In large ones 1-bit codes choose what is scored: where the best do
        not stand out (a question like nothing here), a few may be missed.
        """
        small = np.concatenate(
            [np.full(shard.num_segments, shard.bits is None) for shard in self._shards]
        )
        lists = np.flatnonzero(small & self._eligible(allowed))
        parts = [self._scan(query, count, lists, allowed)] if len(lists) else []
        ids = self._estimated(query, max(_CANDIDATES, 4 * count), allowed)
        return _best([*parts, (ids, self._scores(query, ids))], count)

    def _estimated(self, query: Vectors, count: int, allowed: Mask | None) -> Ids:
        """About `count` allowed moments of large shards, those with the best estimates."""
        parts = [(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))]
        large = sum(shard.num_moments for shard in self._shards if shard.bits is not None)
        for shard, start in zip(self._shards, self._moment_starts.tolist(), strict=False):
            if shard.bits is None:
                continue
            own = None if allowed is None else allowed[start : start + shard.num_moments]
            share = 1.0 if own is None else np.count_nonzero(own) / shard.num_moments
            if share == 0.0:
                continue
            fair = min(1.0, _FAIR * shard.num_moments / large)
            ids, estimates = shard.bits.nearest(query, ceil(count * fair / share))
            if own is not None:
                kept = own[ids]
                ids, estimates = ids[kept], estimates[kept]
            parts.append((ids + start, estimates))
        return _best(parts, count)[0]

    def _scores(self, query: Vectors, ids: Ids) -> Vectors:
        scores = np.zeros(len(ids), dtype=np.float32)
        for shard, mine, own in self._owners(ids, self._moment_starts):
            assert shard.lists is not None
            scores[mine] = shard.lists.scores(query, own)
        return scores

    def scores(self, query: Vectors, ids: Ids) -> Vectors:
        """What `search` scores these moments, (len(ids),) float32."""
        return self._scores(_rotated(query[None, :], self._rotation)[0], ids)

    def reconstruct(self, ids: Ids) -> Vectors:
        """Approximations of the moments' vectors as embedded, (len(ids), d) float32."""
        ids = np.asarray(ids, dtype=np.int64)
        if len(ids) and not 0 <= ids.min() <= ids.max() < self.num_moments:
            raise IndexError(f"moment ids go up to {self.num_moments - 1}")
        return np.asarray(self._rotated_rows(ids) @ self._rotation, dtype=np.float32)

    def _rotated_rows(self, ids: Ids) -> Vectors:
        rows = np.zeros((len(ids), self._dims), dtype=np.float32)
        for shard, mine, own in self._owners(ids, self._moment_starts):
            rows[mine] = shard.decoded(own)
        return rows

    def _owners(self, numbers: Ids, starts: Ids) -> Iterator[tuple[ShardVectors, Mask, Ids]]:
        """The shards that hold some numbers: (shard, which of them, as numbered within it)."""
        owners = np.searchsorted(starts, numbers, side="right") - 1
        for number in np.unique(owners).tolist():
            mine = owners == number
            yield self._shards[number], mine, numbers[mine] - starts[number]


def _best(parts: Sequence[tuple[Ids, Vectors]], count: int) -> tuple[Ids, Vectors]:
    ids = np.concatenate([np.zeros(0, dtype=np.int64), *(part[0] for part in parts)])
    scores = np.concatenate([np.zeros(0, dtype=np.float32), *(part[1] for part in parts)])
    best = np.argsort(-scores, kind="stable")[:count]
    return ids[best], scores[best]
