"""Forgetting: sources that are found no more, and whose bytes go.

A source that has a shard to itself goes with it, bytes and all. One that shares a shard with others
is unfindable at once, by a tombstone in the manifest; its bytes go when the shard is next written
anew: by compaction, or right away by purging.
"""

from __future__ import annotations

from pathlib import Path

from index.compaction import compaction_area, rewrite
from index.errors import LibraryError
from index.manifest import Manifest, ShardEntry, read_manifest, writer_lock
from index.publishing import publish_state
from index.shard import shards_without, sweep, sweep_locked


def forget_source(library: Path, source_id: str) -> Manifest:
    """Make a source and its paths unfindable; returns the new manifest.

    Its bytes go too unless it shares a shard with others (`ShardEntry.forgotten` names it then).
    Readers that have it open keep it until they refresh. A second call after a crash finishes
    the first. Raises LibraryError when there is no such source or the disk refuses.
    """
    with writer_lock(library):
        manifest = read_manifest(library)
        if manifest.shard_of(source_id) is None:
            sweep_locked(library, manifest)
            raise LibraryError(
                f"{library} holds no source {source_id}; list them with: secondsight status"
            )
        kept = tuple(shards_without(manifest, [source_id]))
        manifest = publish_state(library, manifest, shards=kept, forgotten=(source_id,))
        sweep_locked(library, manifest)
        return manifest


def purge_source(library: Path, source_id: str) -> Manifest:
    """Remove a source and all its bytes, also when it is already forgotten.

    What shares a shard with it is written anew; a compaction that is running is waited for, since
    it may hold a copy. Raises LibraryError when there is no such source or the disk refuses.
    """
    manifest = read_manifest(library)
    if manifest.shard_of(source_id) is not None or not _holders(manifest, source_id):
        forget_source(library, source_id)
    with compaction_area(library) as area:
        while holders := _holders(manifest := read_manifest(library), source_id):
            rewrite(library, area, [holders[0]])
    sweep(library)
    return manifest


def _holders(manifest: Manifest, source_id: str) -> list[ShardEntry]:
    """Shards whose files still hold a source that is forgotten."""
    return [shard for shard in manifest.shards if source_id in shard.forgotten]
