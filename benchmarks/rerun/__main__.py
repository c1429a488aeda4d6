"""`python -m benchmarks.rerun [--files N]`: the same archive ingested twice, the second run timed.

The files are one-page PDFs of different content. The second run has nothing to do but to find
that out; the promise is under 5 s for 1,000 files.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pymupdf

RUNS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    count = parser.parse_args().files
    print(f"{os.cpu_count()} CPU cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "files"
        make_files(folder, count)
        library = Path(scratch) / "library"
        first_s, outcomes = ingest(library, folder)
        assert outcomes == {"added": count}, outcomes
        print(f"first run:  {count} files in {first_s:.1f} s")
        for _ in range(RUNS):
            again_s, outcomes = ingest(library, folder)
            assert outcomes == {"unchanged": count}, outcomes
            print(f"second run: {count} files in {again_s:.2f} s, process start to exit")


def make_files(folder: Path, count: int) -> None:
    """Write one-page PDFs, each with a sentence of its own."""
    folder.mkdir()
    for number in range(count):
        with pymupdf.open() as document:
            page = document.new_page()
            page.insert_text((72, 100), f"Report {number}: the gauge stood at {number} mm.")
            document.save(folder / f"report{number:05d}.pdf")


def ingest(library: Path, folder: Path) -> tuple[float, dict[str, int]]:
    """Seconds of one run of the command line, and how many files ended how."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "secondsight", "ingest", "--json", "-L", str(library)]
    done = subprocess.run(
        [*command, str(folder)], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    took_s = time.perf_counter() - started
    sources: list[dict[str, Any]] = json.loads(done.stdout)["sources"]
    outcomes: dict[str, int] = {}
    for source in sources:
        outcomes[source["outcome"]] = outcomes.get(source["outcome"], 0) + 1
    return took_s, outcomes


if __name__ == "__main__":
    main()
