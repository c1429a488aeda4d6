"""What is like a question, as ranked lists: by meaning, by pictures, by words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from index.records import MomentKind
from index.word_query import parse_query
from retrieve.filters import Filters, kind_mask

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


@dataclass(frozen=True, slots=True)
class Matches:
    """What matches words: moment ids, best first, and what share of the highest score each has."""

    moment_ids: list[int]
    shares: list[float]
    """0..1; 1: each word as often as can be counted."""


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
) -> Matches:
    """The `count` moments that match words best.

    Pages repeat their passages, and labels of frames are guesses: only searched by name.
    """
    mask = _masked(snapshot, filters.kinds or TEXT_KINDS, allowed)
    if not mask.any():
        return Matches([], [])
    moment_ids, scores = snapshot.search_words(
        query.text, count, allowed=mask, phrases=query.phrases, typos=query.typos
    )
    order = np.lexsort((moment_ids, -scores))
    highest = max(snapshot.highest_words_score(query.text, typos=query.typos), 1e-9)
    shares = np.minimum(1.0, scores[order] / highest)
    return Matches(moment_ids[order].tolist(), shares.tolist())


def holding_phrases(
    snapshot: Snapshot, query: Query, filters: Filters, allowed: NDArray[np.bool_] | None
) -> NDArray[np.bool_] | None:
    """The allowed moments in which all phrases of a query occur; None when it requires none."""
    if query.phrases == "prefer" or not parse_query(query.text).phrases:
        return None
    mask = np.zeros(snapshot.num_moments, dtype=np.bool_)
    matches = by_words(snapshot, query, filters, allowed, snapshot.num_moments)
    mask[matches.moment_ids] = True
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


def weighed_pictures(
    pictures: Found, has_text: bool, settings: RetrieveSettings
) -> dict[int, float]:
    """Likeness of pictures beside that of texts.

    Pictures much like the question count, alone; others fully only where no text speaks for itself.
    """
    found = dict(zip(pictures.moment_ids, pictures.cosines, strict=True))
    alike = {
        one: cosine for one, cosine in found.items() if cosine >= settings.alike_pictures_cosine
    }
    if alike:
        return {one: settings.alike_pictures_weight * cosine for one, cosine in alike.items()}
    weight = settings.pictures_weight if has_text else 1.0
    return {one: weight * max(0.0, cosine) for one, cosine in found.items()}


def text_cosines(
    snapshot: Snapshot, vector: NDArray[np.float32], texts: Found, words: Matches
) -> dict[int, float]:
    """How much every text that either list holds is like the question."""
    cosines = dict(zip(texts.moment_ids, texts.cosines, strict=True))
    missing = [moment_id for moment_id in words.moment_ids if moment_id not in cosines]
    if missing:
        found = snapshot.cosines(vector, np.array(missing, dtype=np.int64))
        cosines.update(zip(missing, found.tolist(), strict=True))
    return cosines
