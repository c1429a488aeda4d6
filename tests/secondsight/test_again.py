"""`secondsight ingest --again`: other settings redo what they change, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
from fractions import Fraction
from importlib import metadata
from pathlib import Path

import pytest

from index.embedders.minilm import TEXT_PACKAGE
from tests.clips import remux
from tests.conftest import TALK, secondsight

UNSURE = "ingest: {screen_text: {enlarge_below: 0.5}}"
SMALLER = "ingest: {frames: {thumbnail_side_px: 320}}"


def _stages(library: Path) -> dict[str, set[tuple[str, int]]]:
    """Name and inode of each cache entry, by stage."""
    stages: dict[str, set[tuple[str, int]]] = {}
    for file in (library / "cache").rglob("*"):
        if file.is_file():
            entry = (file.name, file.stat().st_ino)
            stages.setdefault(file.name.split("-")[0], set()).add(entry)
    return stages


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Something is said and shown in it."""
    file = tmp_path_factory.mktemp("clip") / "talk.mp4"
    remux(TALK, file, until=Fraction(6))
    return file


@pytest.fixture(scope="module")
def ingested(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of the clip; tests only copy it."""
    library = tmp_path_factory.mktemp("ingested") / "library"
    assert _ingest(library, clip) == "added"
    return library


def _ingest(library: Path, *arguments: str | Path) -> str:
    done = secondsight("ingest", "--json", "-L", library, *arguments)
    (source,) = json.loads(done.stdout)["sources"]
    outcome: str = source["outcome"]
    return outcome


def test_other_settings_redo_what_they_change(clip: Path, ingested: Path, tmp_path: Path) -> None:
    library, unsure, smaller = (tmp_path / name for name in ("library", "unsure", "smaller"))
    unsure.with_suffix(".yaml").write_text(UNSURE)
    smaller.with_suffix(".yaml").write_text(SMALLER)
    shutil.copytree(ingested, library)
    first = _stages(library)
    assert {"frames", "speech", "screen_text", "embed_pictures", "embed_texts"} <= set(first)
    (shard,) = (library / "shards").iterdir()

    # Known is known, whatever the settings, until it is asked for.
    assert _ingest(library, "--config", unsure.with_suffix(".yaml"), clip) == "unchanged"
    assert _stages(library) == first

    assert _ingest(library, "--again", "--config", unsure.with_suffix(".yaml"), clip) == "added"
    second = _stages(library)
    assert len(second["screen_text"]) == len(first["screen_text"]) + 1
    assert second["screen_text"] > first["screen_text"]
    assert {**second, "screen_text": set()} == {**first, "screen_text": set()}
    (other,) = (library / "shards").iterdir()
    assert other.name != shard.name

    assert _ingest(library, "--again", "--config", smaller.with_suffix(".yaml"), clip) == "added"
    third = _stages(library)
    assert third["frames"] > second["frames"]
    assert third["speech"] == second["speech"]

    (source,) = json.loads(secondsight("status", "--json", "-L", library).stdout)["sources"]
    assert source["paths"] == [str(clip)]


def test_another_embedder_decodes_nothing_again(
    clip: Path, ingested: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new, newer = (tmp_path / name for name in ("old", "new", "newer"))
    shutil.copytree(ingested, old)
    # The package of the text model, one version on, as every process will see it.
    version = metadata.version(TEXT_PACKAGE)
    upgraded = newer / f"{TEXT_PACKAGE.replace('-', '_')}-{version}.1.dist-info"
    upgraded.mkdir(parents=True)
    facts = f"Metadata-Version: 2.1\nName: {TEXT_PACKAGE}\nVersion: {version}.1\n"
    (upgraded / "METADATA").write_text(facts)
    monkeypatch.setenv("PYTHONPATH", str(newer), prepend=os.pathsep)

    refused = secondsight("ingest", "-L", old, clip, check=False)
    assert refused.returncode == 1
    assert f"a copy of {old / 'cache'}" in " ".join(refused.stderr.split())

    shutil.copytree(old / "cache", new / "cache")
    before = _stages(new)
    assert _ingest(new, clip) == "added"
    after = _stages(new)
    for stage in ("embed_pictures", "embed_texts"):
        assert len(after.pop(stage)) == len(before.pop(stage)) + 1
    assert after == before


def test_what_cannot_be_read_again_stays_as_it_was(
    clip: Path, ingested: Path, tmp_path: Path
) -> None:
    library, hurried = tmp_path / "library", tmp_path / "hurried.yaml"
    shutil.copytree(ingested, library)
    hurried.write_text("ingest: {work: {piece_limit_s: 0.001}}")
    done = secondsight(
        "ingest", "--json", "-L", library, "--again", "--config", hurried, clip, check=False
    )
    (source,) = json.loads(done.stdout)["sources"]
    assert source["outcome"] == "failed"
    status = json.loads(secondsight("status", "--json", "-L", library).stdout)
    (kept,) = status["sources"]
    assert kept["paths"] == [str(clip)]
    assert status["failures"] == []
