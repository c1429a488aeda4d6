"""Verifying a library: every byte against the manifest, every file against the others.

Everything that is wrong is found and named, not the first thing only. What can be told of a file
whose bytes are not those that were written is just that: no engine opens it.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from index.errors import LibraryError
from index.files import disk_error
from index.inventory import read_inventory
from index.links import read_links
from index.manifest import (
    MANIFEST_NAME,
    ROTATION_NAME,
    SCHEMA_VERSION,
    Manifest,
    manifest_from_body,
    manifest_from_json,
    manifest_state,
    read_manifest,
    read_rotation,
)
from index.metadata import read_metadata
from index.problems import (
    Meter,
    Problem,
    ProblemKind,
    VerifyListener,
    ignore_progress,
    is_unsafe,
)
from index.records import Source
from index.settings import ALL_CODES
from index.shard_checks import CheckedShard, checked_shard
from index.strays import strays

_ATTEMPTS = 50
_ORTHOGONAL_TOLERANCE = 1e-4
_RESTORE = "restore this library from a backup"


@dataclass(frozen=True, slots=True)
class Verification:
    """What was looked at, and everything that is wrong."""

    problems: tuple[Problem, ...]
    generation: int
    shards: int
    sources: int
    moments: int
    files: int
    size_bytes: int
    """Bytes that were read and compared with their checksums."""
    took_s: float

    @property
    def ok(self) -> bool:
        """True when nothing is damaged; there may be strays."""
        return not any(problem.is_damage for problem in self.problems)


def verify_library(
    directory: Path, *, deep: bool = False, listener: VerifyListener = ignore_progress
) -> Verification:
    """Check everything in a library; nothing is changed. Writers and readers may go on.

    `deep` also decodes every picture and reads every record. Memory is bounded by the largest
    shard: about 60 bytes a moment. Raises LibraryError when there is no library.
    """
    started = time.monotonic()
    if not (directory / MANIFEST_NAME).exists():
        read_manifest(directory)
    meter = Meter(directory, listener)
    known: dict[str, CheckedShard] = {}
    for _ in range(_ATTEMPTS):
        state = manifest_state(directory)
        manifest, wrong = _examined_manifest(directory)
        problems = [] if wrong is None else [_problem_of_manifest(wrong)]
        if manifest is not None:
            meter.expect(manifest)
            # Shards never change: one that was looked at need not be again when others come.
            for entry in manifest.shards:
                if entry.id not in known:
                    known[entry.id] = checked_shard(directory, manifest, entry, meter, deep=deep)
            checked = [known[entry.id] for entry in manifest.shards]
            problems += _manifest_problems(manifest)
            problems += [problem for shard in checked for problem in shard.problems]
            problems += _rotation_problems(directory, manifest)
            problems += _table_problems(directory, manifest, meter, checked)
            problems += strays(directory, manifest)
        if manifest_state(directory) == state:
            entries = () if manifest is None else manifest.shards
            return Verification(
                problems=tuple(problems),
                generation=-1 if manifest is None else manifest.generation,
                shards=len(entries),
                sources=sum(len(entry.sources) for entry in entries),
                moments=sum(entry.moments for entry in entries),
                files=meter.files,
                size_bytes=meter.read_bytes,
                took_s=time.monotonic() - started,
            )
    raise LibraryError(f"{directory} changes faster than it can be verified; try again")


def _examined_manifest(directory: Path) -> tuple[Manifest | None, str | None]:
    """The manifest as far as it can be read, and what is wrong with it.

    None for the manifest when nothing can be made of it.
    """
    path = directory / MANIFEST_NAME
    try:
        content = path.read_bytes()
    except OSError as error:
        raise disk_error(path, "read", error) from error
    try:
        manifest = manifest_from_json(path, content)
    except LibraryError as error:
        return _as_it_stands(content), str(error)
    if not _is_plausible(manifest):
        return None, "says what cannot be"
    # The checksum is that of what the file says, not of how it is laid out.
    written = json.dumps(json.loads(content), indent=1).encode()
    if written != content:
        return manifest, "is not laid out as it was written"
    return manifest, None


def _as_it_stands(content: bytes) -> Manifest | None:
    """What a manifest says whose checksum is wrong; None when it is none of this version."""
    try:
        body = json.loads(content)
        manifest = manifest_from_body(body)
        usable = body["schema_version"] == SCHEMA_VERSION and _is_plausible(manifest)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return manifest if usable else None


def _is_plausible(manifest: Manifest) -> bool:
    """True when everything is of the type that it must be."""
    stamps = [stamp for shard in manifest.shards for stamp in shard.files.items()]
    stamps += manifest.tables.items()
    texts = [manifest.rotation_sha256]
    texts += [one for s in manifest.shards for one in (*s.sources, *s.forgotten)]
    texts += [shard.id for shard in manifest.shards]
    texts += [text for name, (_, sha256) in stamps for text in (name, sha256)]
    texts += manifest.table_names
    numbers = [size for _, (size, _) in stamps]
    numbers += [count for shard in manifest.shards for count in (shard.segments, shard.moments)]
    numbers += [manifest.generation, manifest.embedder.dims]
    return (
        all(isinstance(text, str) for text in texts)
        and all(isinstance(number, int) for number in numbers)
        and isinstance(manifest.outlier_share, int | float)
    )


def _problem_of_manifest(what: str) -> Problem:
    return Problem(
        ProblemKind.MANIFEST, MANIFEST_NAME, what.removesuffix(f"; {_RESTORE}"), _RESTORE
    )


# --- the manifest and the tables of the whole library --------------------------------------------


def _manifest_problems(manifest: Manifest) -> Iterator[Problem]:
    for what, names in (
        ("names a shard more than once", [shard.id for shard in manifest.shards]),
        ("has a source in two shards", [one for s in manifest.shards for one in s.sources]),
    ):
        for name, count in Counter(names).items():
            if count > 1:
                yield _problem_of_manifest(f"{what}: {name}")
    if manifest.codes not in ALL_CODES:
        yield _problem_of_manifest(f"knows codes of kind {manifest.codes!r}")
    if not 0 <= manifest.outlier_share <= 1:
        yield _problem_of_manifest(f"has an outlier share of {manifest.outlier_share}")


def _rotation_problems(directory: Path, manifest: Manifest) -> Iterator[Problem]:
    dims = manifest.embedder.dims
    try:
        rotation = read_rotation(directory, manifest)
    except (LibraryError, ValueError) as error:
        yield _rotation_problem(str(error).partition(";")[0])
        return
    if rotation.shape != (dims, dims) or rotation.dtype != np.float32:
        yield _rotation_problem(f"is {rotation.shape} {rotation.dtype}, not of {dims} dims")
    elif not np.allclose(rotation @ rotation.T, np.eye(dims), atol=_ORTHOGONAL_TOLERANCE):
        yield _rotation_problem("is not orthogonal: it would change lengths and angles")


def _rotation_problem(what: str) -> Problem:
    return Problem(ProblemKind.ROTATION, ROTATION_NAME, what, _RESTORE)


def _table_problems(
    directory: Path, manifest: Manifest, meter: Meter, shards: list[CheckedShard]
) -> Iterator[Problem]:
    present = {source for shard in manifest.shards for source in shard.sources}
    sources = {source.id: source for shard in shards for source in shard.sources}
    checks: list[tuple[str | None, Callable[[Path], Iterator[str]]]] = [
        (manifest.inventory, partial(_inventory_problems, present=present)),
        (manifest.links, partial(_link_problems, present=present, sources=sources)),
        (manifest.metadata, partial(_metadata_problems, present=present)),
    ]
    for name, check in checks:
        if name is None:
            continue
        if is_unsafe(name):
            yield _problem_of_manifest(f"names a table that cannot be: {name!r}")
            continue
        stamp = manifest.tables.get(name)
        wrong = None if stamp is None else meter.difference(directory / name, stamp)
        if wrong is not None:
            yield Problem(wrong[0], name, wrong[1], _RESTORE)
            continue
        try:
            for what in check(directory / name):
                yield Problem(ProblemKind.TABLES, name, what, _RESTORE)
        except (LibraryError, ValueError, TypeError) as error:
            yield Problem(ProblemKind.UNREADABLE, name, f"cannot be read: {error}", _RESTORE)


def _inventory_problems(path: Path, *, present: set[str]) -> Iterator[str]:
    for row in read_inventory(path):
        if row.outcome != "failed" and row.source_id not in present:
            yield f"{row.path!r} names a source that is not there: {row.source_id}"


def _metadata_problems(path: Path, *, present: set[str]) -> Iterator[str]:
    for name in sorted(read_metadata(path).keys() - present):
        yield f"metadata names a source that is not there: {name}"


def _link_problems(
    path: Path, *, present: set[str], sources: Mapping[str, Source]
) -> Iterator[str]:
    """`sources` are those of the shards that could be read."""
    links = read_links(path)
    named = {name for link in links for name in (link.document_id, link.video_id)}
    for name in sorted(named - present):
        yield f"pages on screen name a source that is not there: {name}"
    for link in links:
        document, video = sources.get(link.document_id), sources.get(link.video_id)
        if document is not None and link.page > (document.pages or 0):
            yield f"page {link.page} is on screen, {document.id} has {document.pages or 'no'} pages"
        if video is not None and (video.duration is None or link.span.end > video.duration):
            yield f"a page is on screen at {link.span.end_s} s, {video.id} is not that long"
