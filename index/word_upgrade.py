"""The words of a shard written anew from its catalog, for a library that an older version wrote."""

from __future__ import annotations

from pathlib import Path

from index.catalog import CatalogReader
from index.lexical import write_words
from index.records import Moment

_BATCH = 1_000


def rewrite_words(catalog: CatalogReader, directory: Path) -> None:
    """Write the lexical index of a shard into the new directory `directory`.

    What it holds is what `write_shard` would write for the same moments. Shards never change:
    the caller makes another one with this directory in it. Raises LibraryError when the catalog
    cannot be read or the disk refuses.
    """
    names = [source.name for source in catalog.sources()]
    texts, headings, owners = [], [], []
    for segment in catalog.segments():
        for moment in _moments(catalog, segment.moments):
            texts.append(moment.text)
            headings.append(moment.heading)
            owners.append(names[segment.source])
    write_words(directory, texts, headings=headings, names=owners)


def _moments(catalog: CatalogReader, numbers: range) -> list[Moment]:
    """Read in batches: a moment comes with all its words and boxes."""
    batches = [numbers[first : first + _BATCH] for first in range(0, len(numbers), _BATCH)]
    return [moment for batch in batches for moment in catalog.moments(batch)]
