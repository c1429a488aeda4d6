"""What happens in each talk: which slide or picture is shown, and which sentences are said then.

Some sentences of a slide are only shown, and some are only said: those of a slide that is left
out, read while another one or a picture is on screen.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.ingest.slides import Image, Slide, slides_of
from benchmarks.retrieval.plan import TALKS, TalkPlan

SECONDS_PER_WORD = 0.43
PAUSE_S = 0.52
SLIDE_S = (10.0, 26.0)
"""A slide is left at the end of the sentence in which a time drawn between these is up."""
SLIDES_PER_ASIDE = 5
SLIDES_PER_PICTURE = 6
REPEATED_SHARE = 0.4
"""Of the scenes of a talk that is looked back at."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is on screen while some sentences are said."""

    said: tuple[str, ...]
    shown: tuple[str, ...] = ()
    """Sentences of the slide."""
    image: Image | None = field(default=None, repr=False)
    """The slide, uint8, 720 x 1280 x 3; None where a picture is shown."""
    picture: str = ""


def scripts(
    documents: Mapping[str, Path], *, minutes: float, seed: int
) -> Iterator[tuple[TalkPlan, list[Scene]]]:
    """The scenes of every talk, in the order of the plans. The same seed gives the same."""
    made: dict[str, list[Scene]] = {}
    for plan in TALKS:
        draw = random.Random(f"{seed} {plan.name}")
        if plan.looks_back_at:
            scenes = [scene for name in plan.looks_back_at for scene in _some(made[name], draw)]
            draw.shuffle(scenes)
        else:
            scenes = _scenes(plan, documents[plan.document], 60 * minutes, draw)
        if any(plan.name in other.looks_back_at for other in TALKS):
            made[plan.name] = scenes
        yield plan, scenes


def _some(scenes: list[Scene], draw: random.Random) -> list[Scene]:
    return draw.sample(scenes, round(REPEATED_SHARE * len(scenes)))


def _scenes(plan: TalkPlan, path: Path, length_s: float, draw: random.Random) -> list[Scene]:
    slides = slides_of(path, first_page=plan.first_page, accents=plan.language != "en")
    pictures = list(plan.pictures)
    scenes: list[Scene] = []
    known: set[str] = set()
    heard_s = 0.0
    while heard_s < length_s:
        slide = next(slides, None)
        if slide is None:
            break
        number = len(scenes)
        if number % SLIDES_PER_PICTURE == SLIDES_PER_PICTURE - 1:
            said = _said(slide, draw, known)
            scene = Scene(said, picture=pictures[0])
            pictures.append(pictures.pop(0))
        elif number % SLIDES_PER_ASIDE == SLIDES_PER_ASIDE - 1 and (aside := next(slides, None)):
            said = _said(aside, draw, known)
            scene = Scene(said, slide.sentences, slide.image)
        else:
            said = _said(slide, draw, known)
            scene = Scene(said, slide.sentences, slide.image)
        if scene.said:
            scenes.append(scene)
            heard_s += sum(map(spoken_s, scene.said))
    return scenes


def _said(slide: Slide, draw: random.Random, known: set[str]) -> tuple[str, ...]:
    """The first sentences that were not said before, and never all when there are three or more."""
    least_s = draw.uniform(*SLIDE_S)
    fresh = [sentence for sentence in slide.sentences if sentence not in known]
    most = len(fresh) - 1 if len(fresh) > 2 else len(fresh)
    said: list[str] = []
    for sentence in fresh[:most]:
        if sum(map(spoken_s, said)) >= least_s:
            break
        said.append(sentence)
    known.update(said)
    return tuple(said)


def spoken_s(sentence: str) -> float:
    """About how long a sentence and the pause behind it last."""
    return len(sentence.split()) * SECONDS_PER_WORD + PAUSE_S
