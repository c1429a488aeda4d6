"""The profile `sentence-transformers`: any checkpoint with texts and pictures in one space.

CLIP (Radford et al. 2021), SigLIP 2 (Tschannen et al. 2025) and their kin, from a folder or a hub
name. Pictures are seen as they are and get no names. Texts longer than the model reads (77 tokens
of CLIP, 64 of SigLIP) are seen up to there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from index.embedders.base import ImageEmbeddings, Vectors, settings_hash
from index.embedders.loading import (
    checkpoint_folder,
    fingerprint,
    full_dims,
    load_sentence_transformer,
    model_config,
)
from index.errors import ModelMissingError, SettingsError
from index.manifest import EmbedderIdentity

if TYPE_CHECKING:
    from PIL.Image import Image

    from index.settings import EmbedderSettings

_PADDED_FULL = ("siglip", "siglip2")
"""Models that have only seen texts padded to their whole length."""


def text_image_identity(settings: EmbedderSettings) -> EmbedderIdentity:
    """See `index.embedders.embedder_identity`."""
    return checkpoint_identity(settings, shaping={})


def checkpoint_identity(
    settings: EmbedderSettings, *, shaping: dict[str, object]
) -> EmbedderIdentity:
    """Identity of a checkpoint: its content, its dims and what else is `shaping` the vectors.

    Device and dtype only round. Raises ModelMissingError, or SettingsError for too many dims.
    """
    assert settings.model is not None
    folder = checkpoint_folder(settings.model, settings.revision)
    dims, full = settings.dims, full_dims(folder)
    if dims is not None and dims > full:
        raise SettingsError(f"index.embedder.dims: {settings.model} has {full} dims, not {dims}")
    return EmbedderIdentity(
        id=f"{settings.profile} {model_config(folder).get('model_type', 'checkpoint')}",
        revision=f"content {fingerprint(folder)}",
        dims=dims or full,
        settings_hash=settings_hash({"profile": settings.profile, **shaping}),
    )


def load_checkpoint(settings: EmbedderSettings, identity: EmbedderIdentity) -> tuple[Any, Path]:
    """The model that `settings` name, and its folder. Raises ModelMissingError."""
    assert settings.model is not None
    folder = checkpoint_folder(settings.model, settings.revision)
    model = load_sentence_transformer(
        folder, device=settings.device or "cpu", threads=settings.threads, dtype=settings.dtype
    )
    missing = [kind for kind in ("text", "image") if not model.supports(kind)]
    if missing:
        raise ModelMissingError(
            f"the checkpoint {folder} embeds no {missing[0]}; name one that embeds texts and "
            "pictures in one space, such as CLIP or SigLIP 2"
        )
    dims = model.get_embedding_dimension()
    if dims is not None and dims < identity.dims:
        raise ModelMissingError(f"the checkpoint {folder} has {dims} dims, not {identity.dims}")
    return model, folder


class TextImageEmbedder:
    """One vector a text or picture, from a checkpoint of sentence-transformers."""

    def __init__(self, settings: EmbedderSettings) -> None:
        self.identity = text_image_identity(settings)
        self._settings = settings
        self._model, folder = load_checkpoint(settings, self.identity)
        self._text_processing = _text_processing(model_config(folder))

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed questions: (n, dims) float32, unit rows, with the checkpoint's prompt if any."""
        return self._embed_texts(self._model.encode_query, texts)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed what is said or written: (n, dims) float32, unit rows, in the order given."""
        return self._embed_texts(self._model.encode_document, texts)

    def embed_images(self, images: Sequence[Image]) -> ImageEmbeddings:
        """Embed pictures of any size and mode; they get no names."""
        encode = partial(self._model.encode, batch_size=self._settings.picture_batch_size)
        pictures = [image.convert("RGB") for image in images]
        vectors = encoded(encode, pictures, self.identity.dims)
        return ImageEmbeddings(vectors, ("",) * len(images))

    def _embed_texts(self, encode: Any, texts: Sequence[str]) -> Vectors:
        whole = partial(
            encode,
            batch_size=self._settings.batch_size,
            processing_kwargs={"text": self._text_processing},
        )
        return encoded(whole, texts, self.identity.dims)


def encoded(encode: Any, inputs: Sequence[Any], dims: int) -> Vectors:
    """What a model makes of its inputs, cut to `dims` and renormalised: (n, dims) unit rows.

    Cutting is what Matryoshka representations are trained for (Kusupati et al., NeurIPS 2022).
    """
    if not inputs:
        return np.empty((0, dims), np.float32)
    tensors = encode(
        list(inputs),
        show_progress_bar=False,
        convert_to_tensor=True,
        normalize_embeddings=True,
        truncate_dim=dims,
    )
    return np.ascontiguousarray(tensors.float().cpu().numpy(), dtype=np.float32)


def _text_processing(config: dict[str, Any]) -> dict[str, object]:
    """How texts are cut and padded: processors do not know how much their model reads."""
    length = (config.get("text_config") or {}).get("max_position_embeddings")
    if not isinstance(length, int):
        return {}
    padding = "max_length" if config.get("model_type") in _PADDED_FULL else True
    return {"max_length": length, "truncation": True, "padding": padding}
