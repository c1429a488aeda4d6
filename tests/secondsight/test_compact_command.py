"""`compact` and `forget` on a library whose sources share shards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from index.errors import QuestionError
from secondsight import Library
from secondsight.settings import load_settings
from tests.conftest import secondsight

WORDS = ("Quokkas live on Rottnest Island.", "Axolotls stay young.", "Pangolins roll into a ball.")


def test_sources_of_a_merged_shard_are_found_forgotten_and_purged(tmp_path: Path) -> None:
    directory, config = tmp_path / "library", tmp_path / "pairs.yaml"
    config.write_text("index: {compaction: {shards_per_merge: 2}}")
    notes = [tmp_path / f"note{number}.txt" for number in range(len(WORDS))]
    for note, words in zip(notes, WORDS, strict=True):
        note.write_text(words)
    ingest = ("ingest", "-L", directory, "--config", config)
    secondsight(*ingest, *notes[:2])
    state = _status(directory)
    assert (len(state["sources"]), state["shards"], state["forgotten"]) == (2, 1, 0)
    library = Library.open(directory, create=False)
    assert library.search("quokkas")[0].source.name == "note0.txt"
    ids = {source.name: source.id for source in library.status().sources}

    told = secondsight("forget", "--purge", "--json", "-L", directory, "note0.txt").stdout
    assert json.loads(told)["forgotten"] == [
        {"id": ids["note0.txt"], "name": "note0.txt", "bytes_gone": True}
    ]
    _check_gone(directory, "note0.txt", ids["note0.txt"], "quokkas")
    assert library.search("axolotls")[0].source.name == "note1.txt"

    secondsight(*ingest, notes[2])
    assert _status(directory)["shards"] == 1
    told = secondsight("forget", "-L", directory, "note1.txt").stdout
    assert "secondsight compact" in told
    assert {hit.source.name for hit in library.search("axolotls")} <= {"note2.txt"}
    state = _status(directory)
    assert (len(state["sources"]), state["forgotten"]) == (1, 1)
    with pytest.raises(QuestionError, match=f"forgotten already.*--purge {ids['note1.txt']}"):
        library.forget("note1.txt")

    done = json.loads(secondsight("compact", "--json", "-L", directory).stdout)
    assert (done["merges"], done["shards_before"], done["shards_after"]) == (1, 1, 1)
    _check_gone(directory, "note1.txt", ids["note1.txt"], "axolotls")
    assert "nothing to compact" in secondsight("compact", "-L", directory).stdout
    assert [hit.source.name for hit in library.search("pangolins")] == ["note2.txt"]


def test_what_was_forgotten_is_purged_by_name_afterwards(tmp_path: Path) -> None:
    directory, config = tmp_path / "library", tmp_path / "pairs.yaml"
    config.write_text("index: {compaction: {shards_per_merge: 2}}")
    notes = [tmp_path / f"note{number}.txt" for number in range(2)]
    for note, words in zip(notes, WORDS, strict=False):
        note.write_text(words)
    library = Library.open(directory, settings=load_settings(config))
    library.ingest(notes)
    gone = library.forget("note0.txt")
    assert library.status().num_forgotten == 1
    assert library.forget("note0.txt", purge=True) == gone
    _check_gone(directory, "note0.txt", gone.id, "quokkas")
    assert library.status().num_forgotten == 0
    with pytest.raises(QuestionError, match="no source"):
        library.forget("note0.txt", purge=True)


def _status(directory: Path) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(secondsight("status", "--json", "-L", directory).stdout)
    return state


def _check_gone(directory: Path, name: str, source_id: str, word: str) -> None:
    for file in directory.rglob("*"):
        if file.is_file():
            content = file.read_bytes().lower()
            assert not [one for one in (name, source_id, word) if one.encode() in content], file
