"""Read long PDFs: speed of every step, word boxes and reading order against a second reader.

    python -m benchmarks.documents --pdfs FOLDER

Beside it: benchmarks.documents.scans (text recognition), .memory (peak over numbers of pages),
.broken (hostile and damaged files) and .link (slides and talk).

Put into FOLDER what Debian packages hold (apt-get download NAME; dpkg -x FILE FOLDER):
c++-annotations-pdf, lilypond-doc-pdf (and -de, -fr), debian-reference-ja, debian-reference-zh-cn,
r-doc-pdf, why3-doc-pdf. The largest PDFs are read, one of each file name. Needs poppler's
`pdftotext`.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from benchmarks.documents.places import Agreement, agreement, our_words, poppler_words
from benchmarks.documents.speed import STEPS, Sample, sample


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pdfs", type=Path, required=True, help="folder searched for PDFs")
    parser.add_argument("--files", type=int, default=12, help="how many of the largest")
    parser.add_argument("--ranges", type=int, default=5, help="ranges of pages of each file")
    parser.add_argument("--length", type=int, default=24, help="pages of a range")
    given = parser.parse_args()
    started = time.perf_counter()
    samples = [
        (path, sample(str(path), given.ranges, given.length))
        for path in largest_pdfs(given.pdfs, given.files)
    ]
    print(f"{os.cpu_count()} CPU cores, load {os.getloadavg()[0]:.1f}\n")
    print(speed_table(samples), end="\n\n")
    print(places_table(samples))
    print(f"\n{time.perf_counter() - started:.0f} s")


def largest_pdfs(folder: Path, count: int) -> list[Path]:
    """The PDFs of the most bytes, largest first, one of each name."""
    by_size = sorted(folder.rglob("*.pdf"), key=lambda path: (-path.stat().st_size, path.name))
    by_name: dict[str, Path] = {}
    for path in by_size:
        by_name.setdefault(path.name, path)
    return list(by_name.values())[:count]


def speed_table(samples: list[tuple[Path, Sample]]) -> str:
    """Pages of one CPU second."""
    rows = [
        "Pages of one CPU second. The limits are PyMuPDF's `Page.get_text()`, which gives text",
        'without places, and `Page.get_text("words")`, words with boxes; "our text" has lines,',
        "sizes, pictures' boxes and words with boxes.",
        "",
        "| document | pages (read) | get_text() | of it | words | of it | our text | read "
        "| with pictures | compose |",
        "| --- " + "| ---: " * 9 + "|",
    ]
    rows.extend(_speed_row(path.name, [each]) for path, each in samples)
    return "\n".join(
        [*rows, _speed_row("all: sum of pages / sum of time", [s for _, s in samples])]
    )


def _speed_row(name: str, samples: list[Sample]) -> str:
    read = sum(each.pages for each in samples)
    per_s = {step: read / sum(each.cpu_s[step] for each in samples) for step in STEPS}
    plain, words, text, read_s, render, compose = (f"{per_s[step]:,.0f}" for step in STEPS)
    of_plain, of_words = (f"{per_s['text'] / per_s[step]:.0%}" for step in STEPS[:2])
    pages = sum(each.info.pages for each in samples)
    return (
        f"| {name} | {pages:,} ({read}) | {plain} | {of_plain} "
        f"| {words} | {of_words} | {text} | {read_s} | {render} | {compose} |"
    )


def places_table(samples: list[tuple[Path, Sample]]) -> str:
    """Agreement with poppler; see `places` for the rules."""
    rows = [
        "Words against poppler's `pdftotext -bbox`. Leader dots are cut from poppler's words;",
        "words that touch are one where only this makes the letters equal (parted otherwise).",
        "",
        "| document | words | same word within 2 pt | parted otherwise | together "
        "| in one place, other letters | with unknown letters "
        "| neighbours in its order | all pairs |",
        "| --- " + "| ---: " * 8 + "|",
    ]
    total = Agreement()
    for path, each in samples:
        found = _agreement_of(path, each)
        total += found
        rows.append(_places_row(path.name, found))
    return "\n".join([*rows, _places_row("all", total)])


def _agreement_of(path: Path, read: Sample) -> Agreement:
    found = Agreement()
    for first, last in read.ranges:
        theirs = poppler_words(str(path), first, last)
        for number, words in enumerate(theirs, start=first):
            here = [moment for moment in read.moments if moment.area.page == number]
            found += agreement(our_words(here), words)
    return found


def _places_row(name: str, found: Agreement) -> str:
    def share(part: int, whole: int) -> str:
        return f"{part / whole:.2%}" if whole else "-"

    return (
        f"| {name} | {found.words:,} | {share(found.equal, found.words)} "
        f"| {share(found.parted_otherwise, found.words)} "
        f"| {share(found.equal + found.parted_otherwise, found.words)} "
        f"| {share(found.other_letters, found.words)} "
        f"| {share(found.unknown_letters, found.words)} "
        f"| {share(found.neighbours_in_order, found.neighbours)} "
        f"| {share(found.pairs_in_order, found.pairs)} |"
    )


if __name__ == "__main__":
    main()
