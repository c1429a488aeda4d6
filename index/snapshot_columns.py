"""The columns of a snapshot: all its moments, read from the shards' catalogs into arrays."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from index.columns import MOMENT_KINDS, MomentColumns
from index.numbering import Numbering
from index.ranking import Ids, Mask
from index.records import MomentKind

_MASKS_KEPT = 4


@dataclass(frozen=True, slots=True)
class Columns:
    """What scoring and merging need of every moment, one array each, indexed by global id."""

    source_index: npt.NDArray[np.int32]
    """Position in `Snapshot.source_ids`."""
    segment: npt.NDArray[np.int64]
    """Global segment number."""
    kind: npt.NDArray[np.int8]
    """Position in `index.catalog.MOMENT_KINDS`."""
    start_s: npt.NDArray[np.float64]
    """Seconds; NaN in documents."""
    end_s: npt.NDArray[np.float64]
    """Seconds, exclusive; NaN in documents."""
    page: npt.NDArray[np.int32]
    """Counted from 1; 0 in videos."""
    _masks: dict[frozenset[MomentKind], Mask] = field(default_factory=dict, repr=False)

    def of_kinds(self, kinds: Collection[MomentKind]) -> Mask:
        """Which moments are of these kinds: (num_moments,) bool, read-only.

        The last ones asked for are kept: every search asks for texts and for pictures.
        """
        wanted = frozenset(kinds)
        mask = self._masks.get(wanted)
        if mask is None:
            mask = np.isin(self.kind, [MOMENT_KINDS.index(kind) for kind in wanted])
            mask.flags.writeable = False
            if len(self._masks) >= _MASKS_KEPT:
                self._masks.clear()
            self._masks[wanted] = mask
        return mask


def joined_columns(
    parts: Sequence[MomentColumns],
    sources: tuple[Ids, Numbering],
    segments: tuple[Ids, Numbering],
    moments: Numbering,
) -> Columns:
    """The columns of shards as one, of what is kept of them.

    Of sources and segments: where the numbers of each shard start, and which are kept.
    """
    no_int64 = np.zeros(0, dtype=np.int64)
    no_float = np.zeros(0, dtype=np.float64)
    kept = moments.kept
    source_starts, kept_sources = sources
    segment_starts, kept_segments = segments
    of_sources = [part.source + start for part, start in zip(parts, source_starts, strict=False)]
    of_segments = [part.segment + start for part, start in zip(parts, segment_starts, strict=False)]
    return Columns(
        source_index=kept_sources.seen(kept(np.concatenate([no_int64, *of_sources]))).astype(
            np.int32
        ),
        segment=kept_segments.seen(kept(np.concatenate([no_int64, *of_segments]))),
        kind=kept(np.concatenate([no_int64.astype(np.int8), *(part.kind for part in parts)])),
        start_s=kept(np.concatenate([no_float, *(part.start_s for part in parts)])),
        end_s=kept(np.concatenate([no_float, *(part.end_s for part in parts)])),
        page=kept(np.concatenate([no_int64.astype(np.int32), *(part.page for part in parts)])),
    )
