"""A real player, headless Chromium, presents every picture at the time that the reader gives it.

The clips come from the media route of the HTTP API, as when a user follows the link of a hit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest

from benchmarks.true_time.__main__ import shown_for
from index.records import Span
from ingest.media import probe
from ingest.media_info import Frame
from ingest.readers import frame_reader
from secondsight.server.links import place_fragment
from tests.ingest import clips
from tests.media.corpus import CORPUS
from tests.media.corpus_recipes import RECIPES
from tests.media.timecode import clock_in
from tests.secondsight.player import CHROMIUM, Player, player

pytestmark = pytest.mark.skipif(
    CHROMIUM is None,
    reason="no Chromium on this machine (chromium, chromium-browser or google-chrome): "
    "our times were not compared with those of a real player",
)
PICTURED = [recipe.name for recipe in RECIPES if recipe.times]
REFUSED = {
    "h264.flv": "container",
    "interlaced.mpg": "container",
    "interlaced.ts": "container",
    "jump.ts": "container",
    "mjpeg.avi": "container",
    "mpeg4.avi": "container",
    "negative_start.ts": "container",
    "open_gop.ts": "container",
    "sorenson.flv": "container",
    "wmv2.wmv": "container",
    "wrap.ts": "container",
    "prores.mov": "codec",
    "ten_bit.mkv": "codec",
    "hevc.mp4": "codec of the pictures, only the sound plays",
    "mpeg4.3gp": "codec of the pictures, only the sound plays",
    "theora.ogv": "codec of the pictures, only the sound plays",
}
"""Clips of which Chromium shows nothing, and what it does not know. All others it must show."""
REASONS = {
    "container": "DEMUXER_ERROR_COULD_NOT_OPEN",
    "codec": "DEMUXER_ERROR_NO_SUPPORTED_STREAMS",
}
"""What Chromium then says; where the sound plays it says nothing."""
PLAYED_ONLY = ("open_gop.mp4",)
"""Chromium cannot seek in it: the decoder gives up at pictures that refer to before the seek."""
SHOWN = [name for name in PICTURED if name not in REFUSED and name not in PLAYED_ONLY]
EVERY = {"gop_600.mp4": 20}
"""Of long clips, every so many pictures."""
READABLE = {"truncated.mp4": 24}
"""So many pictures are sure to come before the decoder, reading ahead, fails at the cut."""
UNSURE_DURATIONS = ("vfr_jitter.mkv",)
"""Chromium guesses how long a picture lasts in them, so that around the start of a picture it may
show the one before until it plays. These are asked for in the middle of each picture."""
MICROSECOND = Fraction(1, 1_000_000)
"""`mediaTime` has whole microseconds; half a one is lost, and a little as it becomes a double."""
STARTS = {
    "start_10.mkv": clips.Clip(
        clips.regular(20, first=Fraction(10)),
        time_base=Fraction(1, 1000),
        bursts=((Fraction(10), Fraction(1)),),
    ),
    "start_10.mp4": clips.Clip(clips.regular(20, first=Fraction(10))),
    "start_10_late_video.mkv": clips.Clip(
        clips.regular(20, first=Fraction(54, 5)),
        time_base=Fraction(1, 1000),
        bursts=((Fraction(10), Fraction(2)),),
    ),
}
"""Clips whose first timestamp is 10 s."""
NO_EDIT_LIST = "no_edit_list.mp4"
"""As older writers leave it: pictures that are decoded out of order begin late, here at 0.08 s."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the clips of `STARTS` are, and the one without an edit list."""
    made = tmp_path_factory.mktemp("starts")
    for name, clip in STARTS.items():
        clips.write(made / name, clip)
    with (
        av.open(str(made / "start_10.mp4")) as source,
        av.open(str(made / NO_EDIT_LIST), "w", options={"use_editlist": "0"}) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    return made


@pytest.fixture(scope="module")
def chromium(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    """Chromium, able to open the corpus and the clips in `folder`."""
    paths = [*(CORPUS / name for name in PICTURED), *sorted(folder.iterdir())]
    with player(paths, tmp_path_factory.mktemp("player") / "library") as opened:
        yield opened


def _frames(path: Path) -> list[Frame]:
    return list(frame_reader("pyav")(str(path), probe(str(path)), rate_hz=1000.0))


def _spans(frames: list[Frame]) -> list[Span]:
    """When each picture is shown."""
    shown = zip(frames, shown_for(frames), strict=True)
    return [Span(frame.time, frame.time + length) for frame, length in shown]


def _linked_s(span: Span) -> float:
    """Where the link of a hit makes a player begin."""
    return float(place_fragment(span).removeprefix("#t=").split(",")[0])


def _middle_s(span: Span) -> float:
    return float((span.start + span.end) / 2)


def test_what_chromium_shows_is_known(chromium: Player) -> None:
    found = {}
    for name in PICTURED:
        opened = chromium.open(name)
        if opened.error or not opened.width_px:
            found[name] = opened.error
        else:
            assert (opened.width_px, opened.height_px) == (320, 180), name
    assert set(found) == set(REFUSED)
    for name, error in found.items():
        assert REASONS.get(REFUSED[name], "") in error
        assert bool(error) == (REFUSED[name] in REASONS), name


@pytest.mark.parametrize("name", SHOWN)
def test_every_picture_is_shown_at_its_time(chromium: Player, name: str) -> None:
    frames = _frames(CORPUS / name)
    truth = json.loads((CORPUS / f"{name}.json").read_text(encoding="utf-8"))
    assert len(frames) in (len(truth["pictures"]), len(truth["pictures"]) - 2)
    aim_s = _middle_s if name in UNSURE_DURATIONS else _linked_s
    spans = _spans(frames)
    chosen = slice(0, READABLE.get(name), EVERY.get(name, 1))
    frames, spans = frames[chosen], spans[chosen]
    assert not chromium.open(name).error
    shown = chromium.show([aim_s(span) for span in spans])
    for frame, presented in zip(frames, shown, strict=True):
        difference = abs(Fraction(presented.media_time_s) - frame.time)
        assert difference < MICROSECOND, float(frame.time)
        if presented.image is not None:
            assert clock_in(presented.image) == clock_in(frame.image) is not None


@pytest.mark.parametrize("name", ["rate_2997.mov", "late_video.mp4", "edit_list.mp4"])
def test_a_link_opens_at_the_picture_it_names(chromium: Player, name: str) -> None:
    for span in _spans(_frames(CORPUS / name))[1::9]:
        media_time_s = chromium.follow(name, place_fragment(span))
        assert abs(Fraction(media_time_s) - span.start) < MICROSECOND


@pytest.mark.parametrize("name", PLAYED_ONLY)
def test_playing_presents_pictures_at_their_times(chromium: Player, name: str) -> None:
    assert not chromium.open(name).error
    _agree(chromium.play(), [frame.time for frame in _frames(CORPUS / name)])


# Not the MP4: whatever fragment it is given, Chromium opens it at its first picture.
@pytest.mark.parametrize("name", ["start_10.mkv", "start_10_late_video.mkv"])
def test_a_link_opens_where_the_content_does_not_begin_at_0(
    chromium: Player, folder: Path, name: str
) -> None:
    path = folder / name
    start = probe(str(path)).start
    for span in _spans(_frames(path))[1::6]:
        media_time_s = chromium.follow(name, place_fragment(span, start))
        assert abs(Fraction(media_time_s) - start - span.start) < MICROSECOND


@pytest.mark.parametrize("name", STARTS)
def test_chromium_counts_from_the_raw_0(chromium: Player, folder: Path, name: str) -> None:
    # The clock of a source starts with its content, whatever number the file gives that instant.
    # Chromium keeps the numbers: its clock is ahead of ours by the start of the container.
    path = folder / name
    assert probe(str(path)).start == 10
    frames = _frames(path)
    assert not chromium.open(name).error
    shown = chromium.show([_middle_s(span) + 10 for span in _spans(frames)])
    for frame, presented in zip(frames, shown, strict=True):
        assert abs(Fraction(presented.media_time_s) - 10 - frame.time) < MICROSECOND


def test_chromium_keeps_the_delay_of_a_file_without_edit_list(
    chromium: Player, folder: Path
) -> None:
    # Not by seeking: it lands at the next keyframe when asked for one of the two pictures before.
    path = folder / NO_EDIT_LIST
    start = probe(str(path)).start
    assert start == Fraction(2, 25)
    assert not chromium.open(NO_EDIT_LIST).error
    _agree(chromium.play(), [start + frame.time for frame in _frames(path)])


def _agree(played_s: list[float], times: list[Fraction]) -> None:
    """What was presented while playing are pictures of ours, at their times."""
    nearest = [min(times, key=lambda time: abs(time - Fraction(one_s))) for one_s in played_s]
    for time, one_s in zip(nearest, played_s, strict=True):
        assert abs(time - Fraction(one_s)) < MICROSECOND
    assert len(set(nearest)) > len(times) / 2  # A busy machine leaves some out.
