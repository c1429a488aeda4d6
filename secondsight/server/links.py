"""Where a hit can be seen: the picture of its moment, and its media at the second or page."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil

from index.records import PageArea, Source, Span
from index.snapshot import Snapshot
from retrieve.hits import Hit


def hit_links(hit: Hit, snapshot: Snapshot) -> dict[str, str | None]:
    """Links of a hit: `picture` (None when there is none) and `media` with its fragment."""
    return {
        "picture": _picture_link(hit, snapshot),
        "media": media_link(hit.source.id) + place_fragment(hit.place, timeline_start(hit.source)),
    }


def media_link(source_id: str) -> str:
    """The path of a source's file."""
    return f"/v1/sources/{source_id}/media"


def timeline_start(source: Source) -> Fraction:
    """What the file's own timeline says at second 0 of a source; 0 for documents.

    Browsers count from the timestamps that a file holds, whatever number its content begins with
    (HTML Standard, 4.8.11.6, "media timeline"); other players begin at 0, as our clock does.
    """
    return Fraction(str(source.details.get("container_start_s", 0)))


def place_fragment(place: Span | PageArea, start: Fraction = Fraction(0)) -> str:
    """A span as `#t=start,end` (W3C Media Fragments URI 1.0, seconds), a page as `#page=n`.

    Fragments count on the file's own timeline, of which our second 0 is `start`. The span's start
    is exact, or up to 3 microseconds later: see `_seekable_s`.
    """
    if isinstance(place, Span):
        first, last = max(place.start + start, Fraction(0)), max(place.end + start, Fraction(0))
        return f"#t={_seconds(_seekable_s(first))},{_seconds(float(last))}"
    return f"#page={place.page}"


def _picture_link(hit: Hit, snapshot: Snapshot) -> str | None:
    if hit.thumbnail is None or hit.source.id not in snapshot.sources:  # or forgotten since
        return None
    if hit.thumbnail >= len(snapshot.source_range(hit.source.id)):  # read again since the search
        return None
    return f"/v1/moments/{hit.source.id}/{hit.thumbnail}/picture"


def _seekable_s(instant: Fraction) -> float:
    """The time to ask a player for, so that it shows the picture that begins at an instant.

    Chromium counts in whole microseconds. It rounds the times and lengths of pictures, and cuts
    off the time it is asked for: at 1001/30000 s, and even at 1.023 s (1022999.99... as a double),
    it would show the picture before.
    """
    return (ceil(instant * 1_000_000) + 2) / 1e6 if instant else 0.0


def _seconds(seconds: float) -> str:
    """The number that JSON shows, never with an exponent."""
    return format(Decimal(repr(seconds)), "f")
