"""Both frame readers on every clip of the corpus, against what ffprobe lists of it.

The truth beside each clip is made by `python -m tests.media.corpus`, with the commands in it.
"""

from __future__ import annotations

import json
import random
import re
import struct
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
import pytest

from benchmarks.true_time.__main__ import shown_for
from index.errors import SourceError
from ingest.media import probe, read_audio
from ingest.media_info import Frame
from ingest.readers import frame_reader
from tests.media.corpus import CORPUS
from tests.media.corpus_recipes import RECIPES
from tests.media.timecode import clock_in

Reader = Literal["pyav", "decord"]
READERS: tuple[Reader, ...] = ("pyav", "decord")
CLIPS = {recipe.name: recipe for recipe in RECIPES}
PICTURED = [name for name, recipe in CLIPS.items() if recipe.times]
SOUNDING = [name for name, recipe in CLIPS.items() if recipe.sound]
ALL_RATE_HZ = 1000.0
DECORD_REFUSES = {
    "edit_list.mp4": "sees 50 pictures where the file shows 42",
    "h264.flv": "does not seek exactly",
    "interlaced.mpg": "does not seek exactly",
    "interlaced.ts": "does not seek exactly",
    "jump.ts": "does not seek exactly",
    "missing_duration.webm": "cannot open",
    "mjpeg.avi": "does not seek exactly",
    "mpeg4.3gp": "open",
    "mpeg4.avi": "does not seek exactly",
    "negative_start.ts": "does not seek exactly",
    "open_gop.mp4": "groups of pictures are open",
    "open_gop.ts": "does not seek exactly",
    "sorenson.flv": "does not seek exactly",
    "theora.ogv": "does not seek exactly",
    "truncated.mp4": "cut short",
    "wmv2.wmv": "does not seek exactly",
    "wrap.ts": "does not seek exactly",
}
"""Clips that decord may refuse, and why. All others it must read."""
READ = [
    (reader, name)
    for name in PICTURED
    for reader in READERS
    if reader == "pyav" or name not in DECORD_REFUSES
]
CONCEALED = {"truncated.mp4": 2}
"""Last pictures that ffprobe lists although their data ends in the middle: they are not shown."""
UNTIMED_END = ("interlaced.mpg", "mpeg4.avi")
"""Clips of whose last picture ffprobe says no time."""
_TIMES = r"ends at 00:00:0{} although its header says 00:00:0{}: the rest is missing"
_BYTES = r"its last {} bytes are missing: its header announces them"
_UNFINISHED = r"ends at 00:00:0{} unfinished: it was cut short, or never completed"
TRUNCATED = {
    "truncated.mp4": _TIMES.format(r"1\.[4-7]", r"3\.0"),
    "truncated.mkv": _TIMES.format(r"1\.[4-5]", r"3\.0"),
    "no_audio.webm": _TIMES.format(r"0\.[6-9]", r"2\.0"),
    "h264.flv": _TIMES.format(r"1\.[1-3]", r"2\.0"),
    "mpeg4.avi": _TIMES.format(r"1\.[1-3]", r"2\.0"),
    "wmv2.wmv": _TIMES.format(r"1\.[1-3]", r"2\.0"),
    "fragmented.mp4": _BYTES.format("8,169"),
    "tone.wav": _BYTES.format("12,818"),
    "tone.mp3": _BYTES.format("3,341"),
    "interlaced.ts": _UNFINISHED.format(r"1\.[1-3]"),
    "theora.ogv": _UNFINISHED.format(r"1\.[0-3]"),
}
"""The note on each container, cut at 60 % of its bytes."""
PRIMED = ("matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2")
"""Formats in which sound before 0 only warms up the decoder; a player starts at 0."""


def _truth(name: str) -> dict[str, Any]:
    truth = json.loads((CORPUS / f"{name}.json").read_text(encoding="utf-8"))
    assert isinstance(truth, dict)
    return truth


def _starts(truth: dict[str, Any]) -> dict[str, Fraction]:
    """Raw start in seconds of the tracks a player plays, by their kind."""
    starts = {}
    for stream in sorted(truth["streams"], key=lambda one: not one["disposition"]["default"]):
        kind = stream["codec_type"]
        if stream["disposition"]["attached_pic"] or kind in starts:
            continue
        start = stream.get("start_pts", 0) * Fraction(stream["time_base"])
        primed = kind == "audio" and truth["format"]["format_name"] in PRIMED
        starts[kind] = max(start, Fraction(0)) if primed else start
    return starts


def _times(truth: dict[str, Any]) -> list[Fraction | None]:
    """What ffprobe lists as the times of the pictures, on the clock; None where it knows none."""
    video = next(one for one in truth["streams"] if one["codec_type"] == "video")
    unit, start = Fraction(video["time_base"]), min(_starts(truth).values())
    return [None if pts is None else pts * unit - start for pts, _ in truth["pictures"]]


def _frames(reader: Reader, name: str, **options: Any) -> list[Frame]:
    path = str(CORPUS / name)
    options = {"rate_hz": ALL_RATE_HZ} | options
    return list(frame_reader(reader)(path, probe(path), **options))


@pytest.mark.parametrize("name", DECORD_REFUSES)
@pytest.mark.parametrize("start", [None, Fraction(1)])
def test_decord_refuses_what_it_would_get_wrong(name: str, start: Fraction | None) -> None:
    with pytest.raises(SourceError, match=DECORD_REFUSES[name]) as refused:
        _frames("decord", name, start=start, rate_hz=0.0)
    assert refused.value.stage == "frames"
    assert refused.value.reason.endswith("set ingest.frames.reader to pyav")


@pytest.mark.parametrize(("reader", "name"), READ)
def test_times_are_those_ffprobe_lists_and_the_pictures_say(reader: Reader, name: str) -> None:
    truth = _truth(name)
    frames = _frames(reader, name)
    info = probe(str(CORPUS / name))
    listed = list(zip(_times(truth), (bool(key) for _, key in truth["pictures"]), strict=True))
    if name in CONCEALED:
        listed = listed[: -CONCEALED[name]]
    if name in UNTIMED_END:
        assert listed[-1][0] is None
        listed[-1] = (frames[-1].time, listed[-1][1])
        assert frames[-1].time > frames[-2].time
    assert [(frame.time, frame.keyframe) for frame in frames] == listed
    assert all(one.time == one.pts * one.time_base - info.start for one in frames)

    for frame, gap in zip(frames, shown_for(frames), strict=True):
        said = clock_in(frame.image)
        assert said is not None, frame.time
        assert abs(said - frame.time) <= gap, frame.time
    assert {frame.image.shape for frame in frames} == {(180, 320, 3)}
    assert info.video is not None
    assert (info.video.width_px, info.video.height_px) == (320, 180)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ["anamorphic.mp4", "rotated_90.mp4", "rotated_180.mov"])
def test_the_longest_side_is_bounded(reader: Reader, name: str) -> None:
    assert _frames(reader, name, max_side_px=160, rate_hz=0.0)[0].image.shape == (90, 160, 3)


@pytest.mark.parametrize(("reader", "name"), READ)
@pytest.mark.parametrize("rate_hz", [0.0, 3.0])
def test_cuts_leave_no_seam(reader: Reader, name: str, rate_hz: float) -> None:
    whole = [_print(frame) for frame in _frames(reader, name, rate_hz=rate_hz)]
    chooser = random.Random(name)
    times = [time for time in _times(_truth(name)) if time is not None]
    for cut in (chooser.choice(times), Fraction(chooser.randrange(2500), 1000)):
        head = _frames(reader, name, rate_hz=rate_hz, end=cut)
        tail = _frames(reader, name, rate_hz=rate_hz, start=cut)
        assert [_print(frame) for frame in (*head, *tail)] == whole, f"cut at {cut}"


def _print(frame: Frame) -> tuple[Fraction, bool, bytes]:
    return frame.time, frame.keyframe, frame.image.tobytes()


@pytest.mark.parametrize("rate_hz", [0.7, 3.0, 8.0])
@pytest.mark.parametrize(("reader", "name"), READ)
def test_what_is_sampled_looks_the_same_whatever_is_not_decoded(
    reader: Reader, name: str, rate_hz: float
) -> None:
    rate = Fraction(rate_hz).limit_denominator(1000)
    expected: list[Frame] = []
    tick = None
    for frame in _frames(reader, name, threads=1):
        if frame.keyframe or floor(frame.time * rate) != tick:
            expected.append(frame)
        tick = floor(frame.time * rate)
    sampled = _frames(reader, name, rate_hz=rate_hz, threads=1)
    assert [frame.time for frame in sampled] == [frame.time for frame in expected]
    for one, other in zip(sampled, expected, strict=True):
        assert np.array_equal(one.image, other.image)


@pytest.mark.parametrize("name", [name for name in PICTURED if name not in DECORD_REFUSES])
def test_both_readers_see_the_same_pictures(name: str) -> None:
    for one, other in zip(_frames("pyav", name), _frames("decord", name), strict=True):
        assert np.abs(one.image.astype(int) - other.image.astype(int)).mean() < 4


@pytest.mark.parametrize("name", SOUNDING)
def test_sound_starts_when_the_file_says(name: str) -> None:
    truth = _truth(name)
    info = probe(str(CORPUS / name))
    starts = _starts(truth)
    assert info.audio is not None
    assert info.start == min(starts.values())
    assert info.audio.start == starts["audio"] - min(starts.values())
    heard = np.flatnonzero(np.abs(read_audio(str(CORPUS / name), info)[:]) > 0.05) / 16_000
    assert heard[0] == pytest.approx(float(CLIPS[name].sound[-1][0]), abs=0.06)


def test_cover_art_is_not_video() -> None:
    for name in ("cover_art.mp3", "cover_art.m4a", "tone.wav"):
        info = probe(str(CORPUS / name))
        assert info.video is None
        assert info.duration == pytest.approx(2, abs=0.1)


def test_the_default_language_is_played() -> None:
    info = probe(str(CORPUS / "two_languages.mkv"))
    assert info.audio is not None
    assert info.audio.language == "rus"


@pytest.mark.parametrize(("name", "note"), TRUNCATED.items())
def test_what_a_truncated_file_still_holds_is_read_and_the_rest_noted(
    name: str, note: str, tmp_path: Path
) -> None:
    path = CORPUS / name
    if not name.startswith("truncated"):
        content = path.read_bytes()
        path = tmp_path / name
        path.write_bytes(content[: len(content) * 6 // 10])
    info = probe(str(path))
    assert [re.fullmatch(note, said) is not None for said in info.notes] == [True], info.notes
    if info.video is not None:
        frames = list(frame_reader("pyav")(str(path), info, rate_hz=ALL_RATE_HZ))
        listed = CLIPS[name].times
        assert len(listed) / 4 < len(frames) < len(listed) * 3 / 4
    if info.audio is not None:
        with read_audio(str(path), info) as sound:
            heard = np.flatnonzero(np.abs(sound[:]) > 0.05)
        assert len(heard) > 0


@pytest.mark.parametrize("name", ["interlaced.mpg", "missing_duration.webm"])
def test_an_end_that_nobody_announced_is_not_missed(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes((CORPUS / name).read_bytes()[:15_000])
    assert probe(str(path)).notes == ()


@pytest.mark.parametrize("name", [name for name in CLIPS if not name.startswith("truncated")])
def test_nothing_is_missing_of_a_whole_file(name: str) -> None:
    assert probe(str(CORPUS / name)).notes == ()


def test_the_corpus_stays_small() -> None:
    assert sum(path.stat().st_size for path in CORPUS.iterdir()) < 3_000_000


def test_decord_refuses_a_choice_of_picture_tracks(tmp_path: Path) -> None:
    # It would choose by itself, and not always what a player shows.
    path = str(tmp_path / "two_cameras.mkv")
    sources = [av.open(str(CORPUS / name)) for name in ("gop_1.mp4", "vfr_dropped.mp4")]
    with av.open(path, "w") as container:
        streams = [container.add_stream_from_template(one.streams.video[0]) for one in sources]
        for source, stream in zip(sources, streams, strict=True):
            for packet in source.demux(source.streams.video[0]):
                if packet.size:
                    packet.stream = stream
                    container.mux(packet)
            source.close()
    info = probe(path)
    assert info.video is not None
    assert info.video.tracks == 2
    assert len(list(frame_reader("pyav")(path, info, rate_hz=ALL_RATE_HZ))) == 50
    with pytest.raises(SourceError, match="2 picture tracks"):
        list(frame_reader("decord")(path, info))


@pytest.mark.parametrize(
    ("matrix", "stored"),
    [((-1, 0, 0, 1), "mirrored"), ((1, 0, 0, -1), "flipped"), ((0, 1, 1, 0), "transposed")],
)
def test_a_mirroring_display_matrix_is_obeyed(
    matrix: tuple[int, int, int, int], stored: str, tmp_path: Path
) -> None:
    content = bytearray((CORPUS / "gop_1.mp4").read_bytes())
    at = content.index(b"tkhd") + 44  # ISO 14496-12, 8.3.2: the matrix of a version 0 header.
    a, b, c, d = (number << 16 for number in matrix)
    content[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path = tmp_path / f"{stored}.mp4"
    path.write_bytes(content)
    info = probe(str(path))
    plain = _frames("pyav", "gop_1.mp4")[3].image
    shown = list(frame_reader("pyav")(str(path), info, rate_hz=ALL_RATE_HZ))[3].image
    expected = {
        "mirrored": plain[:, ::-1],
        "flipped": plain[::-1],
        "transposed": plain.swapaxes(0, 1),
    }
    assert np.array_equal(shown, expected[stored])
    assert info.video is not None
    assert (info.video.height_px, info.video.width_px) == shown.shape[:2]
    with pytest.raises(SourceError, match="does not mirror"):
        list(frame_reader("decord")(str(path), info))
