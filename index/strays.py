"""What stands in a library and belongs to no state of it: left by killed writers, or put there."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from index.manifest import (
    LOCK_NAME,
    MANIFEST_NAME,
    ROTATION_NAME,
    SHARDS_NAME,
    STAGING_NAME,
    Manifest,
    writer_lock,
)
from index.problems import Problem, ProblemKind
from index.shard import LEXICAL_NAME, LOCK_SUFFIX

_NOT_LOOKED_INTO = {"audit", "cache", "runs"}
"""Logs of answers and runs, and the stage cache: what is wrong there is found when it is used."""
_OWN_NAMES = {MANIFEST_NAME, ROTATION_NAME, LOCK_NAME, SHARDS_NAME, STAGING_NAME, *_NOT_LOOKED_INTO}
"""What stands in a library beside its tables."""
_TABLES = ("inventory-", "links-", "metadata-")
_SWEPT = "nothing reads it; the next ingest or forget removes it"
_DELETE = "nothing reads it; delete it"


def strays(library: Path, manifest: Manifest) -> list[Problem]:
    """Everything that the manifest does not name, without what living writers are writing."""
    # Under the lock nobody is between moving a shard into its place and naming it.
    lock = writer_lock(library) if os.access(library, os.W_OK) else nullcontext()
    with lock:
        return [
            Problem(ProblemKind.STRAY, name, "belongs to no state of the library", advice)
            for name, advice in sorted(
                {
                    *_root_strays(library, manifest),
                    *_shard_strays(library, manifest),
                    *_staging_strays(library / STAGING_NAME),
                }
            )
        ]


def _root_strays(library: Path, manifest: Manifest) -> Iterator[tuple[str, str]]:
    for entry in os.scandir(library):
        if entry.name not in _OWN_NAMES and entry.name not in manifest.table_names:
            swept = entry.name.endswith(".new") or entry.name.startswith(_TABLES)
            yield entry.name, _SWEPT if swept else _DELETE


def _shard_strays(library: Path, manifest: Manifest) -> Iterator[tuple[str, str]]:
    live = {shard.id: shard.files for shard in manifest.shards}
    shards = library / SHARDS_NAME
    for entry in os.scandir(shards) if shards.is_dir() else ():
        if entry.name not in live:
            yield f"{SHARDS_NAME}/{entry.name}", _SWEPT
            continue
        for folder, _, names in os.walk(entry.path):
            for name in names:
                path = Path(folder, name)
                # Who opens the words for reading leaves an empty lock there.
                if path.parent.name == LEXICAL_NAME and name.startswith(".tantivy-"):
                    continue
                if path.relative_to(entry.path).as_posix() not in live[entry.name]:
                    yield path.relative_to(library).as_posix(), _DELETE


def _staging_strays(staging: Path) -> Iterator[tuple[str, str]]:
    names = {entry.name for entry in os.scandir(staging)} if staging.is_dir() else set()
    for name in names:
        lock = staging / (name.removesuffix(LOCK_SUFFIX) + LOCK_SUFFIX)
        if lock.name not in names or not _is_held(lock):
            yield f"{STAGING_NAME}/{name}", _SWEPT


def _is_held(lock: Path) -> bool:
    """True while the process that made the lock lives."""
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except FileNotFoundError:
        return True  # gone just now, with its area
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
