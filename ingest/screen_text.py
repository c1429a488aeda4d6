"""Text in pictures: read once on each distinct picture, then told as moments on the clock."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from index.errors import ModelMissingError
from index.records import Box, Moment, MomentKind, Span, TextLine
from ingest.frames import KeptFrame
from ingest.settings import ScreenTextSettings

_SAME_ROW_OVERLAP: Final = 0.5
"""Boxes whose heights overlap by this share of the lower one stand in one row."""
_SAME_LINE_RATIO: Final = 0.85
"""Recognisers misread a letter now and then: lines this alike are the same line."""
_SAME_TEXT_SHARE: Final = 0.02
"""Texts of which at most this share of the characters has no counterpart are the same."""
_SAME_PLACE_SHARE: Final = 0.5
_CLOCK: Final = re.compile(r"\d{1,2}[:.;]\d{2}[:.;]\d{2}([:.;,]\d{1,3})?")
_LOOKS_LIKE_DIGITS: Final = str.maketrans("OoQlI|", "000111")


class ScreenTextReader:
    """Reads the lines of text in a picture (PP-OCRv6 small through RapidOCR, from its wheel).

    Without the classifier of upside-down lines: pictures are upright, and it takes time.
    """

    def __init__(self, settings: ScreenTextSettings) -> None:
        """Load the models. Raises ModelMissingError when RapidOCR or its engine is missing."""
        try:
            from rapidocr import EngineType, RapidOCR
        except ImportError as error:
            message = "text in pictures needs RapidOCR: pip install rapidocr openvino"
            raise ModelMissingError(message) from error
        engine, threads_key = {
            "openvino": (EngineType.OPENVINO, "openvino.inference_num_threads"),
            "onnxruntime": (EngineType.ONNXRUNTIME, "onnxruntime.intra_op_num_threads"),
        }[settings.engine]
        self._min_confidence = settings.min_confidence
        self._engine: Any = RapidOCR(
            params={
                "Global.log_level": "error",
                "Global.use_cls": False,
                "Global.text_score": settings.min_confidence,
                "Det.engine_type": engine,
                "Rec.engine_type": engine,
                f"EngineConfig.{threads_key}": settings.threads,
            }
        )

    def read(self, image: npt.NDArray[np.uint8]) -> tuple[TextLine, ...]:
        """Lines in reading order: rows from top to bottom, in a row from left to right.

        `image` is uint8, height x width x 3 (RGB). Boxes are in pixels of this image.
        """
        found = self._engine(np.ascontiguousarray(image[..., ::-1]))
        if found.txts is None:
            return ()
        height_px, width_px = image.shape[:2]
        lines = [
            TextLine(text.strip(), _box(corners, width_px, height_px), float(confidence))
            for corners, text, confidence in zip(found.boxes, found.txts, found.scores, strict=True)
            if text.strip() and confidence >= self._min_confidence
        ]
        return tuple(line for row in in_rows(lines) for line in row)


def in_rows(lines: Sequence[TextLine]) -> list[list[TextLine]]:
    """Rows from top to bottom, each from left to right: what stands side by side is one row."""
    rows: list[list[TextLine]] = []
    for line in sorted(lines, key=lambda line: (line.box.y0 + line.box.y1, line.box.x0)):
        if rows and all(_same_row(other.box, line.box) for other in rows[-1]):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.box.x0) for row in rows]


def screen_text_moments(
    frames: Sequence[KeptFrame], lines_per_frame: Sequence[Sequence[TextLine]]
) -> tuple[Moment, ...]:
    """Tell consecutive pictures with the same text as one moment, until the text goes.

    Text that grows, bullet by bullet, is a new moment each time. Running clocks and counters
    (lines of digits and punctuation that change in place, or look like h:mm:ss) are left out and
    make no text new. The lines are those of the first picture, boxes in its pixels.
    """
    if len(frames) != len(lines_per_frame):
        raise ValueError(f"{len(frames)} pictures with lines of {len(lines_per_frame)}")
    moments: list[Moment] = []
    shown: _Shown | None = None
    for index, (frame, lines) in enumerate(zip(frames, lines_per_frame, strict=True)):
        neighbours = [
            other
            for at in (index - 1, index + 1)
            if 0 <= at < len(frames)
            for other in lines_per_frame[at]
        ]
        text = tuple(line for line in lines if not _is_running(line, neighbours))
        if shown is not None and _same_text(shown.lines, text):
            shown = _Shown(shown.frame, Span(shown.span.start, frame.span.end), shown.lines)
            continue
        if shown is not None:
            moments.append(_moment(shown))
        shown = _Shown(frame, frame.span, text) if text else None
    if shown is not None:
        moments.append(_moment(shown))
    return tuple(moments)


@dataclass(frozen=True, slots=True)
class _Shown:
    """Text on the screen, from its first picture on."""

    frame: KeptFrame
    span: Span
    lines: tuple[TextLine, ...]


def _moment(shown: _Shown) -> Moment:
    letters = sum(len(line.text) for line in shown.lines)
    return Moment(
        kind=MomentKind.SCREEN_TEXT,
        place=shown.span,
        text="\n".join(" ".join(line.text for line in row) for row in in_rows(shown.lines)),
        frame_time=shown.frame.frame_time,
        lines=shown.lines,
        confidence=sum(len(line.text) * line.confidence for line in shown.lines) / letters,
    )


def _box(corners: npt.NDArray[np.float32], width_px: int, height_px: int) -> Box:
    xs = np.clip(corners[:, 0], 0, width_px)
    ys = np.clip(corners[:, 1], 0, height_px)
    return Box(float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max()))


def _same_row(one: Box, other: Box) -> bool:
    shared = min(one.y1, other.y1) - max(one.y0, other.y0)
    beside = one.x1 <= other.x0 or other.x1 <= one.x0
    return beside and shared >= _SAME_ROW_OVERLAP * min(one.y1 - one.y0, other.y1 - other.y0)


def _is_running(line: TextLine, neighbours: Sequence[TextLine]) -> bool:
    digits = line.text.translate(_LOOKS_LIKE_DIGITS)
    if not _is_number(digits):
        return False
    if _CLOCK.fullmatch(digits.replace(" ", "")):
        return True
    return any(
        other.text != line.text
        and _is_number(other.text.translate(_LOOKS_LIKE_DIGITS))
        and _same_place(line.box, other.box)
        for other in neighbours
    )


def _is_number(text: str) -> bool:
    return any(letter.isdigit() for letter in text) and not any(map(str.isalpha, text))


def _same_place(one: Box, other: Box) -> bool:
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    if width <= 0 or height <= 0:
        return False
    areas = [(box.x1 - box.x0) * (box.y1 - box.y0) for box in (one, other)]
    return width * height >= _SAME_PLACE_SHARE * max(areas)


def _same_text(one: Sequence[TextLine], other: Sequence[TextLine]) -> bool:
    """Whether the lines match one to one, but for a tiny rest; numbers are not compared."""
    ours = [letters for line in one if (letters := _letters(line.text))]
    theirs = [letters for line in other if (letters := _letters(line.text))]
    total = sum(map(len, ours)) + sum(map(len, theirs))
    if not total:
        return bool(one) and bool(other)
    unmatched = 0
    for letters in ours:
        match = next((known for known in theirs if _same_line(letters, known)), None)
        if match is None:
            unmatched += len(letters)
        else:
            theirs.remove(match)
    unmatched += sum(map(len, theirs))
    return unmatched <= _SAME_TEXT_SHARE * total


def _letters(text: str) -> str:
    """What is compared of a line: its letters and digits, nothing of a bare number."""
    kept = "".join(letter for letter in text.casefold() if letter.isalnum())
    return kept if any(map(str.isalpha, kept)) else ""


def _same_line(one: str, other: str) -> bool:
    if one == other:
        return True
    if [c for c in one if c.isdigit()] != [c for c in other if c.isdigit()]:
        return False  # "Chapter 11" and "Chapter 12" are alike, and not the same.
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.real_quick_ratio() >= _SAME_LINE_RATIO and matcher.ratio() >= _SAME_LINE_RATIO
