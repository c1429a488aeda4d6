"""Metadata and tags: kept exactly, changed without reading anything again, forgotten for good."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import LibraryError, SettingsError
from index.forgetting import forget_source
from index.manifest import read_manifest
from index.metadata import (
    MetadataChange,
    MetadataTable,
    SourceMetadata,
    Value,
    checked_name,
    checked_tags,
    checked_value,
    read_metadata,
    typed,
    write_metadata,
)
from index.shard import commit_shard, record_outcomes, sweep
from index.snapshot import Snapshot
from tests.index.build import IDENTITY, add_video, row_of, source_id, write_video

_values = (
    st.text(st.characters(codec="utf-8"), max_size=20)
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
)
_said = st.builds(
    SourceMetadata,
    st.dictionaries(st.sampled_from(["course", "year", "größe"]), _values, max_size=3),
    st.frozensets(st.sampled_from(["board", "staff"]), max_size=2),
)
_held = st.dictionaries(
    st.sampled_from([source_id(number) for number in range(4)]),
    _said.filter(lambda said: said != SourceMetadata()),
)


@settings(max_examples=25)
@given(_held)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, held: dict[str, SourceMetadata]
) -> None:
    path = tmp_path_factory.getbasetemp() / "metadata.duckdb"
    write_metadata(path, held)
    found = read_metadata(path)
    assert found == held
    types = {key: [type(v) for v in one.values.values()] for key, one in found.items()}
    expected = {
        key: [type(one.values[name]) for name in sorted(one.values)] for key, one in held.items()
    }
    assert types == expected


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2021", 2021),
        ("-3", -3),
        ("0.5", 0.5),
        ("true", True),
        ("True", "True"),
        ("007", "007"),
        ("1.10", "1.10"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("1_000", "1_000"),
        ("99999999999999999999", 1e20),
        ("", None),
        ("cs101", "cs101"),
    ],
)
def test_written_values_have_the_type_that_they_look_like(
    written: str, value: Value | None
) -> None:
    found = typed(written)
    if written == "99999999999999999999":
        assert found == written  # too large to be exact: stays as it is written
    else:
        assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("name", ["", "9lives", "a b", "and", "Path", "x" * 101, "tags", "a-b"])
def test_names_that_no_condition_could_hold_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="metadata cannot be named"):
        checked_name(name)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**63, [1], b"x"])
def test_values_that_cannot_be_held_exactly_are_refused(value: object) -> None:
    with pytest.raises(SettingsError, match="metadata size"):
        checked_value("size", value)


@pytest.mark.parametrize("tags", ["board", 3, [""], ["a b"], ["a,b"], [7]])
def test_tags_that_are_none_are_refused(tags: object) -> None:
    with pytest.raises(SettingsError, match="tag"):
        checked_tags(tags)


def test_a_change_leaves_what_it_does_not_name(library: Path) -> None:
    add_video(library, 1)
    add_video(library, 2)
    first = MetadataChange({"course": "cs101", "year": 2020}, frozenset({"board"}))
    record_outcomes(library, [], metadata={source_id(1): first})
    before = Snapshot.open(library)
    change = MetadataChange({"year": 2021, "course": None, "room": True})
    record_outcomes(library, [], metadata={source_id(1): change, source_id(9): change})
    after = Snapshot.open(library, before)
    assert after.metadata.of(source_id(1)) == SourceMetadata(
        {"year": 2021, "room": True}, frozenset({"board"})
    )
    assert after.metadata.of(source_id(2)) == after.metadata.of(source_id(9)) == SourceMetadata()
    assert before.metadata.of(source_id(1)).values == {"course": "cs101", "year": 2020}
    assert [shard.id for shard in after.manifest.shards] == [
        shard.id for shard in before.manifest.shards
    ]
    generation = after.generation
    record_outcomes(library, [], metadata={source_id(1): MetadataChange({"year": 2021})})
    assert read_manifest(library).generation == generation


def test_tags_are_published_at_the_same_stroke_as_their_source(library: Path, area: Path) -> None:
    entry = write_video(library, area / "shard", 1)
    before = read_manifest(library).generation
    tags = {source_id(1): MetadataChange(tags=frozenset({"board"}))}
    manifest = commit_shard(
        library, area / "shard", entry, [row_of(1)], embedder=IDENTITY, metadata=tags
    )
    assert manifest.generation == before + 1
    assert not Snapshot.open(library).metadata.of(source_id(1)).open_to(())
    again = write_video(library, area / "again", 1)
    commit_shard(library, area / "again", again, [], embedder=IDENTITY, replace_present=True)
    assert not Snapshot.open(library).metadata.of(source_id(1)).open_to(())


def test_forgetting_a_source_forgets_what_is_said_about_it(library: Path) -> None:
    for number in (1, 2):
        add_video(library, number)
    secret = MetadataChange({"note": "zwiebelkuchen"}, frozenset({"rathaus"}))
    other = MetadataChange({"note": "other"})
    record_outcomes(library, [], metadata={source_id(1): secret, source_id(2): other})
    forget_source(library, source_id(1))
    held = b"".join(path.read_bytes() for path in library.rglob("*") if path.is_file())
    assert b"zwiebelkuchen" not in held
    assert b"rathaus" not in held
    assert Snapshot.open(library).metadata.of(source_id(2)).values == {"note": "other"}
    forget_source(library, source_id(2))
    assert read_manifest(library).metadata is None
    assert list(library.glob("metadata-*")) == []


def test_metadata_of_dead_writers_is_swept_and_damage_is_named(library: Path) -> None:
    add_video(library, 1)
    change = {source_id(1): MetadataChange({"year": 1})}
    name = record_outcomes(library, [], metadata=change).metadata
    assert name is not None
    (library / "metadata-00000099.duckdb").touch()
    sweep(library)
    assert [path.name for path in library.glob("metadata-*")] == [name]
    (library / name).write_bytes(b"nonsense")
    with pytest.raises(LibraryError, match=name):
        Snapshot.open(library)


def test_columns_keep_values_of_different_types_apart() -> None:
    said: list[Value] = [1, True, 1.0, "1", 1]
    held = {str(number): SourceMetadata({"x": value}) for number, value in enumerate(said)}
    column = MetadataTable(held, [*held, "none"]).columns["x"]
    assert column.codes.tolist() == [0, 1, 2, 3, 0, -1]
    assert [type(value) for value in column.values] == [int, bool, float, str]


def test_tags_open_a_source_to_those_who_have_one_of_them() -> None:
    held = {
        "open": SourceMetadata({"a": 1}),
        "board": SourceMetadata(tags=frozenset({"board"})),
        "both": SourceMetadata(tags=frozenset({"board", "staff"})),
    }
    table = MetadataTable(held, ["open", "board", "both", "unsaid"])
    expected = {
        None: [True, True, True, True],
        (): [True, False, False, True],
        ("staff",): [True, False, True, True],
        ("board", "x"): [True, True, True, True],
    }
    for permissions, mask in expected.items():
        assert np.array_equal(table.open_to(permissions), mask)
