"""Evidence is cut into what can be quoted: sentences, table rows, lines on the screen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from generate.evidence import Evidence
from index.records import MomentKind, PageArea, Span

_END = re.compile(r"(?:[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]+[」』”]?)\s*")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|No|Nos|Fig|Figs|Tab|Sec|Ch|pp|vs|etc|approx|"
    r"incl|max|min|ca|cf|e\.g|i\.e|al|Inc|Ltd|Co)\.$"
)
_TABLE_RULE = re.compile(r"\|(?:\s*:?-+:?\s*\|)+")
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
        for start, end, header in _blocks(evidence.text)
        for sentence in _block_sentences(evidence, start, end, header)
    ]


def sentence_borders(text: str) -> list[tuple[int, int]]:
    """Where each sentence of a text starts and ends (exclusive), without outer white space."""
    borders = []
    start = 0
    for match in _END.finditer(text):
        if _ABBREVIATION.search(text[start : match.end()].rstrip()):
            continue
        borders.append((start, match.end()))
        start = match.end()
    borders.append((start, len(text)))
    return [trimmed for border in borders if (trimmed := _trimmed(text, *border))]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    right = len(piece.rstrip())
    return (start + left, start + right) if right > left else None


def _blocks(text: str) -> Iterator[tuple[int, int, str | None]]:
    """Runs of plain lines, and table rows: (start, end, header row or None for plain text).

    A line break inside running text is white space; a table row is a line by itself.
    """
    position = 0
    plain_start: int | None = None
    header: str | None = None
    for line in text.splitlines(keepends=True):
        is_row = line.lstrip().startswith("|") and line.rstrip().endswith("|")
        if is_row:
            if plain_start is not None:
                yield plain_start, position, None
                plain_start = None
            if header is None:
                header = line.strip()
            elif not _TABLE_RULE.fullmatch(line.strip()):
                yield position, position + len(line), header
        else:
            header = None
            plain_start = position if plain_start is None else plain_start
        position += len(line)
    if plain_start is not None:
        yield plain_start, position, None


def _block_sentences(
    evidence: Evidence, start: int, end: int, header: str | None
) -> Iterator[Sentence]:
    block = evidence.text[start:end]
    if header is not None:
        row = block.strip()
        place = _place_of_words(evidence, start, end)
        yield Sentence(evidence, row, _read_row(header, row), place, evidence.heading)
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


def _read_row(header: str, row: str) -> str:
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
    """The span or boxes of the words within [start, end) of the text, else the whole place."""
    if isinstance(evidence.place, PageArea):
        boxes = evidence.word_boxes.boxes_of(start, end)
        return replace(evidence.place, boxes=boxes) if boxes else evidence.place
    if not evidence.words:
        return evidence.place
    spans = []
    position = 0
    for word in evidence.words:
        token = word.text.strip()
        found = evidence.text.find(token, position)
        if found < 0:
            return evidence.place
        position = found + len(token)
        if start <= found < end:
            spans.append(word.span)
    if not spans:
        return evidence.place
    return Span(min(span.start for span in spans), max(span.end for span in spans))
