"""`python -m benchmarks.index.library [--hours 278] [--encode]`: a library searched and added to.

Hours of 3,600 synthetic moments (utterances with their words, frames, texts on screen; words as
frequent as in English) are written, committed and compacted as ingest does. Searches run through
both indexes, fusion, filters and DuckDB's rows of ten hits; the question's vector is given. With
`--encode` they are also measured with the question encoded by the default embedder before.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from benchmarks.index.data import Rows, unit
from index.compaction import compact
from index.embedders import Embedder, open_embedder
from index.manifest import EmbedderIdentity, create_library, read_manifest, read_rotation
from index.records import Box, Moment, MomentKind, Segment, Source, SourceKind, Span, TextLine, Word
from index.settings import CompactionSettings, EmbedderSettings
from index.shard import commit_shard, staging_area, write_shard
from index.snapshot import Snapshot
from index.words import LOOKUP_STOP_WORDS, STOP_WORDS
from retrieve.filters import Filters
from retrieve.search import search
from retrieve.settings import RetrieveSettings

DIMS = 384
HOUR_S = 3600
SEGMENTS = 90
_KINDS = (MomentKind.UTTERANCE,) * 5 + (MomentKind.FRAME,) * 3 + (MomentKind.SCREEN_TEXT,) * 2
_WORDS = 12
_VOCABULARY = 30_000
_RANKS = np.arange(1, _VOCABULARY + 1)
_FREQUENCIES = (_RANKS + 2.7) ** -1.05 / ((_RANKS + 2.7) ** -1.05).sum()
"""Zipf's law as Mandelbrot has it, near that of English."""
_STOP_WORDS = sorted(STOP_WORDS & LOOKUP_STOP_WORDS)
_QUESTIONS = 200
_ASKED_HOURS = 10
_ASKED_WORDS = 8
"""Of a question; half of them tell nothing."""
IDENTITY = EmbedderIdentity("benchmark", "1", DIMS, "")


class KnownQueries:
    """Hands out vectors of questions that are known, as if `encoder` had made them."""

    identity = IDENTITY

    def __init__(self, vectors: dict[str, Rows], encoder: Embedder | None = None) -> None:
        self._vectors = vectors
        self._encoder = encoder

    def embed_queries(self, texts: Sequence[str]) -> Rows:
        """(n, DIMS) float32."""
        if self._encoder is not None:
            self._encoder.embed_queries(texts)
        return np.stack([self._vectors[text] for text in texts])


def _name(word: int) -> str:
    """The commonest words are those that tell nothing, as in any language."""
    return _STOP_WORDS[word] if word < len(_STOP_WORDS) else f"w{word}"


def hour(number: int) -> tuple[Source, tuple[Segment, ...], Rows, Rows]:
    """An hour of video: source, segments, vectors of its moments and of its segments."""
    generator = np.random.default_rng(number)
    drawn = generator.choice(_VOCABULARY, size=HOUR_S * _WORDS, p=_FREQUENCIES)
    video = unit(generator.standard_normal((1, DIMS)))
    centres = unit(video + 0.9 * unit(generator.standard_normal((SEGMENTS, DIMS))))
    owners = np.repeat(np.arange(SEGMENTS), HOUR_S // SEGMENTS)
    vectors = unit(centres[owners] + 0.7 * unit(generator.standard_normal((HOUR_S, DIMS))))
    needles = generator.random(HOUR_S) < 0.05
    vectors[needles] = unit(generator.standard_normal((int(needles.sum()), DIMS)))
    buffer = BytesIO()
    noise = generator.integers(0, 255, (36, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((320, 180)).save(buffer, "JPEG", quality=70)
    moments = []
    for second in range(HOUR_S):
        names = [_name(word) for word in drawn[second * _WORDS : (second + 1) * _WORDS].tolist()]
        kind = _KINDS[second % len(_KINDS)]
        moment = Moment(kind, Span(Fraction(second), Fraction(second + 1)), " ".join(names))
        if kind is MomentKind.UTTERANCE:
            step = Fraction(1, _WORDS)
            words = [
                Word(name, Span(second + at * step, second + (at + 1) * step), 0.9)
                for at, name in enumerate(names)
            ]
            moment = replace(moment, words=tuple(words))
        elif kind is MomentKind.SCREEN_TEXT:
            line = TextLine(moment.text, Box(10.0, 20.0, 600.0, 50.0), 0.95)
            moment = replace(moment, lines=(line,))
        else:
            moment = replace(moment, picture=buffer.getvalue())
        moments.append(moment)
    each = HOUR_S // SEGMENTS
    segments = tuple(
        Segment(
            Span(Fraction(first), Fraction(first + each)),
            f"part {first // each}",
            tuple(moments[first : first + each]),
        )
        for first in range(0, HOUR_S, each)
    )
    source = Source(
        id=hashlib.sha256(str(number).encode()).hexdigest()[:32],
        kind=SourceKind.VIDEO,
        name=f"hour{number:06d}.mp4",
        size_bytes=10**9,
        duration=Fraction(HOUR_S),
        pages=None,
    )
    sums = np.add.reduceat(vectors, np.arange(0, HOUR_S, each))
    return source, segments, vectors, unit(sums)


def add(library: Path, number: int) -> tuple[float, float]:
    """Write and commit an hour; seconds of both."""
    source, segments, vectors, joint = hour(number)
    rotation = read_rotation(library, read_manifest(library))
    with staging_area(library) as area:
        began = time.perf_counter()
        entry = write_shard(area / "new", source, segments, vectors, joint, rotation=rotation)
        written = time.perf_counter()
        commit_shard(library, area / "new", entry, [], embedder=IDENTITY)
        committed = time.perf_counter()
    return written - began, committed - written


def questions(hours: int) -> list[tuple[str, Rows]]:
    """Some words of a moment, and a vector near its own."""
    generator = np.random.default_rng(7)
    found = []
    for number in generator.integers(hours, size=_ASKED_HOURS).tolist():
        _, segments, vectors, _ = hour(number)
        moments = [moment for segment in segments for moment in segment.moments]
        for at in generator.integers(HOUR_S, size=_QUESTIONS // _ASKED_HOURS).tolist():
            noise = 0.9 * unit(generator.standard_normal((1, DIMS)))
            text = " ".join(moments[at].text.split()[:_ASKED_WORDS])
            found.append((text, unit(vectors[at][None] + noise)[0]))
    return found


def ask(
    snapshot: Snapshot,
    asked: Sequence[tuple[str, Rows]],
    filters: Filters,
    encoder: Embedder | None = None,
) -> list[dict[str, float]]:
    """Milliseconds of each search and its steps."""
    embedder: Any = KnownQueries(dict(asked), encoder)
    took = []
    for text, _ in asked:
        settings = RetrieveSettings()
        found = search(snapshot, embedder, text, k=10, filters=filters, settings=settings)
        took.append({"all": found.took_ms, **found.steps_ms})
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=278)
    parser.add_argument("--library", type=Path, help="keep it here, or use what is here")
    parser.add_argument("--encode", action="store_true", help="also with encoded questions")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="secondsight-bench-") as scratch:
        library = arguments.library or Path(scratch) / "library"
        if not library.exists():
            create_library(library, IDENTITY)
            began = time.perf_counter()
            for number in range(arguments.hours):
                add(library, number)
            print(f"{arguments.hours} hours written in {time.perf_counter() - began:.0f} s")
            began = time.perf_counter()
            compact(library, CompactionSettings())
            print(f"compacted, as ingest does meanwhile, in {time.perf_counter() - began:.0f} s\n")
        report(library, open_embedder(EmbedderSettings()) if arguments.encode else None)


def report(library: Path, encoder: Embedder | None) -> None:
    """Print what opening, searching and adding cost."""
    process = psutil.Process()
    before = process.memory_info().rss
    began = time.perf_counter()
    snapshot = Snapshot.open(library)
    opened_s = time.perf_counter() - began
    hours = len(snapshot.sources)
    size_bytes = sum(path.stat().st_size for path in library.rglob("*") if path.is_file())
    shards = len(snapshot.manifest.shards)
    print(f"{snapshot.num_moments:,} moments, {hours} hours, {shards} shards; "
          f"load {os.getloadavg()[0]:.1f}\n")  # fmt: skip
    print("| | |\n|---|---|")
    print(f"| on disk | {size_bytes / hours / 1e6:.1f} MB an hour |")
    print(f"| open | {opened_s:.2f} s |")
    kinds = Filters(kinds=(MomentKind.UTTERANCE,))
    some = Filters(sources=tuple(list(snapshot.sources)[: max(1, hours // 20)]))
    asked = questions(hours)
    filterings = {"everything": Filters(), "utterances": kinds, "5% of the sources": some}
    for name, filters in filterings.items():
        print_row(f"search, {name}", ask(snapshot, asked, filters))
    if encoder is not None:
        print_row("search, everything, encoding too", ask(snapshot, asked, Filters(), encoder))
    resident = process.memory_info().rss - before
    print(f"| resident after it | {resident / 1e6:.0f} MB |")
    written_s, committed_s = add(library, 10**6 + snapshot.generation)
    began = time.perf_counter()
    Snapshot.open(library, snapshot)
    print(f"| a new hour: written | {written_s:.2f} s |")
    print(f"| a new hour: committed | {committed_s:.2f} s |")
    print(f"| a new hour: visible after another | {time.perf_counter() - began:.2f} s |")


def print_row(name: str, took: Sequence[dict[str, float]]) -> None:
    """One row of the table: percentiles of all of it, medians of its steps."""
    p50, p99 = np.percentile([one["all"] for one in took], [50, 99])
    steps = ("understand", "embed", "find", "merge")
    medians = (f"{step} {np.median([one[step] for one in took]):.1f}" for step in steps)
    print(f"| {name} | p50 {p50:.1f} ms ({', '.join(medians)}), p99 {p99:.1f} ms |")


if __name__ == "__main__":
    main()
