"""Stretches of time that depend on the length of a source, and the spans they become."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from index.records import Span
from retrieve.time_words import HOUR_S, MINUTE_S, SECOND_S

TOLERANCE_S = {SECOND_S: 10, MINUTE_S: 60, HOUR_S: 300}
"""How far around a named point one looks, by how exactly it was named."""
ROUGH_TOLERANCE_S = {SECOND_S: 60, MINUTE_S: 180, HOUR_S: 600}
"""The same for "around"."""


@dataclass(frozen=True, slots=True)
class Border:
    """An instant: a share of the source's length and seconds from there."""

    share: Fraction
    offset: Fraction

    def at(self, length: Fraction) -> Fraction:
        """The instant in a source of this length."""
        return self.share * length + self.offset


@dataclass(frozen=True, slots=True)
class Window:
    """From one border to another, in sources that are long enough for it."""

    start: Border
    end: Border
    needs: Fraction = Fraction(0)
    """Seconds that a source must at least be long."""
    about: Border | None = None
    """The instant that was named, of a window around one."""

    def span_in(self, length: Fraction) -> Span | None:
        """What of it lies in a source of this length; None when nothing does."""
        start = max(self.start.at(length), Fraction(0))
        end = min(self.end.at(length), length)
        return Span(start, end) if start < end and length >= self.needs else None

    def instant_in(self, length: Fraction) -> Fraction | None:
        """The instant that was named; None where none was, or a source of this length has none."""
        if self.about is None or self.span_in(length) is None:
            return None
        return self.about.at(length)


START = Border(Fraction(0), Fraction(0))
END = Border(Fraction(1), Fraction(0))


def from_start(seconds: Fraction) -> Border:
    """So many seconds after the start."""
    return Border(Fraction(0), seconds)


def shares(start: Fraction, end: Fraction) -> Window:
    """From one share of the length to another, 0..1."""
    return Window(Border(start, Fraction(0)), Border(end, Fraction(0)))


def disjoint(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same instants as spans in order that do not touch."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = merged[-1].union(span)
        else:
            merged.append(span)
    return tuple(merged)


def common(first: Iterable[Span], second: Iterable[Span]) -> tuple[Span, ...]:
    """The instants that both have."""
    others = tuple(second)
    return disjoint(
        Span(max(one.start, other.start), min(one.end, other.end))
        for one in first
        for other in others
        if one.overlaps(other)
    )
