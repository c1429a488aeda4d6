"""`configs/multilingual.yaml` from a file of sound to the catalog."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from index.records import Span
from secondsight import Library
from secondsight.present import status_json
from secondsight.settings import load_settings
from tests.conftest import MEDIA


def test_german_speech_is_found_where_it_is_said(tmp_path: Path) -> None:
    file = MEDIA / "halden_german.m4a"
    library = Library.open(tmp_path / "library", settings=load_settings("multilingual"))
    library.ingest([file])
    sentences = json.loads(file.with_suffix(".truth.json").read_text("utf-8"))["sentences"]
    best = library.search("Museum auf der Insel").hits[0]
    assert isinstance(best.place, Span)
    assert best.place.start_s == pytest.approx(sentences[4]["start_s"], abs=0.5)
    by_meaning = library.search("an island where old things are exhibited").hits[0]
    assert by_meaning.place == best.place
    (source,) = status_json(library.status())["sources"]
    assert source["details"]["speech"] == "whisper bundled-base"
    assert source["details"]["speech_language"] == "de"
    assert 0.2 < source["details"]["speech_language_probability"] < 1
