"""Publishing another state of a library: shards, inventory, pages on screen, metadata.

Tables of the whole library are written anew beside the old ones, named by the manifest that is
renamed into place, and the old ones deleted afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from index.files import disk_error, stamp_of, sync_file
from index.inventory import InventoryRow, write_inventory
from index.links import read_links, write_links
from index.manifest import Manifest, ShardEntry, publish, read_manifest, writer_lock
from index.metadata import (
    NO_METADATA,
    MetadataChange,
    SourceMetadata,
    read_metadata,
    write_metadata,
)
from index.records import PageOnScreen, Span

_NOTHING: Mapping[str, MetadataChange] = MappingProxyType({})


def publish_state(
    library: Path,
    manifest: Manifest,
    *,
    shards: tuple[ShardEntry, ...] | None = None,
    rows: Sequence[InventoryRow] = (),
    forgotten: Collection[str] = (),
    links: Sequence[PageOnScreen] | None = None,
    metadata: Mapping[str, MetadataChange] = _NOTHING,
) -> Manifest:
    """Publish what changes after `manifest`, the current one, and return the new manifest.

    `shards` and `links` take the place of all that are there (None: they stay), `rows` are added
    to the inventory, `metadata` is what changes of it, by source id; nothing of the `forgotten`
    sources is in the new tables. Call it inside `writer_lock`. Raises LibraryError when the disk
    refuses; the library is as before then.
    """
    shards = manifest.shards if shards is None else shards
    if links is None and forgotten and manifest.links is not None:
        held = read_links(library / manifest.links)
        left = [one for one in held if not {one.document_id, one.video_id} & set(forgotten)]
        links = left if len(left) < len(held) else None
    said = _metadata_after(library, manifest, shards, metadata, forgotten)
    tables: dict[str, Callable[[Path], None] | None] = {}
    if rows or (forgotten and manifest.inventory is not None):
        old = None if manifest.inventory is None else library / manifest.inventory
        tables["inventory"] = lambda path: write_inventory(path, old, rows, forgotten)
    if links is not None:
        tables["links"] = partial(write_links, links=links) if links else None
    if said is not None:
        tables["metadata"] = partial(write_metadata, held=said) if said else None
    if shards == manifest.shards and not tables:
        return manifest
    changed = replace(manifest, generation=manifest.generation + 1, shards=shards)
    names: dict[str, Any] = {}
    for kind, write in tables.items():
        names[kind] = None if write is None else f"{kind}-{changed.generation:08d}.duckdb"
        if write is not None:
            _write_synced(library / names[kind], write)
    changed = replace(changed, **names)
    changed = replace(changed, tables=_table_stamps(library, manifest, changed))
    publish(library, changed)
    for kind in tables:
        before = getattr(manifest, kind)
        if before is not None:
            with suppress(OSError):  # No manifest names it any more: it is swept later.
                (library / before).unlink(missing_ok=True)
    return changed


def _metadata_after(
    library: Path,
    manifest: Manifest,
    shards: Sequence[ShardEntry],
    changes: Mapping[str, MetadataChange],
    forgotten: Collection[str],
) -> dict[str, SourceMetadata] | None:
    """What is said about the sources then; None when that stays as it is."""
    if not changes and (not forgotten or manifest.metadata is None):
        return None
    held = {} if manifest.metadata is None else read_metadata(library / manifest.metadata)
    present = {source for shard in shards for source in shard.sources}
    said = {source: what for source, what in held.items() if source not in forgotten}
    for source in present & changes.keys():
        said[source] = changes[source].applied_to(said.get(source, NO_METADATA))
    said = {source: what for source, what in said.items() if what != NO_METADATA}
    return None if said == held else said


def _table_stamps(library: Path, before: Manifest, after: Manifest) -> dict[str, tuple[int, str]]:
    """Bytes and SHA-256 of the tables that a state names; those of new ones are reckoned."""
    kept = {name: before.tables[name] for name in after.table_names if name in before.tables}
    new = set(after.table_names) - set(before.table_names)
    return kept | {name: stamp_of(library / name) for name in sorted(new)}


def _write_synced(path: Path, write: Callable[[Path], None]) -> None:
    write(path)
    try:
        sync_file(path)
    except OSError as error:
        raise disk_error(path, "write", error) from error


def commit_links(
    library: Path, pairs: Collection[tuple[str, str]], links: Sequence[PageOnScreen]
) -> Manifest:
    """Publish the links of (video id, document id) pairs; what these pairs had before goes.

    Links of a source that was forgotten meanwhile are left out. Returns the current manifest.
    Raises LibraryError when the disk refuses; nothing is changed then.
    """
    with writer_lock(library):
        manifest = read_manifest(library)
        held = [] if manifest.links is None else read_links(library / manifest.links)
        kept = [one for one in held if (one.video_id, one.document_id) not in pairs]
        present = [
            one
            for one in links
            if manifest.shard_of(one.video_id) and manifest.shard_of(one.document_id)
        ]
        joined = sorted([*kept, *present], key=_by_video_and_time)
        return manifest if joined == held else publish_state(library, manifest, links=joined)


def _by_video_and_time(link: PageOnScreen) -> tuple[str, Span, str, int]:
    return link.video_id, link.span, link.document_id, link.page
