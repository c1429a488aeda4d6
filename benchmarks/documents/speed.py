"""Pages a second of each step, beside PyMuPDF's own `get_text` loop as the limit.

CPU seconds of one core, the steps in turn over the same pages, so that what else runs on the
machine weighs on all alike. `get_text` (text without places), `get_text words` (words with boxes)
and `text` (words with boxes, in lines and blocks) read page by page from documents that are open
already, each its own: none finds fonts loaded by another. `read` adds tables, figures and the
order, `read and render` the pictures of pages and figures; these open the file for every range, as
the product does.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pymupdf

from index.records import Moment
from ingest.mupdf.opening import opened, probe_document
from ingest.mupdf.reading import read_pages
from ingest.mupdf.text import page_structure
from ingest.pages import DocumentInfo, PageContent
from ingest.passages import document_moments
from ingest.settings import DocumentSettings

SETTINGS = DocumentSettings()
STEPS = ("get_text", "get_text words", "text", "read", "read and render", "compose")


@dataclass(frozen=True, slots=True)
class Sample:
    """What reading ranges of one document's pages took, and gave."""

    info: DocumentInfo
    ranges: tuple[tuple[int, int], ...]
    cpu_s: dict[str, float]
    moments: tuple[Moment, ...]

    @property
    def pages(self) -> int:
        """Pages read."""
        return sum(last - first + 1 for first, last in self.ranges)


def sampled_ranges(pages: int, count: int, length: int) -> tuple[tuple[int, int], ...]:
    """First and last pages of ranges spread evenly over a document; all of a short one."""
    if pages <= count * length:
        return tuple(
            (first, min(first + length - 1, pages)) for first in range(1, pages + 1, length)
        )
    firsts = [1 + round(at * (pages - length) / (count - 1)) for at in range(count)]
    return tuple((first, first + length - 1) for first in firsts)


def sample(path: str, count: int, length: int) -> Sample:
    """Read `count` ranges of `length` pages of a document and time every step."""
    info = probe_document(path)
    ranges = sampled_ranges(info.pages, count, length)
    cpu_s = dict.fromkeys(STEPS, 0.0)
    moments: list[Moment] = []
    with (
        pymupdf.open(path) as document,
        pymupdf.open(path) as second,
        opened(path, "pages") as other,
    ):
        for number in _numbers(ranges):
            _timed(cpu_s, "get_text", document[number - 1].get_text)
            _timed(cpu_s, "get_text words", partial(second[number - 1].get_text, "words"))
            _timed(cpu_s, "text", partial(_our_text, other[number - 1]))
    for first, last in ranges:
        pages: list[PageContent] = []
        _timed(cpu_s, "read", partial(_read, pages, path, info, first, last))
        _timed(cpu_s, "read and render", partial(read_pages, path, info, first, last, SETTINGS))
        _timed(cpu_s, "compose", partial(_compose, moments, info, pages))
    return Sample(info, ranges, cpu_s, tuple(moments))


def _our_text(page: Any) -> None:
    page_structure(page.get_displaylist())


def _numbers(ranges: Iterable[tuple[int, int]]) -> Iterator[int]:
    for first, last in ranges:
        yield from range(first, last + 1)


def _timed(cpu_s: dict[str, float], step: str, work: Callable[[], object]) -> None:
    started = time.process_time()
    work()
    cpu_s[step] += time.process_time() - started


def _read(into: list[PageContent], path: str, info: DocumentInfo, first: int, last: int) -> None:
    into.extend(read_pages(path, info, first, last, SETTINGS, pictures=False))


def _compose(into: list[Moment], info: DocumentInfo, pages: list[PageContent]) -> None:
    into.extend(document_moments(info, pages, SETTINGS))
