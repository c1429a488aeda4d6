"""Libraries of older formats become ones of this format, shard by shard.

Each old shard is copied aside, its catalog migrated by the numbered scripts, what its vectors lack
derived, and the copy published in its place by a new manifest; until then the old one stays. An
upgrade that was killed goes on where it was.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from index.catalog import CatalogReader
from index.files import disk_error, stamps_of, sync_tree
from index.lexical import VERSION_NAME
from index.manifest import SHARDS_NAME, ShardEntry, read_manifest, writer_lock
from index.problems import verify_shard
from index.shard import (
    CATALOG_NAME,
    LEXICAL_NAME,
    drop_staged,
    move_in,
    staging_area,
)
from index.tables import is_older, migrate
from index.two_level import missing_files, write_missing
from index.word_upgrade import rewrite_words

_OBSOLETE = frozenset({"outliers.npy"})
_WORDS_VERSION = f"{LEXICAL_NAME}/{VERSION_NAME}"
"""Lexical indexes without it are of an older kind."""


def upgrade_library(library: Path, *, listener: Callable[[int, int], None]) -> int:
    """Bring all shards to the present format; returns how many were not.

    `listener` is told how many of how many are done. Raises LibraryError when a shard is damaged,
    newer than this code, or the disk refuses; those that are done stay done.
    """
    old = [entry for entry in read_manifest(library).shards if not _is_current(library, entry)]
    if not old:
        return 0
    with staging_area(library) as area:
        for done, entry in enumerate(old):
            listener(done, len(old))
            staged = area / entry.id
            _publish_instead(library, entry, staged, _upgraded(library, entry, staged))
        listener(len(old), len(old))
    return len(old)


def _is_current(library: Path, entry: ShardEntry) -> bool:
    catalog = library / SHARDS_NAME / entry.id / CATALOG_NAME
    complete = not missing_files(entry.files, entry.moments) and _WORDS_VERSION in entry.files
    return complete and not is_older(catalog, "catalog")


def _upgraded(library: Path, entry: ShardEntry, staged: Path) -> ShardEntry:
    """A complete, synced copy of a shard in the present format, at `staged`."""
    verify_shard(library, entry)
    directory = library / SHARDS_NAME / entry.id
    try:
        words_are_old = _WORDS_VERSION not in entry.files
        for name in sorted(entry.files.keys() - _OBSOLETE):
            if words_are_old and name.startswith(f"{LEXICAL_NAME}/"):
                continue
            (staged / name).parent.mkdir(parents=True, exist_ok=True)
            _copy(directory / name, staged / name, linked=name != CATALOG_NAME)
        migrate(staged / CATALOG_NAME, "catalog")
        write_missing(staged, missing_files(entry.files, entry.moments))
        if words_are_old:
            rewrite_words(CatalogReader(staged / CATALOG_NAME), staged / LEXICAL_NAME)
        sync_tree(staged)
        return replace(entry, id=uuid.uuid4().hex, files=stamps_of(staged))
    except OSError as error:
        raise disk_error(staged, "write", error) from error


def _copy(source: Path, target: Path, *, linked: bool) -> None:
    """Files that never change are shared, where the file system can; the rest is copied."""
    if linked:
        with suppress(OSError):
            os.link(source, target)
            return
    shutil.copyfile(source, target)


def _publish_instead(library: Path, old: ShardEntry, staged: Path, new: ShardEntry) -> None:
    """Put a shard in the place of another, unless that was forgotten or replaced meanwhile."""
    with writer_lock(library):
        manifest = read_manifest(library)
        if old not in manifest.shards:
            drop_staged(staged)
            return
        shards = tuple(new if shard == old else shard for shard in manifest.shards)
        move_in(library, manifest, staged, new.id, shards)
