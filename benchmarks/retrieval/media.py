"""The talks as MP4 files, and beside each what is said and shown when.

1280x720 H.264 with 2 frames a second, AAC sound; narrated by espeak-ng.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import av

from benchmarks.ingest.lecture import Writer, held, known_facts, note_facts
from benchmarks.retrieval.pictures import shown_picture
from benchmarks.retrieval.plan import Split, TalkPlan
from benchmarks.retrieval.scripts import Scene
from tests.media.speech import RATE_HZ, Sentence, narrate

FRAMES_PER_S = 2
SHOWN_BEFORE_S = 0.25
"""A slide comes up so long before its first sentence."""
VERSION = 1
"""Of this program: talks made by another are made again."""
_VOICES = {"en": "en-us", "de": "de"}
_FIRST_S, _TAIL_S = 1.0, 2.0


@dataclass(frozen=True, slots=True)
class TimedScene:
    """A scene on the talk's clock."""

    start_s: float
    end_s: float
    said: tuple[Sentence, ...]
    shown: tuple[str, ...]
    picture: str


@dataclass(frozen=True, slots=True)
class Talk:
    """A talk on disk and what is in it."""

    path: Path
    split: Split
    language: str
    scenes: tuple[TimedScene, ...]

    @property
    def duration_s(self) -> float:
        """As long as its pictures last."""
        return self.scenes[-1].end_s


def talk(folder: Path, plan: TalkPlan, scenes: Sequence[Scene], *, clips: Path, seed: int) -> Talk:
    """The talk of a script in a folder; it is made when it is not there yet."""
    path = folder / f"{plan.name}.mp4"
    made_of = {
        "version": VERSION,
        "seed": seed,
        "scenes": [[scene.said, scene.shown, scene.picture] for scene in scenes],
    }
    known = known_facts(path, made_of)
    if known is not None:
        return Talk(path, plan.split, plan.language, _read_scenes(known["scenes"]))
    folder.mkdir(parents=True, exist_ok=True)
    timed = _write(path, plan, scenes, clips, random.Random(f"{seed} {plan.name} pictures"))
    note_facts(path, made_of, {"scenes": [_as_json(scene) for scene in timed]})
    return Talk(path, plan.split, plan.language, timed)


def _write(
    path: Path, plan: TalkPlan, scenes: Sequence[Scene], clips: Path, draw: random.Random
) -> tuple[TimedScene, ...]:
    voice = _VOICES[plan.language]
    groups, samples = narrate([list(scene.said) for scene in scenes], _FIRST_S, _TAIL_S, voice)
    turns = [round((group[0].start_s - SHOWN_BEFORE_S) * FRAMES_PER_S) for group in groups]
    borders = [0, *turns[1:], len(samples) * FRAMES_PER_S // RATE_HZ]
    samples_per_frame = RATE_HZ // FRAMES_PER_S
    unfinished = path.with_suffix(".part")
    timed = []
    with av.open(str(unfinished), "w", format="mp4", options={"movflags": "+faststart"}) as out:
        writer = Writer(out, frames_per_s=FRAMES_PER_S)
        for scene, said, (first, last) in zip(scenes, groups, pairwise(borders), strict=True):
            if scene.image is None:
                frames = shown_picture(scene.picture, clips, draw, rate_hz=FRAMES_PER_S)
            else:
                frames = held(scene.image)
            part = samples[first * samples_per_frame : last * samples_per_frame]
            writer.add(islice(frames, last - first), part)
            timed.append(
                TimedScene(
                    first / FRAMES_PER_S,
                    last / FRAMES_PER_S,
                    tuple(said),
                    scene.shown,
                    scene.picture,
                )
            )
        writer.end()
    unfinished.replace(path)
    return tuple(timed)


def _as_json(scene: TimedScene) -> dict[str, Any]:
    said = [[one.text, round(one.start_s, 4), round(one.end_s, 4)] for one in scene.said]
    return {
        "start_s": scene.start_s,
        "end_s": scene.end_s,
        "said": said,
        "shown": scene.shown,
        "picture": scene.picture,
    }


def _read_scenes(rows: Sequence[Mapping[str, Any]]) -> tuple[TimedScene, ...]:
    return tuple(
        TimedScene(
            row["start_s"],
            row["end_s"],
            tuple(Sentence(*one) for one in row["said"]),
            tuple(row["shown"]),
            row["picture"],
        )
        for row in rows
    )
