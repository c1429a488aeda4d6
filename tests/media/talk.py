"""Makes the sample talk: scenes laid on the clock, every frame stamped with its own time."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.media.pictures import picture_of
from tests.media.slides import HEIGHT, WIDTH, Timecode
from tests.media.sources import Sources
from tests.media.speech import RATE_HZ, Samples, Sentence, narrate
from tests.media.talk_questions import QUESTIONS, Question
from tests.media.talk_script import SCENES, Clip, Scene, Slide

TICKS_PER_S = 90_000
"""The video track's time base is 1/90000 s."""
VIDEO_START = TICKS_PER_S * 248 // 100
"""Ticks: the picture begins 2.480 s after the sound."""
_FRAME = TICKS_PER_S // 25
_SHORTEST, _LONGEST = TICKS_PER_S // 50, TICKS_PER_S // 8
_FIRST_WORD_S, _TAIL_S, _LEAD_S = 0.5, 0.8, 0.25
_SEED = 4471
_AUDIO_BLOCK = 1024


@dataclass(frozen=True)
class Shown:
    """A scene on the clock: its frames' times in ticks, and its end in ticks."""

    scene: Scene
    sentences: list[Sentence]
    frames: list[int]
    end: int

    @property
    def span(self) -> dict[str, float]:
        """From the first frame to the first frame of what follows, in seconds."""
        return {"start_s": _seconds(self.frames[0]), "end_s": _seconds(self.end)}


def make_talk(path: Path, sources: Sources) -> dict[str, Any]:
    """Write the talk to ``path`` and return its truth (times in seconds)."""
    groups, samples = narrate([list(scene.sentences) for scene in SCENES], _FIRST_WORD_S, _TAIL_S)
    end = round(len(samples) / RATE_HZ * TICKS_PER_S)
    shown = _lay_out(groups, end)
    unfinished = path.with_name(path.name + ".part")
    _write(unfinished, shown, samples, sources)
    unfinished.replace(path)
    return _truth(path, shown)


def _seconds(ticks: int) -> float:
    return round(ticks / TICKS_PER_S, 6)


def _lay_out(groups: list[list[Sentence]], end: int) -> list[Shown]:
    """Give every scene its frames; a scene changes ``_LEAD_S`` before it is spoken about."""
    dice = random.Random(_SEED)
    cuts = [VIDEO_START]
    cuts += [round((group[0].start_s - _LEAD_S) * TICKS_PER_S) for group in groups[1:]]
    cuts.append(end)
    frames: list[list[int]] = []
    now = VIDEO_START
    for scene, stop in zip(SCENES, cuts[1:], strict=True):
        times = []
        while now < stop:
            times.append(now)
            now += dice.randint(_SHORTEST, _LONGEST) if scene.irregular else _FRAME
        frames.append(times)
    ends = [times[0] for times in frames[1:]] + [now]
    return [Shown(*row) for row in zip(SCENES, groups, frames, ends, strict=True)]


def _pictures(shown: list[Shown], sources: Sources) -> Iterator[av.VideoFrame]:
    timecode = Timecode(sources)
    number = 0
    for part in shown:
        number += isinstance(part.scene.picture, Slide)
        draw = picture_of(part.scene.picture, number, sources)
        length = part.end - part.frames[0]
        for ticks in part.frames:
            image = draw((ticks - part.frames[0]) / length).copy()
            timecode.stamp(image, (ticks * 1000 + TICKS_PER_S // 2) // TICKS_PER_S)
            frame = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
            frame.pts, frame.time_base = ticks, Fraction(1, TICKS_PER_S)
            yield frame


def _blocks(samples: Samples) -> Iterator[av.AudioFrame]:
    sound = (np.clip(samples, -1, 1) * 32767).astype(np.int16)
    for start in range(0, len(sound), _AUDIO_BLOCK):
        block = sound[start : start + _AUDIO_BLOCK].reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, start, Fraction(1, RATE_HZ)
        yield frame


def _write(path: Path, shown: list[Shown], samples: Samples, sources: Sources) -> None:
    with av.open(
        str(path), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}
    ) as out:
        video = out.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.time_base = video.codec_context.time_base = Fraction(1, TICKS_PER_S)
        video.codec_context.thread_count = 2  # more threads, other bytes
        video.options = {"crf": "30", "preset": "slow", "tune": "animation", "g": "250"}
        audio = out.add_stream("aac", rate=RATE_HZ, layout="mono")
        audio.bit_rate = 48_000
        blocks = _blocks(samples)
        heard = Fraction(0)
        for picture in _pictures(shown, sources):
            while heard <= Fraction(picture.pts or 0, TICKS_PER_S):
                block = next(blocks, None)
                if block is None:
                    break
                heard += Fraction(block.samples, RATE_HZ)
                out.mux(audio.encode(block))
            out.mux(video.encode(picture))
        for block in blocks:
            out.mux(audio.encode(block))
        out.mux(video.encode(None))
        out.mux(audio.encode(None))


def _truth(path: Path, shown: list[Shown]) -> dict[str, Any]:
    slides = [part for part in shown if isinstance(part.scene.picture, Slide)]
    irregular = [part for part in shown if part.scene.irregular]
    with av.open(str(path)) as container:
        duration = Fraction(container.duration or 0, 1_000_000)
    return {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "duration_s": round(float(duration), 3),
        "video_start_s": _seconds(VIDEO_START),
        "audio_start_s": 0.0,
        "vfr": {"start_s": irregular[0].span["start_s"], "end_s": irregular[-1].span["end_s"]},
        "sentences": [
            {
                "text": sentence.text,
                "start_s": round(sentence.start_s, 3),
                "end_s": round(sentence.end_s, 3),
            }
            for part in shown
            for sentence in part.sentences
        ],
        "slides": [
            {
                "index": index,
                "title": part.scene.picture.title,
                "lines": list(part.scene.picture.lines),
                **part.span,
            }
            for index, part in enumerate(slides, 1)
            if isinstance(part.scene.picture, Slide)
        ],
        "clips": [
            {k: v for k, v in asdict(part.scene.picture).items() if k != "file"} | part.span
            for part in shown
            if isinstance(part.scene.picture, Clip)
        ],
        "questions": [
            {"question": q.question, "kind": q.kind, "answer": q.answer, **_answer_span(q, shown)}
            for q in QUESTIONS
        ],
    }


def _answer_span(question: Question, shown: list[Shown]) -> dict[str, float]:
    """Return the span of the sentence, slide or clip that the question is anchored to."""
    spans = []
    for part in shown:
        picture = part.scene.picture
        if question.kind == "speech":
            spans += [
                {"start_s": round(s.start_s, 3), "end_s": round(s.end_s, 3)}
                for s in part.sentences
                if s.text.startswith(question.anchor)
            ]
        elif question.anchor == (picture.title if isinstance(picture, Slide) else picture.what):
            spans.append(part.span)
    if len(spans) != 1:
        raise ValueError(f"{question.anchor!r} anchors {len(spans)} things")
    return spans[0]
