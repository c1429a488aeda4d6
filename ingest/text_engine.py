"""Finding and recognising lines of text: PP-OCRv6 small through RapidOCR, from its wheel.

RapidOCR loads the models and turns their outputs into boxes and letters. What goes into them is
prepared here, so that a line is read the same way whatever else is read: regions are searched at
the scale of their picture, and each line is recognised by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from math import ceil, floor
from queue import SimpleQueue
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from index.errors import ModelMissingError
from index.records import Box, TextLine
from ingest.settings import ScreenTextSettings
from ingest.text_regions import Region

_SHORT_SIDE_PX: Final = 720
"""Smaller pictures are enlarged to this short side before text is searched in them."""
_LONG_SIDE_PX: Final = 2000
"""Larger pictures are made smaller to this long side before text is searched in them."""
_STRIDE_PX: Final = 32
"""The detector takes pictures whose sides are multiples of this."""
SEARCHED_AROUND_PX: Final = 32
"""The detector sees at least this much around a region."""
_LINE_HEIGHT_PX: Final = 48
"""The recogniser takes lines of this height."""
_LEAST_WIDTH_PX: Final = 320
"""Lines are filled up to this width, the least that the recogniser was trained with."""
_WIDTH_STEP_PX: Final = 64
"""Longer lines are filled up to multiples of this: the engines prepare for each new width."""

Picture = npt.NDArray[np.uint8]
Inference = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A line that was found and is not recognised yet."""

    box: Box
    """In pixels of the picture."""
    corners: npt.NDArray[np.float32] = field(repr=False)
    """float32, 4 x 2: x and y in the picture, clockwise from the top left of the text."""
    cut: bool
    """Whether it reaches the border of the region that was searched, and may go on beyond."""


class TextEngine:
    """The detector and the recogniser.

    Without the classifier of upside-down lines: pictures are upright, and it takes time.
    """

    def __init__(self, settings: ScreenTextSettings) -> None:
        """Load the models. Raises ModelMissingError when RapidOCR or its engine is missing."""
        count = settings.threads
        self._detector: Any = _rapid_ocr(settings.engine, count, 1)._load_det_model()
        self._recognizer: Any = _rapid_ocr(settings.engine, count, count)._load_rec_model()
        # One line is too little work for several threads: each thread reads lines of its own.
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="screen-text")
        self._recognizers: SimpleQueue[Inference] = SimpleQueue()
        for inference in _inferences(self._recognizer.session, settings.engine, count):
            self._recognizers.put(inference)

    def find(self, image: Picture, regions: Sequence[Region]) -> list[list[FoundLine]]:
        """The lines in each of the regions of `image`, and in a margin around it.

        `image` is uint8, height x width x 3 (RGB).
        """
        height_px, width_px = image.shape[:2]
        scale = _search_scale(width_px, height_px)
        scaled = image
        if scale != 1:
            size = (max(1, round(width_px * scale)), max(1, round(height_px * scale)))
            scaled = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
        return [self._find(scaled, scale, region) for region in regions]

    def recognize(self, image: Picture, found: Sequence[FoundLine]) -> list[TextLine]:
        """The texts of lines in `image` (uint8, height x width x 3, RGB); some may be empty."""
        bgr = np.ascontiguousarray(image[..., ::-1])
        return list(self._threads.map(partial(self._recognize, bgr), found))

    def _find(self, scaled: Picture, scale: float, region: Region) -> list[FoundLine]:
        window = _window(region, scale, scaled.shape[1], scaled.shape[0])
        part = scaled[window.y0 : window.y1, window.x0 : window.x1]
        missing = [(0, -side % _STRIDE_PX) for side in part.shape[:2]]
        filled = np.pad(part, (*missing, (0, 0)), mode="edge")
        shares = self._detector.session(_as_input(filled[..., ::-1]))
        places, _ = self._detector.postprocess_op(shares, filled.shape[:2])
        return [_found(corners, window, scaled, scale) for corners in places]

    def _recognize(self, bgr: Picture, found: FoundLine) -> TextLine:
        from rapidocr.utils.process_img import get_rotate_crop_image

        line = get_rotate_crop_image(bgr, found.corners.copy())
        height_px, width_px = line.shape[:2]
        needed_px = ceil(_LINE_HEIGHT_PX * width_px / height_px)
        filled_px = max(_LEAST_WIDTH_PX, ceil(needed_px / _WIDTH_STEP_PX) * _WIDTH_STEP_PX)
        filled = self._recognizer.resize_norm_img(line, filled_px / _LINE_HEIGHT_PX)
        inference = self._recognizers.get()
        try:
            letters = inference(filled[np.newaxis])
            ((text, confidence),), _ = self._recognizer.postprocess_op(letters)
        finally:
            self._recognizers.put(inference)
        return TextLine(text.strip(), found.box, float(confidence))


def _rapid_ocr(engine: Literal["openvino", "onnxruntime"], threads: int, streams: int) -> Any:
    """RapidOCR whose models compute on `threads` threads, `streams` inputs at the same time."""
    try:
        from rapidocr import EngineType, RapidOCR

        import_module(engine)
    except ImportError as error:
        message = f"text in pictures needs RapidOCR: pip install rapidocr {engine}"
        raise ModelMissingError(message) from error
    options = {
        "openvino": {
            "inference_num_threads": threads,
            "num_streams": streams,
            # Threads of several workers would be tied to the same processor.
            "enable_cpu_pinning": False,
        },
        "onnxruntime": {"intra_op_num_threads": threads // streams},
    }[engine]
    return RapidOCR(
        params={
            "Global.log_level": "error",
            "Det.engine_type": EngineType(engine),
            "Rec.engine_type": EngineType(engine),
            **{f"EngineConfig.{engine}.{key}": value for key, value in options.items()},
        }
    )


def _inferences(session: Any, engine: str, count: int) -> list[Inference]:
    """Calls of a model for `count` threads at the same time."""
    if engine == "onnxruntime":
        return [session] * count
    model = session.session.get_compiled_model()
    return [partial(_infer, model.create_infer_request()) for _ in range(count)]


def _infer(request: Any, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The output, valid until the next call with the same request."""
    request.infer([values])
    output: npt.NDArray[np.float32] = request.get_output_tensor(0).data
    return output


def _search_scale(width_px: int, height_px: int) -> float:
    enlarged = max(1.0, _SHORT_SIDE_PX / min(width_px, height_px))
    return min(enlarged, _LONG_SIDE_PX / max(width_px, height_px))


def _window(region: Region, scale: float, width_px: int, height_px: int) -> Region:
    """What of a scaled picture is searched for a region: on the grid of the detector's stride.

    On the grid, the detector sees the same in a window as in the whole picture.
    """

    def down(side: int) -> int:
        return max(0, floor((side * scale - SEARCHED_AROUND_PX) / _STRIDE_PX) * _STRIDE_PX)

    def up(side: int) -> int:
        return ceil((side * scale + SEARCHED_AROUND_PX) / _STRIDE_PX) * _STRIDE_PX

    return Region(
        down(region.x0),
        down(region.y0),
        min(width_px, up(region.x1)),
        min(height_px, up(region.y1)),
    )


def _as_input(bgr: Picture) -> npt.NDArray[np.float32]:
    """float32, 1 x 3 x height x width, from -1 to 1."""
    levels = bgr.transpose(2, 0, 1)[np.newaxis].astype(np.float32)
    return levels * np.float32(2 / 255) - np.float32(1)


def _found(
    corners: npt.NDArray[np.float32], window: Region, scaled: Picture, scale: float
) -> FoundLine:
    height_px, width_px = scaled.shape[:2]
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    cut = (
        (window.x0 > 0 and x0 <= 1)
        or (window.y0 > 0 and y0 <= 1)
        or (window.x1 < width_px and x1 >= window.x1 - window.x0 - 2)
        or (window.y1 < height_px and y1 >= window.y1 - window.y0 - 2)
    )
    placed = corners + np.array([window.x0, window.y0], np.float32)
    placed = np.clip(placed, 0, np.array([width_px, height_px], np.float32)) / np.float32(scale)
    (x0, y0), (x1, y1) = placed.min(axis=0), placed.max(axis=0)
    return FoundLine(Box(float(x0), float(y0), float(x1), float(y1)), placed, bool(cut))
