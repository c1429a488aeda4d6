"""Pages on screen: which page of a document is seen when in a video; kept for a whole library."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from pathlib import Path

from index.columns import Columns, Row
from index.errors import LibraryError
from index.records import PageOnScreen, Span
from index.tables import read_table, write_table

LINK_FIELDS = {
    "document": "VARCHAR",
    "page": "INTEGER",
    "video": "VARCHAR",
    "start_tick": "BIGINT",
    "end_tick": "BIGINT",
    "ticks_per_second": "BIGINT",
    "score": "DOUBLE",
}
"""Table `page_on_screen`: its fields in the order of `link_from_row`, and their types."""
_LARGEST = 2**63 - 1


class PageLinks:
    """Pages on screen, ready to be looked up by page and by video."""

    def __init__(self, rows: Sequence[PageOnScreen]) -> None:
        self.rows = tuple(rows)
        self._of_page: defaultdict[tuple[str, int], list[PageOnScreen]] = defaultdict(list)
        self._of_video: defaultdict[str, list[PageOnScreen]] = defaultdict(list)
        for link in rows:
            self._of_page[link.document_id, link.page].append(link)
            self._of_video[link.video_id].append(link)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Ids of the video and the document of everything that is linked, each pair once."""
        return list(dict.fromkeys((link.video_id, link.document_id) for link in self.rows))

    def of_page(self, document_id: str, page: int) -> Sequence[PageOnScreen]:
        """When a page was on screen, by video and time."""
        return self._of_page.get((document_id, page), ())

    def of_video(self, video_id: str) -> Sequence[PageOnScreen]:
        """What was on screen in a video, by time."""
        return self._of_video.get(video_id, ())


def write_links(path: Path, links: Sequence[PageOnScreen]) -> None:
    """Write a new file of pages on screen, from nothing, in the order given.

    Raises LibraryError when an instant cannot be held exactly or the disk refuses.
    """
    write_table(path, "links", "page_on_screen", link_columns(path, links))


def link_columns(path: Path, links: Sequence[PageOnScreen]) -> Columns:
    """Table `page_on_screen`, to be written to `path`.

    Raises LibraryError when an instant cannot be held exactly.
    """
    rates = [lcm(link.span.start.denominator, link.span.end.denominator) for link in links]
    starts = [int(link.span.start * rate) for link, rate in zip(links, rates, strict=True)]
    ends = [int(link.span.end * rate) for link, rate in zip(links, rates, strict=True)]
    if max([*ends, *rates], default=0) > _LARGEST:
        raise LibraryError(f"cannot write {path}: a time needs more than 63 bits")
    return {
        "position": ("BIGINT", list(range(len(links)))),
        "document": ("VARCHAR", [link.document_id for link in links]),
        "page": ("INTEGER", [link.page for link in links]),
        "video": ("VARCHAR", [link.video_id for link in links]),
        "start_tick": ("BIGINT", starts),
        "end_tick": ("BIGINT", ends),
        "ticks_per_second": ("BIGINT", rates),
        "score": ("DOUBLE", [link.score for link in links]),
    }


def read_links(path: Path) -> list[PageOnScreen]:
    """All pages on screen, as written. Raises LibraryError when the file cannot be read."""
    rows = read_table(path, "links", "page_on_screen", ", ".join(LINK_FIELDS), order="position")
    return [link_from_row(row) for row in rows]


def link_from_row(row: Row) -> PageOnScreen:
    """From the values of LINK_FIELDS."""
    document, page, video, start, end, rate, score = row
    return PageOnScreen(document, page, video, _span(start, end, rate), score)


def _span(start_tick: int, end_tick: int, rate: int) -> Span:
    return Span(Fraction(start_tick, rate), Fraction(end_tick, rate))
