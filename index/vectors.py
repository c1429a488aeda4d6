"""FAISS, and nothing else that knows of it: codes of rows in files, and the scans over them.

Rows are unit vectors, rotated by the library's random rotation, so that components are close to
N(0, 1/dims) for any embedder; hence one fixed quantizer range serves every file of every library,
nothing is trained on the library, and files join without copying.

Three kinds of codes: lists of rows (an IVF, mapped into memory; 8 bits or fp16 a component), which
give the scores that are ranked by; 1-bit RaBitQ codes (Gao and Long, SIGMOD 2024), which tell
quickly which rows are worth a score; and small tables of plain rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import faiss as _faiss
import numpy as np
import numpy.typing as npt
from faiss.contrib import ivf_tools as _ivf_tools

from index.errors import LibraryError
from index.files import disk_error
from index.ranking import Ids, Mask, Vectors
from index.settings import Codes

# The type stubs of FAISS lack the classes and keywords used here.
faiss: Any = _faiss
ivf_tools: Any = _ivf_tools

_RANGE_IN_DEVIATIONS = 6.0
_LEVELS = 255
_PLAIN_UP_TO = 4096
"""Level 1 is scanned exactly up to this many rows; beyond, on 1-bit codes."""
_QUERY_BITS = 8
_OFTEN_ALLOWED = 0.25
"""From this share on, the fast scan is asked for more than is wanted, and what is not allowed left
out: half the time of a scan with a selector."""
_SPARE = 1.5
"""So many times what the share makes likely is asked for, lest too few of it are allowed."""
_TRAINING_ROWS = 16_384
_BLOCK_ROWS = 65_536
_ID_BYTES = 8
_SURE_DEVIATIONS = 4.0
_ESTIMATE_DEVIATION = 0.9
"""Standard deviation of an estimated inner product times the root of the dims, measured on unit
rows; the paper's theorem 3.2 gives 0.75 before the query is quantized."""
_LISTS_MARK = b"ilar"
_ALL_SIZES_MARK = b"full"


# --- lists of rows, in a file --------------------------------------------------------------------


def write_lists(
    path: Path, rows: Vectors, list_of_row: Ids, *, num_lists: int, codes: Codes
) -> None:
    """Write rows (n, d) float32 as codes, each into the list `list_of_row` (n,) names.

    At least one list. Raises LibraryError when the disk refuses.
    """
    index = _ivf(rows.shape[1], num_lists, codes)
    # Named arrays: FAISS keeps only a raw pointer to the ids while adding.
    ids = np.arange(len(rows), dtype=np.int64)
    lists = np.ascontiguousarray(list_of_row, dtype=np.int64)
    if len(ids):
        ivf_tools.add_preassigned(index, np.ascontiguousarray(rows), lists, ids)
    try:
        faiss.write_index(index, str(path))
    except (RuntimeError, OSError) as error:
        raise disk_error(path, "write", error) from error


def _range(dims: int) -> float:
    """Components lie in [-range, range]: 6 standard deviations of a random unit vector's."""
    return min(1.0, _RANGE_IN_DEVIATIONS / sqrt(dims))


def _ivf(dims: int, num_lists: int, codes: Codes) -> Any:
    """An IVF over a fixed range, ready without training."""
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dims),
        dims,
        num_lists,
        faiss.ScalarQuantizer.QT_fp16 if codes == "fp16" else faiss.ScalarQuantizer.QT_8bit_uniform,
        faiss.METRIC_INNER_PRODUCT,
        False,  # not by residual: codes must not depend on the list
    )
    if codes == "8bit":
        limit = _range(dims)
        # Two rows at the ends of the range fix it. Setting `sq.trained` would be more direct, but
        # a vector<float> comes back as PyMuPDF's type when that is imported first: both share SWIG.
        index.sq.train(np.repeat(np.array([[-limit], [limit]], dtype=np.float32), dims, axis=1))
    index.is_trained = True
    return index


def merge_lists(path: Path, parts: Sequence[tuple[Lists, range]]) -> None:
    """Write lists of open files, some of each, as one file: the codes as they are, byte by byte.

    The same file as `write_lists` makes of the same rows. At least one list. Raises LibraryError
    when the disk refuses.
    """
    sizes = np.concatenate([lists.sizes[numbers.start : numbers.stop] for lists, numbers in parts])
    header = _header(path, sizes, parts[0][0])
    first_id = 0
    try:
        with path.open("wb") as stream:
            stream.write(header)
            for lists, numbers in parts:
                for codes in lists.stored_by_list(numbers):
                    stream.write(codes.tobytes())
                    stream.write(np.arange(first_id, first_id + len(codes)).tobytes())
                    first_id += len(codes)
    except OSError as error:
        raise disk_error(path, "write", error) from error


def _header(path: Path, sizes: Ids, like: Lists) -> bytes:
    """What stands before the lists in a file: all that FAISS writes itself, then their sizes.

    FAISS writes lists only from memory, hence its file of empty lists up to where these begin,
    and the sizes in its layout for lists most of which hold something.
    """
    index = _ivf(like.dims, len(sizes), like.codes)
    index.ntotal = int(sizes.sum())
    writer = faiss.VectorIOWriter()
    faiss.write_index(index, writer)
    content: bytes = faiss.vector_to_array(writer.data).tobytes()
    before, mark, _ = content.rpartition(_LISTS_MARK)
    if not mark:
        raise LibraryError(f"cannot write {path}: this FAISS has another format of files")
    counts = np.array([len(sizes), index.code_size], dtype=np.uint64).tobytes()
    length = np.array([len(sizes)], dtype=np.uint64).tobytes()
    return b"".join([before, mark, counts, _ALL_SIZES_MARK, length, sizes.tobytes()])


class Lists:
    """Lists of rows in a file, mapped into memory; readable after the file is deleted."""

    def __init__(self, path: Path) -> None:
        """Open what `write_lists` wrote; raises LibraryError when it is not there."""
        flags = faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY
        try:
            self._index: Any = faiss.read_index(str(path), flags)
            self.lists: Any = faiss.downcast_InvertedLists(self._index.invlists)
            self.codes: Codes = (
                "fp16" if self._index.sq.qtype == faiss.ScalarQuantizer.QT_fp16 else "8bit"
            )
            self.dims = int(self._index.d)
            sizes = [self.lists.list_size(number) for number in range(self._index.nlist)]
        except (RuntimeError, OSError, AttributeError) as error:
            raise disk_error(path, "read", error) from error
        self.sizes: Ids = np.array(sizes, dtype=np.int64)
        """Rows of each list."""
        self.num_rows = int(self.sizes.sum())
        self._code_at: Ids = np.zeros(0, dtype=np.int64)
        self._ids_at: Ids = np.zeros(0, dtype=np.int64)
        self._windows = np.zeros((0, int(self.lists.code_size)), dtype=np.uint8)
        if self.num_rows:
            self._locate_codes(path)

    def _locate_codes(self, path: Path) -> None:
        """Byte offsets of all codes within the mapping: list by list, codes before ids."""
        code_bytes = int(self.lists.code_size)
        mapping = faiss.rev_swig_ptr(self.lists.ptr, self.lists.totsize)
        self._windows = np.lib.stride_tricks.sliding_window_view(mapping, code_bytes)
        before = np.cumsum(self.sizes) - self.sizes
        last = len(self.sizes) - 1
        places = before * (code_bytes + _ID_BYTES) + self.lists.lists.at(0).offset
        within = np.arange(self.num_rows) - np.repeat(before, self.sizes)
        self._code_at = np.repeat(places, self.sizes) + within * code_bytes
        self._ids_at = places + self.sizes * code_bytes
        if places[last] != self.lists.lists.at(last).offset:
            raise LibraryError(f"{path} is damaged; restore this library from a backup")

    def stored(self, ids: Ids) -> npt.NDArray[np.uint8]:
        """The codes of rows, (len(ids), bytes of a code)."""
        return self._windows[self._code_at[ids]]

    def stored_by_list(self, numbers: range) -> Iterator[npt.NDArray[np.uint8]]:
        """The codes of each of these lists, (rows, bytes of a code)."""
        first = int(self.sizes[: numbers.start].sum())
        for number in numbers:
            last = first + int(self.sizes[number])
            yield self.stored(np.arange(first, last))
            first = last

    def scores(self, query: Vectors, ids: Ids) -> Vectors:
        """Inner products of `query` (d,) with rows, (len(ids),) float32."""
        codes = self.stored(ids)
        if self.codes == "fp16":
            return np.asarray(codes.view(np.float16).astype(np.float32) @ query, dtype=np.float32)
        # Decoding is linear: it is done once for the sum instead of for every component.
        limit = _range(self.dims)
        step = 2 * limit / _LEVELS
        rest = float(query.sum(dtype=np.float64)) * (step / 2 - limit)
        found = (codes.astype(np.float32) @ query).astype(np.float64) * step + rest
        return np.asarray(found, dtype=np.float32)

    def decoded(self, ids: Ids) -> Vectors:
        """The rows as their codes tell them, (len(ids), d) float32."""
        return decoded(self.stored(ids), self.codes)

    def held_ids(self, places: Ids) -> Ids:
        """The ids that the file keeps at these places, counted list by list.

        `write_lists` gives ids in this very order to rows that come list by list.
        """
        if not self.num_rows:
            return np.zeros(0, dtype=np.int64)
        ends = np.cumsum(self.sizes)
        owners = np.searchsorted(ends, places, side="right")
        within = places - (ends - self.sizes)[owners]
        mapping = faiss.rev_swig_ptr(self.lists.ptr, self.lists.totsize)
        windows = np.lib.stride_tricks.sliding_window_view(mapping, _ID_BYTES)
        held = windows[self._ids_at[owners] + within * _ID_BYTES]
        return np.ascontiguousarray(held).view(np.int64)[:, 0]

    def scan(self, query: Vectors, count: int, lists: Ids, allowed: Mask) -> tuple[Ids, Vectors]:
        """Ids and scores of the best `count` allowed rows in some lists, unordered among equals."""
        selector = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        labels, scores = _scan(self._index, query, count, lists, selector, pairs=False)
        return labels, scores


def decoded(stored: npt.NDArray[np.uint8], codes: Codes) -> Vectors:
    """The rows (n, d) float32 that codes (n, bytes of a code) tell."""
    if codes == "fp16":
        return np.asarray(stored.view(np.float16), dtype=np.float32)
    limit = _range(stored.shape[1])
    rows = stored.astype(np.float32)
    rows += np.float32(0.5)
    rows *= np.float32(2 * limit / _LEVELS)
    rows -= np.float32(limit)
    return np.asarray(rows, dtype=np.float32)


class JoinedLists:
    """The lists of many files as one, without copying. Lists and rows count through the files."""

    def __init__(self, files: Sequence[Lists], dims: int) -> None:
        """Join open files of the same dims and codes; raises LibraryError when they differ."""
        # Python must keep what C++ points to.
        self._files = tuple(files)
        if {(one.dims, one.codes) for one in files} - {(dims, files[0].codes)}:
            raise LibraryError("shards hold codes of different kinds; ingest into a new library")
        pointers = faiss.InvertedListsPtrVector()
        for one in files:
            pointers.push_back(one.lists)
        self._stacked = faiss.VStackInvertedLists(pointers.size(), pointers.data())
        sizes = np.concatenate([one.sizes for one in files])
        self._starts: Ids = np.cumsum(sizes) - sizes
        self._index = _ivf(dims, len(sizes), files[0].codes)
        self._index.replace_invlists(self._stacked, False)

    def scan(self, query: Vectors, count: int, lists: Ids) -> tuple[Ids, Vectors]:
        """Row numbers and scores of the best `count` in some lists, unordered among equals."""
        # Different files hold the same ids: labels are (list << 32 | place in the list).
        pairs, scores = _scan(self._index, query, count, lists, None, pairs=True)
        return self._starts[pairs >> 32] + (pairs & 0xFFFFFFFF), scores


def _scan(
    index: Any, query: Vectors, count: int, lists: Ids, selector: Any, *, pairs: bool
) -> tuple[Ids, Vectors]:
    keys = np.ascontiguousarray(lists, dtype=np.int64)
    ignored = np.zeros(len(keys), dtype=np.float32)
    scores = np.empty(count, dtype=np.float32)
    labels = np.empty(count, dtype=np.int64)
    index.search_preassigned_c(
        1,
        faiss.swig_ptr(np.ascontiguousarray(query)),
        count,
        faiss.swig_ptr(keys),
        faiss.swig_ptr(ignored),
        faiss.swig_ptr(scores),
        faiss.swig_ptr(labels),
        pairs,
        faiss.SearchParametersIVF(sel=selector, nprobe=len(keys)),
    )
    found = labels >= 0
    return labels[found], scores[found]


# --- 1-bit codes ---------------------------------------------------------------------------------


def write_bits(path: Path, rows: Vectors) -> None:
    """Write the 1-bit codes of rows (n, d) float32. Raises LibraryError when the disk refuses."""
    _write_bits(path, rows.shape[1], len(rows), lambda part: rows[part])


def write_bits_of(path: Path, lists: Lists) -> None:
    """Write the 1-bit codes of a file's rows, which are decoded block by block.

    Raises LibraryError when the disk refuses.
    """
    numbers = np.arange(lists.num_rows)
    _write_bits(path, lists.dims, lists.num_rows, lambda part: lists.decoded(numbers[part]))


def _write_bits(path: Path, dims: int, num_rows: int, rows_of: Callable[[slice], Vectors]) -> None:
    index = _bits(dims, num_rows, rows_of)
    try:
        faiss.write_index(index, str(path))
    except (RuntimeError, OSError) as error:
        raise disk_error(path, "write", error) from error


def _bits(dims: int, num_rows: int, rows_of: Callable[[slice], Vectors]) -> Any:
    index = faiss.IndexRaBitQFastScan(dims, faiss.METRIC_INNER_PRODUCT)
    _fill(index, num_rows, rows_of)
    return index


def _fill(index: Any, num_rows: int, rows_of: Callable[[slice], Vectors]) -> None:
    """Train, which finds the centre of the rows, and add them block by block."""
    index.train(np.ascontiguousarray(rows_of(slice(0, None, max(1, num_rows // _TRAINING_ROWS)))))
    for first in range(0, num_rows, _BLOCK_ROWS):
        index.add(np.ascontiguousarray(rows_of(slice(first, first + _BLOCK_ROWS))))


class Bits:
    """The 1-bit codes of a file's rows."""

    def __init__(self, path: Path) -> None:
        """Read what `write_bits` wrote; raises LibraryError when it is not there."""
        try:
            self._index: Any = faiss.read_index(str(path))
        except (RuntimeError, OSError) as error:
            raise disk_error(path, "read", error) from error
        self.num_rows = int(self._index.ntotal)
        self.error = _SURE_DEVIATIONS * _ESTIMATE_DEVIATION / sqrt(self._index.d)
        """No estimate is off by more, but for one in tens of thousands."""

    def nearest(self, query: Vectors, count: int) -> tuple[Ids, Vectors]:
        """Ids and estimated scores of the `count` rows with the best estimates, best first."""
        scores, ids = self._index.search(query[None, :], min(count, self.num_rows))
        return ids[0], scores[0]


# --- level 1 -------------------------------------------------------------------------------------


class Table:
    """Rows in memory, of which the nearest are asked for: exact when few, 1-bit when many."""

    def __init__(self, num_rows: int, dims: int, rows_of: Callable[[slice], Vectors]) -> None:
        """`rows_of` gives float32 rows of a slice of 0..num_rows."""
        self.num_rows = num_rows
        self._plain: Any = None
        self._filtered: Any = None
        if 0 < num_rows <= _PLAIN_UP_TO:
            self._plain = self._filtered = faiss.IndexFlatIP(dims)
            self._plain.add(np.ascontiguousarray(rows_of(slice(None))))
        elif num_rows:
            # The fast scan takes no selector, the plain scan does: 56 bytes a row each at 384.
            self._plain = _bits(dims, num_rows, rows_of)
            self._filtered = faiss.IndexRaBitQ(dims, faiss.METRIC_INNER_PRODUCT)
            _fill(self._filtered, num_rows, rows_of)

    def nearest(self, query: Vectors, count: int, allowed: Mask | None) -> Ids:
        """Numbers of the `count` best rows (fewer when fewer are allowed), best first."""
        count = min(count, self.num_rows)
        if count == 0:
            return np.zeros(0, dtype=np.int64)
        if allowed is None:
            return self._fast(query, count)
        share = np.count_nonzero(allowed) / self.num_rows
        if self._filtered is not self._plain and share >= _OFTEN_ALLOWED:
            found = self._fast(query, min(ceil(_SPARE * count / share), self.num_rows))
            found = found[allowed[found]][:count]
            if len(found) == count:
                return found
        return self._selected(query, count, allowed)

    def _fast(self, query: Vectors, count: int) -> Ids:
        _, found = self._plain.search(query[None, :], count)
        return np.asarray(found[0][found[0] >= 0], dtype=np.int64)

    def _selected(self, query: Vectors, count: int, allowed: Mask) -> Ids:
        selector = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        parameters = (
            faiss.SearchParameters(sel=selector)
            if self._filtered is self._plain
            else faiss.RaBitQSearchParameters(sel=selector, qb=_QUERY_BITS)
        )
        _, found = self._filtered.search(query[None, :], count, params=parameters)
        return np.asarray(found[0][found[0] >= 0], dtype=np.int64)
