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


def test_a_source_is_its_content(
    tmp_path: Path,
) -> None:
    library = tmp_path / "library"
    first, twin, later = (tmp_path / name for name in ("first.pdf", "twin.pdf", "a copy.pdf"))
    _extract(first, 3)
    shutil.copy(first, twin)
    sources = ingest_json(library, [first, twin])["sources"]
    assert sorted(source["outcome"] for source in sources) == ["added", "unchanged"]
    (source_id,) = {source["id"] for source in sources}

    (again,) = ingest_json(library, [first])["sources"]
    assert (again["outcome"], again["id"]) == ("unchanged", source_id)

    shutil.copy(first, later)
    (copied,) = ingest_json(library, [later])["sources"]
    assert (copied["outcome"], copied["id"]) == ("unchanged", source_id)
    (source,) = json.loads(secondsight("status", "--json", "-L", library).stdout)["sources"]
    assert set(source["paths"]) == {str(first), str(twin), str(later)}

    _extract(later, 4)
    (changed,) = ingest_json(library, [later])["sources"]
    assert changed["outcome"] == "added"
    assert changed["id"] != source_id
    sources = json.loads(secondsight("status", "--json", "-L", library).stdout)["sources"]
    assert {source["id"]: set(source["paths"]) for source in sources} == {
        source_id: {str(first), str(twin)},
        changed["id"]: {str(later)},
    }


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
