"""A small archive written by hand, with real embeddings: two talks and a manual.

Everything is built as ingestion builds it (shards of segments of moments), so that search and
answers run on the real index. Times are exact and known.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from index.embedders import Embedder, open_embedder
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
    Span,
    Word,
)
from index.settings import EmbedderSettings
from index.shard import commit_shard, staging_area, write_shard
from index.snapshot import Snapshot

PHOTOS = Path(__file__).parents[1] / "index" / "photos"
SENTENCE_S = Fraction(4)
PAUSE_S = Fraction(1, 2)

BEES = "bees.mp4"
COFFEE = "roasting.mp4"
MANUAL = "pump_manual.pdf"

BEE_TALK = (
    "Welcome to the spring meeting of the beekeepers of Lindau.",
    "My name is Clara, and I have kept bees for nineteen years.",
    "Today I will show you how I bring my colonies through the winter.",
    "In autumn every colony gets fifteen kilograms of sugar syrup.",
    "The entrance is narrowed, so that mice cannot crawl inside.",
    "A healthy queen lays up to two thousand eggs a day in June.",
    "When the queen grows old, the workers raise a new one in secret.",
    "Varroa mites are the greatest danger, because they weaken the young bees.",
    "We treat the mites with oxalic acid when there is no brood, around Christmas.",
    "Wear gloves and goggles, since the acid burns the skin.",
    "In 2019 we lost eleven hives to a late frost in April.",
    "Since that year the hives stand behind the chapel, out of the wind.",
    "Honey is ready when the bees have closed the cells with wax.",
    "I spin the frames for six minutes and then turn them around.",
    "Lime blossom gives the lightest honey, and the forest gives the darkest.",
    "My cat watches the entrance, but she has never been stung.",
    "A swarm that hangs in a tree is calm and can be shaken into a box.",
    "Thank you for listening, and please take a glass of honey home.",
)
COFFEE_TALK = (
    "This evening we roast coffee in the old drum behind me.",
    "Green beans keep for a year when they are stored dry and dark.",
    "The drum is heated to two hundred degrees before the beans go in.",
    "After nine minutes you hear the first crack, a sound like popping corn.",
    "Light roasts are stopped soon after it, and they taste of fruit.",
    "If you wait for the second crack, the oil comes out and the cup turns bitter.",
    "Our importer is called Ferreira, and he visits the farms every March.",
    "The beans must cool within four minutes, or they go on roasting inside.",
    "Let the coffee rest for three days, because it gives off gas.",
    "We grind it just before brewing, never the night before.",
)
BEE_SLIDES = (
    ("Wintering bees\nClara Wenger\nLindau 2024", 0, 3),
    ("Varroa treatment\nOxalic acid 3.5 %\n5 ml per gap\nbelow 3 mites per day: wait", 7, 10),
    ("Order number\nHV-2207-B\nfoundation frames", 12, 14),
)
MANUAL_PAGES = (
    (
        "1 Safety",
        "Disconnect the mains plug before the housing is opened. The capacitor keeps its charge "
        "for five minutes.",
        "Only trained personnel may replace the sealing ring.",
    ),
    (
        "2 Installation",
        "Mount the pump on a level floor at least 40 cm from the wall. The suction hose must not "
        "be longer than eight metres.",
        "Fill the housing with clean water before the first start, otherwise the impeller runs "
        "dry and is damaged.",
    ),
    (
        "3 Operation > 3.1 Starting",
        "Press the green key for two seconds. The pump reaches its working pressure of 4.5 bar "
        "after about half a minute.",
        "To stop the pump, turn the rotary switch to zero and close the outlet valve.",
    ),
    (
        "4 Faults",
        "| Code | Meaning | Remedy |\n| --- | --- | --- |\n"
        "| E12 | Motor too hot | Let it cool for one hour |\n"
        "| E31 | No water | Open the inlet valve |\n"
        "| E47 | Filter blocked | Rinse the filter cartridge |",
        "If a fault comes back three times, the controller locks itself and must be reset by "
        "holding both keys for ten seconds.",
    ),
    (
        "5 Maintenance",
        "The bearings are greased every 2,000 operating hours with lithium grease.",
        "Replace the filter cartridge once a year. Spare cartridges have the part number "
        "FC-880-13.",
    ),
)


@cache
def shared_embedder() -> Embedder:
    """One embedder for all tests of a run: loading takes seconds."""
    return open_embedder(EmbedderSettings())


def build_archive(directory: Path, embedder: Embedder) -> Snapshot:
    """Write the archive as a library of three shards and open it."""
    create_library(directory, embedder.identity)
    add_source(directory, embedder, *talk(BEES, BEE_TALK, slides=BEE_SLIDES, photo="cat"))
    add_source(directory, embedder, *talk(COFFEE, COFFEE_TALK, photo="coffee"))
    add_source(directory, embedder, *manual(MANUAL, MANUAL_PAGES))
    return Snapshot.open(directory)


def span_of_sentence(number: int) -> Span:
    """When sentence `number` of a talk is said."""
    start = 1 + number * (SENTENCE_S + PAUSE_S)
    return Span(start, start + SENTENCE_S)


def talk(
    name: str,
    sentences: Sequence[str],
    *,
    slides: Sequence[tuple[str, int, int]] = (),
    photo: str,
) -> tuple[Source, tuple[Segment, ...]]:
    """A talk: one sentence every 4.5 s, slides over sentences [first, last), a photo at the end."""
    moments = [utterance(text, span_of_sentence(i)) for i, text in enumerate(sentences)]
    for text, first, last in slides:
        span = Span(span_of_sentence(first).start, span_of_sentence(last).start)
        moments.append(Moment(kind=MomentKind.SCREEN_TEXT, place=span, text=text))
    end = span_of_sentence(len(sentences)).start
    picture = (PHOTOS / f"{photo}.jpg").read_bytes()
    for second in range(3):
        span = Span(end + second, end + second + 1)
        moments.append(Moment(kind=MomentKind.FRAME, place=span, text="", picture=picture))
    moments.sort(key=lambda moment: (moment.span.start, moment.kind))
    duration = end + 3
    source = Source(
        id=hashlib.sha256(name.encode()).hexdigest()[:32],
        kind=SourceKind.VIDEO,
        name=name,
        size_bytes=1000,
        duration=duration,
        pages=None,
    )
    half = len(moments) // 2
    cut = moments[half].span.start
    early = Segment(Span(Fraction(0), cut), "first half", tuple(moments[:half]))
    late = Segment(Span(cut, duration), "second half", tuple(moments[half:]))
    return source, (early, late)


def utterance(text: str, span: Span) -> Moment:
    """An utterance whose words share its span evenly."""
    words = text.split()
    step = span.duration / len(words)
    timed = tuple(
        Word(word, Span(span.start + i * step, span.start + (i + 1) * step), 0.9)
        for i, word in enumerate(words)
    )
    return Moment(kind=MomentKind.UTTERANCE, place=span, text=text, words=timed)


def manual(name: str, pages: Sequence[tuple[str, str, str]]) -> tuple[Source, tuple[Segment, ...]]:
    """A manual: two passages a page under a heading, and the page as such."""
    segments = []
    for page, (heading, *texts) in enumerate(pages, start=1):
        label = "i" if page == 1 else str(page)
        passages = [
            Moment(
                kind=MomentKind.PASSAGE,
                place=PageArea(page, label, (Box(50, 100 + 80 * i, 500, 160 + 80 * i),)),
                text=text,
                heading=heading,
            )
            for i, text in enumerate(texts)
        ]
        whole = Moment(
            kind=MomentKind.PAGE,
            place=PageArea(page, label),
            text=" ".join(texts)[:80],
            heading=heading,
            picture=(PHOTOS / "rocket.jpg").read_bytes(),
        )
        segments.append(Segment(PageRange(page, page), heading, (*passages, whole)))
    source = Source(
        id=hashlib.sha256(name.encode()).hexdigest()[:32],
        kind=SourceKind.DOCUMENT,
        name=name,
        size_bytes=1000,
        duration=None,
        pages=len(pages),
    )
    return source, tuple(segments)


def add_source(
    directory: Path, embedder: Embedder, source: Source, segments: tuple[Segment, ...]
) -> None:
    """Embed a source and commit it as a shard."""
    segments = tuple(_labelled(segment, embedder) for segment in segments)
    vectors = [_vectors(segment.moments, embedder) for segment in segments]
    coarse = np.stack([rows.sum(axis=0) for rows in vectors])
    coarse /= np.linalg.norm(coarse, axis=1, keepdims=True)
    with staging_area(directory) as area:
        staged = area / source.id
        entry = write_shard(
            staged,
            source,
            segments,
            np.concatenate(vectors),
            coarse,
            rotation=read_rotation(directory, read_manifest(directory)),
        )
        commit_shard(directory, staged, entry, [], embedder=embedder.identity)


def _picture(moment: Moment) -> Image.Image | None:
    picture = moment.read_picture()
    return None if picture is None else Image.open(io.BytesIO(picture))


def _labelled(segment: Segment, embedder: Embedder) -> Segment:
    moments = [_labelled_moment(moment, embedder) for moment in segment.moments]
    return Segment(segment.extent, segment.title, tuple(moments))


def _labelled_moment(moment: Moment, embedder: Embedder) -> Moment:
    picture = _picture(moment)
    if moment.kind is not MomentKind.FRAME or picture is None:
        return moment
    return replace(moment, text=embedder.embed_images([picture]).labels[0])


def _vectors(moments: Sequence[Moment], embedder: Embedder) -> npt.NDArray[np.float32]:
    rows = []
    for moment in moments:
        picture = _picture(moment)
        rows.append(
            embedder.embed_texts([moment.text])
            if picture is None
            else embedder.embed_images([picture]).vectors
        )
    return np.concatenate(rows)
