"""Where the words of a text are printed: what lets a quote be marked on its page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from index.records import Box

WORD_BOX = np.dtype(
    [("start", "<i4"), ("end", "<i4"), ("x0", "<f4"), ("y0", "<f4"), ("x1", "<f4"), ("y1", "<f4")]
)
"""First character of a word in its text, the one after its last, and its corners in points."""

_SAME_LINE_SHARE = 0.5
"""Words whose heights overlap by this share of the lower one stand on one line."""
_WIDEST_SPACE = 3.0
"""Words of one line stand apart by less than this many times their height."""
_ON_END, _SHORT_ON_END = 1.4, 0.5
"""Words that many times as high as wide are those of a line that runs up or down; short ones beside
them, at least so."""


@dataclass(frozen=True, slots=True)
class WordBoxes:
    """The printed words of a text, in its order; one parted at a line's end has two boxes.

    Packed rows of `WORD_BOX`: a long manual has millions of them.
    """

    packed: bytes = b""

    @classmethod
    def of(cls, words: Iterable[tuple[int, int, Box]]) -> WordBoxes:
        """From (first character, the one after the last, box) of each word."""
        rows = [(start, end, box.x0, box.y0, box.x1, box.y1) for start, end, box in words]
        return cls(np.array(rows, WORD_BOX).tobytes())

    def __len__(self) -> int:
        return len(self.packed) // WORD_BOX.itemsize

    def rows(self) -> npt.NDArray[np.void]:
        """All words, dtype `WORD_BOX`, shape (words,)."""
        return np.frombuffer(self.packed, WORD_BOX)

    def boxes_of(self, start: int, end: int) -> tuple[Box, ...]:
        """Boxes around the words that characters [start, end) touch, one for each printed line."""
        from index.records import Box

        rows = self.rows()
        lines: list[_Corners] = []
        last: _Corners | None = None
        for row in rows[(rows["start"] < end) & (rows["end"] > start)].tolist():
            corners = row[2:]
            if last is not None and _on_one_line(last, corners):
                x0s, y0s, x1s, y1s = zip(lines[-1], corners, strict=True)
                lines[-1] = (min(x0s), min(y0s), max(x1s), max(y1s))
            else:
                lines.append(corners)
            last = corners
        return tuple(Box(*corners) for corners in lines)


NO_WORD_BOXES = WordBoxes()


_Corners = tuple[float, float, float, float]


def _on_one_line(before: _Corners, after: _Corners) -> bool:
    if _runs_on(before, after):
        return True
    # Pages that lie on their side: lines run up or down, their words stand higher than wide.
    return _stand_on_end(before, after) and _runs_on(_transposed(before), _transposed(after))


def _runs_on(before: _Corners, after: _Corners) -> bool:
    shared = min(before[3], after[3]) - max(before[1], after[1])
    lower = min(before[3] - before[1], after[3] - after[1])
    apart = max(after[0] - before[2], before[0] - after[2])
    return shared >= _SAME_LINE_SHARE * lower and apart < _WIDEST_SPACE * lower


def _stand_on_end(*words: _Corners) -> bool:
    ratios = [(y1 - y0) / max(x1 - x0, 1e-6) for x0, y0, x1, y1 in words]
    return max(ratios) > _ON_END and min(ratios) > _SHORT_ON_END


def _transposed(corners: _Corners) -> _Corners:
    x0, y0, x1, y1 = corners
    return y0, x0, y1, x1
