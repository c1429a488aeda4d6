"""`secondsight link`: what is linked, as JSON and as text; one line for results that are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.text import Text

from generate.citations import format_place
from index.records import PageArea, Source
from index.snapshot import Snapshot
from retrieve.on_screen import OnScreen, ShownPage, page_area, pages_on_screen

SAID_SHOWN = 90
_LISTED = 3

PairIds = tuple[str, str]
"""Ids of a talk and its slides."""


def on_screen_json(shown: OnScreen) -> dict[str, Any]:
    """When a page was on screen, as results hold it."""
    return {
        "source": source_json(shown.source),
        "start_s": shown.span.start_s,
        "end_s": shown.span.end_s,
        "score": round(shown.score, 4),
        "said": shown.said,
    }


def shown_page_json(shown: ShownPage | None) -> dict[str, Any] | None:
    """The page that was on screen, as results hold it."""
    if shown is None:
        return None
    return {
        "source": source_json(shown.source),
        "page": shown.area.page,
        "page_label": shown.area.label,
        "score": round(shown.score, 4),
    }


def links_json(
    snapshot: Snapshot, pairs: Collection[PairIds], page: int | None = None
) -> dict[str, Any]:
    """The links of these pairs, as `link --json` prints them."""
    return {"pairs": [_pair_json(snapshot, talk, slides, page) for talk, slides in pairs]}


def _pair_json(snapshot: Snapshot, talk: str, slides: str, page: int | None) -> dict[str, Any]:
    rows = _rows(snapshot, talk, slides, page)
    areas = _areas(snapshot, slides, rows)
    return {
        "talk": source_json(snapshot.sources[talk]),
        "slides": source_json(snapshot.sources[slides]),
        "page_on_screen": [
            {"page": one.page, "page_label": areas[one.page].label, **on_screen_json(one)}
            for one in rows
        ],
    }


def print_links(
    console: Console, snapshot: Snapshot, pairs: Collection[PairIds], page: int | None = None
) -> None:
    """A heading for each pair, then its pages in the order of the talk; what was said of one."""
    for talk, slides in pairs:
        rows = _rows(snapshot, talk, slides, page)
        head = Text(f"{snapshot.sources[talk].name} - {snapshot.sources[slides].name}", "bold cyan")
        counted = f"{len(rows)} spans of {len({one.page for one in rows})} pages"
        console.print(head.append(f"  {counted}", "dim"), soft_wrap=True)
        areas = _areas(snapshot, slides, rows)
        for one in rows:
            line = f"  {format_place(one.span)}  {format_place(areas[one.page])}"
            said = "" if page is None else f"  {one.said}"
            console.print(line + said, markup=False, highlight=False, soft_wrap=True)
    if not pairs:
        console.print(
            "no talk and document clearly belong together; name them: secondsight link TALK SLIDES"
        )


def tie_lines(on_screen: Sequence[OnScreen], shown_page: ShownPage | None) -> list[str]:
    """What ties a result to a talk or its slides, in one short line a talk; empty without ties."""
    lines = []
    if shown_page is not None:
        lines.append(f"slide: {shown_page.source.name} {format_place(shown_page.area)}")
    for _, group in groupby(on_screen, key=lambda one: one.source.id):
        shown = list(group)
        times = ", ".join(format_place(one.span) for one in shown[:_LISTED])
        more = f" and {len(shown) - _LISTED} more" if len(shown) > _LISTED else ""
        said = next((one.said for one in shown if one.said), "")
        quoted = f': "{_cut(said)}"' if said else ""
        lines.append(f"on screen: {shown[0].source.name} {times}{more}{quoted}")
    return lines


def _cut(said: str) -> str:
    said = " ".join(said.split())
    return said if len(said) <= SAID_SHOWN else said[: SAID_SHOWN - 1].rstrip() + "…"


def _rows(snapshot: Snapshot, talk: str, slides: str, page: int | None) -> list[OnScreen]:
    rows = pages_on_screen(snapshot, slides, page)
    return [one for one in rows if one.source.id == talk]


def _areas(snapshot: Snapshot, slides: str, rows: Sequence[OnScreen]) -> dict[int, PageArea]:
    """The pages of these rows by number, each read once."""
    return {page: page_area(snapshot, slides, page) for page in {one.page for one in rows}}


def source_json(source: Source) -> dict[str, str]:
    """How JSON names a source everywhere."""
    return {"id": source.id, "name": source.name}
