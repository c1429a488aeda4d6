"""Sounds without words: noise, and songs played and hummed, made from notes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RATE_HZ = 16_000
_TUNE = (
    *((60, 0.5), (62, 0.5), (64, 0.5), (65, 0.5), (67, 1.0), (67, 1.0)),
    *((69, 0.5), (69, 0.5), (69, 0.5), (69, 0.5), (67, 1.5)),
)
"""A nursery rhyme: keys of a piano (60 is middle C) and seconds."""
_CHORDS = ((48, 60, 64, 67), (45, 57, 60, 64), (41, 57, 60, 65), (43, 59, 62, 67))
_VOWELS = {
    "m": ((250, 80), (1200, 150), (2300, 200)),
    "a": ((700, 90), (1150, 120), (2500, 200)),
}
"""Resonances of the throat: centre and width in Hz."""

Samples = npt.NDArray[np.float32]


def white_noise(seconds: float, level: float) -> Samples:
    """Noise of a standard deviation of `level`."""
    noise = np.random.default_rng(0).normal(0, level, round(seconds * RATE_HZ))
    return noise.astype(np.float32)


def pink_noise(seconds: float, level: float) -> Samples:
    """Noise with as much power in every octave, as rain and crowds have; peak `level`."""
    spectrum = np.fft.rfft(white_noise(seconds, 1.0))
    spectrum /= np.sqrt(np.maximum(1, np.arange(len(spectrum))))
    return _loud(np.fft.irfft(spectrum), level)


def chords(repeats: int = 2) -> Samples:
    """Four plucked chords, 1.5 s each."""
    strings = [0.6**number for number in range(7)]
    bars = [sum(_note(key, 1.5, strings, decay=2.0) for key in bar) for bar in _CHORDS]
    return _loud(np.concatenate(bars * repeats), 0.5)


def melody(repeats: int = 2) -> Samples:
    """The tune, plucked."""
    notes = [_note(key, length, [0.6**n for n in range(5)], decay=2.0) for key, length in _TUNE]
    return _loud(np.concatenate(notes * repeats), 0.5)


def sung(vowel: str, *, lower: int, repeats: int = 2) -> Samples:
    """The tune hummed ("m") or sung on a vowel, `lower` semitones down, with vibrato."""
    folds = [1 / number for number in range(1, 21)]
    notes = [_note(key - lower, length, folds, vibrato=0.3) for key, length in _TUNE]
    voice = np.concatenate(notes * repeats)
    pitches = np.fft.rfftfreq(len(voice), 1 / RATE_HZ)
    throat = sum(1 / (1 + ((pitches - hz) / width) ** 2) for hz, width in _VOWELS[vowel])
    return _loud(np.fft.irfft(np.fft.rfft(voice) * (throat + 0.02), len(voice)), 0.5)


def _note(
    key: int, seconds: float, overtones: list[float], *, decay: float = 0.0, vibrato: float = 0.0
) -> npt.NDArray[np.float64]:
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    turns = 440 * 2 ** ((key - 69) / 12) * 2 * np.pi * times
    turns = turns + vibrato * np.sin(2 * np.pi * 5.5 * times)
    tone = np.zeros(len(times))
    for number, strength in enumerate(overtones, start=1):
        tone += strength * np.sin(number * turns)
    edges = np.minimum(1, times / 0.06) * np.minimum(1, (seconds - times) / 0.03)
    shaped: npt.NDArray[np.float64] = tone * edges * np.exp(-decay * times)
    return shaped


def _loud(sound: npt.NDArray[np.floating], peak: float) -> Samples:
    return np.asarray(sound / np.abs(sound).max() * peak, np.float32)
