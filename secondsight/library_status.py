"""What a library holds, told in one record."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from index.files import tree_bytes
from index.inventory import InventoryRow
from index.metadata import SourceMetadata
from index.records import Source
from index.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class LibraryStatus:
    """What a library holds at one generation, and the files that failed."""

    directory: Path
    generation: int
    sources: tuple[Source, ...]
    paths: dict[str, tuple[str, ...]]
    """Paths under which each source id was seen."""
    failures: tuple[InventoryRow, ...]
    num_segments: int
    num_moments: int
    moments_by_source: dict[str, int]
    size_bytes: int | None
    """All files together; None where sources are left out: it would tell of those."""
    metadata: dict[str, SourceMetadata]
    """What is said about each source id, and its permission tags."""
    num_shards: int | None
    """None where sources are left out."""
    num_forgotten: int | None
    """Forgotten sources whose bytes wait in shared shards for the next compaction; None where
    sources are left out."""


def status_of(snapshot: Snapshot, permissions: Collection[str] | None) -> LibraryStatus:
    """See `Library.status`."""
    metadata = {id_: snapshot.metadata.of(id_) for id_ in snapshot.sources}
    shown = [
        source for source in snapshot.sources.values() if metadata[source.id].open_to(permissions)
    ]
    ids = [source.id for source in shown]
    all_shown = len(ids) == len(snapshot.sources)
    shards = snapshot.manifest.shards
    counts = {id_: len(snapshot.source_range(id_)) for id_ in ids}
    return LibraryStatus(
        directory=snapshot.directory,
        generation=snapshot.generation,
        sources=tuple(shown),
        paths={id_: snapshot.paths(id_) for id_ in ids},
        failures=tuple(
            row for row in snapshot.inventory() if row.outcome == "failed" and all_shown
        ),
        num_segments=snapshot.num_segments
        if all_shown
        else sum(len(snapshot.segments_of(id_)) for id_ in ids),
        num_moments=sum(counts.values()),
        moments_by_source=counts,
        size_bytes=tree_bytes(snapshot.directory) if all_shown else None,
        metadata={id_: metadata[id_] for id_ in ids},
        num_shards=len(shards) if all_shown else None,
        num_forgotten=sum(len(shard.forgotten) for shard in shards) if all_shown else None,
    )
