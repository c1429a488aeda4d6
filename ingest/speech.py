"""Speech becomes utterances: one sentence each, with the times of its words.

Silero VAD finds the phrases of the whole track; windows of whole phrases go to Whisper in batches;
the borders between its words are then moved to the pauses that VAD found, which are exact to some
hundredths of a second where Whisper's own word times (cross-attention) are off by tenths.

Windows are heard in parts of a track, each by itself. Windows, parts and batches follow from the
track alone, so that the words are the same for any number of threads and workers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from math import ceil
from typing import Final

import numpy as np

from index.records import Word
from ingest.media_info import SAMPLE_RATE_HZ
from ingest.phrases import (
    on_track,
    pack_windows,
    place_words,
    stretches,
    uncovered,
    without_tail,
)
from ingest.settings import SpeechSettings
from ingest.transcript import Transcript, Voiced, Window, transcript_of
from ingest.voice import MAX_WINDOW, Samples, Track, find_phrases, float_samples
from ingest.whisper import Hearing, Whisper

_BATCH: Final = 4
"""Windows, at most, whose words are generated together: much less work than one by one. More are
not faster, and take 50 MB each."""
_MARGIN: Final = SAMPLE_RATE_HZ // 5
_LANGUAGE_WINDOWS: Final = 4
_ATTEMPTS: Final = 3
"""How often a stretch of sound is heard at most: whole, in halves, in quarters."""


class SpeechRecognizer:
    """Whisper behind Silero VAD."""

    def __init__(self, settings: SpeechSettings) -> None:
        """Load the model. Raises ModelMissingError, SettingsError as `Whisper` does."""
        self._settings = settings
        self._whisper = Whisper(settings)

    def recognize(self, track: Track) -> Transcript:
        """Utterances in `track`, heard as one part."""
        voiced = self.listen(track)
        return transcript_of([voiced], [self.hear(track, voiced)], self._settings)

    def listen(self, track: Track) -> Voiced:
        """Where and in which language somebody speaks in the whole of `track`.

        It is mono, 16 kHz, sample 0 at clock 0; int16 or float32. Memory does not grow with its
        length: it is read block by block.
        """
        windows = pack_windows(find_phrases(track), max_samples=MAX_WINDOW)
        if not windows:
            return Voiced()
        return Voiced(tuple(windows), *self._language(track, windows))

    def hear(self, track: Track, voiced: Voiced) -> tuple[Word, ...]:
        """The words of the windows, in order.

        Memory: a batch of windows for each thread (0.2 GB): the track is read stretch by stretch,
        and only from the calling thread.
        """
        if voiced.language is None:
            return ()
        return tuple(self._words(track, voiced.windows, voiced.language))

    def _language(self, track: Track, windows: Sequence[Window]) -> tuple[str, float | None]:
        if self._whisper.language is not None:
            return self._whisper.language, None
        # From all over the track: an opening song or greeting may be in another language.
        share = max(1, len(windows) // _LANGUAGE_WINDOWS)
        asked = windows[share // 2 :: share][:_LANGUAGE_WINDOWS]
        return self._whisper.detect_language([_sound(track, window) for window in asked])

    def _words(self, track: Track, windows: Sequence[Window], language: str) -> list[Word]:
        """Words of all windows, in order. Windows that come out wrong are heard again in halves."""
        placed: dict[int, list[Word]] = {}
        with ThreadPoolExecutor(self._settings.threads) as threads:
            for attempt in range(_ATTEMPTS):
                halves: list[Window] = []
                for window, hearing in self._hear(track, windows, language, threads):
                    wrong = hearing.looping or uncovered(hearing.words, window)
                    if wrong and len(window) > 1 and attempt + 1 < _ATTEMPTS:
                        halves.extend(_halves(window))
                    elif not hearing.looping:
                        words = without_tail(hearing.words, window)
                        placed[window[0].start] = place_words(words, window)
                windows = halves
        return [word for start in sorted(placed) for word in placed[start]]

    def _hear(
        self, track: Track, windows: Sequence[Window], language: str, threads: Executor
    ) -> Iterator[tuple[Window, Hearing]]:
        """What is heard in each window, in their order, on the track's samples."""
        under_way: deque[tuple[Sequence[Window], Future[list[Hearing]]]] = deque()
        size = ceil(len(windows) / ceil(len(windows) / _BATCH)) if windows else 1
        for first in range(0, len(windows), size):
            if len(under_way) > self._settings.threads:
                yield from _heard(*under_way.popleft())
            batch = windows[first : first + size]
            # Read here: a track in a file need not stand several readers at a time.
            sounds = [_sound(track, window) for window in batch]
            under_way.append((batch, threads.submit(self._whisper.hear, sounds, language)))
        for batch, hearings in under_way:
            yield from _heard(batch, hearings)


def _heard(
    batch: Sequence[Window], hearings: Future[list[Hearing]]
) -> Iterator[tuple[Window, Hearing]]:
    for window, hearing in zip(batch, hearings.result(), strict=True):
        words = on_track(hearing.words, stretches(window, margin=_MARGIN))
        yield window, Hearing(tuple(words), hearing.looping)


def _sound(track: Track, window: Window) -> Samples:
    parts = stretches(window, margin=_MARGIN)
    return np.concatenate([float_samples(track[begin:end]) for begin, end in parts])


def _halves(window: Window) -> tuple[Window, Window]:
    """The window cut at its longest pause."""
    cut = max(range(1, len(window)), key=lambda at: window[at].silence_before)
    return window[:cut], window[cut:]
