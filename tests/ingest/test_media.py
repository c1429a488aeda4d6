"""Times, pictures and sound of real files, against what was written into them and against ffprobe.

`GOLDEN` comes from `ffprobe -show_entries stream=start_pts,duration_ts,time_base` on the sample.
"""

from __future__ import annotations

import random
from fractions import Fraction
from math import floor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import SourceError
from ingest.media import probe, read_audio
from ingest.media_info import Frame, MediaInfo, VideoFacts
from ingest.pyav_reader import read_frames
from ingest.sampling import sample
from tests.ingest.clips import Clip, regular, time_in, write
from tests.media.corpus import CORPUS
from tests.media.mutations import mutate

TALK = Path(__file__).parent.parent / "media" / "halden_talk.mp4"
VIDEO_UNIT, AUDIO_UNIT = Fraction(1, 90000), Fraction(1, 22050)
GOLDEN = {
    "video": (223200 * VIDEO_UNIT, 22576291 * VIDEO_UNIT),
    "audio": (0 * AUDIO_UNIT, 5585530 * AUDIO_UNIT),
}
"""Start and duration in seconds."""
SOUND = ((Fraction(0), Fraction(4)),)
ALL_RATE_HZ = 1000.0


def _irregular_times() -> list[Fraction]:
    chooser = random.Random(2)
    times = [Fraction(0)]
    while times[-1] < 5:
        times.append(times[-1] + Fraction(chooser.choice([1, 2, 3, 7, 20, 45]), 100))
    return times


CLIPS: dict[str, Clip] = {
    "constant.mp4": Clip(regular(100), bursts=SOUND),
    "irregular.mp4": Clip(_irregular_times(), bursts=SOUND),
    "irregular.mkv": Clip(_irregular_times(), time_base=Fraction(1, 1000), bursts=SOUND),
    "late_video.mp4": Clip(regular(80, first=Fraction(248, 100)), bursts=SOUND),
    "late_sound.mp4": Clip(regular(100), bursts=((Fraction(3, 2), Fraction(2)),)),
    "broadcast.ts": Clip(
        regular(150, first=Fraction(36000)), bursts=((Fraction(36000), Fraction(5)),)
    ),
    "wrapping.ts": Clip(
        regular(150, first=Fraction(95440)), bursts=((Fraction(95440), Fraction(5)),)
    ),
    "open_gop.ts": Clip(
        regular(150), gop=25, options={"x264-params": "open-gop=1:bframes=4:keyint=25"}
    ),
    "mpeg2.ts": Clip(
        regular(150), time_base=Fraction(1, 25), codec="mpeg2video", gop=15, options={"bf": "2"}
    ),
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Path of each written clip by its name."""
    folder = tmp_path_factory.mktemp("clips")
    return {name: write(folder / name, clip) for name, clip in CLIPS.items()}


def _frames(path: str, info: MediaInfo, *, rate_hz: float = ALL_RATE_HZ) -> list[Frame]:
    return list(read_frames(path, info, rate_hz=rate_hz))


@pytest.mark.parametrize("name", CLIPS)
def test_every_picture_has_the_time_it_shows(clips: dict[str, str], name: str) -> None:
    info = probe(clips[name])
    frames = _frames(clips[name], info)
    written = CLIPS[name].times
    assert len(frames) == len(written)
    first = frames[0].time
    for frame, time in zip(frames, written, strict=True):
        # A muxer may shift a whole file (MPEG-TS does), never pictures against each other.
        assert frame.time - first == time - written[0]
        assert frame.time == frame.pts * frame.time_base - info.start
        assert time_in(frame.image) == Fraction(round(time * 1000) % (1 << 20), 1000)
    assert info.video is not None
    assert info.video.start == frames[0].time
    assert frames[-1].time < info.video.end <= info.duration


def test_clock_starts_with_the_earliest_stream(clips: dict[str, str]) -> None:
    late = probe(clips["late_video.mp4"])
    assert late.video is not None
    assert late.audio is not None
    assert late.start == late.audio.start == 0
    assert late.video.start == Fraction(248, 100)
    assert late.duration == late.video.end == Fraction(248, 100) + Fraction(80, 25)
    for name in ("broadcast.ts", "wrapping.ts"):
        info = probe(clips[name])
        assert info.video is not None
        assert info.audio is not None
        assert min(info.video.start, info.audio.start) == 0
        assert info.video.end - info.video.start == 6


def test_sample_agrees_with_ffprobe() -> None:
    info = probe(str(TALK))
    assert info.video is not None
    assert info.audio is not None
    for facts, (start, length) in ((info.video, GOLDEN["video"]), (info.audio, GOLDEN["audio"])):
        assert facts.start == start
        assert facts.end == start + length
    assert info.duration == info.video.end
    assert (info.video.codec, info.video.width_px, info.video.height_px) == ("h264", 1280, 720)
    assert (info.audio.codec, info.audio.rate_hz) == ("aac", 22050)


@pytest.mark.parametrize("name", ["irregular.mp4", "late_video.mp4"])
def test_samples_are_keyframes_and_the_first_at_each_instant(
    clips: dict[str, str], name: str
) -> None:
    info = probe(clips[name])
    everything = _frames(clips[name], info)
    taken = [frame.time for frame in _frames(clips[name], info, rate_hz=2.0)]
    wanted = {frame.time for frame in everything if frame.keyframe}
    for step in range(floor(info.duration * 2) + 1):
        after = [frame.time for frame in everything if frame.time >= Fraction(step, 2)]
        wanted.update(after[:1])
    assert taken == sorted(wanted)
    keyframes = [frame.time for frame in _frames(clips[name], info, rate_hz=0.0)]
    assert keyframes == [frame.time for frame in everything if frame.keyframe]


@pytest.mark.parametrize(
    "name",
    ["irregular.mp4", "irregular.mkv", "late_video.mp4", "wrapping.ts", "open_gop.ts", "mpeg2.ts"],
)
@pytest.mark.parametrize("rate_hz", [1.0, 2.5])
def test_pieces_join_without_a_seam(clips: dict[str, str], name: str, rate_hz: float) -> None:
    path = clips[name]
    info = probe(path)
    whole = [_print(frame) for frame in _frames(path, info, rate_hz=rate_hz)]
    chooser = random.Random(name)
    times = [time for time, _, _ in whole]
    for cut in (chooser.choice(times), *(Fraction(chooser.randrange(6000), 1000) for _ in "123")):
        head = read_frames(path, info, end=cut, rate_hz=rate_hz)
        tail = read_frames(path, info, start=cut, rate_hz=rate_hz)
        assert [_print(frame) for frame in (*head, *tail)] == whole, f"cut at {cut}"


def _print(frame: Frame) -> tuple[Fraction, bool, bytes]:
    return frame.time, frame.keyframe, frame.image.tobytes()


@given(
    gaps=st.lists(st.integers(1, 3000), min_size=1, max_size=40),
    keys=st.sets(st.integers(0, 39)),
    cut_at=st.integers(0, 60_000),
    rate=st.fractions(Fraction(1, 4), 4, max_denominator=12),
)
def test_sampling_does_not_depend_on_cuts(
    gaps: list[int], keys: set[int], cut_at: int, rate: Fraction
) -> None:
    track = []
    time = Fraction(0)
    for index, gap in enumerate(gaps):
        track.append(_Timed(time, keyframe=index == 0 or index in keys))
        time += Fraction(gap, 1000)
    facts = VideoFacts(0, "h264", 16, 16, None, Fraction(0), time, Fraction(1))
    cut = Fraction(cut_at, 1000)

    def taken(start: Fraction | None, end: Fraction | None) -> list[Fraction]:
        before = [at for at, one in enumerate(track) if one.keyframe and one.time <= (start or 0)]
        pictures = iter(track[before[-1] :])
        found = sample(pictures, facts, start=start, end=end, rate=rate, notes=[])
        return [picture.time for picture in found]

    assert taken(None, cut) + taken(cut, None) == taken(None, None)


class _Timed:
    def __init__(self, time: Fraction, *, keyframe: bool) -> None:
        self.time, self.keyframe, self.burst = time, keyframe, False


def test_pictures_are_upright_with_square_pixels(tmp_path: Path) -> None:
    upright = Clip(regular(3), rotation=-90)
    path = write(tmp_path / "portrait.mp4", upright)
    info = probe(path)
    assert info.video is not None
    assert (info.video.width_px, info.video.height_px) == (96, 320)
    frame = _frames(path, info)[1]
    # A quarter turn clockwise for display: turned back, the picture says its time again.
    assert time_in(np.rot90(frame.image)) == Fraction(40, 1000)
    wide = write(tmp_path / "wide.mp4", Clip(regular(3), aspect=Fraction(3, 2)))
    assert _frames(wide, probe(wide))[0].image.shape == (96, 480, 3)
    small = next(iter(read_frames(wide, probe(wide), max_side_px=240)))
    assert small.image.shape == (48, 240, 3)


def test_sound_lies_on_the_clock(clips: dict[str, str]) -> None:
    for name, begin, end in (("constant.mp4", 0.0, 4.0), ("late_sound.mp4", 1.5, 3.5)):
        sound = read_audio(clips[name], probe(clips[name]))[:]
        assert sound.dtype == np.float32
        heard = np.flatnonzero(np.abs(sound) > 0.2) / 16_000
        assert heard[0] == pytest.approx(begin, abs=0.005)
        assert heard[-1] == pytest.approx(end, abs=0.03)


def test_gaps_in_the_sound_are_silence(tmp_path: Path) -> None:
    bursts = ((Fraction(0), Fraction(1)), (Fraction(3), Fraction(1)))
    path = write(tmp_path / "gap.mkv", Clip(regular(120), bursts=bursts))
    sound = read_audio(path, probe(path))[:]
    assert np.abs(sound[int(1.2 * 16_000) : int(2.8 * 16_000)]).max() == 0
    heard = np.flatnonzero(np.abs(sound[2 * 16_000 :]) > 0.2)[0] / 16_000 + 2
    assert heard == pytest.approx(3, abs=0.03)


def test_sound_alone_is_a_source(tmp_path: Path) -> None:
    path = write(tmp_path / "voice.m4a", Clip([], bursts=SOUND))
    info = probe(path)
    assert info.video is None
    assert len(read_audio(path, info)) == pytest.approx(4 * 16_000, abs=1024)
    with pytest.raises(SourceError, match="no picture track"):
        list(read_frames(path, info))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.mp4", b"", "is empty"),
        ("text.mp4", b"these are words, not pictures\n" * 50, "not a media file"),
        ("noise.mkv", bytes(range(256)) * 64, "not a media file"),
        ("list.mp4", b"#EXTM3U\n#EXTINF:10,\n/etc/hostname\n", "not a media file|playlist"),
    ],
)
def test_what_is_no_media_is_refused(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=reason) as caught:
        probe(str(path))
    assert caught.value.stage == "probe"
    assert "\n" not in str(caught.value)


def test_missing_and_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        probe(str(tmp_path / "gone.mp4"))
    with pytest.raises(SourceError, match="cannot be read"):
        probe(str(tmp_path))


def test_a_recording_cut_short_says_so(clips: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    content = Path(clips["constant.mp4"]).read_bytes()
    path.write_bytes(content[: content.index(b"moov") - 4])
    with pytest.raises(SourceError, match=r"incomplete MP4.*moov"):
        probe(str(path))


def test_what_is_readable_of_a_damaged_file_is_read(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.mkv", Clip(regular(250)))
    content = bytearray(Path(whole).read_bytes())
    cut = tmp_path / "cut.ts"
    stream = write(tmp_path / "whole.ts", Clip(regular(250)))
    cut.write_bytes(Path(stream).read_bytes()[: Path(stream).stat().st_size // 2])
    info = probe(str(cut))
    read = _frames(str(cut), info)
    assert 60 < len(read) < 250
    assert info.duration < 8
    middle = len(content) // 2
    content[middle : middle + 2000] = b"\x55" * 2000
    damaged = tmp_path / "damaged.mkv"
    damaged.write_bytes(content)
    frames = _frames(str(damaged), probe(str(damaged)))
    assert 100 < len(frames) < 250
    assert frames[-1].time == Fraction(249, 25)


@pytest.mark.parametrize(("name", "seed"), [("sorenson.flv", 603), ("h264.flv", 1020)])
def test_a_track_that_nobody_announced_ends_what_is_read(
    tmp_path: Path, name: str, seed: int
) -> None:
    path = tmp_path / name
    path.write_bytes(mutate((CORPUS / name).read_bytes(), seed)[1])
    info = probe(str(path))
    notes: list[str] = []
    frames = list(read_frames(str(path), info, rate_hz=1000.0, threads=1, notes=notes))
    assert frames
    assert any("a track begins that the head of the file does not announce" in n for n in notes)


def test_an_early_end_is_noted(tmp_path: Path) -> None:
    path = write(tmp_path / "long.mp4", Clip(regular(250), bursts=SOUND))
    content = bytearray(Path(path).read_bytes())
    # The index stays and announces pictures that are zeros now.
    begin, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    half = (begin + end) // 2
    content[half:end] = bytes(end - half)
    cut = tmp_path / "zeros.mp4"
    cut.write_bytes(content)
    notes: list[str] = []
    info = probe(str(cut))
    frames = list(read_frames(str(cut), info, notes=notes))
    assert info.duration == 10
    assert 0 < len(frames) < 25
    assert any("was announced" in note for note in notes), notes
