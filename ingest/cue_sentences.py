"""Cues become utterances: one sentence each, from its first cue's start to its last one's end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Final

from index.records import Moment, MomentKind, Span, Word
from ingest.captions import Cue, Line
from ingest.sentences import ends_sentence

_TOUCHING: Final = Fraction(1, 20)
"""Cues this close follow each other without a gap."""
_FEWEST_REPEATS: Final = 3
_ROLLING_SHARE: Final = Fraction(1, 4)
"""From this share of cues that repeat the one before on, captions roll up line by line."""
_SILENCE: Final = Fraction(2)
"""Nothing shown for this long ends a sentence whatever was written."""
_COMMA_WORTH: Final = Fraction(3, 10)
_IDEOGRAPH: Final = re.compile("[\u2e80-\ua4cf\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]")
"""Scripts written without spaces between words."""
_TOKEN: Final = re.compile(r"\s*(?:[^\s。！？｡]+[。！？｡]*|[。！？｡]+)[」』）】”’]*")


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    """With the space before it."""
    span: Span
    timed: bool
    """Whether the span is its own; else it is the cue's."""
    turn: bool
    sung: bool


def utterances_of(cues: Sequence[Cue], *, max_s: float) -> tuple[Moment, ...]:
    """Sentences of the cues, in order of their start, as utterances without confidence.

    A sentence longer than `max_s` is cut between its cues. Cues must lie on the clock
    (0 <= start < end). Utterances that share a cue overlap: where one ends is not stated.
    """
    ordered = sorted(cues, key=lambda cue: (cue.start, cue.end, _words(cue)))
    tokens = [token for cue in _without_repeats(ordered) for token in _tokens(cue)]
    moments = [
        _utterance(part)
        for sentence in _sentences(tokens)
        for part in _fitting(sentence, Fraction(max_s))
        if any(letter.isalnum() for token in part for letter in token.text)
    ]
    return tuple(sorted(moments, key=lambda moment: moment.span.start))


def _words(cue: Cue) -> list[str]:
    return [word for line in cue.lines for word in line.text.split()]


def _repeated(before: Cue, cue: Cue) -> int:
    """How many words at the start of a cue are still shown from the one before (whole lines)."""
    if cue.start > before.end + _TOUCHING:
        return 0
    shown = _words(cue)
    for first in range(len(before.lines)):
        kept = _words(Cue(before.start, before.end, before.lines[first:]))
        if shown[: len(kept)] == kept:
            return len(kept)
    return 0


def _without_repeats(cues: Sequence[Cue]) -> Iterator[Cue]:
    """Each word once: layers of one cue become one; rolling captions keep what each cue adds."""
    if not cues:
        return
    repeats = [_repeated(one, other) for one, other in pairwise(cues)]
    found = sum(count > 0 for count in repeats)
    rolling = found >= _FEWEST_REPEATS and found >= _ROLLING_SHARE * len(cues)
    held: Cue | None = None
    for cue, count in zip(cues, [0, *repeats], strict=True):
        if held is not None and not rolling and _words(cue) == _words(held) and count:
            held = replace(held, end=max(held.end, cue.end))
            continue
        if held is not None:
            yield held
        held = _without_words(cue, count) if rolling else cue
    if held is not None:
        yield held


def _without_words(cue: Cue, count: int) -> Cue:
    """The cue without its first `count` words."""
    lines: list[Line] = []
    for line in cue.lines:
        words = line.text.split()
        dropped, count = min(count, len(words)), count - min(count, len(words))
        if dropped == len(words):
            continue
        text = " ".join(words[dropped:])
        begin = len(line.text) - len(text) if line.text.endswith(text) else 0
        times = tuple((max(0, at - begin), instant) for at, instant in line.times)
        lines.append(replace(line, text=text, turn=line.turn and not dropped, times=times))
    return replace(cue, lines=tuple(lines))


def _tokens(cue: Cue) -> Iterator[_Token]:
    """The words of a cue; each has the cue's span, or its own where the cue states word times."""
    whole = Span(cue.start, cue.end)
    stated = any(line.times for line in cue.lines)
    now = cue.start
    for number, line in enumerate(cue.lines):
        later = [instant for after in cue.lines[number + 1 :] for _, instant in after.times]
        for found in _TOKEN.finditer(line.text):
            begin = found.end() - len(found.group().lstrip())
            now = max([now, *(instant for at, instant in line.times if at <= begin)])
            until = min([*(t for at, t in line.times if at > begin), *later, cue.end])
            own = stated and cue.start <= now < until <= cue.end
            text = found.group() if found.start() else f" {found.group().lstrip()}"
            span = Span(now, until) if own else whole
            yield _Token(text, span, own, line.turn and not found.start(), line.sung)


def _sentences(tokens: Sequence[_Token]) -> Iterator[tuple[_Token, ...]]:
    begin = 0
    for at in range(1, len(tokens) + 1):
        if at == len(tokens) or _is_border(tokens[at - 1], tokens[at]):
            yield tuple(tokens[begin:at])
            begin = at


def _is_border(token: _Token, after: _Token) -> bool:
    if after.turn or after.sung != token.sung or after.span.start - token.span.end >= _SILENCE:
        return True
    # "I was..." "...going home": the dots say that it goes on.
    trails_off = token.text.rstrip().endswith(("...", "…"))
    if trails_off and after.text.lstrip(" .…")[:1].islower():
        return False
    return ends_sentence(token.text, after.text)


def _extent(tokens: Sequence[_Token]) -> Span:
    return Span(min(t.span.start for t in tokens), max(t.span.end for t in tokens))


def _fitting(tokens: tuple[_Token, ...], max_duration: Fraction) -> list[tuple[_Token, ...]]:
    """Halve a sentence between two cues, best at a gap or comma, until every part fits."""
    extent = _extent(tokens)
    borders = [at for at in range(1, len(tokens)) if tokens[at].span != tokens[at - 1].span]
    if extent.duration <= max_duration or not borders:
        return [tokens]
    middle, half = (extent.start + extent.end) / 2, extent.duration / 2

    def worth(at: int) -> Fraction:
        gap = max(Fraction(0), tokens[at].span.start - tokens[at - 1].span.end)
        comma = _COMMA_WORTH if tokens[at - 1].text.rstrip()[-1:] in ",;:，；：、" else 0
        # Far from the middle a border is worth little: the parts should be of a size.
        return (gap + comma + Fraction(1, 10)) * (1 - abs(tokens[at].span.start - middle) / half)

    cut = max(borders, key=worth)
    return _fitting(tokens[:cut], max_duration) + _fitting(tokens[cut:], max_duration)


def _utterance(tokens: Sequence[_Token]) -> Moment:
    text = ""
    for token in tokens:
        glued = text and _IDEOGRAPH.match(text[-1]) and _IDEOGRAPH.match(token.text.lstrip())
        text += token.text.lstrip() if glued else token.text
    timed = all(token.timed for token in tokens)
    return Moment(
        MomentKind.UTTERANCE,
        _extent(tokens),
        " ".join(text.split()),
        words=tuple(Word(token.text.strip(), token.span, 1.0) for token in tokens if timed),
    )
