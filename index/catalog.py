"""The DuckDB files of a library: a catalog a shard, and tables of the whole. All SQL is here.

A catalog is written once and only read afterwards. All catalogs a process reads are attached to
one in-memory DuckDB, so that one query can span shards and a shard costs no threads. DuckDB
connections are not thread-safe: every read takes its own cursor.
"""

from __future__ import annotations

import threading
import weakref
from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from importlib import resources
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from index import columns
from index.columns import MOMENT_KINDS, Columns, InventoryRow, MomentColumns, Row, SegmentRow
from index.errors import LibraryError
from index.files import disk_error
from index.records import Moment, Segment, Source

__all__ = [
    "MOMENT_KINDS",
    "CatalogReader",
    "InventoryRow",
    "read_inventory",
    "read_moments",
    "read_table",
    "write_catalog",
    "write_inventory",
    "write_table",
]

_SCHEMA_VERSIONS = {"catalog": 2, "inventory": 1, "links": 1}
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "async_threads": 0,
    "default_block_size": 16_384,
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
}


@contextmanager
def _created(path: Path, component: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A new DuckDB file with the component's schema, one transaction, closed at the end.

    Raises LibraryError when DuckDB or the disk refuses; no file is left then.
    """
    try:
        path.unlink(missing_ok=True)
        with duckdb.connect(str(path.absolute()), config=_CONFIG) as connection:
            connection.begin()
            for script in _migrations(component):
                connection.execute(script)
            yield connection
            connection.commit()
            connection.execute("CHECKPOINT")
    except (duckdb.Error, OSError) as error:
        for leftover in (path, path.with_name(path.name + ".wal")):
            leftover.unlink(missing_ok=True)
        raise disk_error(path, "write", error) from error


@cache
def _migrations(component: str) -> tuple[str, ...]:
    scripts = sorted(
        (entry.name, entry.read_text(encoding="utf-8"))
        for entry in resources.files("index.migrations").iterdir()
        if entry.name.endswith(f"_{component}.sql")
    )
    return tuple(text for _, text in scripts)


def _opened(path: Path, component: str) -> duckdb.DuckDBPyConnection:
    """A read-only connection; raises LibraryError when the file is missing, damaged or newer."""
    try:
        connection = duckdb.connect(str(path.absolute()), read_only=True, config=_CONFIG)
    except (duckdb.Error, OSError) as error:
        raise disk_error(path, "read", error) from error
    try:
        _check_version(path, component, connection, "")
    except LibraryError:
        connection.close()
        raise
    return connection


def _check_version(
    path: Path, component: str, connection: duckdb.DuckDBPyConnection, prefix: str
) -> None:
    """Raise LibraryError unless the file holds the component in a version this code reads."""
    try:
        found = connection.execute(f"SELECT component, version FROM {prefix}schema_version")
        version = dict(found.fetchall()).get(component)
    except duckdb.Error as error:
        raise disk_error(path, "read", error) from error
    reads = _SCHEMA_VERSIONS[component]
    if version != reads:
        advice = (
            "ingest its files into a new library"
            if version is not None and version < reads
            else "upgrade with: pip install --upgrade secondsight"
        )
        raise LibraryError(
            f"{path} has {component} schema {version}, this Secondsight reads {reads}; {advice}"
        )


class _Attached:
    """A catalog file attached to the reading database for as long as this object lives."""

    def __init__(self, path: Path, schema: str) -> None:
        self.schema = schema
        literal = str(path).replace("'", "''")
        connection = _database().cursor()
        try:
            connection.execute(f"ATTACH '{literal}' AS {schema} (READ_ONLY)")
        except duckdb.Error as error:
            raise disk_error(path, "read", error) from error
        # Finalizers run anywhere, even inside DuckDB: detaching waits for the next attaching.
        weakref.finalize(self, _unused_schemas.append, schema)
        _check_version(path, "catalog", connection, f"{schema}.")


_attaching = threading.Lock()
_attached_files: weakref.WeakValueDictionary[Path, _Attached] = weakref.WeakValueDictionary()
_unused_schemas: deque[str] = deque()
_schema_numbers = count()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """The in-memory database to which this process attaches the catalogs it reads."""
    return duckdb.connect(config=_CONFIG)


def _attached(path: Path) -> _Attached:
    """Attach a file, once a process: DuckDB refuses to open one twice."""
    resolved = path.resolve()
    with _attaching:
        found = _attached_files.get(resolved)
        if found is None:
            while _unused_schemas:
                _database().cursor().execute(f"DETACH {_unused_schemas.popleft()}")
            found = _Attached(resolved, f"shard_{next(_schema_numbers)}")
            _attached_files[resolved] = found
        return found


def _insert(connection: duckdb.DuckDBPyConnection, table: str, content: Columns) -> None:
    """Append equally long columns in order. One statement: far faster than executemany."""
    lists = [values for _, values in content.values()]
    if not lists[0]:
        return
    unnested = ", ".join(f"unnest(?::{sql_type}[])" for sql_type, _ in content.values())
    connection.execute(f"INSERT INTO {table} ({', '.join(content)}) SELECT {unnested}", lists)


def write_catalog(
    path: Path,
    contents: Sequence[tuple[Source, Sequence[Segment]]],
    pictures: Sequence[tuple[int, int] | None],
) -> None:
    """Write one shard's catalog: its sources with their segments, in order.

    `pictures` holds (offset, bytes) in pictures.bin for every moment of every segment, in order,
    None where a moment has no picture.
    Raises SourceError when a time cannot be held exactly, LibraryError when the disk refuses.
    """
    rates = [columns.ticks_per_second(source, segments) for source, segments in contents]
    numbered = [
        (number, rate, segment)
        for number, ((_, segments), rate) in enumerate(zip(contents, rates, strict=True))
        for segment in segments
    ]
    moments = [
        (index, rate, moment)
        for index, (_, rate, segment) in enumerate(numbered)
        for moment in segment.moments
    ]
    if len(pictures) != len(moments):
        raise ValueError(f"got {len(pictures)} picture places for {len(moments)} moments")
    with _created(path, "catalog") as connection:
        sources = [source for source, _ in contents]
        _insert(connection, "sources", columns.source_columns(sources, rates))
        _insert(connection, "segments", columns.segment_columns(numbered))
        _insert(connection, "moments", columns.moment_columns(moments, pictures))
        _insert(connection, "words", columns.word_columns(moments))
        _insert(connection, "lines", columns.line_columns(moments))
        _insert(connection, "boxes", columns.box_columns(moments))
        arrays = columns.word_box_arrays(moments)
        connection.register("new_word_boxes", arrays)
        connection.execute(f"INSERT INTO word_boxes SELECT {', '.join(arrays)} FROM new_word_boxes")
        connection.unregister("new_word_boxes")


class CatalogReader:
    """One shard's catalog, open for reading by any number of threads.

    Its file may be deleted while it is open.
    """

    def __init__(self, path: Path) -> None:
        """Open the file; raises LibraryError when it is missing, damaged or newer."""
        self._path = path
        self._attached = _attached(path)
        self.schema = self._attached.schema
        rows = self._query(
            "SELECT ticks_per_second, id, kind, name, size_bytes, duration_ticks, pages, details, "
            f"notes FROM {self.schema}.sources ORDER BY source"
        )
        self.rates: tuple[int, ...] = tuple(row[0] for row in rows)
        self._sources = tuple(columns.source_from_row(row[1:], row[0]) for row in rows)

    def sources(self) -> tuple[Source, ...]:
        """The sources, in order."""
        return self._sources

    def segments(self) -> list[SegmentRow]:
        """The segments, in order."""
        rows = self._query(
            "SELECT source, title, first_moment, moment_count, start_tick, end_tick, first_page, "
            f"last_page FROM {self.schema}.segments ORDER BY segment"
        )
        return [columns.segment_from_row(row, self.rates) for row in rows]

    def moment_columns(self) -> MomentColumns:
        """The hot columns of all moments; raises LibraryError when the numbering is broken."""
        kinds = ", ".join(f"'{kind.value}'" for kind in MOMENT_KINDS)
        moments = self._arrays(
            f"SELECT moment, segment, (list_position([{kinds}], kind) - 1)::TINYINT AS kind, "
            "coalesce(start_tick, -1) AS start_tick, coalesce(end_tick, -1) AS end_tick, "
            f"coalesce(page, 0) AS page FROM {self.schema}.moments ORDER BY rowid"
        )
        segments = self._arrays(f"SELECT source FROM {self.schema}.segments ORDER BY segment")
        if not np.array_equal(moments["moment"], np.arange(len(moments["moment"]))):
            raise LibraryError(f"{self._path} is damaged; restore this library from a backup")
        source = segments["source"].astype(np.int32)[moments["segment"]]
        rates = np.array(self.rates, dtype=np.int64)[source]
        return MomentColumns(
            source=source,
            segment=moments["segment"].astype(np.int32),
            kind=moments["kind"].astype(np.int8),
            start_s=columns.seconds(moments["start_tick"], rates),
            end_s=columns.seconds(moments["end_tick"], rates),
            page=moments["page"].astype(np.int32),
        )

    def moments(self, ids: Sequence[int]) -> list[Moment]:
        """The moments of these numbers, in the order asked for, without pictures.

        Raises IndexError when a number is not in the shard.
        """
        return read_moments([(self, ids)])[0]

    def picture_location(self, ids: Sequence[int]) -> list[tuple[int, int] | None]:
        """(offset, bytes) in pictures.bin of each moment, in the order asked for, or None."""
        fields = "moment, picture_offset, picture_bytes"
        rows = _select([(self, ids)], f"{fields} FROM {{schema}}.moments WHERE rowid IN ({{ids}})")
        found = {row[1]: (row[2], row[3]) for row in rows if row[2] is not None}
        return [found.get(number) for number in ids]

    def _query(self, statement: str) -> list[Row]:
        try:
            return _database().cursor().execute(statement).fetchall()
        except duckdb.Error as error:
            raise disk_error(self._path, "read", error) from error

    def _arrays(self, statement: str) -> dict[str, npt.NDArray[Any]]:
        try:
            return _database().cursor().execute(statement).fetchnumpy()
        except duckdb.Error as error:
            raise disk_error(self._path, "read", error) from error


def read_moments(wanted: Sequence[tuple[CatalogReader, Sequence[int]]]) -> list[list[Moment]]:
    """The moments of these numbers from several catalogs, without pictures, as asked for.

    At most five queries, whatever the number of catalogs. Raises IndexError when a number is not
    in its catalog, LibraryError when a file cannot be read.
    """
    rows = _select(
        wanted,
        "moment, source, word_count, line_count, box_count, word_box_count, kind, text, heading, "
        "confidence, moments.start_tick, moments.end_tick, page, page_label, pts, "
        "time_base_numerator, time_base_denominator FROM {schema}.moments AS moments "
        "JOIN {schema}.segments USING (segment) WHERE moments.rowid IN ({ids})",
    )
    found = {(row[0], row[1]): row[2:] for row in rows}
    parts = [
        _select_parts(wanted, {key for key, row in found.items() if row[count]}, fields, table)
        for count, table, fields in (
            (1, "words", "text, start_tick, end_tick, probability"),
            (2, "lines", "text, x0, y0, x1, y1, confidence"),
            (3, "boxes", "x0, y0, x1, y1"),
            (4, "word_boxes", "start_char, end_char, x0, y0, x1, y1"),
        )
    ]
    result = []
    for number, (reader, ids) in enumerate(wanted):
        missing = [moment for moment in ids if (number, moment) not in found]
        if missing:
            raise IndexError(f"there is no moment {missing[0]} in this shard")
        keyed = [((number, moment), found[number, moment]) for moment in ids]
        result.append(
            [
                columns.moment_from_row(
                    row[5:], reader.rates[row[0]], *(part.get(key, ()) for part in parts)
                )
                for key, row in keyed
            ]
        )
    return result


def _select_parts(
    wanted: Sequence[tuple[CatalogReader, Sequence[int]]],
    keys: Collection[tuple[int, int]],
    fields: str,
    table: str,
) -> dict[tuple[int, int], list[Row]]:
    """Rows of a part table by (catalog number, moment), in order, for the moments that have any."""
    narrowed = [
        (reader, [moment for moment in ids if (number, moment) in keys])
        for number, (reader, ids) in enumerate(wanted)
    ]
    rows = _select(
        narrowed, f"moment, {fields}, position FROM {{schema}}.{table} WHERE moment IN ({{ids}})"
    )
    parts: defaultdict[tuple[int, int], list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: int(row[-1])):
        parts[row[0], row[1]].append(row[2:-1])
    return parts


def _select(wanted: Sequence[tuple[CatalogReader, Sequence[int]]], statement: str) -> list[Row]:
    """Run `SELECT {statement}` on several catalogs at once; rows begin with the catalog's number.

    `{schema}` and `{ids}` are filled in; constant ids let DuckDB skip row groups.
    """
    queries = []
    for number, (reader, ids) in enumerate(wanted):
        numbers = sorted({int(moment) for moment in ids})
        if numbers:
            filled = statement.format(schema=reader.schema, ids=", ".join(map(str, numbers)))
            queries.append(f"SELECT {number}, {filled}")
    if not queries:
        return []
    try:
        return _database().cursor().execute(" UNION ALL ".join(queries)).fetchall()
    except duckdb.Error as error:
        raise LibraryError(f"cannot read the catalogs: {error}; check the disk") from error


def write_inventory(
    new_path: Path,
    old_path: Path | None,
    upserts: Sequence[InventoryRow],
    forget_source_ids: Collection[str] = (),
) -> None:
    """Write a new inventory file: the old rows, those of `upserts` replaced or added.

    Nothing of forgotten sources is in it. Raises LibraryError when a file cannot be used.
    """
    held = [] if old_path is None else read_inventory(old_path)
    rows = {row.path: row for row in (*held, *upserts)}
    kept = [rows[path] for path in sorted(rows) if rows[path].source_id not in forget_source_ids]
    write_table(new_path, "inventory", "inventory", columns.inventory_columns(kept))


def read_inventory(path: Path) -> list[InventoryRow]:
    """All rows by path; raises LibraryError when the file cannot be read."""
    names = "path, size_bytes, mtime_ns, outcome, source_id, stage, reason, seen_at"
    rows = read_table(path, "inventory", "inventory", names, order="path")
    return [InventoryRow(columns.text_to_path(row[0]), *row[1:]) for row in rows]


def write_table(path: Path, component: str, table: str, content: Columns) -> None:
    """Write a file of one table, from nothing. Raises LibraryError when the disk refuses."""
    with _created(path, component) as connection:
        _insert(connection, table, content)


def read_table(path: Path, component: str, table: str, fields: str, *, order: str) -> list[Row]:
    """All rows of a file of one table, in order; raises LibraryError when it cannot be read."""
    with closing(_opened(path, component)) as connection:
        try:
            return connection.execute(f"SELECT {fields} FROM {table} ORDER BY {order}").fetchall()
        except duckdb.Error as error:
            raise disk_error(path, "read", error) from error
