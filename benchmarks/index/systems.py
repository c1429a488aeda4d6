"""The two-level index and its rivals, behind one pair of functions: build, and search.

Each rival is built as its makers advise for this size, and tried at several settings of search;
the table shows the cheapest one whose hits are within 0.01 of an exact scan's, else the best.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.index.data import BEST, SHARD_ROWS, Data, Ids, Rows

Search = Callable[[Rows], Ids]
"""A query (d,) to the ids of the best."""


@dataclass(frozen=True, slots=True)
class System:
    """Something that can be asked for the nearest moments."""

    name: str
    package: str
    """What has to be installed."""
    index: str
    """Folder of its index; systems that search one index in several ways have the same."""
    build: Callable[[Data, Path], None]
    """Write everything into a folder."""
    searches: Callable[[Path, Data], Iterator[tuple[str, Search]]]
    """Open the folder; settings and how to search with them, cheapest first."""
    most_moments: int = 2_000_000
    """Larger data is left out: it would take hours or all the memory."""


def _two_level_build(data: Data, folder: Path) -> None:
    from index.manifest import random_rotation
    from index.two_level import write_vectors

    rotation = random_rotation(data.moments.shape[1])
    first = 0
    while first < len(data.moments):
        last = min(first + SHARD_ROWS, len(data.moments))
        if last < len(data.moments):  # shards end with a segment
            last = int(np.searchsorted(data.segment_of, data.segment_of[last]))
        moments = np.ascontiguousarray(data.moments[first:last])
        owners = data.segment_of[first:last] - data.segment_of[first]
        sums = np.add.reduceat(moments, np.flatnonzero(np.diff(owners, prepend=-1)))
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        shard = folder / f"{first:010d}"
        shard.mkdir()
        write_vectors(shard, moments, owners, sums / lengths, rotation=rotation)
        first = last


def _two_level_searches(mode: str, probes: tuple[int, ...]) -> Any:
    def searches(folder: Path, data: Data) -> Iterator[tuple[str, Search]]:
        from index.manifest import random_rotation
        from index.two_level import TwoLevelIndex

        index = TwoLevelIndex.open(sorted(folder.iterdir()), random_rotation(data.moments.shape[1]))
        for count in probes:
            yield (
                f"{count} probes" if mode == "fast" else "",
                lambda query, count=count: index.search(query, BEST, mode=mode, probes=count)[0],  # type: ignore[misc,arg-type]
            )

    return searches


def _faiss_build(key: str) -> Callable[[Data, Path], None]:
    def build(data: Data, folder: Path) -> None:
        import faiss

        index: Any = faiss.index_factory(data.moments.shape[1], key, faiss.METRIC_INNER_PRODUCT)
        if not index.is_trained:
            generator = np.random.default_rng(0)
            count = min(len(data.moments), 200_000)
            rows = np.sort(generator.choice(len(data.moments), count, replace=False))
            index.train(np.ascontiguousarray(data.moments[rows]))
        for first in range(0, len(data.moments), 100_000):
            index.add(np.ascontiguousarray(data.moments[first : first + 100_000]))
        faiss.write_index(index, str(folder / "index.faiss"))

    return build


def _faiss_searches(parameter: str, values: tuple[int, ...]) -> Any:
    def searches(folder: Path, _: Data) -> Iterator[tuple[str, Search]]:
        import faiss

        index: Any = faiss.read_index(str(folder / "index.faiss"))
        space: Any = faiss.ParameterSpace()
        for value in values:
            if parameter:
                space.set_index_parameter(index, parameter, value)
            label = f"{parameter} {value}" if parameter else ""
            yield label, lambda query: index.search(query[None, :], BEST)[1][0]

    return searches


def _hnswlib_build(data: Data, folder: Path) -> None:
    import hnswlib

    index = hnswlib.Index(space="ip", dim=data.moments.shape[1])
    index.init_index(max_elements=len(data.moments), M=16, ef_construction=200)
    for first in range(0, len(data.moments), 100_000):
        rows = data.moments[first : first + 100_000]
        index.add_items(rows, np.arange(first, first + len(rows)))
    index.save_index(str(folder / "index.hnsw"))


def _hnswlib_searches(folder: Path, data: Data) -> Iterator[tuple[str, Search]]:
    import hnswlib

    index = hnswlib.Index(space="ip", dim=data.moments.shape[1])
    index.load_index(str(folder / "index.hnsw"), max_elements=len(data.moments))
    index.set_num_threads(1)
    for wide in (32, 64, 128, 256, 512):
        index.set_ef(wide)
        yield f"ef {wide}", lambda query: index.knn_query(query, k=BEST)[0][0].astype(np.int64)


def _usearch_build(data: Data, folder: Path) -> None:
    from usearch.index import Index

    index = Index(ndim=data.moments.shape[1], metric="ip", dtype="i8")
    for first in range(0, len(data.moments), 100_000):
        rows = np.ascontiguousarray(data.moments[first : first + 100_000])
        index.add(np.arange(first, first + len(rows)), rows)
    index.save(str(folder / "index.usearch"))


def _usearch_searches(folder: Path, data: Data) -> Iterator[tuple[str, Search]]:
    from usearch.index import Index

    index = Index.restore(str(folder / "index.usearch"), view=True)
    for wide in (64, 128, 256, 512):
        index.expansion_search = wide
        yield (
            f"expansion {wide}",
            lambda query: index.search(query, BEST, threads=1).keys.astype(np.int64),
        )


def _lance_build(data: Data, folder: Path) -> None:
    import lancedb
    import pyarrow

    dims = data.moments.shape[1]
    schema = pyarrow.schema(
        [("id", pyarrow.int64()), ("vector", pyarrow.list_(pyarrow.float32(), dims))]
    )

    def batches() -> Iterator[Any]:
        for first in range(0, len(data.moments), 50_000):
            rows = np.ascontiguousarray(data.moments[first : first + 50_000])
            vectors = pyarrow.FixedSizeListArray.from_arrays(rows.reshape(-1), dims)
            ids = pyarrow.array(np.arange(first, first + len(rows)))
            yield pyarrow.RecordBatch.from_arrays([ids, vectors], schema=schema)

    table = lancedb.connect(folder).create_table("moments", batches(), schema=schema)
    table.create_index(
        metric="dot",
        num_partitions=round(sqrt(len(data.moments))),
        num_sub_vectors=dims // 8,
        vector_column_name="vector",
    )


def _lance_searches(folder: Path, _: Data) -> Iterator[tuple[str, Search]]:
    import lancedb

    table = lancedb.connect(folder).open_table("moments")
    for probes, refine in ((20, 10), (50, 10), (100, 20)):
        yield (
            f"{probes} probes, refine {refine}",
            lambda query, probes=probes, refine=refine: (  # type: ignore[misc]
                table.search(query)
                .metric("dot")
                .nprobes(probes)
                .refine_factor(refine)
                .limit(BEST)
                .select(["id"])
                .to_arrow()["id"]
                .to_numpy()
            ),
        )


_PROBES = (8, 16, 32, 64, 128, 256)
_EVERYTHING = 100_000_000

SYSTEMS = {
    system.name: system
    for system in (
        System("two-level, fast", "faiss", "two-level", _two_level_build,
               _two_level_searches("fast", (64, 128)), _EVERYTHING),
        System("two-level, thorough", "faiss", "two-level", _two_level_build,
               _two_level_searches("thorough", (64,)), _EVERYTHING),
        System("FAISS Flat", "faiss", "faiss-flat", _faiss_build("Flat"),
               _faiss_searches("", (0,))),
        System("FAISS SQ8", "faiss", "faiss-sq8", _faiss_build("SQ8"),
               _faiss_searches("", (0,))),
        System("FAISS IVF4096,SQ8", "faiss", "faiss-ivf-sq8", _faiss_build("IVF4096,SQ8"),
               _faiss_searches("nprobe", _PROBES)),
        System("FAISS IVF4096,PQ64 + refine", "faiss", "faiss-ivf-pq-refine",
               _faiss_build("IVF4096,PQ64,RFlat"), _faiss_searches("nprobe", _PROBES)),
        System("FAISS HNSW32", "faiss", "faiss-hnsw", _faiss_build("HNSW32"),
               _faiss_searches("efSearch", (32, 64, 128, 256, 512))),
        System("hnswlib M 16", "hnswlib", "hnswlib", _hnswlib_build, _hnswlib_searches),
        System("usearch i8", "usearch", "usearch", _usearch_build, _usearch_searches),
        System("LanceDB IVF_PQ", "lancedb", "lancedb", _lance_build, _lance_searches),
    )
}  # fmt: skip


def use_threads(count: int) -> None:
    """Have FAISS search one query with so many threads."""
    with suppress(ImportError):
        import faiss

        faiss.omp_set_num_threads(count)
