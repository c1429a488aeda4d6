"""Evidence written by hand, for tests of what models say about it."""

from __future__ import annotations

from fractions import Fraction

from generate.evidence import Evidence
from index.records import Box, MomentKind, PageArea, Source, SourceKind, Span, Word
from index.word_boxes import NO_WORD_BOXES, WordBoxes

TALK = Source("a" * 32, SourceKind.VIDEO, "lecture.mp4", 1, Fraction(4000), None)
MANUAL = Source("b" * 32, SourceKind.DOCUMENT, "manual.pdf", 1, None, 20)


def said(number: int, text: str, start_s: int = 0, length_s: int = 6) -> Evidence:
    """An utterance whose words share its span evenly."""
    span = Span(Fraction(start_s), Fraction(start_s + length_s))
    tokens = text.split()
    step = span.duration / len(tokens)
    words = tuple(
        Word(token, Span(span.start + n * step, span.start + (n + 1) * step), 0.9)
        for n, token in enumerate(tokens)
    )
    kind = MomentKind.UTTERANCE
    return Evidence(f"E{number}", TALK, span, kind, text, "", words, NO_WORD_BOXES, number, 1)


def printed(number: int, text: str, page: int = 1, heading: str = "") -> Evidence:
    """A passage whose words have boxes, one beside the other."""
    boxes = []
    at = 0
    for token in text.split():
        at = text.index(token, at)
        boxes.append((at, at + len(token), Box(at, 10, at + len(token), 20)))
        at += len(token)
    area = PageArea(page, str(page), (Box(0, 0, 600, 800),))
    kind = MomentKind.PASSAGE
    words = WordBoxes.of(boxes)
    return Evidence(f"E{number}", MANUAL, area, kind, text, heading, (), words, number, 1)
