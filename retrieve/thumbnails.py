"""Which stored picture shows a moment: its own, the frame on the screen then, or its page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from index.catalog import MOMENT_KINDS
from index.records import MomentKind

if TYPE_CHECKING:
    from index.snapshot import Snapshot

_SEEN = (MomentKind.FRAME, MomentKind.PAGE, MomentKind.FIGURE)
"""Kinds of moments that have pictures of their own."""


def shown_by(
    snapshot: Snapshot, source_id: str, ordinal: int, *, at_s: float | None = None
) -> int | None:
    """Position within the source of the moment whose picture shows a moment; None: nothing does.

    That is the moment itself, the frame on the screen when it begins (or at `at_s`; before the
    first frame, the first), or the page it is on. Raises KeyError for an unknown source, IndexError
    for an unknown moment.
    """
    moments = snapshot.source_range(source_id)
    moment = moments[ordinal]
    columns = snapshot.columns
    kinds = columns.kind[moments.start : moments.stop]
    kind = MOMENT_KINDS[kinds[ordinal]]
    if kind in _SEEN:
        return ordinal
    if kind is MomentKind.PASSAGE:
        same_page = columns.page[moments.start : moments.stop] == columns.page[moment]
        pages = np.flatnonzero((kinds == MOMENT_KINDS.index(MomentKind.PAGE)) & same_page)
        return int(pages[0]) if len(pages) else None
    frames = np.flatnonzero(kinds == MOMENT_KINDS.index(MomentKind.FRAME))
    if len(frames) == 0:
        return None
    starts_s = columns.start_s[moments.start + frames]
    begun = np.flatnonzero(starts_s <= (columns.start_s[moment] if at_s is None else at_s))
    return int(frames[begun[np.argmax(starts_s[begun])] if len(begun) else np.argmin(starts_s)])
