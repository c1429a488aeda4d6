"""Where characters of a moment's text are: the span of its words, or their boxes on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from index.records import PageArea, Span, Word
from index.word_boxes import WordBoxes
from retrieve.telling import Border, sentence_borders
from retrieve.words import content_words

_PAUSE = Fraction(8, 10)
"""A pause this long parts what is said, whatever was written."""
_FEWEST_WORDS = 3
"""Fewer words are not parted from their sentence at a pause."""
_WORTH_A_PART = 0.25
"""Share of the question's words, of those that the text holds, that one more part must bring."""


def place_of_text(
    place: Span | PageArea,
    text: str,
    border: Border,
    *,
    words: Sequence[Word],
    word_boxes: WordBoxes,
) -> Span | PageArea:
    """The span or boxes of the words within [start, end) of the text, else the whole place."""
    start, end = border
    if isinstance(place, PageArea):
        boxes = word_boxes.boxes_of(start, end)
        return replace(place, boxes=boxes) if boxes else place
    within = words_within(text, words, border)
    return span_of_words(within) if within else place


def span_of_words(words: Sequence[Word]) -> Span:
    """The smallest span that covers all of these words."""
    return Span(min(word.span.start for word in words), max(word.span.end for word in words))


def words_within(text: str, words: Sequence[Word], border: Border) -> tuple[Word, ...]:
    """The words that begin within [start, end) of the text; none when they are not those of it."""
    places = _starts(text, words)
    if places is None:
        return ()
    start, end = border
    return tuple(word for word, at in zip(words, places, strict=True) if start <= at < end)


def telling_run(text: str, parts: Sequence[Border], weights: Mapping[str, float]) -> Border | None:
    """The parts of a text that answer; None when nothing tells them apart from the rest.

    The run of neighbours that holds most of the question's words, where each further part must
    bring a quarter of those that the text holds; of equals the shorter one, then the earlier.
    """
    words = [weights.keys() & content_words(text[start:end]) for start, end in parts]
    whole = sum(weights[word] for word in frozenset().union(*words))
    if len(parts) < 2 or not whole:
        return None
    best, found = (-1.0, 0, 0), (0, 0)
    for first in range(len(parts)):
        held: set[str] = set()
        for last in range(first, len(parts)):
            held |= words[last]
            share = sum(weights[word] for word in sorted(held)) / whole
            worth = round(share - _WORTH_A_PART * (last - first), 9), first - last, -first
            if worth > best:
                best, found = worth, (first, last)
    first, last = found
    return None if last - first == len(parts) - 1 else (parts[first][0], parts[last][1])


def spoken_parts(text: str, words: Sequence[Word]) -> list[Border]:
    """Sentences, cut also where the speaker pauses for 0.8 s between three words and three."""
    starts = _starts(text, words)
    sentences = sentence_borders(text)
    if starts is None:
        return sentences
    cuts = [
        starts[number]
        for number, (one, other) in enumerate(pairwise(words), start=1)
        if other.span.start - one.span.end >= _PAUSE
        and _FEWEST_WORDS <= number <= len(words) - _FEWEST_WORDS
    ]
    parts: list[Border] = []
    for start, end in sentences:
        edges = [start, *(cut for cut in cuts if start < cut < end), end]
        parts += [
            (first, first + len(text[first:last].rstrip())) for first, last in pairwise(edges)
        ]
    return parts


def _starts(text: str, words: Sequence[Word]) -> list[int] | None:
    """Where each word begins in the text; None when they are not the words of it."""
    starts = []
    position = 0
    for word in words:
        token = word.text.strip()
        found = text.find(token, position)
        if found < 0:
            return None
        starts.append(found)
        position = found + len(token)
    return starts
