"""Narration: sentences spoken by espeak-ng, laid on one audio timeline with known times."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE_HZ = 22050
"""What espeak-ng produces."""
_WORDS_PER_MINUTE = "140"
_QUIET = 10 ** (-38 / 20)  # of the loudest 5 ms: below is silence
_WINDOW = RATE_HZ // 200  # 5 ms
_PAUSES_S = (0.45, 0.6, 0.38, 0.68, 0.52)
_LEVEL = 0.85  # peak of the finished track

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sentence:
    """A spoken sentence and its audible start and end, in seconds on the audio's clock."""

    text: str
    start_s: float
    end_s: float


def speak(text: str, voice: str) -> Samples:
    """Return one sentence as spoken by espeak-ng, silence at both ends cut off.

    Raises SystemExit when espeak-ng is not installed.
    """
    if shutil.which("espeak-ng") is None:
        raise SystemExit("sentences are read out by espeak-ng: apt-get install espeak-ng")
    manner = ("-v", voice, "-s", _WORDS_PER_MINUTE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sentence.wav"
        subprocess.run(["espeak-ng", *manner, "-w", str(path), text], check=True)
        with wave.open(str(path)) as sound:
            assert sound.getframerate() == RATE_HZ
            raw = sound.readframes(sound.getnframes())
    samples = (np.frombuffer(raw, np.int16) / 32768).astype(np.float32)
    first, last = audible_range(samples)
    return samples[first:last]


def audible_range(samples: Samples) -> tuple[int, int]:
    """Return the first audible sample and the one after the last, in steps of 5 ms."""
    windows = samples[: len(samples) // _WINDOW * _WINDOW].reshape(-1, _WINDOW)
    loudness = np.sqrt((windows**2).mean(axis=1))
    heard = np.flatnonzero(loudness > loudness.max() * _QUIET)
    return int(heard[0]) * _WINDOW, int(heard[-1] + 1) * _WINDOW


def narrate(
    sentences: list[list[str]], first_s: float, tail_s: float, voice: str = "en-us"
) -> tuple[list[list[Sentence]], Samples]:
    """Speak groups of sentences one after another.

    The first sentence starts at ``first_s`` seconds, ``tail_s`` seconds of silence end the
    track, and every pause lasts 0.38 to 0.68 s. Returns the sentences with their times, in
    the same groups, and the samples at ``RATE_HZ``.
    """
    track = [np.zeros(round(first_s * RATE_HZ), np.float32)]
    position, spoken, groups = len(track[0]), 0, []
    for group in sentences:
        timed = []
        for text in group:
            sound = speak(text, voice)
            timed.append(Sentence(text, position / RATE_HZ, (position + len(sound)) / RATE_HZ))
            pause = np.zeros(round(_PAUSES_S[spoken % len(_PAUSES_S)] * RATE_HZ), np.float32)
            track += [sound, pause]
            position += len(sound) + len(pause)
            spoken += 1
        groups.append(timed)
    samples = np.concatenate([*track, np.zeros(round(tail_s * RATE_HZ), np.float32)])
    return groups, samples * np.float32(_LEVEL / np.abs(samples).max())
