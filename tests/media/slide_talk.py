"""A talk made from a real PDF: pages as slides, repeated and skipped, moving pictures between.

Written when it is needed, with its truth: which page is on the screen when, and what is said.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import cycle
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pymupdf
from PIL import Image

from index.clock import format_clock
from index.records import Span

WIDTH_PX, HEIGHT_PX = 1280, 720
PHOTOS = Path(__file__).parents[1] / "index" / "photos"
_BACKGROUND = (24, 28, 48)

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Shot:
    """One slide, or moving pictures, for a while."""

    page: int | None
    """Page of the deck, counted from 1; None for moving pictures."""
    length_s: Fraction


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the slide stands in the picture."""

    share: float = 1.0
    """Its width, as a share of what fits."""
    at: tuple[float, float] = (0.5, 0.5)
    """Where it stands in the free room, across and down: 0 at the left and top, 1 at the others."""
    camera: bool = False
    """A moving picture of the speaker in the lower right corner."""


FULL = Layout()
SMALL = Layout(share=0.75, at=(0.12, 0.3), camera=True)


@dataclass(frozen=True, slots=True)
class SlideTalk:
    """What is on the screen when."""

    path: Path
    duration_s: Fraction
    shown: tuple[tuple[int, Span], ...]
    """Pages in time order; neighbours differ."""


def write_deck(
    document: Path, target: Path, pages: Sequence[int], *, aspect: float = 16 / 9
) -> None:
    """Slides of this shape: the upper parts of these pages of a real PDF, its text as it is."""
    with pymupdf.open(document) as source, pymupdf.open() as deck:
        for page in pages:
            deck.insert_pdf(source, from_page=page - 1, to_page=page - 1, links=False)
        for page in deck:
            height = page.rect.width / aspect
            top = page.mediabox.y1
            page.set_mediabox(pymupdf.Rect(0, top - height, page.rect.width, top))
        deck.set_toc([])
        deck.save(target, garbage=3, deflate=True)


def draw_plan(
    pages: int,
    *,
    duration_s: float,
    seed: int,
    slide_s: tuple[float, float],
    unclear: Sequence[int],
) -> list[Shot]:
    """A speaker's way through a deck: mostly on, sometimes skipping, back, elsewhere, or a clip.

    Pages that are `unclear`, as others look the same, are only come to in order.
    """
    dice = random.Random(seed)
    plan: list[Shot] = []
    page, left_s = 0, duration_s
    while left_s > 0:
        page = _next_page(dice, page, pages, unclear)
        added = [Shot(page, _tenths(dice.uniform(*slide_s)))]
        if dice.random() < 0.2:
            added.append(Shot(None, _tenths(dice.uniform(2.0, 8.0))))
        plan += added
        left_s -= float(sum(shot.length_s for shot in added))
    return plan


def _tenths(seconds: float) -> Fraction:
    return Fraction(round(10 * seconds), 10)


def _next_page(dice: random.Random, page: int, pages: int, unclear: Sequence[int]) -> int:
    drawn = dice.random()
    if drawn < 0.14:
        wanted = page + dice.randint(2, 4)
    elif drawn < 0.30:
        wanted = max(1, page - dice.randint(1, 6))
    else:
        wanted = page + 1
    if drawn < 0.30 and wanted in unclear:
        wanted = page + 1
    return (
        wanted
        if 1 <= wanted <= pages and wanted != page
        else dice.choice(
            [other for other in range(1, pages + 1) if other != page and other not in unclear]
        )
    )


def write_talk(
    path: Path, deck: Path, plan: Sequence[Shot], layout: Layout, *, rate: int = 10
) -> SlideTalk:
    """Write the talk as MP4 with H.264, and what is said as subtitles beside it."""
    with pymupdf.open(deck) as pages, av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "23", "g": str(10 * rate)}
        scenes = cycle(_photos())
        number = 0
        for shot in plan:
            count = round(shot.length_s * rate)
            for image in _pictures(pages, shot, layout, next(scenes), count):
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, rate)
                out.mux(stream.encode(frame))
                number += 1
        out.mux(stream.encode(None))
    shown = _shown(plan)
    path.with_suffix(".srt").write_text(_subtitles(shown), "utf-8")
    return SlideTalk(path, Fraction(number, rate), shown)


def said_on(number: int, page: int) -> str:
    """What is said while the slide that is shown as the `number`-th, from 0, stands there."""
    return f"This is remark {number} about slide {page}."


def _shown(plan: Sequence[Shot]) -> tuple[tuple[int, Span], ...]:
    shown: list[tuple[int, Span]] = []
    now = Fraction(0)
    for shot in plan:
        span = Span(now, now + shot.length_s)
        now = span.end
        if shot.page is None:
            continue
        if shown and shown[-1][0] == shot.page and shown[-1][1].end == span.start:
            shown[-1] = (shot.page, shown[-1][1].union(span))
        else:
            shown.append((shot.page, span))
    return tuple(shown)


def _subtitles(shown: Sequence[tuple[int, Span]]) -> str:
    cues = []
    for number, (page, span) in enumerate(shown):
        start, end = (
            format_clock(at, 3).replace(".", ",")
            for at in (span.start + Fraction(1, 2), span.end - Fraction(1, 2))
        )
        cues.append(f"{number + 1}\n{start} --> {end}\n{said_on(number, page)}\n")
    return "\n".join(cues)


def _pictures(
    pages: pymupdf.Document, shot: Shot, layout: Layout, photo: Image.Image, count: int
) -> Iterator[Pixels]:
    if shot.page is None:
        yield from _panned(photo, (WIDTH_PX, HEIGHT_PX), count)
        return
    still = np.full((HEIGHT_PX, WIDTH_PX, 3), _BACKGROUND, np.uint8)
    slide = _rendered(pages[shot.page - 1], layout.share)
    height_px, width_px = slide.shape[:2]
    left = round(layout.at[0] * (WIDTH_PX - width_px))
    top = round(layout.at[1] * (HEIGHT_PX - height_px))
    still[top : top + height_px, left : left + width_px] = slide
    if not layout.camera:
        for _ in range(count):
            yield still
        return
    width_px, height_px = WIDTH_PX // 6, HEIGHT_PX // 5
    for camera in _panned(photo, (width_px, height_px), count):
        image = still.copy()
        image[-height_px:, -width_px:] = camera
        yield image


def _rendered(page: pymupdf.Page, share: float) -> Pixels:
    zoom = share * min(WIDTH_PX / page.rect.width, HEIGHT_PX / page.rect.height)
    pixels = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False)
    image = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width, 3)
    return image[:HEIGHT_PX, :WIDTH_PX]


def _photos() -> list[Image.Image]:
    return [Image.open(path).convert("RGB") for path in sorted(PHOTOS.glob("*.jpg"))]


def _panned(photo: Image.Image, size_px: tuple[int, int], count: int) -> Iterator[Pixels]:
    """A camera that moves over a photo."""
    width = 0.7 * min(photo.width, photo.height * size_px[0] / size_px[1])
    height = width * size_px[1] / size_px[0]
    for number in range(count):
        share = number / max(1, count - 1)
        x, y = share * (photo.width - width), (1 - share) * (photo.height - height)
        box = (x, y, x + width, y + height)
        yield np.asarray(photo.resize(size_px, Image.Resampling.BILINEAR, box=box))
