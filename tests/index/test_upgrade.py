"""Libraries of every older format are upgraded, and are searched as before."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index import upgrade as upgrade_module
from index.analysis import open_analysis
from index.errors import LibraryError
from index.forgetting import forget_source
from index.manifest import SHARDS_NAME, ShardEntry, read_manifest
from index.problems import ProblemKind
from index.shard import CATALOG_NAME, staging_area
from index.snapshot import Snapshot
from index.two_level import BITS_NAME, COSINES_NAME, ShardVectors, write_missing, write_vectors
from index.upgrade import upgrade_library
from index.verification import verify_library
from tests.index.build import add_video, source_id, unit_rows
from tests.index.libraries.make import found_in

ARCHIVES = sorted((Path(__file__).parent / "libraries").glob("*.zip"))


def _ignore(done: int, total: int) -> None:
    pass


@pytest.fixture(params=ARCHIVES, ids=lambda path: path.stem)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A library written by older code, and what that found in it."""
    with zipfile.ZipFile(request.param) as archive:
        archive.extractall(tmp_path)
    for name in ("staging", "shards"):
        (tmp_path / "library" / name).mkdir(exist_ok=True)
    return tmp_path / "library", json.loads((tmp_path / "truth.json").read_text())


def _assert_whole(library: Path, truth: dict[str, Any]) -> None:
    """All that older code found is found, and nothing else is there."""
    found = json.loads(json.dumps(found_in(library)))
    assert np.allclose(found.pop("scores"), truth["scores"], atol=1e-5)
    assert found == {name: told for name, told in truth.items() if name != "scores"}
    assert verify_library(library).problems == ()
    live = {entry.id for entry in read_manifest(library).shards}
    assert {path.name for path in (library / SHARDS_NAME).iterdir()} == live
    assert list((library / "staging").iterdir()) == []


def test_an_upgraded_library_is_searched_as_before(old: tuple[Path, dict[str, Any]]) -> None:
    library, truth = old
    for opening in (lambda: Snapshot.open(library), lambda: open_analysis(library).__enter__()):
        with pytest.raises(LibraryError, match="secondsight upgrade --library"):
            opening()
    generation = read_manifest(library).generation
    told: list[tuple[int, int]] = []
    assert upgrade_library(library, listener=lambda *counts: told.append(counts)) == 4
    assert told == [(number, 4) for number in range(5)]
    _assert_whole(library, truth)
    assert read_manifest(library).generation == generation + 4
    assert upgrade_library(library, listener=_ignore) == 0
    assert read_manifest(library).generation == generation + 4
    add_video(library, 7)
    forget_source(library, source_id(2))
    assert source_id(7) in Snapshot.open(library).source_ids


def test_a_killed_upgrade_goes_on(
    old: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    library, truth = old
    publish = upgrade_module._publish_instead

    def stop_after_two(library: Path, entry: ShardEntry, staged: Path, new: ShardEntry) -> None:
        if read_manifest(library).generation == generation + 2:
            raise KeyboardInterrupt
        publish(library, entry, staged, new)

    generation = read_manifest(library).generation
    monkeypatch.setattr(upgrade_module, "_publish_instead", stop_after_two)
    with pytest.raises(KeyboardInterrupt):
        upgrade_library(library, listener=_ignore)
    monkeypatch.undo()
    with staging_area(library):  # sweeps what is left
        assert len(list((library / SHARDS_NAME).iterdir())) == 4
    assert upgrade_library(library, listener=_ignore) == 2
    _assert_whole(library, truth)


def test_what_is_damaged_is_not_upgraded(old: tuple[Path, dict[str, Any]]) -> None:
    library, _ = old
    entry = read_manifest(library).shards[1]
    path = library / SHARDS_NAME / entry.id / "moments.ivf"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(LibraryError, match="is damaged; forget"):
        upgrade_library(library, listener=_ignore)
    assert read_manifest(library).shards[1] == entry
    assert (library / SHARDS_NAME / entry.id / CATALOG_NAME).exists()
    found = [one for one in verify_library(library).problems if entry.id in one.where]
    changed = (ProblemKind.CHANGED, f"{SHARDS_NAME}/{entry.id}/moments.ivf")
    assert [(one.kind, one.where) for one in found if "older format" not in one.what] == [changed]
    assert len(found) == 2


def test_a_newer_library_is_not_touched(library: Path) -> None:
    import duckdb

    add_video(library, 1)
    catalog = library / SHARDS_NAME / read_manifest(library).shards[0].id / CATALOG_NAME
    with duckdb.connect(str(catalog)) as connection:
        connection.execute("UPDATE schema_version SET version = 99")
    with pytest.raises(LibraryError, match="pip install --upgrade"):
        upgrade_library(library, listener=_ignore)


def test_derived_vectors_are_those_that_were_written(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    coarse = unit_rows(generator.standard_normal((40, 32)))
    owners = np.repeat(np.arange(40), 500)
    rows = unit_rows(coarse[owners] + 0.3 * generator.standard_normal((20_000, 32)))
    rotation, _ = np.linalg.qr(generator.standard_normal((32, 32)))
    write_vectors(tmp_path, rows, owners, coarse, rotation=rotation.astype(np.float32))
    before = ShardVectors(tmp_path)
    for name in (COSINES_NAME, BITS_NAME):
        (tmp_path / name).unlink()
    write_missing(tmp_path, [COSINES_NAME, BITS_NAME])
    after = ShardVectors(tmp_path)
    assert np.abs(before.cosines.astype(float) - after.cosines).max() < 0.01
    assert after.bits is not None
    query = np.asarray(rows[7] @ rotation.T, dtype=np.float32)
    assert after.bits is not None
    near = [set(one.bits.nearest(query, 1_000)[0].tolist()) for one in (before, after) if one.bits]
    assert len(near[0] & near[1]) > 900
