"""What is like a question, as ranked lists: by meaning, by pictures, by words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from index.records import MomentKind
from index.word_query import parse_query
from retrieve.filters import Filters, kind_mask
from retrieve.fusion import RankedList

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from index.snapshot import Snapshot
    from retrieve.query import Query
    from retrieve.settings import RetrieveSettings

TEXT_KINDS = (
    MomentKind.UTTERANCE,
    MomentKind.SCREEN_TEXT,
    MomentKind.PASSAGE,
    MomentKind.FIGURE,
)
"""Kinds whose vectors come from words."""
PICTURE_KINDS = (MomentKind.FRAME, MomentKind.PAGE)
"""Kinds whose vectors come from pictures; their cosines have another scale."""


@dataclass(frozen=True, slots=True)
class Found:
    """One vector list: moment ids, best first, and their cosines."""

    moment_ids: list[int]
    cosines: list[float]


def by_vector(
    snapshot: Snapshot,
    vector: NDArray[np.float32],
    kinds: tuple[MomentKind, ...],
    *,
    allowed: NDArray[np.bool_] | None,
    count: int,
    settings: RetrieveSettings,
) -> Found:
    """The `count` moments of these kinds whose vectors are most like `vector`, (d,) unit."""
    mask = _masked(snapshot, kinds, allowed)
    if not mask.any():
        return Found([], [])
    moment_ids, cosines = snapshot.search_vectors(
        vector,
        count,
        mode=_mode(snapshot, settings),
        probes=settings.vectors.probes,
        allowed=mask,
    )
    # equal cosines (repeated slides) in the order of the library, whatever the index did
    order = np.lexsort((moment_ids, -cosines))
    return Found(
        [int(moment_id) for moment_id in moment_ids[order]],
        [float(cosine) for cosine in cosines[order]],
    )


def by_words(
    snapshot: Snapshot,
    query: Query,
    filters: Filters,
    allowed: NDArray[np.bool_] | None,
    count: int,
) -> list[int]:
    """Ids of the `count` moments that match words best.

    Pages repeat their passages, and labels of frames are guesses: only searched by name.
    `phrases`: whether what stands in double quotes must occur as such.
    """
    mask = _masked(snapshot, filters.kinds or TEXT_KINDS, allowed)
    if not mask.any():
        return []
    moment_ids, scores = snapshot.search_words(
        query.text, count, allowed=mask, phrases=query.phrases, typos=query.typos
    )
    return [int(moment_id) for moment_id in moment_ids[np.lexsort((moment_ids, -scores))]]


def holding_phrases(
    snapshot: Snapshot, query: Query, filters: Filters, allowed: NDArray[np.bool_] | None
) -> NDArray[np.bool_] | None:
    """The allowed moments in which all phrases of a query occur; None when it requires none."""
    if query.phrases == "prefer" or not parse_query(query.text).phrases:
        return None
    mask = np.zeros(snapshot.num_moments, dtype=np.bool_)
    mask[by_words(snapshot, query, filters, allowed, snapshot.num_moments)] = True
    return mask


def _masked(
    snapshot: Snapshot, kinds: tuple[MomentKind, ...], allowed: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    mask = kind_mask(snapshot, kinds)
    return mask if allowed is None else mask & allowed


def _mode(snapshot: Snapshot, settings: RetrieveSettings) -> Literal["fast", "thorough"]:
    vectors = settings.vectors
    if vectors.mode != "auto":
        return vectors.mode
    return "thorough" if snapshot.num_moments <= vectors.thorough_up_to else "fast"


def weighed_lists(
    texts: Found,
    pictures: Found,
    words: list[int],
    best_cosine: float | None,
    settings: RetrieveSettings,
) -> list[RankedList]:
    """Pictures much like the question count, alone; others only where no text speaks for itself."""
    alike = [
        moment_id
        for moment_id, cosine in zip(pictures.moment_ids, pictures.cosines, strict=True)
        if cosine >= settings.alike_pictures_cosine
    ]
    has_text = bool(words) or (
        best_cosine is not None and best_cosine >= settings.text_evidence_cosine
    )
    if alike:
        seen = RankedList(alike, settings.alike_pictures_weight)
    elif has_text:
        seen = RankedList(pictures.moment_ids, settings.pictures_weight)
    else:
        seen = RankedList(pictures.moment_ids, settings.meaning_weight)
    return [
        RankedList(texts.moment_ids, settings.meaning_weight),
        RankedList(words, settings.words_weight),
        seen,
    ]
