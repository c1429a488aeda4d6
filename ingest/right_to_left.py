"""Lines of Hebrew and Arabic in the order they are read.

MuPDF turns round each run of right-to-left letters, yet leaves the runs of a line in the order of
their places from the left: what stands around a number changes sides, and so do the parts of a
ligature. The order is made anew here from the places of the letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

_RIGHT_TO_LEFT = ("R", "AL")
_LEFT_TO_RIGHT = ("L", "EN", "AN")
_LETTER = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff]")
_NO_WIDTH_PT = 0.01


class Letter(NamedTuple):
    """A letter, printed; white space is one, too."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float


def is_right_to_left(text: str) -> bool:
    """True when most letters of a line are Hebrew or Arabic."""
    if not _LETTER.search(text):
        return False
    kinds = [unicodedata.bidirectional(character) for character in text]
    return sum(kind in _RIGHT_TO_LEFT for kind in kinds) > kinds.count("L")


def in_reading_order(line: Sequence[Letter]) -> list[Letter]:
    """Letters of a level right-to-left line, as MuPDF gives them, in the order they are read.

    From right to left; numbers and words of other scripts within, and what stands between two
    such, from left to right (the inverse of the Unicode bidirectional algorithm for one level).
    """
    groups = sorted(_groups(line), key=lambda group: -(group[0].x0 + group[0].x1))
    turned = _turned(groups)
    ordered: list[Letter] = []
    for is_turned, run in groupby(zip(groups, turned, strict=True), key=lambda each: each[1]):
        parts = [group for group, _ in run]
        for group in reversed(parts) if is_turned else parts:
            ordered.extend(group)
    return ordered


def _groups(line: Sequence[Letter]) -> list[list[Letter]]:
    """Each letter with those of no width that belong to it: vowel points, parts of a ligature.

    MuPDF has them before their letter, in reverse.
    """
    groups: list[list[Letter]] = []
    waiting: list[Letter] = []
    for letter in line:
        if letter.x1 - letter.x0 < _NO_WIDTH_PT:
            waiting.append(letter)
        else:
            groups.append([letter, *reversed(waiting)])
            waiting = []
    if waiting:
        groups.append(waiting[::-1])
    return groups


def _turned(groups: Sequence[Sequence[Letter]]) -> list[bool]:
    """Whether each group is one of a run that is read from left to right."""
    kinds = [unicodedata.bidirectional(group[0].text[0]) for group in groups]
    turned = [kind in _LEFT_TO_RIGHT for kind in kinds]
    last = None
    for at, kind in enumerate(kinds):
        if kind in _LEFT_TO_RIGHT:
            if last is not None and not any(k in _RIGHT_TO_LEFT for k in kinds[last:at]):
                turned[last:at] = [True] * (at - last)
            last = at
    return turned
