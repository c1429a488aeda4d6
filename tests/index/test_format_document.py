"""docs/format.md: its queries run on an export and a library, and tell what is in them."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import duckdb
import numpy as np
import pytest

from index.export import FORMAT_VERSION, export_sources, source_files
from index.manifest import read_manifest
from index.snapshot import Snapshot
from tests.index.build import DIMS, source_id
from tests.index.corruptions import DOCUMENT, OTHER_VIDEO, VIDEO, shard_of

DOCUMENT_PATH = Path(__file__).parents[2] / "docs" / "format.md"
QUERIES = re.findall(r"```sql\n(.*?)```", DOCUMENT_PATH.read_text(encoding="utf-8"), re.S)


@pytest.fixture(scope="module")
def exported(intact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("documented") / "export"
    ids = [source_id(number) for number in (VIDEO, OTHER_VIDEO, DOCUMENT)]
    export_sources(intact, read_manifest(intact), ids, directory)
    return directory


def _rows(number: int, exported: Path) -> list[tuple[object, ...]]:
    query = QUERIES[number].replace("EXPORT", str(exported))
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall()


def test_utterances_have_their_exact_times(intact: Path, exported: Path) -> None:
    snapshot = Snapshot.open(intact)
    said = [
        (one.source.id, one.moment.span.start_s, one.moment.span.end_s, one.moment.text)
        for one in snapshot.moments(range(snapshot.num_moments))
        if one.moment.kind == "utterance"
    ]
    assert _rows(0, exported) == said
    with duckdb.connect() as connection:
        ticks = connection.execute(
            "SELECT start_tick, ticks_per_second FROM "
            f"'{exported}/moments/{source_id(VIDEO)}.parquet' ORDER BY moment"
        ).fetchall()
    exact = [one.moment.span.start for one in snapshot.moments(range(12))]
    assert [Fraction(*row) for row in ticks] == exact


def test_sources_metadata_and_pages_on_screen(exported: Path) -> None:
    assert _rows(1, exported) == [
        ("slides.pdf", "document", 3),
        ("video-1.mp4", "video", 12),
        ("video-2.mp4", "video", 12),
    ]
    assert _rows(2, exported) == [
        (source_id(number), name, value)
        for number in (VIDEO, DOCUMENT)
        for name, value in (("course", "cs101"), ("number", str(number)))
    ]
    shown = _rows(3, exported)
    assert [(row[0], row[3]) for row in shown] == [
        (page, f"word of source1 moment{page}") for page in (1, 2)
    ]


def test_codes_and_pictures_are_read_as_told(intact: Path, exported: Path) -> None:
    limit = min(1.0, 6 / DIMS**0.5)
    query = QUERIES[4].replace("0.30619", str(limit)).replace("EXPORT", str(exported))
    with duckdb.connect() as connection:
        rows = connection.execute(query).fetchall()
        pictures = connection.execute(
            "SELECT moment, picture_offset, picture_bytes FROM "
            f"'{exported}/moments/{source_id(DOCUMENT)}.parquet' ORDER BY moment"
        ).fetchall()
    snapshot = Snapshot.open(intact)
    vectors = snapshot.vectors(np.arange(12)).astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors @ vectors[0]
    found = {moment: cosine for source, moment, cosine in rows if source == source_id(VIDEO)}
    assert [found[number] for number in range(12)] == pytest.approx(cosines.tolist(), abs=1e-5)
    content = (exported / "pictures" / f"{source_id(DOCUMENT)}.bin").read_bytes()
    first = snapshot.source_range(source_id(DOCUMENT)).start
    for moment, offset, size_bytes in pictures:
        assert content[offset : offset + size_bytes] == snapshot.picture(first + moment)


def test_a_catalog_is_read_without_secondsight(intact: Path) -> None:
    path = shard_of(intact, VIDEO) / "catalog.duckdb"
    query = QUERIES[5].replace("LIBRARY/shards/ID/catalog.duckdb", str(path))
    with duckdb.connect() as connection:
        for statement in query.split(";")[:2]:
            rows = connection.execute(statement).fetchall()
    assert len(rows) == 12
    assert rows[0][0] == "video-1.mp4"


def test_the_document_names_every_file(exported: Path) -> None:
    text = DOCUMENT_PATH.read_text(encoding="utf-8")
    names = [
        path.relative_to(exported).as_posix() for path in exported.rglob("*") if path.is_file()
    ]
    generic = {re.sub(r"[0-9a-f]{32}", "ID", name) for name in names}
    assert {name for name in generic if f"`{name}`" not in text} == set()
    assert len(generic) == 7 + len(source_files(source_id(1)))
    assert FORMAT_VERSION == 1
