"""The scanned page of the sample manual: typed, photographed grey, slightly askew."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from tests.media.sources import Sources

_WIDTH, _HEIGHT = 1240, 1754  # A4 at 150 dpi
_SKEW_DEG = 0.7
_SEED = 58113


def scan_of(lines: tuple[str, ...], sources: Sources) -> bytes:
    """Return a JPEG of typed lines as a 150 dpi grey scanner sees them."""
    paper = Image.new("L", (_WIDTH, _HEIGHT), 238)
    draw = ImageDraw.Draw(paper)
    draw.rectangle((110, 130, _WIDTH - 110, _HEIGHT - 190), outline=110, width=3)
    font, title = sources.font("typewriter", 29), sources.font("mono", 44)
    for number, line in enumerate(lines):
        place = (160, 190 + number * 56)
        draw.text(place, line, 42, title if number == 0 else font)
    draw.ellipse((880, 1310, 1060, 1490), outline=120, width=5)
    draw.ellipse((896, 1326, 1044, 1474), outline=120, width=2)
    draw.text((970, 1400), "PASSED", 120, sources.font("mono", 30), "mm")
    askew = paper.rotate(_SKEW_DEG, Image.Resampling.BICUBIC, fillcolor=225)
    blurred = np.asarray(askew.filter(ImageFilter.GaussianBlur(0.7)), np.float32)
    noise = np.random.default_rng(_SEED).normal(0, 5, blurred.shape)
    shade = np.linspace(0, -14, _WIDTH)[None, :]
    grey = Image.fromarray(np.clip(blurred + noise + shade, 0, 255).astype(np.uint8))
    stream = io.BytesIO()
    grey.save(stream, "JPEG", quality=45, dpi=(150, 150))
    return stream.getvalue()
