"""What there is in a stretch, when a question asks for nothing else: its most typical moments.

The stretch is cut into k runs with as many moments each; of every run that moment is shown which
is most like all of it (by cosine to the mean). In the order of the library: by source, then time
or page.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from retrieve.building import build_hits
from retrieve.filters import kind_mask
from retrieve.hits import Candidate, Hit
from retrieve.lists import PICTURE_KINDS, TEXT_KINDS

if TYPE_CHECKING:
    from index.ranking import Mask
    from index.snapshot import Snapshot
    from retrieve.settings import RetrieveSettings

_LOOKED_AT = 5000
"""Moments at most; of more an even sample."""


def overview(
    snapshot: Snapshot, allowed: Mask | None, *, k: int, settings: RetrieveSettings
) -> tuple[Hit, ...]:
    """At most k typical moments of those allowed ((num_moments,) bool; None: all).

    Scores are the likeness to the rest of the run, 0..1.
    """
    may = np.ones(snapshot.num_moments, dtype=np.bool_) if allowed is None else allowed
    ids = np.flatnonzero(may & kind_mask(snapshot, TEXT_KINDS))
    if not len(ids):
        ids = np.flatnonzero(may & kind_mask(snapshot, PICTURE_KINDS))
    if not len(ids):
        return ()
    ids = ids[:: -(-len(ids) // _LOOKED_AT)]
    columns = snapshot.columns
    order = np.lexsort((ids, columns.start_s[ids], columns.source_index[ids]))
    ids = ids[order]
    vectors = snapshot.vectors(ids)
    chosen: list[tuple[int, float]] = []
    for own in np.array_split(np.arange(len(ids)), min(k, len(ids))):
        mean = vectors[own].mean(axis=0)
        cosines = vectors[own] @ mean / max(float(np.linalg.norm(mean)), 1e-9)
        best = int(np.argmax(cosines))
        chosen.append((int(ids[own[best]]), min(max(float(cosines[best]), 0.0), 1.0)))
    texts = snapshot.texts([moment_id for moment_id, _ in chosen])
    hits = [
        build_hits(snapshot, [Candidate(one, score, None)], "", k=1, settings=settings)[0]
        for one, (_, score) in zip(texts, chosen, strict=True)
    ]
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate(hits, start=1))
