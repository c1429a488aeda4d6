"""The inventory of a library: every path ever offered to it, and what came of it."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from index.columns import Columns, Row, storable
from index.tables import read_table, write_table

INVENTORY_FIELDS = {
    "path": "VARCHAR",
    "size_bytes": "BIGINT",
    "mtime_ns": "BIGINT",
    "outcome": "VARCHAR",
    "source_id": "VARCHAR",
    "stage": "VARCHAR",
    "reason": "VARCHAR",
    "seen_at": "VARCHAR",
}
"""Table `inventory`: its fields in the order of `inventory_row`, and their types."""
_UNDECODABLE = "\0"


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
    write_table(new_path, "inventory", "inventory", inventory_columns(kept))


def read_inventory(path: Path) -> list[InventoryRow]:
    """All rows by path; raises LibraryError when the file cannot be read."""
    names = ", ".join(INVENTORY_FIELDS)
    return [
        inventory_row(row)
        for row in read_table(path, "inventory", "inventory", names, order="path")
    ]


def inventory_row(row: Row) -> InventoryRow:
    """From the values of INVENTORY_FIELDS."""
    return InventoryRow(_text_to_path(row[0]), *row[1:])


def inventory_columns(rows: Sequence[InventoryRow]) -> Columns:
    """Table `inventory`."""
    reasons = [None if row.reason is None else storable(row.reason) for row in rows]
    return {
        "path": ("VARCHAR", [_path_to_text(row.path) for row in rows]),
        "size_bytes": ("BIGINT", [row.size_bytes for row in rows]),
        "mtime_ns": ("BIGINT", [row.mtime_ns for row in rows]),
        "outcome": ("VARCHAR", [row.outcome for row in rows]),
        "source_id": ("VARCHAR", [row.source_id for row in rows]),
        "stage": ("VARCHAR", [row.stage for row in rows]),
        "reason": ("VARCHAR", reasons),
        "seen_at": ("VARCHAR", [row.seen_at for row in rows]),
    }


def _path_to_text(path: str) -> str:
    """Paths are bytes on Linux: one that is not UTF-8 is stored as NUL and the hex of its bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return _UNDECODABLE + os.fsencode(path).hex()
    return path


def _text_to_path(text: str) -> str:
    """The path that `_path_to_text` stored."""
    if text.startswith(_UNDECODABLE):
        return os.fsdecode(bytes.fromhex(text[1:]))
    return text
