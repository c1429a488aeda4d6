"""Subtitle files and packets become cues: SubRip, WebVTT and (Advanced) SubStation Alpha.

Own parsers: the libraries at hand take the word times inside YouTube's WebVTT cues for cue times,
or end silently at the first cue they cannot read. Sources: SubRip's de-facto form, W3C WebVTT,
the SSA/ASS specification v4.00+. Times are exact; a cue that cannot be read is counted.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

_TIME: Final = r"(-?)(?:(\d{1,6}):)?(\d{1,2}):(\d{1,2})(?:[.,:](\d{1,9}))?"
_INSTANT: Final = re.compile(_TIME)
_TIMING: Final = re.compile(rf"\s*({_TIME})\s*-->\s*({_TIME})(?:\s.*)?$")
_INSIDE_TIME: Final = re.compile(rf"<({_TIME})>")
_VOICE: Final = re.compile(r"<v(?:\.[^\s>]*)?(?:\s+[^>]*)?>")
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>]*>|</>")
_OVERRIDE: Final = re.compile(r"\{[^{}]*\}")
_DRAWING: Final = re.compile(r"\{[^{}]*\\p[1-9]\d*[^{}]*\}.*?(?:\{[^{}]*\\p0[^{}]*\}|$)", re.DOTALL)
_BRACKETED: Final = re.compile(r"\[[^\[\]]*\]|【[^【】]*】|［[^［］]*］")
_WHOLLY_IN_PARENTHESES: Final = re.compile(r"\([^()]*\)|（[^（）]*）")
_MUSIC: Final = re.compile(r"[♩♪♫♬♭♮♯🎵🎶]")
_INVISIBLE: Final = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_SPEAKER: Final = re.compile(r"\s*(?:>>+|[-‐‑–—](?=\s|[^\W\d]))\s*")
_VOICE_MARK: Final = "\ue000"
"""Stands in the text for the beginning of a WebVTT voice until the line is cleaned."""
_ASS_COLUMNS: Final = "Marked,Start,End,Style,Name,MarginL,MarginR,MarginV,Effect,Text"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a cue: its words, free of markup."""

    text: str
    turn: bool
    """Whether a speaker begins with it (a dash, ">>", another voice)."""
    sung: bool = False
    """Whether music signs stand on it."""
    times: tuple[tuple[int, Fraction], ...] = ()
    """Where the cue states word times: (letters of `text` before it, instant), rising."""


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown in [start, end), on the clock of the file that states it; may be reversed."""

    start: Fraction
    end: Fraction
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Cues:
    """The cues of a file as they stand in it, those without words left out."""

    cues: tuple[Cue, ...]
    unreadable: int = 0
    """Cues whose times cannot be read."""


def parse_cues(text: str) -> Cues:
    """Read the text of a subtitle file; its form is told by its content, not by its name.

    A text in none of the three forms has no cues.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.lstrip().startswith("WEBVTT"):
        return _gather(_vtt_cues(text))
    if re.search(r"^\[(?:Script Info|Events|V4\+? Styles)\]", text, re.MULTILINE | re.IGNORECASE):
        return _gather(_ass_cues(text))
    return _gather(_srt_cues(text))


def ass_cue(start: Fraction, end: Fraction, text: str) -> Cue:
    """A cue from the text of an ASS dialogue, the form in which FFmpeg decodes every codec."""
    text = _DRAWING.sub("", text)
    text = re.sub(r"\\h", " ", re.sub(r"\\[Nn]", "\n", text))
    return Cue(start, end, _lines(_TAG.sub("", _OVERRIDE.sub("", text)), marked=False))


def _gather(found: Iterator[Cue | None]) -> Cues:
    cues = list(found)
    readable = tuple(cue for cue in cues if cue is not None and cue.lines)
    return Cues(readable, sum(cue is None for cue in cues))


def _srt_cues(text: str) -> Iterator[Cue | None]:
    """Each timing line begins a cue that lasts to the next one, blank lines included."""
    lines = text.split("\n")
    borders = [at for at, line in enumerate(lines) if "-->" in line]
    for begin, after in zip(borders, [*borders, None][1:], strict=True):
        timing = _TIMING.match(lines[begin])
        held = lines[begin + 1 : after]
        if after is not None and held and held[-1].strip().isdecimal():
            number, before = held[-1].strip(), lines[begin - 1].strip() if begin else ""
            follows = before.isdecimal() and int(number) == int(before) + 1
            if follows or len(held) == 1 or not held[-2].strip():
                held = held[:-1]
        if timing is None:
            yield None
            continue
        shown = "\n".join(line for line in held if line.strip())
        yield _cue(timing, _TAG.sub("", _OVERRIDE.sub("", shown)))


def _vtt_cues(text: str) -> Iterator[Cue | None]:
    """Blocks between empty lines; those without an arrow are notes, styles, regions, headers."""
    for block in re.split(r"\n\n+", text.strip("\ufeff\n")):
        lines = block.split("\n")
        if lines[0].startswith(("WEBVTT", "NOTE", "STYLE", "REGION")):
            continue
        # A line with an arrow ends the cue before it even without an empty line.
        borders = [at for at, line in enumerate(lines) if "-->" in line]
        for begin, after in zip(borders, [*borders, None][1:], strict=True):
            timing = _TIMING.match(lines[begin])
            yield None if timing is None else _cue(timing, "\n".join(lines[begin + 1 : after]))


def _cue(timing: re.Match[str], shown: str) -> Cue:
    start, end = _instant(timing.group(1)), _instant(timing.group(7))
    return Cue(start, end, _lines(_VOICE.sub(_VOICE_MARK, shown), marked=True))


def _ass_cues(text: str) -> Iterator[Cue | None]:
    """The Dialogue lines of the [Events] section; its Format line names the columns."""
    columns = [column.strip().lower() for column in _ASS_COLUMNS.split(",")]
    inside = False
    for line in text.split("\n"):
        key, _, rest = line.partition(":")
        key = key.strip().lower()
        if key.startswith("["):
            inside = key == "[events]"
        elif inside and key == "format":
            columns = [column.strip().lower() for column in rest.split(",")]
        elif inside and key == "dialogue":
            fields = dict(zip(columns, rest.lstrip(" ").split(",", len(columns) - 1), strict=False))
            start = _INSTANT.fullmatch(fields.get("start", "").strip())
            end = _INSTANT.fullmatch(fields.get("end", "").strip())
            if start is None or end is None or "text" not in fields:
                yield None
            else:
                yield ass_cue(_instant(start.group()), _instant(end.group()), fields["text"])


def _instant(text: str) -> Fraction:
    match = _INSTANT.fullmatch(text)
    assert match is not None
    sign, hours, minutes, seconds, decimals = match.groups()
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    exact = whole + (Fraction(int(decimals), 10 ** len(decimals)) if decimals else Fraction(0))
    return -exact if sign else exact


def _lines(shown: str, *, marked: bool) -> tuple[Line, ...]:
    """The lines that hold words, without sound descriptions, music signs and speaker marks."""
    # A description may run over the end of a line.
    shown = _BRACKETED.sub("", _INVISIBLE.sub("", shown))
    if _WHOLLY_IN_PARENTHESES.fullmatch(shown.strip(f" \n\t-–—{_VOICE_MARK}")):
        return ()
    lines = (_clean(raw, marked=marked) for raw in shown.split("\n"))
    return tuple(line for line in lines if any(letter.isalnum() for letter in line.text))


def _clean(raw: str, *, marked: bool) -> Line:
    """One line: markup gone, entities resolved, the places of word times remembered."""
    turn = _VOICE_MARK in raw
    text = ""
    times: list[tuple[int, Fraction]] = []
    for instant, part in _split_at_times(raw):
        plain = html.unescape(_TAG.sub("", part.replace(_VOICE_MARK, "")))
        plain = re.sub(r"\s+", " ", _MUSIC.sub("", plain))
        if not text:
            plain = plain.lstrip()
            dash = _SPEAKER.match(plain)
            if dash is not None:
                turn, plain = True, plain[dash.end() :]
        elif text.endswith(" "):
            plain = plain.lstrip()
        if instant is not None:
            times.append((len(text), instant))
        text += plain
    if _WHOLLY_IN_PARENTHESES.fullmatch(text.strip()):
        return Line("", turn)
    return Line(text.rstrip(), turn, bool(_MUSIC.search(raw)), tuple(times) if marked else ())


def _split_at_times(raw: str) -> list[tuple[Fraction | None, str]]:
    """The stretches of a line between the word times in it, each with the time before it."""
    parts: list[tuple[Fraction | None, str]] = []
    instant, begin = None, 0
    for mark in _INSIDE_TIME.finditer(raw):
        parts.append((instant, raw[begin : mark.start()]))
        instant, begin = _instant(mark.group(1)), mark.end()
    return [*parts, (instant, raw[begin:])]
