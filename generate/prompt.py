"""What a model is asked: turns of text, clips and pictures, in the order in which it reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE_STEP_PX = 32
"""Qwen3-VL sees patches of 16 px, merged two by two: sides are multiples of this."""


@dataclass(frozen=True, slots=True)
class TextPart:
    """Words. Control tokens in them are already neutralised."""

    text: str


@dataclass(frozen=True, slots=True)
class ClipPart:
    """Frames of a video, each with its time on the source's clock."""

    evidence: str
    """Id of the evidence that it shows ("E1")."""
    times: tuple[Fraction, ...]
    """Seconds, ascending; equal ones stand for a frame that is given twice. At least one."""
    height_px: int
    width_px: int
    """Size at which the model sees each frame."""
    load: Callable[[], Sequence[Image]]
    """Reads the frames: RGB, of that size, one for each time."""
    content: str = ""
    """What tells the source from all others (its id), so that what was seen of it before need not
    be loaded again; empty: the pixels themselves tell."""

    def __post_init__(self) -> None:
        if not self.times or any(later < earlier for earlier, later in pairwise(self.times)):
            raise ValueError(f"a clip has ascending times, got {self.times}")
        _check_size(self.height_px, self.width_px)


@dataclass(frozen=True, slots=True)
class PicturePart:
    """A page, or one frame by itself."""

    evidence: str
    height_px: int
    width_px: int
    load: Callable[[], Image]
    """Reads the picture: RGB, of that size."""
    content: str = ""
    """What tells the picture from all others (its source's id, page or time, area); empty: the
    pixels themselves tell."""

    def __post_init__(self) -> None:
        _check_size(self.height_px, self.width_px)


Part = TextPart | ClipPart | PicturePart


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side says."""

    role: Literal["user", "assistant"]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """All that a model reads before it answers."""

    system: str
    turns: tuple[Turn, ...]
    """The last one is the user's."""

    def __post_init__(self) -> None:
        if not self.turns or self.turns[-1].role != "user":
            raise ValueError("a prompt ends with a turn of the user")


def _check_size(height_px: int, width_px: int) -> None:
    if (
        min(height_px, width_px) < SIDE_STEP_PX
        or height_px % SIDE_STEP_PX
        or width_px % SIDE_STEP_PX
    ):
        raise ValueError(f"sides are multiples of {SIDE_STEP_PX} px, got {height_px} x {width_px}")
