"""Small libraries for the tests of the index, and hypothesis strategies for its records."""

from __future__ import annotations

import string
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from index.inventory import InventoryRow
from index.manifest import EmbedderIdentity, Manifest, ShardEntry, read_manifest, read_rotation
from index.records import (
    Box,
    FrameTime,
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
    Word,
)
from index.shard import commit_shard, staging_area, write_shard
from index.snapshot import Snapshot
from index.word_boxes import WordBoxes

Vectors = npt.NDArray[np.float32]
DIMS = 32
IDENTITY = EmbedderIdentity(id="test", revision="1", dims=DIMS, settings_hash="0")
NTSC_FRAME = Fraction(1001, 30000)


def unit_rows(rows: npt.NDArray[np.floating]) -> Vectors:
    """Rows of length 1, float32."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def source_id(number: int) -> str:
    """32 hex digits."""
    return f"{number:032x}"


def make_video(
    number: int, *, num_segments: int = 3, per_segment: int = 4, word: str = "word"
) -> tuple[Source, tuple[Segment, ...]]:
    """A video whose moments are one NTSC frame apart; every text names the source and moment."""
    segments = []
    for segment in range(num_segments):
        moments = []
        for place in range(per_segment):
            index = segment * per_segment + place
            span = Span(index * NTSC_FRAME, (index + 1) * NTSC_FRAME)
            is_frame = place == 0
            moments.append(
                Moment(
                    kind=MomentKind.FRAME if is_frame else MomentKind.UTTERANCE,
                    place=span,
                    text=f"{word} of source{number} moment{index}",
                    frame_time=FrameTime(index * 1001, Fraction(1, 30000)) if is_frame else None,
                    words=() if is_frame else (Word(word, span, 0.5),),
                    picture=b"\xff\xd8picture" + word.encode() if is_frame else None,
                )
            )
        extent = Span(moments[0].span.start, moments[-1].span.end)
        segments.append(Segment(extent, f"scene {segment}", tuple(moments)))
    source = Source(
        id=source_id(number),
        kind=SourceKind.VIDEO,
        name=f"video-{number}.mp4",
        size_bytes=100 + number,
        duration=num_segments * per_segment * NTSC_FRAME,
        pages=None,
        details={"codec": "h264", "width_px": 64, "fps": 29.97, "title": None},
    )
    return source, tuple(segments)


def make_vectors(number: int, segments: tuple[Segment, ...]) -> tuple[Vectors, Vectors]:
    """Vectors of the moments, close to those of their segments."""
    generator = np.random.default_rng(number)
    coarse = unit_rows(generator.standard_normal((len(segments), DIMS)))
    counts = [len(segment.moments) for segment in segments]
    noise = generator.standard_normal((sum(counts), DIMS))
    return unit_rows(np.repeat(coarse, counts, axis=0) + 0.05 * noise), coarse


def link_of(page: int, *, document: int = 1, video: int = 1) -> PageOnScreen:
    """A page on screen from as many NTSC frames on, half as long."""
    span = Span(page * NTSC_FRAME, page * NTSC_FRAME * 3 / 2)
    return PageOnScreen(source_id(document), page, source_id(video), span, 0.9)


def row_of(number: int, path: str | None = None) -> InventoryRow:
    """The inventory row of an added source."""
    return InventoryRow(
        path=path or f"/videos/video-{number}.mp4",
        size_bytes=100 + number,
        mtime_ns=1_700_000_000_000_000_000 + number,
        outcome="added",
        source_id=source_id(number),
        stage=None,
        reason=None,
        seen_at="2026-01-02T03:04:05+00:00",
    )


def write_video(library: Path, staged: Path, number: int, *, word: str = "word") -> ShardEntry:
    """A shard of `make_video(number, word=word)` at `staged`, not committed."""
    source, segments = make_video(number, word=word)
    return write_shard(
        staged,
        source,
        segments,
        *make_vectors(number, segments),
        rotation=read_rotation(library, read_manifest(library)),
    )


def add_video(
    library: Path,
    number: int,
    *,
    word: str = "word",
    before_commit: Callable[[], None] = lambda: None,
    path: str | None = None,
    replace_present: bool = False,
) -> Manifest:
    """Write and commit one video."""
    with staging_area(library) as area:
        staged = area / "shard"
        entry = write_video(library, staged, number, word=word)
        before_commit()
        return commit_shard(
            library,
            staged,
            entry,
            [row_of(number, path)],
            embedder=IDENTITY,
            replace_present=replace_present,
        )


TIME_BASES = (
    Fraction(1001, 30000),
    Fraction(1, 90000),
    Fraction(1, 1_000_000),
    Fraction(1, 48000),
    Fraction(1, 1000),
)
instants = st.builds(
    lambda ticks, base: ticks * base, st.integers(0, 10**9), st.sampled_from(TIME_BASES)
)
texts = st.text(st.characters(codec="utf-8"), max_size=30)
finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
probabilities = st.floats(0, 1)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    """Spans whose ends lie on different time bases."""
    start, length = draw(instants), draw(instants)
    return Span(start, start + length + Fraction(1, 90000))


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    """Boxes of any finite size."""
    x0, x1 = sorted((draw(finite), draw(finite)))
    y0, y1 = sorted((draw(finite), draw(finite)))
    return Box(x0, y0, x1, y1)


words = st.builds(Word, texts, spans(), probabilities)
lines = st.builds(TextLine, texts, boxes(), probabilities)
frame_times = st.builds(
    FrameTime, st.integers(-(2**63), 2**63 - 1), st.sampled_from((*TIME_BASES, Fraction(0)))
)
areas = st.builds(PageArea, st.integers(1, 10_000), texts, st.lists(boxes(), max_size=3).map(tuple))


@st.composite
def hyperlinks(draw: st.DrawFn) -> Hyperlink:
    """Links to an address or a page."""
    start = draw(st.integers(0, 100))
    whole_pages = st.builds(PageArea, st.integers(1, 10_000), texts)
    return Hyperlink(start, start + draw(st.integers(1, 99)), draw(texts | whole_pages))


@st.composite
def word_boxes(draw: st.DrawFn) -> WordBoxes:
    """Words of a text on a page, corners as exact as they are stored."""
    small = st.floats(-1e4, 1e4, width=32)
    words = []
    for _ in range(draw(st.integers(0, 3))):
        x0, x1 = sorted((draw(small), draw(small)))
        y0, y1 = sorted((draw(small), draw(small)))
        start = draw(st.integers(0, 100))
        words.append((start, start + draw(st.integers(1, 9)), Box(x0, y0, x1, y1)))
    return WordBoxes.of(words)


@st.composite
def moments(draw: st.DrawFn, source_kind: SourceKind) -> Moment:
    """Moments of one kind of source, with anything a record may hold."""
    is_video = source_kind is SourceKind.VIDEO
    kinds = [kind for kind in MomentKind if kind.source_kind is source_kind]
    place: Span | PageArea = draw(spans()) if is_video else draw(areas)
    return Moment(
        kind=draw(st.sampled_from(kinds)),
        place=place,
        text=draw(texts),
        frame_time=draw(st.none() | frame_times),
        words=tuple(draw(st.lists(words, max_size=3))),
        lines=tuple(draw(st.lists(lines, max_size=3))),
        word_boxes=draw(word_boxes()),
        hyperlinks=tuple(draw(st.lists(hyperlinks(), max_size=2))),
        heading=draw(texts),
        confidence=draw(st.none() | probabilities),
    )


@st.composite
def segments_of(draw: st.DrawFn, source_kind: SourceKind) -> Segment:
    """Segments of one kind of source; some without moments."""
    if source_kind is SourceKind.VIDEO:
        extent: Span | PageRange = draw(spans())
    else:
        first = draw(st.integers(1, 1000))
        extent = PageRange(first, first + draw(st.integers(0, 5)))
    found = draw(st.lists(moments(source_kind), max_size=3))
    return Segment(extent, draw(texts), tuple(found))


@st.composite
def contents(draw: st.DrawFn) -> tuple[Source, tuple[Segment, ...]]:
    """A source with its segments."""
    kind = draw(st.sampled_from(SourceKind))
    is_video = kind is SourceKind.VIDEO
    details = st.dictionaries(
        texts, st.none() | texts | st.integers(-(2**80), 2**80) | finite, max_size=3
    )
    source = Source(
        id=draw(st.text(string.hexdigits, min_size=32, max_size=32)),
        kind=kind,
        name=draw(texts),
        size_bytes=draw(st.integers(0, 2**62)),
        duration=draw(instants) if is_video else None,
        pages=None if is_video else draw(st.integers(0, 10_000)),
        details=draw(details),
        notes=tuple(draw(st.lists(st.text(max_size=8), max_size=2))),
    )
    return source, tuple(draw(st.lists(segments_of(kind), max_size=3)))


def state_of(library: Path) -> tuple[int, list[str], list[str]]:
    """Generation, sources and paths, as a reader sees them."""
    snapshot = Snapshot.open(library)
    return snapshot.generation, snapshot.source_ids, [row.path for row in snapshot.inventory()]
