"""Make a small library in the format of the code beside it, and what that code finds in it.

The archives in this folder were made by the commits that their names tell:
`git worktree add OLD COMMIT; cd OLD; PYTHONPATH=. python .../make.py .../catalog-2-5001357.zip`
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from index.manifest import create_library, read_manifest, read_rotation
from index.records import (
    Box,
    Moment,
    MomentKind,
    PageArea,
    PageRange,
    Segment,
    Source,
    SourceKind,
)
from index.shard import commit_shard, staging_area, write_shard
from index.snapshot import Snapshot
from tests.index.build import (
    DIMS,
    IDENTITY,
    add_video,
    make_vectors,
    row_of,
    source_id,
    unit_rows,
)

WORDS = ("banana", "cherry", "damson")
QUERIES = 8
_EPOCH = (2026, 1, 1, 0, 0, 0)


def make_library(directory: Path) -> None:
    """Three videos and a document."""
    create_library(directory, IDENTITY)
    for number, word in enumerate(WORDS, start=1):
        add_video(directory, number, word=word)
    _add_document(directory, 4)


def _add_document(directory: Path, number: int) -> None:
    moments = tuple(_passage(page) for page in (1, 2))
    segments = (Segment(PageRange(1, 2), "Chapter", moments),)
    source = Source(source_id(number), SourceKind.DOCUMENT, "manual.pdf", 77, None, 2)
    options: dict[str, Any] = {}
    if "outlier_share" in inspect.signature(write_shard).parameters:
        options["outlier_share"] = 0.2
    rotation = read_rotation(directory, read_manifest(directory))
    vectors = make_vectors(number, segments)
    with staging_area(directory) as area:
        staged = area / "shard"
        entry = write_shard(staged, source, segments, *vectors, rotation=rotation, **options)
        commit_shard(directory, staged, entry, [row_of(number)], embedder=IDENTITY)


def _passage(page: int) -> Moment:
    options: dict[str, Any] = {}
    fields = {field.name for field in dataclasses.fields(Moment)}
    box = Box(10, 20, 30, 40)
    if "word_boxes" in fields:
        from index.word_boxes import WordBoxes

        options["word_boxes"] = WordBoxes.of([(0, 5, box)])
    if "hyperlinks" in fields:
        from index.records import Hyperlink

        options["hyperlinks"] = (Hyperlink(0, 5, "https://example.org"),)
    area = PageArea(page, f"p{page}", (box,))
    text = f"elder passage {page}"
    return Moment(MomentKind.PASSAGE, area, text, heading="Chapter", **options)


def found_in(directory: Path) -> dict[str, Any]:
    """What searches and rows of a library are, as plain data."""
    snapshot = Snapshot.open(directory)
    queries = unit_rows(np.random.default_rng(5).standard_normal((QUERIES, DIMS)))
    by_vector = [snapshot.search_vectors(query, 10, mode="thorough") for query in queries]
    fast = [snapshot.search_vectors(query, 3, mode="fast", probes=99) for query in queries]
    by_word = [sorted(snapshot.search_words(word, 50)[0].tolist()) for word in (*WORDS, "elder")]
    return {
        "sources": [str(source) for source in snapshot.sources.values()],
        "moments": [
            {field: str(getattr(one.moment, field)) for field in _FIELDS}
            for one in snapshot.moments(range(snapshot.num_moments))
        ],
        "pictures": [
            len(snapshot.picture(number) or b"") for number in range(snapshot.num_moments)
        ],
        "by_vector": [ids.tolist() for ids, _ in by_vector],
        "scores": [np.round(scores.astype(float), 5).tolist() for _, scores in by_vector],
        "fast": [ids.tolist() for ids, _ in fast],
        "by_word": by_word,
        "paths": [row.path for row in snapshot.inventory()],
    }


_FIELDS = ("kind", "place", "text", "frame_time", "words", "lines", "heading", "confidence")


def _write_archive(archive: Path, library: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        truth = json.dumps(found_in(library), indent=1)
        target.writestr(zipfile.ZipInfo("truth.json", _EPOCH), truth, zipfile.ZIP_DEFLATED)
        for path in sorted(library.rglob("*")):
            if path.is_file():
                name = path.relative_to(library.parent).as_posix()
                entry = zipfile.ZipInfo(name, _EPOCH)
                target.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        make_library(Path(folder) / "library")
        _write_archive(Path(sys.argv[1]), Path(folder) / "library")
