"""Lexical indexes for tests."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from index.lexical import write_words
from index.word_search import LexicalIndex


def index_of(
    root: Path, texts: Sequence[str], borders: Sequence[int] = (), name: str = "clip.mp4"
) -> LexicalIndex:
    """The texts as moments without headings, in shards that begin at 0 and at the borders."""
    root.mkdir(exist_ok=True)
    edges = [0, *borders, len(texts)]
    directories = []
    for number, (first, last) in enumerate(pairwise(edges)):
        directory = root / f"{len(borders)}-{number}"
        part = texts[first:last]
        write_words(directory, part, headings=[""] * len(part), names=[name] * len(part))
        directories.append(directory)
    return LexicalIndex.open(directories)
