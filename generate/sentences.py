"""Evidence is cut into what can be quoted: sentences, table rows, lines on the screen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from generate.evidence import Evidence
from index.records import MomentKind, PageArea, Span
from retrieve.places import place_of_text
from retrieve.telling import sentence_borders, text_blocks

_CELL_BORDER = re.compile(r"(?<!\\)\|")
_MAX_SCREEN_WORDS = 30
_MIN_ROW_WORDS = 3


@dataclass(frozen=True, slots=True)
class Sentence:
    """A quotable piece of one evidence."""

    evidence: Evidence
    quote: str
    """Verbatim from the evidence's text."""
    text: str
    """The same for readers: table rows with their column names, lines joined."""
    place: Span | PageArea
    heading: str
    """What it stands under: headings of a document, the title of a slide."""


def split_evidence(evidence: Evidence) -> list[Sentence]:
    """Cut an evidence's text into quotable sentences, in order."""
    if evidence.kind is MomentKind.SCREEN_TEXT:
        return list(_screen_sentences(evidence))
    return [
        sentence
        for start, end, header in text_blocks(evidence.text)
        for sentence in _block_sentences(evidence, start, end, header)
    ]


def borders_in(text: str, sentences: Sequence[Sentence]) -> list[tuple[int, int]]:
    """Where the sentences of an evidence's text, in order and apart, start and end in it."""
    borders = []
    position = 0
    for one in sentences:
        start = text.index(one.quote, position)
        position = start + len(one.quote)
        borders.append((start, position))
    return borders


def join_run(run: Sequence[Sentence], start: int, end: int) -> Sentence:
    """Neighbouring sentences as one: [start, end) of the text of their evidence."""
    evidence = run[0].evidence
    return Sentence(
        evidence,
        evidence.text[start:end],
        " ".join(one.text for one in run),
        _place_of_words(evidence, start, end),
        run[0].heading,
    )


def _block_sentences(
    evidence: Evidence, start: int, end: int, header: str | None
) -> Iterator[Sentence]:
    block = evidence.text[start:end]
    if header is not None:
        row = block.strip()
        place = _place_of_words(evidence, start, end)
        yield Sentence(evidence, row, read_row(header, row), place, evidence.heading)
        return
    for first, last in sentence_borders(block):
        quote = block[first:last]
        place = _place_of_words(evidence, start + first, start + last)
        yield Sentence(evidence, quote, " ".join(quote.split()), place, evidence.heading)


def _screen_sentences(evidence: Evidence) -> Iterator[Sentence]:
    """Each row under the first one, its title, and the whole when it is short.

    A short row says little by itself, so that it is only quoted alone where the whole is long.
    """
    rows = _screen_rows(evidence)
    whole = evidence.text.strip()
    has_whole = len(rows) > 1 and len(whole.split()) <= _MAX_SCREEN_WORDS
    for number, row in enumerate(rows):
        heading = rows[0] if number > 0 else ""
        if not has_whole or len(row.split()) >= _MIN_ROW_WORDS:
            yield Sentence(evidence, row, row, evidence.place, heading)
    if has_whole:
        yield Sentence(evidence, whole, _one_line(whole), evidence.place, "")


def _screen_rows(evidence: Evidence) -> list[str]:
    """Verbatim rows: ingest writes what stands side by side on the screen as one line."""
    return [line.strip() for line in evidence.text.split("\n") if line.strip()]


def _one_line(text: str) -> str:
    return "; ".join(line.strip() for line in text.split("\n") if line.strip())


def read_row(header: str, row: str) -> str:
    """`| E47 | Blocked |` under `| Code | Meaning |` reads "Code: E47; Meaning: Blocked"."""
    names, cells = _cells(header), _cells(row)
    if len(names) != len(cells):
        return "; ".join(cell for cell in cells if cell)
    pairs = zip(names, cells, strict=True)
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in pairs if cell)


def _cells(row: str) -> list[str]:
    inner = row.strip().removeprefix("|").removesuffix("|")
    return [cell.replace("\\|", "|").strip() for cell in _CELL_BORDER.split(inner)]


def _place_of_words(evidence: Evidence, start: int, end: int) -> Span | PageArea:
    return place_of_text(
        evidence.place,
        evidence.text,
        (start, end),
        words=evidence.words,
        word_boxes=evidence.word_boxes,
    )
