"""The catalog of a shard: its sources, segments and moments. SQL is here and in `index.tables`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index import columns
from index.columns import MOMENT_KINDS, MomentColumns, Row, SegmentRow
from index.errors import LibraryError
from index.numbering import SourceRun, runs_of
from index.ranking import Ids
from index.records import Moment, MomentText, MomentWords, Segment, Source, SourceKind
from index.tables import (
    attach_to,
    attached,
    created,
    insert,
    insert_arrays,
    registered,
    rows_of_attached,
)

__all__ = [
    "MOMENT_KINDS",
    "CatalogReader",
    "merge_catalogs",
    "read_moments",
    "read_texts",
    "read_words",
    "write_catalog",
]

_TEXT_FIELDS = "kind, text, heading, start_tick, end_tick, page, page_label"
_OTHER_FIELDS = "pts, time_base_numerator, time_base_denominator, confidence"
_PARTS = {
    "words": ("word_count", "text, start_tick, end_tick, probability"),
    "lines": ("line_count", "text, x0, y0, x1, y1, confidence"),
    "boxes": ("box_count", "x0, y0, x1, y1"),
    "word_boxes": ("word_box_count", "start_char, end_char, x0, y0, x1, y1"),
    "hyperlinks": ("hyperlink_count", "start_char, end_char, address, page, page_label"),
}
"""Tables of what moments are made of: the count in the moments' rows, and the fields."""
_TEXTS_AT_ONCE = 20_000
_MERGING_BYTES = 512_000_000
"""What DuckDB may hold in memory while catalogs are merged; the rest is in files beside the new."""

Key = tuple[int, int]
"""A moment among those of several catalogs: number of the catalog, number in it."""


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


def merge_catalogs(
    path: Path, parts: Sequence[tuple[CatalogReader, Sequence[SourceRun], Ids]]
) -> None:
    """Write one catalog of what is kept of several, in order, all exact as they hold it.

    A part is a catalog, what is kept of it, and where in pictures.bin the picture of each of its
    moments now begins (-1: none). Raises LibraryError when the disk refuses.
    """
    with created(path, "catalog", memory_bytes=_MERGING_BYTES) as connection:
        sources = segments = moments = 0
        for number, (reader, runs, pictures) in enumerate(parts):
            schema = f"part_{number}"
            attach_to(connection, reader.path, schema)
            with registered(connection, "places", {"new_offset": pictures}):
                for run in runs:
                    for statement in _copying(
                        schema,
                        run,
                        sources - run.sources.start,
                        segments - run.segments.start,
                        moments - run.moments.start,
                    ):
                        connection.execute(statement)
                    sources += len(run.sources)
                    segments += len(run.segments)
                    moments += len(run.moments)


def _copying(
    schema: str, run: SourceRun, sources: int, segments: int, moments: int
) -> Iterator[str]:
    """Statements that copy the rows of a run, their numbers moved by so many."""
    moved_source = f"source + {sources} AS source"
    moved_segment = f"segment + {segments} AS segment"
    moved_moment = f"moment + {moments} AS moment"
    yield (
        f"INSERT INTO sources BY NAME SELECT * REPLACE ({moved_source}) FROM {schema}.sources "
        f"WHERE source {_within(run.sources)} ORDER BY source"
    )
    yield (
        f"INSERT INTO segments BY NAME SELECT * REPLACE ({moved_source}, {moved_segment}, "
        f"first_moment + {moments} AS first_moment) FROM {schema}.segments "
        f"WHERE segment {_within(run.segments)} ORDER BY segment"
    )
    # In the order of the rows, which are the moments' numbers: nothing may sort or join them.
    yield (
        "INSERT INTO moments BY NAME SELECT * EXCLUDE (new_offset) REPLACE "
        f"({moved_moment}, {moved_segment}, nullif(new_offset, -1) AS picture_offset) "
        f"FROM {schema}.moments POSITIONAL JOIN places WHERE moment {_within(run.moments)}"
    )
    for table in _PARTS:
        yield (
            f"INSERT INTO {table} BY NAME SELECT * REPLACE ({moved_moment}) "
            f"FROM {schema}.{table} WHERE moment {_within(run.moments)}"
        )


def _within(numbers: range) -> str:
    return f"BETWEEN {numbers.start} AND {numbers.stop - 1}"


class CatalogReader:
    """One shard's catalog, open for reading by any number of threads.

    Its file may be deleted while it is open.
    """

    def __init__(self, path: Path) -> None:
        """Open the file; raises LibraryError when it is missing, damaged or newer."""
        self.path = path
        self._attached = attached(path)
        self.schema = self._attached.schema
        rows = self._attached.rows(
            "SELECT ticks_per_second, id, kind, name, size_bytes, duration_ticks, pages, details, "
            f"notes FROM {self.schema}.sources ORDER BY source"
        )
        self.rates: tuple[int, ...] = tuple(row[0] for row in rows)
        self._sources = tuple(columns.source_from_row(row[1:], row[0]) for row in rows)
        segments = self._attached.arrays(
            f"SELECT source, first_moment FROM {self.schema}.segments ORDER BY segment"
        )
        self._source_of_segment = segments["source"].astype(np.int32)
        self._first_of_segment = segments["first_moment"].astype(np.int64)

    def rate_of_segment(self, number: int) -> int:
        """Ticks per second of the source that a segment is of."""
        return self.rates[int(self._source_of_segment[number])]

    def owner(self, number: int) -> int:
        """Which of the sources a moment is of."""
        segment = int(np.searchsorted(self._first_of_segment, number, side="right")) - 1
        return int(self._source_of_segment[segment])

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

    def kept_runs(self, forgotten: Collection[str]) -> list[SourceRun]:
        """What is kept of the catalog when these sources are forgotten."""
        rows = self._attached.rows(
            f"SELECT source, count(*), sum(moment_count) FROM {self.schema}.segments "
            "GROUP BY source"
        )
        sizes = {row[0]: (int(row[1]), int(row[2])) for row in rows}
        return runs_of(
            [sizes.get(number, (0, 0)) for number in range(len(self._sources))],
            [source.id not in forgotten for source in self._sources],
        )

    def picture_places(self) -> npt.NDArray[np.int64]:
        """(offset, bytes) in pictures.bin of every moment, (moments, 2); (-1, 0) without one."""
        found = self._attached.arrays(
            "SELECT coalesce(picture_offset, -1) AS first, coalesce(picture_bytes, 0) AS size "
            f"FROM {self.schema}.moments ORDER BY rowid"
        )
        return np.stack([found["first"], found["size"]], axis=1).astype(np.int64)

    def texts(self) -> Iterator[tuple[str, str, str]]:
        """Text, heading and source name of every moment, in order, read bit by bit."""
        count = self._attached.rows(f"SELECT count(*) FROM {self.schema}.moments")[0][0]
        for first in range(0, count, _TEXTS_AT_ONCE):
            part = range(first, min(first + _TEXTS_AT_ONCE, count))
            yield from self._attached.rows(
                f"SELECT text, heading, name FROM {self.schema}.moments AS moments "
                f"JOIN {self.schema}.segments USING (segment) "
                f"JOIN {self.schema}.sources USING (source) "
                f"WHERE moments.rowid {_within(part)} ORDER BY moments.rowid"
            )

    def moment_columns(self) -> MomentColumns:
        """The hot columns of all moments; raises LibraryError when the numbering is broken."""
        kinds = ", ".join(f"'{kind.value}'" for kind in MOMENT_KINDS)
        moments = self._attached.arrays(
            f"SELECT moment, segment, (list_position([{kinds}], kind) - 1)::TINYINT AS kind, "
            "coalesce(start_tick, -1) AS start_tick, coalesce(end_tick, -1) AS end_tick, "
            f"coalesce(page, 0) AS page FROM {self.schema}.moments ORDER BY rowid"
        )
        if not np.array_equal(moments["moment"], np.arange(len(moments["moment"]))):
            raise LibraryError(f"{self.path} is damaged; restore this library from a backup")
        source = self._source_of_segment[moments["segment"]]
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
        rows = _select([(self, ids)], f"{fields} FROM {{schema}}.moments WHERE rowid IN {{ids}}")
        found = {row[1]: (row[2], row[3]) for row in rows if row[2] is not None}
        return [found.get(number) for number in ids]


Wanted = Sequence[tuple[CatalogReader, Sequence[int]]]
"""Catalogs and the numbers of moments in them."""


def read_texts(wanted: Wanted) -> list[list[MomentText]]:
    """What the moments of these numbers from several catalogs say and where, as asked for.

    At most two queries, whatever the number of catalogs. Raises IndexError when a number is not
    in its catalog, LibraryError when a file cannot be read.
    """
    rows = _select_moments(wanted, f"{_TEXT_FIELDS}, box_count")
    boxes = _select_parts(wanted, _keys_with(rows, -1), "boxes")
    return [
        [
            columns.text_from_row(row[1:-1], reader.rate_of_segment(row[0]), boxes.get(key, ()))
            for key, row in keyed
        ]
        for reader, keyed in _keyed(wanted, rows)
    ]


def read_moments(wanted: Wanted) -> list[list[Moment]]:
    """As `read_texts`, whole but for their pictures; at most six queries."""
    counts = ", ".join(count for count, _ in _PARTS.values())
    rows = _select_moments(wanted, f"{_TEXT_FIELDS}, {_OTHER_FIELDS}, {counts}")
    parts = [
        _select_parts(wanted, _keys_with(rows, place), table)
        for place, table in enumerate(_PARTS, start=-len(_PARTS))
    ]
    return [
        [
            columns.moment_from_row(
                row[1 : -len(_PARTS)],
                reader.rate_of_segment(row[0]),
                *(part.get(key, ()) for part in parts),
            )
            for key, row in keyed
        ]
        for reader, keyed in _keyed(wanted, rows)
    ]


def read_words(wanted: Wanted) -> list[list[MomentWords]]:
    """What the moments of these numbers from several catalogs hold of their words, as asked for.

    At most three queries: words are spoken in videos, and have boxes and links in documents.
    Raises LibraryError when a file cannot be read.
    """
    owned = [
        ((number, moment), reader.owner(moment), reader)
        for number, (reader, ids) in enumerate(wanted)
        for moment in ids
    ]
    spoken = {
        key for key, owner, reader in owned if reader.sources()[owner].kind is SourceKind.VIDEO
    }
    printed = {key for key, _, _ in owned} - spoken
    words = _select_parts(wanted, spoken, "words")
    boxes = _select_parts(wanted, printed, "word_boxes")
    links = _select_parts(wanted, printed, "hyperlinks")
    held: list[list[MomentWords]] = [[] for _ in wanted]
    for key, owner, reader in owned:
        parts = (part.get(key, ()) for part in (words, boxes, links))
        held[key[0]].append(columns.words_from_rows(reader.rates[owner], *parts))
    return held


def _select_moments(wanted: Wanted, fields: str) -> dict[Key, Row]:
    """Rows of moments by (catalog number, moment): their segment and these fields.

    Raises IndexError when one is not in its catalog.
    """
    statement = f"moment, segment, {fields} FROM {{schema}}.moments WHERE rowid IN {{ids}}"
    rows = {(row[0], row[1]): row[2:] for row in _select(wanted, statement)}
    for number, (_, ids) in enumerate(wanted):
        missing = [moment for moment in ids if (number, moment) not in rows]
        if missing:
            raise IndexError(f"there is no moment {missing[0]} in this shard")
    return rows


def _keys_with(rows: Mapping[Key, Row], place: int) -> set[Key]:
    """The moments whose count of parts, at this place of their rows, is not 0."""
    return {key for key, row in rows.items() if row[place]}


def _keyed(
    wanted: Wanted, rows: Mapping[Key, Row]
) -> Iterator[tuple[CatalogReader, list[tuple[Key, Row]]]]:
    """The rows in the order they were asked for."""
    for number, (reader, ids) in enumerate(wanted):
        yield reader, [((number, moment), rows[number, moment]) for moment in ids]


def _select_parts(wanted: Wanted, keys: Collection[Key], table: str) -> dict[Key, list[Row]]:
    """Rows of a part table by (catalog number, moment), in order, for the moments that have any."""
    narrowed = [
        (reader, [moment for moment in ids if (number, moment) in keys])
        for number, (reader, ids) in enumerate(wanted)
    ]
    _, fields = _PARTS[table]
    statement = f"moment, {fields}, position FROM {{schema}}.{table} WHERE moment IN {{ids}}"
    rows = _select(narrowed, statement)
    parts: defaultdict[Key, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: int(row[-1])):
        parts[row[0], row[1]].append(row[2:-1])
    return parts


def _select(wanted: Wanted, statement: str) -> list[Row]:
    """Run `SELECT {statement}` on several catalogs at once; rows begin with the catalog's number.

    `{schema}` and `{ids}`, a set of numbers, are filled in. DuckDB joins a set that comes from a
    query, and passes it down to the scan, which reads only rows in it; from a list of constants it
    would make a filter over all rows of their row groups.
    """
    queries = []
    for number, (reader, ids) in enumerate(wanted):
        numbers = sorted({int(moment) for moment in ids})
        if numbers:
            among = f"(SELECT unnest('{numbers}'::BIGINT[]))"
            filled = statement.format(schema=reader.schema, ids=among)
            queries.append(f"SELECT {number}, {filled}")
    if not queries:
        return []
    return rows_of_attached(" UNION ALL ".join(queries))
