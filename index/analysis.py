"""A library as views for analysts: read-only SQL over all shards, and nothing else within reach.

One DuckDB connection has every file of a library attached read-only. Before the first query it is
locked: no files, no settings, nothing to write to but memory, into which only views were put; of
statements only SELECT is taken. Moments and segments have the numbers of `index.snapshot`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from index.catalog import CatalogReader
from index.errors import LibraryError, QuestionError
from index.files import disk_error
from index.manifest import (
    SHARDS_NAME,
    Manifest,
    ShardEntry,
    manifest_state,
    read_manifest_state,
)
from index.numbering import SourceRun
from index.shard import CATALOG_NAME
from index.tables import check_version, component_scripts

_ATTEMPTS = 20
_ROWS_AT_ONCE = 1000
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
    "python_enable_replacements": False,
}
_LOCK = (
    "SET temp_directory = ''",  # what is forgotten must not lie about elsewhere
    "SET enable_progress_bar = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)

_TIMES = (
    "{of}.start_tick / sources.ticks_per_second::DOUBLE AS start_s, "
    "{of}.end_tick / sources.ticks_per_second::DOUBLE AS end_s, "
    "{of}.start_tick, {of}.end_tick, sources.ticks_per_second"
)
_OF_MOMENT = (
    "FROM {schema}.{table} AS {table} JOIN {schema}.moments AS moments USING (moment) "
    "JOIN {schema}.segments AS segments USING (segment) "
    "JOIN {schema}.sources AS sources USING (source)"
)
_CATALOG_VIEWS = {
    "sources": (
        "SELECT id AS source, name, kind, size_bytes, "
        "duration_ticks / ticks_per_second::DOUBLE AS duration_s, duration_ticks, "
        "ticks_per_second, pages, details, notes FROM {schema}.sources"
    ),
    "segments": (
        "SELECT segment::BIGINT + {segments} AS segment, sources.id AS source, title, "
        "first_moment + {moments} AS first_moment, moment_count, "
        + _TIMES.format(of="segments")
        + ", first_page, last_page FROM {schema}.segments AS segments "
        "JOIN {schema}.sources AS sources USING (source)"
    ),
    "moments": (
        "SELECT moment + {moments} AS moment, segment::BIGINT + {segments} AS segment, "
        "sources.id AS source, moments.kind, "
        + _TIMES.format(of="moments")
        + ", page, page_label, heading, text, confidence, pts, time_base_numerator, "
        "time_base_denominator FROM {schema}.moments AS moments "
        "JOIN {schema}.segments AS segments USING (segment) "
        "JOIN {schema}.sources AS sources USING (source)"
    ),
    "words": (
        "SELECT moment + {moments} AS moment, position, sources.id AS source, words.text, "
        + _TIMES.format(of="words")
        + ", probability "
        + _OF_MOMENT.replace("{table}", "words")
    ),
    "lines": (
        "SELECT moment + {moments} AS moment, position, sources.id AS source, lines.text, "
        "x0, y0, x1, y1, lines.confidence " + _OF_MOMENT.replace("{table}", "lines")
    ),
    "hyperlinks": (
        "SELECT moment + {moments} AS moment, position, sources.id AS source, start_char, "
        "end_char, address, hyperlinks.page, hyperlinks.page_label "
        + _OF_MOMENT.replace("{table}", "hyperlinks")
    ),
}
_LIBRARY_VIEWS = {
    "page_on_screen": (
        "links",
        "SELECT document, page, video, start_tick / ticks_per_second::DOUBLE AS start_s, "
        "end_tick / ticks_per_second::DOUBLE AS end_s, start_tick, end_tick, ticks_per_second, "
        "score FROM {schema}.page_on_screen",
    ),
    "metadata": (
        "metadata",
        "SELECT source, name, coalesce(text, whole::VARCHAR, number::VARCHAR, truth::VARCHAR) "
        "AS value, coalesce(whole::DOUBLE, number) AS number, truth FROM {schema}.metadata",
    ),
    "tags": ("metadata", "SELECT source, tag FROM {schema}.tags"),
    "inventory": (
        "inventory",
        "SELECT path, source_id AS source, outcome, stage, reason, size_bytes, mtime_ns, seen_at "
        "FROM {schema}.inventory",
    ),
}
VIEWS = (*_CATALOG_VIEWS, *_LIBRARY_VIEWS)


@dataclass(frozen=True, slots=True)
class QueryResult:
    """What a query gives; the rows are fetched as they are read."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


class Analysis:
    """The views of one state of a library. Not to be shared between threads."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Use `open_analysis`."""
        self._connection = connection

    def columns(self) -> dict[str, list[tuple[str, str]]]:
        """Names and types of the columns of each view."""
        found: dict[str, list[tuple[str, str]]] = {}
        for view in VIEWS:
            described = self._connection.execute(f'DESCRIBE "{view}"').fetchall()
            found[view] = [(name, str(sql_type)) for name, sql_type, *_ in described]
        return found

    @contextmanager
    def query(self, sql: str, *, timeout_s: float | None = None) -> Iterator[QueryResult]:
        """Run one SELECT; it ends, at the latest, `timeout_s` after it began.

        Raises QuestionError for anything else, a mistake in it, or one that takes too long.
        """
        late = threading.Event()

        def interrupt() -> None:
            late.set()
            self._connection.interrupt()

        timer = None if timeout_s is None else threading.Timer(timeout_s, interrupt)
        try:
            self._require_select(sql)
            if timer is not None:
                timer.daemon = True
                timer.start()
            self._connection.execute(sql)
            described = self._connection.description or []
            yield QueryResult(tuple(str(one[0]) for one in described), self._fetched())
        except duckdb.Error as error:
            if late.is_set():
                raise QuestionError(f"the query took longer than {timeout_s:g} s") from error
            raise QuestionError(_one_line(error)) from error
        except RuntimeError as error:  # what DuckDB makes of Ctrl-C
            raise KeyboardInterrupt from error
        finally:
            if timer is not None:
                timer.cancel()

    def _fetched(self) -> Iterator[tuple[Any, ...]]:
        while rows := self._connection.fetchmany(_ROWS_AT_ONCE):
            yield from rows

    def _require_select(self, sql: str) -> None:
        statements = self._connection.extract_statements(sql)
        if len(statements) != 1:
            raise QuestionError(f"write one statement, not {len(statements)}")
        if statements[0].type != duckdb.StatementType.SELECT:
            kind = str(statements[0].type).rpartition(".")[2]
            raise QuestionError(f"only SELECT is possible, this is {kind}; the library is read")


def _one_line(error: duckdb.Error) -> str:
    return " ".join(str(error).split("\n\nLINE ")[0].split())


@contextmanager
def open_analysis(library: Path) -> Iterator[Analysis]:
    """The current state of a library, for queries.

    Raises LibraryError when there is no library, or it is damaged or of another version.
    """
    connection = _opened(library)
    try:
        yield Analysis(connection)
    finally:
        connection.close()


def _opened(library: Path) -> duckdb.DuckDBPyConnection:
    for _ in range(_ATTEMPTS):
        manifest, state = read_manifest_state(library)
        connection = duckdb.connect(config=_CONFIG)
        try:
            _prepare(connection, library, manifest)
        except LibraryError:
            connection.close()
            # Files of a superseded manifest may be gone already; then there is a newer one.
            if manifest_state(library) == state:
                raise
        else:
            return connection
    raise LibraryError(f"{library} changes faster than it can be opened; try again")


def _prepare(connection: duckdb.DuckDBPyConnection, library: Path, manifest: Manifest) -> None:
    """Attach all files, make the views, lock."""
    branches: dict[str, list[str]] = {view: [] for view in VIEWS}
    for component in ("catalog", "links", "metadata", "inventory"):
        _add_branches(branches, component, _attach_nothing(connection, component))
    segments = moments = 0
    for number, shard in enumerate(manifest.shards):
        path, schema = library / SHARDS_NAME / shard.id / CATALOG_NAME, f"shard_{number}"
        _attach(connection, path, "catalog", schema)
        for run in _runs(path, shard):
            of = f" WHERE sources.source BETWEEN {run.sources.start} AND {run.sources.stop - 1}"
            moved = segments - run.segments.start, moments - run.moments.start
            _add_branches(branches, "catalog", schema, *moved, of if shard.forgotten else "")
            segments += len(run.segments)
            moments += len(run.moments)
    for component in ("links", "metadata", "inventory"):
        name: str | None = getattr(manifest, component)
        if name is not None:
            _attach(connection, library / name, component, f"library_{component}")
            _add_branches(branches, component, f"library_{component}")
    for view, parts in branches.items():
        connection.execute(f'CREATE VIEW "{view}" AS {" UNION ALL BY NAME ".join(parts)}')
    for statement in _LOCK:
        connection.execute(statement)


def _attach_nothing(connection: duckdb.DuckDBPyConnection, component: str) -> str:
    """The component's tables without rows: a view has its columns even where no file is."""
    schema = f"no_{component}"
    connection.execute(f"ATTACH ':memory:' AS {schema}")
    connection.execute(f"USE {schema}")
    for script in component_scripts(component):
        connection.execute(script)
    connection.execute("USE memory")
    return schema


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, component: str, schema: str) -> None:
    literal = str(path.absolute()).replace("'", "''")
    try:
        connection.execute(f"ATTACH '{literal}' AS {schema} (READ_ONLY)")
    except duckdb.Error as error:
        raise disk_error(path, "read", error) from error
    check_version(path, component, connection, f"{schema}.")


def _runs(catalog: Path, shard: ShardEntry) -> Sequence[SourceRun]:
    """What is left of a catalog when what is forgotten is taken out."""
    if shard.forgotten:
        return CatalogReader(catalog).kept_runs(shard.forgotten)
    return [SourceRun(*map(range, (len(shard.sources), shard.segments, shard.moments)))]


def _add_branches(
    branches: dict[str, list[str]],
    component: str,
    schema: str,
    segments: int = 0,
    moments: int = 0,
    where: str = "",
) -> None:
    """Add a file's part of each view; its segments and moments are moved by so many numbers."""
    views: Sequence[tuple[str, str]] = (
        tuple(_CATALOG_VIEWS.items())
        if component == "catalog"
        else [(view, sql) for view, (of, sql) in _LIBRARY_VIEWS.items() if of == component]
    )
    for view, sql in views:
        branches[view].append(sql.format(schema=schema, segments=segments, moments=moments) + where)
