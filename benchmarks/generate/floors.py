"""What the hardware allows: the least time for the arithmetic and for reading the memory.

A prompt of n tokens takes 2 n operations for every weight of the layers and, with causal attention,
2 n^2 for every layer and dim of its heads; a token of the answer has all weights and all keys and
values read once.
"""

from __future__ import annotations

from dataclasses import dataclass

H200_FLOPS = 790e12
"""bfloat16 products of matrices on an NVIDIA H200, as measured."""
H200_BYTES_PER_S = 4.8e12
BYTES_PER_NUMBER = 2


@dataclass(frozen=True, slots=True)
class Size:
    """The numbers of a Qwen3-VL."""

    name: str
    hidden: int
    layers: int
    heads: int
    key_heads: int
    head_dims: int
    mlp: int
    is_tied: bool
    """Whether words are read and written by the same embeddings."""
    vision_layers: int
    vision_hidden: int
    vision_mlp: int
    deeper: tuple[int, ...]
    """Layers of the vision encoder whose output goes to the first layers of the model."""
    vocabulary: int = 151_936

    @property
    def layer_weights(self) -> int:
        """Weights of all layers."""
        attention = 2 * self.hidden * self.head_dims * (self.heads + self.key_heads)
        return self.layers * (attention + 3 * self.hidden * self.mlp)

    @property
    def key_value_bytes(self) -> int:
        """Of one token."""
        return 2 * self.layers * self.key_heads * self.head_dims * BYTES_PER_NUMBER


SIZES = {
    "2B": Size("2B", 2048, 28, 16, 8, 128, 6144, True, 24, 1024, 4096, (5, 11, 17)),
    "4B": Size("4B", 2560, 36, 32, 8, 128, 9728, True, 24, 1024, 4096, (5, 11, 17)),
    "8B": Size("8B", 4096, 36, 32, 8, 128, 12_288, False, 27, 1152, 4304, (8, 16, 24)),
}
"""The dense ones that fit one GPU with room for 262,144 tokens."""
TINY = Size("tiny", 64, 2, 4, 2, 16, 128, True, 2, 64, 128, (0, 1), vocabulary=2000)
"""To try the benchmark itself."""


def read_floor_s(size: Size, tokens: int, before: int = 0) -> float:
    """Least time to read `tokens` behind `before` that were read already."""
    linear = 2 * size.layer_weights * tokens
    seen = (before + tokens) ** 2 - before**2
    attention = 2 * size.layers * size.heads * size.head_dims * seen
    return (linear + attention) / H200_FLOPS


def token_floor_s(size: Size, tokens: int) -> float:
    """Least time for one token of an answer behind a prompt of so many."""
    weights = size.layer_weights + size.vocabulary * size.hidden
    return (weights * BYTES_PER_NUMBER + tokens * size.key_value_bytes) / H200_BYTES_PER_S


def vision_floor_s(size: Size, frames: int, patches_per_frame: int) -> float:
    """Least time to look at frames, two of which are one patch in time."""
    weights = size.vision_layers * (
        4 * size.vision_hidden**2 + 2 * size.vision_hidden * size.vision_mlp
    )
    steps = frames // 2
    linear = 2 * weights * steps * patches_per_frame
    attention = 4 * size.vision_layers * size.vision_hidden * steps * patches_per_frame**2
    return (linear + attention) / H200_FLOPS
