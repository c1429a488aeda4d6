"""A hit in one line: what tells in it, under what it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from index.records import MomentKind
from retrieve.telling import Border, lines_of, sentences_of, telling_piece
from retrieve.words import content_words

HEADLINE_CHARS = 100
_CUT = "…"
_BETWEEN = ": "
_LEVELS = " > "


def headline(
    kind: MomentKind, text: str, *, heading: str, segment_title: str, weights: Mapping[str, float]
) -> str:
    """At most 100 characters, the same for the same hit and question; empty when nothing is known.

    Speech: the telling sentence. A text on screen: its first line, which mostly is the title, and
    the telling one. A passage or figure: its innermost heading and the telling sentence. Pictures:
    the heading or the segment they belong to, else what is recognised. `weights` are those of the
    question's words.
    """
    innermost = heading.rsplit(_LEVELS, 1)[-1]
    if kind in (MomentKind.FRAME, MomentKind.PAGE):
        return _fitted(innermost or segment_title or _first_line(text), weights)
    if kind is MomentKind.SCREEN_TEXT:
        telling = _telling(text, lines_of(text), weights)
        return _under(_first_line(text), telling, weights)
    body = _without_lines(text, heading.split(_LEVELS))
    telling = _telling(body, sentences_of(body), weights)
    return _under(innermost, telling, weights)


def _telling(text: str, pieces: Sequence[Border], weights: Mapping[str, float]) -> str:
    border = telling_piece(text, pieces, weights) or (pieces[0] if pieces else (0, 0))
    return _one_line(text[slice(*border)])


def _under(title: str, telling: str, weights: Mapping[str, float]) -> str:
    """`title: telling`, where there is room for both and the title says something of its own."""
    title = _one_line(title)
    if not title or set(content_words(title)) <= set(content_words(telling)):
        return _fitted(telling or title, weights)
    room = HEADLINE_CHARS - len(title) - len(_BETWEEN)
    if room < HEADLINE_CHARS // 2:
        return _fitted(telling or title, weights)
    return title + _BETWEEN + _fitted(telling, weights, room) if telling else title


def _fitted(text: str, weights: Mapping[str, float], room: int = HEADLINE_CHARS) -> str:
    """The text in one line, or as many of its words around those of the question as fit."""
    text = _one_line(text)
    if len(text) <= room:
        return text
    words = text.split(" ")
    if any(len(word) > room // 2 for word in words):  # scripts without spaces, addresses
        return text[: room - len(_CUT)] + _CUT
    first = next(
        (at for at, word in enumerate(words) if weights.keys() & set(content_words(word))), 0
    )
    start = 0
    # Move on only as far as it takes to show the first word of the question and what follows it.
    while start < first and len(" ".join(words[start : first + 1])) > room // 2:
        start += 1
    lead = _CUT if start else ""
    end = start + 1
    while end < len(words) and len(" ".join(words[start : end + 1])) <= room - 2 * len(_CUT):
        end += 1
    tail = _CUT if end < len(words) else ""
    return lead + " ".join(words[start:end]) + tail


def _without_lines(text: str, headings: Sequence[str]) -> str:
    """What stands below the headings that a text begins with or holds."""
    lines = [line for line in text.splitlines() if _one_line(line) not in headings]
    return "\n".join(lines)


def _first_line(text: str) -> str:
    lines = lines_of(text)
    return text[slice(*lines[0])] if lines else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
