"""Phrases stand where Silero's own code finds them, for any size of block and track."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faster_whisper.vad import VadOptions, get_speech_timestamps
from hypothesis import given
from hypothesis import strategies as st

from ingest import voice
from ingest.media import probe, read_audio
from ingest.voice import MAX_WINDOW, STEP, find_phrases, phrases_from, voice_likelihoods

TALK = Path(__file__).parent.parent / "media" / "halden_talk.mp4"
SECOND = 16_000


@pytest.fixture(scope="module")
def sound() -> np.ndarray[Any, np.dtype[np.float32]]:
    """The sound of the sample."""
    return read_audio(str(TALK), probe(str(TALK)))[:]


def test_phrases_are_those_of_the_reference(sound: np.ndarray[Any, np.dtype[np.float32]]) -> None:
    options = VadOptions(
        min_silence_duration_ms=160,
        speech_pad_ms=0,
        min_speech_duration_ms=100,
        max_speech_duration_s=28,
    )
    expected = [(span["start"], span["end"]) for span in get_speech_timestamps(sound, options)]
    assert [(phrase.start, phrase.end) for phrase in find_phrases(sound)] == expected


def test_blocks_leave_no_trace(
    sound: np.ndarray[Any, np.dtype[np.float32]], monkeypatch: pytest.MonkeyPatch
) -> None:
    part = sound[: 20 * SECOND + 77]
    whole = voice_likelihoods(part)
    assert len(whole) == -(-len(part) // STEP)
    monkeypatch.setattr(voice, "_BLOCK", 93)
    np.testing.assert_allclose(voice_likelihoods(part), whole, atol=1e-5)
    assert len(voice_likelihoods(part[:0])) == 0


def test_long_silence_is_no_phrase(sound: np.ndarray[Any, np.dtype[np.float32]]) -> None:
    quiet = np.zeros(700 * SECOND, dtype=np.float32)
    phrases = find_phrases(np.concatenate([quiet, sound[: 10 * SECOND]]))
    assert phrases[0].start / SECOND == pytest.approx(700.5, abs=0.15)
    assert phrases[0].silence_before == phrases[0].start


def test_short_sounds_count_only_near_speech() -> None:
    quiet, short, long = [0.0] * 20, [0.9] * 6, [0.9] * 30
    near = np.array([*quiet, *short, *quiet[:8], *long, *quiet, *short, *quiet], np.float32)
    phrases = phrases_from(near, length=len(near) * STEP)
    assert [(phrase.start // STEP, phrase.end // STEP) for phrase in phrases] == [
        (20, 26),
        (34, 64),
    ]
    assert phrases[-1].silence_after == 46 * STEP


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.4, 0.9]), st.integers(1, 1500)), max_size=20),
    st.integers(1, STEP),
)
def test_phrases_are_apart_long_enough_and_fit_a_window(
    stretches: list[tuple[float, int]], rest: int
) -> None:
    likelihoods = np.repeat(
        np.array([level for level, _ in stretches], np.float32),
        [steps for _, steps in stretches],
    )
    length = max(0, (len(likelihoods) - 1) * STEP + rest) if len(likelihoods) else 0
    phrases = phrases_from(likelihoods, length=length)
    for phrase in phrases:
        assert 0 <= phrase.start < phrase.end <= length
        assert phrase.end - phrase.start <= MAX_WINDOW
    for before, after in pairwise(phrases):
        assert before.silence_after == after.silence_before == after.start - before.end
    voiced = {int(step) for step in np.flatnonzero(likelihoods > 0.5)}
    covered = {
        step for phrase in phrases for step in range(phrase.start // STEP, -(-phrase.end // STEP))
    }
    missed = sorted(voiced - covered)
    runs = np.split(missed, np.flatnonzero(np.diff(missed) > 1) + 1) if missed else []
    assert all(len(run) < 8 for run in runs)
