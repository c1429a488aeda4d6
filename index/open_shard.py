"""One shard, open for reading: its catalog, vectors, words and pictures."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from pathlib import Path

from index.catalog import CatalogReader
from index.columns import MomentColumns, SegmentRow
from index.errors import OLD_LIBRARY_ADVICE, LibraryError
from index.files import disk_error
from index.lexical import ShardWords
from index.manifest import SHARDS_NAME, ShardEntry
from index.numbering import SourceRun
from index.shard import CATALOG_NAME, LEXICAL_NAME, PICTURES_NAME
from index.two_level import ShardVectors, missing_files


class OpenShard:
    """Everything of one shard, open; files deleted later stay readable."""

    def __init__(self, library: Path, entry: ShardEntry) -> None:
        directory = library / SHARDS_NAME / entry.id
        if missing_files(entry.files, entry.moments):
            raise LibraryError(f"{directory} is of an older format; {OLD_LIBRARY_ADVICE}")
        self.entry = entry
        self.catalog = CatalogReader(directory / CATALOG_NAME)
        self.columns: MomentColumns = self.catalog.moment_columns()
        self.segments: tuple[SegmentRow, ...] = tuple(self.catalog.segments())
        self.vectors = ShardVectors(directory)
        self.words = ShardWords(directory / LEXICAL_NAME)
        self._pictures = _mapped(directory / PICTURES_NAME)
        counts = {len(self.columns.kind), self.vectors.num_moments, self.words.num_moments}
        if counts != {entry.moments} or len(self.segments) != entry.segments:
            raise LibraryError(f"{directory} is damaged; restore this library from a backup")

    def runs_without(self, forgotten: Sequence[str]) -> list[SourceRun]:
        """What is left of the shard when these sources are forgotten."""
        if forgotten:
            return self.catalog.kept_runs(forgotten)
        counts = (self.catalog.sources(), self.segments, self.columns.kind)
        return [SourceRun(*(range(len(things)) for things in counts))]

    def picture(self, number: int) -> bytes | None:
        """JPEG of a moment, or None."""
        place = self.catalog.picture_location([number])[0]
        if place is None or self._pictures is None:
            return None
        offset, size_bytes = place
        return self._pictures[offset : offset + size_bytes]


def _mapped(path: Path) -> mmap.mmap | None:
    """A file mapped for reading; None when it is empty."""
    try:
        with path.open("rb") as stream:
            if path.stat().st_size == 0:
                return None
            return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise disk_error(path, "read", error) from error
