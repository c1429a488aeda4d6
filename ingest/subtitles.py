"""Written words before recognised ones: sidecar files and subtitle streams of a video.

A sidecar lies beside the video under the same stem, with an optional language: `talk.srt`,
`talk.en.srt`, `talk.pt-BR.vtt`. Its times are on the player's clock. What cannot be used is said
in the notes, and the next candidate is tried.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final

from index.clock import format_clock
from index.errors import SourceError
from index.records import Moment
from ingest.captions import Cue, Cues, parse_cues
from ingest.cue_sentences import utterances_of
from ingest.languages import language_code
from ingest.media import read_captions
from ingest.media_info import MediaInfo, SubtitleFacts
from ingest.settings import SpeechSettings
from ingest.text_encoding import decode_text

SUFFIXES: Final = frozenset({".srt", ".vtt", ".ass", ".ssa"})
_FLAGS: Final = frozenset({"sdh", "cc", "hi", "default"})
"""For the hard of hearing; "hi" is also Hindi. "forced" is none of them: see `read_subtitles`."""
_LARGEST_BYTES: Final = 64_000_000


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A subtitle file beside a video."""

    path: str
    language: str | None
    """ISO 639-1 code that its name states."""

    @property
    def name(self) -> str:
        """As it is named in details and notes."""
        return Path(self.path).name


@dataclass(frozen=True, slots=True)
class Subtitles:
    """The words of a video that somebody wrote down."""

    moments: tuple[Moment, ...] = ()
    """Utterances; none when there is nothing usable."""
    words_from: str | None = None
    """Which subtitles were used: `subtitles talk.en.srt`, `subtitles stream 2 (eng)`."""
    notes: tuple[str, ...] = ()


def find_sidecars(path: str) -> tuple[Sidecar, ...]:
    """Subtitle files that belong to a video: the one without a language first, then by name.

    Raises SourceError when the folder cannot be read.
    """
    video = Path(path)
    try:
        names = sorted(os.listdir(video.parent))
    except OSError as error:
        raise SourceError(path, "subtitles", f"its folder cannot be read: {error}") from error
    found = []
    for name in names:
        stem, suffix = os.path.splitext(name)
        if suffix.lower() not in SUFFIXES or not f"{stem}.".startswith(f"{video.stem}."):
            continue
        tags = [tag.lower() for tag in stem[len(video.stem) :].split(".")[1:]]
        languages = [code for tag in tags if (code := language_code(tag))]
        if len(languages) > 1:
            languages = [code for code in languages if code not in _FLAGS]
        known = all(tag in _FLAGS or language_code(tag) for tag in tags)
        if known and len(languages) <= 1 and (video.parent / name).is_file():
            language = languages[0] if languages else None
            found.append((len(tags), Sidecar(str(video.parent / name), language)))
    return tuple(sidecar for _, sidecar in sorted(found, key=lambda one: one[0] > 0))


def sidecar_hashes(sidecars: Sequence[Sidecar]) -> list[tuple[str, str]]:
    """Name and SHA-256 of each sidecar, for the key of the stage cache; unreadable ones: ""."""
    hashes = []
    for sidecar in sidecars:
        try:
            with open(sidecar.path, "rb") as file:
                hashes.append((sidecar.name, hashlib.file_digest(file, "sha256").hexdigest()))
        except OSError:
            hashes.append((sidecar.name, ""))
    return hashes


def has_subtitles(path: str, info: MediaInfo) -> bool:
    """Whether a video has anything that `read_subtitles` would look into."""
    return bool(info.subtitles or find_sidecars(path))


def read_subtitles(path: str, info: MediaInfo, settings: SpeechSettings) -> Subtitles:
    """The utterances of the best usable sidecar or subtitle stream, on the source's clock.

    Sidecars before streams; of each the one in `settings.language`, else the default one, else one
    in the language of the sound, else the first. With `settings.language` set, subtitles that are
    stated to be in another language are not used. Forced ones (foreign parts only) never are.
    """
    notes: list[str] = []
    wanted = language_code(settings.language)
    spoken = language_code(info.audio.language) if info.audio else None
    for candidate in _candidates(path, info, wanted, spoken, notes):
        name = _name(candidate)
        said: list[str] = []
        try:
            if isinstance(candidate, Sidecar):
                cues = _read_sidecar(candidate, candidate.language or wanted or spoken, said)
            else:
                cues = Cues(tuple(read_captions(path, info, candidate.index)))
            usable = _on_the_clock(cues, info.duration, said)
        except SourceError as error:
            notes.append(f"subtitles {name} were not used: {error.reason}")
            continue
        moments = utterances_of(usable, max_s=settings.max_utterance_s)
        notes.extend(f"subtitles {name}: {note}" for note in said)
        return Subtitles(moments, f"subtitles {name}", tuple(notes))
    return Subtitles(notes=tuple(notes))


def _candidates(
    path: str, info: MediaInfo, wanted: str | None, spoken: str | None, notes: list[str]
) -> Iterator[Sidecar | SubtitleFacts]:
    sidecars = sorted(
        find_sidecars(path),
        key=lambda one: (one.language != wanted, one.language is not None, one.language != spoken),
    )
    streams = []
    for stream in info.subtitles:
        if not stream.is_text:
            notes.append(f"subtitles {_name(stream)} are pictures ({stream.codec}), not read")
        elif not stream.forced:
            streams.append(stream)
    streams.sort(
        key=lambda one: (
            language_code(one.language) != wanted,
            not one.default,
            language_code(one.language) != spoken,
        )
    )
    candidates: list[Sidecar | SubtitleFacts] = [*sidecars, *streams]
    for candidate in candidates:
        language = language_code(candidate.language)
        if wanted and language and language != wanted:
            notes.append(f"subtitles {_name(candidate)} are not in {wanted!r}, not read")
        else:
            yield candidate


def _name(candidate: Sidecar | SubtitleFacts) -> str:
    if isinstance(candidate, Sidecar):
        return candidate.name
    language = f" ({candidate.language})" if candidate.language else ""
    return f"stream {candidate.index}{language}"


def _read_sidecar(sidecar: Sidecar, language: str | None, said: list[str]) -> Cues:
    """Raises SourceError (stage "subtitles") when the file is damaged."""
    path = sidecar.path
    try:
        size_bytes = os.path.getsize(path)
        if size_bytes > _LARGEST_BYTES:
            raise SourceError(path, "subtitles", f"{size_bytes} bytes are no subtitle file")
        content = Path(path).read_bytes()
    except OSError as error:
        raise SourceError(path, "subtitles", f"cannot be read: {error.strerror}") from error
    try:
        text, guessed = decode_text(content, language)
    except ValueError as error:
        raise SourceError(path, "subtitles", f"is damaged: {error}") from error
    if guessed is not None:
        said.append(f"is not Unicode, read as {guessed}")
    cues = parse_cues(text)
    if cues.unreadable > len(cues.cues):
        reason = f"is damaged: {cues.unreadable} of its cues have no readable times"
        raise SourceError(path, "subtitles", reason)
    return cues


def _on_the_clock(cues: Cues, duration: Fraction, said: list[str]) -> list[Cue]:
    """The cues that can be heard in [0, duration), cut to it; what was left out is said.

    Raises SourceError (stage "subtitles") when there are none.
    """
    usable = []
    reversed_, outside = 0, 0
    for cue in cues.cues:
        if cue.end <= cue.start:
            reversed_ += 1
        elif cue.end <= 0 or cue.start >= duration:
            outside += 1
        else:
            usable.append(replace(cue, start=max(Fraction(0), cue.start), end=cue.end))
    usable = [replace(cue, end=min(duration, cue.end)) for cue in usable]
    if not usable:
        reason = "none of its cues lies within the video" if outside else "it holds no words"
        raise SourceError("", "subtitles", reason)
    if outside > len(usable):
        reason = f"{outside} of its cues lie outside the video, it belongs to another one"
        raise SourceError("", "subtitles", reason)
    for count, what in (
        (cues.unreadable, "whose times cannot be read"),
        (reversed_, "that end before they start"),
        (outside, "outside the video"),
    ):
        if count:
            said.append(f"{count} cues left out {what}")
    last = max(cue.end for cue in usable)
    if last < duration / 2:
        said.append(f"end at {format_clock(last)} of {format_clock(duration)}")
    return usable
