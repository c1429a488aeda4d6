"""DuckDB files: made whole from numbered scripts, checked, opened, attached to be read together.

A file is written once and only read afterwards. All catalogs a process reads are attached to one
in-memory DuckDB, so that one query can span shards and a shard costs no threads. DuckDB
connections are not thread-safe: every read takes its own cursor.
"""

from __future__ import annotations

import glob
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import cache
from importlib import resources
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import numpy.typing as npt

from index.columns import Columns, Row
from index.errors import OLD_LIBRARY_ADVICE, LibraryError
from index.files import disk_error

_Fetched = TypeVar("_Fetched")
_SCHEMA_VERSIONS = {"catalog": 4, "inventory": 1, "links": 1, "metadata": 1}
MOST_ROWS = 20_000_000
"""Rows that a Parquet file may have: two thousand hours of speech have as many words."""
MOST_BYTES = 4_000_000_000
"""What the rows of a Parquet file may take in memory while they are read."""
_ROWS_AT_ONCE = 4096
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "async_threads": 0,
    "default_block_size": 16_384,
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
}


@contextmanager
def created(
    path: Path, component: str, *, memory_bytes: int | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A new DuckDB file with the component's schema, one transaction, closed at the end.

    `memory_bytes`: what DuckDB may hold meanwhile; None: most of the machine's.
    Raises LibraryError when DuckDB or the disk refuses; no file is left then.
    """
    try:
        path.unlink(missing_ok=True)
        limit = {} if memory_bytes is None else {"memory_limit": f"{memory_bytes}B"}
        with duckdb.connect(str(path.absolute()), config=_CONFIG | limit) as connection:
            connection.begin()
            for script in component_scripts(component):
                connection.execute(script)
            yield connection
            connection.commit()
            connection.execute("CHECKPOINT")
    except (duckdb.Error, OSError) as error:
        for leftover in (path, path.with_name(path.name + ".wal")):
            with suppress(OSError):
                leftover.unlink(missing_ok=True)
        raise disk_error(path, "write", error) from error


@cache
def component_scripts(component: str) -> tuple[str, ...]:
    """The numbered scripts that make a component's tables, in order."""
    scripts = sorted(
        (entry.name, entry.read_text(encoding="utf-8"))
        for entry in resources.files("index.migrations").iterdir()
        if entry.name.endswith(f"_{component}.sql")
    )
    return tuple(text for _, text in scripts)


def _connected(path: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection; raises LibraryError when the file is missing or damaged."""
    try:
        return duckdb.connect(str(path.absolute()), read_only=True, config=_CONFIG)
    except (duckdb.Error, OSError) as error:
        raise disk_error(path, "read", error) from error


def check_version(
    path: Path, component: str, connection: duckdb.DuckDBPyConnection, prefix: str
) -> None:
    """Raise LibraryError unless the file holds the component in a version this code reads."""
    _require_present(path, component, _version(path, component, connection, prefix))


def _version(
    path: Path, component: str, connection: duckdb.DuckDBPyConnection, prefix: str = ""
) -> int:
    """Version of a component in a file; 0: none. Raises LibraryError."""
    try:
        found = connection.execute(f"SELECT component, version FROM {prefix}schema_version")
        return int(dict(found.fetchall()).get(component, 0))
    except duckdb.Error as error:
        raise disk_error(path, "read", error) from error


def _require_present(path: Path, component: str, version: int) -> None:
    reads = _SCHEMA_VERSIONS[component]
    if version != reads:
        old = 0 < version < reads
        raise LibraryError(
            f"{path} has {component} schema {version}, this Secondsight reads {reads}; "
            + (OLD_LIBRARY_ADVICE if old else "upgrade with: pip install --upgrade secondsight")
        )


def is_older(path: Path, component: str) -> bool:
    """True when `migrate` has to bring a file to the present version.

    Raises LibraryError when it is newer or cannot be read.
    """
    with closing(_connected(path)) as connection:
        version = _version(path, component, connection)
    if 0 < version < _SCHEMA_VERSIONS[component]:
        return True
    _require_present(path, component, version)
    return False


def migrate(path: Path, component: str) -> None:
    """Bring a file to the present version by the scripts it lacks, all or none of them.

    Raises LibraryError when the file or the disk refuses.
    """
    try:
        with duckdb.connect(str(path.absolute()), config=_CONFIG) as connection:
            version = _version(path, component, connection)
            connection.begin()
            for script in component_scripts(component)[version:]:
                connection.execute(script)
            connection.commit()
            connection.execute("CHECKPOINT")
    except (duckdb.Error, OSError) as error:
        raise disk_error(path, "upgrade", error) from error


class Attached:
    """A catalog file attached to the reading database for as long as this object lives."""

    def __init__(self, path: Path, schema: str) -> None:
        self.schema = schema
        self._path = path
        literal = str(path).replace("'", "''")
        connection = _database().cursor()
        try:
            connection.execute(f"ATTACH '{literal}' AS {schema} (READ_ONLY)")
        except duckdb.Error as error:
            raise disk_error(path, "read", error) from error
        # Finalizers run anywhere, even inside DuckDB: detaching waits for the next attaching.
        weakref.finalize(self, _unused_schemas.append, schema)
        check_version(path, "catalog", connection, f"{schema}.")

    def rows(self, statement: str) -> list[Row]:
        """What a query gives, as rows. Raises LibraryError when the file cannot be read."""
        try:
            return _database().cursor().execute(statement).fetchall()
        except duckdb.Error as error:
            raise disk_error(self._path, "read", error) from error

    def write_parquet(self, statement: str, path: Path) -> None:
        """Write what a query gives into a new Parquet file, as a stream.

        Raises LibraryError when the catalog cannot be read or the file not be written.
        """
        try:
            _database().cursor().sql(statement).write_parquet(str(path), compression="zstd")
        except (duckdb.Error, OSError) as error:
            raise disk_error(path, "write", error) from error

    def arrays(self, statement: str) -> dict[str, npt.NDArray[Any]]:
        """What a query gives, as columns. Raises LibraryError when the file cannot be read."""
        try:
            return _database().cursor().execute(statement).fetchnumpy()
        except duckdb.Error as error:
            raise disk_error(self._path, "read", error) from error


def rows_of_attached(statement: str) -> list[Row]:
    """What a query over several attached files gives. Raises LibraryError when one fails."""
    try:
        return _database().cursor().execute(statement).fetchall()
    except duckdb.Error as error:
        raise LibraryError(f"cannot read the catalogs: {error}; check the disk") from error


_attaching = threading.Lock()
_attached_files: weakref.WeakValueDictionary[Path, Attached] = weakref.WeakValueDictionary()
_unused_schemas: deque[str] = deque()
_schema_numbers = count()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """The in-memory database to which this process attaches the catalogs it reads."""
    return duckdb.connect(config=_CONFIG)


def attached(path: Path) -> Attached:
    """Attach a file, once a process: DuckDB refuses to open one twice."""
    resolved = path.resolve()
    with _attaching:
        found = _attached_files.get(resolved)
        if found is None:
            while _unused_schemas:
                _database().cursor().execute(f"DETACH {_unused_schemas.popleft()}")
            found = Attached(resolved, f"shard_{next(_schema_numbers)}")
            _attached_files[resolved] = found
        return found


def insert(connection: duckdb.DuckDBPyConnection, table: str, content: Columns) -> None:
    """Append equally long columns in order. One statement: far faster than executemany."""
    lists = [values for _, values in content.values()]
    if not lists[0]:
        return
    unnested = ", ".join(f"unnest(?::{sql_type}[])" for sql_type, _ in content.values())
    connection.execute(f"INSERT INTO {table} ({', '.join(content)}) SELECT {unnested}", lists)


def insert_arrays(
    connection: duckdb.DuckDBPyConnection, table: str, arrays: Mapping[str, npt.NDArray[Any]]
) -> None:
    """Append equally long arrays, as columns of these names: no row becomes an object."""
    with registered(connection, "new_rows", arrays):
        connection.execute(f"INSERT INTO {table} ({', '.join(arrays)}) SELECT * FROM new_rows")


@contextmanager
def registered(
    connection: duckdb.DuckDBPyConnection, name: str, arrays: Mapping[str, npt.NDArray[Any]]
) -> Iterator[None]:
    """Equally long arrays as a table of that name, to be read by statements."""
    connection.register(name, arrays)
    yield
    # Not after an error: the connection would only say that its transaction is aborted.
    connection.unregister(name)


def attach_to(connection: duckdb.DuckDBPyConnection, path: Path, schema: str) -> None:
    """Attach a file to a connection, to copy from; it is let go with the connection."""
    literal = str(path.resolve()).replace("'", "''")
    connection.execute(f"ATTACH '{literal}' AS {schema} (READ_ONLY)")


def write_table(path: Path, component: str, table: str, content: Columns) -> None:
    """Write a file of one table, from nothing. Raises LibraryError when the disk refuses."""
    write_tables(path, component, {table: content})


def write_tables(path: Path, component: str, contents: Mapping[str, Columns]) -> None:
    """Write a file of some tables, from nothing. Raises LibraryError when the disk refuses."""
    with created(path, component) as connection:
        for table, content in contents.items():
            insert(connection, table, content)


def read_table(path: Path, component: str, table: str, fields: str, *, order: str) -> list[Row]:
    """All rows of a table of a file, in order; raises LibraryError when it cannot be read."""
    with closing(_connected(path)) as connection:
        check_version(path, component, connection, "")
        try:
            return connection.execute(f"SELECT {fields} FROM {table} ORDER BY {order}").fetchall()
        except duckdb.Error as error:
            raise disk_error(path, "read", error) from error


def write_parquet(path: Path, content: Columns) -> None:
    """Write equally long columns into a new Parquet file. Raises LibraryError."""
    fields = ", ".join(f"unnest(?::{sql_type}[]) AS {n}" for n, (sql_type, _) in content.items())
    lists = [values for _, values in content.values()]
    try:
        with duckdb.connect(config=_CONFIG) as connection:
            rows = connection.sql(f"SELECT {fields}", params=lists)
            rows.write_parquet(str(path), compression="zstd")
    except (duckdb.Error, OSError) as error:
        raise disk_error(path, "write", error) from error


def write_parquet_arrays(
    path: Path, statement: str, arrays: Mapping[str, npt.NDArray[Any]]
) -> None:
    """Write what a query on `new_rows`, these arrays, gives. Raises LibraryError."""
    try:
        with duckdb.connect(config=_CONFIG) as connection:
            connection.register("new_rows", arrays)
            connection.sql(statement).write_parquet(str(path), compression="zstd")
    except (duckdb.Error, OSError) as error:
        raise disk_error(path, "write", error) from error


def read_parquet(path: Path, fields: Mapping[str, str], *, order: str) -> list[Row]:
    """Columns of a Parquet file, cast to the types given for them.

    Raises LibraryError, also when the file has more than MOST_ROWS rows or unpacks to more than
    MOST_BYTES: a small file may claim both.
    """
    return _parquet(path, fields, order, lambda found: _rows_within(path, found))


def read_parquet_arrays(
    path: Path, fields: Mapping[str, str], *, order: str
) -> dict[str, npt.NDArray[Any]]:
    """As `read_parquet`, as arrays."""
    return _parquet(path, fields, order, lambda found: found.fetchnumpy())


def _parquet(
    path: Path,
    fields: Mapping[str, str],
    order: str,
    fetch: Callable[[duckdb.DuckDBPyConnection], _Fetched],
) -> _Fetched:
    cast = ", ".join(f"CAST({name} AS {sql_type}) AS {name}" for name, sql_type in fields.items())
    # Escaped, or a bracket in a directory's name would be a pattern.
    pattern = glob.escape(str(path.absolute()))
    query = f"SELECT {cast} FROM read_parquet(?, hive_partitioning = false) ORDER BY {order}"
    # Sorting holds it all: what does not fit fails there, and nothing is put aside on the disk.
    limits = {"memory_limit": f"{MOST_BYTES}B", "temp_directory": ""}
    try:
        with duckdb.connect(config=_CONFIG | limits) as connection:
            _check_rows_claimed(path, connection, pattern)
            return fetch(connection.execute(query, [pattern]))
    except duckdb.OutOfMemoryException as error:
        raise _too_large(path) from error
    except (duckdb.Error, OSError) as error:
        raise disk_error(path, "read", error) from error


def _check_rows_claimed(path: Path, connection: duckdb.DuckDBPyConnection, pattern: str) -> None:
    """Raise LibraryError when the file says that it has more rows than may be, before any."""
    [(rows, least)] = connection.execute(
        "SELECT coalesce(sum(claimed), 0), coalesce(min(claimed), 0) FROM "
        "(SELECT any_value(row_group_num_rows) AS claimed FROM parquet_metadata(?) "
        "GROUP BY file_name, row_group_id)",
        [pattern],
    ).fetchall()
    if least < 0 or rows > MOST_ROWS:
        raise _too_large(path)


def _rows_within(path: Path, found: duckdb.DuckDBPyConnection) -> list[Row]:
    """All rows; raises LibraryError when their texts are longer than MOST_BYTES together."""
    rows: list[Row] = []
    size = 0
    while part := found.fetchmany(_ROWS_AT_ONCE):
        rows += part
        size += sum(len(value) for row in part for value in row if isinstance(value, str))
        if size > MOST_BYTES:
            raise _too_large(path)
    return rows


def _too_large(path: Path) -> LibraryError:
    return LibraryError(
        f"{path} is too large: a table of one source has at most {MOST_ROWS:,} rows and "
        f"{MOST_BYTES / 1e9:g} GB; export the sources again"
    )
