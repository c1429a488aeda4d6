"""What stands at a place, and right before and after it: the moments with words, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from index.records import PageArea, Span
from retrieve.filters import kind_mask
from retrieve.lists import TEXT_KINDS

if TYPE_CHECKING:
    from index.ranking import Ids, Mask
    from index.snapshot import Snapshot

Side = Literal["before", "after"]
TOLERANCE_S = 0.05
"""Places that were written down and read again differ by rounding."""


def moments_there(
    snapshot: Snapshot, source_id: str, place: Span | PageArea, allowed: Mask | None
) -> Ids:
    """Moments with words at a place, in order: int64 global ids; of a page all.

    `allowed` ((num_moments,) bool; None: all) may leave some out. Empty where there is no such
    source.
    """
    ids = _with_words(snapshot, source_id, allowed)
    columns = snapshot.columns
    if isinstance(place, PageArea):
        return ids[np.flatnonzero(columns.page[ids] == place.page)]
    overlaps = columns.end_s[ids] > place.start_s + TOLERANCE_S
    overlaps &= columns.start_s[ids] < place.end_s - TOLERANCE_S
    return ids[np.flatnonzero(overlaps)]


def moments_beside(
    snapshot: Snapshot,
    source_id: str,
    place: Span | PageArea,
    side: Side,
    allowed: Mask | None,
    *,
    count: int,
) -> Ids:
    """At most `count` moments with words that go on after a place, or come before it, in order.

    Those of a span that it lies in are among them; those of the same page, too, beside the `count`
    of others. Otherwise as `moments_there`.
    """
    ids = _with_words(snapshot, source_id, allowed)
    columns = snapshot.columns
    if isinstance(place, PageArea):
        pages = columns.page[ids]
        same = ids[pages == place.page]
        if side == "after":
            return np.concatenate([same, ids[pages > place.page][:count]])
        return np.concatenate([ids[(pages > 0) & (pages < place.page)][-count:], same])
    if side == "after":
        return ids[columns.end_s[ids] > place.end_s + TOLERANCE_S][:count]
    return ids[columns.start_s[ids] < place.start_s - TOLERANCE_S][-count:]


def _with_words(snapshot: Snapshot, source_id: str, allowed: Mask | None) -> Ids:
    if source_id not in snapshot.sources:
        return np.zeros(0, dtype=np.int64)
    own = snapshot.source_range(source_id)
    mask = kind_mask(snapshot, TEXT_KINDS)[own.start : own.stop]
    if allowed is not None:
        mask = mask & allowed[own.start : own.stop]
    ids = np.flatnonzero(mask) + own.start
    starts = np.nan_to_num(snapshot.columns.start_s[ids])
    return np.asarray(ids[np.lexsort((ids, starts))], dtype=np.int64)
