"""Words become sentences, and sentences stand where they are heard."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import ModelMissingError
from index.records import Moment, MomentKind, Span, Word
from ingest import speech
from ingest.media import probe, read_audio
from ingest.phrases import (
    LONGEST_SILENCE,
    Heard,
    Phrase,
    on_track,
    pack_windows,
    place_words,
    stretches,
    uncovered,
    without_tail,
)
from ingest.sentences import joined, split_sentences
from ingest.settings import SpeechSettings
from ingest.speech import SpeechRecognizer
from ingest.transcript import NOTHING_SAID
from tests.ingest.sounds import chords, melody, pink_noise, sung, white_noise

TALK = Path(__file__).parent.parent / "media" / "halden_talk.mp4"
SECOND = 16_000


def _words(text: str, *, pauses: dict[int, float] | None = None) -> list[Word]:
    """Words of 0.3 s each; `pauses` are seconds of silence before the word of that number."""
    words, at = [], Fraction(0)
    for index, word in enumerate(text.split()):
        at += Fraction((pauses or {}).get(index, 0)).limit_denominator(100)
        words.append(Word(f" {word}", Span(at, at + Fraction(3, 10)), 0.9))
        at += Fraction(3, 10)
    return words


def _sentences(words: list[Word], max_s: float = 100.0) -> list[str]:
    return [joined(sentence) for sentence in split_sentences(words, max_s=max_s)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["We met Dr. Miller at 3.14 p.m. on Monday.", "He was late."],
        ["It costs approx. five euros, i.e. nothing!", "Really?", "Yes."],
        ["J. Smith wrote No. 5 of it.", "Then he left."],
        ["They live in the U.S. and in Japan.", "I see."],
        ["“It works.”", "So she said."],
        ["The answer is no.", "Thank you."],
    ],
)
def test_sentences_end_at_their_full_stops(sentences: list[str]) -> None:
    assert _sentences(_words(" ".join(sentences))) == sentences


def test_words_without_spaces_stay_joined() -> None:
    spans = [Span(Fraction(at), Fraction(at + 1)) for at in range(4)]
    chinese = [
        Word(text, span, 0.9)
        for text, span in zip(["你好", "。", "再见", "。"], spans, strict=True)
    ]
    assert _sentences(chinese) == ["你好。", "再见。"]
    number = [Word(" It is 3", spans[0], 0.9), Word(".", spans[1], 0.9), Word("14", spans[2], 0.9)]
    assert _sentences(number) == ["It is 3.14"]


def test_a_long_pause_ends_a_sentence() -> None:
    assert _sentences(_words("so we went on and then", pauses={3: 0.9})) == [
        "so we went",
        "on and then",
    ]


def test_a_missing_full_stop_is_made_up_for_by_a_pause() -> None:
    full = "This is one sentence here. " * 6
    merged = (
        "we lost very little data this year and also less than ever The longest gap was in May."
    )
    usual = dict.fromkeys(range(5, 31, 5), 0.5)
    pauses = usual | {30 + 12: 0.45, 30 + 5: 0.2}
    found = _sentences(_words(full + merged, pauses=pauses))
    assert found[-2:] == [merged[: merged.index(" The")], "The longest gap was in May."]


@given(
    texts=st.lists(st.sampled_from(["a", "b.", "Dr.", "C,", "D", "e?"]), min_size=1, max_size=60),
    gaps=st.lists(st.integers(0, 15), min_size=60, max_size=60),
    max_s=st.integers(1, 20),
)
def test_no_word_is_lost_and_no_sentence_too_long(
    texts: list[str], gaps: list[int], max_s: int
) -> None:
    words = _words(" ".join(texts), pauses={at: gap / 10 for at, gap in enumerate(gaps)})
    sentences = split_sentences(words, max_s=max_s)
    assert [word for sentence in sentences for word in sentence] == words
    for sentence in sentences:
        length = sentence[-1].span.end - sentence[0].span.start
        assert length <= max_s or len(sentence) == 1


def _phrases(*spans: tuple[float, float]) -> list[Phrase]:
    edges = [0.0, *(edge for span in spans for edge in span), spans[-1][1] + 1]
    return [
        Phrase(
            round(begin * SECOND),
            round(end * SECOND),
            round((begin - edges[2 * at]) * SECOND),
            round((edges[2 * at + 3] - end) * SECOND),
        )
        for at, (begin, end) in enumerate(spans)
    ]


def _heard(*words: tuple[str, float, float]) -> list[Heard]:
    return [(text, round(a * SECOND), round(b * SECOND), 0.9) for text, a, b in words]


def test_borders_move_to_the_pauses_nearby() -> None:
    phrases = _phrases((1.0, 2.0), (2.6, 4.0))
    heard = _heard(
        (" Good", 0.8, 1.3), (" morning.", 1.3, 2.2), (" We", 2.3, 2.9), (" start", 2.9, 4.3)
    )
    placed = place_words(heard, phrases)
    assert [(word.span.start_s, word.span.end_s) for word in placed] == [
        (1.0, 1.3),
        (1.3, 2.0),
        (2.6, 2.9),
        (2.9, 4.0),
    ]


def test_sounds_before_and_after_the_words_do_not_move_them() -> None:
    heard = _heard((" Good", 0.0, 2.3), (" morning.", 2.3, 3.1))
    phrases = _phrases((0.0, 0.3), (2.0, 3.0), (4.0, 4.4))
    placed = place_words(heard, phrases)
    assert [(word.span.start_s, word.span.end_s) for word in placed] == [(2.0, 2.3), (2.3, 3.0)]
    heard = _heard((" Well,", 0.0, 0.6), (" good", 0.6, 2.3), (" morning.", 2.3, 4.5))
    placed = place_words(heard, phrases)
    assert (placed[0].span.start_s, placed[1].span.start_s) == (0.0, 2.0)
    assert placed[-1].span.end_s == 4.4


def test_words_in_silence_are_dropped() -> None:
    heard = _heard((" Hello.", 1.0, 1.9), (" Thanks", 5.0, 5.4))
    assert [word.text for word in place_words(heard, _phrases((1.0, 2.0)))] == [" Hello."]
    tail = [*heard[:1], (" Thank", 30_500, 31_000, 0.9), (" you.", 31_000, 32_000, 0.9)]
    assert without_tail(tail, _phrases((1.0, 2.0))) == tail[:1]
    assert uncovered(heard[:1], _phrases((1.0, 2.0), (4.0, 7.0)))


@given(
    st.lists(st.integers(1, 4000), min_size=2, max_size=40),
    st.lists(st.tuples(st.integers(0, 80_000), st.integers(1, 9000)), min_size=1, max_size=25),
)
def test_placed_words_keep_their_order(edges_ms: list[int], raw: list[tuple[int, int]]) -> None:
    positions = np.cumsum(edges_ms[: len(edges_ms) // 2 * 2]) / 1000
    phrases = _phrases(*((float(a), float(b)) for a, b in positions.reshape(-1, 2)))
    heard = [
        (f" {at}", begin, begin + length, 0.5) for at, (begin, length) in enumerate(sorted(raw))
    ]
    placed = place_words(heard, phrases)
    numbers = [int(word.text) for word in placed]
    assert numbers == sorted(numbers)
    for before, after in pairwise(placed):
        assert before.span.start < after.span.start


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(100, 9000)), min_size=1, max_size=60))
def test_windows_hold_every_phrase_and_fit(steps_ms: list[tuple[int, int]]) -> None:
    spans, at = [], 0.0
    for silence, length in steps_ms:
        spans.append((at + silence / 1000, at + (silence + length) / 1000))
        at = spans[-1][1]
    phrases = _phrases(*spans)
    windows = pack_windows(phrases, max_samples=28 * SECOND)
    assert [phrase for window in windows for phrase in window] == phrases
    for window in windows:
        parts = stretches(window, margin=SECOND // 5)
        assert sum(end - begin for begin, end in parts) <= 28.4 * SECOND
        edges = [edge for part in parts for edge in part]
        assert edges == sorted(edges)
        for phrase in window:
            assert sum(begin <= phrase.start and phrase.end <= end for begin, end in parts) == 1


def test_windows_end_at_the_last_pause_between_sentences() -> None:
    phrases = _phrases((0, 8), (10, 17), (17.8, 24), (24.3, 27), (27.2, 35))
    windows = pack_windows(phrases, max_samples=28 * SECOND)
    # Not at 2.0 s of silence, which is long, but early; not at 0.3 s, which is within a sentence.
    assert windows == [phrases[:2], phrases[2:]]


def test_the_middle_of_a_long_silence_is_not_heard() -> None:
    phrases = _phrases((1.0, 2.0), (2.5, 4.0), (60.0, 61.0))
    (window,) = pack_windows(phrases, max_samples=28 * SECOND)
    parts = stretches(window, margin=SECOND // 5)
    half = LONGEST_SILENCE // 2
    assert parts == [
        (round(0.8 * SECOND), 4 * SECOND + half),
        (60 * SECOND - half, round(61.2 * SECOND)),
    ]


@given(st.lists(st.integers(1, 9), min_size=2, max_size=12), st.integers(0, 60))
def test_words_are_put_back_where_they_are_on_the_track(steps: list[int], sample: int) -> None:
    edges = np.cumsum(steps[: len(steps) // 2 * 2]).reshape(-1, 2).tolist()
    parts = [(int(begin), int(end)) for begin, end in edges]
    heard = [at for begin, end in parts for at in range(begin, end)]
    ((_, first, _, _),) = on_track([(" a", sample, sample + 1, 0.5)], parts)
    assert first == (heard[sample] if sample < len(heard) else heard[-1] + 1 + sample - len(heard))


@pytest.fixture(scope="module")
def recognizer() -> SpeechRecognizer:
    """The bundled model, loaded once."""
    return SpeechRecognizer(SpeechSettings())


@pytest.fixture(scope="module")
def sound() -> np.ndarray[Any, np.dtype[np.float32]]:
    """The sound of the sample."""
    return read_audio(str(TALK), probe(str(TALK)))[:]


@pytest.fixture(scope="module")
def utterances(
    recognizer: SpeechRecognizer, sound: np.ndarray[Any, np.dtype[np.float32]]
) -> tuple[Moment, ...]:
    """What is recognised in the sample."""
    return recognizer.recognize(sound).moments


WORDLESS = {
    "silence": white_noise(20, 0.0),
    "hiss": white_noise(20, 0.001),
    "white noise": white_noise(20, 0.1),
    "pink noise": pink_noise(20, 0.8),
    "chords": chords(),
    "melody": melody(),
    "humming": sung("m", lower=12),
    "singing": sung("a", lower=19),
    "high singing": sung("a", lower=0),
    "band": chords()[: 11 * SECOND] + melody()[: 11 * SECOND],
}


@pytest.mark.parametrize("name", WORDLESS)
def test_no_words_are_invented(recognizer: SpeechRecognizer, name: str) -> None:
    assert recognizer.recognize(WORDLESS[name]) == NOTHING_SAID


def test_an_empty_track_says_nothing(recognizer: SpeechRecognizer) -> None:
    assert recognizer.recognize(WORDLESS["silence"][:0]) == NOTHING_SAID


@pytest.mark.parametrize("name", ["pink noise", "band", "singing"])
def test_speech_is_told_from_what_follows(
    recognizer: SpeechRecognizer,
    utterances: tuple[Moment, ...],
    sound: np.ndarray[Any, np.dtype[np.float32]],
    name: str,
) -> None:
    first = utterances[:2]
    end = (first[-1].span.end + utterances[2].span.start) / 2
    spoken = sound[: int(end * SECOND)]
    heard = recognizer.recognize(np.concatenate([spoken, WORDLESS[name]])).moments
    assert [moment.text.replace(",", "") for moment in heard] == [
        moment.text.replace(",", "") for moment in first
    ]
    for moment, alone in zip(heard, first, strict=True):
        assert moment.span.start == alone.span.start
        assert abs(moment.span.end - alone.span.end) < Fraction(1, 10)


def test_sentences_of_the_sample_start_where_they_are_heard(
    utterances: tuple[Moment, ...], truth: dict[str, Any]
) -> None:
    starts = np.array([moment.span.start_s for moment in utterances])
    ends = np.array([moment.span.end_s for moment in utterances])
    start_errors = [np.abs(starts - said["start_s"]).min() for said in truth["sentences"]]
    end_errors = [np.abs(ends - said["end_s"]).min() for said in truth["sentences"]]
    assert np.max(start_errors) <= 0.5
    assert np.median(start_errors) <= 0.1
    assert np.quantile(start_errors, 0.9) <= 0.2
    assert np.quantile(end_errors, 0.9) <= 0.2


def test_most_words_of_the_sample_are_understood(
    utterances: tuple[Moment, ...], truth: dict[str, Any]
) -> None:
    def letters(text: str) -> set[str]:
        return {word.strip(".,!?").lower() for word in text.split()}

    said = [letters(sentence["text"]) for sentence in truth["sentences"]]
    heard = letters(" ".join(moment.text for moment in utterances))
    understood = sum(len(words & heard) for words in said) / sum(len(words) for words in said)
    assert understood > 0.9
    assert len(utterances) == pytest.approx(len(said), abs=3)


def test_utterances_are_in_order_and_hold_their_words(utterances: tuple[Moment, ...]) -> None:
    for moment in utterances:
        assert moment.kind is MomentKind.UTTERANCE
        assert moment.words[0].span.start == moment.span.start
        assert moment.words[-1].span.end == moment.span.end
        assert "".join(word.text for word in moment.words) == moment.text.replace(" ", "")
        assert moment.confidence is not None
        assert moment.span.duration <= SpeechSettings().max_utterance_s
    for before, after in pairwise(utterances):
        assert before.span.end <= after.span.start


def test_words_do_not_depend_on_threads_and_batches(
    utterances: tuple[Moment, ...],
    sound: np.ndarray[Any, np.dtype[np.float32]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(speech, "_BATCH", 3)
    alone = SpeechRecognizer(dataclasses.replace(SpeechSettings(), threads=1))
    assert alone.recognize(sound).moments == utterances


def test_whole_numbers_on_disk_are_heard_alike(
    recognizer: SpeechRecognizer, sound: np.ndarray[Any, np.dtype[np.float32]], tmp_path: Path
) -> None:
    part = np.round(sound[: 20 * SECOND] * 32768).clip(-32768, 32767).astype(np.int16)
    part.tofile(tmp_path / "track")
    heard = recognizer.recognize(np.memmap(tmp_path / "track", np.int16, "r"))
    assert heard.language == "en"
    assert heard.language_probability is None
    assert len(heard.moments) == 4
    assert heard == recognizer.recognize(part.astype(np.float32) / np.float32(32768))


@pytest.mark.parametrize("model", ["/nowhere/whisper", "no-such-model-of-whisper"])
def test_a_missing_model_names_the_fix(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    settings = dataclasses.replace(SpeechSettings(), model=model)
    with pytest.raises(ModelMissingError, match=model) as caught:
        SpeechRecognizer(settings)
    assert "folder" in str(caught.value)
    assert "\n" not in str(caught.value)
