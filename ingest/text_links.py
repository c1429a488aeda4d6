"""Links in plain text and Markdown: what their characters are and where they lead.

Markdown's inline, reference and automatic links (CommonMark 6.3 and 6.5) outside code, and bare
addresses of the web. What they lead to is an address, or a heading of the same file by its anchor
as GitHub writes it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from ingest.hyperlinks import safe_address
from ingest.text_pages import Heading, unfenced

_TEXT = r"(?<!\\)\[(?P<text>(?:[^\[\]\\]|\\.|\[[^\[\]]*\])*)\]"
_INLINE = (
    r"\(\s{0,9}(?:<(?P<bracketed>[^<>\n]*)>|(?P<plain>[^\s()<>]*(?:\([^\s()]*\)[^\s()]*)*))"
    r"(?:\s{1,9}(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?\s{0,9}\)"
)
_LINK = re.compile(rf"{_TEXT}(?:{_INLINE}|\[(?P<label>[^\[\]]*)\])?")
_DEFINITION = re.compile(r" {0,3}\[(?P<label>[^\[\]]+)\]:\s*<?(?P<to>[^\s<>]+)>?")
_ADDRESS = re.compile(r"(?:https?://|mailto:)[^\s<>\"'`|\\^{}\[\]]+", re.I)
_AFTER_ADDRESS = ".,;:!?)*_"
_CODE = re.compile(r"(?<!`)(`+)(?!`)(?:.+?)(?<!`)\1(?!`)", re.DOTALL)
_NO_ANCHOR = re.compile(r"[^\w\- ]")
_LONGEST_PARAGRAPH = 20_000
"""Longer ones are no prose; looking for pairs of brackets in them could take long."""


@dataclass(frozen=True, slots=True)
class TextLink:
    """Characters [start, end) of a line lead somewhere."""

    line: int
    """Counted from 1."""
    start: int
    end: int
    target: str | int
    """An address, or the line of a heading, counted from 1."""


def text_links(
    lines: Sequence[str], headings: Sequence[Heading], *, is_markdown: bool
) -> tuple[TextLink, ...]:
    """All links of a text with safe targets, in order; tabs of `lines` are expanded."""
    anchors: dict[str, int] = {}
    for heading in headings:
        anchor = _NO_ANCHOR.sub("", heading.title.lower()).replace(" ", "-")
        anchors.setdefault(anchor, heading.line)
    numbered = list(unfenced(lines)) if is_markdown else list(enumerate(lines, 1))
    known: dict[str, str] = {}
    for _, line in numbered if is_markdown else ():
        if definition := _DEFINITION.match(line):
            known.setdefault(_folded(definition["label"]), definition["to"])
    found: list[TextLink] = []
    for first, paragraph in _paragraphs(numbered):
        text = "\n".join(paragraph)
        starts = [0, *accumulate(len(line) + 1 for line in paragraph)]
        places = _markdown_links(text, known, anchors) if is_markdown else _addresses(text)
        for start, end, target in places:
            found.extend(_by_line(first, paragraph, starts, (start, end), target))
    return tuple(found)


def _paragraphs(numbered: Sequence[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    """Lines that follow each other without an empty one, and the number of the first."""
    paragraph: list[str] = []
    first, letters = 0, 0
    for number, line in numbered:
        if paragraph and (
            number != first + len(paragraph) or not line.strip() or letters > _LONGEST_PARAGRAPH
        ):
            yield first, paragraph
            paragraph, letters = [], 0
        if line.strip() and len(line) <= _LONGEST_PARAGRAPH:
            first = first if paragraph else number
            paragraph.append(line)
            letters += len(line)
    if paragraph:
        yield first, paragraph


_Place = tuple[int, int, str | int]


def _markdown_links(
    text: str, known: Mapping[str, str], anchors: Mapping[str, int]
) -> Iterator[_Place]:
    text = _CODE.sub(lambda code: " " * len(code[0]), text)
    covered = 0
    for match in _LINK.finditer(text) if "[" in text else ():
        written = match["bracketed"] or match["plain"]
        if written is None:
            label = match["label"] or match["text"]
            written = known.get(_folded(label))
        target = _target(written, anchors)
        if target is not None:
            yield from _addresses(text[covered : match.start()], covered)
            yield match.start(), match.end(), target
            covered = match.end()
    yield from _addresses(text[covered:], covered)


def _target(written: str | None, anchors: Mapping[str, int]) -> str | int | None:
    if not written:
        return None
    return anchors.get(written[1:].lower()) if written[0] == "#" else safe_address(written)


def _addresses(text: str, offset: int = 0) -> Iterator[_Place]:
    for match in _ADDRESS.finditer(text) if ":" in text else ():
        written = match[0].rstrip(_AFTER_ADDRESS)
        address = safe_address(written)
        if address is not None:
            yield offset + match.start(), offset + match.start() + len(written), address


def _by_line(
    first: int,
    paragraph: Sequence[str],
    starts: Sequence[int],
    place: tuple[int, int],
    target: str | int,
) -> Iterator[TextLink]:
    for number in range(bisect_right(starts, place[0]) - 1, len(paragraph)):
        start = max(place[0] - starts[number], 0)
        end = min(place[1] - starts[number], len(paragraph[number]))
        if start < end:
            yield TextLink(first + number, start, end, target)
        if starts[number + 1] >= place[1]:
            return


def _folded(label: str) -> str:
    return " ".join(label.split()).casefold()
