"""What can be shown of evidence, and what loads: exact times, nothing twice, pages and sound."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generate.evidence import Evidence
from generate.packing import Footage, Packed, Still
from generate.visuals import NO_FILES, Visual, frames_of, picture_of, visuals_of
from index.manifest import EmbedderIdentity, create_library, read_manifest, read_rotation
from index.records import (
    Moment,
    MomentKind,
    PageArea,
    PageRange,
    Segment,
    Source,
    SourceKind,
    Span,
)
from index.shard import commit_shard, staging_area, write_shard
from index.snapshot import Snapshot
from index.word_boxes import NO_WORD_BOXES

IDENTITY = EmbedderIdentity("tests", "1", 16, "")
TICK = Fraction(1, 30)
"""Frames of the video lie a tick behind whole seconds."""
STILL = Span(4 + TICK, Fraction(20))
FRAMES = [Span(second + TICK, second + 1 + TICK) for second in range(4)] + [STILL]


def jpeg(grey: int, size: tuple[int, int] = (160, 90)) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", size, grey).save(buffer, "JPEG")
    return buffer.getvalue()


def said(start: int | Fraction, end: int | Fraction, text: str = "words") -> Moment:
    return Moment(MomentKind.UTTERANCE, Span(Fraction(start), Fraction(end)), text)


def add(directory: Path, source: Source, extent: Span | PageRange, moments: list[Moment]) -> None:
    vectors = np.random.default_rng(1).standard_normal((len(moments), 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    segment = Segment(extent, "", tuple(moments))
    rotation = read_rotation(directory, read_manifest(directory))
    with staging_area(directory) as area:
        entry = write_shard(
            area / "new", source, (segment,), vectors, vectors[:1], rotation=rotation
        )
        commit_shard(directory, area / "new", entry, [], embedder=IDENTITY)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    directory = tmp_path_factory.mktemp("visuals") / "library"
    create_library(directory, IDENTITY)
    whole = Span(Fraction(0), Fraction(20))
    video = Source("a" * 32, SourceKind.VIDEO, "a.mp4", 1, Fraction(20), None)
    frames = [
        Moment(MomentKind.FRAME, span, "", picture=jpeg(40 * number))
        for number, span in enumerate(FRAMES)
    ]
    add(directory, video, whole, [said(0, 3), said(3, 9), said(9, 20), *frames])
    sound = Source("b" * 32, SourceKind.VIDEO, "b.mp3", 1, Fraction(20), None)
    add(directory, sound, whole, [said(0, 3)])
    manual = Source("c" * 32, SourceKind.DOCUMENT, "c.pdf", 1, None, 1)
    page = PageArea(1, "1")
    add(
        directory,
        manual,
        PageRange(1, 1),
        [
            Moment(MomentKind.PASSAGE, page, "first"),
            Moment(MomentKind.PASSAGE, page, "second"),
            Moment(MomentKind.PAGE, page, "first second", picture=jpeg(200, (100, 140))),
        ],
    )
    return Snapshot.open(directory)


def evidence(snapshot: Snapshot, name: str, ranks: Sequence[int]) -> list[Evidence]:
    """The moments with words of a source, with these ranks."""
    (source,) = [one for one in snapshot.sources.values() if one.name == name]
    stored = [one for one in snapshot.moments(snapshot.source_range(source.id)) if one.moment.text]
    return [
        Evidence(
            id=f"E{number}",
            source=source,
            place=one.moment.place,
            kind=one.moment.kind,
            text=one.moment.text,
            heading="",
            words=(),
            word_boxes=NO_WORD_BOXES,
            moment_id=one.id,
            hit_rank=rank,
        )
        for number, (one, rank) in enumerate(zip(stored, ranks, strict=False), start=1)
    ]


class Files:
    """Files that are there; frames say when they were asked for."""

    def is_there(self, source_id: str) -> bool:
        return True

    def shown_at(
        self, source_id: str, times: Sequence[Fraction], *, max_side_px: int
    ) -> list[Image.Image]:
        return [Image.new("RGB", (max_side_px, 90), (int(time), 0, 0)) for time in times]

    def page_at(self, source_id: str, page: int, *, side_px: int) -> Image.Image:
        return Image.new("RGB", (side_px * 5 // 7, side_px), (page, 0, 0))


def looks_of(visual: Visual) -> tuple[tuple[Fraction, Fraction], ...]:
    assert isinstance(visual.shape, Footage)
    return visual.shape.looks


def test_what_moves_is_looked_at_twice_a_second_and_what_stands_once(snapshot: Snapshot) -> None:
    pieces = evidence(snapshot, "a.mp4", [1, 2, 3])
    found = visuals_of(pieces, snapshot, Files())
    half = Fraction(1, 2)
    # The picture that is on show when the second utterance begins is shown with the first.
    assert looks_of(found["E1"]) == tuple((at + TICK, at + TICK + half) for at in range(3))
    assert looks_of(found["E2"]) == ((3 + TICK, 3 + TICK + half), (STILL.start, STILL.start))
    assert found["E3"] == Visual(None, note="shown with E2")
    assert {found[one].decoded_from for one in ("E1", "E2")} == {"a" * 32}


def test_the_better_rank_shows_what_two_have_in_common(snapshot: Snapshot) -> None:
    found = visuals_of(evidence(snapshot, "a.mp4", [3, 2, 1]), snapshot, Files())
    assert looks_of(found["E3"]) == ((Fraction(9), Fraction(9)),)
    assert len(looks_of(found["E2"])) == 2  # from the second on which a picture began before it
    assert looks_of(found["E2"])[0][0] == 3


def test_sound_shows_nothing(snapshot: Snapshot) -> None:
    assert visuals_of(evidence(snapshot, "b.mp3", [1]), snapshot, Files()) == {}


def test_a_page_is_shown_once(snapshot: Snapshot) -> None:
    first, second, page = evidence(snapshot, "c.pdf", [1, 1, 1])
    page = replace(page, text="")
    found = visuals_of([first, second, page], snapshot, None)
    assert found["E3"].shape == Still(140, 100)
    assert found["E1"].note == found["E2"].note == "shown with E3"
    load = picture_of(found["E3"], Packed("E3", 5, 9, (), 128, 96), snapshot, None)
    assert load().size == (96, 128)
    assert load().mode == "RGB"


def test_a_page_is_rendered_anew_only_where_its_stored_picture_is_too_small(
    snapshot: Snapshot,
) -> None:
    (page,) = evidence(snapshot, "c.pdf", [1])
    found = visuals_of([page], snapshot, Files())["E1"]
    assert (found.shape, found.decoded_from, found.note) == (Still(280, 200), "c" * 32, "")
    for side_px, shade in ((128, (200, 200, 200)), (256, (1, 0, 0))):
        packed = Packed("E1", 5, 9, (), side_px, side_px // 4 * 3)
        picture = picture_of(found, packed, snapshot, Files())()
        assert picture.size == (side_px // 4 * 3, side_px)
        assert picture.getpixel((5, 5)) == pytest.approx(shade, abs=2)
    stored = visuals_of([page], snapshot, Files(), unreadable=("c" * 32,))["E1"]
    assert (stored.shape, stored.decoded_from) == (Still(140, 100), "")


def test_frames_are_loaded_from_the_file_or_as_stored(snapshot: Snapshot) -> None:
    pieces = evidence(snapshot, "a.mp4", [1, 2, 3])
    times = (1 + TICK, 1 + TICK, 2 + TICK, 2 + TICK)
    packed = Packed("E1", 5, 9, times, 64, 96)
    decoded = visuals_of(pieces, snapshot, Files())["E1"]
    frames = frames_of(decoded, packed, snapshot, Files())()
    assert [frame.size for frame in frames] == [(96, 64)] * 4
    assert [frame.getpixel((5, 5)) for frame in frames] == [(1, 0, 0)] * 2 + [(2, 0, 0)] * 2
    for unreadable, files in (((), None), (("a" * 32,), Files())):
        stored = visuals_of(pieces, snapshot, files, unreadable=unreadable)["E1"]
        assert stored.decoded_from == ""
        assert stored.note.endswith(NO_FILES)
        assert all(first == later for first, later in looks_of(stored))
        frames = frames_of(stored, packed, snapshot, files)()
        shades = [frame.convert("L").getpixel((5, 5)) for frame in frames]
        assert shades == pytest.approx([40, 40, 80, 80], abs=2)
