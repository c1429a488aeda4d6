"""What a model cites becomes supplied evidence, or is struck: nothing else may be cited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from generate.cited_items import Mark
from generate.evidence import Evidence
from index.records import PageArea, Span

SLACK_S = Fraction(1)
"""Models round times to seconds."""


@dataclass(frozen=True, slots=True)
class CitedPlace:
    """A mark and the evidence that it may mean."""

    mark: Mark
    evidence: tuple[Evidence, ...]
    """What its id names first, then what lies at its time or page; empty when nothing does."""
    problem: str
    """Why it cannot stand as it is written; empty where it can."""

    @property
    def stands(self) -> bool:
        """True when id, time and page agree with the first evidence."""
        return not self.problem


def place_of_mark(mark: Mark, evidence: Sequence[Evidence]) -> CitedPlace:
    """Find the evidence that a mark means."""
    named = [piece for piece in evidence if piece.id == mark.evidence]
    if mark.name is not None and not named:
        evidence = [piece for piece in evidence if piece.source.name == mark.name]
    if named:
        evidence = [piece for piece in evidence if piece.source == named[0].source]
    has_place = mark.times is not None or mark.page is not None
    there = [piece for piece in evidence if has_place and is_at(mark, piece)]
    if named and has_place and not is_at(mark, named[0]):
        return CitedPlace(mark, (*named, *there), "it is not at that place")
    if named:
        return CitedPlace(mark, tuple(named), "")
    if mark.evidence is not None:
        return CitedPlace(mark, tuple(there), f"there is no evidence {mark.evidence}")
    return CitedPlace(mark, tuple(there), "" if there else "no evidence is at that place")


def is_at(mark: Mark, piece: Evidence) -> bool:
    """True when an evidence holds the time or page of a mark, or it has none."""
    if isinstance(piece.place, PageArea):
        pages = (str(piece.place.page), piece.place.label.casefold())
        return mark.times is None and (mark.page is None or mark.page in pages)
    if mark.page is not None:
        return False
    return mark.times is None or reaches(mark.times, piece.place)


def reaches(times: tuple[Fraction, Fraction], place: Span) -> bool:
    """True when cited times touch a span, give or take a second."""
    first, last = min(times), max(times)
    return first <= place.end + SLACK_S and last >= place.start - SLACK_S


def narrowed(mark: Mark, piece: Evidence) -> Span | PageArea:
    """The part of an evidence's place that a mark names, where it names one."""
    if isinstance(piece.place, PageArea) or mark.times is None:
        return piece.place
    start = max(min(mark.times), piece.place.start)
    end = min(max(mark.times), piece.place.end)
    return Span(start, end) if start < end else piece.place
