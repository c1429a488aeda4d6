"""Chapters: segments of a source that follow one another, as the parts that are summed up."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from generate.citations import format_place
from index.records import PageArea, PageRange, Source, Span
from retrieve.filters import allowed_moments, kind_mask
from retrieve.lists import TEXT_KINDS

if TYPE_CHECKING:
    from generate.settings import SummarySettings
    from index.snapshot import Snapshot, StoredMoment
    from retrieve.filters import Filters


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of a source that is summed up by itself."""

    source: Source
    extent: Span | PageRange
    """What its moments cover."""
    title: str
    """Of its first segment."""
    moment_ids: tuple[int, ...]
    """Those with words that may be read, at least one, in order."""
    segments: int
    """That it is made of."""
    content: str
    """Hash of what stands in it."""

    @property
    def place(self) -> str:
        """Its extent as people read it."""
        if isinstance(self.extent, Span):
            return format_place(self.extent)
        first, last = self.extent.first, self.extent.last
        if first == last:
            return format_place(PageArea(first, str(first)))
        return f"pp. {first}-{last}"


def chapters_of(
    snapshot: Snapshot, filters: Filters, settings: SummarySettings
) -> tuple[Chapter, ...]:
    """The chapters of all that filters allow, by source in the order of the library.

    Borders are those of segments. Raises QuestionError as `allowed_moments` does.
    """
    mask = kind_mask(snapshot, TEXT_KINDS)
    allowed = allowed_moments(snapshot, filters)
    if allowed is not None:
        mask = mask & allowed
    numbers = snapshot.columns.source_index[np.flatnonzero(mask)]
    present = dict.fromkeys(snapshot.source_ids[number] for number in np.sort(numbers).tolist())
    return tuple(
        chapter
        for source_id in present
        for chapter in _of_source(snapshot, source_id, mask, settings)
    )


def _of_source(
    snapshot: Snapshot, source_id: str, mask: np.ndarray, settings: SummarySettings
) -> Iterator[Chapter]:
    kept: list[tuple[str, list[StoredMoment]]] = []
    for segment in snapshot.segments_of(source_id):
        ids = [moment_id for moment_id in segment.moments if mask[moment_id]]
        moments = [one for one in snapshot.moments(ids) if one.moment.text.strip()]
        if not moments:
            continue
        together = [one for _, own in kept for one in own] + moments
        if kept and _length(together) > _most(together, settings):
            yield _chapter(kept)
            kept = []
        kept.append((segment.title, moments))
    if kept:
        yield _chapter(kept)


def _most(moments: list[StoredMoment], settings: SummarySettings) -> float:
    is_video = isinstance(moments[0].moment.place, Span)
    return settings.chapter_s if is_video else settings.chapter_pages


def _length(moments: list[StoredMoment]) -> float:
    extent = _extent(moments)
    if isinstance(extent, Span):
        return float(extent.duration)
    return extent.last - extent.first + 1


def _extent(moments: list[StoredMoment]) -> Span | PageRange:
    places = [one.moment.place for one in moments]
    spans = [place for place in places if isinstance(place, Span)]
    if spans:
        return Span(min(span.start for span in spans), max(span.end for span in spans))
    pages = [place.page for place in places if isinstance(place, PageArea)]
    return PageRange(min(pages), max(pages))


def _chapter(kept: list[tuple[str, list[StoredMoment]]]) -> Chapter:
    moments = [one for _, own in kept for one in own]
    digest = hashlib.sha256()
    for one in moments:
        digest.update(f"{one.ordinal} {one.moment.place}\n{one.moment.text}\0".encode())
    return Chapter(
        source=moments[0].source,
        extent=_extent(moments),
        title=next((title for title, _ in kept if title), ""),
        moment_ids=tuple(one.id for one in moments),
        segments=len(kept),
        content=digest.hexdigest(),
    )
