"""`python -m benchmarks.documents.memory --pages 300,1500`: does memory grow with the pages?

A long PDF is cut to so many pages (repeated where it has fewer) and ingested with everything on,
each time into a fresh library; the peak is the largest sum of the proportional sizes of all
processes. --pdfs names a folder with the unpacked Debian package lilypond-doc-pdf (or any PDFs: the
one with the most bytes is taken).
"""

# mypy: allow-untyped-calls

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pymupdf

from benchmarks.memory import Finished, run_measured

_BYTES_PER_MEGABYTE = 1_000_000
_SHOWN_PROCESSES = 6


def cut_to(source: Path, pages: int, target: Path) -> None:
    """Write the first pages of a PDF, begun again as often as needed."""
    with pymupdf.open(source) as whole, pymupdf.open() as document:
        while len(document) < pages:
            last = min(len(whole), pages - len(document)) - 1
            document.insert_pdf(whole, to_page=last, links=False, annots=False)
        document.save(target, garbage=1)


def memory_table(source: Path, counts: Sequence[int]) -> Iterator[str]:
    """Markdown: the peak for each number of pages, and the ratio of the last to the first."""
    runs = [(pages, _ingested(source, pages)) for pages in counts]
    yield f"| pages of {source.name} | peak, all processes | CPU | pages/s of CPU | took |"
    yield "|---|---|---|---|---|"
    for pages, run in runs:
        yield (
            f"| {pages:,} | {_megabytes(run.peak_pss_bytes)} | {run.cpu_s:.0f} s "
            f"| {pages / run.cpu_s:.1f} | {run.took_s:.0f} s |"
        )
    (fewest, first), (most, last) = runs[0], runs[-1]
    ratio = last.peak_pss_bytes / first.peak_pss_bytes
    yield f"\nPeak of {most:,} pages over that of {fewest:,}: {ratio:.2f}"
    for pages, run in runs:
        yield f"\nThe peak of {pages:,} pages, process by process:"
        largest = sorted(run.pss_bytes_at_peak.items(), key=lambda each: -each[1])
        for title, size_bytes in largest[:_SHOWN_PROCESSES]:
            yield f"{_megabytes(size_bytes):>9}  {title[:80]}"


def longest_pdf(folder: Path) -> Path:
    """The PDF with the most bytes below a folder. Raises SystemExit when there is none."""
    found = sorted(folder.rglob("*.pdf"), key=lambda path: path.stat().st_size)
    if not found:
        raise SystemExit(f"--pdfs: no PDF in {folder}")
    return found[-1]


def _ingested(source: Path, pages: int) -> Finished:
    with tempfile.TemporaryDirectory(prefix="secondsight-bench-") as folder:
        file = Path(folder) / f"{pages}.pdf"
        cut_to(source, pages, file)
        library = str(Path(folder) / "library")
        command = ["-m", "secondsight", "ingest", "--json", "-L", library, str(file)]
        finished = run_measured([sys.executable, *command])
        (told,) = json.loads(finished.stdout)["sources"]
        if told["outcome"] != "added" or told["pages"] != pages:
            raise SystemExit(f"{file} was not added: {told}")
    return finished


def _megabytes(size_bytes: float) -> str:
    return f"{size_bytes / _BYTES_PER_MEGABYTE:,.0f} MB"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pdfs", type=Path, required=True, help="folder with PDFs")
    parser.add_argument("--pages", default="300,1500", help="numbers of pages, by commas")
    options = parser.parse_args()
    counts = [int(count) for count in options.pages.split(",")]
    for line in memory_table(longest_pdf(options.pdfs), counts):
        print(line, flush=True)


if __name__ == "__main__":
    main()
