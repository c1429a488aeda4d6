"""The two-level FAISS index: segments first, then the moments inside them. All FAISS is here.

A shard holds an IVF file whose inverted lists are its segments, with 8-bit codes of the moments.
Vectors are unit rows, rotated by the library's random rotation, so that components are close to
N(0, 1/dims) for any embedder; hence one fixed quantizer range serves every shard of every
library, nothing is trained, shards join without copying, and commit order changes no result.

Level 1 holds the segment vectors and, by themselves, the outliers: the moments least like their
segment, which its vector would hide. From many rows on it scans 1-bit RaBitQ codes (Gao and Long,
SIGMOD 2024). Level 2 scores the moments of the chosen segments on the 8-bit codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt
from pathlib import Path
from typing import Any, Literal

import faiss as _faiss
import numpy as np
import numpy.typing as npt
from faiss.contrib import ivf_tools as _ivf_tools

from index.errors import LibraryError
from index.files import disk_error
from index.ranking import Ids, Mask, Vectors, starts_of, top_k

# The type stubs of FAISS lack the classes and keywords used here.
faiss: Any = _faiss
ivf_tools: Any = _ivf_tools

MOMENTS_NAME = "moments.ivf"
SEGMENTS_NAME = "segments.npy"
OUTLIERS_NAME = "outliers.npy"

_RANGE_IN_DEVIATIONS = 6.0
_LEVELS = 255
_EXACT_UP_TO = 4096
"""Level 1 is scanned exactly up to this many rows; beyond, on 1-bit codes."""
_QUERY_BITS = 8
_TRAINING_ROWS = 16_384
_NORM_TOLERANCE = 0.02


# --- writing -------------------------------------------------------------------------------------


def write_vectors(
    directory: Path,
    moment_vectors: Vectors,
    segment_of_moment: npt.NDArray[np.integer[Any]],
    segment_vectors: Vectors,
    *,
    rotation: Vectors,
    outlier_share: float,
) -> None:
    """Write a shard's vectors into `directory`.

    `moment_vectors` (n, d) and `segment_vectors` (m, d): float32 rows of length 1 (or 0, like
    nothing); `segment_of_moment` (n,): ascending segment numbers; `rotation` (d, d);
    `outlier_share`: share of the moments, least like their segment, that level 1 holds too.
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
    outliers = np.sort(np.argsort(cosines, kind="stable")[: ceil(outlier_share * len(lists))])
    try:
        np.save(directory / SEGMENTS_NAME, _rotated(segment_vectors, rotation).astype(np.float16))
        np.save(directory / OUTLIERS_NAME, outliers.astype(np.int64))
        if len(segment_vectors):
            index = _quantized_index(dims, len(segment_vectors))
            # A named array: FAISS keeps only a raw pointer to the ids while adding.
            ids = np.arange(len(lists), dtype=np.int64)
            if len(ids):
                ivf_tools.add_preassigned(index, _rotated(moment_vectors, rotation), lists, ids)
            faiss.write_index(index, str(directory / MOMENTS_NAME))
    except (RuntimeError, OSError) as error:
        raise disk_error(directory, "write the vectors of", error) from error


def _check_rows(name: str, rows: Vectors, dims: int) -> None:
    if rows.ndim != 2 or rows.shape[1] != dims or rows.dtype != np.float32:
        raise ValueError(f"{name} must be (n, {dims}) float32, got {rows.shape} {rows.dtype}")
    lengths = np.linalg.norm(rows, axis=1)
    if not np.all((lengths == 0) | (np.abs(lengths - 1) < _NORM_TOLERANCE)):
        raise ValueError(f"{name} must have rows of length 1 (or all zeros)")


def _rotated(rows: Vectors, rotation: Vectors) -> Vectors:
    return np.ascontiguousarray(rows @ rotation.T, dtype=np.float32)


def _quantizer_range(dims: int) -> float:
    """Components lie in [-range, range]: 6 standard deviations of a random unit vector's."""
    return min(1.0, _RANGE_IN_DEVIATIONS / sqrt(dims))


def _quantized_index(dims: int, num_lists: int) -> Any:
    """An IVF of 8-bit codes over a fixed range, ready without training."""
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dims),
        dims,
        num_lists,
        faiss.ScalarQuantizer.QT_8bit_uniform,
        faiss.METRIC_INNER_PRODUCT,
        False,  # not by residual: codes must not depend on the list
    )
    limit = _quantizer_range(dims)
    # Two rows at the ends of the range fix it. Setting `sq.trained` would be more direct, but a
    # vector<float> comes back as PyMuPDF's type when that is imported first: both share SWIG.
    index.sq.train(np.repeat(np.array([[-limit], [limit]], dtype=np.float32), dims, axis=1))
    index.is_trained = True
    return index


# --- one shard, open -----------------------------------------------------------------------------


class ShardVectors:
    """One shard's vectors, mapped into memory; stays readable after its files are deleted."""

    def __init__(self, directory: Path) -> None:
        """Open the files `write_vectors` wrote; raises LibraryError when they are not there."""
        flags = faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY
        try:
            self.segment_vectors: npt.NDArray[np.float16] = np.load(directory / SEGMENTS_NAME)
            self.outliers: Ids = np.load(directory / OUTLIERS_NAME)
            self.num_segments = len(self.segment_vectors)
            self.index: Any = None
            if self.num_segments:
                self.index = faiss.read_index(str(directory / MOMENTS_NAME), flags)
        except (RuntimeError, OSError, ValueError) as error:
            raise disk_error(directory, "read the vectors of", error) from error
        dims = self.segment_vectors.shape[1]
        sizes = np.zeros(0, dtype=np.int64)
        self._windows: npt.NDArray[np.uint8] = np.zeros((0, dims), dtype=np.uint8)
        if self.index is not None:
            if self.index.nlist != self.num_segments or self.index.d != dims:
                raise LibraryError(f"{directory} is damaged; restore this library from a backup")
            self.lists: Any = faiss.downcast_InvertedLists(self.index.invlists)
            sizes = np.array(
                [self.lists.list_size(number) for number in range(self.num_segments)],
                dtype=np.int64,
            )
        self.num_moments = int(sizes.sum())
        self.list_sizes: Ids = sizes
        self._code_at = self._locate_codes(sizes, dims)
        self.outlier_segments: Ids = np.repeat(np.arange(self.num_segments), sizes)[self.outliers]

    def _locate_codes(self, sizes: Ids, dims: int) -> Ids:
        """Byte offset of every moment's code within the mapping; (num_moments,) int64."""
        if self.num_moments == 0:
            return np.zeros(0, dtype=np.int64)
        mapping = faiss.rev_swig_ptr(self.lists.ptr, self.lists.totsize)
        self._windows = np.lib.stride_tricks.sliding_window_view(mapping, dims)
        places = np.array(
            [self.lists.lists.at(number).offset for number in range(self.num_segments)],
            dtype=np.int64,
        )
        firsts = np.cumsum(sizes) - sizes
        within = np.arange(self.num_moments) - np.repeat(firsts, sizes)
        located: Ids = np.repeat(places, sizes) + within * dims
        return located

    def decoded(self, ids: Ids) -> Vectors:
        """Rotated approximations of the moments' vectors, (len(ids), d) float32."""
        codes = self._windows[self._code_at[ids]]
        limit = _quantizer_range(codes.shape[1])
        scaled = (codes.astype(np.float32) + 0.5) * np.float32(2 * limit / _LEVELS)
        return np.asarray(scaled - np.float32(limit), dtype=np.float32)


# --- all shards, searched as one -----------------------------------------------------------------


class _Coarse:
    """Level 1 over some rows: exact when few, RaBitQ codes when many; inner product."""

    def __init__(self, rows: Vectors) -> None:
        self.num_rows, dims = rows.shape
        self._plain: Any = None
        self._filtered: Any = None
        if 0 < self.num_rows <= _EXACT_UP_TO:
            self._plain = self._filtered = faiss.IndexFlatIP(dims)
            self._plain.add(rows)
        elif self.num_rows:
            # The fast scan takes no selector, the plain scan does: 56 bytes a row each at 384.
            self._plain = faiss.IndexRaBitQFastScan(dims, faiss.METRIC_INNER_PRODUCT)
            self._filtered = faiss.IndexRaBitQ(dims, faiss.METRIC_INNER_PRODUCT)
            sample = rows[:: max(1, self.num_rows // _TRAINING_ROWS)]
            for index in (self._plain, self._filtered):
                index.train(sample)
                index.add(rows)

    def best(self, query: Vectors, count: int, allowed: Mask | None) -> Ids:
        """Numbers of the `count` best rows (fewer when fewer are allowed), best first."""
        if self.num_rows == 0:
            return np.zeros(0, dtype=np.int64)
        count = min(count, self.num_rows)
        if allowed is None:
            _, found = self._plain.search(query[None, :], count)
        else:
            bits = np.packbits(allowed, bitorder="little")
            selector = faiss.IDSelectorBitmap(bits)
            parameters = (
                faiss.SearchParameters(sel=selector)
                if self._filtered is self._plain
                else faiss.RaBitQSearchParameters(sel=selector, qb=_QUERY_BITS)
            )
            _, found = self._filtered.search(query[None, :], count, params=parameters)
        numbers: Ids = found[0]
        return numbers[numbers >= 0]


class TwoLevelIndex:
    """The vectors of many shards as one index. Global ids count through the shards in order.

    Safe for concurrent searches. Results depend neither on how moments are spread over shards
    nor on ties: equal scores come in ascending id.
    """

    def __init__(self, shards: Sequence[ShardVectors], rotation: Vectors) -> None:
        """Join open shards; `rotation` (d, d) is the library's."""
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
        self._segment_of = np.repeat(np.arange(self.num_segments), self._list_sizes)
        self._join()
        self._build_level_1()

    @classmethod
    def open(cls, directories: Sequence[Path], rotation: Vectors) -> TwoLevelIndex:
        """Open the shards in `directories` and join them."""
        return cls([ShardVectors(directory) for directory in directories], rotation)

    def _join(self) -> None:
        """One IVF over the lists of all shards; Python must keep what C++ points to."""
        self._joined: Any = None
        if self.num_moments == 0:
            return
        pointers = faiss.InvertedListsPtrVector()
        for shard in self._shards:
            if shard.index is not None:
                pointers.push_back(shard.lists)
        self._stacked = faiss.VStackInvertedLists(pointers.size(), pointers.data())
        self._joined = _quantized_index(self._dims, self.num_segments)
        self._joined.replace_invlists(self._stacked, False)

    def _build_level_1(self) -> None:
        nothing = np.zeros((0, self._dims), dtype=np.float32)
        self._segments = _Coarse(
            np.concatenate([nothing, *(s.segment_vectors for s in self._shards)], dtype=np.float32)
        )
        self._outliers = _Coarse(
            np.concatenate([nothing, *(shard.decoded(shard.outliers) for shard in self._shards)])
        )
        starts = zip(self._shards, self._moment_starts.tolist(), strict=False)
        ids = [shard.outliers + start for shard, start in starts]
        self._outlier_ids: Ids = np.concatenate([np.zeros(0, dtype=np.int64), *ids])

    def search(
        self,
        query: Vectors,
        k: int,
        *,
        mode: Literal["fast", "thorough"],
        probes: int = 64,
        allowed: Mask | None = None,
    ) -> tuple[Ids, Vectors]:
        """The k moments most like `query` (d,): ids int64 and scores float32, best first.

        Scores are inner products with the 8-bit codes. `thorough` scores every moment; `fast`
        those of the `probes` best segments and of the segments of the `probes` best outliers.
        `allowed` (num_moments,) bool acts before ranking, on both levels: the result is the best
        k of the allowed. Fewer than k come back when there are fewer.
        """
        if query.shape != (self._dims,) or not np.all(np.isfinite(query)):
            raise ValueError(f"a query is ({self._dims},) finite floats, got {query.shape}")
        if allowed is not None and allowed.shape != (self.num_moments,):
            raise ValueError(f"allowed must be ({self.num_moments},), got {allowed.shape}")
        rotated = _rotated(query[None, :], self._rotation)[0]
        lists = self._lists_to_scan(rotated, mode, probes, allowed)
        available = int(self._list_sizes[lists].sum())
        if allowed is not None:
            available = min(available, int(np.count_nonzero(allowed)))
        return top_k(lambda count: self._scan(rotated, count, lists, allowed), k, available)

    def _lists_to_scan(self, query: Vectors, mode: str, probes: int, allowed: Mask | None) -> Ids:
        """Global numbers of the segments to look into, ascending."""
        if allowed is None:
            eligible = self._list_sizes > 0
        else:
            eligible = np.zeros(self.num_segments, dtype=np.bool_)
            filled = np.flatnonzero(self._list_sizes)
            if len(filled):
                eligible[filled] = np.logical_or.reduceat(allowed, self._list_starts[filled])
        if mode == "thorough" or np.count_nonzero(eligible) <= probes:
            return np.flatnonzero(eligible).astype(np.int64)
        segments = self._segments.best(query, probes, None if allowed is None else eligible)
        usable = None if allowed is None else allowed[self._outlier_ids]
        outliers = self._outlier_ids[self._outliers.best(query, probes, usable)]
        chosen = np.unique(np.concatenate([segments, self._segment_of[outliers]]))
        return np.asarray(chosen[eligible[chosen]], dtype=np.int64)

    def _scan(
        self, query: Vectors, count: int, lists: Ids, allowed: Mask | None
    ) -> tuple[Ids, Vectors]:
        """The `count` best moments of some segments, unordered among equals."""
        if allowed is None:
            scores, pairs = _scan_lists(self._joined, query, count, lists, None)
            return self._list_starts[pairs >> 32] + (pairs & 0xFFFFFFFF), scores
        parts = []
        borders = np.searchsorted(lists, self._segment_starts)
        for number, shard in enumerate(self._shards):
            own = lists[borders[number] : borders[number + 1]] - self._segment_starts[number]
            if len(own):
                start, end = self._moment_starts[number : number + 2]
                scores, ids = _scan_lists(shard.index, query, count, own, allowed[start:end])
                parts.append((ids + start, scores))
        ids = np.concatenate([part[0] for part in parts])
        scores = np.concatenate([part[1] for part in parts])
        best = np.argsort(-scores, kind="stable")[:count]
        return ids[best], scores[best]

    def reconstruct(self, ids: Ids) -> Vectors:
        """Approximations of the moments' vectors as embedded, (len(ids), d) float32."""
        ids = np.asarray(ids, dtype=np.int64)
        if len(ids) and not 0 <= ids.min() <= ids.max() < self.num_moments:
            raise IndexError(f"moment ids go up to {self.num_moments - 1}")
        rows = np.zeros((len(ids), self._dims), dtype=np.float32)
        owners = np.searchsorted(self._moment_starts, ids, side="right") - 1
        for number in np.unique(owners).tolist():
            mine = owners == number
            rows[mine] = self._shards[number].decoded(ids[mine] - self._moment_starts[number])
        return np.asarray(rows @ self._rotation, dtype=np.float32)


def _scan_lists(
    index: Any, query: Vectors, count: int, lists: Ids, allowed: Mask | None
) -> tuple[Vectors, Ids]:
    """Scores and labels of the best `count` in the lists of an IVF.

    Without `allowed` labels are (list << 32 | place in the list): the lists of different shards
    hold the same local ids. With it (one shard's moments) they are those ids.
    """
    keys = np.ascontiguousarray(lists, dtype=np.int64)
    ignored = np.zeros(len(keys), dtype=np.float32)
    scores = np.empty(count, dtype=np.float32)
    labels = np.empty(count, dtype=np.int64)
    selector = None
    if allowed is not None:
        bits = np.packbits(allowed, bitorder="little")
        selector = faiss.IDSelectorBitmap(bits)
    index.search_preassigned_c(
        1,
        faiss.swig_ptr(np.ascontiguousarray(query)),
        count,
        faiss.swig_ptr(keys),
        faiss.swig_ptr(ignored),
        faiss.swig_ptr(scores),
        faiss.swig_ptr(labels),
        allowed is None,
        faiss.SearchParametersIVF(sel=selector, nprobe=len(keys)),
    )
    found = labels >= 0
    return scores[found], labels[found]
