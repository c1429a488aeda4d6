"""The catalog of a shard: its sources, segments and moments. SQL is here and in `index.tables`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from index import columns
from index.columns import MOMENT_KINDS, MomentColumns, Row, SegmentRow
from index.errors import LibraryError
from index.records import Moment, Segment, Source
from index.tables import attached, created, insert, insert_arrays, rows_of_attached

__all__ = ["MOMENT_KINDS", "CatalogReader", "read_moments", "write_catalog"]


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
    with created(path, "catalog") as connection:
        sources = [source for source, _ in contents]
        insert(connection, "sources", columns.source_columns(sources, rates))
        insert(connection, "segments", columns.segment_columns(numbered))
        insert(connection, "moments", columns.moment_columns(moments, pictures))
        insert(connection, "words", columns.word_columns(moments))
        insert(connection, "lines", columns.line_columns(moments))
        insert(connection, "boxes", columns.box_columns(moments))
        insert(connection, "hyperlinks", columns.hyperlink_columns(moments))
        insert_arrays(connection, "word_boxes", columns.word_box_arrays(moments))


class CatalogReader:
    """One shard's catalog, open for reading by any number of threads.

    Its file may be deleted while it is open.
    """

    def __init__(self, path: Path) -> None:
        """Open the file; raises LibraryError when it is missing, damaged or newer."""
        self._path = path
        self._attached = attached(path)
        self.schema = self._attached.schema
        rows = self._attached.rows(
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
        rows = self._attached.rows(
            "SELECT source, title, first_moment, moment_count, start_tick, end_tick, first_page, "
            f"last_page FROM {self.schema}.segments ORDER BY segment"
        )
        return [columns.segment_from_row(row, self.rates) for row in rows]

    def moment_columns(self) -> MomentColumns:
        """The hot columns of all moments; raises LibraryError when the numbering is broken."""
        kinds = ", ".join(f"'{kind.value}'" for kind in MOMENT_KINDS)
        moments = self._attached.arrays(
            f"SELECT moment, segment, (list_position([{kinds}], kind) - 1)::TINYINT AS kind, "
            "coalesce(start_tick, -1) AS start_tick, coalesce(end_tick, -1) AS end_tick, "
            f"coalesce(page, 0) AS page FROM {self.schema}.moments ORDER BY rowid"
        )
        segments = self._attached.arrays(
            f"SELECT source FROM {self.schema}.segments ORDER BY segment"
        )
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


def read_moments(wanted: Sequence[tuple[CatalogReader, Sequence[int]]]) -> list[list[Moment]]:
    """The moments of these numbers from several catalogs, without pictures, as asked for.

    At most six queries, whatever the number of catalogs. Raises IndexError when a number is not
    in its catalog, LibraryError when a file cannot be read.
    """
    rows = _select(
        wanted,
        "moment, source, word_count, line_count, box_count, word_box_count, hyperlink_count, kind, "
        "text, heading, confidence, moments.start_tick, moments.end_tick, page, page_label, pts, "
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
            (5, "hyperlinks", "start_char, end_char, address, page, page_label"),
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
                    row[6:], reader.rates[row[0]], *(part.get(key, ()) for part in parts)
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
    return rows_of_attached(" UNION ALL ".join(queries))
