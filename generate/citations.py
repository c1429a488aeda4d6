"""Citations: what proves a sentence, and how that is written.

`[lecture.mp4 00:03:12.4-00:03:17.9]` for a span, `[manual.pdf p. 7]` for a page, and
`[manual.pdf p. iv (4)]` where the label printed on the page is not its number. Files without
printed pages are cited in their own terms: `[notes.md lines 120-154 (p. 3)]` for a text,
`[novel.epub 42 % (p. 120)]` for an e-book. One function writes them, one reads them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from index.clock import format_clock, parse_clock
from index.records import PageArea, Span
from retrieve.on_screen import OnScreen, ShownPage

_TICKS_PER_SECOND = 10
_CLOCK = r"\d{2,}:\d{2}:\d{2}\.\d"
_SPAN_CITATION = re.compile(rf"\[(?P<name>.+) (?P<start>{_CLOCK})-(?P<end>{_CLOCK})\]", re.DOTALL)
_OWN_TERMS = r"lines? \d+(?:-\d+)?|\d+(?:\.\d+)? %"
_OWN_CITATION = re.compile(
    rf"\[(?P<name>.+) (?P<label>{_OWN_TERMS}) \(p\. (?P<page>\d+)\)\]", re.DOTALL
)
_LABEL_CITATION = re.compile(r"\[(?P<name>.+) p\. (?P<label>.*) \((?P<page>\d+)\)\]", re.DOTALL)
_PAGE_CITATION = re.compile(r"\[(?P<name>.+) p\. (?P<page>\d+)\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Citation:
    """A quote and where it stands."""

    evidence: str
    """Id of the evidence it was taken from ("E1")."""
    source_id: str
    source_name: str
    place: Span | PageArea
    """The place of the quote itself where words give it, else of its moment."""
    quote: str
    """Verbatim from the evidence."""
    on_screen: tuple[OnScreen, ...] = ()
    """For a place in a document: when its page was on screen in a talk, by talk and time."""
    shown_page: ShownPage | None = None
    """For a place in a talk: the page of its slides that was on screen."""


def format_place(place: Span | PageArea) -> str:
    """Write a span as clock times (start rounded down, end up, to 0.1 s) or a page as `p. 7`.

    Lines of a text and shares of an e-book, which have no printed pages, come first.
    """
    if isinstance(place, Span):
        end = Fraction(ceil(place.end * _TICKS_PER_SECOND), _TICKS_PER_SECOND)
        return f"{format_clock(place.start)}-{format_clock(end)}"
    if place.label == str(place.page):
        return f"p. {place.page}"
    if re.fullmatch(_OWN_TERMS, place.label):
        return f"{place.label} (p. {place.page})"
    return f"p. {place.label} ({place.page})"


def format_citation(citation: Citation) -> str:
    """Write a citation as people read it, in square brackets."""
    return f"[{citation.source_name} {format_place(citation.place)}]"


def parse_citation(text: str) -> tuple[str, Span | PageArea]:
    """Read what `format_citation` wrote: the source's name and the place.

    Spans come back to 0.1 s, pages without boxes. Raises ValueError for anything else. A page
    label that itself contains " p. " is not told apart from the name.
    """
    if match := _SPAN_CITATION.fullmatch(text):
        return match["name"], Span(parse_clock(match["start"]), parse_clock(match["end"]))
    if match := _OWN_CITATION.fullmatch(text):
        return match["name"], PageArea(int(match["page"]), match["label"])
    if match := _LABEL_CITATION.fullmatch(text):
        return match["name"], PageArea(int(match["page"]), match["label"])
    if match := _PAGE_CITATION.fullmatch(text):
        return match["name"], PageArea(int(match["page"]), match["page"])
    raise ValueError(
        f"{text!r} is no citation; write [name 00:03:12.4-00:03:17.9], [name p. 7] "
        "or [name p. iv (4)]"
    )
