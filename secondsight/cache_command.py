"""`secondsight cache`: what the stage cache holds, and removing some of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from index.errors import QuestionError
from index.snapshot import Snapshot
from ingest.cache_limit import prune
from ingest.cache_usage import SourceUsage, cache_usage, prune_unused

BYTES_PER_MEGABYTE = 1_000_000
_UNITS_BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS_S = {"m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")


def prune_cache(library: Path, amount: str) -> int:
    """Remove outputs unused longest until `500MB` are left, or all unused for `30d`.

    Returns the bytes removed. Raises QuestionError when `amount` is neither, LibraryError when
    the disk refuses.
    """
    match = _AMOUNT.fullmatch(amount.strip())
    if match is not None:
        number, unit = float(match[1]), match[2]
        if unit in _UNITS_S:
            return prune_unused(library, number * _UNITS_S[unit])
        if (unit.upper() or "B") in _UNITS_BYTES:
            limit_bytes = int(number * _UNITS_BYTES[unit.upper() or "B"])
            return prune(library / "cache", limit_bytes).removed_bytes
    raise QuestionError(
        f"--prune: {amount!r} is neither a size that may stay (0, 500MB, 20GB) nor an age "
        "(12h, 30d, 8w)"
    )


def cache_json(
    snapshot: Snapshot, usages: Sequence[SourceUsage], removed: int | None
) -> dict[str, Any]:
    """What `cache --json` prints."""
    return {
        "size_bytes": sum(usage.size_bytes for usage in usages),
        "removed_bytes": removed,
        "sources": [
            {
                "id": usage.source_id,
                "name": _name(snapshot, usage),
                "used_at": _time(usage.used_at),
                "entries": usage.entries,
                "size_bytes": usage.size_bytes,
                "stages": [
                    {
                        "stage": stage.stage,
                        "entries": stage.entries,
                        "size_bytes": stage.size_bytes,
                    }
                    for stage in usage.stages
                ],
            }
            for usage in usages
        ],
    }


def print_cache(
    console: Console, snapshot: Snapshot, usages: Sequence[SourceUsage], removed: int | None
) -> None:
    """A line for each stage of each source, then the sum."""
    table = Table(box=None, pad_edge=False)
    for column in ("source", "stage"):
        table.add_column(column)
    for column in ("entries", "MB"):
        table.add_column(column, justify="right")
    table.add_column("last used")
    for usage in usages:
        # A source that failed, or whose run goes on, has no name in the catalog yet.
        shown = _name(snapshot, usage) or f"{usage.source_id[:12]} (not in the library)"
        for stage in usage.stages:
            size = f"{stage.size_bytes / BYTES_PER_MEGABYTE:.2f}"
            table.add_row(Text(shown), stage.stage, str(stage.entries), size, _time(usage.used_at))
            shown = ""
    if usages:
        console.print(table)
    total_bytes = sum(usage.size_bytes for usage in usages)
    if removed is not None:
        console.print(f"{removed / BYTES_PER_MEGABYTE:.2f} MB removed")
    console.print(f"{total_bytes / BYTES_PER_MEGABYTE:.2f} MB cached of {len(usages)} sources")


def look(library: Path) -> tuple[Snapshot, list[SourceUsage]]:
    """The library's catalog, for names, and what is cached."""
    return Snapshot.open(library), cache_usage(library)


def _name(snapshot: Snapshot, usage: SourceUsage) -> str | None:
    source = snapshot.sources.get(usage.source_id)
    return None if source is None else source.name


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
