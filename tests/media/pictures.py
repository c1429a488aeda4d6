"""The pictures of the talk at any instant: slides stand still, clips move."""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import av
from PIL import Image

from tests.media.slides import HEIGHT, WIDTH, draw_slide
from tests.media.sources import Sources
from tests.media.talk_script import ASTRONAUT, CARTOON, CAT, COFFEE, ROCKET, Clip, Slide

Moving = Callable[[float], Image.Image]
"""From the share of the scene that has passed, 0 to 1, to a 1280x720 picture."""

_MOVES: dict[Clip, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    COFFEE: ((0.48, 0.45, 0.98), (0.60, 0.42, 0.72)),
    ROCKET: ((0.50, 0.70, 1.00), (0.52, 0.50, 0.74)),
    CAT: ((0.36, 0.45, 0.98), (0.52, 0.42, 0.74)),
    ASTRONAUT: ((0.55, 0.31, 1.00), (0.42, 0.34, 0.78)),
}
"""Clip -> where the camera starts and stops: centre x, centre y, width, as shares."""


def picture_of(picture: Slide | Clip, number: int, sources: Sources) -> Moving:
    """Return the function that draws a scene; ``number`` is the slide's own."""
    if isinstance(picture, Slide):
        still = draw_slide(picture, number, sources)
        return lambda _share: still
    if picture == CARTOON:
        return _film(sources.read(picture.file))
    return _pan(sources.photo(picture.file), *_MOVES[picture])


def _film(data: bytes) -> Moving:
    with av.open(io.BytesIO(data), "r") as container:
        pixels = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    frames = [Image.fromarray(array) for array in pixels]
    return lambda share: frames[min(int(share * len(frames)), len(frames) - 1)]


def _pan(
    photo: Image.Image, begin: tuple[float, float, float], end: tuple[float, float, float]
) -> Moving:
    def view(share: float) -> Image.Image:
        eased = (1 - math.cos(math.pi * share)) / 2
        x, y, wide = (a + (b - a) * eased for a, b in zip(begin, end, strict=True))
        width = wide * min(photo.width, photo.height * WIDTH / HEIGHT)
        height = width * HEIGHT / WIDTH
        left = min(max(x * photo.width - width / 2, 0.0), photo.width - width)
        top = min(max(y * photo.height - height / 2, 0.0), photo.height - height)
        box = (left, top, left + width, top + height)
        return photo.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC, box=box)

    return view
