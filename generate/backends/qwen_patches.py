"""Frames of a clip become the patches that Qwen3-VL's vision encoder reads.

The processor of transformers makes the same numbers, from two to three times as slowly: it moves
pixels about as 4 bytes each, here they are moved as one and made numbers last. That both agree, to
the last bit, is checked on a small clip when a checkpoint is loaded.
"""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Any

from generate.markers import FRAMES_PER_PATCH, clip_metadata
from index.errors import BackendError

if TYPE_CHECKING:
    import torch

PATCH_PX = 16
MERGED = 2
"""Patches that become one token stand together, two by two."""
_CHECKED_PX = 64


def clip_patches(frames: torch.Tensor, processor: Any, dtype: torch.dtype) -> torch.Tensor:
    """Patches (n, 1536) of frames (t, height, width, 3), uint8 RGB; t is even.

    They run through time, then by twos down and across; each is channel, time, row, column.
    `processor` tells how pixels become numbers: computed in float32, then rounded to `dtype`.
    """
    import torch

    count, height_px, width_px, channels = frames.shape
    squares = frames.view(
        count // FRAMES_PER_PATCH,
        FRAMES_PER_PATCH,
        height_px // (MERGED * PATCH_PX),
        MERGED,
        PATCH_PX,
        width_px // (MERGED * PATCH_PX),
        MERGED,
        PATCH_PX,
        channels,
    )
    patches = squares.permute(0, 2, 5, 3, 6, 8, 1, 4, 7).reshape(
        -1, channels, FRAMES_PER_PATCH * PATCH_PX * PATCH_PX
    )
    mean, spread = (
        torch.tensor(numbers).mul_(1.0 / processor.rescale_factor)[:, None]
        for numbers in (processor.image_mean, processor.image_std)
    )
    return patches.to(torch.float32).sub_(mean).div_(spread).to(dtype).flatten(1)


def check_patches(processor: Any) -> None:
    """Raise BackendError where a checkpoint's processor makes other patches than `clip_patches`."""
    import torch

    sides = (FRAMES_PER_PATCH * MERGED, _CHECKED_PX, _CHECKED_PX, 3)
    frames = (torch.arange(prod(sides)) * 7 % 251).to(torch.uint8).view(sides)
    times = [Fraction(number) for number in range(len(frames))]
    made = processor(
        videos=[frames.permute(0, 3, 1, 2)],
        video_metadata=[clip_metadata(times, len(frames))],
        do_sample_frames=False,
        do_resize=False,
        cap_pixels_per_frame=False,
        return_tensors="pt",
    )["pixel_values_videos"]
    ours = clip_patches(frames, processor, torch.float32)
    if made.shape != ours.shape or not torch.equal(made, ours):
        raise BackendError(
            "the checkpoint's processor makes other patches than those of Qwen3-VL; its settings, "
            "or its version of transformers, are not ones that Secondsight knows"
        )
