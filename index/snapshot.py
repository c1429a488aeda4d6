"""A snapshot: one state of a library, open for searching, whatever writers do meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np

from index.catalog import Wanted, read_moments, read_texts, read_words
from index.errors import LibraryError
from index.inventory import InventoryRow, read_inventory
from index.links import PageLinks, read_links
from index.manifest import (
    Manifest,
    manifest_state,
    read_manifest_state,
    read_rotation,
)
from index.metadata import MetadataTable, SourceMetadata, read_metadata
from index.numbering import Numbering
from index.open_shard import OpenShard
from index.ranking import Ids, Mask, Vectors, starts_of
from index.records import Moment, MomentText, MomentWords, PageRange, Source, Span
from index.snapshot_columns import joined_columns
from index.two_level import TwoLevelIndex
from index.word_query import Phrases, Typos
from index.word_search import LexicalIndex

_ATTEMPTS = 50
_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class StoredText:
    """What a moment says and where, and where it is in the snapshot."""

    id: int
    source: Source
    ordinal: int
    """Position within the source, from 0; the same until the source is read again."""
    segment: int
    moment: MomentText


@dataclass(frozen=True, slots=True)
class StoredMoment(StoredText):
    """A whole moment, without its picture, and where it is in the snapshot."""

    moment: Moment


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A segment and the global ids of its moments."""

    id: int
    source: Source
    extent: Span | PageRange
    title: str
    moments: range


class Snapshot:
    """One state of a library: its sources, moments, pictures and both searches.

    Global moment ids count through the shards in manifest order, 0..num_moments-1, contiguous by
    source and by segment; they mean nothing in another snapshot. Safe for concurrent readers.

    Writers delete shards while snapshots have them open. Nobody waits for anybody: all that a
    snapshot reads is opened when it opens (DuckDB's files attached; codes, vectors, pictures and
    tantivy's files mapped or read), and Linux keeps a deleted file, and its space, until the last
    process lets go of it. A reader killed at any instant so leaves nothing behind, as a lease
    would. It takes a file system that keeps deleted files for every reader: local ones do; NFS
    only for readers on the machine that deletes, others must open a new snapshot.
    """

    def __init__(
        self,
        directory: Path,
        *,
        manifest: Manifest,
        state: tuple[int, int, int],
        shards: Sequence[OpenShard],
        inventory: Sequence[InventoryRow],
        links: PageLinks,
        metadata: Mapping[str, SourceMetadata],
        rotation: Vectors,
    ) -> None:
        """Use `Snapshot.open`."""
        self.directory = directory
        self.manifest = manifest
        self._state = state
        self._shards = tuple(shards)
        self._inventory = tuple(inventory)
        self.links = links
        self._paths: dict[str, tuple[str, ...]] = {}
        for row in sorted(self._inventory, key=lambda row: row.path):
            if row.source_id is not None and row.outcome != "failed":
                self._paths[row.source_id] = (*self._paths.get(row.source_id, ()), row.path)
        self._rotation = rotation
        self._vectors = TwoLevelIndex(
            [shard.vectors for shard in shards], rotation, outlier_share=manifest.outlier_share
        )
        self._words = LexicalIndex([shard.words for shard in shards])
        self._moment_starts = starts_of([len(shard.columns.kind) for shard in shards])
        self._segment_starts = starts_of([len(shard.segments) for shard in shards])
        self._source_starts = starts_of([len(shard.catalog.sources()) for shard in shards])
        self._number_what_is_left()
        sources = [source for shard in shards for source in shard.catalog.sources()]
        found = [sources[number] for number in self._sources.kept(np.arange(len(sources)))]
        self.sources: dict[str, Source] = {source.id: source for source in found}
        self.source_ids: list[str] = [source.id for source in found]
        self._metadata = metadata
        self.metadata = MetadataTable(metadata, self.source_ids)
        self.columns = joined_columns(
            [shard.columns for shard in shards],
            (self._source_starts, self._sources),
            (self._segment_starts, self._segments),
            self._moments,
        )
        self._source_ranges = self._ranges()

    def _number_what_is_left(self) -> None:
        """What is forgotten stays in its shard, unseen: two numberings, as stored and as seen."""
        runs = [
            [run.moved(*starts) for run in shard.runs_without(entry.forgotten)]
            for shard, entry, *starts in zip(
                self._shards,
                self.manifest.shards,
                self._source_starts.tolist(),
                self._segment_starts.tolist(),
                self._moment_starts.tolist(),
                strict=False,
            )
        ]
        kept = [run for own in runs for run in own]
        self._sources = Numbering([run.sources for run in kept], int(self._source_starts[-1]))
        self._segments = Numbering([run.segments for run in kept], int(self._segment_starts[-1]))
        self._moments = Numbering([run.moments for run in kept], int(self._moment_starts[-1]))

    @classmethod
    def open(cls, directory: Path, previous: Snapshot | None = None) -> Snapshot:
        """Open the library's current state, reusing what `previous` has open.

        Raises LibraryError when there is no library, or it is damaged or newer than this code.
        """
        for _ in range(_ATTEMPTS):
            manifest, state = read_manifest_state(directory)
            try:
                return cls._open_state(directory, manifest, state, previous)
            except LibraryError:
                # Files of a superseded manifest may be gone already; then there is a newer one.
                if manifest_state(directory) == state:
                    raise
        raise LibraryError(f"{directory} changes faster than it can be opened; try again")

    @classmethod
    def _open_state(
        cls,
        directory: Path,
        manifest: Manifest,
        state: tuple[int, int, int],
        previous: Snapshot | None,
    ) -> Snapshot:
        reusable = {shard.entry.id: shard for shard in previous._shards} if previous else {}
        shards = [
            reusable.get(entry.id) or OpenShard(directory, entry) for entry in manifest.shards
        ]
        if previous is not None and previous.manifest.rotation_sha256 == manifest.rotation_sha256:
            rotation = previous._rotation
        else:
            rotation = read_rotation(directory, manifest)
        inventory = manifest.inventory
        rows = [] if inventory is None else read_inventory(directory / inventory)
        if previous is not None and previous.manifest.links == manifest.links:
            links = previous.links
        else:
            name = manifest.links
            links = PageLinks([] if name is None else read_links(directory / name))
        if previous is not None and previous.manifest.metadata == manifest.metadata:
            metadata = previous._metadata
        else:
            name = manifest.metadata
            metadata = {} if name is None else read_metadata(directory / name)
        return cls(
            directory,
            manifest=manifest,
            state=state,
            shards=shards,
            inventory=rows,
            links=links,
            metadata=metadata,
            rotation=rotation,
        )

    def is_current(self) -> bool:
        """True while no newer state is published; one `stat`."""
        return manifest_state(self.directory) == self._state

    @property
    def generation(self) -> int:
        """Number of the state; a higher one is newer."""
        return self.manifest.generation

    @property
    def num_moments(self) -> int:
        """Moments in all sources."""
        return self._moments.num_seen

    @property
    def num_segments(self) -> int:
        """Segments in all sources."""
        return self._segments.num_seen

    def inventory(self) -> tuple[InventoryRow, ...]:
        """What was found at every path ever offered, by path."""
        return self._inventory

    def forgotten(self) -> tuple[Source, ...]:
        """Sources that are in the library no more, and whose bytes still are."""
        held = {
            source.id: source
            for shard in self._shards
            for source in shard.catalog.sources()
            if source.id not in self.sources
        }
        return tuple(held.values())

    def paths(self, source_id: str) -> tuple[str, ...]:
        """Where a source was found, sorted."""
        return self._paths.get(source_id, ())

    def source_range(self, source_id: str) -> range:
        """Global ids of a source's moments; KeyError when it is not in the library."""
        return self._source_ranges[source_id]

    def search_vectors(
        self,
        query: Vectors,
        k: int,
        *,
        mode: Literal["fast", "thorough"],
        probes: int = 64,
        allowed: Mask | None = None,
    ) -> tuple[Ids, Vectors]:
        """Ids and cosines of the moments most like a unit vector; see `TwoLevelIndex.search`."""
        mask = self._moments.mask(allowed)
        ids, scores = self._vectors.search(query, k, mode=mode, probes=probes, allowed=mask)
        return self._moments.seen(ids), scores

    def search_words(
        self,
        text: str,
        k: int,
        *,
        allowed: Mask | None = None,
        phrases: Phrases = "prefer",
        typos: Typos = "none",
    ) -> tuple[Ids, Vectors]:
        """Ids and BM25 scores of the moments that match words; see `LexicalIndex.search`."""
        ids, scores = self._words.search(
            text, k, allowed=self._moments.mask(allowed), phrases=phrases, typos=typos
        )
        return self._moments.seen(ids), scores

    def num_holding(self, word: str) -> int:
        """About how many moments hold a word; see `LexicalIndex.num_holding`."""
        return self._words.num_holding(word)

    def highest_words_score(self, text: str, *, typos: Typos = "none") -> float:
        """About the most that `search_words` can score; see `LexicalIndex.highest_score`."""
        return self._words.highest_score(text, typos)

    def near_words(
        self, text: str, typos: Typos, *, allowed: Mask | None = None
    ) -> dict[str, tuple[str, ...]]:
        """What words are also looked up as, being mistyped; see `LexicalIndex.near_words`.

        Only words of allowed moments: others would tell of what is closed or forgotten.
        """
        near = self._words.near_words(text, typos)
        if self._moments.mask(allowed) is None:
            return near

        def stands(word: str) -> bool:
            found, _ = self.search_words(f'"{word}"', 1, allowed=allowed, phrases="require")
            return len(found) > 0

        told = {word: tuple(filter(stands, others)) for word, others in near.items()}
        return {word: others for word, others in told.items() if others}

    def cosines(self, query: Vectors, ids: Ids) -> Vectors:
        """How much moments are like a unit vector, as `search_vectors` tells it."""
        return self._vectors.scores(query, self._stored(ids))

    def vectors(self, ids: Ids) -> Vectors:
        """Approximations of the moments' vectors, (len(ids), d) float32."""
        return self._vectors.reconstruct(self._stored(ids))

    def moments(self, ids: Sequence[int] | Ids | range) -> list[StoredMoment]:
        """The moments of these global ids, in that order; IndexError when one does not exist."""
        return [StoredMoment(*row) for row in self._read(ids, read_moments)]

    def texts(self, ids: Sequence[int] | Ids | range) -> list[StoredText]:
        """As `moments`, only what they say and where: read several times as fast."""
        return [StoredText(*row) for row in self._read(ids, read_texts)]

    def words_of(self, ids: Sequence[int] | Ids) -> list[MomentWords]:
        """What the moments of these global ids hold of the words of their texts, in that order."""
        return [row[-1] for row in self._read(ids, read_words)]

    def _read(
        self, ids: Sequence[int] | Ids | range, read: Callable[[Wanted], list[list[_Read]]]
    ) -> Iterator[tuple[int, Source, int, int, _Read]]:
        """Id, source, ordinal, segment and what is read of each moment, in the order of the ids."""
        numbers = np.asarray(ids, dtype=np.int64)
        stored = self._stored(numbers)
        found: dict[int, _Read] = {}
        parts = self._by_shard(stored)
        wanted = [
            (shard.catalog, [number - start for number in own]) for shard, start, own in parts
        ]
        for (_, _, own), contents in zip(parts, read(wanted), strict=True):
            found.update(zip(own, contents, strict=True))
        segments = self.columns.segment[numbers].tolist()
        owners = self.columns.source_index[numbers].tolist()
        for number, place, segment, owner in zip(
            numbers.tolist(), stored.tolist(), segments, owners, strict=True
        ):
            source = self.sources[self.source_ids[owner]]
            ordinal = number - self._source_ranges[source.id].start
            yield number, source, ordinal, segment, found[place]

    def picture(self, moment_id: int) -> bytes | None:
        """JPEG of a moment, or None when it has none of its own."""
        for shard, start, own in self._by_shard(self._stored(np.array([moment_id]))):
            return shard.picture(own[0] - start)
        return None

    def segment(self, number: int) -> StoredSegment:
        """A segment by global number; IndexError when it does not exist."""
        if not 0 <= number < self.num_segments:
            raise IndexError(f"segments are numbered 0..{self.num_segments - 1}, got {number}")
        place = int(self._segments.stored(np.array([number]))[0])
        owner = int(np.searchsorted(self._segment_starts, place, side="right")) - 1
        row = self._shards[owner].segments[place - int(self._segment_starts[owner])]
        first = self._moments.kept_before(row.moments.start + int(self._moment_starts[owner]))
        return StoredSegment(
            id=number,
            source=self._shards[owner].catalog.sources()[row.source],
            extent=row.extent,
            title=row.title,
            moments=range(first, first + len(row.moments)),
        )

    def segments_of(self, source_id: str) -> list[StoredSegment]:
        """The segments of a source, in order; KeyError when it is not in the library."""
        if source_id not in self.sources:
            raise KeyError(source_id)
        number = int(self._sources.stored(np.array([self.source_ids.index(source_id)]))[0])
        owner = int(np.searchsorted(self._source_starts, number, side="right")) - 1
        place, start = number - int(self._source_starts[owner]), int(self._segment_starts[owner])
        rows = [at for at, row in enumerate(self._shards[owner].segments) if row.source == place]
        first = self._segments.kept_before(start + rows[0]) if rows else 0
        return [self.segment(first + at) for at in range(len(rows))]

    def _stored(self, ids: Ids) -> Ids:
        """Numbers in the shards of these global ids."""
        if len(ids) and not 0 <= ids.min() <= ids.max() < self.num_moments:
            raise IndexError(f"moments are numbered 0..{self.num_moments - 1}, got {ids}")
        return self._moments.stored(ids)

    def _by_shard(self, numbers: Ids) -> list[tuple[OpenShard, int, list[int]]]:
        """The shards that hold moments: (shard, number of its first, its own numbers once each)."""
        unique = np.unique(numbers)
        owners = np.searchsorted(self._moment_starts, unique, side="right") - 1
        return [
            (self._shards[owner], int(self._moment_starts[owner]), unique[owners == owner].tolist())
            for owner in np.unique(owners).tolist()
        ]

    def _ranges(self) -> dict[str, range]:
        counts = np.bincount(self.columns.source_index, minlength=len(self.source_ids))
        starts = starts_of(counts.tolist()).tolist()
        return {
            source_id: range(starts[number], starts[number + 1])
            for number, source_id in enumerate(self.source_ids)
        }
