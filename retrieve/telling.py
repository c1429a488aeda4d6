"""What of a text tells: the words of a question by their rarity, and the piece that holds most.

Words are weighed by inverse document frequency (Spärck Jones 1972). A word that the library does
not hold at all weighs most, and no text can cover it: that is how a question about something else
is noticed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import log
from typing import TYPE_CHECKING

from index.words import STOP_WORDS, all_words, stem
from retrieve.words import content_words

if TYPE_CHECKING:
    from index.snapshot import Snapshot

_ASKING_TEXT = (
    "many much long often far use used uses using mean means may must need needs get gets make "
    "made happen happens kind type called call give giving want know one ones per thing things"
)
_ASKING_WORDS = STOP_WORDS | frozenset(_ASKING_TEXT.split())
"""Words that shape a question and tell nothing about its subject."""
_END = re.compile(r"(?:[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]+[」』”]?)\s*")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|No|Nos|Fig|Figs|Tab|Sec|Ch|pp|vs|etc|approx|"
    r"incl|max|min|ca|cf|e\.g|i\.e|al|Inc|Ltd|Co)\.$"
)
_TABLE_RULE = re.compile(r"\|(?:\s*:?-+:?\s*\|)+")

Border = tuple[int, int]
"""First character of a piece of text, and the one after its last."""


def telling_words(question: str) -> list[str]:
    """The words of a question that tell what it is about, in order."""
    return [word for word in all_words(question) if word not in _ASKING_WORDS]


def word_weights(question: str, snapshot: Snapshot) -> dict[str, float]:
    """Rarity of each telling word of the question: stem -> log(1 + moments / (1 + holding it))."""
    weights: dict[str, float] = {}
    for word in telling_words(question) or all_words(question):
        weights[stem(word)] = log(1 + snapshot.num_moments / (1 + snapshot.num_holding(word)))
    return weights


def cover(weights: Mapping[str, float], credits_of: Sequence[tuple[str, float]]) -> float:
    """Share of the question's words that texts hold, weighed by rarity, 0..1.

    `credits_of` has each text and what a word counts (0..1) that stands in it; the best counts.
    """
    total = sum(weights.values())
    if not total:
        return 0.0
    held = [(frozenset(content_words(text)), credit) for text, credit in credits_of]
    found = (
        weight * max((credit for words, credit in held if word in words), default=0.0)
        for word, weight in weights.items()
    )
    return min(sum(found) / total, 1.0)


def sentence_borders(text: str) -> list[Border]:
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


def text_blocks(text: str) -> Iterator[tuple[int, int, str | None]]:
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


def sentences_of(text: str) -> list[Border]:
    """Sentences and table rows of running text, in order."""
    borders: list[Border] = []
    for start, end, header in text_blocks(text):
        if header is not None:
            row = _trimmed(text, start, end)
            borders += [row] if row else []
        else:
            inner = sentence_borders(text[start:end])
            borders += [(start + first, start + last) for first, last in inner]
    return borders


def lines_of(text: str) -> list[Border]:
    """Lines that hold anything, without outer white space, in order."""
    borders: list[Border] = []
    position = 0
    for line in text.splitlines(keepends=True):
        trimmed = _trimmed(text, position, position + len(line))
        borders += [trimmed] if trimmed else []
        position += len(line)
    return borders


def telling_piece(
    text: str, pieces: Sequence[Border], weights: Mapping[str, float]
) -> Border | None:
    """The piece that holds most of the question's words, the first of equals; None: none does."""
    covers = [cover(weights, [(text[start:end], 1.0)]) for start, end in pieces]
    if not covers or max(covers) == 0:
        return None
    return pieces[covers.index(max(covers))]


def _trimmed(text: str, start: int, end: int) -> Border | None:
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    right = len(piece.rstrip())
    return (start + left, start + right) if right > left else None
