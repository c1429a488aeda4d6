"""Where somebody speaks: phrases between pauses, found by Silero VAD (v6, as faster-whisper ships).

The track may be longer than memory: it is read block by block, and the state of the recurrent model
goes from block to block, so that nothing depends on where blocks begin.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from ingest.media_info import SAMPLE_RATE_HZ
from ingest.phrases import Phrase

Samples = npt.NDArray[np.float32]


class Track(Protocol):
    """Mono sound at 16 kHz, sample 0 at clock 0: an array, a memory map, or a file behind this."""

    def __len__(self) -> int:
        """Samples."""

    def __getitem__(self, stretch: slice, /) -> npt.NDArray[Any]:
        """Samples of a stretch: int16 at full scale, or float32 in -1..1."""


MAX_WINDOW: Final = 28 * SAMPLE_RATE_HZ
"""Whisper hears 30 s at a time; the rest is room for the padding."""
STEP: Final = 512
"""Samples that the model judges at once, after a look back at the `_CONTEXT` before them."""
_CONTEXT: Final = 64
_BLOCK: Final = 5000
"""Steps in a block (160 s): bounds the memory."""
_VOICE, _NO_VOICE = 0.5, 0.35
"""A phrase begins at the first likelihood and ends below the second."""
_PAUSE: Final = 5
"""Steps (160 ms) without voice that end a phrase."""
_SHORTEST: Final = 4
"""Steps (128 ms) that a phrase must last."""
_SHORTEST_ALONE: Final = 8
"""Steps (256 ms) that it must last with nobody speaking `_ALONE` steps (0.5 s) before or after."""
_ALONE: Final = 16


def find_phrases(track: Track) -> tuple[Phrase, ...]:
    """Stretches of speech between pauses of at least 160 ms, at most 28 s long."""
    return phrases_from(voice_likelihoods(track), length=len(track))


def voice_likelihoods(track: Track) -> Samples:
    """How likely each 32 ms hold a voice: (ceil(len / 512),) float32 in 0..1."""
    from faster_whisper.vad import get_vad_model

    session = get_vad_model().session
    state = {"h": np.zeros((1, 1, 128), np.float32), "c": np.zeros((1, 1, 128), np.float32)}
    before = np.zeros(_CONTEXT, np.float32)
    judged = [np.zeros(0, np.float32)]
    for begin in range(0, len(track), _BLOCK * STEP):
        sound = float_samples(track[begin : begin + _BLOCK * STEP])
        sound = np.concatenate([before, sound, np.zeros(-len(sound) % STEP, np.float32)])
        steps = np.lib.stride_tricks.sliding_window_view(sound, _CONTEXT + STEP)[::STEP]
        found, state["h"], state["c"] = session.run(
            None, {"input": np.ascontiguousarray(steps), **state}
        )
        judged.append(np.asarray(found, np.float32).reshape(-1))
        before = sound[-_CONTEXT:]
    return np.concatenate(judged)


def float_samples(samples: npt.NDArray[Any]) -> Samples:
    """The samples as float32 in -1..1, copied into memory."""
    if samples.dtype == np.int16:
        return samples.astype(np.float32) / np.float32(32768)
    return np.array(samples, np.float32)


def phrases_from(likelihoods: Samples, *, length: int) -> tuple[Phrase, ...]:
    """Phrases in a track of `length` samples whose steps hold a voice with these likelihoods."""
    runs = [
        part
        for run in _without_crumbs(list(_runs(likelihoods)))
        for part in _parts(likelihoods, *run, MAX_WINDOW // STEP)
    ]
    spans = [(begin * STEP, min(end * STEP, length)) for begin, end in runs]
    borders = [0, *(edge for span in spans for edge in span), length]
    return tuple(
        Phrase(begin, end, begin - borders[2 * at], borders[2 * at + 3] - end)
        for at, (begin, end) in enumerate(spans)
    )


def _runs(likelihoods: Samples) -> Iterator[tuple[int, int]]:
    """Steps [begin, end) of voice, as Silero's own `get_speech_timestamps` finds them."""
    begin = quiet = -1
    for step, likelihood in enumerate(likelihoods.tolist()):
        if likelihood >= _VOICE:
            begin = step if begin < 0 else begin
            quiet = -1
        elif begin >= 0 and likelihood < _NO_VOICE:
            quiet = step if quiet < 0 else quiet
            if step - quiet >= _PAUSE:
                if quiet - begin >= _SHORTEST:
                    yield begin, quiet
                begin = quiet = -1
    if begin >= 0 and len(likelihoods) - begin >= _SHORTEST:
        yield begin, len(likelihoods)


def _without_crumbs(runs: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Leave out short sounds far from speech: a cough, the onset of a note."""
    for at, (begin, end) in enumerate(runs):
        before = begin - runs[at - 1][1] if at else _ALONE
        after = runs[at + 1][0] - end if at + 1 < len(runs) else _ALONE
        if end - begin >= _SHORTEST_ALONE or min(before, after) < _ALONE:
            yield begin, end


def _parts(likelihoods: Samples, begin: int, end: int, longest: int) -> Iterator[tuple[int, int]]:
    """Cut a run that is too long where the voice is weakest."""
    cuts = [begin]
    while end - cuts[-1] > longest:
        early, late = cuts[-1] + longest // 2, cuts[-1] + longest
        cuts.append(early + int(np.argmin(likelihoods[early:late])))
    yield from pairwise([*cuts, end])
