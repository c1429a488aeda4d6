"""What Qwen3-VL sees in clips and pictures: computed once, kept as long as there is room.

Frames are looked at one clip at a time, so that what a clip gives does not depend on its
neighbours and memory stays that of one clip. Features are kept in main memory, the least recently
used go first.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generate.markers import in_pairs
from generate.prompt import ClipPart, PicturePart
from index.errors import BackendError

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    from generate.backends.qwen_tokens import SeenPart

_BYTES_OF_KEY = 16


@dataclass(frozen=True, slots=True)
class Features:
    """What is seen in one clip or picture, n tokens of it."""

    embeddings: torch.Tensor
    """(n, hidden size), in the place of the embeddings of its tokens."""
    deeper: tuple[torch.Tensor, ...]
    """(n, hidden size) each, added behind the first layers (DeepStack)."""

    @property
    def num_bytes(self) -> int:
        return sum(one.numel() * one.element_size() for one in (self.embeddings, *self.deeper))


@dataclass(frozen=True, slots=True)
class Preparation:
    """How pixels become numbers: (pixel - mean) / deviation for each of three colours."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]


class Eyes:
    """The vision encoder of a Qwen3-VL and what it saw."""

    def __init__(
        self, model: Any, *, pictures: Preparation, clips: Preparation, cache_bytes: int
    ) -> None:
        self._model = model
        self._pictures = pictures
        self._clips = clips
        self._cache_bytes = cache_bytes
        self._cached: OrderedDict[bytes, Features] = OrderedDict()
        self._used_bytes = 0

    def key_of(self, part: ClipPart | PicturePart) -> bytes:
        """What tells a part from all others. Pixels are loaded only where nothing else tells."""
        told = hashlib.sha256(f"{part.height_px} {part.width_px} ".encode())
        if isinstance(part, ClipPart):
            told.update(" ".join(map(str, part.times)).encode())
        if part.content:
            told.update(f" content {part.content}".encode())
        else:
            told.update(b" pixels ")
            for image in load_images(part):
                told.update(image.tobytes())
        return told.digest()[:_BYTES_OF_KEY]

    def look(self, seen: SeenPart, key: bytes) -> Features:
        """The features of a part, in main memory. Raises BackendError when it does not load."""
        known = self._cached.get(key)
        if known is not None:
            self._cached.move_to_end(key)
            return known
        features = self._encode(seen)
        self._keep(key, features)
        return features

    def forget(self) -> None:
        """Give all memory back."""
        self._cached.clear()
        self._used_bytes = 0

    def _keep(self, key: bytes, features: Features) -> None:
        if features.num_bytes > self._cache_bytes:
            return
        self._cached[key] = features
        self._used_bytes += features.num_bytes
        while self._used_bytes > self._cache_bytes:
            _, oldest = self._cached.popitem(last=False)
            self._used_bytes -= oldest.num_bytes

    def _encode(self, seen: SeenPart) -> Features:
        import torch

        device = self._model.device
        with torch.inference_mode():
            found = self._model.model.get_image_features(
                self.pixels_of(seen.part).to(device),
                torch.tensor([seen.grid], device=device),
                return_dict=True,
            )
        deeper = tuple(layer[0].cpu() for layer in found.deepstack_features)
        return Features(found.pooler_output[0].cpu(), deeper)

    def pixels_of(self, part: ClipPart | PicturePart) -> torch.Tensor:
        """Patches (n, 1536) in the dtype of the model, the very numbers of Qwen's processor."""
        import numpy as np
        import torch

        images = load_images(part)
        preparation = self._clips
        if isinstance(part, PicturePart):
            images, preparation = [*images, *images], self._pictures
        frames = torch.from_numpy(np.stack([np.asarray(image) for image in images]))
        return patches_of(frames, preparation).to(self._model.dtype)


def patches_of(frames: torch.Tensor, preparation: Preparation) -> torch.Tensor:
    """Frames (t, height, width, 3) uint8, t even, as patches (t h w / 512, 1536) float32.

    Patches of 2 x 16 x 16 px, in the order in which two by two become one token; rows hold colours,
    then time, then pixels. That is what `Qwen3VLVideoProcessor` makes of frames that it does not
    resize, with fewer copies.
    """
    import torch

    times, height, width, colours = frames.shape
    parts = (times // 2, 2, height // 32, 2, 16, width // 32, 2, 16, colours)
    patches = frames.view(parts).permute(0, 2, 5, 3, 6, 8, 1, 4, 7)
    numbers = torch.empty(patches.shape, dtype=torch.float32).copy_(patches)
    mean, deviation = (
        torch.tensor(each).view(colours, 1, 1, 1)
        for each in (preparation.mean, preparation.deviation)
    )
    return numbers.sub_(mean).div_(deviation).view(-1, colours * 2 * 16 * 16)


def load_images(part: ClipPart | PicturePart) -> Sequence[Image]:
    """The pixels of a part: an even number of frames of a clip, or one picture.

    Raises BackendError when what is loaded is not what the part says.
    """
    if isinstance(part, PicturePart):
        images: Sequence[Image] = [part.load()]
        expected = 1
    else:
        images = list(part.load())
        expected = len(part.times)
    size = (part.width_px, part.height_px)
    if len(images) != expected or any(image.size != size for image in images):
        raise BackendError(
            f"{part.evidence} was to have {expected} pictures of {size[0]} x {size[1]} px, loaded "
            f"were {len(images)} of {sorted({image.size for image in images})}"
        )
    rgb = [image.convert("RGB") for image in images]
    if isinstance(part, ClipPart):
        rgb += [rgb[-1]] * (len(in_pairs(part.times)) - len(rgb))
    return rgb
