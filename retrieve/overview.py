"""What there is in a stretch or at an instant, when a question asks for nothing else.

A stretch is cut into k runs with as many moments each; of every run that moment is shown which is
most like all of it (by cosine to the mean). In the order of the library: by source, then time or
page. Of an instant, what is nearest to it is shown, nearest first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retrieve.building import build_hits
from retrieve.filters import kind_mask
from retrieve.hits import Candidate, Hit
from retrieve.lists import PICTURE_KINDS, TEXT_KINDS

if TYPE_CHECKING:
    from index.ranking import Mask
    from index.snapshot import Snapshot
    from retrieve.settings import RetrieveSettings

Ids = npt.NDArray[np.int64]

_LOOKED_AT = 5000
"""Moments at most; of more an even sample."""


def overview(
    snapshot: Snapshot,
    allowed: Mask | None,
    *,
    k: int,
    settings: RetrieveSettings,
    instants: Iterable[tuple[str, Fraction]] = (),
) -> tuple[Hit, ...]:
    """At most k moments of those allowed ((num_moments,) bool; None: all).

    With instants (source id, seconds) those nearest to one. Scores, 0..1: the likeness to the rest
    of the run; one by the seconds to the instant and one more.
    """
    may = np.ones(snapshot.num_moments, dtype=np.bool_) if allowed is None else allowed
    ids = np.flatnonzero(may & kind_mask(snapshot, TEXT_KINDS))
    if not len(ids):
        ids = np.flatnonzero(may & kind_mask(snapshot, PICTURE_KINDS))
    if not len(ids):
        return ()
    by_source = _by_source(snapshot, instants)
    chosen = _nearest(snapshot, ids, by_source, k) if by_source else _typical(snapshot, ids, k)
    texts = snapshot.texts([moment_id for moment_id, _ in chosen])
    hits = [
        build_hits(snapshot, [Candidate(one, score, None)], "", k=1, settings=settings)[0]
        for one, (_, score) in zip(texts, chosen, strict=True)
    ]
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate(hits, start=1))


def _typical(snapshot: Snapshot, ids: Ids, k: int) -> list[tuple[int, float]]:
    """A moment of each of k runs, and how like the run it is."""
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
    return chosen


def _by_source(
    snapshot: Snapshot, instants: Iterable[tuple[str, Fraction]]
) -> dict[int, list[float]]:
    """The instants of each source, by its place in the snapshot."""
    places = {source_id: place for place, source_id in enumerate(snapshot.source_ids)}
    found: dict[int, list[float]] = {}
    for source_id, instant in instants:
        found.setdefault(places[source_id], []).append(float(instant))
    return found


def _nearest(
    snapshot: Snapshot, ids: Ids, instants: dict[int, list[float]], k: int
) -> list[tuple[int, float]]:
    """The k moments nearest to an instant of their source; of those around it, the shortest."""
    columns = snapshot.columns
    start_s, end_s = columns.start_s[ids], columns.end_s[ids]
    gaps_s = np.full(len(ids), np.inf)
    for place, named in instants.items():
        own = columns.source_index[ids] == place
        for instant in named:
            gap_s = np.maximum(start_s[own] - instant, instant - end_s[own]).clip(min=0)
            gaps_s[own] = np.minimum(gaps_s[own], gap_s)
    order = np.lexsort((ids, end_s - start_s, gaps_s))[:k]
    return [(int(ids[one]), float(1 / (1 + gaps_s[one]))) for one in order]
