"""What a search was asked for, beside its text, as results tell it."""

from __future__ import annotations

from typing import Any

from index.highlights import Spans, highlights
from retrieve.result import SearchResult


def asked_json(result: SearchResult) -> dict[str, Any]:
    """The fields of what was asked for, those only that were: image, like, read_as."""
    asked: dict[str, Any] = {}
    if result.picture:
        asked["image"] = True
    if result.like is not None:
        time = result.like.time
        asked["like"] = {
            "source": result.like.source,
            "ordinal": result.like.ordinal,
            "time_s": None if time is None else float(time),
            "page": result.like.page,
        }
    if result.read_as:
        asked["read_as"] = {word: list(near) for word, near in result.read_as.items()}
    return asked


def matched(result: SearchResult, text: str) -> Spans:
    """The characters of a hit's text that match the query, mistyped words included."""
    near = [word for words in result.read_as.values() for word in words]
    return highlights(result.searched, text, near=near)
