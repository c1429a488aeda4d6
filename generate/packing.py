"""A budget of tokens is spent where it helps: ranks decide who gets frames and pixels.

Every evidence has a ladder: its words, then a picture, then more and larger ones. At each turn the
step is taken whose evidence gains most for a token, when use grows with the logarithm of what is
spent on an evidence: shares then follow the weights, which fall with the rank (proportional
fairness, Kelly 1997). Words gain more than pixels for a token, so nearly all come first. What does
not fit is left out and named; nothing is ever cut.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, log

from generate.picture_sizes import (
    CLIP_MOST_SQUARES,
    PICTURE_LEAST_SQUARES,
    fitting_size,
    squares_of,
)
from generate.token_costs import TokenCosts, picture_tokens

FRAME_SQUARES = (112, 220, 405, 720)
"""Sizes of frames, in tokens of two frames: 448x256, 640x352, 864x480, 1152x640 for 16:9."""
STILL_SQUARES = (96, 180, 360, 720, 1440, 2880)
"""Sizes of pages and figures, in tokens; print of 10 points can be read from about 720 on."""
SHARES_OF_FRAMES = (Fraction(1, 8), Fraction(1, 4), Fraction(1, 2), Fraction(1))
FRAME_LEAST_SQUARES = 4
TEXT_GAIN = 10.0
"""How much more a token of words is worth than one of pictures."""
LINE_END = "\n"
"""What follows a picture, so that the next text begins a line."""
_FIRST_TOKENS = 50
"""Use of an evidence grows with log(1 + tokens / this)."""


@dataclass(frozen=True, slots=True)
class Footage:
    """What can be shown of an evidence in a video."""

    looks: tuple[tuple[Fraction, Fraction], ...]
    """Pairs of instants close together, on the source's clock, all ascending; a pair of the same
    is one frame given twice. Clips show both, sequences of pictures the first. The budget decides
    how many of them are shown."""
    height_px: int
    """Of the video; frames are not enlarged."""
    width_px: int

    def __post_init__(self) -> None:
        if not self.looks or any(later < first for first, later in self.looks):
            raise ValueError(f"footage has looks, pairs of rising times, got {self.looks}")


@dataclass(frozen=True, slots=True)
class Still:
    """A page or figure, or a frame by itself."""

    height_px: int
    width_px: int


@dataclass(frozen=True, slots=True)
class Item:
    """An evidence that would like to be read."""

    evidence: str
    """Its id."""
    rank: int
    """Of its best hit, from 1."""
    text: str
    """Its label and words as they stand in the prompt; begins with a visible ASCII character and
    ends its line, so that its tokens are the same anywhere (`generate.token_costs`)."""
    visual: Footage | Still | None = None

    def __post_init__(self) -> None:
        if not ("!" <= self.text[:1] <= "~" and self.text.endswith("\n")):
            raise ValueError(f"the text of an item is whole lines, got {self.text!r}")


@dataclass(frozen=True, slots=True)
class Packed:
    """What an evidence gets."""

    evidence: str
    text_tokens: int
    """0: it is left out."""
    picture_tokens: int = 0
    times: tuple[Fraction, ...] = ()
    """Of its frames; none for a page."""
    height_px: int = 0
    """Of its frames or picture; 0: it has none."""
    width_px: int = 0
    wanted_tokens: int = 0
    """What the next step would have cost, its first one where it is left out; 0: it has all."""

    @property
    def is_in(self) -> bool:
        """Whether it is read at all."""
        return self.text_tokens > 0

    @property
    def tokens(self) -> int:
        """All that it costs."""
        return self.text_tokens + self.picture_tokens


def pack(items: Sequence[Item], costs: TokenCosts, *, budget_tokens: int) -> tuple[Packed, ...]:
    """Spend up to `budget_tokens` on evidence; one result for each item, in their order."""
    best = [Packed(item.evidence, 0) for item in items]
    ladders = [_ladder(item, costs) for item in items]
    heap: list[tuple[float, int, int, Packed]] = []

    def offer(number: int) -> None:
        step = next(ladders[number], None)
        if step is not None:
            gain = _gain(items[number], best[number], step)
            heapq.heappush(heap, (-gain, items[number].rank, number, step))

    for number in range(len(items)):
        offer(number)
    left = budget_tokens
    while heap:
        _, _, number, step = heapq.heappop(heap)
        more = step.tokens - best[number].tokens
        if more > left:
            best[number] = replace(best[number], wanted_tokens=more)
            continue
        left -= more
        best[number] = step
        offer(number)
    return tuple(best)


def _gain(item: Item, had: Packed, step: Packed) -> float:
    """Gain in use for each token of a step."""
    weight = (1 if had.is_in else TEXT_GAIN) / (1 + item.rank)
    grown = log((_FIRST_TOKENS + step.tokens) / (_FIRST_TOKENS + had.tokens))
    return weight * grown / (step.tokens - had.tokens)


def _ladder(item: Item, costs: TokenCosts) -> Iterator[Packed]:
    """What an evidence may get, ever more of it."""
    bare = Packed(item.evidence, costs.count_text(item.text))
    yield bare
    if isinstance(item.visual, Still):
        steps = _still_steps(bare, item.visual)
    elif isinstance(item.visual, Footage):
        steps = _footage_steps(bare, item.visual, costs)
    else:
        return
    line_end, had = costs.count_text(LINE_END), 0
    for step in steps:
        if step.picture_tokens > had:
            had = step.picture_tokens
            yield replace(step, picture_tokens=had + line_end)


def _still_steps(bare: Packed, still: Still) -> Iterator[Packed]:
    for squares in STILL_SQUARES:
        height_px, width_px = fitting_size(
            still.height_px,
            still.width_px,
            least_squares=PICTURE_LEAST_SQUARES,
            most_squares=squares,
        )
        yield replace(
            bare,
            picture_tokens=picture_tokens(height_px, width_px),
            height_px=height_px,
            width_px=width_px,
        )


def _footage_steps(bare: Packed, footage: Footage, costs: TokenCosts) -> Iterator[Packed]:
    """One look, more of them, then all of them larger."""
    is_clip = costs.frames_as == "clip"
    looks = footage.looks if is_clip else tuple(look[:1] for look in footage.looks)
    count = len(looks)
    counts = sorted({1, *(ceil(count * share) for share in SHARES_OF_FRAMES)})
    around = [costs.of_clip(look, 0, 0) for look in looks]
    steps = [(some, FRAME_SQUARES[0]) for some in counts]
    steps += [(count, squares) for squares in FRAME_SQUARES[1:]]
    least = FRAME_LEAST_SQUARES if is_clip else PICTURE_LEAST_SQUARES
    for number, squares in steps:
        height_px, width_px = fitting_size(
            footage.height_px, footage.width_px, least_squares=least, most_squares=squares
        )
        chosen = [(2 * place + 1) * count // (2 * number) for place in range(number)]
        times = tuple(time for place in chosen for time in looks[place])
        seen = squares_of(height_px, width_px)
        if is_clip and seen * len(times) > CLIP_MOST_SQUARES:
            continue
        tokens = sum(around[place] for place in chosen) + number * seen
        yield replace(
            bare, picture_tokens=tokens, times=times, height_px=height_px, width_px=width_px
        )
