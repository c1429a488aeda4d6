"""The manifest: which shards make up a library, and for which embedder.

`manifest.json` is replaced whole (write, sync, rename, sync), so that a crash leaves the old or
the new one. Writers take turns on `writer.lock`; readers never wait.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index.errors import EmbedderMismatchError, LibraryError
from index.files import disk_error, replace_file, sync_directory
from index.settings import Codes

SCHEMA_VERSION = 1
"""Version of the layout on disk that this code writes and reads."""

MANIFEST_NAME = "manifest.json"
ROTATION_NAME = "rotation.npy"
LOCK_NAME = "writer.lock"
SHARDS_NAME = "shards"
STAGING_NAME = "staging"

_ROTATION_SEED = 20_240_229
_OWN_NAMES = {MANIFEST_NAME + ".new", ROTATION_NAME, ROTATION_NAME + ".new", LOCK_NAME}
_OWN_NAMES |= {SHARDS_NAME, STAGING_NAME, "cache"}

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class EmbedderIdentity:
    """What made a library's vectors; vectors of two identities cannot be compared."""

    id: str
    revision: str
    dims: int
    settings_hash: str


@dataclass(frozen=True, slots=True)
class ShardEntry:
    """One live shard and its files: name within the shard -> (bytes, SHA-256 in hex)."""

    id: str
    sources: tuple[str, ...]
    """Those that are in the library."""
    segments: int
    """In its files, the forgotten ones too."""
    moments: int
    """In its files, the forgotten ones too."""
    files: dict[str, tuple[int, str]]
    forgotten: tuple[str, ...] = ()
    """Tombstones: sources in its files that are in the library no more, or by another shard."""

    def without(self, source_ids: Collection[str]) -> ShardEntry:
        """The shard with these of its sources forgotten."""
        left = tuple(source for source in self.sources if source not in source_ids)
        gone = tuple(source for source in self.sources if source in source_ids)
        return replace(self, sources=left, forgotten=(*self.forgotten, *gone))


@dataclass(frozen=True, slots=True)
class Manifest:
    """One state of a library. A higher generation is newer."""

    schema_version: int
    generation: int
    embedder: EmbedderIdentity
    rotation_sha256: str
    inventory: str | None
    """File name of the inventory; None before anything was offered."""
    shards: tuple[ShardEntry, ...]
    links: str | None = None
    """File name of the pages on screen; None when no talk is linked to its slides."""
    metadata: str | None = None
    """File name of the metadata; None when nothing is said about any source."""
    tables: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Tables of the whole library: file name -> (bytes, SHA-256 in hex). Those that an older
    Secondsight wrote are not in it."""
    codes: Codes = "8bit"
    """What the vectors of moments are kept in."""
    outlier_share: float = 0.05
    """Share of the moments, least like their segment, that stand at level 1 by themselves."""

    @property
    def table_names(self) -> tuple[str, ...]:
        """File names of the tables of the whole library that there are."""
        return tuple(name for name in (self.inventory, self.links, self.metadata) if name)

    def shard_of(self, source_id: str) -> ShardEntry | None:
        """The shard that holds a source, or None."""
        return next((shard for shard in self.shards if source_id in shard.sources), None)


def create_library(
    directory: Path,
    identity: EmbedderIdentity,
    *,
    codes: Codes = "8bit",
    outlier_share: float = 0.05,
) -> Manifest:
    """Make an empty library, or return the manifest of the one that is already there.

    `codes` and `outlier_share` stay as they are in one that is there.

    Raises EmbedderMismatchError when it was made for another embedder, LibraryError when the
    directory holds other things or cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        foreign = sorted(entry.name for entry in directory.iterdir())
    except OSError as error:
        raise disk_error(directory, "make the library", error) from error
    if MANIFEST_NAME not in foreign and not _OWN_NAMES.issuperset(foreign):
        raise LibraryError(
            f"{directory} is not empty and not a library (it holds {foreign[0]!r}); "
            "name a new or empty directory"
        )
    with writer_lock(directory):
        if (directory / MANIFEST_NAME).exists():
            manifest = read_manifest(directory)
            check_embedder(directory, manifest, identity)
            return manifest
        return _create(directory, identity, codes, outlier_share)


def _create(
    directory: Path, identity: EmbedderIdentity, codes: Codes, outlier_share: float
) -> Manifest:
    buffer = io.BytesIO()
    np.save(buffer, random_rotation(identity.dims))
    content = buffer.getvalue()
    try:
        (directory / SHARDS_NAME).mkdir(exist_ok=True)
        (directory / STAGING_NAME).mkdir(exist_ok=True)
        replace_file(directory / ROTATION_NAME, content)
        sync_directory(directory.absolute().parent)
    except OSError as error:
        raise disk_error(directory, "make the library", error) from error
    manifest = Manifest(
        schema_version=SCHEMA_VERSION,
        generation=0,
        embedder=identity,
        rotation_sha256=hashlib.sha256(content).hexdigest(),
        inventory=None,
        shards=(),
        codes=codes,
        outlier_share=outlier_share,
    )
    replace_file(directory / MANIFEST_NAME, _to_json(manifest))
    return manifest


def random_rotation(dims: int) -> Vectors:
    """A random orthogonal matrix (dims, dims), float32, the same for every call.

    QR of a Gaussian matrix with the signs of R's diagonal made positive, hence uniform over the
    orthogonal group (Mezzadri 2007). Rotated unit vectors have components close to N(0, 1/dims)
    whatever the embedder, which is what the fixed quantizer of `index.vectors` relies on.
    """
    gaussian = np.random.default_rng(_ROTATION_SEED).standard_normal((dims, dims))
    orthogonal, upper = np.linalg.qr(gaussian)
    return np.ascontiguousarray(orthogonal * np.sign(np.diag(upper)), dtype=np.float32)


def read_rotation(directory: Path, manifest: Manifest) -> Vectors:
    """The library's rotation (dims, dims), float32, checked against the manifest.

    Raises LibraryError when the file is missing or altered.
    """
    path = directory / ROTATION_NAME
    try:
        content = path.read_bytes()
    except OSError as error:
        raise disk_error(path, "read", error) from error
    if hashlib.sha256(content).hexdigest() != manifest.rotation_sha256:
        raise LibraryError(f"{path} is altered; restore this library from a backup")
    rotation: Vectors = np.load(io.BytesIO(content), allow_pickle=False)
    return rotation


def check_embedder(directory: Path, manifest: Manifest, identity: EmbedderIdentity) -> None:
    """Raise EmbedderMismatchError unless the library was made for this embedder."""
    if manifest.embedder != identity:
        raise EmbedderMismatchError(
            f"{directory} was embedded by {described(manifest.embedder)}, but the configuration "
            f"names {described(identity)}; use the configuration it was made with, or ingest "
            "into a new library (secondsight ingest --library NEW_DIRECTORY ...); with a copy of "
            f"{directory / 'cache'} in it, nothing is decoded, heard or read again"
        )


def described(identity: EmbedderIdentity) -> str:
    """An embedder in words, as errors name it."""
    return (
        f"{identity.id} (revision {identity.revision}, {identity.dims} dims, "
        f"settings {identity.settings_hash})"
    )


def read_manifest(directory: Path) -> Manifest:
    """The current manifest.

    Raises LibraryError when there is no library, it is newer than this code, or it is damaged.
    """
    return read_manifest_state(directory)[0]


def read_manifest_state(directory: Path) -> tuple[Manifest, tuple[int, int, int]]:
    """The current manifest and the `file_state` of the very file it was read from."""
    path = directory / MANIFEST_NAME
    try:
        with path.open("rb") as stream:
            state = _state(os.fstat(stream.fileno()))
            content = stream.read()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise LibraryError(
            f"{directory} is not a library; make one with: "
            f"secondsight ingest --library {directory} FILES"
        ) from error
    except OSError as error:
        raise disk_error(path, "read", error) from error
    return manifest_from_json(path, content), state


def manifest_state(directory: Path) -> tuple[int, int, int]:
    """What changes whenever another manifest is published: inode, mtime in ns, size in bytes.

    Raises LibraryError when the library is gone.
    """
    path = directory / MANIFEST_NAME
    try:
        return _state(path.stat())
    except OSError as error:
        raise disk_error(path, "read", error) from error


def _state(status: os.stat_result) -> tuple[int, int, int]:
    return (status.st_ino, status.st_mtime_ns, status.st_size)


def publish(directory: Path, manifest: Manifest) -> None:
    """Make `manifest` the current one, atomically. Call it inside `writer_lock`.

    Raises LibraryError when it does not follow the current one, or the disk refuses (the old
    manifest then stays).
    """
    current = read_manifest(directory)
    if manifest.generation != current.generation + 1:
        raise LibraryError(
            f"{directory} is at generation {current.generation}, cannot publish "
            f"{manifest.generation}: another writer was faster; run the same command again"
        )
    replace_file(directory / MANIFEST_NAME, _to_json(manifest))


@contextmanager
def writer_lock(directory: Path) -> Iterator[None]:
    """Hold the library's writer lock; waits for other writers, and dies with the process.

    Raises LibraryError when the directory cannot be written.
    """
    path = directory / LOCK_NAME
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise disk_error(path, "lock", error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _to_json(manifest: Manifest) -> bytes:
    body: dict[str, Any] = {
        "library": "secondsight",
        "schema_version": manifest.schema_version,
        "generation": manifest.generation,
        "embedder": {
            "id": manifest.embedder.id,
            "revision": manifest.embedder.revision,
            "dims": manifest.embedder.dims,
            "settings_hash": manifest.embedder.settings_hash,
        },
        "rotation_sha256": manifest.rotation_sha256,
        "codes": manifest.codes,
        "outlier_share": manifest.outlier_share,
        "inventory": manifest.inventory,
        "links": manifest.links,
        "metadata": manifest.metadata,
        "tables": {name: list(stamp) for name, stamp in manifest.tables.items()},
        "shards": [
            {
                "id": shard.id,
                "sources": list(shard.sources),
                "forgotten": list(shard.forgotten),
                "segments": shard.segments,
                "moments": shard.moments,
                "files": {name: list(stamp) for name, stamp in shard.files.items()},
            }
            for shard in manifest.shards
        ],
    }
    body["checksum"] = body_checksum(body)
    return json.dumps(body, indent=1).encode()


def body_checksum(body: dict[str, Any]) -> str:
    """SHA-256 of what a JSON object says, but for its own `checksum`, in hex."""
    bare = {key: value for key, value in body.items() if key != "checksum"}
    return hashlib.sha256(json.dumps(bare, sort_keys=True).encode()).hexdigest()


def manifest_from_json(path: Path, content: bytes) -> Manifest:
    """The manifest that the file at `path` holds. Raises LibraryError when it is damaged."""
    damaged = f"{path} is damaged; restore this library from a backup"
    try:
        body = json.loads(content)
    except ValueError as error:
        raise LibraryError(damaged) from error
    if not isinstance(body, dict) or body.get("library") != "secondsight":
        raise LibraryError(damaged)
    version = body.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise LibraryError(
            f"{path.parent} was written by a newer Secondsight (schema {version}, this one reads "
            f"{SCHEMA_VERSION}); upgrade with: pip install --upgrade secondsight"
        )
    if version != SCHEMA_VERSION or body.get("checksum") != body_checksum(body):
        raise LibraryError(damaged)
    try:
        return manifest_from_body(body)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LibraryError(damaged) from error


def manifest_from_body(body: dict[str, Any]) -> Manifest:
    """What a manifest says, whatever its checksum is.

    Raises KeyError, TypeError, ValueError or AttributeError when it says other things.
    """
    shards = tuple(
        ShardEntry(
            id=shard["id"],
            sources=tuple(shard["sources"]),
            segments=shard["segments"],
            moments=shard["moments"],
            files={name: (size, sha256) for name, (size, sha256) in shard["files"].items()},
            # Older manifests do not have this.
            forgotten=tuple(shard.get("forgotten", ())),
        )
        for shard in body["shards"]
    )
    return Manifest(
        schema_version=body["schema_version"],
        generation=body["generation"],
        embedder=EmbedderIdentity(**body["embedder"]),
        rotation_sha256=body["rotation_sha256"],
        inventory=body["inventory"],
        shards=shards,
        # Older manifests do not have these.
        links=body.get("links"),
        metadata=body.get("metadata"),
        tables={name: (size, sha256) for name, (size, sha256) in body.get("tables", {}).items()},
        codes=body.get("codes", "8bit"),
        outlier_share=body.get("outlier_share", 0.05),
    )
