"""Merging: several shards written as one, without what is forgotten of them.

Nothing is embedded, read or recognised again, and little is held in memory: codes, rows and
pictures are copied from files to files; only the words are indexed anew, from the texts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from index.catalog import CatalogReader, merge_catalogs
from index.errors import SecondsightError
from index.files import disk_error
from index.manifest import SHARDS_NAME, ShardEntry
from index.numbering import SourceRun
from index.ranking import Ids
from index.shard import (
    CATALOG_NAME,
    LEXICAL_NAME,
    PICTURES_NAME,
    drop_staged,
    finished_shard,
    make_directory,
)
from index.two_level import (
    BITS_FROM,
    BITS_NAME,
    COSINES_NAME,
    MOMENTS_NAME,
    SEGMENTS_NAME,
    ShardVectors,
)
from index.vectors import Lists, merge_lists, write_bits_of
from index.word_upgrade import rewrite_words

_DIGEST_BYTES = 16


class _Part:
    """A shard that goes into a merged one."""

    def __init__(self, library: Path, entry: ShardEntry) -> None:
        self.directory = library / SHARDS_NAME / entry.id
        self.catalog = CatalogReader(self.directory / CATALOG_NAME)
        self.runs: list[SourceRun] = self.catalog.kept_runs(entry.forgotten)
        self.vectors = ShardVectors(self.directory)


def merge_shards(library: Path, directory: Path, entries: Sequence[ShardEntry]) -> ShardEntry:
    """Write the sources of some shards as one, synced, into the new directory `directory`.

    In the order of the shards; nothing that is forgotten is in it. Raises LibraryError when a
    shard cannot be read or the disk refuses; nothing is left then.
    """
    parts = [_Part(library, entry) for entry in entries]
    make_directory(directory)
    try:
        places = _merge_pictures(directory / PICTURES_NAME, parts)
        merge_catalogs(
            directory / CATALOG_NAME,
            [(part.catalog, part.runs, own) for part, own in zip(parts, places, strict=True)],
        )
        _merge_vectors(directory, parts)
        rewrite_words(CatalogReader(directory / CATALOG_NAME), directory / LEXICAL_NAME)
        runs = [run for part in parts for run in part.runs]
        return finished_shard(
            directory,
            [
                source.id
                for part in parts
                for run in part.runs
                for source in part.catalog.sources()[_slice(run.sources)]
            ],
            segments=sum(len(run.segments) for run in runs),
            moments=sum(len(run.moments) for run in runs),
        )
    except OSError as error:
        drop_staged(directory)
        raise disk_error(directory, "write", error) from error
    except SecondsightError:
        drop_staged(directory)
        raise


def _merge_vectors(directory: Path, parts: Sequence[_Part]) -> None:
    """As `index.two_level.write_vectors`, from codes that are copied as they are."""
    kept = [(part.vectors, run) for part in parts for run in part.runs]
    shape = (sum(len(run.segments) for _, run in kept), parts[0].vectors.dims)
    with (directory / SEGMENTS_NAME).open("wb") as stream:
        header = {"descr": "<f2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, header)
        for vectors, run in kept:
            stream.write(vectors.segments[_slice(run.segments)].tobytes())
    none = np.zeros(0, dtype=np.float16)
    cosines = [vectors.cosines[_slice(run.moments)] for vectors, run in kept]
    np.save(directory / COSINES_NAME, np.concatenate([none, *cosines]))
    if shape[0]:
        lists = [(own.lists, run.segments) for own, run in kept if own.lists is not None]
        merge_lists(directory / MOMENTS_NAME, lists)
    if sum(map(len, cosines)) >= BITS_FROM:
        write_bits_of(directory / BITS_NAME, Lists(directory / MOMENTS_NAME))


def _merge_pictures(path: Path, parts: Sequence[_Part]) -> list[Ids]:
    """Concatenate the pictures that are kept, equal ones once.

    For each part, where the pictures of its moments begin now; -1: a moment without one.
    """
    written: dict[bytes, int] = {}
    size_bytes = 0
    moved: list[Ids] = []
    with path.open("wb") as stream:
        for part in parts:
            places = part.catalog.picture_places()
            kept = np.concatenate([places[:0], *(places[_slice(run.moments)] for run in part.runs)])
            offsets = np.full(len(places), -1, dtype=np.int64)
            found = {-1: -1}
            with (part.directory / PICTURES_NAME).open("rb") as pictures:
                for first, length in np.unique(kept[kept[:, 0] >= 0], axis=0).tolist():
                    pictures.seek(first)
                    picture = pictures.read(length)
                    digest = hashlib.blake2b(picture, digest_size=_DIGEST_BYTES).digest()
                    if digest not in written:
                        written[digest] = size_bytes
                        size_bytes += stream.write(picture)
                    found[first] = written[digest]
            for run in part.runs:
                own = places[_slice(run.moments), 0].tolist()
                offsets[_slice(run.moments)] = [found[first] for first in own]
            moved.append(offsets)
    return moved


def _slice(numbers: range) -> slice:
    return slice(numbers.start, numbers.stop)
