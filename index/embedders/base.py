"""What every embedder is: texts and pictures become unit vectors of one joint space."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

    from index.manifest import EmbedderIdentity

Vectors = NDArray[np.float32]
"""(n, dims), unit rows."""


@dataclass(frozen=True, slots=True)
class ImageEmbeddings:
    """Pictures in the joint space, with what a classifier took them for."""

    vectors: Vectors
    """(n, dims), unit rows."""
    labels: tuple[str, ...]
    """Likeliest categories of each picture, best first: "Egyptian cat, tabby". "" from embedders
    that see pictures as they are, without naming them: such moments are found by their vector and
    have no text."""

    def __post_init__(self) -> None:
        if len(self.vectors) != len(self.labels):
            raise ValueError(
                f"one label a vector needed, got {self.vectors.shape = }, {len(self.labels) = }"
            )


@dataclass(frozen=True, slots=True)
class JointInput:
    """What one vector is to stand for: pictures and words together."""

    pictures: tuple[Image, ...]
    text: str
    times: tuple[Fraction, ...] = ()
    """When each picture is shown, in seconds on its video's clock; none for other pictures."""

    def __post_init__(self) -> None:
        if self.times and len(self.times) != len(self.pictures):
            raise ValueError(
                f"one time a picture needed, got {len(self.times)} for {len(self.pictures)}"
            )
        if not self.pictures and not self.text:
            raise ValueError("a joint vector needs pictures or text")


def settings_hash(shaping: Mapping[str, object]) -> str:
    """`EmbedderIdentity.settings_hash` of all but weights that shapes the vectors."""
    return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()[:16]


class Embedder(Protocol):
    """One joint space of words and pictures. Calls may come from several threads."""

    @property
    def identity(self) -> EmbedderIdentity:
        """What made the vectors, and how many components they have (`dims`)."""

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed questions: (n, dims) float32, unit rows, in the order given."""

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed what is said or written: (n, dims) float32, unit rows, in the order given."""

    def embed_images(self, images: Sequence[Image]) -> ImageEmbeddings:
        """Embed pictures of any size and mode."""


class JointEmbedder(Embedder, Protocol):
    """An embedder that sees pictures and words together."""

    def embed_joint(self, inputs: Sequence[JointInput]) -> Vectors:
        """One vector for all that an input shows and says: (n, dims) float32, unit rows."""
