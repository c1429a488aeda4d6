"""A prompt as OpenAI's chat protocol sends it: messages of text and JPEG pictures.

By default every frame is a picture behind its time marker: the model then reads the very layout of
a video, with the times of the source's clock, on any server. With `frames_as="clip"`, the clips of
one video become a single `video_url` item, whose times vLLM takes in milliseconds from fields of
the request (`frames_indices`, vLLM pull request 40133). Those fields hold for all videos of a
request, so there is at most one; all its frames are of one size, and an even number for each clip,
so that no two frames that are joined lie in different clips.
"""

from __future__ import annotations

import base64
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar

from generate.markers import (
    FRAMES_PER_PATCH,
    TICKS_HZ,
    clip_markers,
    frame_markers,
    in_pairs,
    milliseconds,
)
from generate.prompt import ClipPart, PicturePart, Prompt, TextPart, Turn

if TYPE_CHECKING:
    from PIL.Image import Image

    from generate.token_costs import FramesAs

JPEG_QUALITY = 90

Item = TypeVar("Item")
Json = dict[str, Any]
Footage = tuple[str, int, int]
"""What tells which clips may be one video: their source, height and width."""


@dataclass(frozen=True, slots=True)
class Messages:
    """What is sent of a prompt."""

    messages: list[Json]
    extra: Json
    """Further fields of the request; only vLLM knows them."""


def messages_of(prompt: Prompt, *, frames_as: FramesAs = "pictures") -> Messages:
    """Load the pictures of a prompt and write it down. Raises what loading them raises."""
    joined = _most_shown(prompt) if frames_as == "clip" else None
    writer = _Writer(frames_as, [clip for clip in _clips(prompt) if _footage(clip) == joined])
    messages: list[Json] = [{"role": "system", "content": prompt.system}] if prompt.system else []
    messages += [{"role": turn.role, "content": writer.content(turn)} for turn in prompt.turns]
    return Messages(messages, writer.extra)


class _Writer:
    """Writes turns; remembers whether the video stands already."""

    def __init__(self, frames_as: FramesAs, joined: Sequence[ClipPart]) -> None:
        self._frames_as = frames_as
        self._joined = joined
        self._is_shown = False
        self.extra: Json = {}

    def content(self, turn: Turn) -> str | list[Json]:
        """The content of a message: items, or bare text where nothing is shown."""
        items: list[Json] = []
        for part in turn.parts:
            for item in self._items(part):
                if items and item["type"] == items[-1]["type"] == "text":
                    items[-1]["text"] += item["text"]
                else:
                    items.append(item)
        if all(item["type"] == "text" for item in items):
            return "".join(item["text"] for item in items)
        return items

    def _items(self, part: TextPart | ClipPart | PicturePart) -> Iterator[Json]:
        if isinstance(part, TextPart):
            yield _text(part.text)
        elif isinstance(part, PicturePart):
            yield _picture(part.load())
        elif any(part is one for one in self._joined):
            if not self._is_shown:
                self._is_shown = True
                yield self._video()
        else:
            yield from self._pictures(part)

    def _pictures(self, clip: ClipPart) -> Iterator[Json]:
        """Each frame behind its marker; of frames in pairs the first one, behind that of both."""
        frames = list(clip.load())
        markers = frame_markers(clip.times)
        if self._frames_as == "clip":
            markers = clip_markers(clip.times)
            frames = frames[::FRAMES_PER_PATCH]
        for marker, frame in zip(markers, frames, strict=True):
            yield _text(marker)
            yield _picture(frame)

    def _video(self) -> Json:
        """All joined clips as one video, in the order of time."""
        pairs: list[tuple[tuple[Fraction, ...], tuple[str, ...]]] = []
        for clip in self._joined:
            written = [_jpeg(frame) for frame in clip.load()]
            times = in_pairs(clip.times)
            written += written[-1:] * (len(times) - len(written))
            pairs += zip(_by_two(times), _by_two(written), strict=True)
        pairs.sort(key=lambda pair: pair[0])
        indices = [milliseconds(time) for pair, _ in pairs for time in pair]
        frames = [frame for _, pair in pairs for frame in pair]
        total = max(indices) + 1
        self.extra = {
            "media_io_kwargs": {
                "video": {
                    "num_frames": -1,  # the default keeps 32 frames and drops the others
                    "fps": TICKS_HZ,
                    "frames_indices": indices,
                    "total_num_frames": total,
                    "duration": total / TICKS_HZ,
                    "do_sample_frames": False,
                }
            },
            "mm_processor_kwargs": {"do_sample_frames": False},
        }
        url = "data:video/jpeg;base64," + ",".join(frames)
        return {"type": "video_url", "video_url": {"url": url}}


def _clips(prompt: Prompt) -> list[ClipPart]:
    parts = (part for turn in prompt.turns for part in turn.parts)
    return [part for part in parts if isinstance(part, ClipPart)]


def _most_shown(prompt: Prompt) -> Footage | None:
    """The source, with a size, of which most is shown; None: no clip is of a known source."""
    shown: Counter[Footage] = Counter()
    for clip in _clips(prompt):
        if clip.content:
            shown[_footage(clip)] += len(clip.times)
    return max(shown, key=lambda one: shown[one], default=None)


def _footage(clip: ClipPart) -> Footage:
    return (clip.content, clip.height_px, clip.width_px)


def _by_two(items: Sequence[Item]) -> list[tuple[Item, ...]]:
    starts = range(0, len(items), FRAMES_PER_PATCH)
    return [tuple(items[at : at + FRAMES_PER_PATCH]) for at in starts]


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


def _picture(image: Image) -> Json:
    return {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64," + _jpeg(image)}}


def _jpeg(image: Image) -> str:
    """A picture as JPEG in base64, with colours as sharp as brightness: coloured print stays."""
    written = io.BytesIO()
    image.save(written, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return base64.b64encode(written.getvalue()).decode()
