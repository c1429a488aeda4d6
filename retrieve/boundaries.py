"""Where what is seen begins and ends: pictures around a hit are looked at again, closer together.

Ingest keeps about one picture a second, so the borders of what a picture shows are known to a
second. Around each border of a hit the video is decoded anew at a few pictures a second, and the
span is cut where their likeness to the query falls. Embedding costs most, so the fall is found by
halving: the first and the last picture tell whether there is one, and a picture in the middle on
which side of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

from PIL import Image

from index.records import MomentKind, Span

if TYPE_CHECKING:
    from index.embedders import Embedder
    from index.ranking import Vectors
    from retrieve.hits import Hit
    from retrieve.settings import BoundarySettings


class _Border(Protocol):
    """Finds where, in a window around a border of a hit, the likeness rises or falls."""

    def __call__(self, hit: Hit, window: Span, *, rising: bool) -> Fraction | None: ...


Likeness = Callable[[int], float]
"""How much a picture, by its number, is like what is asked for: -1..1."""


class Frames(Protocol):
    """Decodes pictures of a source again."""

    def __call__(
        self, source_id: str, span: Span, *, rate_hz: float, go_on: Callable[[], bool]
    ) -> Iterator[tuple[Fraction, Image.Image]]:
        """Yield (seconds on the source's clock, picture) in a span, times rising, exact.

        The first picture at or after each 1 / `rate_hz`, and keyframes. `go_on` is asked while it
        works; when it says no, there are no more. Nothing when the file is not what it was.
        """


def tighten(
    hits: Sequence[Hit],
    vector: Vectors,
    embedder: Embedder,
    frames: Frames,
    settings: BoundarySettings,
) -> tuple[Hit, ...]:
    """The hits with the spans of those that are seen (frames) cut to what is like `vector`, (d,).

    Best hits first, until `time_limit_ms` is used up (models are loaded before it counts); others,
    and those whose file is not there any more, keep their spans.
    """
    if settings.time_limit_ms <= 0 or not any(_is_seen(hit) for hit in hits):
        return tuple(hits)
    embedder.embed_images([Image.new("RGB", (64, 64))])  # loads the model, the first time
    deadline = time.perf_counter() + settings.time_limit_ms / 1000

    def go_on() -> bool:
        return time.perf_counter() < deadline

    def border(hit: Hit, window: Span, *, rising: bool) -> Fraction | None:
        shown = list(frames(hit.source.id, window, rate_hz=settings.rate_hz, go_on=go_on))

        def likeness(number: int) -> float:
            picture = shown[number][1]
            return float(embedder.embed_images([picture]).vectors[0] @ vector)

        number = step_in(len(shown), likeness, fall=settings.fall, rising=rising, go_on=go_on)
        return None if number is None else shown[number][0]

    return tuple(
        _tightened(hit, hit.place, border, settings)
        if isinstance(hit.place, Span) and _is_seen(hit) and go_on()
        else hit
        for hit in hits
    )


def _is_seen(hit: Hit) -> bool:
    return hit.reasons[0].kind is MomentKind.FRAME


def _tightened(
    hit: Hit,
    span: Span,
    border: _Border,
    settings: BoundarySettings,
) -> Hit:
    """The hit between where the likeness rises and where it falls, as far as that is seen."""
    reach, beside = Fraction(settings.reach_s), 1 / Fraction(settings.rate_hz)
    middle = (span.start + span.end) / 2
    start, end = span.start, span.end
    if span.start > 0:
        before = Span(max(Fraction(0), span.start - reach), span.start + beside)
        start = border(hit, before, rising=True) or start
    after = Span(max(span.end - reach, middle), span.end + beside)
    end = border(hit, after, rising=False) or end
    return replace(hit, place=Span(start, end)) if start < end else hit


def step_in(
    count: int, likeness: Likeness, *, fall: float, rising: bool, go_on: Callable[[], bool]
) -> int | None:
    """The number of the first picture behind a step of the likeness, from low to high or down.

    None when the lower level, at one end of the `count` pictures, is not below the higher one, at
    the other end, by the share `fall` of it: then nothing begins or ends there; None also when
    `go_on`, asked before each picture is compared, says no.
    """
    if count < 2 or not go_on():
        return None
    first, last = likeness(0), likeness(count - 1)
    low, high = (first, last) if rising else (last, first)
    if high <= 0 or low > (1 - fall) * high:
        return None
    before, behind = 0, count - 1
    while behind - before > 1:
        if not go_on():
            return None
        number = (before + behind) // 2
        is_high = likeness(number) > (low + high) / 2
        if is_high is rising:
            behind = number
        else:
            before = number
    return behind
