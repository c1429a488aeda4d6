"""Boxes and order of words, against those of a second PDF reader (poppler's `pdftotext -bbox`).

A word of ours is right when poppler has a word of the same letters whose left and right edges and
whose middle height are all within 2 pt of it. Heights themselves are not compared: MuPDF takes the
ascent and descent the font states, poppler caps them, so that tops and feet differ by design.

The two part words differently in places (poppler at changes of font, MuPDF at gaps; only we part
Chinese and Japanese at every character). Words that touch without white space are therefore one
word here, ours as well as poppler's, when only this makes their letters equal. Hyphens at line
ends: the halves of a mended word are compared one by one. Letters are compared after Unicode's
compatibility forms (ligatures) are resolved and soft hyphens dropped; an accent takes the dot off
its i. Words of ours without a letter or digit (bullets, lines of signs) do not count.

Leader dots are no part of a word, to either reader. Where a title touches them poppler has the
first dot in the title's last word: a word that ends with a dot, after which three single dots
follow on its line, loses that dot and a dot's width, that of the next one.

Two more kinds are counted on their own, and added to none of the others:

- in one place, other letters: both readers have as many letters between the same edges, within
  2 pt, and half of them are alike. The letters of a font that does not name them are guessed:
  poppler reads TeX's angle brackets as h and i.
- with unknown letters: words of ours that hold letters without a Unicode value (U+FFFD): notes of
  music, printed with a font of their own, that touch a letter.
"""

from __future__ import annotations

import html
import re
import subprocess
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from index.records import Box, Moment

TOLERANCE_PT = 2.0
_PAGE_OR_WORD = re.compile(
    r'<page |<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)</word>'
)
_DOTLESS_I = re.compile(r"\u0131(?=[\u0300-\u036f])")
_LEAST_DOTS = 3
_UNKNOWN_LETTER = "\ufffd"
_HYPHENS = "-\u2010\u00ad"


@dataclass(frozen=True, slots=True)
class PlacedWord:
    """A printed word, or half of one that was mended."""

    letters: str
    box: Box
    half: int = 0
    """0: a whole word; 1: the first half of `letters`; 2: the second."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Counts over pages."""

    words: int = 0
    """Ours with a letter or digit, on pages of which both readers hold words."""
    equal: int = 0
    """Those in the box of a poppler word of the same letters."""
    parted_otherwise: int = 0
    """Those in the box of several of poppler's, or part of one, whose letters agree."""
    other_letters: int = 0
    """Those in the place of poppler's, as many letters, half of them alike."""
    unknown_letters: int = 0
    """Those not found that hold letters without a Unicode value."""
    neighbours: int = 0
    """Words of ours that follow each other and were both found."""
    neighbours_in_order: int = 0
    pairs: int = 0
    """All pairs of words of one page that were both found."""
    pairs_in_order: int = 0

    def __add__(self, other: Agreement) -> Agreement:
        return Agreement(
            *(getattr(self, name) + getattr(other, name) for name in Agreement.__slots__)
        )


def poppler_words(path: str, first: int, last: int) -> list[list[PlacedWord]]:
    """Words of pages first..last, in poppler's reading order."""
    command = ["pdftotext", "-bbox", "-f", str(first), "-l", str(last), path, "-"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    pages: list[list[PlacedWord]] = []
    for match in _PAGE_OR_WORD.finditer(done.stdout.decode(errors="replace")):
        *corners, text = match.groups()
        if text is None:
            pages.append([])
            continue
        x0, y0, x1, y1 = map(float, corners)
        if letters := _alike(html.unescape(text)):
            pages[-1].append(PlacedWord(letters, Box(x0, y0, max(x0, x1), max(y0, y1))))
    return [without_leader_dots(words) for words in pages]


def without_leader_dots(words: Sequence[PlacedWord]) -> list[PlacedWord]:
    """Words of a page without the leader dot that they end with; see the module for the rule."""
    bare: list[PlacedWord] = []
    for number, word in enumerate(words, start=1):
        after = words[number : number + _LEAST_DOTS]
        is_led = (
            word.letters.strip(".")
            and word.letters.endswith(".")
            and [each.letters for each in after] == ["."] * _LEAST_DOTS
            and all(_is_beside(one, other) for one, other in pairwise([word, *after]))
        )
        bare.append(_without_dot(word, after[0]) if is_led else word)
    return bare


def _without_dot(word: PlacedWord, dot: PlacedWord) -> PlacedWord:
    box = replace(word.box, x1=word.box.x1 - (dot.box.x1 - dot.box.x0))
    return replace(word, letters=word.letters[:-1], box=box)


def _is_beside(one: PlacedWord, other: PlacedWord) -> bool:
    """True when `other` is the next on the line; leaders may be of a smaller font."""
    return one.box.x1 <= other.box.x0 + 1 and one.box.y0 <= (other.box.y0 + other.box.y1) / 2 <= (
        one.box.y1
    )


def our_words(moments: Iterable[Moment]) -> list[PlacedWord]:
    """The printed words of moments of one page, in their order."""
    words: list[PlacedWord] = []
    for moment in moments:
        rows = moment.word_boxes.rows()
        if not len(rows):
            continue
        halves = rows["start"][1:] == rows["start"][:-1]
        is_second = [False, *halves.tolist()]
        is_first = [*halves.tolist(), False]
        for row, first, second in zip(rows.tolist(), is_first, is_second, strict=True):
            start, end, *corners = row
            text = moment.text[start:end].replace("\\|", "|")
            if letters := _alike(text):
                half = 1 if first else 2 if second else 0
                words.append(PlacedWord(letters, Box(*corners), half))
    return words


def agreement(ours: Sequence[PlacedWord], theirs: Sequence[PlacedWord]) -> Agreement:
    """How one page of ours agrees with poppler's; see the module for the rule."""
    if not ours or not theirs:
        return Agreement()
    at: dict[int, list[int]] = defaultdict(list)
    for number, word in enumerate(theirs):
        at[_row(word.box)].append(number)
    counted = [n for n, word in enumerate(ours) if any(map(str.isalnum, word.letters))]
    found = [_place_of(ours[number], theirs, at) for number in counted]
    equal = sum(place is not None for place in found)
    missing = [n for n, place in zip(counted, found, strict=True) if place is None]
    kinds = Counter(_kind(number, ours, theirs, at) for number in missing)
    order = np.array([place for place in found if place is not None])
    both = [(a, b) for a, b in pairwise(found) if a is not None and b is not None]
    later = np.triu(order[None, :] > order[:, None], 1)
    same = np.triu(order[None, :] == order[:, None], 1)
    pairs = len(order) * (len(order) - 1) // 2 - int(same.sum())
    return Agreement(
        words=len(counted),
        equal=equal,
        parted_otherwise=kinds["parted"],
        other_letters=kinds["other"],
        unknown_letters=kinds["unknown"],
        neighbours=len(both),
        neighbours_in_order=sum(a <= b for a, b in both),
        pairs=pairs,
        pairs_in_order=int(later.sum()),
    )


def _alike(text: str) -> str:
    text = _DOTLESS_I.sub("i", text)
    return unicodedata.normalize("NFKC", text.replace("\u00ad", "")).replace("\u2010", "-")


def _row(box: Box) -> int:
    return int((box.y0 + box.y1) / 2 // TOLERANCE_PT)


def _near(box: Box, theirs: Sequence[PlacedWord], at: dict[int, list[int]]) -> Iterable[int]:
    """Numbers of the words whose middle is as high as the box's."""
    middle = (box.y0 + box.y1) / 2
    for row in range(_row(box) - 1, _row(box) + 2):
        for number in at.get(row, ()):
            other = theirs[number].box
            if abs((other.y0 + other.y1) / 2 - middle) <= TOLERANCE_PT:
                yield number


def _place_of(
    word: PlacedWord, theirs: Sequence[PlacedWord], at: dict[int, list[int]]
) -> int | None:
    for number in _near(word.box, theirs, at):
        other = theirs[number]
        edges = max(abs(word.box.x0 - other.box.x0), abs(word.box.x1 - other.box.x1))
        if edges <= TOLERANCE_PT and _is_same(word, other.letters):
            return number
    return None


def _is_same(word: PlacedWord, letters: str) -> bool:
    if word.half == 1:
        return word.letters.startswith(letters.rstrip(_HYPHENS) or "?")
    if word.half == 2:
        return word.letters.endswith(letters)
    return word.letters == letters


def _kind(
    number: int,
    ours: Sequence[PlacedWord],
    theirs: Sequence[PlacedWord],
    at: dict[int, list[int]],
) -> str:
    """Of a word that is in no box of poppler's: "parted", "other", "unknown" or "missed".

    Parted: the words of poppler that overlap the word, and ours there, have equal letters.
    """
    box = ours[number].box
    here: list[int] = []
    mine: list[PlacedWord] = []
    level = [word for word in ours if _is_level(word.box, box)]
    while True:
        here = [n for n in _near(box, theirs, at) if _overlap(theirs[n].box, box)]
        mine = [word for word in level if _overlap(word.box, box)]
        boxes = [*(theirs[n].box for n in here), *(word.box for word in mine)]
        wider = Box(min(each.x0 for each in boxes), box.y0, max(each.x1 for each in boxes), box.y1)
        if wider == box:
            break
        box = wider
    missed = "unknown" if _UNKNOWN_LETTER in ours[number].letters else "missed"
    if not here:
        return missed
    letters = "".join(theirs[n].letters for n in sorted(here, key=lambda n: theirs[n].box.x0))
    own = sorted(mine, key=lambda word: word.box.x0)
    left, right = min(theirs[n].box.x0 for n in here), max(theirs[n].box.x1 for n in here)
    edges = max(abs(own[0].box.x0 - left), abs(max(w.box.x1 for w in own) - right))
    if edges > TOLERANCE_PT:
        return missed
    our_letters = "".join(word.letters for word in own)
    if len(own) == 1:
        our_letters = _printed(own[0], letters)
    if sorted(our_letters) == sorted(letters):
        return "parted"
    alike = sum(one == other for one, other in zip(our_letters, letters, strict=False))
    is_half_alike = len(our_letters) == len(letters) and alike * 2 >= len(letters)
    return "other" if is_half_alike and missed == "missed" else missed


def _printed(word: PlacedWord, letters: str) -> str:
    """The letters of a half that stand where `letters` do."""
    if word.half == 1:
        stem = letters.rstrip(_HYPHENS)
        return word.letters[: len(stem)] + letters[len(stem) :]
    return word.letters[-len(letters) :] if word.half == 2 else word.letters


def _overlap(one: Box, other: Box) -> bool:
    return min(one.x1, other.x1) - max(one.x0, other.x0) > 0.5


def _is_level(one: Box, other: Box) -> bool:
    return abs(one.y0 + one.y1 - other.y0 - other.y1) / 2 <= TOLERANCE_PT
