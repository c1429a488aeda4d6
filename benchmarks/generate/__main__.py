"""How fast a Qwen3-VL of a real size reads and answers, with random weights.

    python -m benchmarks.generate --sizes 2B 4B 8B

Speed does not depend on what the weights are. For each size the vision encoder looks at segments
of 10 s (20 frames of 448 x 256 px); then prompts of such segments are read, a few tokens are
answered, and a further question on the same evidence is read. Beside each time stands its floor:
what an H200 at 790 TFLOP/s and 4.8 TB/s could do it in. It needs a CUDA GPU with bfloat16: 80 GB
for 8B with 131,072 tokens, 141 GB for 262,144. `--tiny` tries the benchmark itself on the CPU.
"""

from __future__ import annotations

import argparse
import gc
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from benchmarks.generate.floors import (
    SIZES,
    TINY,
    Size,
    read_floor_s,
    token_floor_s,
    vision_floor_s,
)
from benchmarks.generate.models import FRAMES, PATCHES, eyes_of, prompt_of, random_model
from generate.backends.key_values import KeptPrompt, KeptPrompts, comparable
from generate.backends.qwen_attention import SDPA_IN_PIECES
from generate.backends.qwen_reading import Reading
from generate.backends.qwen_tokens import PromptTokens
from generate.backends.qwen_vision import Eyes

LENGTHS = (8_192, 32_768, 65_536, 131_072, 262_144)
QUESTION_TOKENS = 32
ANSWER_TOKENS = 32
CLIPS = 50
GIB = 1024**3
_FOREVER = threading.Event()


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it computes and how."""

    device: str
    dtype: torch.dtype
    attention: str
    chunk_tokens: int

    def now(self) -> float:
        """Seconds on a clock, when all that was asked for is done."""
        if self.device.startswith("cuda"):
            torch.cuda.synchronize()
        return time.perf_counter()

    def peak_gib(self) -> float | None:
        """Most memory of the device since `forget`."""
        if not self.device.startswith("cuda"):
            return None
        return torch.cuda.max_memory_allocated() / GIB

    def forget(self) -> None:
        """Give back what is not used."""
        gc.collect()
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()


def main() -> None:
    """Measure and print."""
    options = _options()
    if options.tiny:
        machine = Machine("cpu", torch.float32, options.attention, 512)
        sizes, lengths = [TINY], [2_000, 4_000]
    else:
        if not torch.cuda.is_available():
            sys.exit("this needs a CUDA GPU with bfloat16; --tiny tries the benchmark on the CPU")
        machine = Machine("cuda", torch.bfloat16, options.attention, options.chunk_tokens)
        sizes, lengths = [SIZES[name] for name in options.sizes], options.lengths
        print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    print(f"attention {machine.attention}, pieces of {machine.chunk_tokens:,} tokens\n")
    for size in sizes:
        model = random_model(
            size, device=machine.device, dtype=machine.dtype, attention=machine.attention
        )
        _vision(size, model, machine)
        _prompts(size, model, machine, lengths)
        del model
        machine.forget()


def _options() -> Any:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generate")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--lengths", nargs="+", type=int, default=list(LENGTHS), metavar="TOKENS")
    parser.add_argument("--attention", default=SDPA_IN_PIECES, help="as transformers names it")
    parser.add_argument("--chunk-tokens", type=int, default=8192)
    parser.add_argument("--tiny", action="store_true", help="a tiny model on the CPU")
    return parser.parse_args()


def _vision(size: Size, model: Any, machine: Machine) -> None:
    """Print how long it takes to look at 1,000 frames; the first clip warms up."""
    eyes = eyes_of(model, cache_bytes=0)
    clip = prompt_of(2_000, vocabulary=size.vocabulary, clip_pad=size.vocabulary - 2).seen[0]
    eyes.look(clip, b"")
    clips = CLIPS if size is not TINY else 2
    started = machine.now()
    for _ in range(clips):
        pixels = eyes.pixels_of(clip.part).to(machine.device)
    prepared_s = machine.now() - started
    grid = torch.tensor([clip.grid], device=machine.device)
    started = machine.now()
    for _ in range(clips):
        with torch.inference_mode():
            model.model.get_image_features(pixels, grid, return_dict=True)
    seen_s = machine.now() - started
    per_1000 = 1000 / (clips * FRAMES)
    floor_s = vision_floor_s(size, 1000, PATCHES)
    print(
        f"{size.name}: 1,000 frames of 448 x 256 px are prepared in {prepared_s * per_1000:.2f} s"
    )
    print(f"and looked at in {seen_s * per_1000:.2f} s (floor {floor_s:.2f} s).\n")


def _prompts(size: Size, model: Any, machine: Machine, lengths: Sequence[int]) -> None:
    print(
        "| size | tokens | read, s | floor | a token, ms | floor | further question, s | peak GiB |"
    )
    print("|---|---|---|---|---|---|---|---|")
    _row(size, model, machine, 2_000, shown=False)
    for length in lengths:
        try:
            _row(size, model, machine, length, shown=True)
        except torch.OutOfMemoryError:
            print(f"| {size.name} | {length:,} | out of memory | | | | | |", flush=True)
        machine.forget()
    print()


def _row(size: Size, model: Any, machine: Machine, length: int, *, shown: bool) -> None:
    """Read a prompt, answer, and read a further question; the length counts all of it."""
    machine.forget()
    eyes = eyes_of(model, cache_bytes=GIB)
    tokens = prompt_of(
        length - ANSWER_TOKENS, vocabulary=size.vocabulary, clip_pad=size.vocabulary - 2
    )
    kept_prompts = KeptPrompts(size.layers, limit_tokens=length)
    first_s, per_token_s, kept = _asked(model, eyes, tokens, kept_prompts, machine, length)
    kept_prompts.give_back(kept)
    further_s, _, _ = _asked(model, eyes, _other_question(tokens), kept_prompts, machine, length)
    if shown:
        peak = machine.peak_gib()
        print(
            f"| {size.name} | {length:,} | {first_s:.2f} | {read_floor_s(size, length):.2f} "
            f"| {per_token_s * 1000:.1f} | {token_floor_s(size, length) * 1000:.1f} "
            f"| {further_s:.3f} | {'-' if peak is None else f'{peak:.1f}'} |",
            flush=True,
        )


def _asked(
    model: Any,
    eyes: Eyes,
    tokens: PromptTokens,
    kept_prompts: KeptPrompts,
    machine: Machine,
    room: int,
) -> tuple[float, float, KeptPrompt]:
    """Seconds to the first token and for each further one, and what was read."""
    keys = [b"the same clip is all that is seen"] * len(tokens.seen)
    if tokens.seen:
        eyes.look(tokens.seen[0], keys[0])
    started = machine.now()
    kept = kept_prompts.take(comparable(tokens, keys), room)
    reading = Reading(model, eyes, tokens, keys, kept)
    logits = reading.read(machine.chunk_tokens, _FOREVER)
    assert logits is not None
    token = int(logits.argmax())
    begun = machine.now()
    for _ in range(ANSWER_TOKENS):
        token = int(reading.go_on(token).argmax())
    return begun - started, (machine.now() - begun) / ANSWER_TOKENS, kept


def _other_question(tokens: PromptTokens) -> PromptTokens:
    """The same evidence with other words behind it."""
    ids = tokens.ids.copy()
    ids[-QUESTION_TOKENS:] = np.arange(QUESTION_TOKENS)
    return replace(tokens, ids=ids)


if __name__ == "__main__":
    main()
