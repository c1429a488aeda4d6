"""Whether a shard's catalog says what can be true: numbering, references, times and pages. SQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from index.errors import LibraryError
from index.tables import Attached, attached

_BLOCK_MOMENTS = 1 << 18
"""Parts of so many moments are counted at a time: what a check holds in memory is bounded."""

_IN_VIDEOS = "('frame', 'utterance', 'screen_text')"
_PLACED = (
    "{s}.moments AS m JOIN {s}.segments AS g USING (segment) JOIN {s}.sources AS o USING (source)"
)

_CHECKS = (
    (
        "sources that are not numbered from 0 in order",
        "SELECT source FROM (SELECT source, row_number() OVER (ORDER BY source) - 1 AS place "
        "FROM {s}.sources) WHERE source <> place",
    ),
    (
        "sources whose details or notes are no JSON",
        "SELECT source FROM {s}.sources WHERE NOT json_valid(details) OR NOT json_valid(notes)",
    ),
    (
        "segments that are not numbered from 0 in order",
        "SELECT segment FROM (SELECT segment, row_number() OVER (ORDER BY segment) - 1 AS place "
        "FROM {s}.segments) WHERE segment <> place",
    ),
    (
        "segments of no source",
        "SELECT segment FROM {s}.segments AS g ANTI JOIN {s}.sources USING (source)",
    ),
    (
        "segments that stand among those of another source",
        "SELECT segment FROM (SELECT segment, source, lag(source) OVER (ORDER BY segment) AS last "
        "FROM {s}.segments) WHERE source < last",
    ),
    (
        "segments whose moments do not follow those of the one before",
        "SELECT segment FROM (SELECT segment, first_moment, coalesce(sum(moment_count) OVER "
        "(ORDER BY segment ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS due "
        "FROM {s}.segments) WHERE first_moment <> due",
    ),
    (
        "segments beyond the length of their source, or not of its kind",
        "SELECT segment FROM {s}.segments AS g JOIN {s}.sources AS o USING (source) "
        "WHERE (o.kind = 'video') <> (start_tick IS NOT NULL) OR start_tick < 0 "
        "OR start_tick >= end_tick OR end_tick > duration_ticks OR first_page < 1 "
        "OR first_page > last_page OR last_page > pages",
    ),
    (
        "moments that are not numbered from 0 in the order of their rows",
        "SELECT moment FROM (SELECT moment, rowid AS place, row_number() OVER (ORDER BY rowid) - 1 "
        "AS due FROM {s}.moments) WHERE moment <> due OR moment <> place",
    ),
    (
        "moments of no segment, or outside the moments of theirs",
        "SELECT moment FROM {s}.moments AS m LEFT JOIN {s}.segments AS g USING (segment) "
        "WHERE g.source IS NULL OR moment < first_moment OR moment >= first_moment + moment_count",
    ),
    (
        "moments of a kind that their source cannot have",
        f"SELECT moment FROM {_PLACED} WHERE (o.kind = 'video') <> (m.kind IN {_IN_VIDEOS}) "
        "OR (o.kind = 'video') <> (m.start_tick IS NOT NULL) "
        "OR (o.kind = 'document') <> (m.page IS NOT NULL)",
    ),
    (
        "moments beyond the length of their source",
        f"SELECT moment FROM {_PLACED} WHERE m.start_tick < 0 OR m.start_tick >= m.end_tick "
        "OR m.end_tick > duration_ticks OR m.page < 1 OR m.page > pages",
    ),
    (
        "moments whose frame time is half there",
        "SELECT moment FROM {s}.moments WHERE (pts IS NULL) <> (time_base_numerator IS NULL) "
        "OR (pts IS NULL) <> (time_base_denominator IS NULL)",
    ),
    (
        "moments with words beyond the length of their source",
        f"SELECT moment FROM {{s}}.words AS w JOIN ({_PLACED}) USING (moment) "
        "WHERE w.start_tick < 0 OR w.start_tick >= w.end_tick OR w.end_tick > duration_ticks",
    ),
    (
        "moments with links to pages that are not there",
        f"SELECT moment FROM {{s}}.hyperlinks AS h JOIN ({_PLACED}) USING (moment) "
        "WHERE h.page < 1 OR h.page > pages",
    ),
)
"""What is wrong, and the query whose rows are the numbers of those it is wrong with."""

_PARTS = (
    ("words", "word_count"),
    ("lines", "line_count"),
    ("boxes", "box_count"),
    ("word_boxes", "word_box_count"),
    ("hyperlinks", "hyperlink_count"),
)
"""Tables of what moments are made of, and the column of `moments` that counts it."""


@dataclass(frozen=True, slots=True)
class CatalogOutline:
    """What the other files of a shard must agree with."""

    sources: tuple[str, ...]
    """Ids of the sources, in order."""
    moment_counts: npt.NDArray[Any]
    """Moments of each segment, in order, (segments,) int64."""
    num_moments: int
    pictures: dict[str, npt.NDArray[Any]]
    """`moment`, `offset` and `size_bytes` of all moments with a picture, by offset."""


def catalog_outline(path: Path) -> CatalogOutline:
    """Read what the other files must agree with. Raises LibraryError when it cannot be read."""
    catalog = attached(path)
    name = catalog.schema
    sources = catalog.rows(f"SELECT id FROM {name}.sources ORDER BY source")
    counts = catalog.arrays(f"SELECT moment_count FROM {name}.segments ORDER BY segment")
    [(moments,)] = catalog.rows(f"SELECT count(*) FROM {name}.moments")
    pictures = catalog.arrays(
        "SELECT moment, picture_offset AS offset, coalesce(picture_bytes, -1) AS size_bytes "
        f"FROM {name}.moments WHERE picture_offset IS NOT NULL ORDER BY picture_offset, moment"
    )
    return CatalogOutline(
        sources=tuple(row[0] for row in sources),
        moment_counts=counts["moment_count"].astype("int64"),
        num_moments=moments,
        pictures=pictures,
    )


def catalog_problems(path: Path) -> Iterator[str]:
    """Everything in a catalog that cannot be true, in words.

    A check that cannot be made is told as well, and the others are made.
    """
    catalog = attached(path)
    for what, statement in (*_CHECKS, *_part_checks(catalog)):
        found = f"SELECT count(*), min(number) FROM ({statement}) AS found (number)"
        try:
            [(count, first)] = catalog.rows(found.format(s=catalog.schema))
        except LibraryError as error:
            yield f"{what} cannot be looked for: {error}"
            continue
        if count:
            yield f"{what}: {count}, the first is number {first}"


def _part_checks(catalog: Attached) -> Iterator[tuple[str, str]]:
    [(moments,)] = catalog.rows(f"SELECT count(*) FROM {catalog.schema}.moments")
    for table, count in _PARTS:
        yield (
            f"moments of {table} that are not there",
            f"SELECT moment FROM {{s}}.{table} WHERE moment < 0 OR moment >= {moments}",
        )
        for first in range(0, moments, _BLOCK_MOMENTS):
            block = f"moment BETWEEN {first} AND {first + _BLOCK_MOMENTS - 1}"
            yield (
                f"moments with other {table} than they count, or not in a row",
                "SELECT moment FROM "
                f"(SELECT moment, {count} AS due FROM {{s}}.moments WHERE {block}) LEFT JOIN "
                "(SELECT moment, count(*) AS held, count(DISTINCT position) AS different, "
                "min(position) AS low, max(position) AS high "
                f"FROM {{s}}.{table} WHERE {block} GROUP BY moment) USING (moment) "
                "WHERE coalesce(held, 0) IS DISTINCT FROM due OR low <> 0 OR high <> held - 1 "
                "OR different <> held",
            )
