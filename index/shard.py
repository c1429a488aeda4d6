"""Shards: immutable pieces of a library. Written aside, then published by a new manifest.

The order on disk makes every crash harmless: a shard is complete and synced before it moves to
`shards/`, it is there before the manifest names it, and what no manifest names is swept.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from index.catalog import write_catalog
from index.errors import LibraryError, SecondsightError
from index.files import (
    disk_error,
    remove_tree,
    stamps_of,
    sync_directory,
    sync_tree,
)
from index.inventory import InventoryRow
from index.lexical import write_words
from index.manifest import (
    MANIFEST_NAME,
    SHARDS_NAME,
    STAGING_NAME,
    EmbedderIdentity,
    Manifest,
    ShardEntry,
    check_embedder,
    read_manifest,
    writer_lock,
)
from index.metadata import MetadataChange
from index.publishing import publish_state
from index.records import Moment, Segment, Source
from index.settings import Codes
from index.two_level import write_vectors

CATALOG_NAME = "catalog.duckdb"
LEXICAL_NAME = "lexical"
PICTURES_NAME = "pictures.bin"

LOCK_SUFFIX = ".lock"
_NOTHING: Mapping[str, MetadataChange] = MappingProxyType({})
_Vectors = npt.NDArray[np.float32]


# --- writing a shard aside -----------------------------------------------------------------------


@contextmanager
def staging_area(library: Path, name: str | None = None) -> Iterator[Path]:
    """A directory of one's own under `staging/`, for any number of shards being written.

    It is swept when its process has died and never before; leaving the context removes it. One
    with a `name` is had by one at a time: others wait for it.
    Sweeps what dead writers left. Raises LibraryError when the disk refuses.
    """
    sweep(library)
    area = library / STAGING_NAME / (name or uuid.uuid4().hex)
    lock = area.with_name(area.name + LOCK_SUFFIX)
    descriptor = _lock_new_file(lock)
    try:
        if name is not None:
            remove_tree(area)  # Its last owner may have died since the sweep.
        make_directory(area)
        yield area
    finally:
        # A worker of a run that is stopped may still write there: the next sweep takes the rest.
        with suppress(OSError):
            remove_tree(area)
            lock.unlink(missing_ok=True)
        os.close(descriptor)


def make_directory(path: Path) -> None:
    """Make a directory that is not there. Raises LibraryError when it is, or cannot be made."""
    try:
        path.mkdir()
    except OSError as error:
        raise disk_error(path, "write", error) from error


def _lock_new_file(path: Path) -> int:
    """Create and lock a file; again when a sweep took it between the two."""
    while True:
        try:
            path.parent.mkdir(exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise disk_error(path, "write", error) from error
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(path), os.fstat(descriptor)):
                return descriptor
        os.close(descriptor)


def write_shard(
    directory: Path,
    source: Source,
    segments: Sequence[Segment],
    moment_vectors: _Vectors,
    segment_vectors: _Vectors,
    *,
    rotation: _Vectors,
    codes: Codes = "8bit",
) -> ShardEntry:
    """Write a complete, synced shard into the new directory `directory` (in a staging area).

    `moment_vectors` (n, d) and `segment_vectors` (m, d) are unit float32 rows for the moments of
    all segments in order and for the segments; `rotation` (`read_rotation`) and `codes` are the
    library's.
    Raises ValueError on other shapes, SourceError when a time cannot be held exactly, LibraryError
    when the disk refuses; nothing is left then.
    """
    counts = [len(segment.moments) for segment in segments]
    if len(moment_vectors) != sum(counts) or len(segment_vectors) != len(segments):
        raise ValueError(
            f"got {len(moment_vectors)} and {len(segment_vectors)} vectors for {sum(counts)} "
            f"moments and {len(segments)} segments"
        )
    owners = np.repeat(np.arange(len(segments)), counts)
    return assemble_shard(
        directory,
        source,
        segments,
        lambda: write_vectors(
            directory, moment_vectors, owners, segment_vectors, rotation=rotation, codes=codes
        ),
    )


def assemble_shard(
    directory: Path,
    source: Source,
    segments: Sequence[Segment],
    write_its_vectors: Callable[[], None],
) -> ShardEntry:
    """As `write_shard`; `write_its_vectors` writes the vectors into `directory`."""
    moments = [moment for segment in segments for moment in segment.moments]
    make_directory(directory)
    try:
        pictures = _write_pictures(directory / PICTURES_NAME, moments)
        write_catalog(directory / CATALOG_NAME, [(source, segments)], pictures)
        write_its_vectors()
        write_words(
            directory / LEXICAL_NAME,
            [moment.text for moment in moments],
            headings=[moment.heading for moment in moments],
            names=[source.name] * len(moments),
        )
        return finished_shard(directory, [source.id], segments=len(segments), moments=len(moments))
    except OSError as error:
        drop_staged(directory)
        raise disk_error(directory, "write", error) from error
    except (SecondsightError, ValueError):
        drop_staged(directory)
        raise


def drop_staged(directory: Path) -> None:
    """Remove what was staged in vain; what a failing disk keeps is swept with its area."""
    with suppress(OSError):
        remove_tree(directory)


def _write_pictures(path: Path, moments: Sequence[Moment]) -> list[tuple[int, int] | None]:
    """Concatenate the moments' pictures, equal ones once; (offset, bytes) of each."""
    written: dict[bytes, tuple[int, int]] = {}
    places: list[tuple[int, int] | None] = []
    size_bytes = 0
    with path.open("wb") as stream:
        for moment in moments:
            picture = moment.read_picture()
            if picture is None:
                places.append(None)
                continue
            digest = hashlib.sha256(picture).digest()
            if digest not in written:
                written[digest] = (size_bytes, len(picture))
                size_bytes += stream.write(picture)
            places.append(written[digest])
    return places


def finished_shard(
    directory: Path, source_ids: Sequence[str], *, segments: int, moments: int
) -> ShardEntry:
    """Sync a shard all of whose files are written; its entry under a new id.

    Raises OSError or LibraryError.
    """
    sync_tree(directory)
    return ShardEntry(
        id=uuid.uuid4().hex,
        sources=tuple(source_ids),
        segments=segments,
        moments=moments,
        files=stamps_of(directory),
    )


# --- publishing ----------------------------------------------------------------------------------


def commit_shard(
    library: Path,
    staged: Path,
    entry: ShardEntry,
    rows: Sequence[InventoryRow],
    *,
    embedder: EmbedderIdentity,
    replace_present: bool = False,
    metadata: Mapping[str, MetadataChange] = _NOTHING,
) -> Manifest:
    """Publish a staged shard and what came of its paths; returns the new manifest.

    `metadata`, by source id, is published at the same stroke: no source is found before its tags.

    When the library holds the source already, another writer may have been faster: the staged
    shard is removed and only the rows are recorded. With `replace_present` the sources take their
    own place, at one stroke: a shard that holds only them goes, in one that holds others they are
    forgotten. Readers keep what they have open until they refresh; when none is there, it was
    forgotten meanwhile: nothing is published. On failure the library is as before and the shard is
    still staged. Raises EmbedderMismatchError, or LibraryError when the disk refuses.
    """
    with writer_lock(library):
        manifest = read_manifest(library)
        check_embedder(library, manifest, embedder)
        present = [name for name in entry.sources if manifest.shard_of(name) is not None]
        if replace_present and not present:
            drop_staged(staged)
            return manifest
        if present and not replace_present:
            if len(present) < len(entry.sources):
                raise LibraryError(f"{library} already holds {present[0]}, but not the whole shard")
            changed = publish_state(library, manifest, rows=rows, metadata=metadata)
            drop_staged(staged)
            return changed
        shards = (*shards_without(manifest, present), entry)
        return move_in(library, manifest, staged, entry.id, shards, rows=rows, metadata=metadata)


def shards_without(manifest: Manifest, source_ids: Collection[str]) -> list[ShardEntry]:
    """The shards when sources are no longer in the library: those of which nothing is left go."""
    changed = [
        shard.without(source_ids) if set(source_ids) & set(shard.sources) else shard
        for shard in manifest.shards
    ]
    return [shard for shard in changed if shard.sources]


def move_in(
    library: Path,
    manifest: Manifest,
    staged: Path,
    shard_id: str,
    shards: tuple[ShardEntry, ...],
    *,
    rows: Sequence[InventoryRow] = (),
    metadata: Mapping[str, MetadataChange] = _NOTHING,
) -> Manifest:
    """Publish `shards`, one of which is staged, after `manifest`; those no longer named go.

    Call it inside `writer_lock`. Raises LibraryError when the disk refuses; the library is then as
    before and the shard still staged.
    """
    target = library / SHARDS_NAME / shard_id
    try:
        os.rename(staged, target)
        sync_directory(target.parent)
        sync_directory(staged.parent)
        changed = publish_state(library, manifest, shards=shards, rows=rows, metadata=metadata)
    except OSError as error:
        _take_back(library, manifest, staged, target)
        raise disk_error(target, "write", error) from error
    except LibraryError:
        _take_back(library, manifest, staged, target)
        raise
    named = {shard.id for shard in shards}
    with suppress(OSError):  # No manifest names them any more: they are swept later.
        for shard in manifest.shards:
            if shard.id not in named:
                _remove_shard(library, library / SHARDS_NAME / shard.id)
    return changed


def _take_back(library: Path, before: Manifest, staged: Path, target: Path) -> None:
    """Undo the move of a shard, unless the manifest that names it got through."""
    if read_manifest(library).generation == before.generation and target.exists():
        # What cannot be moved back is named by no manifest, and swept later.
        with suppress(OSError):
            os.rename(target, staged)


def record_outcomes(
    library: Path,
    rows: Sequence[InventoryRow],
    *,
    metadata: Mapping[str, MetadataChange] = _NOTHING,
) -> Manifest:
    """Record what came of paths that changed no shard, and what is said of sources from now on.

    Returns the current manifest.

    Raises LibraryError when the disk refuses; nothing is recorded then.
    """
    with writer_lock(library):
        manifest = read_manifest(library)
        return publish_state(library, manifest, rows=rows, metadata=metadata)


# --- sweeping ------------------------------------------------------------------------------------


def sweep(library: Path) -> None:
    """Delete what crashed writers left: unnamed shards and tables, staging without a writer.

    Raises LibraryError when something cannot be deleted.
    """
    with writer_lock(library):
        sweep_locked(library, read_manifest(library))


def sweep_locked(library: Path, manifest: Manifest) -> None:
    """As `sweep`, inside `writer_lock`."""
    live = {shard.id for shard in manifest.shards}
    try:
        for shard in (library / SHARDS_NAME).iterdir():
            if shard.name not in live:
                _remove_shard(library, shard)
        named = {manifest.inventory, manifest.links, manifest.metadata}
        for kind in ("inventory", "links", "metadata"):
            for table in library.glob(f"{kind}-*"):
                if table.name not in named:
                    table.unlink(missing_ok=True)
        (library / (MANIFEST_NAME + ".new")).unlink(missing_ok=True)
        _sweep_staging(library / STAGING_NAME)
    except OSError as error:
        raise disk_error(library, "delete leftovers in", error) from error


def _remove_shard(library: Path, shard: Path) -> None:
    """Rename first, so that a reader that is just opening it fails at once and retries."""
    doomed = library / STAGING_NAME / f"{shard.name}.{uuid.uuid4().hex}"
    doomed.parent.mkdir(exist_ok=True)
    os.rename(shard, doomed)
    remove_tree(doomed)
    sync_directory(shard.parent)


def _sweep_staging(staging: Path) -> None:
    """Remove areas whose lock nobody holds, and directories without a lock."""
    staging.mkdir(exist_ok=True)
    for name in sorted(entry.name for entry in staging.iterdir()):
        if name.endswith(LOCK_SUFFIX):
            _sweep_area(staging / name.removesuffix(LOCK_SUFFIX))
        # Asked of the disk: a listing taken while an area is made may hold it and not its lock.
        elif not (staging / (name + LOCK_SUFFIX)).exists():
            remove_tree(staging / name)


def _sweep_area(area: Path) -> None:
    lock = area.with_name(area.name + LOCK_SUFFIX)
    try:
        descriptor = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        remove_tree(area)
        lock.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
