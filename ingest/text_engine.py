"""Finding and recognising lines of text: PP-OCRv6 small through RapidOCR, from its wheel.

RapidOCR loads the models and turns their outputs into boxes and letters. What goes into them is
prepared here, so that a line is read the same way whatever else is read: regions are searched at
the scale of their picture, and each line is recognised by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial, reduce
from importlib import import_module
from math import ceil, floor
from operator import mul
from queue import SimpleQueue
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from index.errors import ModelMissingError
from index.records import Box, TextLine
from ingest.settings import ScreenTextSettings
from ingest.text_cuts import (
    LEAST_WIDTH_PX,
    Corners,
    Picture,
    along_text,
    as_input,
    band_share,
    cut_out,
    evenly_spread,
    filled_up,
    letter_shares,
    side_px,
)
from ingest.text_regions import Region, ink, letters_px
from ingest.text_rows import in_rows

_SHORT_SIDE_PX: Final = 720
"""Smaller pictures are enlarged to this short side before text is searched in them."""
_LONG_SIDE_PX: Final = 2000
"""Larger pictures are made smaller to this long side before text is searched in them."""
_COARSELY: Final = 2
"""So much smaller are pictures that are searched coarsely."""
_COARSE_LETTERS_PX: Final = 16
"""Height of the lowest lines that are looked for coarsely, in a picture of `_SHORT_SIDE_PX`."""
_STRIDE_PX: Final = 32
"""The detector takes pictures whose sides are multiples of this."""
SEARCHED_AROUND_PX: Final = 32
"""The detector sees at least this much around a region."""
_NARROWED: Final = 0.8
"""Longer lines are narrowed to this share, as they were in training: they are read as well so, with
less work."""
_WIDTH_STEP_PX: Final = 64
"""Longer lines are filled up to multiples of this: the engines prepare for each new width."""

_LEAST_LETTERS_PX: Final = 2
"""Lower lines are no text; some are found in what fills a window up."""
_ENLARGEMENT: Final = 2
_ENLARGED_STEP_PX: Final = 64
"""Enlarged lines are filled up to multiples of this: each new size takes memory for its code."""
_KEPT_KERNELS: Final = 250
"""Code that is kept of that made for each size of picture and line: all of it fills the memory."""
_COVERED_SHARE: Final = 0.8
"""What is read of an enlarged line covers at least this share of its length."""
_LARGE_PX: Final = 48
"""Lines of this height show the recogniser all that it takes in: enlarging them adds nothing."""
_NO_LETTERS: Final = np.zeros(0, np.float32)

Inference = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A line that was found and is not recognised yet."""

    box: Box
    """In pixels of the picture."""
    corners: Corners = field(repr=False)
    cut: bool
    """Whether it reaches the border of the region that was searched, and may go on beyond."""


@dataclass(frozen=True, slots=True, eq=False)
class PendingLine:
    """A line that is being recognised."""

    box: Box
    """In pixels of the picture."""
    read: Future[TextLine]
    """Its text, at the same box; may be empty."""


@dataclass(frozen=True, slots=True, eq=False)
class PlacedLine:
    """A line with the places of its letters."""

    text: str
    """May be empty."""
    confidence: float
    corners: Corners
    letters: npt.NDArray[np.float32]
    """float32, one a letter: where its middle stands, as a share of the line's length."""
    band_px: float
    """Height of its letters without ascenders and descenders."""


class TextEngine:
    """The detector and the recogniser.

    Lines are recognised in threads of their own, so that the next picture can be searched
    meanwhile. Without the classifier of upside-down lines: pictures are upright, and it takes time.
    """

    def __init__(self, settings: ScreenTextSettings) -> None:
        """Load the models. Raises ModelMissingError when RapidOCR or its engine is missing."""
        rapid_ocr = _rapid_ocr(settings.engine)
        self._enlarge_below = settings.enlarge_below
        # One line is too little work for several threads: each thread reads lines of its own.
        self._threads = ThreadPoolExecutor(settings.threads, thread_name_prefix="screen-text")
        self._detector: Any = rapid_ocr._load_det_model()
        self._recognizer: Any = rapid_ocr._load_rec_model()
        # One more: lines are read enlarged while the next picture is searched, by all threads.
        self._detections = _inferences(
            self._detector.session, settings, count=settings.threads + 1, streams=1
        )
        self._recognitions = _inferences(
            self._recognizer.session, settings, count=settings.threads, streams=settings.threads
        )

    def find(
        self, image: Picture, regions: Sequence[Region], *, coarsely: bool = False
    ) -> list[list[FoundLine]]:
        """The lines in each of the regions of `image`, and in a margin around it.

        `image` is uint8, height x width x 3 (RGB). Coarsely, it is a quarter of the work, and lines
        less than 16 px high on a picture of 720 are left out: too many would be misread.
        """
        height_px, width_px = image.shape[:2]
        scale = _search_scale(width_px, height_px)
        least_px = _COARSE_LETTERS_PX / scale if coarsely else 0
        scale /= _COARSELY if coarsely else 1
        scaled = image
        if scale != 1:
            size = (max(1, round(width_px * scale)), max(1, round(height_px * scale)))
            scaled = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
        found = [self._find(scaled, scale, region) for region in regions]
        return [[line for line in some if letters_px(line.box) >= least_px] for some in found]

    def recognize(self, image: Picture, found: Sequence[FoundLine]) -> list[PendingLine]:
        """Begin to read lines in `image` (uint8, height x width x 3, RGB).

        Lines that are read unsurely are enlarged and read once more; the surer reading counts.
        """
        picture = Image.fromarray(image)
        # Lines of one width after another: the engines are slow to go from one to the next.
        order = sorted(range(len(found)), key=lambda at: _slenderness(found[at].box))
        pending = {
            at: PendingLine(found[at].box, self._threads.submit(self._read, picture, found[at]))
            for at in order
        }
        return [pending[at] for at in range(len(found))]

    def recognize_placed(
        self, image: Picture, found: Sequence[FoundLine], *, once: bool = False
    ) -> list[PlacedLine]:
        """Read lines in `image` (uint8, height x width x 3, RGB) and find where their letters are.

        Unsure lines are enlarged as in `recognize`, unless they are to be read only `once`.
        """
        picture = Image.fromarray(image)
        order = sorted(range(len(found)), key=lambda at: _slenderness(found[at].box))
        read = self._threads.map(lambda at: self._read_placed(picture, found[at], once=once), order)
        placed = dict(zip(order, read, strict=True))
        return [placed[at] for at in range(len(found))]

    def _read_placed(self, picture: Image.Image, found: FoundLine, *, once: bool) -> PlacedLine:
        cut = cut_out(picture, found.corners, _NARROWED)
        told, confidence, letters = self._recognize_cut(cut, placed=True)
        line = TextLine(told.strip(), found.box, confidence)
        if not once and (surer := self.surer(picture, line)) is not line:
            line = surer  # Read from a picture of its own: evenly spread is near.
            letters = evenly_spread(len(line.text))
        else:
            letters = letters[len(told) - len(told.lstrip()) :][: len(line.text)]
        corners = along_text(found.corners)
        band_px = band_share(cut) * side_px(corners, 1, 2)
        return PlacedLine(line.text, line.confidence, corners, letters, band_px)

    def _read(self, picture: Image.Image, found: FoundLine) -> TextLine:
        return self.surer(picture, self._recognize(picture, found))

    def surer(self, picture: Image.Image, line: TextLine) -> TextLine:
        """The line, or what is read of it enlarged where that is surer."""
        if line.confidence >= self._enlarge_below or letters_px(line.box) >= _LARGE_PX:
            return line
        again = self._read_enlarged(picture, line)
        return line if again is None else max(line, again, key=lambda one: one.confidence)

    def _read_enlarged(self, picture: Image.Image, line: TextLine) -> TextLine | None:
        """What is read where `line` stands, and only there, when that part is enlarged, or None.

        The box is that of `line`.
        """
        letters = ink(line.box)
        size_px = ceil(letters_px(line.box))
        x0, x1 = max(0, letters.x0 - 2 * size_px), min(picture.width, letters.x1 + 2 * size_px)
        y0, y1 = max(0, letters.y0 - size_px), min(picture.height, letters.y1 + size_px)
        part = picture.crop((x0, y0, x1, y1))
        enlarged_px = (part.width * _ENLARGEMENT, part.height * _ENLARGEMENT)
        enlarged = np.asarray(part.resize(enlarged_px, Image.Resampling.LANCZOS))
        enlarged = filled_up(enlarged, _ENLARGED_STEP_PX)
        there = Region(
            (letters.x0 - x0) * _ENLARGEMENT,
            (letters.y0 - y0) * _ENLARGEMENT,
            (letters.x1 - x0) * _ENLARGEMENT,
            (letters.y1 - y0) * _ENLARGEMENT,
        )
        found = self._find(enlarged, 1, Region(0, 0, enlarged.shape[1], enlarged.shape[0]))
        touching = [one for one in found if ink(one.box).touches(there)]
        if not _fill(there, [ink(one.box) for one in touching], reach_px=size_px):
            return None  # Read would be what stands beside it, too, or a part of it.
        whole = Image.fromarray(enlarged)
        again = [self._recognize(whole, one, narrowed=1.0) for one in touching]
        return _joined(again, line.box)

    def _find(self, scaled: Picture, scale: float, region: Region) -> list[FoundLine]:
        window = _window(region, scale, scaled.shape[1], scaled.shape[0])
        part = scaled[window.y0 : window.y1, window.x0 : window.x1]
        filled = filled_up(part, _STRIDE_PX)
        with _taken(self._detections) as infer:
            shares = infer(as_input(filled))
            places, _ = self._detector.postprocess_op(shares, filled.shape[:2])
        found = [_found(corners, window, scaled, scale) for corners in places]
        return [line for line in found if letters_px(line.box) >= _LEAST_LETTERS_PX]

    def _recognize(
        self, picture: Image.Image, found: FoundLine, *, narrowed: float = _NARROWED
    ) -> TextLine:
        text, confidence, _ = self._recognize_cut(cut_out(picture, found.corners, narrowed))
        return TextLine(text.strip(), found.box, confidence)

    def _recognize_cut(
        self, cut: Image.Image, *, placed: bool = False
    ) -> tuple[str, float, npt.NDArray[np.float32]]:
        """Text, confidence and, where asked for, the place of each letter."""
        line = as_input(np.asarray(cut))
        needed_px = line.shape[3]
        filled_px = max(LEAST_WIDTH_PX, ceil(needed_px / _WIDTH_STEP_PX) * _WIDTH_STEP_PX)
        filled = np.pad(line, ((0, 0), (0, 0), (0, 0), (0, filled_px - needed_px)))
        with _taken(self._recognitions) as infer:
            scores = infer(filled)
            ((text, confidence),), _ = self._recognizer.postprocess_op(scores)
            letters = letter_shares(scores[0], filled_px / needed_px) if placed else _NO_LETTERS
        return text, float(confidence), letters


def _rapid_ocr(engine: Literal["openvino", "onnxruntime"]) -> Any:
    """RapidOCR, whose models compute on one thread a call."""
    try:
        from rapidocr import EngineType, RapidOCR

        import_module(engine)
    except ImportError as error:
        message = f"text in pictures needs RapidOCR: pip install rapidocr {engine}"
        raise ModelMissingError(message) from error
    options = {
        "openvino": {"inference_num_threads": 1},
        "onnxruntime": {"intra_op_num_threads": 1},
    }[engine]
    return RapidOCR(
        params={
            "Global.log_level": "error",
            "Det.engine_type": EngineType(engine),
            "Rec.engine_type": EngineType(engine),
            **{f"EngineConfig.{engine}.{key}": value for key, value in options.items()},
        }
    )


def _inferences(
    session: Any, settings: ScreenTextSettings, *, count: int, streams: int
) -> SimpleQueue[Inference]:
    """Calls of a model for `count` threads at the same time, computing `streams` at a time."""
    free: SimpleQueue[Inference] = SimpleQueue()
    if settings.engine == "onnxruntime":
        for _ in range(count):
            free.put(session)
        return free
    import openvino

    # RapidOCR has no setting for most of these.
    model = openvino.compile_model(
        session.model,
        "CPU",
        {
            "INFERENCE_NUM_THREADS": settings.threads,
            "NUM_STREAMS": streams,
            # Threads of several workers would be tied to the same processor.
            "ENABLE_CPU_PINNING": False,
            "CPU_RUNTIME_CACHE_CAPACITY": _KEPT_KERNELS,
        },
    )
    session.session = None  # What RapidOCR has made of the model takes memory, too.
    for _ in range(count):
        free.put(partial(_infer, model.create_infer_request()))
    return free


@contextmanager
def _taken(free: SimpleQueue[Inference]) -> Iterator[Inference]:
    """One of the calls that nobody uses."""
    inference = free.get()
    try:
        yield inference
    finally:
        free.put(inference)


def _infer(request: Any, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The output, valid until the next call with the same request."""
    request.infer([values])
    output: npt.NDArray[np.float32] = request.get_output_tensor(0).data
    return output


def _fill(place: Region, parts: Sequence[Region], *, reach_px: int) -> bool:
    """Whether parts together cover most of a line's place, and reach no further than told."""
    if not parts:
        return False
    union = reduce(Region.joined, parts)
    within = (
        union.x0 >= place.x0 - reach_px
        and union.y0 >= place.y0 - reach_px
        and union.x1 <= place.x1 + reach_px
        and union.y1 <= place.y1 + reach_px
    )
    length = max(place.x1 - place.x0, place.y1 - place.y0)
    return within and max(union.x1 - union.x0, union.y1 - union.y0) >= _COVERED_SHARE * length


def _joined(lines: Sequence[TextLine], box: Box) -> TextLine | None:
    """One line of all of them, at `box`; None when they say nothing."""
    told = [line for row in in_rows([line for line in lines if line.text]) for line in row]
    if not told:
        return None
    letters = [len(line.text) for line in told]
    confidence = sum(map(mul, letters, (line.confidence for line in told))) / sum(letters)
    return TextLine(" ".join(line.text for line in told), box, confidence)


def _slenderness(box: Box) -> float:
    return (box.x1 - box.x0) / (box.y1 - box.y0)


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
