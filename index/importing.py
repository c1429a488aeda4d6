"""Importing exports: their sources become shards, by the path that ingest takes.

An export may come from a stranger: only files that an export must have are read, none outside its
directory, all are checked against their checksums, and what they say must be able to be true.
"""

from __future__ import annotations

import stat
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from index.catalog_checks import catalog_outline, catalog_problems
from index.errors import EmbedderMismatchError, LibraryError, SettingsError
from index.exchange_reading import (
    read_links_table,
    read_metadata_tables,
    read_paths,
    read_segments,
    read_source_vectors,
    read_sources,
)
from index.exchange_tables import SOURCE_TABLES
from index.export import (
    LINKS_NAME,
    METADATA_NAME,
    PATHS_NAME,
    PICTURES_FOLDER,
    SOURCES_NAME,
    TAGS_NAME,
    ExchangeListener,
    ExportManifest,
    read_export_manifest,
    source_files,
)
from index.files import disk_error, file_sha256
from index.inventory import InventoryRow, read_inventory
from index.links import read_links
from index.manifest import (
    ROTATION_NAME,
    Manifest,
    ShardEntry,
    described,
    read_manifest,
    read_rotation,
)
from index.publishing import commit_links
from index.records import PageOnScreen, Source
from index.settings import Codes
from index.shard import CATALOG_NAME, assemble_shard, commit_shard, staging_area
from index.shard_checks import vector_problems
from index.two_level import write_rotated
from index.vectors import decoded

_SAME_ROTATION = 1e-5
"""Rotations of one seed differ by less between processors."""
_MOST_HEADER_BYTES = 4096


@dataclass(frozen=True, slots=True)
class ImportedSource:
    """What came of one source of an export."""

    id: str
    name: str
    outcome: Literal["added", "unchanged"]
    """`unchanged`: the library held it already."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came of an export."""

    sources: tuple[ImportedSource, ...]
    links: int
    """Pages on screen that were added."""
    recoded: bool
    """True when the library keeps vectors in other codes than the export."""


def import_sources(
    library: Path,
    directory: Path,
    *,
    with_paths: bool = False,
    listener: ExchangeListener = lambda name: None,
) -> ImportReport:
    """Add the sources of an export to a library, one after the other.

    Those that it holds are left as they are; killed in between, the rest comes with the next call.
    `with_paths`: also note where the files lay, at paths that the library does not know; only for
    exports from people one trusts, since the server hands out what lies at noted paths. Memory is
    bounded by the largest source. Raises EmbedderMismatchError, LibraryError when the export is
    damaged, says what cannot be, or does not fit the library, or a disk refuses.
    """
    exported = read_export_manifest(directory)
    manifest = read_manifest(library)
    _check_fit(library, manifest, directory, exported)
    _check_files(directory, exported)
    with _told(directory):
        _check_rotation(library, manifest, directory)
        sources = {one.id: (one, rate) for one, rate in read_sources(directory / SOURCES_NAME)}
        if [*sources] != sorted(one.id for one in exported.sources):
            raise ValueError("the table of sources is not that of export.json")
        rows = _new_paths(library, manifest, directory, sources.keys()) if with_paths else {}
        links = _links(directory, sources.keys())
        said = read_metadata_tables(directory / METADATA_NAME, directory / TAGS_NAME)
        if said.keys() - sources.keys():
            raise ValueError("metadata or tags are those of no source of the export")
    done = []
    with staging_area(library) as area:
        for told in exported.sources:
            source, rate = sources[told.id]
            if manifest.shard_of(source.id) is not None:
                done.append(ImportedSource(source.id, source.name, "unchanged"))
                continue
            listener(source.name)
            staged = area / source.id
            entry = _staged(manifest, directory, exported.codes, source, rate, staged)
            own = rows.get(source.id, ())
            # With its tags at one stroke: nobody finds it before.
            tags = {source.id: said[source.id]} if source.id in said else {}
            commit_shard(library, staged, entry, own, embedder=exported.embedder, metadata=tags)
            done.append(ImportedSource(source.id, source.name, "added"))
    recoded = exported.codes != manifest.codes
    return ImportReport(tuple(done), _add_links(library, links), recoded)


@contextmanager
def _told(directory: Path) -> Iterator[None]:
    """Tell of what a file of an export says and cannot be as a LibraryError."""
    try:
        yield
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, SettingsError) as error:
        raise LibraryError(
            f"{directory} says what cannot be: {error}; export the sources again"
        ) from error


# --- checking ------------------------------------------------------------------------------------


def _check_fit(
    library: Path, manifest: Manifest, directory: Path, exported: ExportManifest
) -> None:
    if exported.embedder != manifest.embedder:
        raise EmbedderMismatchError(
            f"{directory} was embedded by {described(exported.embedder)}, {library} by "
            f"{described(manifest.embedder)}; import it into a library made with "
            "the configuration of the export, or ingest its files"
        )


def _check_files(directory: Path, exported: ExportManifest) -> None:
    """Raise LibraryError unless the export has the files it must have, as they were written."""
    expected = {SOURCES_NAME, PATHS_NAME, LINKS_NAME, METADATA_NAME, TAGS_NAME, ROTATION_NAME}
    for source in exported.sources:
        expected |= set(source_files(source.id).values())
    strange = expected ^ exported.files.keys()
    if strange:
        raise LibraryError(
            f"{directory} cannot be an export: {min(strange)!r} is missing from export.json, or "
            "should not be in it"
        )
    try:
        for folder in (*SOURCE_TABLES, PICTURES_FOLDER):
            if not stat.S_ISDIR((directory / folder).lstat().st_mode):
                raise LibraryError(f"{directory / folder} is no directory")
        for name, (size_bytes, sha256) in exported.files.items():
            path = directory / name
            status = path.lstat()
            intact = stat.S_ISREG(status.st_mode) and status.st_size == size_bytes
            if not intact or file_sha256(path) != sha256:
                raise LibraryError(f"{path} is damaged; copy or export the sources again")
    except OSError as error:
        raise disk_error(directory, "read", error) from error


def _check_rotation(library: Path, manifest: Manifest, directory: Path) -> None:
    """Raise LibraryError unless codes mean the same in both."""
    path, dims = directory / ROTATION_NAME, manifest.embedder.dims
    if path.stat().st_size > 4 * dims * dims + _MOST_HEADER_BYTES:
        raise ValueError(f"{ROTATION_NAME} is too large")
    theirs, ours = np.load(path, mmap_mode="r"), read_rotation(library, manifest)
    if theirs.shape != ours.shape or not np.allclose(theirs, ours, rtol=0, atol=_SAME_ROTATION):
        raise LibraryError(
            f"{directory} has vectors that are rotated in another way than those of {library}; "
            "ingest its files instead"
        )


def _new_paths(
    library: Path, manifest: Manifest, directory: Path, source_ids: Collection[str]
) -> dict[str, list[InventoryRow]]:
    """Where the export says each source lay, but for paths that the library knows."""
    held = [] if manifest.inventory is None else read_inventory(library / manifest.inventory)
    known = {row.path for row in held}
    found: defaultdict[str, list[InventoryRow]] = defaultdict(list)
    for row in read_paths(directory / PATHS_NAME):
        own = row.source_id
        if row.outcome not in ("added", "unchanged") or own is None or own not in source_ids:
            raise ValueError("a path is that of no source of the export")
        if row.path not in known:
            found[own].append(row)
    return found


# --- adding --------------------------------------------------------------------------------------


def _staged(
    manifest: Manifest, directory: Path, codes: Codes, source: Source, rate: int, staged: Path
) -> ShardEntry:
    """Write a source of an export, whose vectors are in `codes`, as a shard at `staged`."""
    dims = manifest.embedder.dims
    paths = {table: directory / name for table, name in source_files(source.id).items()}
    with _told(directory):
        segments = read_segments(paths, paths[PICTURES_FOLDER], rate)
        counts = [len(segment.moments) for segment in segments]
        vectors = read_source_vectors(
            paths, codes, dims, moments=sum(counts), segments=len(segments)
        )
        owners = np.repeat(np.arange(len(segments)), counts)
        # Codes are read back in the middle of their range: the same ones are written again.
        moment_rows = decoded(vectors.stored, vectors.codes)
        entry = assemble_shard(
            staged,
            source,
            segments,
            lambda: write_rotated(
                staged,
                moment_rows,
                owners,
                vectors.segments,
                vectors.cosines,
                codes=manifest.codes,
            ),
        )
    outline = catalog_outline(staged / CATALOG_NAME)
    for what in (
        *catalog_problems(staged / CATALOG_NAME),
        *vector_problems(staged, outline, manifest.embedder, manifest.codes),
    ):
        raise LibraryError(f"{directory} says of {source.name} what cannot be: {what}")
    return entry


def _links(directory: Path, source_ids: Collection[str]) -> list[PageOnScreen]:
    links = read_links_table(directory / LINKS_NAME)
    for link in links:
        if link.document_id not in source_ids or link.video_id not in source_ids:
            raise ValueError("pages on screen are those of no source of the export")
    return links


def _add_links(library: Path, links: Sequence[PageOnScreen]) -> int:
    """Add the links of pairs that the library does not link; how many there were."""
    manifest = read_manifest(library)
    held = [] if manifest.links is None else read_links(library / manifest.links)
    known = {(link.video_id, link.document_id) for link in held}
    new = [link for link in links if (link.video_id, link.document_id) not in known]
    commit_links(library, {(link.video_id, link.document_id) for link in new}, new)
    return len(new)
