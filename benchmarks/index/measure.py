"""One system measured in a process of its own: `python -m benchmarks.index.measure`."""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil

from benchmarks.index.data import QUESTIONS, Data, open_data
from benchmarks.index.systems import SYSTEMS, Search, use_threads

THREADS = 2
_WARM_UP = 50


@dataclass(frozen=True, slots=True)
class Measured:
    """A system at one setting."""

    setting: str
    hit: float
    """Share of the normal questions whose moment is among the ten found."""
    hit_needle: float
    recall: float
    """Share of the exact ten best that are among the ten found."""
    recall_needle: float
    p50_ms: float
    p99_ms: float
    """One thread, one question at a time."""
    queries_per_s: float
    """THREADS threads, one question at a time each."""
    open_s: float
    own_bytes: int
    """Resident after all questions and the process's own, without what it held before them."""
    mapped_bytes: int
    """Resident pages of mapped files: the kernel takes them back when memory is short."""


def measure(system: str, folder: Path, built: Path) -> list[Measured]:
    """Every setting of a system's search."""
    data = open_data(folder)
    use_threads(1)
    process = psutil.Process()
    before = process.memory_info()
    started = time.perf_counter()
    measured = []
    for setting, search in SYSTEMS[system].searches(built, data):
        search(data.queries[0])
        open_s = time.perf_counter() - started
        found, took_s = _ask(search, data)
        now = process.memory_info()
        mapped = now.shared - before.shared
        own = now.rss - before.rss - mapped
        half = QUESTIONS // 2
        hits = (found == data.targets[:, None]).any(axis=1)
        recalls = [
            len(set(row.tolist()) & set(best.tolist())) / len(best)
            for row, best in zip(found, data.truth, strict=True)
        ]
        measured.append(
            Measured(
                setting=setting,
                hit=float(hits[:half].mean()),
                hit_needle=float(hits[half:].mean()),
                recall=float(np.mean(recalls[:half])),
                recall_needle=float(np.mean(recalls[half:])),
                p50_ms=float(np.percentile(took_s, 50)) * 1000,
                p99_ms=float(np.percentile(took_s, 99)) * 1000,
                queries_per_s=_throughput(search, data),
                open_s=open_s,
                own_bytes=own,
                mapped_bytes=mapped,
            )
        )
        started = time.perf_counter()
    return measured


def _ask(search: Search, data: Data) -> tuple[np.ndarray, list[float]]:
    for query in data.queries[:_WARM_UP]:
        search(query)
    found = np.full((len(data.queries), data.truth.shape[1]), -1, dtype=np.int64)
    took_s = []
    for number, query in enumerate(data.queries):
        began = time.perf_counter()
        ids = search(query)
        took_s.append(time.perf_counter() - began)
        found[number, : len(ids)] = ids
    return found, took_s


def _throughput(search: Search, data: Data) -> float:
    def ask(queries: np.ndarray) -> None:
        for query in queries:
            search(query)

    threads = [
        threading.Thread(target=ask, args=(data.queries[number::THREADS],))
        for number in range(THREADS)
    ]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(data.queries) / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("data", type=Path)
    parser.add_argument("built", type=Path)
    arguments = parser.parse_args()
    system = SYSTEMS[arguments.system]
    build_s = None
    if not arguments.built.exists():
        arguments.built.mkdir(parents=True)
        began = time.perf_counter()
        system.build(open_data(arguments.data), arguments.built)
        build_s = time.perf_counter() - began
        print(json.dumps({"build_s": build_s}))
        return
    size_bytes = sum(path.stat().st_size for path in arguments.built.rglob("*") if path.is_file())
    rows = [asdict(one) for one in measure(arguments.system, arguments.data, arguments.built)]
    print(json.dumps({"size_bytes": size_bytes, "measured": rows}))


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    main()
