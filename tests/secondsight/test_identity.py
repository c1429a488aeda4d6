"""A source is its content: copies and renames are recognised, changes make a new source."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pymupdf
import pytest

from index.errors import SourceError
from ingest.discover import CandidateFile, require_unchanged
from tests.conftest import MANUAL, ingest_json, secondsight


def _extract(path: Path, page: int) -> Path:
    with pymupdf.open(MANUAL) as manual:
        manual.select([page])
        manual.save(path)
    return path


def test_the_same_content_is_ingested_once(tmp_path: Path) -> None:
    library = tmp_path / "library"
    first = _extract(tmp_path / "first.pdf", 3)
    (added,) = ingest_json(library, [first])["sources"]
    assert added["outcome"] == "added"

    (again,) = ingest_json(library, [first])["sources"]
    assert (again["outcome"], again["id"]) == ("unchanged", added["id"])

    copy = tmp_path / "a copy.pdf"
    shutil.copy(first, copy)
    (copied,) = ingest_json(library, [copy])["sources"]
    assert (copied["outcome"], copied["id"]) == ("unchanged", added["id"])
    (source,) = json.loads(secondsight("status", "--json", "-L", library).stdout)["sources"]
    assert set(source["paths"]) == {str(first), str(copy)}


def test_copies_in_one_run_are_ingested_once(tmp_path: Path) -> None:
    first = _extract(tmp_path / "first.pdf", 3)
    copy = tmp_path / "copy.pdf"
    shutil.copy(first, copy)
    report = ingest_json(tmp_path / "library", [first, copy])
    assert sorted(source["outcome"] for source in report["sources"]) == ["added", "unchanged"]


def test_a_changed_file_is_a_new_source(tmp_path: Path) -> None:
    library = tmp_path / "library"
    file = _extract(tmp_path / "file.pdf", 3)
    (old,) = ingest_json(library, [file])["sources"]
    _extract(file, 4)
    (new,) = ingest_json(library, [file])["sources"]
    assert new["outcome"] == "added"
    assert new["id"] != old["id"]
    sources = json.loads(secondsight("status", "--json", "-L", library).stdout)["sources"]
    assert {source["id"] for source in sources} == {old["id"], new["id"]}


def test_a_file_that_is_still_being_written_is_not_committed(tmp_path: Path) -> None:
    file = _extract(tmp_path / "file.pdf", 3)
    seen = CandidateFile(str(file), file.stat().st_size, file.stat().st_mtime_ns)
    require_unchanged(seen)
    with file.open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(SourceError, match="was changed while it was read"):
        require_unchanged(seen)
    file.unlink()
    with pytest.raises(SourceError, match="vanished while it was read"):
        require_unchanged(seen)
