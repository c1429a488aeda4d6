"""Hits and places as JSON: stable fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from index.records import Box, PageArea, Source, Span
from retrieve.on_screen import OnScreen, ShownPage
from secondsight.asked import matched
from secondsight.link_command import on_screen_json, shown_page_json, source_json

if TYPE_CHECKING:
    from index.snapshot import Snapshot
    from retrieve.hits import Duplicate, Hit, Partner, PlacedLink
    from retrieve.result import SearchResult

_DECIMALS = 4


def place_json(place: Span | PageArea) -> dict[str, Any]:
    """The fields of a place; those of the other kind are null."""
    if isinstance(place, Span):
        return {
            "start_s": place.start_s,
            "end_s": place.end_s,
            "page": None,
            "page_label": None,
            "boxes": None,
        }
    return {
        "start_s": None,
        "end_s": None,
        "page": place.page,
        "page_label": place.label,
        "boxes": [_box_json(box) for box in place.boxes],
    }


def hit_json(hit: Hit, result: SearchResult, snapshot: Snapshot) -> dict[str, Any]:
    """A hit, as `search --json` prints it."""
    return {
        "rank": hit.rank,
        "score": hit.score,
        "confidence": round(hit.confidence, _DECIMALS),
        "source": _source_json(hit.source, snapshot.paths(hit.source.id)),
        **place_json(hit.place),
        "moment": f"{hit.source.id}/{hit.ordinal}",
        "headline": hit.headline,
        "text": hit.text,
        "highlights": matched(result, hit.text),
        "words": [
            {"text": word.text.strip(), "start_s": word.span.start_s, "end_s": word.span.end_s}
            for word in hit.words
        ],
        "reasons": [
            {"kind": reason.kind, "score": reason.score, "text": reason.text}
            for reason in hit.reasons
        ],
        "partners": [_partner_json(one) for one in hit.partners],
        "thumbnail": hit.thumbnail,
        "duplicates": [_duplicate_json(one, snapshot) for one in hit.duplicates],
        **ties_json(hit.on_screen, hit.shown_page),
        "hyperlinks": [_link_json(placed, hit.text) for placed in hit.links],
    }


def ties_json(on_screen: Sequence[OnScreen], shown_page: ShownPage | None) -> dict[str, Any]:
    """What ties slides to a talk: of a hit or a citation."""
    return {
        "on_screen": [on_screen_json(one) for one in on_screen],
        "shown_page": shown_page_json(shown_page),
    }


def _source_json(source: Source, paths: Sequence[str]) -> dict[str, Any]:
    return {**source_json(source), "path": paths[-1] if paths else None, "kind": source.kind}


def _partner_json(partner: Partner) -> dict[str, Any]:
    source = partner.hit.source
    return {
        "relation": partner.relation,
        "expression": partner.expression,
        "score": partner.hit.score,
        "source": {**source_json(source), "kind": source.kind},
        "text": partner.hit.text,
        **place_json(partner.hit.place),
    }


def _duplicate_json(one: Duplicate, snapshot: Snapshot) -> dict[str, Any]:
    return {
        "score": one.score,
        "source": _source_json(one.source, snapshot.paths(one.source.id)),
        **place_json(one.place),
    }


def _link_json(placed: PlacedLink, text: str) -> dict[str, Any]:
    """The words that carry a link, where they are printed, and its address or page."""
    link = placed.link
    page = link.target if isinstance(link.target, PageArea) else None
    return {
        "start": link.start,
        "end": link.end,
        "text": text[link.start : link.end],
        "boxes": [_box_json(box) for box in placed.boxes],
        "address": link.target if isinstance(link.target, str) else None,
        "page": page.page if page else None,
        "page_label": page.label if page else None,
    }


def _box_json(box: Box) -> list[float]:
    return [round(value, 2) for value in (box.x0, box.y0, box.x1, box.y1)]
