"""What Qwen3-VL's own processor makes of a prompt: the truth that counting is held against."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from PIL import Image

from generate.markers import VIDEO_PAD, VISION_END, VISION_START, clip_metadata, in_pairs
from generate.prompt import ClipPart, PicturePart, Prompt, TextPart


def read_by_qwen(processor: Any, prompt: Prompt) -> Any:
    """The inputs of the model, in the flat layout, frames and pictures as they are loaded."""
    messages: list[dict[str, Any]] = []
    if prompt.system:
        messages.append({"role": "system", "content": [{"type": "text", "text": prompt.system}]})
    videos, metadata, images = [], [], []
    for turn in prompt.turns:
        content: list[dict[str, Any]] = []
        for part in turn.parts:
            if isinstance(part, TextPart):
                content.append({"type": "text", "text": part.text})
            elif isinstance(part, ClipPart):
                content.append({"type": "video"})
                times = in_pairs(part.times)
                frames = [*part.load(), *[part.load()[-1]] * (len(times) - len(part.times))]
                videos.append(frames)
                metadata.append(clip_metadata(times, len(frames)))
            else:
                content.append({"type": "image"})
                images.append(part.load())
        messages.append({"role": turn.role, "content": content})
    text = processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    return processor(
        text=flat(text),
        images=images or None,
        videos=videos or None,
        video_metadata=metadata or None,
        do_sample_frames=False,
        return_tensors="pt",
    )


def clip(
    times: Sequence[Fraction], height_px: int, width_px: int, evidence: str = "E1"
) -> ClipPart:
    """Grey frames of a size."""
    frames = [Image.new("RGB", (width_px, height_px), "grey")] * len(times)
    return ClipPart(evidence, tuple(times), height_px, width_px, lambda: frames)


def picture(height_px: int, width_px: int, evidence: str = "E1") -> PicturePart:
    """A grey picture of a size."""
    image = Image.new("RGB", (width_px, height_px), "grey")
    return PicturePart(evidence, height_px, width_px, lambda: image)


def flat(text: str) -> str:
    """A rendered prompt in the layout with which Qwen3-VL was released.

    The chat template writes a clip as start, pad, end; transformers 5 puts markers, starts and ends
    in the place of the pad alone, so that the outer pair would stay (vllm issue 46817).
    """
    return text.replace(VISION_START + VIDEO_PAD + VISION_END, VIDEO_PAD)
