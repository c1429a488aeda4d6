"""Pages on screen: kept exactly, replaced by pair, and gone with either of their sources."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import LibraryError
from index.forgetting import forget_source
from index.links import read_links, write_links
from index.manifest import MANIFEST_NAME, body_checksum, read_manifest
from index.publishing import commit_links
from index.records import PageOnScreen
from index.shard import sweep
from index.snapshot import Snapshot
from tests.index.build import add_video, link_of, row_of, source_id, spans

_links = st.lists(
    st.builds(
        PageOnScreen,
        st.sampled_from(["a" * 32, "b" * 32]),
        st.integers(1, 5000),
        st.sampled_from(["c" * 32, "d" * 32]),
        spans(),
        st.floats(0, 1),
    ),
    max_size=5,
)


@settings(max_examples=25)
@given(_links)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, links: list[PageOnScreen]
) -> None:
    path = tmp_path_factory.getbasetemp() / "links.duckdb"
    write_links(path, links)
    assert read_links(path) == links


def test_a_link_is_checked() -> None:
    with pytest.raises(ValueError, match="pages count from 1"):
        replace(link_of(1), page=0)
    with pytest.raises(ValueError, match=r"scores are 0\.\.1"):
        replace(link_of(1), score=1.5)


def test_linking_a_pair_again_replaces_its_rows_only(library: Path) -> None:
    for number in (1, 2, 3):
        add_video(library, number)
    pair, other = (source_id(1), source_id(2)), (source_id(1), source_id(3))
    commit_links(library, [pair], [link_of(4, document=2), link_of(2, document=2)])
    commit_links(library, [other], [link_of(3, document=3)])
    before = Snapshot.open(library)
    assert [link.page for link in before.links.rows] == [2, 3, 4]
    commit_links(library, [pair], [link_of(5, document=2)])
    assert Snapshot.open(library, before).links.rows == (
        link_of(3, document=3),
        link_of(5, document=2),
    )
    generation = read_manifest(library).generation
    assert commit_links(library, [pair], [link_of(5, document=2)]).generation == generation
    assert commit_links(library, [pair, other], []).links is None
    assert list(library.glob("links-*")) == []


def test_links_of_a_source_that_is_not_there_are_left_out(library: Path) -> None:
    add_video(library, 1)
    pair = (source_id(1), source_id(2))
    assert commit_links(library, [pair], [link_of(1, document=2)]).links is None


@pytest.mark.parametrize("forgotten", [1, 2])
def test_forgetting_either_source_drops_its_links(library: Path, forgotten: int) -> None:
    for number in (1, 2, 3):
        add_video(library, number)
    commit_links(
        library,
        [(source_id(1), source_id(2)), (source_id(3), source_id(3))],
        [link_of(1, document=2), link_of(2, document=3, video=3)],
    )
    reader = Snapshot.open(library)
    forget_source(library, source_id(forgotten))
    assert Snapshot.open(library).links.rows == (link_of(2, document=3, video=3),)
    assert len(reader.links.rows) == 2
    held = b"".join(path.read_bytes() for path in library.rglob("*") if path.is_file())
    assert source_id(forgotten).encode() not in held
    forget_source(library, source_id(3))
    assert read_manifest(library).links is None
    assert list(library.glob("links-*")) == []


def test_links_of_dead_writers_are_swept(library: Path) -> None:
    add_video(library, 1)
    manifest = commit_links(library, [(source_id(1),) * 2], [link_of(1)])
    (library / "links-00000099.duckdb").touch()
    sweep(library)
    assert [path.name for path in library.glob("links-*")] == [manifest.links]


def test_a_library_without_the_field_opens(library: Path) -> None:
    add_video(library, 1)
    path = library / MANIFEST_NAME
    body = json.loads(path.read_text())
    del body["links"]
    path.write_text(json.dumps(body | {"checksum": body_checksum(body)}))
    snapshot = Snapshot.open(library)
    assert (snapshot.links.rows, snapshot.paths(source_id(1))) == ((), (row_of(1).path,))


def test_a_damaged_file_is_named(library: Path) -> None:
    add_video(library, 1)
    name = commit_links(library, [(source_id(1),) * 2], [link_of(1)]).links
    assert name is not None
    os.truncate(library / name, 100)
    with pytest.raises(LibraryError, match=name):
        Snapshot.open(library)
