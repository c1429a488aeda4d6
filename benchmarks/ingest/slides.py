"""Slides: the upper part of real PDF pages, with the sentences on it for the narrator.

Pages are taken from all documents in turn, in their order, so that a longer lecture begins with
the slides of a shorter one and shows none twice.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pymupdf

WIDTH_PX, HEIGHT_PX = 1280, 720
PACKAGES = ("c++-annotations-pdf", "lilypond-doc-pdf")
"""Debian packages with the documents below; together they hold about 3,500 pages."""
DOCUMENTS = (
    "c++-annotations/cplusplus.pdf",
    "lilypond/html/Documentation/notation.pdf",
    "lilypond/html/Documentation/internals.pdf",
    "lilypond/html/Documentation/learning.pdf",
    "lilypond/html/Documentation/contributor.pdf",
    "lilypond/html/Documentation/music-glossary.pdf",
    "lilypond/html/Documentation/usage.pdf",
    "lilypond/html/Documentation/extending.pdf",
    "lilypond/html/Documentation/essay.pdf",
)
MARGIN_PT = 20.0
MIN_WORDS = 40
"""A page whose upper part says less makes no slide: title pages, pages of music."""
MIN_SENTENCES = 2

Image = npt.NDArray[np.uint8]

_SENTENCE_WORDS = range(5, 36)
_SENTENCE_END = re.compile(r"(?<=[a-z)\]][.!?])\s+(?=[A-Z])")
_PLAIN_WORD = re.compile(r"[(\"'“‘]?[A-Za-z][A-Za-z'’-]*[)\"'”’]?[,.;:!?)]*")
_ACCENTED_WORD = re.compile(
    r"[(\"'“‘„»]?[^\W\d_][^\W\d_'’-]*(?:['’-][^\W\d_]+)*[)\"'”’«]?[,.;:!?)]*"
)
_ACCENTED_END = re.compile(r"(?<=[^\W\d_A-Z)\]][.!?])\s+(?=[A-ZÄÖÜÀÉÈÊ])")
_PLAIN_SHARE = 0.9
_LOOSE_ACCENT = re.compile(r"([\u00a8\u00b4`])\s?([A-Za-z])")
"""TeX's older fonts print an accent before its letter."""
_ACCENTS = {"\u00a8": "\u0308", "\u00b4": "\u0301", "`": "\u0300"}


@dataclass(frozen=True, slots=True)
class Slide:
    """What is shown and what can be said about it."""

    document: str
    page: int
    """Counted from 1."""
    image: Image = field(repr=False)
    """uint8, 720 x 1280 x 3 (RGB)."""
    words: int
    """Words that are to be read on it."""
    sentences: tuple[str, ...]


def find_documents(folders: Sequence[Path]) -> list[Path]:
    """The documents of `PACKAGES`, from folders into which these were installed or unpacked.

    Raises SystemExit with the commands that bring them when one is missing.
    """
    found: list[Path] = []
    for name in DOCUMENTS:
        places = [folder / part for folder in folders for part in (name, f"usr/share/doc/{name}")]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise SystemExit(
                f"no {name} in {' or '.join(map(str, folders))}. The slides are made from PDFs of "
                f"Debian packages; to unpack them without installing:\n"
                f"  apt-get download {' '.join(PACKAGES)}\n"
                f"  for package in *.deb; do dpkg -x $package {folders[0]}; done\n"
                "or give long PDFs of your own: --pdfs FILE FILE ..."
            )
        found.append(path)
    return found


def find_unpacked(folder: Path, names: Iterable[str], packages: Sequence[str]) -> dict[str, Path]:
    """Documents of unpacked Debian packages, anywhere below a folder, by name.

    Raises SystemExit with the commands that bring them when one is missing.
    """
    found: dict[str, Path] = {}
    for name in names:
        path = next(iter(sorted(folder.rglob(name))), None)
        if path is None:
            raise SystemExit(
                f"there is no {name} under {folder}; to unpack the Debian packages there:\n"
                f"  apt-get download {' '.join(packages)}\n"
                f"  for package in *.deb; do dpkg -x $package {folder}; done"
            )
        found[name] = path
    return found


def slides(documents: Sequence[Path]) -> Iterator[Slide]:
    """Slides from all documents in turn, as long as there are pages that make one."""
    sources = [slides_of(path) for path in documents]
    while sources:
        for source in list(sources):
            slide = next(source, None)
            if slide is None:
                sources.remove(source)
            else:
                yield slide


def slides_of(path: Path, *, first_page: int = 1, accents: bool = False) -> Iterator[Slide]:
    """Slides of one document in its order, from a page on, counted from 1.

    `accents`: letters beyond a to z make plain words, as languages other than English have them.
    """
    with pymupdf.open(path) as document:
        for number in range(first_page - 1, len(document)):
            slide = _slide(path.name, document[number], accents)
            if slide is not None:
                yield slide


def _slide(document: str, page: pymupdf.Page, accents: bool) -> Slide | None:
    blocks = [block for block in page.get_text("blocks") if block[6] == 0]
    if not blocks:
        return None
    left = min(block[0] for block in blocks) - MARGIN_PT
    right = max(block[2] for block in blocks) + MARGIN_PT
    top = min(block[1] for block in blocks) - MARGIN_PT
    height = (right - left) * HEIGHT_PX / WIDTH_PX
    area = pymupdf.Rect(left, top, right, top + height)
    if not page.rect.contains(area):
        return None
    shown = [block[4] for block in blocks if block[3] <= area.y1]
    sentences = tuple(sentence for text in shown for sentence in spoken_sentences(text, accents))
    words = sum(area.contains(pymupdf.Rect(word[:4])) for word in page.get_text("words"))
    if words < MIN_WORDS or len(sentences) < MIN_SENTENCES:
        return None
    return Slide(document, page.number + 1, _picture(page, area), words, sentences)


def spoken_sentences(text: str, accents: bool = False) -> list[str]:
    """Sentences of a paragraph that a narrator can read: plain words, no code, no formulas.

    `accents` as in `slides_of`.
    """
    if accents:
        text = _LOOSE_ACCENT.sub(lambda found: found[2] + _ACCENTS[found[1]], text)
    joined = re.sub(r"(?<=\w)-\n(?=[a-z])", "", unicodedata.normalize("NFKC", text))
    ends = _ACCENTED_END if accents else _SENTENCE_END
    word = _ACCENTED_WORD if accents else _PLAIN_WORD
    sentences = ends.split(" ".join(joined.split()))
    return [sentence for sentence in sentences if _can_be_read_out(sentence, word)]


def _can_be_read_out(sentence: str, plain_word: re.Pattern[str]) -> bool:
    words = sentence.split()
    if len(words) not in _SENTENCE_WORDS or not sentence[0].isupper() or sentence[-1] not in ".!?":
        return False
    if sentence.count(":") > 1:
        return False  # a list of translations or keys
    plain = sum(plain_word.fullmatch(word) is not None for word in words)
    return plain >= _PLAIN_SHARE * len(words)


def _picture(page: pymupdf.Page, area: pymupdf.Rect) -> Image:
    zoom = WIDTH_PX / area.width
    pixels = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), clip=area, alpha=False)
    image = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width, 3)
    # Rounding makes it a pixel larger or smaller than the slide.
    whole = np.full((HEIGHT_PX, WIDTH_PX, 3), 255, np.uint8)
    height_px, width_px = min(HEIGHT_PX, pixels.height), min(WIDTH_PX, pixels.width)
    whole[:height_px, :width_px] = image[:height_px, :width_px]
    return whole
