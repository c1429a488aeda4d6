"""The lecture: slides that are talked about, with moving pictures now and then, as one MP4.

1280x720 H.264 at 25 frames/s with groups of up to 250 pictures, AAC sound. A lecture twice as long
begins with the same scenes and goes on with slides that have not been shown.
"""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from itertools import islice, repeat
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks.ingest.clips import draw_view, pictures, sound
from benchmarks.ingest.slides import HEIGHT_PX, WIDTH_PX, Image, Slide, slides
from tests.media.speech import RATE_HZ, Samples, speak

FRAMES_PER_S = 25
SAMPLES_PER_FRAME = RATE_HZ // FRAMES_PER_S
LOUDNESS = 0.6
VERSION = 1
"""Of this program: a lecture made by another is made again."""

Speak = Callable[[str], Samples]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a lecture is put together."""

    duration_s: int
    slide_s: tuple[float, float] = (6.0, 17.0)
    """A slide is left at the end of the sentence in which a time drawn between these is up."""
    pause_s: tuple[float, float] = (0.35, 0.7)
    """Between sentences."""
    turn_s: tuple[float, float] = (1.0, 2.0)
    """Silence where slides change, half of it before."""
    slides_per_clip: int = 10
    clip_s: float = 15.0
    seed: int = 2024


@dataclass(frozen=True, slots=True)
class Lecture:
    """A lecture on disk and what is in it."""

    path: Path
    duration_s: int
    slides: int
    """All different."""
    words_on_slides: int
    clips_s: float
    """Seconds of moving pictures."""


def repeated(lecture: Lecture, times: int) -> Lecture:
    """The same lecture so many times in a row, beside it; its packets are copied by ffmpeg.

    Raises SystemExit when ffmpeg is not installed.
    """
    path = lecture.path.with_stem(f"{lecture.path.stem}_{times}_times")
    if not path.is_file() or path.stat().st_mtime < lecture.path.stat().st_mtime:
        part = path.with_suffix(".part")
        _ffmpeg("-stream_loop", times - 1, "-i", lecture.path, "-c", "copy", "-f", "mp4", part)
        part.rename(path)
    return replace(
        lecture,
        path=path,
        duration_s=times * lecture.duration_s,
        clips_s=times * lecture.clips_s,
    )


def short_clips(lecture: Lecture, folder: Path, *, every_s: float) -> list[Path]:
    """The lecture in files, in order, cut at the first keyframe after each multiple of `every_s`.

    All are different. Raises SystemExit when ffmpeg is not installed.
    """
    each = ("-f", "segment", "-segment_time", every_s, "-reset_timestamps", 1)
    _ffmpeg("-i", lecture.path, "-c", "copy", *each, folder / "clip_%05d.mp4")
    return sorted(folder.glob("clip_*.mp4"))


def _ffmpeg(*arguments: str | float | Path) -> None:
    try:
        subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True)
    except FileNotFoundError as error:
        message = "packets are copied by ffmpeg: apt-get install ffmpeg"
        raise SystemExit(message) from error


def espeak(text: str) -> Samples:
    """A sentence as espeak-ng reads it. Raises SystemExit when it is not installed."""
    return speak(text, "en-us")


@dataclass(frozen=True, slots=True)
class _Scene:
    frames: Iterator[av.VideoFrame]
    sound: Samples
    """Ends where the scene ends."""
    words: int | None
    """Words on a slide; None for a clip."""

    @property
    def num_frames(self) -> int:
        return len(self.sound) // SAMPLES_PER_FRAME


def lecture(
    folder: Path,
    recipe: Recipe,
    *,
    documents: Sequence[Path],
    clips: Sequence[Path],
    read_out: Speak = espeak,
    said: Callable[[str], None] = print,
) -> Lecture:
    """The lecture of a recipe in a folder; it is made when it is not there yet.

    `read_out` speaks a sentence as samples at 22,050 Hz; `said` hears of the progress. Raises
    SystemExit when the documents have too few pages.
    """
    path = folder / f"narrated_slides_{recipe.duration_s}s.mp4"
    made_of = {
        "version": VERSION,
        "recipe": asdict(recipe),
        "from": [[file.name, file.stat().st_size] for file in (*documents, *clips)],
    }
    known = known_facts(path, made_of)
    if known is not None:
        return Lecture(path, **known["lecture"])
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    made = _write(unfinished, recipe, _scenes(recipe, documents, clips, read_out), said)
    unfinished.replace(path)
    made = replace(made, path=path)
    facts = {name: value for name, value in asdict(made).items() if name != "path"}
    note_facts(path, made_of, {"lecture": facts})
    return made


def known_facts(path: Path, made_of: Mapping[str, Any]) -> dict[str, Any] | None:
    """What was noted of a file; None when it is not there, or was made of something else."""
    noted = path.with_suffix(".json")
    if not path.is_file() or not noted.is_file():
        return None
    facts: dict[str, Any] = json.loads(noted.read_text("utf-8"))
    return facts if facts["made_of"] == json.loads(json.dumps(made_of)) else None


def note_facts(path: Path, made_of: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """Write beside a file what it is made of, and what else is known of it."""
    content = json.dumps({"made_of": made_of, **facts}, indent=1, ensure_ascii=False)
    path.with_suffix(".json").write_text(content + "\n", "utf-8")


def _scenes(
    recipe: Recipe, documents: Sequence[Path], clips: Sequence[Path], read_out: Speak
) -> Iterator[_Scene]:
    for number, slide in enumerate(slides(documents)):
        dice = random.Random(f"{recipe.seed} {number}")
        yield _slide_scene(slide, recipe, dice, read_out)
        if (number + 1) % recipe.slides_per_clip == 0:
            yield _clip_scene(clips, recipe, dice)


def _slide_scene(slide: Slide, recipe: Recipe, dice: random.Random, read_out: Speak) -> _Scene:
    least_s = dice.uniform(*recipe.slide_s)
    half_turn = _silence(dice.uniform(*recipe.turn_s) / 2)
    parts: list[Samples] = [half_turn]
    heard = 0
    for sentence in slide.sentences:
        spoken = read_out(sentence) * np.float32(LOUDNESS)
        parts += [spoken, _silence(dice.uniform(*recipe.pause_s))]
        heard += len(parts[-2]) + len(parts[-1])
        if heard >= least_s * RATE_HZ:
            break
    samples = _whole_frames(np.concatenate([*parts, half_turn]))
    return _Scene(held(slide.image), samples, slide.words)


def _clip_scene(clips: Sequence[Path], recipe: Recipe, dice: random.Random) -> _Scene:
    """The clips one after another, each time with other parts of their pictures, until time is up.

    Silence follows where a clip has no sound.
    """
    shown: list[Iterator[av.VideoFrame]] = []
    parts: list[Samples] = []
    left = round(recipe.clip_s * FRAMES_PER_S)
    while left > 0:
        for clip in clips:
            view = draw_view(dice)
            length = min(left, sum(1 for _ in pictures(clip, view, rate_hz=FRAMES_PER_S)))
            shown.append(islice(pictures(clip, view, rate_hz=FRAMES_PER_S), length))
            track = np.zeros(length * SAMPLES_PER_FRAME, np.float32)
            heard = sound(clip, rate_hz=RATE_HZ)[: len(track)]
            track[: len(heard)] = heard
            parts.append(track)
            left -= length
    frames = (frame for clip_frames in shown for frame in clip_frames)
    return _Scene(frames, np.concatenate(parts), None)


def _write(
    path: Path, recipe: Recipe, scenes: Iterator[_Scene], said: Callable[[str], None]
) -> Lecture:
    frames_left = recipe.duration_s * FRAMES_PER_S
    num_slides = words = clip_frames = scenes_shown = 0
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as out:
        writer = Writer(out)
        for scene in scenes:
            shown = min(scene.num_frames, frames_left)
            writer.add(islice(scene.frames, shown), scene.sound[: shown * SAMPLES_PER_FRAME])
            frames_left -= shown
            scenes_shown += 1
            if scene.words is None:
                clip_frames += shown
            else:
                num_slides, words = num_slides + 1, words + scene.words
            if scenes_shown % 20 == 0:
                said(f"{path.name}: {recipe.duration_s - frames_left // FRAMES_PER_S} s written")
            if frames_left == 0:
                break
        writer.end()
    if frames_left:
        path.unlink()
        raise SystemExit(
            f"the documents have pages for {num_slides} slides only, "
            f"{frames_left / FRAMES_PER_S:.0f} s short of {recipe.duration_s} s; give more PDFs"
        )
    return Lecture(path, recipe.duration_s, num_slides, words, clip_frames / FRAMES_PER_S)


class Writer:
    """Writes frames and their sound, mono at `RATE_HZ`, side by side."""

    def __init__(
        self, out: av.container.OutputContainer, *, frames_per_s: int = FRAMES_PER_S
    ) -> None:
        self._out = out
        self._frames_per_s = frames_per_s
        self._samples_per_frame = RATE_HZ // frames_per_s
        self._video = out.add_stream("libx264", rate=frames_per_s)
        self._video.width, self._video.height = WIDTH_PX, HEIGHT_PX
        self._video.pix_fmt = "yuv420p"
        self._video.options = {"preset": "veryfast", "crf": "23", "g": "250"}
        self._audio = out.add_stream("aac", rate=44_100, layout="stereo")
        self._audio.bit_rate = 96_000
        self._frames = 0

    def add(self, frames: Iterator[av.VideoFrame], samples: Samples) -> None:
        """Add frames and the sound that lasts as long as they do."""
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = self._frames, Fraction(1, self._frames_per_s)
            frame.pict_type = av.video.frame.PictureType.NONE  # the encoder's own choice
            self._out.mux(self._video.encode(frame))
            first = number * self._samples_per_frame
            self._add_sound(samples[first : first + self._samples_per_frame])
            self._frames += 1

    def _add_sound(self, samples: Samples) -> None:
        levels = (np.clip(samples, -1, 1) * 32767).astype(np.int16).reshape(1, -1)
        block = av.AudioFrame.from_ndarray(levels, format="s16", layout="mono")
        block.sample_rate, block.time_base = RATE_HZ, Fraction(1, RATE_HZ)
        block.pts = self._frames * self._samples_per_frame
        self._out.mux(self._audio.encode(block))

    def end(self) -> None:
        """Write what is left; nothing can be added afterwards."""
        self._out.mux(self._video.encode(None))
        self._out.mux(self._audio.encode(None))


def held(image: Image) -> Iterator[av.VideoFrame]:
    """The same picture, uint8 (height, width, 3), over and over."""
    return repeat(av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p"))


def _silence(length_s: float) -> Samples:
    return np.zeros(round(length_s * RATE_HZ), np.float32)


def _whole_frames(samples: Samples) -> Samples:
    missing = -len(samples) % SAMPLES_PER_FRAME
    return np.concatenate([samples, np.zeros(missing, np.float32)])
