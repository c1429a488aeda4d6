"""Frames and pictures reach the model as its own processor prepares them, at their own sizes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from generate.backends.qwen_attention import attend_in_pieces
from generate.backends.qwen_loading import LoadedModel, load_qwen3_vl
from generate.backends.qwen_tokens import SeenPart
from generate.backends.qwen_vision import Eyes
from generate.prompt import ClipPart, PicturePart
from tests.generate.read_by_qwen import read_by_qwen
from tests.generate.test_qwen3_vl import GREEDY, asked, clip, noise, picture


@pytest.fixture(scope="module")
def tiny(qwen_folder: Path) -> LoadedModel:
    return load_qwen3_vl(replace(GREEDY, model=str(qwen_folder), device="cpu", dtype="bfloat16"))


@pytest.fixture
def eyes(tiny: LoadedModel) -> Eyes:
    return Eyes(tiny.model, tiny.pictures, tiny.clips, cache_bytes=1 << 20)


@pytest.mark.parametrize("part", [clip(1, frames=6), clip(1, frames=5), clip(1, frames=1)])
def test_clips_are_prepared_as_by_the_processor(
    tiny: LoadedModel, eyes: Eyes, qwen_processor: Any, part: ClipPart
) -> None:
    (seen,) = tiny.tokenizer.tokens_of(asked(part)).seen
    expected = read_by_qwen(qwen_processor, asked(part))
    pixels, grid = eyes.pixels_of(seen)
    assert grid.tolist() == expected["video_grid_thw"].tolist() == [list(seen.grid)]
    assert pixels.dtype is torch.bfloat16
    assert torch.equal(pixels, expected["pixel_values_videos"].to(torch.bfloat16))


def test_pictures_are_prepared_as_by_the_processor(
    tiny: LoadedModel, eyes: Eyes, qwen_processor: Any
) -> None:
    (seen,) = tiny.tokenizer.tokens_of(asked(picture(1))).seen
    expected = read_by_qwen(qwen_processor, asked(picture(1)))
    pixels, grid = eyes.pixels_of(seen)
    assert grid.tolist() == expected["image_grid_thw"].tolist() == [list(seen.grid)]
    assert torch.equal(pixels, expected["pixel_values"].to(torch.bfloat16))


def test_small_and_large_pictures_keep_their_size(tiny: LoadedModel, eyes: Eyes) -> None:
    """The processor alone would enlarge a small picture and shrink the frames of a long clip."""
    small = PicturePart("E1", 32, 64, lambda: noise(32, 64, 1))
    (seen,) = tiny.tokenizer.tokens_of(asked(small)).seen
    assert eyes.pixels_of(seen)[0].shape[0] == 2 * 4
    tiny.clips.size = {"shortest_edge": 4096, "longest_edge": 6 * 64 * 96 // 2}
    (seen,) = tiny.tokenizer.tokens_of(asked(clip(1, frames=6))).seen
    assert eyes.pixels_of(seen)[0].shape[0] == 3 * 4 * 6


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
