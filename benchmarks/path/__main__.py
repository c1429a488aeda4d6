"""`python -m benchmarks.path [FILES]`: ingest once, search many times, print the figures.

Without files the sample media are taken. Figures are of this machine at this moment; compare them
only with figures of the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.memory import Finished, run_measured
from index.embedders import open_embedder
from index.snapshot import Snapshot
from secondsight.library import Library

MEDIA = Path(__file__).parents[2] / "tests" / "media"
SAMPLES = (MEDIA / "halden_talk.mp4", MEDIA / "halden_manual.pdf")
QUERIES = (
    "how does the tide gauge measure the water level",
    "storm surge",
    "serial number of the transmitter",
    "calibrate the float",
    "battery replacement",
    "a cat",
)
ROUNDS = 40
BYTES_PER_MEGABYTE = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, default=list(SAMPLES))
    files = parser.parse_args().files
    console = Console()
    console.print(
        f"{os.cpu_count()} CPU cores, {platform.machine()}, Python {platform.python_version()}"
    )
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch) / "library"
        command = [sys.executable, "-m", "secondsight", "ingest", "--json", "-L", str(directory)]
        finished = run_measured([*command, *map(str, files)])
        print_ingest(console, finished)
        print_search(console, directory)


def print_ingest(console: Console, finished: Finished) -> None:
    """Seconds and x realtime of each stage, and of the whole run."""
    sources: list[dict[str, Any]] = json.loads(finished.stdout)["sources"]
    video_s = sum(source["duration_s"] or 0.0 for source in sources)
    pages = sum(source["pages"] or 0 for source in sources)
    table = Table("stage", "work, s", "x realtime", "pages/s", title="ingest")
    for kind, length in (("duration_s", video_s), ("pages", pages)):
        stages: dict[str, float] = {}
        for source in sources:
            if source[kind] is not None:
                for stage, took_s in source["stages_s"].items():
                    stages[stage] = stages.get(stage, 0.0) + took_s
        for stage, took_s in stages.items():
            rate = f"{length / took_s:.1f}" if took_s else "-"
            columns = (rate, "") if kind == "duration_s" else ("", rate)
            table.add_row(
                f"{'video' if columns[0] else 'document'}: {stage}", f"{took_s:.2f}", *columns
            )
    table.add_section()
    table.add_row(
        "all, process start to exit",
        f"{finished.took_s:.2f}",
        f"{video_s / finished.took_s:.1f}",
        "",
    )
    console.print(table)
    console.print(
        f"peak memory of all processes: {finished.peak_rss_bytes / BYTES_PER_MEGABYTE:.0f} MB RSS, "
        f"{finished.peak_pss_bytes / BYTES_PER_MEGABYTE:.0f} MB PSS"
    )


def print_search(console: Console, directory: Path) -> None:
    """p50 and p99 of a search, with and without turning the question into a vector."""
    started = time.perf_counter()
    snapshot = Snapshot.open(directory)
    open_ms = (time.perf_counter() - started) * 1000
    library = Library.open(directory)
    library.search(QUERIES[0])
    with_encoding, without_encoding = [], []
    for _ in range(ROUNDS):
        for query in QUERIES:
            result = library.search(query)
            with_encoding.append(result.took_ms)
            without_encoding.append(result.took_ms - result.steps_ms["embed"])
    embedder = open_embedder(library.settings.index.embedder)
    vector = embedder.embed_queries([QUERIES[0]])[0]
    vectors_only = []
    for _ in range(ROUNDS * len(QUERIES)):
        started = time.perf_counter()
        snapshot.search_vectors(vector, 10, mode="thorough")
        vectors_only.append((time.perf_counter() - started) * 1000)
    table = Table("search", "p50, ms", "p99, ms", title=f"{snapshot.num_moments} moments")
    for name, times_ms in (
        ("whole search, with query encoding", with_encoding),
        ("whole search, without query encoding", without_encoding),
        ("vectors only", vectors_only),
    ):
        p50, p99 = np.percentile(times_ms, [50, 99])
        table.add_row(name, f"{p50:.2f}", f"{p99:.2f}")
    console.print(table)
    console.print(f"opening the library: {open_ms:.1f} ms")


if __name__ == "__main__":
    main()
