"""What is compared: the whole search, its parts alone, and what one would build in an afternoon."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PIL.Image import Image

from benchmarks.retrieval.questions import Question
from benchmarks.retrieval.scores import Answer, Outcome, outcome_of
from index.embedders import Embedder, ImageEmbeddings
from index.records import MomentKind, PageArea, Source, Span
from index.snapshot import Snapshot
from retrieve.filters import Filters, kind_mask
from retrieve.lists import TEXT_KINDS
from retrieve.result import SearchResult
from retrieve.search import search
from retrieve.settings import RetrieveSettings

K = 10
Vectors = npt.NDArray[np.float32]
Ask = Callable[[str], SearchResult]
"""A question's text to ranked hits."""


@dataclass(frozen=True, slots=True)
class System:
    """One of those compared."""

    name: str
    answer: Callable[[str], tuple[list[Answer], bool]]
    """A question's text to at most K answers, best first, and whether none is to be shown."""


class Remembering:
    """The embedder of the library, which embeds a question once for all systems."""

    def __init__(self, embedder: Embedder) -> None:
        self._own = embedder
        self.identity = embedder.identity
        self._known: dict[str, Vectors] = {}

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """As the embedder's."""
        for text in texts:
            if text not in self._known:
                self._known[text] = self._own.embed_queries([text])[0]
        return np.stack([self._known[text] for text in texts])

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """As the embedder's."""
        return self._own.embed_texts(texts)

    def embed_images(self, images: Sequence[Image]) -> ImageEmbeddings:
        """As the embedder's."""
        return self._own.embed_images(images)


def systems(snapshot: Snapshot, embedder: Embedder, settings: RetrieveSettings) -> Iterator[System]:
    """The whole, then its parts, then the two baselines."""

    def searching(settings: RetrieveSettings, *kinds: MomentKind) -> Ask:
        filters = Filters(kinds=kinds or None)
        return lambda text: search(
            snapshot, embedder, text, k=K, filters=filters, settings=settings
        )

    dense = replace(settings, words_weight=0.0, verbatim_share=0.0)
    words = replace(settings, meaning_weight=0.0, pictures_weight=0.0, alike_pictures_weight=0.0)
    asks: dict[str, Ask] = {
        "fused": searching(settings),
        "dense alone": searching(dense),
        "lexical alone": searching(words),
        "speech alone": searching(settings, MomentKind.UTTERANCE),
        "on-screen text alone": searching(settings, MomentKind.SCREEN_TEXT),
        "documents alone": searching(settings, MomentKind.PASSAGE),
        "pictures alone": searching(settings, MomentKind.FRAME),
    }
    for name, ask in asks.items():
        yield System(name, _searching(ask))
    yield System("naive: whisper and MiniLM", lambda text: naive(snapshot, embedder, text))
    yield System("BM25 alone", lambda text: bm25(snapshot, text))


def _searching(ask: Ask) -> Callable[[str], tuple[list[Answer], bool]]:
    def answer(text: str) -> tuple[list[Answer], bool]:
        found = ask(text)
        answers = [answer_at(hit.source, hit.place, hit.confidence) for hit in found.hits]
        return answers, not found.found

    return answer


def naive(snapshot: Snapshot, embedder: Embedder, text: str) -> tuple[list[Answer], bool]:
    """Cosines of the question with every sentence of the transcripts and every passage."""
    vector = embedder.embed_queries([text])[0]
    kinds = kind_mask(snapshot, (MomentKind.UTTERANCE, MomentKind.PASSAGE))
    ids, cosines = snapshot.search_vectors(vector, K, mode="thorough", allowed=kinds)
    return moments_at(snapshot, ids.tolist(), np.clip(cosines, 0, 1).tolist()), False


def bm25(snapshot: Snapshot, text: str) -> tuple[list[Answer], bool]:
    """The moments that match words best, as they are."""
    ids, scores = snapshot.search_words(text, K, allowed=kind_mask(snapshot, TEXT_KINDS))
    return moments_at(snapshot, ids.tolist(), (scores / (scores + 10)).tolist()), not len(ids)


def moments_at(
    snapshot: Snapshot, ids: Sequence[int], confidences: Sequence[float]
) -> list[Answer]:
    return [
        answer_at(stored.source, stored.moment.place, confidence)
        for stored, confidence in zip(snapshot.moments(ids), confidences, strict=True)
    ]


def answer_at(source: Source, place: Span | PageArea, confidence: float) -> Answer:
    """A place that a system names."""
    if isinstance(place, Span):
        return Answer(source.name, place.start_s, place.end_s, 0, confidence)
    return Answer(source.name, 0.0, 0.0, place.page, confidence)


def run(system: System, questions: Sequence[Question]) -> list[Outcome]:
    """Ask a system everything."""
    outcomes = []
    for question in questions:
        started = time.perf_counter()
        answers, abstains = system.answer(question.text)
        took_ms = (time.perf_counter() - started) * 1000
        outcomes.append(outcome_of(question, answers, abstains=abstains, took_ms=took_ms))
    return outcomes
