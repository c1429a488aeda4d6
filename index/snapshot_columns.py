"""The columns of a snapshot: all its moments, read from the shards' catalogs into arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


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
