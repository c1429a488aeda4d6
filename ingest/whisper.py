"""What Whisper (Radford et al. 2022) hears, through faster-whisper's model on CTranslate2.

faster-whisper's own `transcribe` hears every window twice (it seeks back to the last word), one at
a time; its batched pipeline encodes a whole batch at once, which is slower on a processor than one
window after the other. Here every window is encoded once by itself, the words of all windows of a
batch are generated together, and each window's words are aligned with its own sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from index.errors import SettingsError
from ingest.languages import language_code
from ingest.media_info import SAMPLE_RATE_HZ
from ingest.phrases import Heard
from ingest.settings import SpeechSettings
from ingest.spectrogram import Samples, Spectrogram
from ingest.whisper_models import load_model

_MAX_COMPRESSION: Final = 2.4
"""Text that compresses better than this is a loop (Whisper's own threshold)."""
_NO_SPEECH: Final = 0.6
_UNLIKELY_TEXT: Final = -0.6
"""With a likely absence of speech, text of a mean log-probability below this is invented. Whisper's
own limit is -1.0; humming is heard as "Mm." with -0.6 to -0.9."""
_OPENING, _CLOSING = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"
"""Punctuation that belongs to the word after and before it (faster-whisper's defaults)."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """What is heard in one window."""

    words: tuple[Heard, ...]
    """Positions are samples from the start of the window."""
    looping: bool
    """Whether the text repeats itself, as no speaker does."""


class Whisper:
    """A loaded model. Several threads may listen at a time, as many as the settings name."""

    def __init__(self, settings: SpeechSettings) -> None:
        """Load the model.

        Raises ModelMissingError when it is not on this machine, SettingsError when it does not
        know the language that is set.
        """
        self._beam_size = settings.beam_size
        self._model: Any = load_model(settings)
        self._spectrogram = Spectrogram(self._model.feature_extractor)
        known = self._model.supported_languages
        self.language: str | None = language_code(settings.language) or settings.language
        """The only one that is heard (ISO 639-1); None: any of those the model knows."""
        if len(known) == 1 and self.language is None:
            self.language = known[0]
        if self.language is not None and self.language not in known:
            raise SettingsError(
                f"ingest.speech.language: speech model {settings.model!r} does not know "
                f"{settings.language!r}, only {', '.join(known)}"
            )

    def detect_language(self, sounds: Sequence[Samples]) -> tuple[str, float]:
        """The language that is likeliest over all windows, and its mean likelihood there."""
        likelihoods: dict[str, float] = {}
        for sound in sounds:
            encoded = self._model.model.encode(_storage(self._spectrogram(sound)[None]))
            for token, likelihood in self._model.model.detect_language(encoded)[0]:
                language = token.strip("<|>")
                likelihoods[language] = likelihoods.get(language, 0.0) + likelihood / len(sounds)
        best = max(likelihoods, key=lambda language: likelihoods[language])
        return best, likelihoods[best]

    def hear(self, sounds: Sequence[Samples], language: str) -> list[Hearing]:
        """What is said in each window: at most 30 s of float32 mono sound at 16 kHz."""
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import get_suppressed_tokens

        model = self._model
        tokenizer = Tokenizer(
            model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=language
        )
        features = [self._spectrogram(sound) for sound in sounds]
        encoded, together = self._encode(features)
        prompt = model.get_prompt(tokenizer, [], without_timestamps=True)
        results = model.model.generate(
            together,
            [prompt] * len(sounds),
            beam_size=self._beam_size,
            max_length=model.max_length,
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [
            self._hearing(tokenizer, result, encoder_output, len(sound))
            for result, encoder_output, sound in zip(results, encoded, sounds, strict=True)
        ]

    def _encode(self, features: Sequence[Samples]) -> tuple[list[Any], Any]:
        """Each window encoded, for its alignment, and all of them as one batch."""
        model = self._model.model
        encoded = [model.encode(_storage(one[None])) for one in features]
        if model.device == "cpu":
            return encoded, _storage(np.concatenate([np.asarray(one) for one in encoded]))
        return encoded, model.encode(_storage(np.stack(features)))

    def _hearing(self, tokenizer: Any, result: Any, encoder_output: Any, samples: int) -> Hearing:
        from faster_whisper.transcribe import get_compression_ratio, merge_punctuations

        tokens = [token for token in result.sequences_ids[0] if token < tokenizer.eot]
        likelihood = result.scores[0] * len(tokens) / (len(tokens) + 1)
        if not tokens or (result.no_speech_prob > _NO_SPEECH and likelihood <= _UNLIKELY_TEXT):
            return Hearing((), looping=False)
        frames = samples // self._model.feature_extractor.hop_length
        aligned = self._model.find_alignment(tokenizer, [tokens], encoder_output, frames)[0]
        merge_punctuations(aligned, _OPENING, _CLOSING)
        words = tuple(
            (
                word["word"],
                round(float(word["start"]) * SAMPLE_RATE_HZ),
                round(float(word["end"]) * SAMPLE_RATE_HZ),
                float(word["probability"]),
            )
            for word in aligned
            if word["word"]
        )
        return Hearing(words, get_compression_ratio(tokenizer.decode(tokens)) > _MAX_COMPRESSION)


def _storage(array: Samples) -> Any:
    import ctranslate2

    return ctranslate2.StorageView.from_array(np.ascontiguousarray(array))
