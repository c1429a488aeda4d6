"""What files say that cannot be true, though every checksum is right, is found and named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.files import stamp_of
from index.lexical import write_words
from index.links import read_links, write_links
from index.problems import ProblemKind
from index.ranking import Ids, Vectors
from index.two_level import ShardVectors
from index.vectors import write_lists
from tests.index.build import source_id
from tests.index.corruptions import (
    DOCUMENT,
    VIDEO,
    damage,
    resaved,
    sealed,
    shard_of,
    sql,
    taken_from,
)

Spoil = Callable[[Path], object]


def _lists(change: Callable[[Vectors, Ids], tuple[Vectors, Ids]]) -> Spoil:
    """Write the vectors of moments anew from what `change` makes of rows and their lists."""

    def spoilt(library: Path) -> None:
        directory = shard_of(library, VIDEO)
        vectors = ShardVectors(directory)
        rows, owners = change(vectors.decoded(np.arange(12)), np.repeat(np.arange(3), 4))
        path = directory / "moments.ivf"
        path.unlink()
        write_lists(path, rows, owners, num_lists=3, codes="8bit")
        sealed(library)

    return spoilt


def _links_with(**fields: object) -> Spoil:
    def change(library: Path) -> None:
        [path] = library.glob("links-*")
        first, *others = read_links(path)
        write_links(path, [replace(first, **fields), *others])  # type: ignore[arg-type]
        sealed(library)

    return change


def _words_of(*texts: str) -> Spoil:
    def change(library: Path) -> None:
        directory = shard_of(library, VIDEO) / "lexical"
        shutil.rmtree(directory)
        write_words(
            directory, texts, headings=[""] * len(texts), names=["video-1.mp4"] * len(texts)
        )
        sealed(library)

    return change


def _body(change: Callable[[dict[str, Any]], object]) -> Spoil:
    return lambda library: sealed(library, lambda body: (change(body), None)[1])


def _rotation(library: Path) -> None:
    path = library / "rotation.npy"
    np.save(path, 2 * np.load(path))
    stamp = stamp_of(path)[1]
    sealed(library, lambda body: body.update(rotation_sha256=stamp))


def _picture(library: Path) -> None:
    with (shard_of(library, VIDEO) / "pictures.bin").open("r+b") as stream:
        stream.write(b"GIF89a")
    sealed(library)


CATALOG, VECTORS, WORDS = ProblemKind.CATALOG, ProblemKind.VECTORS, ProblemKind.WORDS
PICTURES, TABLES = ProblemKind.PICTURES, ProblemKind.TABLES
TEXTS = [f"word of source1 moment{number}" for number in range(12)]
SENSE: dict[str, tuple[Spoil, ProblemKind, str]] = {
    "moment deleted": (
        sql("DELETE FROM moments WHERE moment = 5"), CATALOG, "moments that are not numbered",
    ),
    "last moment deleted": (sql("DELETE FROM moments WHERE moment = 11"), CATALOG, "11 moments"),
    "moment of another segment": (
        sql("UPDATE moments SET segment = 2 WHERE moment = 1"), CATALOG, "outside the moments of",
    ),
    "moment of no segment": (
        sql("UPDATE moments SET segment = 77 WHERE moment = 1"), CATALOG, "of no segment",
    ),
    "segment deleted": (sql("DELETE FROM segments WHERE segment = 1"), CATALOG, "2 segments"),
    "segment of no source": (
        sql("UPDATE segments SET source = 4 WHERE segment = 0"), CATALOG, "segments of no source",
    ),
    "segment with other moments": (
        sql("UPDATE segments SET first_moment = 3 WHERE segment = 1"), CATALOG, "do not follow",
    ),
    "segment too late": (
        sql("UPDATE segments SET end_tick = 100000000 WHERE segment = 2"), CATALOG, "beyond the",
    ),
    "moment too late": (
        sql("UPDATE moments SET end_tick = 100000000 WHERE moment = 3"), CATALOG, "moments beyond",
    ),
    "moment that ends before it starts": (
        sql("UPDATE moments SET end_tick = start_tick WHERE moment = 3"), CATALOG, "moments beyond",
    ),
    "word too late": (
        sql("UPDATE words SET end_tick = 100000000 WHERE moment = 3"), CATALOG, "words beyond",
    ),
    "word deleted": (sql("DELETE FROM words WHERE moment = 3"), CATALOG, "other words"),
    "word of no moment": (
        sql("UPDATE words SET moment = 99 WHERE moment = 3"), CATALOG, "words that are not there",
    ),
    "line out of its row": (
        sql("UPDATE lines SET position = 2 WHERE position = 1 AND moment = 0"), CATALOG, "other li",
    ),
    "line twice": (
        sql("UPDATE lines SET position = 0 WHERE position = 1 AND moment = 0"), CATALOG, "other li",
    ),
    "kind of a document": (
        sql("UPDATE moments SET kind = 'page' WHERE moment = 0"), CATALOG, "cannot have",
    ),
    "half a frame time": (
        sql("UPDATE moments SET pts = NULL WHERE moment = 0"), CATALOG, "half there",
    ),
    "another source": (
        sql(f"UPDATE sources SET id = '{source_id(8)}'"), CATALOG, "the manifest says others",
    ),
    "details that are no JSON": (
        sql("UPDATE sources SET details = '{'"), ProblemKind.UNREADABLE, "cannot be read",
    ),
    "table gone": (sql("DROP TABLE words"), CATALOG, "cannot be looked for"),
    "table of moments gone": (
        sql("DROP TABLE moments"), ProblemKind.UNREADABLE, "cannot be read",
    ),
    "table of segments gone": (
        sql("DROP TABLE segments"), ProblemKind.UNREADABLE, "cannot be read",
    ),
    "box of no moment": (
        sql("UPDATE boxes SET moment = 9 WHERE moment = 1", number=DOCUMENT), CATALOG, "boxes that",
    ),
    "word box gone": (
        sql("DELETE FROM word_boxes WHERE moment = 1", number=DOCUMENT), CATALOG, "other word_",
    ),
    "page that is not there": (
        sql("UPDATE moments SET page = 4 WHERE moment = 1", number=DOCUMENT), CATALOG, "moments be",
    ),
    "link to a page that is not there": (
        sql("UPDATE hyperlinks SET page = 9 WHERE page = 1", number=DOCUMENT), CATALOG, "links to",
    ),
    "picture beyond the end": (
        sql("UPDATE moments SET picture_offset = picture_offset + 1 WHERE moment = 8"),
        PICTURES, "outside their file",
    ),
    "picture of no bytes": (
        sql("UPDATE moments SET picture_bytes = 0 WHERE moment = 4"), PICTURES, "outside their fil",
    ),
    "picture of nobody": (
        sql("UPDATE moments SET picture_bytes = NULL, picture_offset = NULL WHERE moment = 4"),
        PICTURES, "no picture of a moment",
    ),
    "picture that is none": (_picture, PICTURES, "no JPEG"),
    "list moved": (_lists(lambda rows, owners: (rows, owners.clip(1, 2))), VECTORS, "not as long"),
    "ids of other moments": (
        _lists(lambda rows, owners: (rows[::-1], owners[::-1])), VECTORS, "under the id of another",
    ),
    "vectors of other moments": (
        _lists(lambda rows, owners: (np.roll(rows, 4, axis=0), owners)), VECTORS, "not as like",
    ),
    "vectors too long": (
        _lists(lambda rows, owners: (rows * 1.3, owners)), VECTORS, "moments that are not",
    ),
    "vectors of another shard": (taken_from("moments.ivf"), VECTORS, "not as like"),
    "segments of another shard": (taken_from("segments.npy"), VECTORS, "not as like"),
    "segments too long": (resaved("segments.npy", lambda rows: 2 * rows), VECTORS, "of segments"),
    "cosines changed": (resaved("cosines.npy", lambda old: old - 0.1), VECTORS, "not as like"),
    "cosines that are no numbers": (
        resaved("cosines.npy", lambda old: old * np.nan), VECTORS, "12, the first is number 0",
    ),
    "cosine missing": (
        resaved("cosines.npy", lambda old: old[:-1]), ProblemKind.UNREADABLE, "is damaged",
    ),
    "words of another shard": (taken_from("lexical"), WORDS, "its own word"),
    "words of one less": (_words_of(*TEXTS[:-1]), WORDS, "words of 11 moments"),
    "words of other moments": (_words_of(*TEXTS[::-1]), WORDS, "'moment0'"),
    "link to a missing source": (_links_with(document_id=source_id(9)), TABLES, "not there"),
    "link to a missing page": (_links_with(page=4), TABLES, "has 3 pages"),
    "metadata of a missing source": (
        _body(lambda body: body["shards"].pop(2)), TABLES, "metadata names a source",
    ),
    "link from a document": (_links_with(video_id=source_id(DOCUMENT)), TABLES, "not that long"),
    "inventory of a missing source": (
        _body(lambda body: body["shards"].pop(0)),
        TABLES, "names a source that is not there",
    ),
    "rotation that stretches": (_rotation, ProblemKind.ROTATION, "not orthogonal"),
    "counts of the manifest": (
        _body(lambda body: body["shards"][0].update(moments=13)),
        CATALOG, "holds 12 moments, the manifest says 13",
    ),
    "forgotten source that the shard does not hold": (
        _body(lambda body: body["shards"][0].update(forgotten=[source_id(8)])),
        CATALOG, "the manifest says others",
    ),
    "forgotten and there": (
        _body(lambda body: body["shards"][0].update(forgotten=body["shards"][0]["sources"])),
        CATALOG, "2 times, there or forgotten",
    ),
    "forgotten things that are no ids": (
        _body(lambda body: body["shards"][0].update(forgotten=[["x"]])),
        ProblemKind.MANIFEST, "says what cannot be",
    ),
    "shard twice": (
        _body(lambda body: body["shards"].append(body["shards"][0])),
        ProblemKind.MANIFEST, "more than once",
    ),
    "file of the shard not named": (
        _body(lambda body: body["shards"][0]["files"].pop("cosines.npy")),
        ProblemKind.MANIFEST, "not named by the manifest",
    ),
    "file outside the shard": (
        _body(lambda body: body["shards"][0]["files"].update({"../../x": [1, "0"]})),
        ProblemKind.MANIFEST, "outside its shard",
    ),
    "codes of another kind": (_body(lambda body: body.update(codes="fp16")), VECTORS, "are 8bit"),
}  # fmt: skip


@pytest.mark.parametrize("way", SENSE)
def test_what_cannot_be_true_is_found_though_checksums_are_right(way: str, copied: Path) -> None:
    change, kind, what = SENSE[way]
    change(copied)
    found = damage(copied)
    assert [one for one in found if one.kind is kind and what in one.what], found
    assert not {one.kind for one in found} & {ProblemKind.CHANGED, ProblemKind.MISSING}
