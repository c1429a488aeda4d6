"""Publishing another state of a library: its shards, its inventory, its pages on screen.

Tables of the whole library are written anew beside the old ones, named by the manifest that is
renamed into place, and the old ones deleted afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from index.files import disk_error, sync_file
from index.inventory import InventoryRow, write_inventory
from index.links import read_links, write_links
from index.manifest import Manifest, ShardEntry, publish, read_manifest, writer_lock
from index.records import PageOnScreen, Span


def publish_state(
    library: Path,
    manifest: Manifest,
    *,
    shards: tuple[ShardEntry, ...] | None = None,
    rows: Sequence[InventoryRow] = (),
    forgotten: Collection[str] = (),
    links: Sequence[PageOnScreen] | None = None,
) -> Manifest:
    """Publish what changes after `manifest`, the current one, and return the new manifest.

    `shards` and `links` take the place of all that are there (None: they stay), `rows` are added
    to the inventory; nothing of the `forgotten` sources is in the new tables. Call it inside
    `writer_lock`. Raises LibraryError when the disk refuses; the library is as before then.
    """
    shards = manifest.shards if shards is None else shards
    if links is None and forgotten and manifest.links is not None:
        held = read_links(library / manifest.links)
        left = [one for one in held if not {one.document_id, one.video_id} & set(forgotten)]
        links = left if len(left) < len(held) else None
    with_rows = bool(rows) or (bool(forgotten) and manifest.inventory is not None)
    if shards == manifest.shards and not with_rows and links is None:
        return manifest
    changed = replace(manifest, generation=manifest.generation + 1, shards=shards)
    if with_rows:
        old = None if manifest.inventory is None else library / manifest.inventory
        name = f"inventory-{changed.generation:08d}.duckdb"
        _write_synced(library / name, lambda path: write_inventory(path, old, rows, forgotten))
        changed = replace(changed, inventory=name)
    if links is not None:
        table = f"links-{changed.generation:08d}.duckdb" if links else None
        if table is not None:
            _write_synced(library / table, lambda path: write_links(path, links))
        changed = replace(changed, links=table)
    publish(library, changed)
    for before, after in (
        (manifest.inventory, changed.inventory),
        (manifest.links, changed.links),
    ):
        if before is not None and before != after:
            (library / before).unlink(missing_ok=True)
    return changed


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
