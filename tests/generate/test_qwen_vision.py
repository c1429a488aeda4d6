"""Frames and pictures reach the model as its own processor prepares them, at their own sizes."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from generate.backends.qwen_attention import attend_in_pieces
from generate.backends.qwen_loading import LoadedModel, load_qwen3_vl
from generate.backends.qwen_tokens import SeenPart
from generate.backends.qwen_vision import Eyes, Preparation, patches_of
from generate.prompt import ClipPart, PicturePart
from tests.generate.ask_qwen import GREEDY, asked, clip, noise, picture
from tests.generate.read_by_qwen import read_by_qwen


@pytest.fixture(scope="module")
def tiny(qwen_folder: Path) -> LoadedModel:
    return load_qwen3_vl(replace(GREEDY, model=str(qwen_folder), device="cpu", dtype="bfloat16"))


@pytest.fixture
def eyes(tiny: LoadedModel) -> Eyes:
    return Eyes(tiny.model, pictures=tiny.pictures, clips=tiny.clips, cache_bytes=1 << 20)


@pytest.mark.parametrize(
    "part", [clip(1, frames=6), clip(1, frames=5), clip(1, frames=1), picture(1)]
)
def test_pixels_become_the_numbers_of_the_processor(
    tiny: LoadedModel, eyes: Eyes, qwen_processor: Any, part: ClipPart | PicturePart
) -> None:
    (seen,) = tiny.tokenizer.tokens_of(asked(part)).seen
    expected = read_by_qwen(qwen_processor, asked(part))
    grids = "video_grid_thw" if isinstance(part, ClipPart) else "image_grid_thw"
    numbers = "pixel_values_videos" if isinstance(part, ClipPart) else "pixel_values"
    assert expected[grids].tolist() == [list(seen.grid)]
    pixels = eyes.pixels_of(part)
    assert pixels.dtype is torch.bfloat16
    assert torch.equal(pixels, expected[numbers].to(torch.bfloat16))


@pytest.mark.parametrize("frames", [noise(96, 64, 1), noise(32, 160, 2)])
def test_any_colours_are_prepared_as_by_the_processor(
    qwen_processor: Any, frames: Image.Image
) -> None:
    clips = copy.copy(qwen_processor.video_processor)
    clips.image_mean, clips.image_std = [0.48, 0.45, 0.4], [0.27, 0.26, 0.28]
    pixels = torch.from_numpy(np.stack([np.asarray(frames)] * 4))
    made = clips(
        videos=[pixels.permute(0, 3, 1, 2)],
        do_resize=False,
        do_sample_frames=False,
        cap_pixels_per_frame=False,
        return_tensors="pt",
    )
    preparation = Preparation(
        *(tuple(255 * part for part in each) for each in (clips.image_mean, clips.image_std))
    )
    expected = made["pixel_values_videos"]
    assert torch.allclose(patches_of(pixels, preparation), expected, atol=1e-5)


def test_small_and_large_pictures_keep_their_size(tiny: LoadedModel, eyes: Eyes) -> None:
    """The processor alone would enlarge a small picture, and shrink frames of a long clip."""
    for part, patches in ((PicturePart("E1", 32, 64, lambda: noise(32, 64, 1)), 2 * 4),):
        (seen,) = tiny.tokenizer.tokens_of(asked(part)).seen
        assert eyes.pixels_of(part).shape == (patches, 1536)
        assert len(seen.places) * 4 == patches


def test_features_do_not_depend_on_neighbours(tiny: LoadedModel, eyes: Eyes) -> None:
    tokens = tiny.tokenizer.tokens_of(asked(clip(1), picture(2), clip(3)))
    together = [eyes.look(seen, b"together%d" % number) for number, seen in enumerate(tokens.seen)]
    (alone,) = tiny.tokenizer.tokens_of(asked(clip(3))).seen
    assert torch.equal(eyes.look(alone, b"alone").embeddings, together[2].embeddings)
    assert len(together[2].deeper) == 2


@pytest.mark.parametrize(
    "other",
    [
        replace(clip(1), times=tuple(time + 1 for time in clip(1).times)),
        replace(clip(1), height_px=96),
        replace(clip(1), content="b"),
        replace(clip(1), content=""),
        replace(clip(2), content=""),
        PicturePart("E1", 64, 96, lambda: noise(64, 96, 1), content="a"),
    ],
)
def test_parts_are_told_apart(eyes: Eyes, other: ClipPart | PicturePart) -> None:
    part = replace(clip(1), content="a")
    assert eyes.key_of(part) != eyes.key_of(_loadable(other))
    assert eyes.key_of(part) == eyes.key_of(replace(part, evidence="E7", load=clip(3).load))


def _loadable(part: Any) -> Any:
    """The part with pictures of the size that it says."""
    if isinstance(part, PicturePart) or part.height_px == 64:
        return part
    return replace(part, load=lambda: [noise(part.height_px, 96, 1)] * len(part.times))


def test_pixels_tell_when_nothing_else_does(eyes: Eyes) -> None:
    assert eyes.key_of(clip(1)) == eyes.key_of(clip(1))
    assert eyes.key_of(clip(1)) != eyes.key_of(clip(2))


@pytest.mark.parametrize(("num_queries", "num_keys"), [(1, 9), (4, 9), (9, 9), (8, 9)])
def test_a_piece_sees_all_that_was_read_before(num_queries: int, num_keys: int) -> None:
    torch.manual_seed(0)
    query = torch.randn(1, 4, num_queries, 8)
    key, value = torch.randn(2, 1, 2, 20, 8)[:, :, :, :num_keys]
    module = torch.nn.Module()
    module.num_key_value_groups = 2  # type: ignore[assignment]
    found, _ = attend_in_pieces(module, query, key, value, None, scaling=0.3)
    weights = query @ key.repeat_interleave(2, 1).transpose(2, 3) * 0.3
    ahead = torch.ones(num_queries, num_keys).triu(num_keys - num_queries + 1).bool()
    expected = weights.masked_fill(ahead, float("-inf")).softmax(-1) @ value.repeat_interleave(2, 1)
    assert torch.allclose(found, expected.transpose(1, 2), atol=1e-6)


def test_a_seen_part_names_its_tokens(tiny: LoadedModel) -> None:
    tokens = tiny.tokenizer.tokens_of(asked("Look: ", picture(1), clip(1)))
    pads = [tiny.tokenizer.control.picture_pad, tiny.tokenizer.control.clip_pad]
    for seen, pad, count in zip(tokens.seen, pads, [72, 18], strict=True):
        assert isinstance(seen, SeenPart)
        assert tokens.ids[seen.places].tolist() == [pad] * count
