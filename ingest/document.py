"""One document through its stages: ranges of pages, scanned pages, moments.

`ingest_document` runs in the driver and only passes references around; the functions above it run
in tasks. Every stage keeps its output in the source's stage cache. Files are opened and pages read
in child processes that can be killed: see `isolation`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, BinaryIO

from index.errors import SourceError
from index.records import Source, SourceKind
from ingest.cache import cached_with_file
from ingest.cluster import Cluster, Pending
from ingest.composition import Composition, Started
from ingest.isolation import Lost, isolated, limits_of
from ingest.job import Job
from ingest.page_pictures import Places, placed, written
from ingest.pages import DocumentInfo, PageContent
from ingest.parts import Parts
from ingest.passages import document_moments

PROBING = "ingest.mupdf.opening.probing"
PAGE_READER = "ingest.mupdf.reading.page_reader"
"""Named, not imported: only the processes that read need MuPDF."""
PAGES_PER_TASK = 40
REPAIRED = "its structure was damaged and repaired while reading; some of it may be missing"
_LETTER_PT = (612.0, 792.0)
"""The size that a page counts as having when nobody could read it."""
_MOST_REASONS = 5
_MOST_RANGES = 8


def probe(job: Job) -> DocumentInfo:
    """Open a document and read what it says about itself.

    An outline that cannot be read is noted and left out. Raises SourceError (stage "probe").
    """
    settings = job.settings.documents
    arguments = (job.path, settings.password_file)
    opening, outline = isolated(PROBING, arguments, ("info", "outline"), limits_of(settings))
    if isinstance(opening, Lost):
        raise SourceError(job.path, "probe", f"cannot be opened: {opening.reason}")
    info: DocumentInfo = opening.value
    if isinstance(outline, Lost):
        note = f"its outline could not be read: {outline.reason}"
        return replace(info, notes=(*info.notes, note))
    return replace(info, outline=outline.value)


def read_range(job: Job, info: DocumentInfo, first: int, last: int) -> tuple[PageContent, ...]:
    """Read pages first..last, both included, counted from 1.

    Pages that could not be read are there, empty, with the reason. The pictures lie in a file.
    """
    settings = job.settings.documents

    def read(file: BinaryIO) -> tuple[tuple[PageContent, Places], ...]:
        numbers = range(first, last + 1)
        arguments = (
            job.path,
            dict(zip(numbers, info.labels[first - 1 : last], strict=True)),
            settings,
        )
        outcomes = isolated(PAGE_READER, arguments, numbers, limits_of(settings))
        return tuple(
            written(
                _lost_page(info, number, outcome.reason)
                if isinstance(outcome, Lost)
                else outcome.value,
                file,
            )
            for number, outcome in zip(numbers, outcomes, strict=True)
        )

    pages, path = cached_with_file(job.entry("pages", settings, first=first, last=last), read)
    return tuple(placed(page, path, places) for page, places in pages)


def _lost_page(info: DocumentInfo, number: int, reason: str) -> PageContent:
    width, height = _LETTER_PT
    return PageContent(number, info.labels[number - 1], width, height, (), False, lost=reason)


def compose_document(job: Job, info: DocumentInfo, *ranges: tuple[PageContent, ...]) -> Composition:
    """All moments of a document, in reading order.

    Raises SourceError when none of its pages could be read.
    """
    pages = [page for part in ranges for page in part]
    lost = {page.number: page.lost for page in pages if page.lost}
    if len(lost) == len(pages):
        reason = f"none of its pages could be read: {pages[0].lost}"
        raise SourceError(job.path, "pages", reason)
    left_out = {page.number: page.links_note for page in pages if page.links_note}
    notes = [*((REPAIRED,) if info.repaired else ()), *info.notes, *lost_notes(lost)]
    notes += notes_on_pages(left_out, "")
    unread = {page.number: page.scan_note for page in pages if page.scan_note}
    notes += notes_on_pages(unread, "")
    moments = document_moments(info, pages, job.settings.documents)
    return Composition(
        source=Source(
            id=job.source_id,
            kind=SourceKind.DOCUMENT,
            name=job.name,
            size_bytes=job.size_bytes,
            duration=None,
            pages=info.pages,
            details={"title": info.title or None, "format": info.format, **info.metadata},
            notes=tuple(notes),
        ),
        moments=tuple(moment for moment in moments if moment.area.page not in lost),
    )


def lost_notes(lost: dict[int, str]) -> list[str]:
    """One line for each reason why pages could not be read, by number of the first."""
    return notes_on_pages(lost, " could not be read")


def notes_on_pages(reasons: dict[int, str], what: str) -> list[str]:
    """One line for each reason, by number of the first page; `what` happened to these pages."""
    by_reason: dict[str, list[int]] = defaultdict(list)
    for number, reason in sorted(reasons.items()):
        by_reason[reason].append(number)
    notes = [
        f"{_pages_named(numbers)}{what}: {reason}"
        for reason, numbers in list(by_reason.items())[:_MOST_REASONS]
    ]
    rest = sum(map(len, list(by_reason.values())[_MOST_REASONS:]))
    return [*notes, f"{rest} more pages{what}"] if rest else notes


def _pages_named(numbers: Sequence[int]) -> str:
    """ "page 17", "pages 3, 5-9"; of very many only how many."""
    ranges = list(_ranges(numbers))
    named = ", ".join(ranges[:_MOST_RANGES])
    if len(ranges) > _MOST_RANGES:
        return f"{len(numbers)} pages ({named}, ...)"
    return f"page {named}" if len(numbers) == 1 else f"pages {named}"


def _ranges(numbers: Sequence[int]) -> Iterable[str]:
    for _, group in groupby(enumerate(numbers), lambda each: each[1] - each[0]):
        run = [number for _, number in group]
        yield str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}"


def ingest_document(job: Job, cluster: Cluster) -> Started:
    """Start every stage of a document.

    Raises SourceError when the file is no readable document.
    """
    probed = cluster.submit(probe, job)
    info = cluster.result(probed, path=job.path, stage="probe")
    firsts = range(1, info.pages + 1, PAGES_PER_TASK)
    ranges = [
        cluster.submit(read_range, job, info, first, min(first + PAGES_PER_TASK - 1, info.pages))
        for first in firsts
    ]
    scans = [cluster.submit_to("screen_text", "scanned_pages", job, part) for part in ranges]
    composition = cluster.submit(compose_document, job, info, *scans, shares=len(ranges))
    work: dict[str, list[Pending[Any]]] = {
        "probe": [probed],
        "pages": [*ranges],
        "screen_text": [*scans],
        "compose": [composition],
    }
    return Started(composition, Parts(len(ranges)), None, work)
