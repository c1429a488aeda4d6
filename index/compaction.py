"""Compaction: small shards become one larger, and what is forgotten of them is dropped.

Every commit adds a shard, and every shard costs each search and each opening a little. Neighbours
of like size are merged, ten at a time as a rule, so that a moment is written anew a few times in
all: a merged shard has at least twice the moments of its largest part (as the log-structured
merges of Lucene and O'Neil et al., 1996). Neighbours only: moments keep their order, hence their
numbers and the order among equals. Shards stay below a bound, so that no compaction rewrites the
whole archive.

Readers are not disturbed. A merged shard is staged beside the others and published by a new
manifest, which takes over what was forgotten meanwhile. Killed work is swept and done again.
Nothing but the last step holds the writer lock.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from index.errors import LibraryError
from index.manifest import Manifest, ShardEntry, read_manifest, writer_lock
from index.merging import merge_shards
from index.settings import CompactionSettings
from index.shard import drop_staged, move_in, staging_area

_AREA_NAME = "compaction"
_MOST_SHARDS = 100
"""A merge keeps every shard open that goes into it."""
_FORGOTTEN_SHARE = 0.2
"""A shard of whose sources this share is forgotten is worth being written anew by itself."""


@dataclass(frozen=True, slots=True)
class CompactionReport:
    """What a compaction did."""

    merges: int
    shards_before: int
    shards_after: int
    bytes_before: int
    bytes_after: int


MergeListener = Callable[[Sequence[ShardEntry]], None]
"""Told the shards that are merged next."""


def ignore_merges(_: Sequence[ShardEntry]) -> None:
    """Listen to nothing."""


def compact(
    library: Path,
    settings: CompactionSettings,
    *,
    forgotten_share: float = 0.0,
    listener: MergeListener = ignore_merges,
) -> CompactionReport:
    """Merge shards until no more are due, and drop what is forgotten.

    Shards that are not merged are written anew when more than `forgotten_share` of their sources
    are forgotten. Waits for a compaction that is running. Raises LibraryError when a shard cannot
    be read or the disk refuses; what was merged until then stays.
    """
    before = read_manifest(library)
    merges = 0
    with compaction_area(library) as area:
        while members := due(read_manifest(library).shards, settings, forgotten_share):
            listener(members)
            merges += rewrite(library, area, members)
    after = read_manifest(library)
    return CompactionReport(
        merges=merges,
        shards_before=len(before.shards),
        shards_after=len(after.shards),
        bytes_before=_bytes_of(before),
        bytes_after=_bytes_of(after),
    )


def compact_a_little(library: Path, settings: CompactionSettings) -> CompactionReport:
    """What runs beside an ingest: shards are written anew only when much of them is forgotten."""
    return compact(library, settings, forgotten_share=_FORGOTTEN_SHARE)


def is_due(library: Path, settings: CompactionSettings) -> bool:
    """Whether `compact_a_little` would find something to do; reads the manifest only."""
    return bool(due(read_manifest(library).shards, settings, _FORGOTTEN_SHARE))


def compaction_area(library: Path) -> AbstractContextManager[Path]:
    """A staging area that one compaction has at a time; see `staging_area`."""
    return staging_area(library, _AREA_NAME)


# --- what to merge -------------------------------------------------------------------------------


def due(
    shards: Sequence[ShardEntry], settings: CompactionSettings, forgotten_share: float
) -> tuple[ShardEntry, ...]:
    """The shards to write as one next; none: nothing is due."""
    sizes = [shard.moments for shard in shards]
    windows = [_window(sizes, first, settings) for first in range(len(sizes))]
    found = [window for window in windows if window is not None]
    if found:
        smallest = min(found, key=lambda window: (_total(sizes, window), window.start))
        window = _widened(sizes, smallest, settings.largest_moments)
        return tuple(shards[window.start : window.stop])
    for shard in shards:
        held = len(shard.sources) + len(shard.forgotten)
        if len(shard.forgotten) > forgotten_share * held:
            return (shard,)
    return ()


def _window(sizes: Sequence[int], first: int, settings: CompactionSettings) -> range | None:
    """The neighbours from `first` on that are worth merging, or None.

    As many as a merge takes, or as fit into the largest shard when they fill more than half of it;
    the result is at least twice the largest of them.
    """
    stop, total = first, 0
    while stop < len(sizes) and stop - first < settings.shards_per_merge:
        if total + sizes[stop] > settings.largest_moments:
            break
        total += sizes[stop]
        stop += 1
    is_full = stop < len(sizes) and total > settings.largest_moments // 2
    if stop - first < settings.shards_per_merge and not (is_full and stop - first > 1):
        return None
    return range(first, stop) if 2 * max(sizes[first:stop]) <= total else None


def _widened(sizes: Sequence[int], window: range, limit: int) -> range:
    """With more neighbours that are no larger than the largest, while there is room."""
    largest, total = max(sizes[window.start : window.stop]), _total(sizes, window)
    first, stop = window.start, window.stop
    for step in (1, -1):
        while stop - first < _MOST_SHARDS:
            next_one = stop if step > 0 else first - 1
            if not 0 <= next_one < len(sizes):
                break
            if sizes[next_one] > largest or total + sizes[next_one] > limit:
                break
            total += sizes[next_one]
            first, stop = (first, stop + 1) if step > 0 else (first - 1, stop)
    return range(first, stop)


def _total(sizes: Sequence[int], window: range) -> int:
    return sum(sizes[window.start : window.stop])


# --- doing it ------------------------------------------------------------------------------------


def rewrite(library: Path, area: Path, members: Sequence[ShardEntry]) -> bool:
    """Write neighbouring shards as one, without what is forgotten, and put it in their place.

    `area` is the `compaction_area`. False when one of them is no longer in the library: all of it
    was forgotten or read again meanwhile, and the merged shard, which holds it, is dropped.
    Raises LibraryError when a shard cannot be read or the disk refuses; the library is as before.
    """
    staged = area / uuid.uuid4().hex
    try:
        merged = merge_shards(library, staged, members)
    except LibraryError:
        if _all_named(read_manifest(library), members):
            raise
        return False
    with writer_lock(library):
        manifest = read_manifest(library)
        named = _all_named(manifest, members)
        if named:
            shards = _exchanged(manifest.shards, members, merged)
            move_in(library, manifest, staged, merged.id, shards)
    if not named:
        drop_staged(staged)
    return named


def _all_named(manifest: Manifest, members: Sequence[ShardEntry]) -> bool:
    return {member.id for member in members} <= {shard.id for shard in manifest.shards}


def _exchanged(
    shards: Sequence[ShardEntry], members: Sequence[ShardEntry], merged: ShardEntry
) -> tuple[ShardEntry, ...]:
    """The shards with a merged one in place of its parts; what was forgotten since stays so."""
    ids = [member.id for member in members]
    now = {source for shard in shards if shard.id in ids for source in shard.sources}
    since = [source for source in merged.sources if source not in now]
    kept = [shard for shard in shards if shard.id == ids[0] or shard.id not in ids]
    return tuple(merged.without(since) if shard.id == ids[0] else shard for shard in kept)


def _bytes_of(manifest: Manifest) -> int:
    return sum(size_bytes for shard in manifest.shards for size_bytes, _ in shard.files.values())
