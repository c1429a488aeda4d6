"""Prompts for the tiny Qwen3-VL, and what it says to them."""

from __future__ import annotations

import threading
from fractions import Fraction

import numpy as np
from PIL import Image

from generate.backends import Ending
from generate.backends.qwen3_vl import Qwen3VLBackend
from generate.prompt import ClipPart, Part, PicturePart, Prompt, TextPart, Turn
from generate.settings import Qwen3VLSettings

LENGTH = 20
GREEDY = Qwen3VLSettings(model="tiny", temperature=0.0, prefill_chunk_tokens=10_000)


def noise(height_px: int, width_px: int, seed: int) -> Image.Image:
    """A picture like no other."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height_px, width_px, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def clip(seed: int, *, frames: int = 5, start: int = 3605, content: str = "") -> ClipPart:
    """Frames of a clip at uneven times."""
    times = tuple(start + Fraction(533 * number + number % 2, 1000) for number in range(frames))
    pictures = [noise(64, 96, seed + number) for number in range(frames)]
    return ClipPart("E1", times, 64, 96, lambda: pictures, content)


def picture(seed: int, content: str = "") -> PicturePart:
    """A page."""
    return PicturePart("E2", 256, 288, lambda: noise(256, 288, seed), content)


def asked(*parts: Part | str, question: str = "When does it start?") -> Prompt:
    """A prompt with evidence."""
    shown = [TextPart(part) if isinstance(part, str) else part for part in (*parts, question)]
    return Prompt("Answer from the evidence.", (Turn("user", tuple(shown)),))


def said(
    backend: Qwen3VLBackend,
    prompt: Prompt,
    *,
    max_answer_tokens: int = LENGTH,
    stop: threading.Event | None = None,
) -> tuple[str, Ending]:
    """The whole answer and how it ended."""
    stream = backend.stream(
        prompt, max_answer_tokens=max_answer_tokens, stop=stop or threading.Event()
    )
    text = "".join(stream)
    assert stream.ending is not None
    return text, stream.ending


EVIDENCE = (
    "[E1] lecture 码头\n",
    clip(1),
    "\n[E2] slides.pdf page 7\n",
    picture(50),
    "\n",
    clip(9),
)
PROMPTS = {
    "text": asked("[E1] Nothing to see.\n"),
    "clip": asked("[E1]\n", clip(1), "\n"),
    "picture": asked("[E1]\n", picture(3), "\n"),
    "both": asked(*EVIDENCE),
    "talk": Prompt(
        "",
        (
            Turn("user", (picture(4), TextPart("What is it?"))),
            Turn("assistant", (TextPart("A pump [E1]."),)),
            Turn("user", (TextPart("And when?"),)),
        ),
    ),
}
