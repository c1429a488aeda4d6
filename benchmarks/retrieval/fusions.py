"""Ways to join the lists of a search, compared on the moments themselves, before they are merged.

The first is the one that the search uses. Pictures are left out: the questions are those in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.retrieval.scores import Answer
from benchmarks.retrieval.systems import K, System, Vectors, moments_at
from index.embedders import Embedder
from index.snapshot import Snapshot
from retrieve.filters import Filters
from retrieve.framing import without_frame
from retrieve.fusion import RankedList, fuse, fuse_scores
from retrieve.lists import TEXT_KINDS, by_vector, by_words, text_cosines
from retrieve.query import Query
from retrieve.settings import RetrieveSettings

RANK_CONSTANTS = (5.0, 20.0, 60.0)
SEGMENT_WEIGHTS = (0.2, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the moments found for one question."""

    cosines: Mapping[int, float]
    shares: Mapping[int, float]
    """Of the highest word score."""
    segments: Mapping[int, float]
    """How much the joint vector of each moment's segment is like the question."""
    listed: tuple[RankedList, RankedList]
    """By meaning and by words, as the search weighed them before: 1 and 2."""


Fusion = Callable[[Evidence], list[tuple[int, float]]]


def fusions(snapshot: Snapshot, embedder: Embedder, settings: RetrieveSettings) -> Iterator[System]:
    """The ways, as systems."""
    joint = _segment_vectors(snapshot)
    meaning_weight, words_weight = settings.meaning_weight, settings.words_weight

    def squared(one: Evidence, segments: float = 0.0) -> list[tuple[int, float]]:
        meaning = {m: c + segments * one.segments[m] for m, c in one.cosines.items()}
        return fuse_scores(
            meaning, one.shares, {}, meaning_weight=meaning_weight, words_weight=words_weight
        )

    def linear(one: Evidence, weight: float) -> list[tuple[int, float]]:
        scores = {m: c + weight * one.shares.get(m, 0.0) for m, c in one.cosines.items()}
        return sorted(scores.items(), key=lambda pair: -pair[1])

    def ranked(one: Evidence, constant: float) -> list[tuple[int, float]]:
        return fuse(one.listed, rank_constant=constant)

    ways: dict[str, Fusion] = {"cosine + squared share of word score": squared}
    for weight in (0.5, 1.0, 2.0):
        ways[f"cosine + {weight:g} x share of word score"] = partial(linear, weight=weight)
    for constant in RANK_CONSTANTS:
        ways[f"reciprocal ranks, constant {constant:g}"] = partial(ranked, constant=constant)
    for weight in SEGMENT_WEIGHTS:
        name = f"the first + {weight:g} x cosine of the joint segment vector"
        ways[name] = partial(squared, segments=weight)
    ways["joint segment vector, then cosine"] = lambda one: sorted(
        one.cosines.items(), key=lambda pair: (-one.segments[pair[0]], -pair[1])
    )
    known: dict[str, Evidence] = {}
    for name, way in ways.items():
        yield System(name, _answering(snapshot, embedder, settings, joint, way, known))


def _answering(
    snapshot: Snapshot,
    embedder: Embedder,
    settings: RetrieveSettings,
    joint: Vectors,
    way: Fusion,
    known: dict[str, Evidence],
) -> Callable[[str], tuple[list[Answer], bool]]:
    def answer(text: str) -> tuple[list[Answer], bool]:
        if text not in known:
            known[text] = _evidence(snapshot, embedder, settings, joint, without_frame(text))
        best = way(known[text])[:K]
        ids, scores = [moment for moment, _ in best], [score for _, score in best]
        return moments_at(snapshot, ids, np.clip(scores, 0, 1).tolist()), not ids

    return answer


def _evidence(
    snapshot: Snapshot,
    embedder: Embedder,
    settings: RetrieveSettings,
    joint: Vectors,
    subject: str,
) -> Evidence:
    vector = embedder.embed_queries([subject])[0]
    count = settings.candidates
    texts = by_vector(snapshot, vector, TEXT_KINDS, allowed=None, count=count, settings=settings)
    words = by_words(snapshot, Query(subject), Filters(), None, count)
    cosines = text_cosines(snapshot, vector, texts, words)
    of_segments = joint @ vector
    return Evidence(
        cosines,
        dict(zip(words.moment_ids, words.shares, strict=True)),
        {moment: float(of_segments[snapshot.columns.segment[moment]]) for moment in cosines},
        (RankedList(texts.moment_ids, 1.0), RankedList(words.moment_ids, 2.0)),
    )


def _segment_vectors(snapshot: Snapshot) -> Vectors:
    """Joint vectors of all segments: the mean of their moments', (segments, d), unit."""
    vectors = snapshot.vectors(np.arange(snapshot.num_moments))
    joint = np.zeros((snapshot.num_segments, vectors.shape[1]), np.float32)
    np.add.at(joint, snapshot.columns.segment, vectors)
    lengths = np.linalg.norm(joint, axis=1, keepdims=True)
    normed: Vectors = (joint / np.maximum(lengths, 1e-9)).astype(np.float32)
    return normed
