"""The benchmark of ingest measures what it says, on a lecture of seconds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import count, pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks.ingest.clips import sound
from benchmarks.ingest.lecture import Lecture, Recipe, lecture, short_clips
from benchmarks.ingest.naive import STRETCH_S, spread
from benchmarks.ingest.runs import Measured, first_cores, run_floor, with_cpus
from benchmarks.ingest.slides import PACKAGES, find_documents, slides, spoken_sentences
from benchmarks.ingest.tables import comparison_table, describe, speed_table
from benchmarks.memory import Finished
from ingest.media import list_pictures, probe, read_audio
from ingest.media_info import SAMPLE_RATE_HZ
from ingest.pyav_reader import read_frames
from secondsight.settings import Settings
from tests.conftest import MANUAL, MEDIA, TALK
from tests.media.speech import RATE_HZ, Samples

CLIP = MEDIA / "corpus" / "rate_25.mkv"
RECIPE = Recipe(9, slide_s=(1.2, 1.6), turn_s=(0.6, 1.0), slides_per_clip=2, clip_s=1.0)


class Voice:
    """A narrator whose sentences are pieces of the sample talk, a second each."""

    def __init__(self) -> None:
        self._talk = sound(TALK, rate_hz=RATE_HZ)
        self._spoken = count(2)

    def __call__(self, text: str) -> Samples:
        first = next(self._spoken) * RATE_HZ
        return self._talk[first : first + RATE_HZ]


def make(folder: Path, recipe: Recipe) -> Lecture:
    return lecture(
        folder, recipe, documents=[MANUAL], clips=[CLIP], read_out=Voice(), said=lambda _: None
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Lecture:
    return make(tmp_path_factory.mktemp("lecture"), RECIPE)


def test_short_clips_are_the_whole_lecture_in_order(made: Lecture, tmp_path: Path) -> None:
    clips = short_clips(made, tmp_path, every_s=2.0)
    infos = [probe(str(clip)) for clip in clips]
    assert len(clips) > 2
    whole = sum((info.duration for info in infos), Fraction(0))
    assert abs(whole - RECIPE.duration_s) < Fraction(1, 2)
    assert len({clip.read_bytes() for clip in clips}) == len(clips)


def test_a_lecture_is_an_ordinary_video_of_its_slides_and_clips(made: Lecture) -> None:
    info = probe(str(made.path))
    assert info.video is not None
    assert info.audio is not None
    assert (info.video.codec, info.audio.codec) == ("h264", "aac")
    assert (info.video.width_px, info.video.height_px) == (1280, 720)
    assert abs(info.duration - RECIPE.duration_s) < Fraction(1, 10)
    times = [float(frame.time) for frame in read_frames(str(made.path), info, rate_hz=100)]
    assert times == pytest.approx(np.arange(RECIPE.duration_s * 25) / 25)
    keys = [n for n, packet in enumerate(list_pictures(str(made.path), info)) if packet.keyframe]
    assert max(b - a for a, b in pairwise([*keys, len(times)])) <= 250

    assert (made.slides, made.clips_s) == (4, 1.0)
    shown = [slide for slide, _ in zip(slides([MANUAL]), range(made.slides), strict=False)]
    assert made.words_on_slides == sum(slide.words for slide in shown)
    frames = list(read_frames(str(made.path), info, rate_hz=1.0))
    likeness = np.array(
        [
            [np.abs(frame.image.astype(int) - slide.image).mean() for slide in shown]
            for frame in frames
        ]
    )
    is_slide = likeness.min(axis=1) < 3
    seen = likeness.argmin(axis=1)[is_slide].tolist()
    assert seen == sorted(seen)
    assert set(seen) == {0, 1, 2, 3}
    assert not is_slide.all()


def test_the_narration_is_heard_and_pauses_where_slides_change(made: Lecture) -> None:
    heard = read_audio(str(made.path), probe(str(made.path)))[:]
    loud = np.abs(heard[: len(heard) // 1600 * 1600]).reshape(-1, 1600).max(axis=1) > 0.02
    assert len(heard) == pytest.approx(RECIPE.duration_s * SAMPLE_RATE_HZ, rel=0.01)
    assert 0.3 < loud.mean() < 0.95


def test_a_longer_lecture_begins_like_a_shorter_one_and_is_made_once(
    made: Lecture, tmp_path: Path
) -> None:
    shorter = make(tmp_path, replace(RECIPE, duration_s=4))
    pairs = zip(
        read_frames(str(shorter.path), probe(str(shorter.path))),
        read_frames(str(made.path), probe(str(made.path))),
        strict=False,
    )
    differences = [np.abs(a.image.astype(int) - b.image).mean() for a, b in pairs]
    assert len(differences) >= 4
    assert max(differences) < 3

    written = shorter.path.stat().st_mtime_ns
    assert make(tmp_path, replace(RECIPE, duration_s=4)) == shorter
    assert shorter.path.stat().st_mtime_ns == written
    make(tmp_path, replace(RECIPE, duration_s=4, seed=1))
    assert shorter.path.stat().st_mtime_ns > written


def test_too_few_pages_are_no_lecture(tmp_path: Path) -> None:
    short = replace(RECIPE, slide_s=(0.1, 0.2), turn_s=(0.1, 0.2), slides_per_clip=100)
    with pytest.raises(SystemExit, match="pages for 8 slides only"):
        make(tmp_path, replace(short, duration_s=20))
    assert list(tmp_path.iterdir()) == []


def test_missing_documents_are_named_with_their_packages(tmp_path: Path) -> None:
    with pytest.raises(
        SystemExit, match=f"apt-get download {' '.join(PACKAGES)}".replace("+", ".")
    ):
        find_documents([tmp_path])


def test_only_prose_is_read_out() -> None:
    text = (
        "The gauge shows the level of the wa-\nter in the har-\nbour. Call the method f(x) = y;\n"
        "Set it: 1: 2: 3 and then go on with it. Nobody reads this aloud, x_1 + y_2 == z_3 { }.\n"
        "Is it of use? This sentence is long enough, and it ends well!"
    )
    assert spoken_sentences(text) == [
        "The gauge shows the level of the water in the harbour.",
        "This sentence is long enough, and it ends well!",
    ]


def test_decoding_alone_is_measured(made: Lecture) -> None:
    run = run_floor("decode", made.path, Settings(), cores=first_cores(1))
    assert run.video_s == pytest.approx(RECIPE.duration_s, abs=0.1)
    assert 0 < run.took_s < run.finished.took_s
    assert run.finished.peak_pss_bytes > 20_000_000


def test_the_sample_is_spread_evenly() -> None:
    assert spread(3600, 6) == [270, 870, 1470, 2070, 2670, 3270]
    assert spread(61, 6) == [0]
    assert spread(300, 60) == [0, 60, 120, 180, 240]
    with pytest.raises(SystemExit, match=f"{STRETCH_S - 1}.0 s"):
        spread(STRETCH_S - 1, 6)


def measured(*, video_s: float, took_s: float, pss_bytes: int = 10**9) -> Measured:
    finished = Finished("", took_s, 2 * took_s, 2 * pss_bytes, pss_bytes, {}, 0.0)
    return Measured(video_s, took_s, {"frames": took_s / 2}, finished)


def test_the_tables_tell_ratios_of_speeds() -> None:
    table = speed_table(
        measured(video_s=3600, took_s=150),
        measured(video_s=360, took_s=120),
        measured(video_s=3600, took_s=90),
        measured(video_s=3600, took_s=45),
    )
    assert "| **everything on**, process start to exit | 150.0 | 24.0 | 300 | 1000 |" in table
    assert "| · frames | 75.0 | | | |" in table
    assert "naive pipeline**, 6 min sampled | 120.0 | 3.0 |" in table
    assert "**everything on : naive pipeline** | | 8.0 x as fast" in table
    assert "everything on : both floors in turn | | 0.90 x as fast" in table
    assert {line.count("|") for line in table.splitlines()} == {6}
    longer = comparison_table(
        ("1 h", "4 h"),
        (
            measured(video_s=3600, took_s=180),
            measured(video_s=4 * 3600, took_s=600, pss_bytes=11 * 10**8),
        ),
    )
    assert "| **second : first** | | 1.20 | 0.83 a second | 1.10 |" in longer
    assert {line.count("|") for line in longer.splitlines()} == {6}


def test_one_worker_is_one_thread_everywhere() -> None:
    one, two = with_cpus(Settings(), 1), with_cpus(Settings(), 2)
    threads = (
        one.ingest.speech.threads,
        one.ingest.screen_text.threads,
        one.index.embedder.threads,
    )
    assert threads == (1, 1, 1)
    assert (one.ingest.work.cpus, two.ingest.work.cpus) == (1, 2)
    assert two.ingest.speech == Settings().ingest.speech


def test_a_lecture_is_told_in_a_sentence(made: Lecture) -> None:
    assert "9 s" in describe(made)
    assert "4 different slides" in describe(made)
