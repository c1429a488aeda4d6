"""A library with some of everything, and ways to spoil it that `verify` must find.

The later ways change a file in keeping with its format and seal the manifest again, as a fault in
our own code would: the checksums are right, and only what the files say can tell.
"""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from PIL import Image

from index.files import stamp_of, stamps_of
from index.forgetting import forget_source
from index.manifest import (
    MANIFEST_NAME,
    body_checksum,
    create_library,
    read_manifest,
    read_rotation,
)
from index.metadata import MetadataChange
from index.problems import Problem
from index.publishing import commit_links
from index.records import (
    Box,
    Hyperlink,
    Moment,
    MomentKind,
    PageArea,
    PageOnScreen,
    PageRange,
    Segment,
    Source,
    SourceKind,
    Span,
    TextLine,
)
from index.shard import commit_shard, staging_area, write_shard
from index.verification import verify_library
from index.word_boxes import WordBoxes
from tests.index.build import (
    IDENTITY,
    NTSC_FRAME,
    make_vectors,
    make_video,
    row_of,
    source_id,
)

VIDEO, OTHER_VIDEO, DOCUMENT = 1, 2, 3


def jpeg(shade: int) -> bytes:
    """A small picture."""
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), (shade, 128, 255 - shade)).save(buffer, "JPEG")
    return buffer.getvalue()


def make_document(number: int) -> tuple[Source, tuple[Segment, ...]]:
    """Three pages in two sections, with boxes, words, links and pictures."""
    moments = [
        Moment(
            kind=MomentKind.PASSAGE if page % 2 else MomentKind.FIGURE,
            place=PageArea(page, f"p{page}", (Box(0, 0, 10, 10), Box(0, 12, 10, 20))),
            text=f"leaf number{page} says something",
            word_boxes=WordBoxes.of([(0, 4, Box(0, 0, 4, 10)), (5, 12, Box(5, 0, 9, 10))]),
            hyperlinks=(
                Hyperlink(0, 4, PageArea(1, "p1")),
                Hyperlink(5, 12, "https://example.org/"),
            ),
            heading="Part > Chapter",
            picture=jpeg(40 * page),
        )
        for page in (1, 2, 3)
    ]
    segments = (
        Segment(PageRange(1, 2), "one", tuple(moments[:2])),
        Segment(PageRange(3, 3), "two", tuple(moments[2:])),
    )
    return (
        Source(
            source_id(number), SourceKind.DOCUMENT, "slides.pdf", 7, None, 3, {"title": "Slides"}
        ),
        segments,
    )


def make_talk(number: int) -> tuple[Source, tuple[Segment, ...]]:
    """A video with pictures that are some, and lines read from them."""
    source, segments = make_video(number)
    line = TextLine("Written here", Box(1, 2, 3, 4), 0.9)
    return source, tuple(
        replace(
            segment,
            moments=tuple(
                replace(moment, picture=jpeg(80 * place), lines=(line, line))
                if moment.kind is MomentKind.FRAME
                else moment
                for moment in segment.moments
            ),
        )
        for place, segment in enumerate(segments)
    )


def add(library: Path, source: Source, segments: Sequence[Segment]) -> None:
    """Write and commit one source; its number seeds its vectors."""
    number = int(source.id, 16)
    manifest = read_manifest(library)
    with staging_area(library) as area:
        entry = write_shard(
            area / "shard",
            source,
            segments,
            *make_vectors(number, tuple(segments)),
            rotation=read_rotation(library, manifest),
            codes=manifest.codes,
        )
        row = replace(row_of(number), path=f"/files/{source.name}")
        said = MetadataChange({"number": number, "course": "cs101"}, frozenset({"staff"}))
        commit_shard(
            library,
            area / "shard",
            entry,
            [row],
            embedder=IDENTITY,
            metadata={source.id: said} if number != OTHER_VIDEO else {},
        )


def full_library(directory: Path) -> None:
    """Two talks, slides on the screen of the first, and one that was forgotten."""
    create_library(directory, IDENTITY)
    add(directory, *make_talk(9))
    for number in (VIDEO, OTHER_VIDEO):
        add(directory, *make_talk(number))
    add(directory, *make_document(DOCUMENT))
    pair = (source_id(VIDEO), source_id(DOCUMENT))
    shown = [
        PageOnScreen(pair[1], page, pair[0], Span(page * NTSC_FRAME, (page + 1) * NTSC_FRAME), 0.5)
        for page in (1, 2)
    ]
    commit_links(directory, [pair], shown)
    forget_source(directory, source_id(9))


def shard_of(library: Path, number: int) -> Path:
    """Where a source's shard is."""
    body = json.loads((library / MANIFEST_NAME).read_bytes())
    [name] = [one["id"] for one in body["shards"] if source_id(number) in one["sources"]]
    return library / "shards" / str(name)


def sealed(library: Path, change: Callable[[dict[str, Any]], None] = lambda body: None) -> None:
    """Write the manifest anew with the stamps of the files as they are, and what `change` makes."""
    path = library / MANIFEST_NAME
    body = json.loads(path.read_bytes())
    for shard in body["shards"]:
        root = library / "shards" / shard["id"]
        shard["files"] = stamps_of(root)
    for name in body["tables"]:
        body["tables"][name] = stamp_of(library / name)
    change(body)
    body["checksum"] = body_checksum(body)
    path.write_text(json.dumps(body, indent=1))


def altered(name: str, number: int = VIDEO) -> Callable[[Path], None]:
    """Change one byte in the middle of a file of a shard; its name may end with *."""

    def spoil(library: Path) -> None:
        path = next(iter(sorted(shard_of(library, number).glob(name))))
        flip(path, path.stat().st_size // 2)

    return spoil


def flip(path: Path, place: int, mask: int = 0x10) -> None:
    """Change bits of one byte."""
    with path.open("r+b") as stream:
        stream.seek(place)
        [byte] = stream.read(1)
        stream.seek(place)
        stream.write(bytes([byte ^ mask]))


def cut(name: str) -> Callable[[Path], None]:
    """Cut a byte off a file of a shard."""

    def spoil(library: Path) -> None:
        path = shard_of(library, VIDEO) / name
        os.truncate(path, path.stat().st_size - 1)

    return spoil


def sql(*statements: str, number: int = VIDEO) -> Callable[[Path], None]:
    """Change a catalog, its constraints left out, and seal the manifest."""

    def spoil(library: Path) -> None:
        path = shard_of(library, number) / "catalog.duckdb"
        loose = path.with_name("loose.duckdb")
        with duckdb.connect(str(loose)) as connection:
            connection.execute(f"ATTACH '{path}' AS held (READ_ONLY)")
            tables = connection.execute(
                "SELECT table_name FROM duckdb_tables() WHERE database_name = 'held'"
            ).fetchall()
            for (table,) in tables:
                connection.execute(f"CREATE TABLE {table} AS SELECT * FROM held.{table}")
            for statement in statements:
                connection.execute(statement)
        os.replace(loose, path)
        sealed(library)

    return spoil


def renamed_table(kind: str, change: Callable[[Path], None]) -> Callable[[Path], None]:
    """Change a table of the whole library and seal the manifest."""

    def spoil(library: Path) -> None:
        [path] = library.glob(f"{kind}-*")
        change(path)
        sealed(library)

    return spoil


def swapped(library: Path) -> None:
    """Two shards under each other's name."""
    one, other = shard_of(library, VIDEO), shard_of(library, OTHER_VIDEO)
    aside = one.with_name("aside")
    for old, new in ((one, aside), (other, one), (aside, other)):
        os.rename(old, new)


def resaved(name: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    """Change an array of a shard and seal the manifest."""

    def spoil(library: Path) -> None:
        path = shard_of(library, VIDEO) / name
        np.save(path, change(np.load(path)))
        sealed(library)

    return spoil


def taken_from(name: str) -> Callable[[Path], None]:
    """A file of another shard of the same shape in its place, and the manifest sealed."""

    def spoil(library: Path) -> None:
        path = shard_of(library, VIDEO) / name
        other = shard_of(library, OTHER_VIDEO) / name
        if path.is_dir():
            shutil.rmtree(path)
            shutil.copytree(other, path)
        else:
            shutil.copy(other, path)
        sealed(library)

    return spoil


def damage(library: Path, *, deep: bool = False) -> list[Problem]:
    """What `verify` finds, strays left out."""
    return [one for one in verify_library(library, deep=deep).problems if one.is_damage]
