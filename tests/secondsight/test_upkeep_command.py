"""`verify`, `export` and `import` on a real library, by the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from retrieve.hits import Hit
from secondsight import Library
from tests.conftest import TALK, secondsight

QUERIES = ("the lighthouse", "how do I reset the device", "maintenance of the pump")


def _hits(directory: Path) -> list[tuple[Hit, ...]]:
    library = Library.open(directory, create=False)
    return [library.search(query).hits for query in QUERIES]


def test_a_real_library_is_whole_and_its_damage_is_named(archive: Path, tmp_path: Path) -> None:
    told = secondsight("verify", "-L", archive, "--deep")
    assert told.returncode == 0
    assert told.stdout.startswith("whole: ")
    assert "GB/s" in told.stdout
    library = tmp_path / "library"
    shutil.copytree(archive, library, ignore=shutil.ignore_patterns("cache"))
    pictures = next(library.glob("shards/*/pictures.bin"))
    pictures.write_bytes(pictures.read_bytes()[:-1])
    (library / "notes.txt").touch()
    spoilt = secondsight("verify", "-L", library, "--json", check=False)
    assert spoilt.returncode == 1
    found = json.loads(spoilt.stdout)
    assert not found["ok"]
    assert {(one["kind"], one["damage"]) for one in found["problems"]} == {
        ("changed", True), ("stray", False),
    }  # fmt: skip
    assert "pictures.bin" in secondsight("verify", "-L", library, check=False).stdout
    (library / "manifest.json").write_text("{")
    assert "manifest.json" in secondsight("verify", "-L", library, check=False).stdout


def test_a_real_library_is_moved_whole(archive: Path, tmp_path: Path) -> None:
    out, new = tmp_path / "out", tmp_path / "new"
    exported = json.loads(secondsight("export", out, "-L", archive, "--json").stdout)
    imported = json.loads(secondsight("import", out, "-L", new, "--with-paths", "--json").stdout)
    assert {one["outcome"] for one in imported["sources"]} == {"added"}
    assert len(imported["sources"]) == len(exported["sources"])
    assert _hits(new) == _hits(archive)
    assert Library.open(new).verify(deep=True).problems == ()


def test_single_sources_are_named(archive: Path, tmp_path: Path) -> None:
    told = secondsight("export", tmp_path / "out", "-L", archive, "-s", TALK.name)
    assert told.stdout.startswith("1 sources exported")
    refused = secondsight("export", tmp_path / "out", "-L", archive, check=False)
    assert refused.returncode == 1
    assert "is not empty" in refused.stderr
    unknown = secondsight("export", tmp_path / "no", "-L", archive, "-s", "nobody", check=False)
    assert unknown.returncode == 2
    added = secondsight("import", tmp_path / "out", "-L", tmp_path / "new")
    assert added.stdout.splitlines()[0].split() == ["added", TALK.name]
    again = secondsight("import", tmp_path / "out", "-L", tmp_path / "new")
    assert again.stdout.splitlines()[0].split() == ["unchanged", TALK.name]


@pytest.mark.parametrize("command", ["verify", "export", "import"])
def test_what_is_no_library_is_said(command: str, tmp_path: Path) -> None:
    arguments = [] if command == "verify" else [tmp_path / "out"]
    told = secondsight(command, *arguments, "-L", tmp_path / "none", check=False)
    assert told.returncode == 1
    assert "Traceback" not in told.stderr
