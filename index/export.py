"""Exports: sources in an open format, whole in one directory, to be read with other tools.

docs/format.md describes it. `export.json` is written last: without it an export is not complete.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from index.catalog import CatalogReader
from index.errors import LibraryError
from index.exchange_tables import (
    SOURCE_TABLES,
    SourceVectors,
    place_of,
    write_source_tables,
    write_source_vectors,
    write_sources,
)
from index.files import disk_error, replace_file, stamps_of, sync_tree
from index.inventory import inventory_columns, read_inventory
from index.links import link_columns, read_links
from index.manifest import (
    ROTATION_NAME,
    SHARDS_NAME,
    EmbedderIdentity,
    Manifest,
    body_checksum,
    read_rotation,
)
from index.metadata import metadata_columns, read_metadata
from index.records import Source
from index.settings import ALL_CODES, Codes
from index.shard import CATALOG_NAME, PICTURES_NAME
from index.tables import write_parquet
from index.two_level import ShardVectors

FORMAT_VERSION = 1
"""Version of the layout of exports that this code writes and reads."""

EXPORT_NAME = "export.json"
SOURCES_NAME = "sources.parquet"
PATHS_NAME = "paths.parquet"
LINKS_NAME = "page_on_screen.parquet"
METADATA_NAME = "metadata.parquet"
TAGS_NAME = "tags.parquet"
PICTURES_FOLDER = "pictures"

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Exported:
    """One source of an export."""

    id: str
    name: str
    segments: int
    moments: int


@dataclass(frozen=True, slots=True)
class ExportManifest:
    """What an export holds, and the bytes and SHA-256 of its files."""

    embedder: EmbedderIdentity
    codes: Codes
    sources: tuple[Exported, ...]
    files: dict[str, tuple[int, str]]


ExchangeListener = Callable[[str], None]
"""Told the name of each source when its turn comes."""


def source_files(source_id: str) -> dict[str, str]:
    """Names of a source's files in an export, by table. Raises LibraryError for no id."""
    if not _ID.fullmatch(source_id):
        raise LibraryError(f"{source_id!r} is no id of a source: 32 hex digits")
    names = {table: f"{table}/{source_id}.parquet" for table in SOURCE_TABLES}
    return {**names, PICTURES_FOLDER: f"{PICTURES_FOLDER}/{source_id}.bin"}


def export_sources(
    library: Path,
    manifest: Manifest,
    source_ids: Sequence[str],
    directory: Path,
    *,
    listener: ExchangeListener = lambda name: None,
) -> ExportManifest:
    """Write sources of a state of a library into the new or empty `directory`.

    With them go the links between them, their metadata and tags, and the paths at which they were
    found. Memory is bounded by the largest source. Raises LibraryError when the directory holds
    things, a source is not there, or a disk refuses; what was written stays, without `export.json`.
    """
    rotation = read_rotation(library, manifest)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise LibraryError(f"{directory} is not empty; name a new or empty directory")
        for folder in (*SOURCE_TABLES, PICTURES_FOLDER):
            (directory / folder).mkdir()
        np.save(directory / ROTATION_NAME, rotation)
        found = [
            _export_source(library, manifest, source_id, directory, listener)
            for source_id in source_ids
        ]
        write_sources(
            directory / SOURCES_NAME, [one for one, _, _ in found], [rate for _, rate, _ in found]
        )
        _export_tables(library, manifest, set(source_ids), directory)
        sync_tree(directory)
        exported = ExportManifest(
            embedder=manifest.embedder,
            codes=manifest.codes,
            sources=tuple(told for _, _, told in found),
            files=stamps_of(directory),
        )
        replace_file(directory / EXPORT_NAME, _to_json(exported))
    except OSError as error:
        raise disk_error(directory, "write", error) from error
    return exported


def _export_source(
    library: Path,
    manifest: Manifest,
    source_id: str,
    directory: Path,
    listener: ExchangeListener,
) -> tuple[Source, int, Exported]:
    """The source, its ticks per second, and what is told of it."""
    entry = manifest.shard_of(source_id)
    if entry is None:
        raise LibraryError(f"{library} holds no source {source_id}; see: secondsight status")
    shard = library / SHARDS_NAME / entry.id
    reader = CatalogReader(shard / CATALOG_NAME)
    place = place_of(shard / CATALOG_NAME, source_id)
    source = reader.sources()[place.number]
    listener(source.name)
    paths = {table: directory / name for table, name in source_files(source_id).items()}
    pictures = write_source_tables(shard / CATALOG_NAME, place, paths)
    with (
        (shard / PICTURES_NAME).open("rb") as held,
        paths[PICTURES_FOLDER].open("wb") as copied,
    ):
        for offset, size_bytes in pictures:
            held.seek(offset)
            copied.write(held.read(size_bytes))
    vectors = ShardVectors(shard)
    ids = np.arange(place.moments.start, place.moments.stop)
    if vectors.lists is None:
        stored = np.zeros((0, manifest.embedder.dims), dtype=np.uint8)
    else:
        stored = vectors.lists.stored(ids)
    write_source_vectors(
        paths,
        source_id,
        SourceVectors(
            stored=stored,
            codes=manifest.codes,
            cosines=vectors.cosines[place.moments.start : place.moments.stop],
            segments=np.asarray(vectors.segments[place.segments.start : place.segments.stop]),
        ),
    )
    told = Exported(source_id, source.name, len(place.segments), len(place.moments))
    return source, reader.rates[place.number], told


def _export_tables(
    library: Path, manifest: Manifest, source_ids: Collection[str], directory: Path
) -> None:
    """The paths of the sources, the links between them, and what users said of them."""
    rows = [] if manifest.inventory is None else read_inventory(library / manifest.inventory)
    own = [row for row in rows if row.source_id in source_ids and row.outcome != "failed"]
    write_parquet(directory / PATHS_NAME, inventory_columns(own))
    links = [] if manifest.links is None else read_links(library / manifest.links)
    between = [one for one in links if {one.document_id, one.video_id} <= set(source_ids)]
    content = link_columns(directory / LINKS_NAME, between)
    content["start_s"] = ("DOUBLE", [one.span.start_s for one in between])
    content["end_s"] = ("DOUBLE", [one.span.end_s for one in between])
    write_parquet(directory / LINKS_NAME, content)
    said = {} if manifest.metadata is None else read_metadata(library / manifest.metadata)
    tables = metadata_columns({source: said[source] for source in said.keys() & set(source_ids)})
    write_parquet(directory / METADATA_NAME, tables["metadata"])
    write_parquet(directory / TAGS_NAME, tables["tags"])


# --- export.json ---------------------------------------------------------------------------------


def _to_json(manifest: ExportManifest) -> bytes:
    body: dict[str, Any] = {
        "export": "secondsight",
        "format_version": FORMAT_VERSION,
        "embedder": asdict(manifest.embedder),
        "rotation_sha256": manifest.files[ROTATION_NAME][1],
        "codes": manifest.codes,
        "sources": [asdict(source) for source in manifest.sources],
        "files": {name: list(stamp) for name, stamp in manifest.files.items()},
    }
    return json.dumps(body | {"checksum": body_checksum(body)}, indent=1).encode()


def read_export_manifest(directory: Path) -> ExportManifest:
    """What an export holds. Raises LibraryError when it is none, is damaged or newer."""
    path = directory / EXPORT_NAME
    try:
        body = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise LibraryError(f"{directory} is no export, or its writing was cut short") from error
    except OSError as error:
        raise disk_error(path, "read", error) from error
    except ValueError as error:
        raise _damaged(path) from error
    if not isinstance(body, dict) or body.get("export") != "secondsight":
        raise _damaged(path)
    if body.get("format_version") != FORMAT_VERSION:
        raise LibraryError(
            f"{directory} is an export of format {body.get('format_version')}, this Secondsight "
            f"reads {FORMAT_VERSION}; upgrade with: pip install --upgrade secondsight"
        )
    if body.get("checksum") != body_checksum(body) or body.get("codes") not in ALL_CODES:
        raise _damaged(path)
    try:
        return ExportManifest(
            embedder=EmbedderIdentity(**body["embedder"]),
            codes=body["codes"],
            sources=tuple(Exported(**source) for source in body["sources"]),
            files={
                str(name): (int(size), str(sha256))
                for name, (size, sha256) in body["files"].items()
            },
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> LibraryError:
    return LibraryError(f"{path} is damaged; export the sources again")
