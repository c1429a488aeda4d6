"""Words of paragraphs in order: hyphens at line ends mended, sentence borders found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from index.word_boxes import NO_WORD_BOXES, WORD_BOX, WordBoxes
from ingest.headings import all_lines
from ingest.leaders import has_leader, words_without_leader
from ingest.pages import PageContent, PageLine, TextBlock
from ingest.printed_words import WORD_BYTES, corners, is_wide, placed_words, shared_boxes

_WIDE_WEIGHT = 0.5
"""A Chinese or Japanese character counts as half a word."""
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*$|[。！？]$")
_MAY_END = frozenset(".!?…\"'”’»)]。！？")
_ABBREVIATION = re.compile(
    r"^\W*(?:[A-Za-z]|e\.g|i\.e|cf|vs|etc|approx|no|nos|fig|figs|sec|ch|vol|p|pp|dr|mr|mrs|ms|st"
    r"|z\.B|d\.h|bzw|ca|nr|abb|рис|стр|см|гл)\.$",
    re.IGNORECASE,
)
_SAME_SIZE_PT = 0.5
_HYPHENS = ("-", "\u2010", "\u00ad")
_JOINING = frozenset({"and", "or", "und", "oder", "bzw"})
"""After a hyphen they leave it hanging: "input- and output files"."""


class Token(NamedTuple):
    """A word and where it stands: its line, or the two lines a hyphen parted it over."""

    text: str
    before: str
    """What stands between it and the word before: nothing, a space or a line break."""
    weight: float
    lines: tuple[PageLine, ...]
    paragraph: int
    boxes: bytes
    """Where it is printed, packed as in `printed_words`: one box, or one for each of its halves."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words of the whole document: they tell a parted word from a compound at a line's end."""

    words: frozenset[str]

    def mend(self, stem: str, rest: str) -> str:
        """Join the two halves of a word parted at a line end, with its hyphen or without."""
        if stem[-1] == "\u00ad":
            return stem[:-1] + rest
        plain, compound = stem[:-1] + rest, stem[:-1] + "-" + rest
        if self._holds(plain):
            return plain
        is_compound = self._holds(compound) or self._is_likely_compound(stem[:-1], rest)
        return compound if is_compound else plain

    def is_parted(self, stem: str, rest: str) -> bool:
        """True when a line ends with a letter and a hyphen and the next goes on with the word."""
        if stem[-1] == "\u00ad":
            return True
        if not stem.endswith(_HYPHENS) or len(stem) == 1 or not stem[-2].isalpha():
            return False
        if _bare(rest) in _JOINING and not self._holds(stem[:-1] + rest):
            return False
        return rest[0].islower() or rest[0].isupper() or rest[0].isdigit()

    def _is_likely_compound(self, stem: str, rest: str) -> bool:
        """Judged by the halves alone: capitals, options of programs, further hyphens."""
        if not rest[0].islower() or stem.startswith("-"):
            return True
        last = re.split("[-\u2010]", stem)[-1]
        return last != stem and self._holds(rest) and not self._holds(last + rest)

    def _holds(self, word: str) -> bool:
        return _bare(word) in self.words


def tokens_of(blocks: Iterable[TextBlock], vocabulary: Vocabulary) -> list[Token]:
    """Words of paragraphs in order, those parted at line ends made whole."""
    tokens: list[Token] = []
    above: TextBlock | None = None
    paragraph = -1
    for block in blocks:
        before = " " if above is not None and _goes_on(above, block) else "\n"
        paragraph += before == "\n"
        above = block if block.lines else above
        for line in block.lines:
            words = _line_words(line, paragraph)
            if not words:
                continue
            if before == " " and vocabulary.is_parted(tokens[-1].text, words[0].text):
                stem, rest = tokens[-1], words[0]
                mended = vocabulary.mend(stem.text, rest.text)
                tokens[-1] = stem._replace(
                    text=mended, lines=(*stem.lines, line), boxes=stem.boxes + rest.boxes
                )
                tokens.extend(words[1:])
                continue
            if before == " " and tokens[-1].weight == words[0].weight == _WIDE_WEIGHT:
                before = ""
            tokens.append(words[0]._replace(before=before))
            tokens.extend(words[1:])
            before = " "
    return tokens


def _goes_on(above: TextBlock, below: TextBlock) -> bool:
    """True when a paragraph is parted only by the end of a column."""
    if not below.lines:
        return False
    last, first = above.lines[-1], below.lines[0]
    return (
        first.box.x0 >= last.box.x1
        and first.box.y1 < last.box.y0
        and abs(first.size_pt - last.size_pt) < _SAME_SIZE_PT
        and first.text[:1].islower()
        and last.text[-1:] not in _MAY_END
        and last.text[-1:] not in ":;"
    )


def _line_words(line: PageLine, paragraph: int) -> list[Token]:
    """Words of one line; Chinese and Japanese characters one by one."""
    text, lines = line.text, (line,)
    packed = line.word_boxes or shared_boxes(text, line.box)
    boxes = [packed[at : at + WORD_BYTES] for at in range(0, len(packed), WORD_BYTES)]
    if is_wide(text):
        words = []
        for (word, start, _), box in zip(placed_words(text), boxes, strict=True):
            weight = _WIDE_WEIGHT if is_wide(word) else 1.0
            space = " " if text[:start][-1:].isspace() else ""
            words.append(Token(word, space, weight, lines, paragraph, box))
    else:
        words = [
            Token(word, " ", 1.0, lines, paragraph, box)
            for word, box in zip(text.split(), boxes, strict=True)
        ]
    if not has_leader(text):
        return words
    bare = words_without_leader(text)
    return [word._replace(text=text) for word, text in zip(words, bare, strict=True) if text]


def sentence_borders(tokens: Sequence[Token]) -> list[int]:
    """Indexes of words that start a sentence or a paragraph."""
    borders: list[int] = []
    for index in range(1, len(tokens)):
        before, here = tokens[index - 1], tokens[index]
        if here.paragraph != before.paragraph or (
            before.text[-1] in _MAY_END
            and not here.text[0].islower()
            and _SENTENCE_END.search(before.text)
            and not _ABBREVIATION.match(before.text)
        ):
            borders.append(index)
    return borders


def joined(tokens: Sequence[Token]) -> str:
    """The text of consecutive words."""
    return "".join(token.before + token.text for token in tokens).strip()


def word_boxes_of(tokens: Sequence[Token]) -> WordBoxes:
    """Where the words of the text `joined` gives are printed."""
    if not tokens:
        return NO_WORD_BOXES
    before = np.array([len(token.before) for token in tokens])
    before[0] -= len(tokens[0].before) - len(tokens[0].before.lstrip())
    lengths = np.array([len(token.text) for token in tokens])
    ends = np.cumsum(before + lengths)
    parts = [len(token.boxes) // WORD_BYTES for token in tokens]
    places = corners(b"".join(token.boxes for token in tokens))
    rows = np.empty(len(places), WORD_BOX)
    rows["start"], rows["end"] = np.repeat(ends - lengths, parts), np.repeat(ends, parts)
    for column, name in enumerate(("x0", "y0", "x1", "y1")):
        rows[name] = places[:, column]
    return WordBoxes(rows.tobytes())


def _bare(word: str) -> str:
    return word.strip(".,;:!?()[]{}\"'“”‘’«»").casefold()


def vocabulary_of(pages: Sequence[PageContent]) -> Vocabulary:
    """Words of the running text of a document, the second halves of parted ones left out."""
    words: set[str] = set()
    above = ""
    for line in all_lines(pages):
        here = line.text.split()
        words.update(here[1:] if above.endswith(_HYPHENS) else here)
        above = here[-1] if here else ""
    return Vocabulary(frozenset(map(_bare, words)))
