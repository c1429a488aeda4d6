"""Words of printed lines: where one ends, which script they are in, and the boxes they get.

A word is what stands between white space; of Chinese and Japanese, which know no spaces, each
character is a word. Boxes of words are packed: a long manual has millions of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ingest.right_to_left import is_right_to_left

if TYPE_CHECKING:
    from index.records import Box

WORD_CORNERS = np.dtype("<f4")
"""Packed boxes of words: x0, y0, x1, y1 in points of each, one after the other."""
WORD_BYTES = 4 * WORD_CORNERS.itemsize

_WIDE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f"
_WORD = re.compile(rf"[{_WIDE}]|[^\s{_WIDE}]+")
_WIDE_LETTER = re.compile(rf"[{_WIDE}]")


def is_wide(text: str) -> bool:
    """True when a text holds Chinese or Japanese characters."""
    return not text.isascii() and _WIDE_LETTER.search(text) is not None


def split_words(text: str) -> list[str]:
    """The words of a line, in its order."""
    return _WORD.findall(text) if is_wide(text) else text.split()


def placed_words(text: str) -> list[tuple[str, int, int]]:
    """The words of a line, each with the index of its first character and the one after it."""
    return [(match[0], match.start(), match.end()) for match in _WORD.finditer(text)]


def corners(packed: bytes) -> npt.NDArray[np.float32]:
    """Packed boxes as float32 of shape (words, 4): x0, y0, x1, y1."""
    return np.frombuffer(packed, WORD_CORNERS).reshape(-1, 4)


def packed_box(box: Box) -> bytes:
    """The box of one word, packed."""
    return np.array([box.x0, box.y0, box.x1, box.y1], WORD_CORNERS).tobytes()


def shared_boxes(text: str, box: Box) -> bytes:
    """Boxes of the words of a line of which only its own box is known, packed.

    Every word gets the share of the line's width that its characters have of the line's; in a
    Hebrew or Arabic line the first word stands at the right.
    """
    words = placed_words(text)
    places = np.array([place for _, *place in words], np.float64).reshape(-1, 2) / max(len(text), 1)
    if is_right_to_left(text):
        places = 1 - places[:, ::-1]
    rows = np.empty((len(words), 4), WORD_CORNERS)
    rows[:, 0::2] = box.x0 + places * (box.x1 - box.x0)
    rows[:, 1], rows[:, 3] = box.y0, box.y1
    return rows.tobytes()
