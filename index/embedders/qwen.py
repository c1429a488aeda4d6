"""The profile `qwen3-vl-embedding`: Qwen3-VL-Embedding, words and pictures in one vector.

Li et al., "Qwen3-VL-Embedding and Qwen3-VL-Reranker", 2026, through sentence-transformers. A text,
a picture, a clip or all of them together become one vector; the instruction is the system's turn.
Pictures of a video carry their times on its clock, as the model was trained to read them. Fewer
dims (`dims`) are a cut and a renormalisation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from index.embedders.base import ImageEmbeddings, JointInput, Vectors
from index.embedders.text_image import checkpoint_identity, encoded, load_checkpoint

if TYPE_CHECKING:
    from PIL.Image import Image

    from index.manifest import EmbedderIdentity
    from index.settings import EmbedderSettings

QUERY_INSTRUCTION = "Retrieve images or text relevant to the user's query."
DOCUMENT_INSTRUCTION = "Represent the user's input."
"""Both as the model's authors give them."""
TIMES_PER_S = 1000
"""Times are handed over as frame numbers of a video with so many frames a second."""
_CONTROL_TOKEN = re.compile(r"<\|([A-Za-z0-9_]+)\|>")


def without_control_tokens(text: str) -> str:
    """The text with what would steer Qwen's models (`<|im_end|>`) made plain."""
    return _CONTROL_TOKEN.sub(r"< |\1| >", text)


def qwen_identity(settings: EmbedderSettings) -> EmbedderIdentity:
    """See `index.embedders.embedder_identity`."""
    shaping: dict[str, object] = {
        "query_instruction": settings.query_instruction or QUERY_INSTRUCTION,
        "document_instruction": DOCUMENT_INSTRUCTION,
    }
    return checkpoint_identity(settings, shaping=shaping)


class QwenEmbedder:
    """Qwen3-VL-Embedding from a folder or a hub name."""

    def __init__(self, settings: EmbedderSettings) -> None:
        self.identity = qwen_identity(settings)
        self._settings = settings
        self._model, _ = load_checkpoint(settings, self.identity)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed questions, with the query instruction: (n, dims) float32, unit rows."""
        instruction = self._settings.query_instruction or QUERY_INSTRUCTION
        return self._embed_texts(texts, instruction)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed what is said or written: (n, dims) float32, unit rows, in the order given."""
        return self._embed_texts(texts, DOCUMENT_INSTRUCTION)

    def embed_images(self, images: Sequence[Image]) -> ImageEmbeddings:
        """Embed pictures of any size and mode; they get no names."""
        inputs = [{"image": image.convert("RGB")} for image in images]
        return ImageEmbeddings(self._embed_pictures(inputs), ("",) * len(images))

    def embed_joint(self, inputs: Sequence[JointInput]) -> Vectors:
        """One vector for all that an input shows and says: (n, dims) float32, unit rows."""
        return self._embed_pictures([_joint(one) for one in inputs])

    def _embed_texts(self, texts: Sequence[str], instruction: str) -> Vectors:
        encode = partial(
            self._model.encode, prompt=instruction, batch_size=self._settings.batch_size
        )
        plain = [without_control_tokens(text) for text in texts]
        return encoded(encode, plain, self.identity.dims)

    def _embed_pictures(self, inputs: Sequence[dict[str, Any]]) -> Vectors:
        encode = partial(
            self._model.encode,
            prompt=DOCUMENT_INSTRUCTION,
            batch_size=self._settings.picture_batch_size,
            processing_kwargs={"video": {"do_sample_frames": False, "cap_pixels_per_frame": True}},
        )
        return encoded(encode, inputs, self.identity.dims)


def _joint(one: JointInput) -> dict[str, Any]:
    """An input as sentence-transformers takes it. The order of its keys is that of the prompt."""
    parts: dict[str, Any] = {}
    pictures = [picture.convert("RGB") for picture in one.pictures]
    if one.times:
        parts["video"] = timed_clip(pictures, [round(time * TIMES_PER_S) for time in one.times])
    elif pictures:
        parts["image"] = pictures if len(pictures) > 1 else pictures[0]
    if one.text:
        parts["text"] = without_control_tokens(one.text)
    return parts


def timed_clip(pictures: Sequence[Image], times_ms: Sequence[int]) -> dict[str, Any]:
    """Pictures of a video with their times, which the prompt then says: `<3605.5 seconds>`.

    Times are written for pairs of pictures; the last of an odd number stands for itself. All
    pictures get the size of the first one, as frames of a video have.
    """
    import numpy as np

    size = pictures[0].size
    frames = [np.asarray(picture.resize(size)) for picture in pictures]
    times = list(times_ms)
    if len(frames) % 2:
        frames, times = [*frames, frames[-1]], [*times, times[-1]]
    return {
        "array": np.stack(frames),
        "video_metadata": {
            "fps": TIMES_PER_S,
            "total_num_frames": len(times),
            "frames_indices": times,
        },
    }
