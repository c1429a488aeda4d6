"""What the stage cache of a library holds, and removing what was not used for long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from index.files import disk_error
from ingest.cache import BULK, cache_folder
from ingest.cache_limit import remove_unheld


@dataclass(frozen=True, slots=True)
class StageUsage:
    """The outputs of one stage of one source."""

    stage: str
    entries: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class SourceUsage:
    """What is cached of one source."""

    source_id: str
    stages: tuple[StageUsage, ...]
    """By name."""
    used_at: float
    """When an entry was last written or read, in seconds since 1970."""

    @property
    def entries(self) -> int:
        """Outputs of all stages."""
        return sum(stage.entries for stage in self.stages)

    @property
    def size_bytes(self) -> int:
        """Bytes of all stages."""
        return sum(stage.size_bytes for stage in self.stages)


def cache_usage(library: Path) -> list[SourceUsage]:
    """What is cached of each source, most recently used first; what vanishes is passed over.

    Raises LibraryError when the cache cannot be read.
    """
    root = library / "cache"
    try:
        folders = [folder for folder in root.iterdir() if folder.is_dir()] if root.is_dir() else []
        found = [usage for folder in folders if (usage := _usage(folder)) is not None]
    except OSError as error:
        raise disk_error(root, "read", error) from error
    return sorted(found, key=lambda usage: (-usage.used_at, usage.source_id))


def prune_unused(library: Path, unused_s: float) -> int:
    """Remove what is cached of sources not used for `unused_s` seconds; returns the bytes.

    Sources in work are passed over. Raises LibraryError when the cache cannot be read.
    """
    until = time.time() - unused_s
    old = [usage for usage in cache_usage(library) if usage.used_at < until]
    gone = [usage for usage in old if remove_unheld(cache_folder(library, usage.source_id))]
    return sum(usage.size_bytes for usage in gone)


def _usage(folder: Path) -> SourceUsage | None:
    counts: dict[str, tuple[int, int]] = {}
    used_at = 0.0
    for name, size_bytes, mtime in _entries(folder):
        # An entry is `stage-key`; one that is being written begins with a dot and ends with more.
        stage = name.removeprefix(".").partition("-")[0]
        entries, total_bytes = counts.get(stage, (0, 0))
        counts[stage] = (entries + (not name.endswith(BULK)), total_bytes + size_bytes)
        used_at = max(used_at, mtime)
    if not counts:
        return None
    stages = tuple(StageUsage(stage, *count) for stage, count in sorted(counts.items()))
    return SourceUsage(folder.name, stages, used_at)


def _entries(folder: Path) -> Iterator[tuple[str, int, float]]:
    with suppress(FileNotFoundError):
        for entry in folder.iterdir():
            with suppress(FileNotFoundError):
                status = entry.stat()
                yield entry.name, status.st_size, status.st_mtime
