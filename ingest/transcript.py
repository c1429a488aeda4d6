"""What is said in a track: found and heard in parts, told as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np

from index.records import Moment, MomentKind, Span, Word
from ingest.phrases import Phrase
from ingest.sentences import joined, split_sentences
from ingest.settings import SpeechSettings

_LEAST_CONFIDENCE: Final = 0.2
"""Utterances of a lower mean likelihood are no words: "Ah." and "I" in the sound of a choir."""

Window = Sequence[Phrase]
"""Phrases that are heard together."""


@dataclass(frozen=True, slots=True)
class Voiced:
    """Where somebody speaks in a track or a part of it, and in which language."""

    windows: tuple[Window, ...] = ()
    """In order."""
    language: str | None = None
    """ISO 639-1 code; None when nobody speaks."""
    language_probability: float | None = None
    """0..1 when the language was recognised; None when it was set or the model knows only one."""
    notes: tuple[str, ...] = ()
    """What of the sound could not be read."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is said in a track."""

    moments: tuple[Moment, ...] = ()
    """Utterances in order."""
    language: str | None = None
    """ISO 639-1 code; None when nothing is said."""
    language_probability: float | None = None
    """0..1 when the language was recognised; None when it was set or the model knows only one."""
    notes: tuple[str, ...] = ()
    """What of the sound could not be read."""


NOTHING_SAID: Final = Transcript()


def transcript_of(
    voiced: Sequence[Voiced], words: Iterable[Sequence[Word]], settings: SpeechSettings
) -> Transcript:
    """Cut the words of all parts of a track into utterances: sentences may cross parts."""
    heard = list(chain.from_iterable(words))
    sentences = split_sentences(heard, max_s=settings.max_utterance_s)
    moments = tuple(
        moment
        for moment in map(_utterance, filter(_says_something, sentences))
        if moment.confidence is not None and moment.confidence >= _LEAST_CONFIDENCE
    )
    notes = tuple(dict.fromkeys(note for part in voiced for note in part.notes))
    if not moments:
        return Transcript(notes=notes)
    return Transcript(moments, voiced[0].language, voiced[0].language_probability, notes)


def _says_something(words: Sequence[Word]) -> bool:
    return any(letter.isalnum() for word in words for letter in word.text)


def _utterance(words: Sequence[Word]) -> Moment:
    return Moment(
        kind=MomentKind.UTTERANCE,
        place=Span(words[0].span.start, words[-1].span.end),
        text=joined(words),
        words=tuple(Word(word.text.strip(), word.span, word.probability) for word in words),
        confidence=float(np.mean([word.probability for word in words])),
    )
