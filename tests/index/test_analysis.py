"""SQL for analysts: the views tell what the snapshot tells, and nothing can be changed or read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from index.analysis import VIEWS, Analysis, open_analysis
from index.compaction import compact
from index.errors import LibraryError, QuestionError
from index.forgetting import forget_source
from index.manifest import create_library, read_manifest
from index.metadata import MetadataChange
from index.publishing import commit_links
from index.settings import CompactionSettings
from index.shard import CATALOG_NAME, record_outcomes
from index.snapshot import Snapshot
from tests.index.build import IDENTITY, add_video, link_of, source_id


def rows_of(analysis: Analysis, sql: str) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    with analysis.query(sql) as result:
        return list(result.rows)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shards, with metadata and a link."""
    library = tmp_path_factory.mktemp("three") / "archive"
    create_library(library, IDENTITY)
    for number in (1, 2, 3):
        add_video(library, number)
    commit_links(library, [(source_id(1), source_id(2))], [link_of(5, document=2)])
    said = MetadataChange({"course": "cs101", "year": 2021, "open": True}, frozenset({"board"}))
    record_outcomes(library, [], metadata={source_id(2): said})
    return library


@pytest.fixture(scope="module")
def thinned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shard of four, two of which are forgotten, before one of one."""
    library = tmp_path_factory.mktemp("thinned") / "archive"
    create_library(library, IDENTITY)
    for number in (1, 2, 3, 4):
        add_video(library, number)
    compact(library, CompactionSettings(shards_per_merge=2))
    assert len(read_manifest(library).shards) == 1
    for number in (1, 3):
        forget_source(library, source_id(number))
    add_video(library, 5)
    return library


def test_what_is_forgotten_of_a_merged_shard_is_in_no_view(thinned: Path) -> None:
    left = {source_id(number) for number in (2, 4, 5)}
    with open_analysis(thinned) as analysis:
        for view in ("sources", "segments", "moments", "words"):
            assert {row[0] for row in rows_of(analysis, f"SELECT source FROM {view}")} == left
        moments = rows_of(analysis, "SELECT moment, segment, source FROM moments ORDER BY moment")
        firsts = rows_of(analysis, "SELECT segment, first_moment FROM segments ORDER BY segment")
        words = rows_of(analysis, "SELECT moment, text FROM words ORDER BY moment, position")
    snapshot = Snapshot.open(thinned)
    stored = snapshot.moments(range(snapshot.num_moments))
    assert moments == [(one.id, one.segment, one.source.id) for one in stored]
    assert words == [(one.id, word.text) for one in stored for word in one.moment.words]
    assert firsts == [
        (number, snapshot.segment(number).moments.start) for number in range(snapshot.num_segments)
    ]


def test_views_tell_what_the_snapshot_tells(three: Path) -> None:
    snapshot = Snapshot.open(three)
    with open_analysis(three) as analysis:
        assert set(analysis.columns()) == set(VIEWS)
        assert {row[0] for row in rows_of(analysis, "SELECT source FROM sources")} == set(
            snapshot.source_ids
        )
        moments = rows_of(
            analysis,
            "SELECT moment, segment, source, kind, text, start_s, end_s, start_tick, "
            "ticks_per_second FROM moments ORDER BY moment",
        )
        stored = snapshot.moments(range(snapshot.num_moments))
        assert moments == [
            (
                one.id,
                one.segment,
                one.source.id,
                one.moment.kind,
                one.moment.text,
                one.moment.span.start_s,
                one.moment.span.end_s,
                one.moment.span.start * 30000,
                30000,
            )
            for one in stored
        ]
        words = rows_of(analysis, "SELECT moment, text, start_s FROM words ORDER BY moment")
        assert words == [
            (one.id, word.text, word.span.start_s) for one in stored for word in one.moment.words
        ]
        segments = rows_of(
            analysis,
            "SELECT segment, source, first_moment, moment_count FROM segments ORDER BY segment",
        )
        assert segments == [
            (one.id, one.source.id, one.moments.start, len(one.moments))
            for one in map(snapshot.segment, range(snapshot.num_segments))
        ]
        link = link_of(5, document=2)
        assert rows_of(analysis, "SELECT page, start_s, end_s FROM page_on_screen") == [
            (5, link.span.start_s, link.span.end_s)
        ]
        assert rows_of(analysis, "FROM metadata ORDER BY name") == [
            (source_id(2), "course", "cs101", None, None),
            (source_id(2), "open", "true", None, True),
            (source_id(2), "year", "2021", 2021.0, None),
        ]
        assert rows_of(analysis, "FROM tags") == [(source_id(2), "board")]
        paths = rows_of(analysis, "SELECT path, source FROM inventory ORDER BY path")
        assert paths == [(row.path, row.source_id) for row in snapshot.inventory()]


def test_an_empty_library_has_the_same_views(library: Path, three: Path) -> None:
    with open_analysis(three) as analysis:
        full = analysis.columns()
    with open_analysis(library) as analysis:
        assert analysis.columns() == full


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO shard_0.sources SELECT * FROM shard_1.sources",
        "UPDATE shard_0.moments SET text = ''",
        "DELETE FROM shard_0.moments",
        "DROP VIEW sources",
        "CREATE TABLE mine AS SELECT * FROM sources",
        "COPY sources TO '{out}'",
        "COPY (SELECT 1) TO '{out}'",
        "EXPORT DATABASE '{out}'",
        "ATTACH '{out}' AS mine",
        "DETACH shard_0",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "RESET enable_external_access",
        "PRAGMA enable_external_access = true",
        "CALL pragma_version()",
        "CHECKPOINT",
        "SELECT 1; SELECT 2",
        "",
        "-- nothing",
        "SELECT * FROM '{file}'",
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM read_blob('{file}')",
        "SELECT * FROM read_parquet('{file}')",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM query('COPY sources TO ''{out}''')",
        "SELECT * FROM read_duckdb('{file}')",
        "SELECT * FROM secret",
        "SELECT $1",
        "SELEC 1",
        "SELECT\n  nothing\nFROM sources",
    ],
)
def test_whatever_is_not_a_look_at_the_views_is_refused(three: Path, sql: str) -> None:
    file, out = three.parent / "secret.csv", three.parent / "out"
    file.write_text("a,b\n1,2\n")
    secret = [1, 2]  # DuckDB could find Python's variables by name
    before = {path: path.stat().st_mtime_ns for path in three.rglob("*")}
    with (
        open_analysis(three) as analysis,
        pytest.raises(QuestionError) as caught,
        analysis.query(sql.format(file=file, out=out, folder=three)) as result,
    ):
        list(result.rows)
    assert len(str(caught.value).splitlines()) == 1
    assert not out.exists()
    assert {path: path.stat().st_mtime_ns for path in three.rglob("*")} == before
    assert secret == [1, 2]


def test_a_query_that_takes_too_long_ends(three: Path) -> None:
    slow = "SELECT count(*) FROM range(1000000000) AS a, range(1000) AS b"
    with open_analysis(three) as analysis:
        with (
            pytest.raises(QuestionError, match=r"longer than 0\.2 s"),
            analysis.query(slow, timeout_s=0.2) as result,
        ):
            list(result.rows)
        assert rows_of(analysis, "SELECT 1") == [(1,)]


def test_what_is_no_library_is_told(tmp_path: Path, library: Path) -> None:
    with pytest.raises(LibraryError, match="is not a library"), open_analysis(tmp_path):
        pass
    add_video(library, 1)
    catalog = next(library.glob("shards/*/catalog.duckdb"))
    catalog.write_bytes(b"nonsense")
    with pytest.raises(LibraryError, match=CATALOG_NAME), open_analysis(library):
        pass
