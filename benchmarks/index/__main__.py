"""`python -m benchmarks.index [--moments N] [--dims D] [--data FOLDER] [--systems NAME ...]`.

The two-level index beside others on the same moments, questions and threads, one after another in
one run, each in a process of its own. Rivals need `pip install usearch hnswlib lancedb`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.index.data import describe, key_of, open_data, write_synthetic
from benchmarks.index.systems import SYSTEMS

_COLUMNS = (
    "| system | hit / needle | recall@10 / needle | p50 / p99 | queries/s, 2 threads "
    "| bytes a moment | build | open | resident: own + mapped |\n" + "|---" * 9 + "|"
)
_WITHIN = 0.01


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=1_000_000)
    parser.add_argument("--dims", type=int, default=384)
    parser.add_argument("--data", type=Path, help="a folder written by benchmarks.index.text")
    parser.add_argument("--systems", nargs="*", default=list(SYSTEMS), choices=list(SYSTEMS))
    parser.add_argument("--indexes", type=Path, help="keep indexes here, and use those there are")
    parser.add_argument("--build-only", action="store_true", help="with --indexes: measure later")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="secondsight-bench-") as scratch:
        indexes = arguments.indexes or Path(scratch) / "indexes"
        folder = arguments.data
        if folder is None:
            folder = Path(scratch) / "data"
            write_synthetic(folder, arguments.moments, arguments.dims)
        count = len(open_data(folder).moments)
        print(f"{describe(folder)}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
        print(_COLUMNS)
        exact: float | None = None
        for name in arguments.systems:
            missing = importlib.util.find_spec(SYSTEMS[name].package) is None
            if missing or count > SYSTEMS[name].most_moments:
                why = f"{SYSTEMS[name].package} is not installed" if missing else "too many moments"
                print(f"| {name} | left out: {why} |", flush=True)
                continue
            built = indexes / key_of(folder) / SYSTEMS[name].index
            build_s = _build(name, folder, built)
            if arguments.build_only:
                print(f"| {name} | built in {build_s:.1f} s |", flush=True)
                continue
            told = _run(name, folder, built)
            for row in _chosen(told["measured"], exact):
                print(_row(name, row, told["size_bytes"] / count, build_s), flush=True)
            if name == "FAISS Flat":
                exact = told["measured"][0]["hit"]


def _build(name: str, data: Path, built: Path) -> float:
    """Seconds that building took, now or when it was done."""
    took = built.with_suffix(".build_s")
    if not took.exists():
        shutil.rmtree(built, ignore_errors=True)
        took.parent.mkdir(parents=True, exist_ok=True)
        took.write_text(str(_run(name, data, built)["build_s"]))
    return float(took.read_text())


def _run(name: str, data: Path, built: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.index.measure", name, str(data), str(built)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _chosen(rows: list[dict[str, Any]], exact: float | None) -> list[dict[str, Any]]:
    """Of ours every setting; of a rival the cheapest that finds as much, else the one with most."""
    if exact is None:
        return rows
    enough = [row for row in rows if row["hit"] >= exact - _WITHIN]
    return [enough[0] if enough else max(rows, key=lambda row: float(row["hit"]))]


def _row(name: str, row: dict[str, Any], bytes_each: float, build_s: float) -> str:
    cells = (
        f"{name}{': ' if row['setting'] else ''}{row['setting']}",
        f"{row['hit']:.3f} / {row['hit_needle']:.3f}",
        f"{row['recall']:.3f} / {row['recall_needle']:.3f}",
        f"{row['p50_ms']:.2f} / {row['p99_ms']:.2f} ms",
        f"{row['queries_per_s']:,.0f}",
        f"{bytes_each:,.0f}",
        f"{build_s:.1f} s",
        f"{row['open_s']:.2f} s",
        f"{row['own_bytes'] / 1e6:,.0f} + {row['mapped_bytes'] / 1e6:,.0f} MB",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
