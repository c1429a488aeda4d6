"""Whether the files of one shard agree with each other: catalog, vectors, words and pictures.

The bytes are known to be those that were written before anything here opens them.
"""

from __future__ import annotations

import io
import mmap
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from index.catalog import CatalogReader
from index.catalog_checks import CatalogOutline, catalog_outline, catalog_problems
from index.columns import storable
from index.errors import OLD_LIBRARY_ADVICE, LibraryError
from index.files import disk_error
from index.lexical import ShardWords
from index.manifest import SHARDS_NAME, EmbedderIdentity, Manifest, ShardEntry
from index.problems import Meter, Problem, ProblemKind, is_unsafe
from index.ranking import Ids, Mask, Vectors
from index.records import Source
from index.settings import Codes
from index.shard import CATALOG_NAME, LEXICAL_NAME, PICTURES_NAME
from index.two_level import BITS_NAME, COSINES_NAME, MOMENTS_NAME, SEGMENTS_NAME, ShardVectors
from index.word_search import LexicalIndex
from index.words import words_of

_BLOCK_ROWS = 16_384
_SAMPLED = 16
"""Moments of a shard that are looked up by their own 1-bit code and their own words."""
_BITS_CANDIDATES = 1_000
_LENGTH_TOLERANCE = 0.05
"""Codes are read back as rows of a length this close to 1 (measured: 0.01)."""
_COSINE_TOLERANCE = 0.02
"""Codes give the cosine that was kept to this (measured: 0.01 at 32 dims, less at more)."""
_SAMPLED_WORDS = 5
_SAMPLED_CHARS = 200
_JPEG_START = b"\xff\xd8"
_VECTOR_FILES = frozenset({SEGMENTS_NAME, COSINES_NAME, MOMENTS_NAME, BITS_NAME})
_NEEDED = frozenset({CATALOG_NAME, SEGMENTS_NAME, COSINES_NAME, PICTURES_NAME})
_UNREADABLE = (LibraryError, ValueError, TypeError, IndexError, KeyError)
"""What reading raises where the bytes are as written, but say what cannot be."""

_Found = tuple[ProblemKind, str, str]
"""What kind of problem, in which file of the shard, and what it is."""


@dataclass(frozen=True, slots=True)
class CheckedShard:
    """What is wrong with a shard, and its sources as far as they can be read."""

    problems: tuple[Problem, ...]
    sources: tuple[Source, ...]


def checked_shard(
    library: Path, manifest: Manifest, entry: ShardEntry, meter: Meter, *, deep: bool
) -> CheckedShard:
    """Check all of one shard: its bytes, then whether its files agree with each other."""
    where = f"{SHARDS_NAME}/{entry.id}"
    advice = f"forget {', '.join(entry.sources)} and ingest what it holds again"
    if "/" in entry.id or is_unsafe(entry.id):
        what = "the manifest names a shard that cannot be"
        return CheckedShard((Problem(ProblemKind.MANIFEST, where, what, advice),), ())
    directory = library / SHARDS_NAME / entry.id
    found = list(_byte_problems(directory, entry, meter))
    reader, is_old = None, False
    if CATALOG_NAME in entry.files.keys() - {name for _, name, _ in found}:
        try:
            reader = CatalogReader(directory / CATALOG_NAME)
        except _UNREADABLE as error:
            is_old = OLD_LIBRARY_ADVICE in str(error)
            if not is_old:
                found.append((ProblemKind.UNREADABLE, CATALOG_NAME, f"cannot be read: {error}"))
    if not is_old:
        found += _unnamed(entry)
    if reader is not None:
        changed = {name.split("/")[0] for _, name, _ in found}
        found += _content_problems(directory, manifest, entry, changed, deep=deep)
    problems = [
        Problem(kind, f"{where}/{name}", what, advice, entry.sources) for kind, name, what in found
    ]
    if is_old:
        old = f"{where}/{CATALOG_NAME}"
        what = "is of an older format: this shard was compared with its checksums only"
        problems.append(Problem(ProblemKind.UNREADABLE, old, what, OLD_LIBRARY_ADVICE))
    return CheckedShard(tuple(problems), () if reader is None else reader.sources())


def _unnamed(entry: ShardEntry) -> Iterator[_Found]:
    for name in sorted(_NEEDED - entry.files.keys()):
        yield ProblemKind.MANIFEST, name, "is not named by the manifest"


def _byte_problems(directory: Path, entry: ShardEntry, meter: Meter) -> Iterator[_Found]:
    for name, stamp in entry.files.items():
        if is_unsafe(name):
            yield ProblemKind.MANIFEST, name, "is named by the manifest, outside its shard"
            continue
        wrong = meter.difference(directory / name, stamp)
        if wrong is not None:
            yield wrong[0], name, wrong[1]


def _content_problems(
    directory: Path, manifest: Manifest, entry: ShardEntry, changed: set[str], *, deep: bool
) -> Iterator[_Found]:
    """What the files say; those that need a file of `changed` are not looked into."""
    catalog = directory / CATALOG_NAME
    try:
        outline = catalog_outline(catalog)
    except _UNREADABLE as error:
        yield ProblemKind.UNREADABLE, CATALOG_NAME, f"cannot be read: {error}"
        return
    checks: list[tuple[ProblemKind, str, frozenset[str], Callable[[], Iterator[str]]]] = [
        (ProblemKind.CATALOG, CATALOG_NAME, frozenset(), lambda: entry_problems(entry, outline)),
        (ProblemKind.CATALOG, CATALOG_NAME, frozenset(), lambda: catalog_problems(catalog)),
        (
            ProblemKind.VECTORS,
            MOMENTS_NAME,
            _VECTOR_FILES,
            lambda: vector_problems(directory, outline, manifest.embedder, manifest.codes),
        ),
        (
            ProblemKind.WORDS,
            LEXICAL_NAME,
            frozenset({LEXICAL_NAME}),
            lambda: word_problems(
                directory / LEXICAL_NAME, None if CATALOG_NAME in changed else catalog, outline
            ),
        ),
        (
            ProblemKind.PICTURES,
            PICTURES_NAME,
            frozenset({PICTURES_NAME}),
            lambda: picture_problems(directory / PICTURES_NAME, outline, deep=deep),
        ),
    ]
    if deep:
        records = (ProblemKind.CATALOG, CATALOG_NAME, frozenset[str]())
        checks.append((*records, lambda: record_problems(catalog, outline)))
    for kind, name, needed, check in checks:
        if needed & changed:
            continue
        try:
            for what in check():
                changed.add(name)
                yield kind, name, what
        except _UNREADABLE as error:
            yield ProblemKind.UNREADABLE, name, f"cannot be read: {error}"


def entry_problems(entry: ShardEntry, outline: CatalogOutline) -> Iterator[str]:
    """In what a shard's catalog is not what the manifest says."""
    if set(outline.sources) != {*entry.sources, *entry.forgotten}:
        yield f"holds the sources {', '.join(outline.sources)}, the manifest says others"
    for source, count in Counter((*entry.sources, *entry.forgotten)).items():
        if count > 1:
            yield f"is named to hold {source} {count} times, there or forgotten"
    for noun, held, said in (
        ("segments", len(outline.moment_counts), entry.segments),
        ("moments", outline.num_moments, entry.moments),
    ):
        if held != said:
            yield f"holds {held} {noun}, the manifest says {said}"


def vector_problems(
    directory: Path, outline: CatalogOutline, embedder: EmbedderIdentity, codes: Codes
) -> Iterator[str]:
    """Everything in which a shard's vectors disagree with its catalog or with each other.

    Raises LibraryError when they cannot be opened.
    """
    vectors = ShardVectors(directory)
    counts = outline.moment_counts
    if vectors.dims != embedder.dims:
        yield f"vectors have {vectors.dims} dims, those of the library {embedder.dims}"
    if vectors.lists is not None and vectors.lists.codes != codes:
        yield f"codes are {vectors.lists.codes}, those of the library {codes}"
    if vectors.num_segments != len(counts):
        yield f"there are vectors of {vectors.num_segments} segments, the catalog has {len(counts)}"
    elif not np.array_equal(vectors.list_sizes, counts):
        other = np.flatnonzero(vectors.list_sizes != counts)
        number = int(other[0])
        yield (
            f"{len(other)} lists of vectors are not as long as their segment: segment {number} has "
            f"{counts[number]} moments, its list {vectors.list_sizes[number]}"
        )
    yield from _row_problems(vectors)
    yield from _bits_problems(vectors)


def _row_problems(vectors: ShardVectors) -> Iterator[str]:
    wrong: dict[str, list[int]] = {}
    segments = np.asarray(vectors.segments, dtype=np.float32)
    _note(wrong, "vectors of segments that are not of length 1", 0, ~_is_unit(segments))
    owners = np.repeat(np.arange(vectors.num_segments), vectors.list_sizes)
    for first in range(0, vectors.num_moments, _BLOCK_ROWS):
        numbers = np.arange(first, min(first + _BLOCK_ROWS, vectors.num_moments))
        rows = vectors.decoded(numbers)
        assert vectors.lists is not None
        held = vectors.lists.held_ids(numbers)
        _note(wrong, "vectors that stand under the id of another moment", first, held != numbers)
        _note(wrong, "vectors of moments that are not of length 1", first, ~_is_unit(rows))
        cosines = np.einsum("ij,ij->i", rows, segments[owners[numbers]])
        kept = vectors.cosines[numbers].astype(np.float32)
        # Not `>`: a cosine that is no number is wrong as well.
        differ = ~(np.abs(cosines - kept) <= _COSINE_TOLERANCE)
        _note(wrong, "vectors that are not as like their segment as was kept", first, differ)
    for what, found in wrong.items():
        yield f"{what}: {found[0]}, the first is number {found[1]}"


def _note(wrong: dict[str, list[int]], what: str, first: int, flags: Mask) -> None:
    """Count the rows that are flagged: [how many, the first of them]."""
    found = np.flatnonzero(flags)
    if len(found):
        wrong.setdefault(what, [0, first + int(found[0])])[0] += len(found)


def _is_unit(rows: Vectors) -> Mask:
    """Rows of length 1, or 0: like nothing."""
    lengths = np.linalg.norm(rows, axis=1)
    return np.asarray((np.abs(lengths - 1) <= _LENGTH_TOLERANCE) | (lengths <= _LENGTH_TOLERANCE))


def _bits_problems(vectors: ShardVectors) -> Iterator[str]:
    """Moments whose 1-bit code does not tell their own vector, of some."""
    if vectors.bits is None:
        return
    for number in _sample(vectors.num_moments):
        row = vectors.decoded(np.array([number]))[0]
        ids, estimates = vectors.bits.nearest(row, _BITS_CANDIDATES)
        found = number in ids or estimates[-1] + vectors.bits.error >= row @ row
        if not found:
            yield f"the 1-bit code of moment {number} is that of another vector"


def _sample(count: int) -> list[int]:
    return np.unique(np.linspace(0, count - 1, _SAMPLED).astype(np.int64)).tolist() if count else []


def word_problems(directory: Path, catalog: Path | None, outline: CatalogOutline) -> Iterator[str]:
    """Everything in which a shard's lexical index disagrees with its catalog.

    Without `catalog`, whose texts cannot be relied on then, only in numbers.
    Raises LibraryError when it cannot be opened.
    """
    words = ShardWords(directory)
    count = outline.num_moments
    if words.num_moments != count:
        yield f"there are words of {words.num_moments} moments, the catalog has {count}"
    missing = 0
    for first in range(0, count, _BLOCK_ROWS):
        last = min(first + _BLOCK_ROWS, count) - 1
        missing += int(np.count_nonzero(words.entries(first, last) != 1))
    if missing:
        yield f"{missing} moments do not stand exactly once among the words"
    if missing or words.num_moments != count or catalog is None:
        return
    index = LexicalIndex([words])
    sampled = _sample(count)
    for number, moment in zip(sampled, CatalogReader(catalog).moments(sampled), strict=True):
        allowed = np.zeros(count, dtype=np.bool_)
        allowed[number] = True
        text = storable(moment.text)
        words_told = words_of(text[:_SAMPLED_CHARS])
        # The last word may have been cut.
        whole = words_told if len(text) <= _SAMPLED_CHARS else words_told[:-1]
        for word in whole[:_SAMPLED_WORDS]:
            if not len(index.search(word, 1, allowed=allowed)[0]):
                yield f"moment {number} is not found by its own word {word!r}"


def picture_problems(path: Path, outline: CatalogOutline, *, deep: bool) -> Iterator[str]:
    """Everything in which a shard's pictures disagree with its catalog; `deep` decodes them.

    Raises LibraryError when the file cannot be read.
    """
    numbers, offsets = outline.pictures["moment"], outline.pictures["offset"].astype(np.int64)
    ends = offsets + outline.pictures["size_bytes"].astype(np.int64)
    try:
        size_bytes = path.stat().st_size
        outside = (offsets < 0) | (ends <= offsets) | (ends > size_bytes)
        if outside.any():
            first = numbers[np.flatnonzero(outside)[0]]
            yield (
                f"pictures outside their file: {np.count_nonzero(outside)}, the first is that of "
                f"moment {first}"
            )
        places = np.unique(np.stack([offsets, ends], axis=1)[~outside], axis=0)
        if not outside.any() and not _covers(places, size_bytes):
            yield "pictures overlap, or the file holds bytes that are no picture of a moment"
        if len(places):
            with path.open("rb") as stream:
                mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            with mapped:
                yield from _jpeg_problems(mapped, places, deep=deep)
    except OSError as error:
        raise disk_error(path, "read", error) from error


def _covers(places: Ids, size_bytes: int) -> bool:
    """True when [start, end) rows, in order, follow each other from 0 to the size."""
    starts = np.concatenate([places[:, 0], [size_bytes]])
    return np.array_equal(starts, np.concatenate([[0], places[:, 1]]))


def _jpeg_problems(mapped: mmap.mmap, places: Ids, *, deep: bool) -> Iterator[str]:
    bad = [
        start
        for start, end in places.tolist()
        if mapped[start : start + 2] != _JPEG_START or (deep and not _decodes(mapped[start:end]))
    ]
    if bad:
        yield f"pictures that are no JPEG: {len(bad)}, the first begins at byte {bad[0]}"


def _decodes(content: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as picture:
            picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False
    return True


def record_problems(catalog: Path, outline: CatalogOutline) -> Iterator[str]:
    """Moments that cannot be read as records: the whole catalog is read, block by block.

    Raises LibraryError when the file cannot be read.
    """
    try:
        reader = CatalogReader(catalog)
        reader.segments()
        for first in range(0, outline.num_moments, _BLOCK_ROWS):
            reader.moments(range(first, min(first + _BLOCK_ROWS, outline.num_moments)))
    except (ValueError, TypeError, IndexError) as error:
        yield f"a record cannot be read: {error}"
