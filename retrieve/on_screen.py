"""Slides and talk in results: when a page was on screen and what was said, and the other way round.

What is linked is kept with the library (`secondsight link`); here it is looked up for places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from index.catalog import MOMENT_KINDS
from index.errors import QuestionError
from index.records import MomentKind, PageArea, PageOnScreen, Source, Span
from retrieve.words import share_within

if TYPE_CHECKING:
    from index.snapshot import Snapshot

SAID_CHARS = 300
_GAP = " … "


@dataclass(frozen=True, slots=True)
class OnScreen:
    """A page of a document was on the screen in a talk."""

    source: Source
    """The talk."""
    span: Span
    page: int
    """Counted from 1."""
    score: float
    """How surely it is this page, 0..1."""
    said: str
    """What was said meanwhile, at most 300 characters; of more, what shares most with the query."""


@dataclass(frozen=True, slots=True)
class ShownPage:
    """The page that was on the screen."""

    source: Source
    """The document."""
    area: PageArea
    """All of the page."""
    score: float
    """How surely it is this page, 0..1."""


@dataclass(frozen=True, slots=True)
class Ties:
    """What a place has to do with slides and talks; empty where nothing is linked."""

    on_screen: tuple[OnScreen, ...] = ()
    """For a page: when it was on the screen, by talk and time."""
    shown_page: ShownPage | None = None
    """For a span: the page that was on the screen for most of it."""


def ties_of(
    snapshot: Snapshot,
    places: Sequence[tuple[str, Span | PageArea]],
    query: str,
    *,
    permissions: frozenset[str] | None = None,
) -> list[Ties]:
    """The ties of each place, given as (source id, place).

    `query` chooses among what was said; only what is open to `permissions` (None: all) is told.
    Raises LibraryError when the library cannot be read.
    """

    def is_open(source_id: str) -> bool:
        return snapshot.metadata.of(source_id).open_to(permissions)

    ties = []
    for source_id, place in places:
        if isinstance(place, PageArea):
            held = snapshot.links.of_page(source_id, place.page)
            links = [link for link in held if is_open(link.video_id)]
            ties.append(Ties(on_screen=tuple(_on_screen(snapshot, link, query) for link in links)))
        else:
            links = [
                link for link in snapshot.links.of_video(source_id) if is_open(link.document_id)
            ]
            shown = _longest(links, place)
            ties.append(Ties(shown_page=None if shown is None else _shown_page(snapshot, shown)))
    return ties


def pages_on_screen(
    snapshot: Snapshot, document_id: str, page: int | None = None, query: str = ""
) -> tuple[OnScreen, ...]:
    """When pages of a document were on the screen, by talk and time; None: all pages.

    Raises QuestionError for a page that the document does not have.
    """
    source = snapshot.sources[document_id]
    if page is not None and source.pages is not None and not 1 <= page <= source.pages:
        raise QuestionError(f"{source.name} has pages 1 to {source.pages}, not {page}")
    return tuple(
        _on_screen(snapshot, link, query)
        for link in snapshot.links.rows
        if link.document_id == document_id and page in (None, link.page)
    )


def page_area(snapshot: Snapshot, document_id: str, page: int) -> PageArea:
    """All of a page, with its label. Raises LibraryError when the library cannot be read."""
    moments = snapshot.source_range(document_id)
    on_page = snapshot.columns.page[moments.start : moments.stop] == page
    held = snapshot.texts(np.flatnonzero(on_page)[:1] + moments.start)
    return PageArea(page, held[0].moment.area.label if held else str(page))


def _on_screen(snapshot: Snapshot, link: PageOnScreen, query: str) -> OnScreen:
    return OnScreen(
        source=snapshot.sources[link.video_id],
        span=link.span,
        page=link.page,
        score=link.score,
        said=_said(snapshot, link.video_id, link.span, query),
    )


def _said(snapshot: Snapshot, video_id: str, span: Span, query: str) -> str:
    """Utterances of which half lies in the span, or that fill half of it, in time order."""
    moments = snapshot.source_range(video_id)
    columns = snapshot.columns
    starts, ends = (part[moments.start : moments.stop] for part in (columns.start_s, columns.end_s))
    shared = np.minimum(ends, span.end_s) - np.maximum(starts, span.start_s)
    shorter = np.minimum(ends - starts, float(span.duration))
    spoken = columns.kind[moments.start : moments.stop] == MOMENT_KINDS.index(MomentKind.UTTERANCE)
    heard = np.flatnonzero(spoken & (shared >= shorter / 2)) + moments.start
    texts = [one.moment.text for one in snapshot.texts(heard)]
    return _shortened(texts, query)


def _shortened(texts: Sequence[str], query: str) -> str:
    """As many of the texts as fit, those first that share most with the query; in their order."""
    order = sorted(range(len(texts)), key=lambda number: -share_within(query, texts[number]))
    chosen: list[int] = []
    room = SAID_CHARS
    for number in order:
        if len(texts[number]) > room:
            break
        chosen.append(number)
        room -= len(texts[number]) + len(_GAP)
    if not chosen:
        return texts[order[0]][: SAID_CHARS - 1].rstrip() + "…" if order else ""
    pieces: list[str] = []
    for number in sorted(chosen):
        if pieces:
            pieces.append(" " if number - 1 in chosen else _GAP)
        pieces.append(texts[number])
    return "".join(pieces)


def _longest(links: Sequence[PageOnScreen], span: Span) -> PageOnScreen | None:
    """The link that covers most of the span, the surer one where two cover the same."""
    best: tuple[float, float] | None = None
    found = None
    for link in links:
        if link.span.overlaps(span):
            shared = min(link.span.end, span.end) - max(link.span.start, span.start)
            rank = (float(shared), link.score)
            if best is None or rank > best:
                best, found = rank, link
    return found


def _shown_page(snapshot: Snapshot, link: PageOnScreen) -> ShownPage:
    area = page_area(snapshot, link.document_id, link.page)
    return ShownPage(snapshot.sources[link.document_id], area, link.score)
