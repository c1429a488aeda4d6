"""A model's text becomes sentences with their citations, in the forms that models really write.

Asked for `[E3]`, models also write `[E3, E5]`, `[E1-E3]`, `(E3)`, `【E3】`, `[^E3]`, `[E3](#e3)`,
`[E3 00:12:05-00:12:11]`, `[12.3s - 15s]`, `<725.4 seconds>`, `<cite>E3</cite>` or `[3]`, before or
after the full stop. What stands in brackets and is no citation stays text. Nothing is refused:
any text at all gives sentences.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from generate.cited_items import Mark, parse_items, write_mark
from generate.evidence import Evidence
from generate.sentences import read_row
from index.words import all_words
from retrieve.telling import Border, sentence_borders, text_blocks

_INSIDE = r"[^\[\]【】［］〔〕(){}（）<>‹›\n]{1,200}"
_BRACKETS = re.compile(
    rf"\\?\[(?P<square>{_INSIDE}?)(?:\\?\]|\Z)|【(?P<lens>{_INSIDE})】|［(?P<wide>{_INSIDE})］"
    rf"|〔(?P<shell>{_INSIDE})〕|[<‹](?P<angle>{_INSIDE})[>›]|\{{(?P<curly>{_INSIDE})\}}"
    rf"|\((?P<round>{_INSIDE})\)|（(?P<wide_round>{_INSIDE})）"
)
_NUMBERED = ("square", "lens", "wide", "shell")
"""Brackets in which a bare 3 may stand for E3."""
_LOOSE = ("round", "wide_round")
"""Brackets that also hold other things: only ids count that can be nothing else."""
_TAGGED = re.compile(
    rf"<(?P<tag>sup|cite|ref|citation|evidence|source)\b[^>\n]{{0,40}}>(?P<body>{_INSIDE})</(?P=tag)>",
    re.IGNORECASE,
)
_TAG = re.compile(
    r"</?(?:sup|sub|cite|ref|citation|evidence|source)\b[^<>\n]{0,40}>", re.IGNORECASE
)
_BARE = re.compile(
    r"(?:\b(?:see|from|per|according to|siehe|vgl\.|laut|gemäß|см\.|согласно)\s+|(?:根据|见|参见))"
    r"(?P<id>[Ee]\d{1,3})(?![^\W_])"
)
_FOOTNOTE = re.compile(r"^[ \t]*\[\^(?P<label>\w{1,12})\]:[ \t]*(?P<body>.*)$", re.MULTILINE)
_HELD = "\ufdd0"
"""Stands before and after the number of a mark while the text is cut: no character of any text."""
_SLOT = rf"{_HELD}\d+{_HELD}"
_WRAPPED = re.compile(
    rf"[\[(（【]\s*({_SLOT}(?:(?:[\s,;、，；&]|and|und|и|和)*{_SLOT})*)\s*[\])）】]|`({_SLOT})`"
)
_LINK_TARGET = re.compile(rf"({_SLOT})\((?:https?:|#|/|\.)[^)\s]*\)")
_LINK_TEXT = re.compile(rf"\[([^\[\]\n]+)\](?={_SLOT})")
_JOINT = re.compile(rf"({_SLOT})(?:\s*[,;、，；&]\s*|\s+(?:and|und|и)\s+)(?={_SLOT})")
_SLOTS = re.compile(rf"[ \t]*{_SLOT}")
_LIST_SIGN = re.compile(r"^\s*(?:[-*+•–—]\s+|\d{1,3}[.)]\s+|#{1,6}\s+|>\s+)+")
_EMPHASIS = re.compile(
    r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1"
    r"|(?<![\w*])(\*)(?=[^\s*])([^*\n]+?)(?<=[^\s*])\*"
)
_LABEL = re.compile(
    r"\W*(?:sources?|evidence|references|citations?|quellen?|belege?|источники?"
    r"|参考(?:资料)?|来源|证据)"
    r"\W*",
    re.IGNORECASE,
)
_SHORT_FORM = re.compile(r"(?:^|[\s(])[^\W\d_]{1,4}\.$")
_DAY = re.compile(r"(?:^|\s)\d{1,2}\.$")
_MONTH_DE = re.compile(
    r"(?:Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember|"
    r"Jahrhundert)\b"
)


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """What a model says in one sentence, and what it cites for it."""

    text: str
    """Without citations and Markdown; never empty."""
    marks: tuple[Mark, ...]
    """In the order written, the same one once."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What citations may name."""

    ids: frozenset[str]
    words: frozenset[str]
    """Words of the evidence that look like ids."""
    names: Mapping[str, str]
    footnotes: Mapping[str, tuple[Mark, ...]]


def parse_cited(text: str, evidence: Sequence[Evidence]) -> tuple[CitedSentence, ...]:
    """Cut a model's text into sentences, each with what it cites.

    `evidence` tells an id from an error code that looks like one. A citation belongs to the
    sentence it follows; at the start of a line, to the one that begins there.
    """
    text = text.replace(_HELD, "").replace("\r\n", "\n").replace("\r", "\n")
    known, text = _known(text, evidence)
    held: list[tuple[Mark, ...]] = []
    text = _without_marks(text, known, held)
    sentences: list[CitedSentence] = []
    for start, end, header in text_blocks(text):
        if header is not None:
            sentences.append(_row(header, text[start:end], held))
            continue
        for line in text[start:end].split("\n"):
            for one in _sentences(line, held):
                _add(sentences, one)
    return tuple(sentences)


def write_cited(sentences: Sequence[CitedSentence]) -> str:
    """Write sentences with their citations, one a line: what `parse_cited` reads back."""
    return "\n".join(
        " ".join([one.text, *(f"[{write_mark(mark)}]" for mark in one.marks)]) for one in sentences
    )


def _known(text: str, evidence: Sequence[Evidence]) -> tuple[_Known, str]:
    """What may be named, and the text without the lines that only define footnotes."""
    names: dict[str, str] = {}
    for piece in evidence:
        for spelling in (piece.source.name, PurePath(piece.source.name).stem):
            if len(spelling) > 3:
                names.setdefault(spelling.casefold(), piece.source.name)
    words = {
        word.upper() for piece in evidence for word in all_words(f"{piece.text} {piece.heading}")
    }
    ids = frozenset(piece.id for piece in evidence)
    footnotes: dict[str, tuple[Mark, ...]] = {}
    for note in _FOOTNOTE.finditer(text):
        if marks := parse_items(note["body"].strip(" .[]"), names, numbers=False):
            footnotes[note["label"]] = marks
    codes = frozenset(word for word in words if re.fullmatch(r"E\d{1,4}", word))
    known = _Known(ids, codes, names, footnotes)
    return known, _FOOTNOTE.sub(lambda note: _left_of(note, known), text)


def _left_of(note: re.Match[str], known: _Known) -> str:
    label = note["label"]
    is_citation = label in known.footnotes or _id_of(label) in known.ids
    return "" if is_citation else note[0]


def _without_marks(text: str, known: _Known, held: list[tuple[Mark, ...]]) -> str:
    """The text with a numbered slot for every citation; `held` gets their marks."""

    def put(marks: Sequence[Mark], written: str) -> str:
        held.append(tuple(_written_as(mark, written) for mark in marks))
        return f"{_HELD}{len(held) - 1}{_HELD}"

    def tagged(match: re.Match[str]) -> str:
        marks = parse_items(match["body"], known.names, numbers=True)
        return put(marks, match[0]) if marks else match[0]

    def bracketed(match: re.Match[str]) -> str:
        marks = _marks_of_bracket(match, known)
        return put(marks, match[0]) if marks else match[0]

    def bare(match: re.Match[str]) -> str:
        mark = Mark(evidence=match["id"].upper())
        return match[0] + put((mark,), match["id"]) if _is_sure(mark, known) else match[0]

    text = _TAGGED.sub(tagged, text)
    text = _BRACKETS.sub(bracketed, text)
    text = _TAG.sub("", _BARE.sub(bare, text))
    text = _LINK_TARGET.sub(r"\1", text)
    text = _LINK_TEXT.sub(r"\1", text)
    text = _JOINT.sub(r"\1", text)
    return _WRAPPED.sub(lambda match: match[1] or match[2], text)


def _marks_of_bracket(match: re.Match[str], known: _Known) -> tuple[Mark, ...]:
    kind = match.lastgroup or ""
    inside = match[kind].strip()
    label = inside.removeprefix("^")
    if inside.startswith("^") and label in known.footnotes:
        return known.footnotes[label]
    marks = parse_items(inside, known.names, numbers=kind in _NUMBERED)
    ids = [mark.evidence for mark in marks if mark.evidence]
    if kind in _LOOSE:
        places_a_name = any(mark.name and (mark.times or mark.page) for mark in marks)
        is_sure = ids and all(_is_sure(mark, known) for mark in marks if mark.evidence)
        return marks if is_sure or (places_a_name and not ids) else ()
    has_letter = any(letter in inside for letter in "eEеЕ")
    if ids and not has_letter and not known.ids.issuperset(ids):
        return ()  # [2019] is a year
    return tuple(mark for mark in marks if mark.evidence or mark.times or mark.page)


def _is_sure(mark: Mark, known: _Known) -> bool:
    """True for an id of the evidence that no evidence has among its words."""
    return mark.evidence in known.ids and mark.evidence not in known.words


def _id_of(label: str) -> str:
    return f"E{label}" if label.isdigit() else label.upper()


def _written_as(mark: Mark, written: str) -> Mark:
    return Mark(mark.evidence, mark.times, mark.page, mark.name, written)


def _row(header: str, row: str, held: Sequence[tuple[Mark, ...]]) -> CitedSentence:
    """A row of a table, with the names of its columns."""
    text = read_row(_SLOTS.sub("", header), _SLOTS.sub("", row))
    marks = [mark for slot in _SLOTS.finditer(row) for mark in held[_number_of(slot)]]
    return CitedSentence(text, tuple(dict.fromkeys(marks)))


def _add(sentences: list[CitedSentence], one: CitedSentence) -> None:
    """Add a sentence; of what says nothing ("Sources:") only its citations, to the last one."""
    label = _LABEL.fullmatch(one.text)
    if not label and any(character.isalnum() for character in one.text):
        sentences.append(one)
    elif sentences and not (label and sentences[-1].marks):
        last = sentences[-1]
        sentences[-1] = CitedSentence(last.text, tuple(dict.fromkeys([*last.marks, *one.marks])))


def _sentences(line: str, held: Sequence[tuple[Mark, ...]]) -> Iterator[CitedSentence]:
    """The sentences of a line, each with the marks in it and behind it."""
    text, slots = _lifted(line)
    borders = list(_whole_sentences(text)) or [(0, len(text))]
    marks: list[list[Mark]] = [[] for _ in borders]
    for position, number in slots:
        before = [index for index, (start, _) in enumerate(borders) if start < position]
        marks[before[-1] if before else 0] += held[number]
    for (start, end), cited in zip(borders, marks, strict=True):
        yield CitedSentence(text[start:end], tuple(dict.fromkeys(cited)))


def _lifted(line: str) -> tuple[str, list[tuple[int, int]]]:
    """A line without signs of Markdown and slots, and where which slot stood in it."""
    line = _LIST_SIGN.sub("", line)
    line = _EMPHASIS.sub(lambda match: match[2] or match[4], line)
    text = ""
    slots: list[tuple[int, int]] = []
    position = 0
    for slot in _SLOTS.finditer(line):
        text += line[position : slot.start()]
        slots.append((len(text.rstrip()), _number_of(slot)))
        position = slot.end()
        follows = line[position : position + 1]
        if text.rstrip()[-1:] in ".!?…" and follows.isalnum():
            text += " "  # "It hums.[E3]It stops."
    text += line[position:]
    cut = len(text) - len(text.lstrip())
    return text.strip(), [(max(at - cut, 0), number) for at, number in slots]


def _number_of(slot: re.Match[str]) -> int:
    return int(slot[0].strip().strip(_HELD))


def _whole_sentences(text: str) -> Iterator[Border]:
    """Sentences; what `z. B.`, `г.` or `Nr.` would cut is joined again."""
    borders = sentence_borders(text)
    while borders:
        start, end = borders.pop(0)
        while borders and _goes_on(text[start:end], text[slice(*borders[0])]):
            end = borders.pop(0)[1]
        yield start, end


def _goes_on(piece: str, following: str) -> bool:
    if not any(character.isalnum() for character in following):
        return True
    if not piece.endswith("."):
        return False
    if _SHORT_FORM.search(piece):
        return following[0].isdigit() or following[0].islower()
    return bool(_DAY.search(piece)) and bool(_MONTH_DE.match(following) or following[0].islower())
