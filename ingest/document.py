"""One document through its stages: ranges of pages, scanned pages, moments.

`ingest_document` runs in the driver and only passes references around; the functions above it run
in tasks. Every stage keeps its output in the source's stage cache.
"""

from __future__ import annotations

from typing import Any

from index.records import Source, SourceKind
from ingest.cache import cached
from ingest.cluster import Cluster, Pending
from ingest.composition import Composition, Started
from ingest.job import Job
from ingest.mupdf.opening import probe_document
from ingest.mupdf.reading import read_pages
from ingest.pages import DocumentInfo, PageContent
from ingest.passages import document_moments

PAGES_PER_TASK = 40
REPAIRED = "its structure was damaged and repaired while reading; some of it may be missing"


def read_range(job: Job, info: DocumentInfo, first: int, last: int) -> tuple[PageContent, ...]:
    """Read pages first..last, both included, counted from 1."""
    settings = job.settings.documents
    entry = job.entry("pages", settings, first=first, last=last)
    return cached(entry, lambda: tuple(read_pages(job.path, info, first, last, settings)))


def compose_document(job: Job, info: DocumentInfo, *ranges: tuple[PageContent, ...]) -> Composition:
    """All moments of a document, in reading order."""
    pages = [page for part in ranges for page in part]
    return Composition(
        source=Source(
            id=job.source_id,
            kind=SourceKind.DOCUMENT,
            name=job.name,
            size_bytes=job.size_bytes,
            duration=None,
            pages=info.pages,
            details={"title": info.title or None},
            notes=(REPAIRED,) if info.repaired else (),
        ),
        moments=document_moments(info, pages, job.settings.documents),
    )


def ingest_document(job: Job, cluster: Cluster) -> Started:
    """Start every stage of a document.

    Raises SourceError when the file is no readable document.
    """
    probing = cluster.submit(probe_document, job.path)
    info = cluster.result(probing, path=job.path, stage="probe")
    firsts = range(1, info.pages + 1, PAGES_PER_TASK)
    ranges = [
        cluster.submit(read_range, job, info, first, min(first + PAGES_PER_TASK - 1, info.pages))
        for first in firsts
    ]
    scans = [cluster.submit_to("screen_text", "scanned_pages", job, part) for part in ranges]
    composition = cluster.submit(compose_document, job, info, *scans, shares=len(ranges))
    work: dict[str, list[Pending[Any]]] = {
        "probe": [probing],
        "pages": [*ranges],
        "screen_text": [*scans],
        "compose": [composition],
    }
    return Started(composition, None, work)
