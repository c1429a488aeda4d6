"""Photographs and clips that talks show in between, and what they are.

The cat, the coffee and the rocket lie beside the tests of the index; flower.jpg and china.jpg come
with scikit-learn ("flower" by dany13, "china" by Paulo Bruno, both CC BY 2.0); for the clips see
`benchmarks.ingest.clips`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from importlib import util
from itertools import chain, repeat
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageOps

import tests.index
from benchmarks.ingest.clips import draw_view, fetch_clips, pictures
from benchmarks.ingest.lecture import held
from benchmarks.ingest.slides import HEIGHT_PX, WIDTH_PX

_PHOTOS = Path(next(iter(tests.index.__path__))) / "photos"
_OF_SKLEARN = {"flower": "flower.jpg", "temple": "china.jpg"}
_CLIPS = {"bunny": "bigbuckbunny.mp4", "bikes": "bikes.mp4"}


def shown_picture(
    name: str, clips: Path, draw: random.Random, *, rate_hz: int
) -> Iterator[av.VideoFrame]:
    """Frames of a photograph or a clip, 1280 x 720, without end; a clip begins again.

    `draw` chooses which part is seen, so that no two showings are alike.
    """
    view = draw_view(draw)
    if name in _CLIPS:
        paths = {path.name: path for path in fetch_clips(clips)}
        clip = paths[_CLIPS[name]]
        return chain.from_iterable(pictures(clip, view, rate_hz=rate_hz) for _ in repeat(None))
    with Image.open(_photo(name)) as photo:
        size = (WIDTH_PX, HEIGHT_PX)
        bleed = (1 - view.size) / 2
        part = ImageOps.fit(photo.convert("RGB"), size, centering=(view.across, 0.5), bleed=bleed)
        whole = ImageOps.mirror(part) if view.mirrored else part
    return held(np.asarray(whole))


def _photo(name: str) -> Path:
    if name not in _OF_SKLEARN:
        return _PHOTOS / f"{name}.jpg"
    package = util.find_spec("sklearn")
    if package is None or package.origin is None:
        raise SystemExit("photographs come with scikit-learn: pip install scikit-learn")
    return Path(package.origin).parent / "datasets" / "images" / _OF_SKLEARN[name]
