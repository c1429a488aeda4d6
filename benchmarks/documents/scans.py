"""`python -m benchmarks.documents.scans --pdfs FOLDER`: how well scans are read, and how fast.

Real text pages are rendered as a scanner sees them (200 dpi, JPEG), upright, turned, skewed and
worn, put into a PDF as pictures, and read as ingest reads them. The truth is the text layer of the
page itself.

Character error is the edit distance (Levenshtein) of the whole page's text to the truth, as a
share of the true characters: words in another order than in the file count as errors, so the
tables and listings of a page count, too. Order-free, words are paired wherever they stand, equal
ones first, then the most alike; what is left over counts in full. Ligatures, quotes and white
space are compared alike.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pymupdf
from PIL import Image, ImageFilter

from ingest.mupdf.opening import probe_document
from ingest.mupdf.reading import read_pages
from ingest.mupdf.rendering import render_page
from ingest.pages import TextBlock
from ingest.scans import with_scan
from ingest.screen_text import ScreenTextReader
from ingest.settings import DocumentSettings, ScreenTextSettings

SCANNED_DPI = 200
JPEG_QUALITY = 70
LEAST_LETTERS = 1000
LEAST_PAGES = 20
UNPRINTED = ("Cc", "Cn", "Co", "So")
ALIKE = str.maketrans("‘’“”′–—−", "''\"\"'---")
Picture = Image.Image


def _askew(picture: Picture, clockwise_deg: float) -> Picture:
    is_quarter = clockwise_deg % 90 == 0
    return picture.rotate(
        -clockwise_deg, Image.Resampling.BICUBIC, expand=is_quarter, fillcolor="white"
    )


def _worn(picture: Picture) -> Picture:
    """Faint letters on grey paper, a little out of focus, with noise and a shadow at one side."""
    blurred = np.asarray(picture.convert("L").filter(ImageFilter.GaussianBlur(0.8)), np.float32)
    levels = blurred / 255 * 110 + 95 - np.linspace(0, 40, blurred.shape[1])[np.newaxis]
    levels += np.random.default_rng(5).normal(0, 10, levels.shape)
    return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8)).convert("RGB")


CONDITIONS: dict[str, Callable[[Picture], Picture]] = {
    "upright": lambda picture: picture,
    "turned by 90°": lambda picture: _askew(picture, 90),
    "turned by 180°": lambda picture: _askew(picture, 180),
    "turned by 270°": lambda picture: _askew(picture, 270),
    "skewed by 3°": lambda picture: _askew(picture, 3),
    "faint, grey, noisy": _worn,
}


@dataclass(frozen=True, slots=True)
class TruePage:
    """A text page and what is printed on it."""

    picture: Picture
    text: str


@dataclass(frozen=True, slots=True)
class PageScore:
    """One page read under one condition. Shares of the true characters or words."""

    character_error: float
    order_free_error: float
    words_found: float
    cpu_s: float
    wall_s: float


def edit_distance(one: str, other: str) -> int:
    """Levenshtein distance: the least letters to insert, delete or change."""
    if not one or not other:
        return max(len(one), len(other))
    letters = np.frombuffer(other.encode("utf-32-le"), np.uint32)
    steps = np.arange(len(other) + 1)
    row = steps.copy()
    for count, letter in enumerate(one, start=1):
        changed = row[:-1] + (letters != ord(letter))
        below = np.minimum(row[1:] + 1, changed)
        # Insertions: the least of all cells to the left, each one step dearer.
        row = np.minimum.accumulate(np.concatenate(([count], below)) - steps) + steps
    return int(row[-1])


def order_free_distance(read: Sequence[str], true: Sequence[str]) -> int:
    """Letters to insert, delete or change when words are paired wherever they stand."""
    read_left, true_left = Counter(read) - Counter(true), Counter(true) - Counter(read)
    left = list(read_left.elements())
    total = 0
    for word in sorted(true_left.elements(), key=len, reverse=True):
        distances = [(edit_distance(word, other), at) for at, other in enumerate(left)]
        distance, at = min(distances, default=(len(word), -1))
        if distance < len(word):
            total += distance
            left.pop(at)
        else:
            total += len(word)
    return total + sum(map(len, left))


def plain(text: str) -> str:
    """Text in which only what is printed differs."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(ALIKE).split())


def _pages_of(folder: Path, count: int) -> Iterator[TruePage]:
    """So many text pages, spread over the PDFs of a folder and chosen alike each time."""
    paths = [
        path
        for path in sorted(folder.rglob("*.pdf"))
        if len(_opened(path)) >= LEAST_PAGES and path.is_file()
    ]
    if not paths:
        raise SystemExit(f"no PDF of {LEAST_PAGES} pages or more under {folder}")
    choice = random.Random(1)
    found = 0
    while found < count:
        document = _opened(paths[found % len(paths)])
        for _ in range(50):
            page = document[choice.randrange(len(document))]
            text = plain(page.get_text())
            unknown = any(
                unicodedata.category(letter) in ("Cc", "Cn", "Co", "So") for letter in text
            )
            if sum(map(str.isalnum, text)) >= LEAST_LETTERS and not unknown:
                break
        pixels = page.get_pixmap(dpi=SCANNED_DPI)
        yield TruePage(Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples), text)
        found += 1


def _opened(path: Path) -> Any:
    return pymupdf.open(path)


def _scan_pdf(picture: Picture, path: Path) -> None:
    written = BytesIO()
    picture.save(written, "JPEG", quality=JPEG_QUALITY)
    width, height = (side * 72 / SCANNED_DPI for side in picture.size)
    document = pymupdf.open()
    page = document.new_page(width=width, height=height)
    page.insert_image(page.rect, stream=written.getvalue())
    document.save(path)


def score(true: TruePage, picture: Picture, reader: ScreenTextReader, folder: Path) -> PageScore:
    """Read a scan as ingest does, and compare."""
    path = folder / "scan.pdf"
    _scan_pdf(picture, path)
    settings = DocumentSettings()
    info = probe_document(str(path))
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    (page,) = read_pages(str(path), info, 1, 1, settings, pictures=False)
    image, dpi = render_page(str(path), 1, settings.scan_dpi)
    content = with_scan(page, reader.read_page(image), dpi)
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    read = plain(" ".join(item.text for item in content.items if isinstance(item, TextBlock)))
    words, true_words = read.split(), true.text.split()
    found = sum((Counter(words) & Counter(true_words)).values())
    letters = len("".join(true_words))
    return PageScore(
        edit_distance(read, true.text) / len(true.text),
        order_free_distance(words, true_words) / letters,
        found / len(true_words),
        cpu_s,
        wall_s,
    )


def table(folder: Path, pages: int) -> str:
    """Markdown: every condition over the same pages."""
    reader = ScreenTextReader(ScreenTextSettings())
    chosen = list(_pages_of(folder, pages))
    rows = [
        "| scan | character error, median | mean | order-free, mean | words found "
        "| CPU s a page | wall s a page |",
        "|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as scratch:
        score(chosen[0], chosen[0].picture, reader, Path(scratch))  # Models are loaded by then.
        for name, made in CONDITIONS.items():
            scores = [score(true, made(true.picture), reader, Path(scratch)) for true in chosen]
            errors = [one.character_error for one in scores]
            rows.append(
                f"| {name} | {statistics.median(errors):.2%} | {statistics.mean(errors):.2%} "
                f"| {statistics.mean(one.order_free_error for one in scores):.2%} "
                f"| {statistics.mean(one.words_found for one in scores):.1%} "
                f"| {statistics.mean(one.cpu_s for one in scores):.2f} "
                f"| {statistics.mean(one.wall_s for one in scores):.2f} |"
            )
    letters = sum(len(true.text) for true in chosen)
    return "\n".join([f"{len(chosen)} pages, {letters} characters", "", *rows])


def main() -> None:
    """Parse arguments and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.documents.scans")
    parser.add_argument(
        "--pdfs",
        type=Path,
        required=True,
        help="folder of PDFs with text, for example the unpacked Debian packages "
        "c++-annotations-pdf and lilypond-doc-pdf (apt-get download, dpkg -x)",
    )
    parser.add_argument("--pages", type=int, default=8)
    arguments = parser.parse_args()
    print(table(arguments.pdfs, arguments.pages))


if __name__ == "__main__":
    main()
