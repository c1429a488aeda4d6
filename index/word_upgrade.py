"""The words of a shard written from its catalog, where its moments are not at hand as records."""

from __future__ import annotations

from itertools import tee
from pathlib import Path

from index.catalog import CatalogReader
from index.lexical import write_words


def rewrite_words(catalog: CatalogReader, directory: Path) -> None:
    """Write the lexical index of a shard into the new directory `directory`.

    What it holds is what `write_shard` would write for the same moments. Shards never change:
    the caller makes another one with this directory in it. Raises LibraryError when the catalog
    cannot be read or the disk refuses.
    """
    texts, headings, names = tee(catalog.texts(), 3)
    write_words(
        directory,
        (row[0] for row in texts),
        headings=(row[1] for row in headings),
        names=(row[2] for row in names),
    )
