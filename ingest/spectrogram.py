"""The log-mel spectrogram that Whisper hears, the same to the last bit on every machine's threads.

faster-whisper's own applies the mel filters by a matrix product, whose rounding depends on how many
threads the linear algebra library uses; small models in 8 bits make other words of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

_FLOOR = 1e-10
_RANGE = 8.0
"""What is quieter than the loudest by more than this many powers of ten is as quiet as that."""


class Spectrogram:
    """Radford et al. 2022, section 2.2, with the constants of their code."""

    def __init__(self, extractor: Any) -> None:
        """`extractor` is faster-whisper's: its filters, window and step are used."""
        self._extractor = extractor
        self._window = np.hanning(extractor.n_fft + 1)[:-1].astype(np.float32)
        self._bands = [_band(weights) for weights in extractor.mel_filters]

    def __call__(self, sound: Samples) -> Samples:
        """Of float32 mono sound at 16 kHz, at most 30 s: (mels, 3000), 10 ms each, zeros behind."""
        extractor = self._extractor
        step, frames = extractor.hop_length, extractor.nb_max_frames
        spectrum = extractor.stft(
            np.pad(sound, (0, step)),
            extractor.n_fft,
            step,
            window=self._window,
            return_complex=True,
        )
        power = np.abs(spectrum[:, :-2].astype(np.complex64)) ** 2
        mels = np.stack(
            [
                np.einsum("b,bt->t", weights, power[first : first + len(weights)])
                for first, weights in self._bands
            ]
        )
        logarithm = np.log10(np.maximum(mels, _FLOOR))
        logarithm = (np.maximum(logarithm, logarithm.max() - _RANGE) + 4.0) / 4.0
        heard = np.zeros((len(mels), frames), np.float32)
        heard[:, : logarithm.shape[1]] = logarithm[:, :frames]
        return heard


def _band(weights: Samples) -> tuple[int, Samples]:
    """First frequency of a filter and its weights from there on, zeros at both ends left out."""
    used = np.flatnonzero(weights)
    return int(used[0]), np.asarray(weights[used[0] : used[-1] + 1], np.float32)
