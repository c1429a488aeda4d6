"""Exports: what was exported is imported whole, a hostile one harms nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from index import tables
from index.errors import EmbedderMismatchError, LibraryError
from index.export import EXPORT_NAME, export_sources
from index.files import stamp_of
from index.forgetting import forget_source
from index.importing import import_sources
from index.manifest import body_checksum, create_library, read_manifest
from index.snapshot import Snapshot
from index.verification import verify_library
from tests.index.build import DIMS, IDENTITY, make_vectors, source_id
from tests.index.corruptions import DOCUMENT, OTHER_VIDEO, VIDEO, add, make_document, make_talk

ROOT = Path(__file__).parents[2]
IDS = [source_id(number) for number in (VIDEO, OTHER_VIDEO, DOCUMENT)]


@pytest.fixture(scope="module")
def exported(intact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of the intact library, in a directory whose name looks like a pattern."""
    directory = tmp_path_factory.mktemp("exports") / "a [x]*? k=v 'quoted'"
    export_sources(intact, read_manifest(intact), IDS, directory)
    return directory


@pytest.fixture
def spoilt(exported: Path, tmp_path: Path) -> Path:
    """A copy of it to be spoilt."""
    return Path(shutil.copytree(exported, tmp_path / "export"))


def everything(library: Path) -> dict[str, Any]:
    """What a library tells of its sources, searches included."""
    snapshot = Snapshot.open(library)
    query = make_vectors(VIDEO, make_talk(VIDEO)[1])[0][7]
    seen: dict[str, Any] = {"links": snapshot.links.rows, "sources": snapshot.sources}
    seen["metadata"] = {source: snapshot.metadata.of(source) for source in snapshot.sources}
    for source in snapshot.sources:
        ids = snapshot.source_range(source)
        seen[source] = (
            snapshot.paths(source),
            [replace(one, id=0, segment=0) for one in snapshot.moments(ids)],
            [snapshot.picture(number) for number in ids],
            [(one.extent, one.title, len(one.moments)) for one in snapshot.segments_of(source)],
            snapshot.vectors(np.array(ids)).tolist(),
        )
    for mode in ("fast", "thorough"):
        found = snapshot.search_vectors(query, 30, mode=mode)
        seen[mode] = [part.tolist() for part in found]
    seen["words"] = [part.tolist() for part in snapshot.search_words("moment7 leaf", 30)]
    return seen


def test_what_was_exported_is_imported_whole(intact: Path, exported: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    create_library(new, IDENTITY)
    report = import_sources(new, exported, with_paths=True)
    assert [(one.id, one.outcome) for one in report.sources] == [(one, "added") for one in IDS]
    assert (report.links, report.recoded) == (2, False)
    assert everything(new) == everything(intact)
    assert verify_library(new, deep=True).problems == ()
    old, copy = (
        {shard.sources: shard for shard in read_manifest(library).shards}
        for library in (intact, new)
    )
    for sources, shard in old.items():
        for name in ("moments.ivf", "segments.npy", "cosines.npy", "pictures.bin"):
            assert copy[sources].files[name] == shard.files[name]
    # Once more: everything is there already.
    again = import_sources(new, exported)
    assert ({one.outcome for one in again.sources}, again.links) == ({"unchanged"}, 0)
    assert everything(new) == everything(intact)


def test_paths_stay_behind_unless_they_are_asked_for(exported: Path, tmp_path: Path) -> None:
    create_library(tmp_path / "new", IDENTITY)
    import_sources(tmp_path / "new", exported)
    assert Snapshot.open(tmp_path / "new").inventory() == ()


def test_single_sources_go_without_the_links_to_others(intact: Path, tmp_path: Path) -> None:
    manifest = read_manifest(intact)
    export_sources(intact, manifest, [IDS[0]], tmp_path / "out")
    held = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert IDS[2].encode() not in held
    new = tmp_path / "new"
    create_library(new, IDENTITY)
    add(new, *make_document(DOCUMENT))
    assert import_sources(new, tmp_path / "out").links == 0
    assert Snapshot.open(new).source_ids == [IDS[2], IDS[0]]
    assert everything(new)[IDS[0]][1:] == everything(intact)[IDS[0]][1:]


KILLED = """
import os, signal
from pathlib import Path
from index import importing
names = []
def kill(name):
    names.append(name)
    if len(names) == 2:
        # When the second source is staged, and not yet in the library.
        importing.commit_shard = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)
importing.import_sources(Path({library!r}), Path({export!r}), listener=kill)
"""


def test_an_import_that_was_killed_goes_on(exported: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    create_library(new, IDENTITY)
    script = KILLED.format(library=str(new), export=str(exported))
    killed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert Snapshot.open(new).source_ids == IDS[:1]
    found = verify_library(new)
    assert found.ok
    assert {one.where.partition("/")[0] for one in found.problems} == {"staging"}
    report = import_sources(new, exported)
    assert [one.outcome for one in report.sources] == ["unchanged", "added", "added"]
    assert (Snapshot.open(new).source_ids, report.links) == (IDS, 2)
    assert verify_library(new).problems == ()


def test_a_library_of_other_codes_takes_it(intact: Path, exported: Path, tmp_path: Path) -> None:
    half, back = tmp_path / "half", tmp_path / "back"
    create_library(half, IDENTITY, codes="fp16")
    assert import_sources(half, exported).recoded
    assert verify_library(half).problems == ()
    export_sources(half, read_manifest(half), IDS, tmp_path / "out")
    create_library(back, IDENTITY, codes="fp16")
    assert not import_sources(back, tmp_path / "out").recoded
    assert everything(back) == everything(half)
    create_library(tmp_path / "eight", IDENTITY)
    assert import_sources(tmp_path / "eight", tmp_path / "out").recoded
    assert everything(tmp_path / "eight")[IDS[0]][4] == everything(intact)[IDS[0]][4]


def test_what_does_not_fit_is_refused(intact: Path, exported: Path, tmp_path: Path) -> None:
    create_library(tmp_path / "new", replace(IDENTITY, revision="2"))
    with pytest.raises(EmbedderMismatchError, match=r"revision 1.*revision 2"):
        import_sources(tmp_path / "new", exported)
    with pytest.raises(LibraryError, match="is not empty"):
        export_sources(intact, read_manifest(intact), IDS, exported)
    with pytest.raises(LibraryError, match="holds no source"):
        export_sources(intact, read_manifest(intact), [source_id(9)], tmp_path / "none")
    with pytest.raises(LibraryError, match="cut short"):
        import_sources(tmp_path / "new", tmp_path / "none")


def test_sources_without_moments_can_be_moved(tmp_path: Path) -> None:
    library, new = tmp_path / "library", tmp_path / "new"
    for directory in (library, new):
        create_library(directory, IDENTITY)
    source, segments = make_talk(4)
    add(library, source, [replace(one, moments=()) for one in segments])
    add(library, replace(make_document(5)[0], pages=0), [])
    ids = [source_id(4), source_id(5)]
    export_sources(library, read_manifest(library), ids, tmp_path / "out")
    import_sources(new, tmp_path / "out", with_paths=True)
    assert everything(new) == everything(library)
    assert verify_library(new).problems == ()


# --- hostile exports -----------------------------------------------------------------------------


def _sealed(
    directory: Path, change: Callable[[dict[str, Any]], object] = lambda body: None
) -> None:
    """Write export.json anew with the stamps of the files as they are, and what `change` makes."""
    path = directory / EXPORT_NAME
    body = json.loads(path.read_bytes())
    body["files"] = {name: stamp_of(directory / name) for name in body["files"]}
    change(body)
    body["checksum"] = body_checksum(body)
    path.write_text(json.dumps(body))


def _sql(table: str, select: str, name: str = IDS[0]) -> Callable[[Path], None]:
    """Write a table anew from a query on `old`, and seal export.json."""

    def change(directory: Path) -> None:
        path = directory / (f"{table}/{name}.parquet" if name else f"{table}.parquet")
        with duckdb.connect() as connection:
            connection.execute(f"CREATE TABLE old AS SELECT * FROM '{path}'")
            path.unlink()
            connection.sql(select).write_parquet(str(path))
        _sealed(directory)

    return change


def _files(name: str) -> Callable[[Path], None]:
    return lambda directory: _sealed(directory, lambda body: body["files"].update({name: [0, ""]}))


def _outside(directory: Path) -> None:
    """A picture file that is a link to a file elsewhere."""
    path = directory / f"pictures/{IDS[0]}.bin"
    secret = directory.parent / "secret"
    os.rename(path, secret)
    path.symlink_to(secret)
    _sealed(directory)


def _folder_outside(directory: Path) -> None:
    os.rename(directory / "pictures", directory.parent / "pictures")
    (directory / "pictures").symlink_to(directory.parent / "pictures")
    _sealed(directory)


def _pickled(directory: Path) -> None:
    np.save(directory / "rotation.npy", np.array([{}], dtype=object), allow_pickle=True)
    _sealed(directory)


def _rotated(directory: Path) -> None:
    np.save(directory / "rotation.npy", np.eye(DIMS, dtype=np.float32))
    _sealed(directory)


def _edited(directory: Path) -> None:
    path = directory / EXPORT_NAME
    path.write_text(path.read_text().replace('"8bit"', '"fp16"'))


def _flipped(directory: Path) -> None:
    path = directory / f"words/{IDS[0]}.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _no_table(directory: Path) -> None:
    (directory / f"words/{IDS[0]}.parquet").write_bytes(b"SELECT 1")
    _sealed(directory)


def _renamed(directory: Path) -> None:
    _sealed(directory, lambda body: body["sources"][0].update(id="../../../" + 23 * "a"))


HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "edited manifest": (_edited, "is damaged"),
    "changed byte": (_flipped, "is damaged"),
    "file outside": (_files("../elsewhere"), "should not be in it"),
    "file of its own": (_files("extra.parquet"), "should not be in it"),
    "codes that are none": (
        lambda directory: _sealed(directory, lambda body: body.update(codes="4bit")), "is damaged",
    ),
    "link to a file": (_outside, "is damaged"),
    "link to a folder": (_folder_outside, "is no directory"),
    "id that is a path": (_renamed, "is no id of a source"),
    "pickled rotation": (_pickled, "says what cannot be"),
    "another rotation": (_rotated, "rotated in another way"),
    "no table": (
        _no_table, "cannot read",
    ),
    "column missing": (_sql("words", "SELECT source_id, moment FROM old"), "cannot read"),
    "text for a number": (
        _sql("moments", "SELECT * REPLACE ('; DROP TABLE x' AS pts) FROM old"), "cannot read",
    ),
    "moment missing": (_sql("moments", "FROM old WHERE moment <> 3"), "numbered from 0"),
    "moment of another segment": (
        _sql("moments", "SELECT * REPLACE (2 AS segment) FROM old"), "moments of another",
    ),
    "segment missing": (_sql("segments", "FROM old WHERE segment <> 1"), "does not follow"),
    "segments missing": (_sql("segments", "FROM old WHERE segment < 2"), "in no segment"),
    "time that ends before it starts": (
        _sql("moments", "SELECT * REPLACE (0::BIGINT AS end_tick) FROM old"), "start < end",
    ),
    "time beyond the end": (
        _sql("moments", "SELECT * REPLACE (end_tick * 1000 AS end_tick) FROM old"), "beyond the",
    ),
    "kind that is none": (_sql("moments", "SELECT * REPLACE ('x' AS kind) FROM old"), "says what"),
    "picture outside its file": (
        _sql("moments", "SELECT * REPLACE (picture_offset + 1000000 AS picture_offset) FROM old"),
        "ends before byte",
    ),
    "picture before its file": (
        _sql("moments", "SELECT * REPLACE (picture_offset - 1 AS picture_offset) FROM old"),
        "a picture cannot be",
    ),
    "word of no moment": (
        _sql("words", "SELECT * REPLACE (moment + 99 AS moment) FROM old"), "not in a row",
    ),
    "more rows than there can be": (
        _sql("words", "SELECT 0::BIGINT AS moment FROM range(20_000_001)"), "too large",
    ),
    "word twice": (_sql("words", "FROM old UNION ALL FROM old"), "not in a row"),
    "vector missing": (_sql("moment_vectors", "FROM old WHERE moment > 0"), "one vector for"),
    "vector of other dims": (
        _sql("moment_vectors", "SELECT * REPLACE (code[:9] AS code) FROM old"), "cannot read",
    ),
    "vector of nothing": (
        _sql("moment_vectors", "SELECT * REPLACE (NULL::UTINYINT[] AS code) FROM old"),
        "one vector for",
    ),
    "vectors of others": (
        _sql("moment_vectors", "SELECT * REPLACE ((moment + 4) % 12 AS moment) FROM old"),
        "not as like their segment",
    ),
    "cosines that are no numbers": (
        _sql("moment_vectors", "SELECT * REPLACE ('nan'::FLOAT AS cosine) FROM old"), "numbers",
    ),
    "source without its name": (
        _sql("sources", f"FROM old WHERE id <> '{IDS[0]}'", ""), "not that of export.json",
    ),
    "clock of no ticks": (
        _sql("sources", "SELECT * REPLACE (0 AS ticks_per_second) FROM old", ""), "1 or more",
    ),
    "details that are none": (
        _sql("sources", "SELECT * REPLACE ('[1]' AS details) FROM old", ""), "details or notes",
    ),
    "details with depth": (
        _sql("sources", """SELECT * REPLACE ('{"a": {"b": 1}}' AS details) FROM old""", ""),
        "details or notes",
    ),
    "metadata of two kinds": (
        _sql("metadata", "SELECT * REPLACE (1 AS whole) FROM old", ""), "one value each",
    ),
    "metadata of a name that is none": (
        _sql("metadata", "SELECT * REPLACE ('a b; --' AS name) FROM old", ""), "cannot be named",
    ),
    "metadata of a stranger": (
        _sql("metadata", f"SELECT * REPLACE ('{source_id(7)}' AS source) FROM old", ""),
        "no source of the export",
    ),
    "path of a stranger": (
        _sql("paths", f"SELECT * REPLACE ('{source_id(7)}' AS source_id) FROM old", ""),
        "no source of the export",
    ),
    "link of a stranger": (
        _sql("page_on_screen", f"SELECT * REPLACE ('{source_id(7)}' AS video) FROM old", ""),
        "no source of the export",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library into which nothing is let."""
    library = tmp_path_factory.mktemp("empty") / "library"
    create_library(library, IDENTITY)
    return library


@pytest.mark.parametrize("way", HOSTILE)
def test_a_hostile_export_is_refused_and_harms_nothing(way: str, spoilt: Path, empty: Path) -> None:
    change, message = HOSTILE[way]
    change(spoilt)
    with pytest.raises(LibraryError, match=message):
        import_sources(empty, spoilt, with_paths=True)
    assert read_manifest(empty).generation == 0
    assert (os.listdir(empty / "shards"), os.listdir(empty / "staging")) == ([], [])


def test_a_small_file_that_unpacks_to_much_is_refused(
    spoilt: Path, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MOST_BYTES", 50_000_000)
    table = spoilt / "moments" / f"{IDS[0]}.parquet"
    _sql("moments", "SELECT * REPLACE (repeat('x', 10_000_000) AS text) FROM old")(spoilt)
    assert table.stat().st_size < 1_000_000
    with pytest.raises(LibraryError, match=f"{table.name} is too large.*0.05 GB"):
        import_sources(empty, spoilt)
    assert read_manifest(empty).generation == 0


def test_a_forgotten_source_is_in_no_export(intact: Path, tmp_path: Path) -> None:
    library = Path(shutil.copytree(intact, tmp_path / "library"))
    forget_source(library, IDS[1])
    with pytest.raises(LibraryError, match="holds no source"):
        export_sources(library, read_manifest(library), IDS, tmp_path / "out")
