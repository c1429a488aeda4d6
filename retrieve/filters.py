"""What a search may look at, decided before anything is ranked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from index.catalog import MOMENT_KINDS
from index.errors import QuestionError
from index.records import MomentKind, Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from index.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions that all must hold; None: no condition."""

    sources: tuple[str, ...] | None = None
    """Ids of sources."""
    kinds: tuple[MomentKind, ...] | None = None
    within: Span | None = None
    """Only what overlaps this span of its source; documents have no times and fall out."""


def allowed_moments(snapshot: Snapshot, filters: Filters) -> NDArray[np.bool_] | None:
    """Which moments may be found: (num_moments,) bool, or None when all may.

    Raises QuestionError for a source that the library does not hold.
    """
    if filters == Filters():
        return None
    columns = snapshot.columns
    allowed = np.ones(snapshot.num_moments, dtype=np.bool_)
    if filters.sources is not None:
        allowed &= np.isin(columns.source_index, _source_indexes(snapshot, filters.sources))
    if filters.kinds is not None:
        allowed &= kind_mask(snapshot, filters.kinds)
    if filters.within is not None:
        # comparisons with the NaN of documents are False
        allowed &= columns.start_s < filters.within.end_s
        allowed &= columns.end_s > filters.within.start_s
    return allowed


def kind_mask(snapshot: Snapshot, kinds: tuple[MomentKind, ...]) -> NDArray[np.bool_]:
    """Which moments are of these kinds: (num_moments,) bool."""
    numbers = [MOMENT_KINDS.index(kind) for kind in kinds]
    return np.isin(snapshot.columns.kind, numbers)


def _source_indexes(snapshot: Snapshot, wanted: tuple[str, ...]) -> list[int]:
    unknown = [source for source in wanted if source not in snapshot.sources]
    if unknown:
        raise QuestionError(
            f"no source {unknown[0]!r} in the library; `secondsight status` lists what there is"
        )
    return [index for index, source in enumerate(snapshot.source_ids) if source in wanted]
