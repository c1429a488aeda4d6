"""Words and pictures become unit vectors of one joint space, by the profile of the settings.

`default` (`index.embedders.minilm`) and `multilingual` (`index.embedders.e5`) work offline on the
CPU from models in Python packages; `sentence-transformers` (`index.embedders.text_image`) takes any
text-image checkpoint, `qwen3-vl-embedding` (`index.embedders.qwen`) sees words and pictures
together. `embedder_identity` needs no model and imports nothing heavy; `open_embedder` loads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from index.embedders.base import Embedder, ImageEmbeddings, JointEmbedder, JointInput

if TYPE_CHECKING:
    from index.manifest import EmbedderIdentity
    from index.settings import EmbedderSettings

JOINT_PROFILES = ("qwen3-vl-embedding",)
"""Profiles whose embedders are `JointEmbedder`s."""

__all__ = [
    "JOINT_PROFILES",
    "Embedder",
    "ImageEmbeddings",
    "JointEmbedder",
    "JointInput",
    "embedder_identity",
    "embeds_jointly",
    "open_embedder",
]


def embedder_identity(settings: EmbedderSettings) -> EmbedderIdentity:
    """Say which embedder `settings` mean, without loading it (milliseconds, no torch).

    Two embedders with the same identity give the same vectors, but for what processors round.
    Raises ModelMissingError when a model is not on this machine and cannot be fetched.
    """
    match settings.profile:
        case "default":
            from index.embedders.minilm import minilm_identity

            return minilm_identity()
        case "multilingual":
            from index.embedders.e5 import e5_identity

            return e5_identity()
        case "sentence-transformers":
            from index.embedders.text_image import text_image_identity

            return text_image_identity(settings)
        case "qwen3-vl-embedding":
            from index.embedders.qwen import qwen_identity

            return qwen_identity(settings)


def open_embedder(settings: EmbedderSettings) -> Embedder:
    """Load the models that `settings` name (the default: about 4 s, 1 GB).

    Only what a profile names on a hub, and is not on this machine, is fetched. Raises
    ModelMissingError when a model is missing or does not load.
    """
    match settings.profile:
        case "default":
            from index.embedders.minilm import MiniLmEmbedder

            return MiniLmEmbedder(settings)
        case "multilingual":
            from index.embedders.e5 import E5Embedder

            return E5Embedder(settings)
        case "sentence-transformers":
            from index.embedders.text_image import TextImageEmbedder

            return TextImageEmbedder(settings)
        case "qwen3-vl-embedding":
            from index.embedders.qwen import QwenEmbedder

            return QwenEmbedder(settings)


def embeds_jointly(embedder: Embedder) -> TypeGuard[JointEmbedder]:
    """True when it makes one vector of pictures and words together."""
    return hasattr(embedder, "embed_joint")
