"""A shard's words written anew are the words that were written with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.catalog import CatalogReader
from index.shard import CATALOG_NAME, LEXICAL_NAME
from index.word_search import LexicalIndex
from index.word_upgrade import rewrite_words
from tests.index.build import write_video


@pytest.mark.parametrize("batch", [5, 1000])
def test_rewritten_words_find_the_same(
    library: Path, area: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr("index.catalog._TEXTS_AT_ONCE", batch)
    write_video(library, area / "s", 1)
    rewrite_words(CatalogReader(area / "s" / CATALOG_NAME), area / "again")
    written = LexicalIndex.open([area / "s" / LEXICAL_NAME])
    again = LexicalIndex.open([area / "again"])
    assert again.num_moments == written.num_moments
    for query in ("word", "source1 moment7", '"moment7"', "video"):
        ids, scores = written.search(query, 50)
        other_ids, other_scores = again.search(query, 50)
        assert ids.tolist() == other_ids.tolist()
        assert scores.tolist() == other_scores.tolist()
    assert written.search("moment7", 1)[0].tolist() == [7]
