"""The DuckDB files of a library: one catalog a shard, one inventory a library. All SQL is here.

A catalog is written once and only read afterwards. DuckDB allows many readers or one writer a
file, and its connections are not thread-safe: every read below takes its own cursor.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import duckdb
import numpy as np
import numpy.typing as npt

from index import columns
from index.columns import Columns, Row, SegmentRow
from index.errors import LibraryError
from index.files import disk_error
from index.records import Moment, MomentKind, Segment, Source

MOMENT_KINDS: tuple[MomentKind, ...] = tuple(MomentKind)
"""Kind numbers of `MomentColumns.kind`: positions in this tuple."""

_SCHEMA_VERSIONS = {"catalog": 1, "inventory": 1}
_EXACT_IN_FLOAT = 2**53
_UNDECODABLE = "\0"
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
}


@dataclass(frozen=True, slots=True)
class MomentColumns:
    """What scoring and merging need of every moment, one array each, indexed by moment number."""

    source: npt.NDArray[np.int32]
    segment: npt.NDArray[np.int32]
    kind: npt.NDArray[np.int8]
    """Position in MOMENT_KINDS."""
    start_s: npt.NDArray[np.float64]
    """Seconds; NaN in documents."""
    end_s: npt.NDArray[np.float64]
    """Seconds, exclusive; NaN in documents."""
    page: npt.NDArray[np.int32]
    """Counted from 1; 0 in videos."""


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """What was found at one path and what came of it."""

    path: str
    size_bytes: int
    mtime_ns: int
    outcome: Literal["added", "unchanged", "failed"]
    source_id: str | None
    stage: str | None
    """The stage that gave up, when it failed."""
    reason: str | None
    seen_at: str
    """ISO 8601, UTC."""


# --- connections ---------------------------------------------------------------------------------


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
        found = connection.execute("SELECT component, version FROM schema_version").fetchall()
    except (duckdb.Error, OSError) as error:
        raise disk_error(path, "read", error) from error
    version = dict(found).get(component)
    if version is None or version > _SCHEMA_VERSIONS[component]:
        raise LibraryError(
            f"{path} has {component} schema {version}, this Secondsight reads "
            f"{_SCHEMA_VERSIONS[component]}; upgrade with: pip install --upgrade secondsight"
        )
    return connection


def _insert(connection: duckdb.DuckDBPyConnection, table: str, content: Columns) -> None:
    """Append equally long columns in order. One statement: far faster than executemany."""
    lists = [values for _, values in content.values()]
    if not lists[0]:
        return
    unnested = ", ".join(f"unnest(?::{sql_type}[])" for sql_type, _ in content.values())
    connection.execute(f"INSERT INTO {table} ({', '.join(content)}) SELECT {unnested}", lists)


# --- the catalog of a shard ----------------------------------------------------------------------


def write_catalog(
    path: Path,
    contents: Sequence[tuple[Source, Sequence[Segment]]],
    pictures: Sequence[tuple[int, int] | None],
) -> None:
    """Write one shard's catalog: its sources with their segments, in order.

    `pictures` holds (offset, bytes) in pictures.bin for every moment of every segment, in order,
    None where a moment has no picture.
    Raises LibraryError when a time cannot be held exactly or the disk refuses.
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


class CatalogReader:
    """One shard's catalog, open for reading by any number of threads."""

    def __init__(self, path: Path) -> None:
        """Open the file; raises LibraryError when it is missing, damaged or newer."""
        self._path = path
        self._connection = _opened(path, "catalog")
        rows = self._query(
            "SELECT ticks_per_second, id, kind, name, size_bytes, duration_ticks, pages, details "
            "FROM sources ORDER BY source"
        )
        self._rates: tuple[int, ...] = tuple(row[0] for row in rows)
        self._sources = tuple(columns.source_from_row(row[1:], row[0]) for row in rows)

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    def sources(self) -> tuple[Source, ...]:
        """The sources, in order."""
        return self._sources

    def segments(self) -> list[SegmentRow]:
        """The segments, in order."""
        rows = self._query(
            "SELECT source, title, first_moment, moment_count, start_tick, end_tick, first_page, "
            "last_page FROM segments ORDER BY segment"
        )
        return [columns.segment_from_row(row, self._rates) for row in rows]

    def moment_columns(self) -> MomentColumns:
        """The hot columns of all moments; raises LibraryError when the numbering is broken."""
        kinds = ", ".join(f"'{kind.value}'" for kind in MOMENT_KINDS)
        moments = self._arrays(
            f"SELECT moment, segment, (list_position([{kinds}], kind) - 1)::TINYINT AS kind, "
            "coalesce(start_tick, -1) AS start_tick, coalesce(end_tick, -1) AS end_tick, "
            "coalesce(page, 0) AS page FROM moments ORDER BY rowid"
        )
        segments = self._arrays("SELECT source FROM segments ORDER BY segment")
        if not np.array_equal(moments["moment"], np.arange(len(moments["moment"]))):
            raise LibraryError(f"{self._path} is damaged; restore this library from a backup")
        source = segments["source"].astype(np.int32)[moments["segment"]]
        return MomentColumns(
            source=source,
            segment=moments["segment"].astype(np.int32),
            kind=moments["kind"].astype(np.int8),
            start_s=self._seconds(moments["start_tick"], source),
            end_s=self._seconds(moments["end_tick"], source),
            page=moments["page"].astype(np.int32),
        )

    def moments(self, ids: Sequence[int]) -> list[Moment]:
        """The moments of these numbers, in the order asked for, without pictures.

        Raises IndexError when a number is not in the shard.
        """
        found = {
            row[0]: row[1:]
            for row in self._query_ids(
                "SELECT moments.moment, source, kind, text, heading, confidence, "
                "moments.start_tick, moments.end_tick, page, page_label, pts, "
                "time_base_numerator, time_base_denominator "
                "FROM moments JOIN segments USING (segment) WHERE moments.rowid IN ({ids})",
                ids,
            )
        }
        parts = [
            self._parts(table, fields, ids)
            for table, fields in (
                ("words", "text, start_tick, end_tick, probability"),
                ("lines", "text, x0, y0, x1, y1, confidence"),
                ("boxes", "x0, y0, x1, y1"),
            )
        ]
        missing = [number for number in ids if number not in found]
        if missing:
            raise IndexError(f"{self._path} holds no moment {missing[0]}")
        return [
            columns.moment_from_row(
                found[number][1:],
                self._rates[found[number][0]],
                *(part.get(number, ()) for part in parts),
            )
            for number in ids
        ]

    def picture_location(self, ids: Sequence[int]) -> list[tuple[int, int] | None]:
        """(offset, bytes) in pictures.bin of each moment, in the order asked for, or None."""
        rows = self._query_ids(
            "SELECT moment, picture_offset, picture_bytes FROM moments "
            "WHERE rowid IN ({ids}) AND picture_offset IS NOT NULL",
            ids,
        )
        found = {number: (offset, size) for number, offset, size in rows}
        return [found.get(number) for number in ids]

    def _parts(self, table: str, fields: str, ids: Sequence[int]) -> dict[int, list[Row]]:
        rows = self._query_ids(
            f"SELECT moment, {fields} FROM {table} WHERE moment IN ({{ids}}) "
            "ORDER BY moment, position",
            ids,
        )
        parts: defaultdict[int, list[Row]] = defaultdict(list)
        for row in rows:
            parts[row[0]].append(row[1:])
        return parts

    def _seconds(
        self, ticks: npt.NDArray[np.int64], source: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.float64]:
        """Ticks as correctly rounded float seconds, equal to float(Fraction); NaN for -1."""
        rates = np.array(self._rates, dtype=np.int64)[source]
        with np.errstate(invalid="ignore"):
            seconds = np.where(ticks < 0, np.nan, ticks / np.maximum(rates, 1))
        large = np.flatnonzero((ticks >= _EXACT_IN_FLOAT) | (rates >= _EXACT_IN_FLOAT))
        for index in large[ticks[large] >= 0].tolist():
            seconds[index] = int(ticks[index]) / int(rates[index])
        return seconds

    def _query(self, statement: str) -> list[Row]:
        try:
            return self._connection.cursor().execute(statement).fetchall()
        except duckdb.Error as error:
            raise disk_error(self._path, "read", error) from error

    def _query_ids(self, statement: str, ids: Iterable[int]) -> list[Row]:
        """Run a statement with `{ids}` filled in; constants let DuckDB skip row groups."""
        numbers = sorted({int(number) for number in ids})
        if not numbers:
            return []
        return self._query(statement.format(ids=", ".join(map(str, numbers))))

    def _arrays(self, statement: str) -> dict[str, npt.NDArray[Any]]:
        try:
            return self._connection.cursor().execute(statement).fetchnumpy()
        except duckdb.Error as error:
            raise disk_error(self._path, "read", error) from error


# --- the inventory of a library ------------------------------------------------------------------


def write_inventory(
    new_path: Path,
    old_path: Path | None,
    upserts: Sequence[InventoryRow],
    forget_source_ids: Collection[str] = (),
) -> None:
    """Write a new inventory file: the old rows, those of `upserts` replaced or added.

    Rows of forgotten sources are left out, and no byte of them is in the new file, since it is
    written from nothing. Raises LibraryError when a file cannot be read or written.
    """
    rows = {} if old_path is None else {row.path: row for row in read_inventory(old_path)}
    rows.update((row.path, row) for row in upserts)
    kept = [rows[path] for path in sorted(rows) if rows[path].source_id not in forget_source_ids]
    with _created(new_path, "inventory") as connection:
        _insert(
            connection,
            "inventory",
            {
                "path": ("VARCHAR", [_path_to_text(row.path) for row in kept]),
                "size_bytes": ("BIGINT", [row.size_bytes for row in kept]),
                "mtime_ns": ("BIGINT", [row.mtime_ns for row in kept]),
                "outcome": ("VARCHAR", [row.outcome for row in kept]),
                "source_id": ("VARCHAR", [row.source_id for row in kept]),
                "stage": ("VARCHAR", [row.stage for row in kept]),
                "reason": (
                    "VARCHAR",
                    [row.reason and columns.storable(row.reason) for row in kept],
                ),
                "seen_at": ("VARCHAR", [row.seen_at for row in kept]),
            },
        )


def read_inventory(path: Path) -> list[InventoryRow]:
    """All rows by path; raises LibraryError when the file cannot be read."""
    return _read_inventory(path, "")


def inventory_by_paths(path: Path, paths: Iterable[str]) -> dict[str, InventoryRow]:
    """The rows of these paths, where there are any."""
    texts = [_path_to_text(name) for name in paths]
    rows = _read_inventory(path, "WHERE path IN (SELECT unnest(?::VARCHAR[]))", texts)
    return {row.path: row for row in rows}


def inventory_by_source(path: Path, source_id: str) -> list[InventoryRow]:
    """The rows of every path at which a source was seen."""
    return _read_inventory(path, "WHERE source_id IN (SELECT unnest(?::VARCHAR[]))", [source_id])


def _read_inventory(path: Path, where: str, values: list[str] | None = None) -> list[InventoryRow]:
    connection = _opened(path, "inventory")
    try:
        rows = connection.execute(
            "SELECT path, size_bytes, mtime_ns, outcome, source_id, stage, reason, seen_at "
            f"FROM inventory {where} ORDER BY path",
            None if values is None else [values],
        ).fetchall()
    except duckdb.Error as error:
        raise disk_error(path, "read", error) from error
    finally:
        connection.close()
    return [InventoryRow(_text_to_path(row[0]), *row[1:]) for row in rows]


def _path_to_text(path: str) -> str:
    """Paths are bytes on Linux: one that is not UTF-8 is stored as NUL and the hex of its bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return _UNDECODABLE + os.fsencode(path).hex()
    return path


def _text_to_path(text: str) -> str:
    if text.startswith(_UNDECODABLE):
        return os.fsdecode(bytes.fromhex(text[1:]))
    return text
