"""The tables of an export: one source's rows of a catalog as Parquet files, and back. SQL.

Numbers count from 0 within the source. Times stand there twice: as exact ticks with their rate, and
as float seconds for people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index import columns
from index.errors import LibraryError
from index.records import Source
from index.settings import Codes
from index.tables import (
    Attached,
    attached,
    write_parquet,
    write_parquet_arrays,
)

SOURCE_TABLES = (
    "segments",
    "moments",
    "words",
    "lines",
    "boxes",
    "word_boxes",
    "hyperlinks",
    "moment_vectors",
    "segment_vectors",
)
"""Folders of an export, each with a Parquet file for each source."""

PARTS: dict[str, dict[str, str]] = {
    "words": {
        "text": "VARCHAR",
        "start_tick": "BIGINT",
        "end_tick": "BIGINT",
        "probability": "DOUBLE",
    },
    "lines": {
        "text": "VARCHAR",
        "x0": "DOUBLE",
        "y0": "DOUBLE",
        "x1": "DOUBLE",
        "y1": "DOUBLE",
        "confidence": "DOUBLE",
    },
    "boxes": {"x0": "DOUBLE", "y0": "DOUBLE", "x1": "DOUBLE", "y1": "DOUBLE"},
    "word_boxes": {
        "start_char": "INTEGER",
        "end_char": "INTEGER",
        "x0": "FLOAT",
        "y0": "FLOAT",
        "x1": "FLOAT",
        "y1": "FLOAT",
    },
    "hyperlinks": {
        "start_char": "INTEGER",
        "end_char": "INTEGER",
        "address": "VARCHAR",
        "page": "INTEGER",
        "page_label": "VARCHAR",
    },
}
"""What moments are made of: table -> its fields in the order of `columns.moment_from_row`."""

MOMENT_FIELDS = {
    "kind": "VARCHAR",
    "text": "VARCHAR",
    "heading": "VARCHAR",
    "start_tick": "BIGINT",
    "end_tick": "BIGINT",
    "page": "INTEGER",
    "page_label": "VARCHAR",
    "pts": "BIGINT",
    "time_base_numerator": "BIGINT",
    "time_base_denominator": "BIGINT",
    "confidence": "DOUBLE",
}
SEGMENT_FIELDS = {
    "title": "VARCHAR",
    "first_moment": "BIGINT",
    "moment_count": "BIGINT",
    "start_tick": "BIGINT",
    "end_tick": "BIGINT",
    "first_page": "INTEGER",
    "last_page": "INTEGER",
}
SOURCE_FIELDS = {
    "id": "VARCHAR",
    "kind": "VARCHAR",
    "name": "VARCHAR",
    "size_bytes": "BIGINT",
    "duration_ticks": "BIGINT",
    "pages": "INTEGER",
    "details": "VARCHAR",
    "notes": "VARCHAR",
}
_TIMES = (
    "start_tick, end_tick, ticks_per_second, "
    "start_tick / ticks_per_second AS start_s, end_tick / ticks_per_second AS end_s"
)


@dataclass(frozen=True, slots=True)
class SourcePlace:
    """Where a source's rows are in a catalog."""

    number: int
    segments: range
    moments: range


@dataclass(frozen=True, slots=True)
class SourceVectors:
    """A source's vectors as they are kept."""

    stored: npt.NDArray[np.uint8]
    """Codes of the moments, (moments, bytes of a code)."""
    codes: Codes
    cosines: npt.NDArray[np.float16]
    """(moments,)"""
    segments: npt.NDArray[np.float16]
    """(segments, dims)"""


def place_of(catalog: Path, source_id: str) -> SourcePlace:
    """Where a source is in a catalog. Raises LibraryError when it is not there."""
    opened = attached(catalog)
    sources = opened.rows(f"SELECT id, source FROM {opened.schema}.sources")
    number = {str(row[0]): int(row[1]) for row in sources}.get(source_id)
    if number is None:
        raise LibraryError(f"{catalog} holds no source {source_id}; run: secondsight verify")
    [(first_segment, segments, first_moment, moments)] = opened.rows(
        "SELECT coalesce(min(segment), 0), count(*), coalesce(min(first_moment), 0), "
        f"coalesce(sum(moment_count), 0)::BIGINT FROM {opened.schema}.segments "
        f"WHERE source = {number}"
    )
    return SourcePlace(
        number,
        range(first_segment, first_segment + segments),
        range(first_moment, first_moment + moments),
    )


def write_source_tables(
    catalog: Path, place: SourcePlace, paths: dict[str, Path]
) -> list[tuple[int, int]]:
    """Write a source's rows to `paths`, one for each table that is no vectors.

    Returns where its pictures are in pictures.bin, (offset, bytes) each once: they are to follow
    each other in this order. Raises LibraryError when a file cannot be read or written.
    """
    opened = attached(catalog)
    name, first, last = opened.schema, place.moments.start, place.moments.stop - 1
    source = f"(SELECT id AS source_id, ticks_per_second FROM {name}.sources WHERE source = "
    source += f"{place.number}) AS source"
    within = f"BETWEEN {first} AND {last}"
    opened.write_parquet(
        f"SELECT source_id, segment - {place.segments.start} AS segment, title, "
        f"first_moment - {first} AS first_moment, moment_count, {_TIMES}, first_page, last_page "
        f"FROM {name}.segments, {source} WHERE source = {place.number} ORDER BY segment",
        paths["segments"],
    )
    pictures = (
        f"(SELECT DISTINCT picture_offset, picture_bytes FROM {name}.moments "
        f"WHERE moment {within} AND picture_offset IS NOT NULL)"
    )
    others = ", ".join(field for field in MOMENT_FIELDS if field not in ("start_tick", "end_tick"))
    opened.write_parquet(
        f"SELECT source_id, moment - {first} AS moment, segment - {place.segments.start} AS "
        f"segment, {others}, {_TIMES}, placed.new_offset AS picture_offset, "
        f"m.picture_bytes FROM {name}.moments AS m LEFT JOIN (SELECT picture_offset, "
        "picture_bytes, (sum(picture_bytes) OVER (ORDER BY picture_offset, picture_bytes) - "
        f"picture_bytes)::BIGINT AS new_offset FROM {pictures}) AS placed "
        f"USING (picture_offset, picture_bytes), {source} WHERE moment {within} ORDER BY moment",
        paths["moments"],
    )
    for table, fields in PARTS.items():
        listed = _TIMES if table == "words" else ""
        listed += ", " if listed else ""
        listed += ", ".join(field for field in fields if not field.endswith("_tick"))
        opened.write_parquet(
            f"SELECT source_id, moment - {first} AS moment, position, {listed} "
            f"FROM {name}.{table}, {source} WHERE moment {within} ORDER BY moment, position",
            paths[table],
        )
    return _picture_places(opened, pictures)


def _picture_places(opened: Attached, pictures: str) -> list[tuple[int, int]]:
    rows = opened.rows(
        f"SELECT picture_offset, picture_bytes FROM {pictures} ORDER BY picture_offset, "
        "picture_bytes"
    )
    return [(offset, size_bytes) for offset, size_bytes in rows]


def write_source_vectors(paths: dict[str, Path], source_id: str, vectors: SourceVectors) -> None:
    """Write `moment_vectors` and `segment_vectors`; fp16 is widened, exactly, to FLOAT."""
    moments: npt.NDArray[np.uint8 | np.float32] = vectors.stored
    if vectors.codes == "fp16":
        moments = vectors.stored.view(np.float16).astype(np.float32)
    cosines = {"cosine": vectors.cosines.astype(np.float32)}
    _write_rows(paths["moment_vectors"], source_id, "moment", "code", moments, cosines)
    segments = vectors.segments.astype(np.float32)
    _write_rows(paths["segment_vectors"], source_id, "segment", "vector", segments, {})


def _write_rows(
    path: Path,
    source_id: str,
    key: str,
    name: str,
    rows: npt.NDArray[np.uint8 | np.float32],
    others: dict[str, npt.NDArray[np.float32]],
) -> None:
    dims = rows.shape[1]
    turned = np.ascontiguousarray(rows.T)
    components = {f"c{number}": turned[number] for number in range(dims)}
    name_of_source = bytes.fromhex(source_id).hex()  # cannot be anything but hex digits
    sql_type = "UTINYINT" if rows.dtype == np.uint8 else "FLOAT"
    numbers = {"number": np.arange(len(rows))}
    listed = "".join(f"{other}, " for other in others)
    write_parquet_arrays(
        path,
        f"SELECT '{name_of_source}' AS source_id, number AS {key}, {listed}"
        f"array_value({', '.join(components)})::{sql_type}[{dims}] AS {name} FROM new_rows",
        {**numbers, **others, **components},
    )


def write_sources(path: Path, sources: Sequence[Source], rates: Sequence[int]) -> None:
    """Write the table of sources; `rates` are their ticks per second."""
    content = columns.source_columns(sources, rates)
    del content["source"]
    durations = [None if one.duration is None else float(one.duration) for one in sources]
    write_parquet(path, {**content, "duration_s": ("DOUBLE", durations)})
