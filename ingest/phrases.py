"""Phrases between pauses: how they are packed into windows, and how words are placed on them.

All positions are samples at 16 kHz from clock 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

from index.records import Span, Word
from ingest.media_info import SAMPLE_RATE_HZ

LONGEST_SILENCE: Final = SAMPLE_RATE_HZ
"""Of a longer silence between two phrases, the middle is not heard."""
_SENTENCE_PAUSE: Final = 3 * SAMPLE_RATE_HZ // 5
"""A pause this long parts sentences: a window that ends at a longer one is heard no better."""
_REACH: Final = 3 * SAMPLE_RATE_HZ // 5
"""A pause is given to a word border at most this far from it."""
_FULL_STOP_WORTH: Final = SAMPLE_RATE_HZ // 4
"""A border after a full stop or question mark wins over one nearer to the pause by this much."""
_COMMA_WORTH: Final = SAMPLE_RATE_HZ // 10
_LONE_PHRASE: Final = 3 * SAMPLE_RATE_HZ // 2
"""A phrase this long without a single word was lost by the recogniser."""
_UNLIKELY: Final = 0.35
_LONGEST_TAIL: Final = 3
_SHORTEST_WORD: Final = SAMPLE_RATE_HZ // 4
_WELL_INSIDE: Final = SAMPLE_RATE_HZ // 5
_WELL_OUTSIDE: Final = SAMPLE_RATE_HZ // 10
_CLEAR_PAUSE: Final = 3 * SAMPLE_RATE_HZ // 10
_SILENCE_REACH: Final = SAMPLE_RATE_HZ // 2
"""A word this far from every phrase was heard in silence."""

Heard = tuple[str, int, int, float]
"""A word as the recogniser gives it: text, first sample, end sample, probability."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A stretch of speech [start, end) between two pauses."""

    start: int
    end: int
    silence_before: int
    """Samples of silence since the phrase before, or since clock 0."""
    silence_after: int


def pack_windows(phrases: Sequence[Phrase], *, max_samples: int) -> list[Sequence[Phrase]]:
    """Group phrases into windows of at most `max_samples`, cut at a long pause near the end.

    Every window is as much work for Whisper as a full one: of pauses between sentences, the last
    is taken. Long silences between phrases count as `LONGEST_SILENCE`: so much of them is heard. A
    phrase that is longer than `max_samples` alone is a window of its own.
    """
    windows: list[Sequence[Phrase]] = []
    begin = 0
    while begin < len(phrases):
        sizes = _heard_samples(phrases[begin:], max_samples)
        end = begin + len(sizes)
        if end < len(phrases):
            late = [begin + at for at in range(1, len(sizes)) if sizes[at] > max_samples // 2]
            end = max([*late, end], key=lambda at: (_parting(phrases[at]), at))
        windows.append(phrases[begin:end])
        begin = end
    return windows


def _parting(phrase: Phrase) -> int:
    """How well a window may begin at a phrase."""
    return min(phrase.silence_before, _SENTENCE_PAUSE)


def _heard_samples(phrases: Sequence[Phrase], max_samples: int) -> list[int]:
    """Samples heard up to the end of each of the phrases that fit, at least of the first."""
    sizes = [phrases[0].end - phrases[0].start]
    for phrase in phrases[1:]:
        size = sizes[-1] + min(phrase.silence_before, LONGEST_SILENCE) + phrase.end - phrase.start
        if size > max_samples:
            break
        sizes.append(size)
    return sizes


def stretches(phrases: Sequence[Phrase], *, margin: int) -> list[tuple[int, int]]:
    """Samples [begin, end) of the track that are heard for a window, in order.

    The middle of long silences is left out; `margin` samples of silence are heard at both ends,
    or half the silence if that is shorter.
    """
    begin = phrases[0].start - min(margin, phrases[0].silence_before // 2)
    found = []
    for left, right in pairwise(phrases):
        if right.silence_before > LONGEST_SILENCE:
            found.append((begin, left.end + LONGEST_SILENCE // 2))
            begin = right.start - LONGEST_SILENCE // 2
    found.append((begin, phrases[-1].end + min(margin, phrases[-1].silence_after // 2)))
    return found


def on_track(heard: Sequence[Heard], parts: Sequence[tuple[int, int]]) -> list[Heard]:
    """Words heard in the joined `parts` of a track, with their samples on the track."""
    return [
        (text, _position(first, parts), _position(last, parts), probability)
        for text, first, last, probability in heard
    ]


def _position(sample: int, parts: Sequence[tuple[int, int]]) -> int:
    for begin, end in parts[:-1]:
        if sample < end - begin:
            return begin + sample
        sample -= end - begin
    return parts[-1][0] + sample


def uncovered(heard: Sequence[Heard], phrases: Sequence[Phrase]) -> bool:
    """Whether a phrase of some length got no word at all."""
    return any(
        phrase.end - phrase.start >= _LONE_PHRASE
        and not any(first < phrase.end and last > phrase.start for _, first, last, _ in heard)
        for phrase in phrases
    )


def without_tail(heard: Sequence[Heard], phrases: Sequence[Phrase]) -> Sequence[Heard]:
    """Drop up to three words behind the last full stop when the recogniser ran on in silence.

    Such words are unlikely, or begin where the speech is all but over ("Thank you.").
    """
    for tail in range(1, _LONGEST_TAIL + 1):
        if len(heard) > tail and _ends_text(heard[-tail - 1][0]):
            unlikely = all(probability < _UNLIKELY for _, _, _, probability in heard[-tail:])
            late = heard[-tail][1] > phrases[-1].end - _SHORTEST_WORD
            return heard[:-tail] if unlikely or late else heard
    return heard


def place_words(heard: Sequence[Heard], phrases: Sequence[Phrase]) -> list[Word]:
    """Move word borders to the pauses they belong to; words heard in silence are dropped.

    The first word starts where a phrase starts, the last ends where one ends: the first and last
    phrase, unless those are sounds without a word before or after what was heard; each
    pause is given to at most one border between words, in order, so that the distances are least.
    """
    heard = [word for word in heard if _in_speech(word, phrases)]
    if not heard:
        return []
    phrases = _between(heard[0], heard[-1], phrases)
    matched = _match_pauses(heard, phrases)
    words: list[Word] = []
    begin, start = 0, phrases[0].start
    for border, pause in [*matched, (len(heard), len(phrases))]:
        words.extend(_spread(heard[begin:border], start, phrases[pause - 1].end))
        if pause < len(phrases):
            begin, start = border, phrases[pause].start
    return words


def _between(opening: Heard, closing: Heard, phrases: Sequence[Phrase]) -> Sequence[Phrase]:
    """The phrases from the first word on (it ends in or after one) to the last word."""
    first, last = 0, len(phrases)
    while first + 1 < last and (
        opening[2] > phrases[first + 1].start + _WELL_INSIDE
        and phrases[first + 1].silence_before >= _CLEAR_PAUSE
    ):
        first += 1
    while first + 1 < last and closing[2] < phrases[last - 1].start - _WELL_OUTSIDE:
        last -= 1
    return phrases[first:last]


def _in_speech(word: Heard, phrases: Sequence[Phrase]) -> bool:
    _, first, last, _ = word
    return any(
        first < phrase.end + _SILENCE_REACH and last > phrase.start - _SILENCE_REACH
        for phrase in phrases
    )


def _match_pauses(heard: Sequence[Heard], phrases: Sequence[Phrase]) -> list[tuple[int, int]]:
    """Pairs (border, pause), rising in both: border i lies before word i, pause j before phrase j.

    Dynamic programming over pauses and borders, as in sequence alignment: leaving a pause between
    no two words costs its length and more, matching it costs the distance to the border.
    """
    borders, pauses = range(1, len(heard)), range(1, len(phrases))
    best = [[(0, False)] * (len(pauses) + 1) for _ in range(len(borders) + 1)]
    for at, pause in enumerate(pauses, start=1):
        best[0][at] = (best[0][at - 1][0] + _lone_cost(phrases[pause]), False)
    for row, border in enumerate(borders, start=1):
        best[row][0] = (0, False)
        for at, pause in enumerate(pauses, start=1):
            skip_border = best[row - 1][at][0]
            skip_pause = best[row][at - 1][0] + _lone_cost(phrases[pause])
            distance = _distance(
                heard[border - 1], heard[border], phrases[pause - 1], phrases[pause]
            )
            match = best[row - 1][at - 1][0] + distance
            cost = min(skip_border, skip_pause, match if distance <= _REACH else skip_pause)
            best[row][at] = (cost, distance <= _REACH and cost == match)
    pairs: list[tuple[int, int]] = []
    row, at = len(borders), len(pauses)
    while row and at:
        cost, matches = best[row][at]
        if matches:
            pairs.append((borders[row - 1], pauses[at - 1]))
            row, at = row - 1, at - 1
        elif cost == best[row - 1][at][0]:
            row -= 1
        else:
            at -= 1
    return pairs[::-1]


def _lone_cost(phrase: Phrase) -> int:
    return SAMPLE_RATE_HZ // 4 + min(phrase.silence_before, SAMPLE_RATE_HZ)


def _distance(before: Heard, after: Heard, left: Phrase, right: Phrase) -> int:
    """How far the border between two words is from the pause between two phrases."""
    outside = [
        max(left.end - position, position - right.start, 0) for position in (before[2], after[1])
    ]
    if _ends_text(before[0]):
        return min(outside)
    comma = before[0].rstrip().endswith((",", ";", ":", "，"))
    return min(outside) + _FULL_STOP_WORTH - (_COMMA_WORTH if comma else 0)


def _ends_text(text: str) -> bool:
    return text.rstrip().rstrip("\"'”’»)").endswith((".", "?", "!", "…", "。", "！", "？"))


def _spread(heard: Sequence[Heard], start: int, end: int) -> list[Word]:
    """Place the words of one phrase on [start, end): its edges move, the rest only if it must."""
    if not heard:
        return []
    spans = [(first, last) for _, first, last, _ in heard]
    spans[0] = (start, spans[0][1])
    spans[-1] = (spans[-1][0], end)
    if any(not start <= first < last <= end for first, last in spans):
        # The recogniser put words outside the phrase: keep their proportions.
        origin = heard[0][1]
        scale = Fraction(end - start, max(1, heard[-1][2] - origin))
        spans = [
            (start + round((first - origin) * scale), start + round((last - origin) * scale))
            for _, first, last, _ in heard
        ]
    # Between words of one phrase there is no silence: each lasts until the next begins.
    borders = [*(first for first, _ in spans), end]
    words = []
    earliest = start
    for at, (text, _, _, probability) in enumerate(heard):
        begin = max(borders[at], earliest)
        earliest = begin + 1
        until = max(borders[at + 1], earliest)
        words.append(Word(text, Span(_seconds(begin), _seconds(until)), probability))
    return words


def _seconds(sample: int) -> Fraction:
    return Fraction(sample, SAMPLE_RATE_HZ)
