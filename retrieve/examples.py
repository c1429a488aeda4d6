"""Search by example: what looks like a picture, or is like what is at a place, words beside it.

An example is compared with what is of its own sort, pictures with pictures and texts with texts,
where cosines are of one scale; with the other sort only where there is none of its own (an audio
archive, a filter on kinds). Words beside a picture are fused twice: their sum with the picture's
vector, the usual query for a picture with a change ("this, in snow"), ranks pictures; and where
words and example are found in one segment, both speak for its moments.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from index.catalog import MOMENT_KINDS
from index.records import MomentKind
from retrieve.fusion import RankedList, fuse
from retrieve.lists import PICTURE_KINDS, TEXT_KINDS, Found, by_vector
from retrieve.query import Query, moments_at

if TYPE_CHECKING:
    from index.embedders import Embedder
    from index.ranking import Ids, Mask, Vectors
    from index.snapshot import Snapshot
    from retrieve.settings import RetrieveSettings

_MOST_EXAMPLES = 12
_ALIKE_COSINE = 0.9
"""Neighbours in one source from this likeness on go on with the same thing."""
_BY_NEIGHBOURS = 0.9
"""What a segment's best evidence counts for its other moments."""


@dataclass(frozen=True, slots=True)
class Example:
    """One vector to look for."""

    vector: Vectors
    """(d,) unit."""
    is_picture: bool


@dataclass(frozen=True, slots=True)
class Alike:
    """What is like the examples."""

    fused: list[tuple[int, float]]
    """Moment ids and scores, best first."""
    lists: tuple[Found, ...]


def examples_of(snapshot: Snapshot, embedder: Embedder, query: Query) -> list[Example]:
    """What a query gives as examples; none when it is words only.

    Raises QuestionError when the place it names does not exist.
    """
    if query.picture is not None:
        return [Example(embedder.embed_images([query.picture]).vectors[0], is_picture=True)]
    if query.like is None:
        return []
    ids = moments_at(snapshot, query.like)[:_MOST_EXAMPLES]
    kinds = [MOMENT_KINDS[number] for number in snapshot.columns.kind[ids].tolist()]
    return [
        Example(vector, is_picture=kind in PICTURE_KINDS)
        for vector, kind in zip(_unit(snapshot.vectors(ids)), kinds, strict=True)
    ]


def find_alike(
    snapshot: Snapshot,
    examples: Sequence[Example],
    query: Query,
    words_vector: Vectors | None,
    *,
    allowed: Mask | None,
    count: int,
    settings: RetrieveSettings,
) -> Alike:
    """Look for the examples, of each `count` moments; `words_vector` (d,) is that of the text."""
    if query.like is not None:
        elsewhere = ~at_the_place(snapshot, moments_at(snapshot, query.like), settings.merge_gap_s)
        allowed = elsewhere if allowed is None else allowed & elsewhere

    def found(vector: Vectors, kinds: tuple[MomentKind, ...]) -> Found:
        return by_vector(snapshot, vector, kinds, allowed=allowed, count=count, settings=settings)

    lists = []
    for example in examples:
        own, other = (PICTURE_KINDS, TEXT_KINDS)[:: 1 if example.is_picture else -1]
        nearest = found(example.vector, own)
        lists.append(nearest if nearest.moment_ids else found(example.vector, other))
        if example.is_picture and words_vector is not None:
            lists.append(found(seen_and_said(example.vector, words_vector), PICTURE_KINDS))
    ranked = [RankedList(one.moment_ids, 1.0) for one in lists]
    return Alike(fuse(ranked, rank_constant=settings.rank_constant), tuple(lists))


def seen_and_said(picture: Vectors, words: Vectors) -> Vectors:
    """The direction between a picture's vector and that of words: (d,) unit."""
    return _unit((picture + words)[None, :]).reshape(-1)


def sight_of(examples: Sequence[Example], words_vector: Vectors | None) -> Vectors:
    """What pictures are to be like: (d,) unit; at least one example or `words_vector` is there."""
    pictures = [one.vector for one in examples if one.is_picture]
    vectors = pictures or [one.vector for one in examples]
    if not vectors:
        assert words_vector is not None
        return words_vector
    seen = _unit(np.mean(vectors, axis=0)[None, :]).reshape(-1)
    return seen if words_vector is None else seen_and_said(seen, words_vector)


def join_by_segment(
    snapshot: Snapshot,
    by_words: Sequence[tuple[int, float]],
    by_example: Sequence[tuple[int, float]],
) -> list[tuple[int, float]]:
    """Moments of both rankings, best first, ties by the smaller id; scores stay within 0..1.

    A moment's score is the mean of what both rankings say of it, as shares of their highest score;
    where one is silent, nine tenths of what it says of the best moment of the same segment count.
    """
    of_words, of_example = _shares_of_best(by_words), _shares_of_best(by_example)
    ids = np.array(sorted({*of_words, *of_example}), dtype=np.int64)
    segments = dict(zip(ids.tolist(), snapshot.columns.segment[ids].tolist(), strict=True))
    parts = [_spread(scores, segments) for scores in (of_words, of_example)]
    joined = {moment_id: sum(part[moment_id] for part in parts) / 2 for moment_id in segments}
    return sorted(joined.items(), key=lambda pair: (-pair[1], pair[0]))


def _shares_of_best(ranked: Sequence[tuple[int, float]]) -> dict[int, float]:
    """The scores as shares of the highest: those of words and of examples have other scales."""
    highest = max((score for _, score in ranked), default=0.0) or 1.0
    return {moment_id: score / highest for moment_id, score in ranked}


def _spread(scores: Mapping[int, float], segments: Mapping[int, int]) -> dict[int, float]:
    best: defaultdict[int, float] = defaultdict(float)
    for moment_id, score in scores.items():
        best[segments[moment_id]] = max(best[segments[moment_id]], score)
    return {
        moment_id: max(scores.get(moment_id, 0.0), _BY_NEIGHBOURS * best[segment])
        for moment_id, segment in segments.items()
    }


def at_the_place(snapshot: Snapshot, ids: Ids, gap_s: float) -> Mask:
    """The moments `ids` of one source, and what repeats them at the same place: (num_moments,).

    Those of the same sort that overlap them or are on their page, and neighbours on both sides as
    long as each is within `gap_s` and much like the moment.
    """
    columns = snapshot.columns
    mask = np.zeros(snapshot.num_moments, dtype=np.bool_)
    pictures = [MOMENT_KINDS.index(kind) for kind in PICTURE_KINDS]
    source = columns.source_index == columns.source_index[ids[0]]
    for moment_id in ids.tolist():
        sort = np.isin(columns.kind, pictures) == (columns.kind[moment_id] in pictures)
        same = np.flatnonzero(source & sort)
        mask[moment_id] = True
        if columns.page[moment_id] > 0:
            mask[same[columns.page[same] == columns.page[moment_id]]] = True
            continue
        mask[_around(snapshot, moment_id, same, gap_s)] = True
    return mask


def _around(snapshot: Snapshot, moment_id: int, same: Ids, gap_s: float) -> Ids:
    """Of `same`, what overlaps a moment of a video or goes on with it."""
    starts, ends = snapshot.columns.start_s, snapshot.columns.end_s
    start_s, end_s = starts[moment_id], ends[moment_id]
    taken = same[(starts[same] < end_s) & (ends[same] > start_s)]
    vector = _unit(snapshot.vectors(np.array([moment_id])))[0]
    in_time = same[np.argsort(starts[same], kind="stable")]
    later = in_time[starts[in_time] >= end_s]
    earlier = in_time[ends[in_time] <= start_s][::-1]
    joined = [taken]
    for neighbours, forward in ((later, True), (earlier, False)):
        edge_s = end_s if forward else start_s
        for number in neighbours.tolist():
            gap = starts[number] - edge_s if forward else edge_s - ends[number]
            alike = _unit(snapshot.vectors(np.array([number])))[0] @ vector
            if gap > gap_s or alike < _ALIKE_COSINE:
                break
            joined.append(np.array([number]))
            edge_s = max(edge_s, ends[number]) if forward else min(edge_s, starts[number])
    return np.concatenate(joined)


def _unit(rows: Vectors) -> Vectors:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12), dtype=np.float32)
