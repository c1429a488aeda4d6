"""What is said in a track, as the stage cache keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from index.records import Moment


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
