"""Candidates made by hand, for tests of merging and grouping."""

from __future__ import annotations

from fractions import Fraction

from index.records import Moment, MomentKind, PageArea, Source, SourceKind, Span
from index.snapshot import StoredText
from retrieve.hits import Candidate

TALK = Source("0" * 32, SourceKind.VIDEO, "talk.mp4", 1, Fraction(600), None)
AGAIN = Source("1" * 32, SourceKind.VIDEO, "talk_again.mp4", 1, Fraction(600), None)
MANUAL = Source("2" * 32, SourceKind.DOCUMENT, "manual.pdf", 1, None, 9)


def candidate(
    number: int,
    text: str,
    score: float,
    *,
    at_s: int | None = None,
    kind: MomentKind = MomentKind.UTTERANCE,
    source: Source = TALK,
    cosine: float | None = None,
) -> Candidate:
    """A moment of 4 s that starts at `at_s` (10 times its number), or on that page."""
    where = 10 * number if at_s is None else at_s
    place: Span | PageArea = Span(Fraction(where), Fraction(where + 4))
    if source.kind is SourceKind.DOCUMENT:
        place = PageArea(where, str(where))
    stored = StoredText(number, source, number, 0, Moment(kind, place, text))
    return Candidate(stored, score, cosine)
