"""The tables of an export as records again. What they say is not trusted: records check it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index import columns
from index.columns import Row
from index.exchange_tables import (
    MOMENT_FIELDS,
    PARTS,
    SEGMENT_FIELDS,
    SOURCE_FIELDS,
    SourceVectors,
)
from index.files import FilePart
from index.inventory import INVENTORY_FIELDS, InventoryRow, inventory_row
from index.links import LINK_FIELDS, link_from_row
from index.metadata import (
    METADATA_FIELDS,
    TAG_FIELDS,
    MetadataChange,
    checked_name,
    checked_tags,
    checked_value,
    metadata_from_rows,
)
from index.ranking import Ids
from index.records import Moment, PageOnScreen, Segment, Source
from index.settings import Codes
from index.tables import read_parquet, read_parquet_arrays

_PLAIN = (str, int, float, type(None))


def read_sources(path: Path) -> list[tuple[Source, int]]:
    """The sources and their ticks per second, by id. Raises LibraryError."""
    rows = read_parquet(path, {**SOURCE_FIELDS, "ticks_per_second": "BIGINT"}, order="id")
    found = [(columns.source_from_row(row[:-1], _rate(row[-1])), row[-1]) for row in rows]
    for source, _ in found:
        values, notes = source.details, source.notes
        plain = isinstance(values, dict) and all(isinstance(v, _PLAIN) for v in values.values())
        if not plain or not all(isinstance(note, str) for note in notes):
            raise ValueError(f"details or notes of {source.id} are none")
    return found


def _rate(ticks_per_second: int) -> int:
    if ticks_per_second < 1:
        raise ValueError(f"ticks_per_second must be 1 or more, got {ticks_per_second}")
    return ticks_per_second


def read_segments(paths: dict[str, Path], pictures: Path, rate: int) -> tuple[Segment, ...]:
    """A source's segments with their moments, pictures as parts of the file `pictures`.

    Raises LibraryError when a file cannot be read, ValueError, TypeError or KeyError when they say
    what cannot be.
    """
    fields = {"moment": "BIGINT", "segment": "BIGINT", **MOMENT_FIELDS}
    places = {"picture_offset": "BIGINT", "picture_bytes": "BIGINT"}
    rows = read_parquet(paths["moments"], {**fields, **places}, order="moment")
    numbers = [row[0] for row in rows]
    if numbers != list(range(len(rows))):
        raise ValueError("moments must be numbered from 0, each once")
    parts = [_read_parts(paths[table], table, len(rows)) for table in PARTS]
    moments = []
    for number, row in enumerate(rows):
        own = [part.get(number, ()) for part in parts]
        moments.append(_with_picture(columns.moment_from_row(row[2:-2], rate, *own), row, pictures))
    segments: list[Segment] = []
    first = 0
    listed = read_parquet(
        paths["segments"], {"segment": "BIGINT", **SEGMENT_FIELDS}, order="segment"
    )
    for number, row in enumerate(listed):
        found = columns.segment_from_row((0, *row[1:]), (rate,))
        own_rows = rows[first : found.moments.stop]
        if row[0] != number or found.moments.start != first or len(own_rows) != len(found.moments):
            raise ValueError(f"segment {number} does not follow the one before")
        if any(moment_row[1] != number for moment_row in own_rows):
            raise ValueError(f"segment {number} holds moments of another")
        moments_of_it = tuple(moments[first : found.moments.stop])
        segments.append(Segment(found.extent, found.title, moments_of_it))
        first = found.moments.stop
    if first != len(moments):
        raise ValueError(f"{len(moments) - first} moments are in no segment")
    return tuple(segments)


def _read_parts(path: Path, table: str, num_moments: int) -> dict[int, list[Row]]:
    fields = {"moment": "BIGINT", "position": "INTEGER", **PARTS[table]}
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for moment, position, *row in read_parquet(path, fields, order="moment, position"):
        if not 0 <= moment < num_moments or position != len(found[moment]):
            raise ValueError(f"{table} of moment {moment} are not in a row")
        found[moment].append(tuple(row))
    return found


def _with_picture(moment: Moment, row: Row, pictures: Path) -> Moment:
    offset, size_bytes = row[-2:]
    if offset is None and size_bytes is None:
        return moment
    if offset < 0 or size_bytes < 1:
        raise ValueError(f"a picture cannot be at byte {offset} of {size_bytes} bytes")
    return replace(moment, picture=FilePart(str(pictures), offset, size_bytes))


def read_source_vectors(
    paths: dict[str, Path], codes: Codes, dims: int, *, moments: int, segments: int
) -> SourceVectors:
    """A source's vectors as they were kept. Raises LibraryError, or ValueError on other shapes."""
    sql_type = "UTINYINT" if codes == "8bit" else "FLOAT"
    found = read_parquet_arrays(
        paths["moment_vectors"],
        {"moment": "BIGINT", "cosine": "FLOAT", "code": f"{sql_type}[{dims}]"},
        order="moment",
    )
    stored = _rows_of(found["moment"], found["code"], moments, dims)
    coarse = read_parquet_arrays(
        paths["segment_vectors"],
        {"segment": "BIGINT", "vector": f"FLOAT[{dims}]"},
        order="segment",
    )
    coarse_rows = _rows_of(coarse["segment"], coarse["vector"], segments, dims)
    cosines = np.asarray(found["cosine"], dtype=np.float16)
    if np.ma.is_masked(found["cosine"]) or not np.all(np.isfinite(cosines)):
        raise ValueError("cosines must be numbers")
    if codes == "fp16":
        stored = np.ascontiguousarray(stored, dtype=np.float16).view(np.uint8)
    return SourceVectors(
        np.ascontiguousarray(stored, dtype=np.uint8), codes, cosines, coarse_rows.astype(np.float16)
    )


def _rows_of(numbers: Ids, rows: Any, count: int, dims: int) -> npt.NDArray[Any]:
    if not np.array_equal(numbers, np.arange(count)) or np.ma.is_masked(rows):
        raise ValueError(f"there must be one vector for each of {count}")
    if any(np.ma.is_masked(row) for row in rows):
        raise ValueError("vectors must be numbers")
    return np.stack(rows) if count else np.zeros((0, dims), dtype=np.uint8)


def read_links_table(path: Path) -> list[PageOnScreen]:
    """Pages on screen, in order. Raises LibraryError, or ValueError when one cannot be."""
    rows = read_parquet(path, LINK_FIELDS, order="position")
    return [link_from_row((*row[:5], _rate(row[5]), row[6])) for row in rows]


def read_paths(path: Path) -> list[InventoryRow]:
    """Where sources were found. Raises LibraryError, or ValueError for what is no path."""
    return [inventory_row(row) for row in read_parquet(path, INVENTORY_FIELDS, order="path")]


def read_metadata_tables(metadata: Path, tags: Path) -> dict[str, MetadataChange]:
    """What is said of the sources that anything is said of.

    Raises LibraryError, SettingsError for names, values and tags that cannot be, or ValueError.
    """
    rows = read_parquet(metadata, METADATA_FIELDS, order="source, name")
    tagged = read_parquet(tags, TAG_FIELDS, order="source, tag")
    if any(sum(value is not None for value in row[2:]) != 1 for row in rows):
        raise ValueError("metadata must have one value each")
    said = metadata_from_rows(rows, tagged)
    return {
        source: MetadataChange(
            {checked_name(name): checked_value(name, value) for name, value in one.values.items()},
            checked_tags(one.tags),
        )
        for source, one in said.items()
    }
