"""Models of the real sizes with random weights, and prompts of any length for them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.generate.floors import Size
from generate.backends.qwen_attention import register
from generate.backends.qwen_tokens import CLIP_KIND, TEXT_KIND, PromptTokens, SeenPart
from generate.backends.qwen_vision import Eyes, Preparation
from generate.prompt import ClipPart

HEIGHT_PX, WIDTH_PX = 256, 448
FRAMES = 20
"""Of a segment of 10 s at 2 a second."""
LABEL_TOKENS, MARKER_TOKENS = 30, 9
PATCHES = (HEIGHT_PX // 16) * (WIDTH_PX // 16)
PADS = PATCHES // 4
SEGMENT_TOKENS = LABEL_TOKENS + FRAMES // 2 * (MARKER_TOKENS + PADS + 2)
"""1,260 of a segment an hour into a video."""


def random_model(size: Size, *, device: str, dtype: torch.dtype, attention: str) -> Any:
    """A Qwen3-VL of a size, on the device."""
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    register()
    make_config: Any = Qwen3VLConfig
    half = size.head_dims // 2
    config = make_config(
        text_config={
            "vocab_size": size.vocabulary,
            "hidden_size": size.hidden,
            "intermediate_size": size.mlp,
            "num_hidden_layers": size.layers,
            "num_attention_heads": size.heads,
            "num_key_value_heads": size.key_heads,
            "head_dim": size.head_dims,
            "max_position_embeddings": 262_144,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 5_000_000,
                "mrope_section": [half - 2 * (half * 5 // 16), half * 5 // 16, half * 5 // 16],
                "mrope_interleaved": True,
            },
        },
        vision_config={
            "depth": size.vision_layers,
            "hidden_size": size.vision_hidden,
            "intermediate_size": size.vision_mlp,
            "num_heads": 16,
            "out_hidden_size": size.hidden,
            "num_position_embeddings": 2304,
            "deepstack_visual_indexes": list(size.deeper),
        },
        image_token_id=size.vocabulary - 1,
        video_token_id=size.vocabulary - 2,
        tie_word_embeddings=size.is_tied,
    )
    make: Any = Qwen3VLForConditionalGeneration
    with torch.device(device):
        return make._from_config(config, dtype=dtype, attn_implementation=attention).eval()


def eyes_of(model: Any, *, cache_bytes: int) -> Eyes:
    """The vision encoder; pixels become -1 to 1, as in the released checkpoints."""
    half = Preparation((127.5,) * 3, (127.5,) * 3)
    return Eyes(model, pictures=half, clips=half, cache_bytes=cache_bytes)


def segment(number: int) -> ClipPart:
    """A clip of noise; all of them show the same, so that a long prompt is looked at once."""
    pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT_PX, WIDTH_PX, 3), dtype=np.uint8)
    times = tuple(Fraction(3600 + 10 * number) + Fraction(at, 2) for at in range(FRAMES))
    frames = [Image.fromarray(np.roll(pixels, at, axis=0)) for at in range(FRAMES)]
    return ClipPart(f"E{number}", times, HEIGHT_PX, WIDTH_PX, lambda: frames, content="noise")


def prompt_of(length: int, *, vocabulary: int, clip_pad: int, seed: int = 0) -> PromptTokens:
    """Segments with their labels and markers, and text up to the length; words are random."""
    ids = np.random.default_rng(seed).integers(0, vocabulary - 10, length)
    kinds = np.full(length, TEXT_KIND, dtype=np.int64)
    seen = []
    patch = MARKER_TOKENS + PADS + 2
    within = np.concatenate(
        [at * patch + MARKER_TOKENS + 1 + np.arange(PADS) for at in range(FRAMES // 2)]
    )
    grid = (FRAMES // 2, HEIGHT_PX // 16, WIDTH_PX // 16)
    for number in range((length - LABEL_TOKENS) // SEGMENT_TOKENS):
        places = number * SEGMENT_TOKENS + LABEL_TOKENS + within
        ids[places] = clip_pad
        kinds[places] = CLIP_KIND
        seen.append(SeenPart(segment(number), grid, places))
    return PromptTokens(ids, kinds, tuple(seen))
