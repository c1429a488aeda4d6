"""What `secondsight compact` and `secondsight forget` print."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console

from index.compaction import CompactionReport, MergeListener
from index.manifest import ShardEntry
from index.records import Source
from secondsight.present import BYTES_PER_MEGABYTE


def progress(console: Console) -> MergeListener:
    """A listener that prints a line for every merge."""

    def tell(members: Sequence[ShardEntry]) -> None:
        moments = sum(shard.moments for shard in members)
        forgotten = sum(len(shard.forgotten) for shard in members)
        merging = f"{len(members)} shards, " if len(members) > 1 else ""
        dropping = f"; dropping {forgotten} forgotten sources" if forgotten else ""
        console.print(f"writing anew: {merging}{moments} moments{dropping}", highlight=False)

    return tell


def print_compaction(console: Console, report: CompactionReport) -> None:
    """One line about a compaction."""
    if not report.merges:
        console.print(f"nothing to compact in {report.shards_before} shards", highlight=False)
        return
    console.print(
        f"{report.shards_before} shards became {report.shards_after}, "
        f"{report.bytes_before / BYTES_PER_MEGABYTE:.1f} MB became "
        f"{report.bytes_after / BYTES_PER_MEGABYTE:.1f} MB",
        highlight=False,
    )


def compaction_json(report: CompactionReport) -> dict[str, Any]:
    """A compaction, as `compact --json` prints it."""
    return asdict(report)


def print_forgotten(
    console: Console, forgotten: Sequence[Source], waiting: Collection[str]
) -> None:
    """A line for every forgotten source; `waiting`: ids of those whose bytes are still there."""
    for source in forgotten:
        console.print(f"forgotten: {source.name} ({source.id})", markup=False)
    if any(source.id in waiting for source in forgotten):
        console.print(
            "not found any more; bytes in a shard shared with other sources go with the next "
            "`secondsight compact` (at once: `secondsight forget --purge`)"
        )


def forgotten_json(forgotten: Sequence[Source], waiting: Collection[str]) -> dict[str, Any]:
    """What was forgotten, as `forget --json` prints it."""
    return {
        "forgotten": [
            {"id": source.id, "name": source.name, "bytes_gone": source.id not in waiting}
            for source in forgotten
        ]
    }
