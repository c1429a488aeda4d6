"""Where what is seen begins and ends: pictures around a hit are looked at again, closer together.

Ingest keeps about one picture a second, so the borders of what a picture shows are known to a
second. Around a hit's borders the video is decoded anew at a few pictures a second, these are
embedded, and the span is cut where their likeness to the query falls: at the best fit of a step
(two levels, least squares) to the likeness over time, if the step is high enough to mean something.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

import numpy as np
from PIL import Image

from index.records import MomentKind, Span

if TYPE_CHECKING:
    from index.embedders import Embedder
    from index.ranking import Vectors
    from retrieve.hits import Hit
    from retrieve.settings import BoundarySettings

_INSIDE = Fraction(1)
"""Seconds of the hit itself that are looked at beside a border."""
_BATCH = 8
Series = list[tuple[Fraction, float]]
"""Times, rising, and likeness to the query, -1..1."""


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

    def likeness(source_id: str, span: Span) -> Series | None:
        found: Series = []
        waiting: list[tuple[Fraction, Image.Image]] = []
        shown = frames(source_id, span, rate_hz=settings.rate_hz, go_on=go_on)
        for one in shown:
            waiting.append(one)
            if len(waiting) == _BATCH:
                found += _compared(waiting, vector, embedder)
                waiting.clear()
        found += _compared(waiting, vector, embedder)
        return found if go_on() else None

    return tuple(
        replace(hit, place=_tightened(hit.source.id, hit.place, likeness, settings))
        if isinstance(hit.place, Span) and _is_seen(hit) and go_on()
        else hit
        for hit in hits
    )


def _is_seen(hit: Hit) -> bool:
    return hit.reasons[0].kind is MomentKind.FRAME


def _compared(
    shown: Sequence[tuple[Fraction, Image.Image]], vector: Vectors, embedder: Embedder
) -> Series:
    if not shown:
        return []
    cosines = embedder.embed_images([picture for _, picture in shown]).vectors @ vector
    return [(at, float(cosine)) for (at, _), cosine in zip(shown, cosines, strict=True)]


def _tightened(
    source_id: str,
    span: Span,
    likeness: Callable[[str, Span], Series | None],
    settings: BoundarySettings,
) -> Span:
    """The span between where the likeness rises and where it falls, as far as that is seen."""
    reach = Fraction(settings.reach_s)
    middle = (span.start + span.end) / 2
    before = Span(max(Fraction(0), span.start - reach), min(span.start + _INSIDE, middle))
    after = Span(max(span.end - reach, middle), span.end + _INSIDE)
    if after.start - before.end <= reach:  # one way through is shorter than two
        both = likeness(source_id, Span(before.start, after.end))
        if both is None:
            return span
        rising = [one for one in both if one[0] < middle]
        falling = [one for one in both if one[0] >= middle]
    else:
        first, last = likeness(source_id, before), likeness(source_id, after)
        if first is None or last is None:
            return span
        rising, falling = first, last
    start = step_at(rising, settings.fall) or span.start
    end = step_at([(at, -cosine) for at, cosine in falling], settings.fall) or span.end
    return Span(start, end) if start < end else span


def step_at(series: Series, fall: float) -> Fraction | None:
    """The first time of the higher level of the step up that fits a series best.

    None when there is none, or its lower level is not below the higher one by the share `fall` of
    their larger size: then nothing begins here. To find a step down, negate the values.
    """
    values = np.array([value for _, value in series])
    best_error, best = np.inf, None
    for cut in range(1, len(values)):
        low, high = values[:cut], values[cut:]
        error = float(low.var() * len(low) + high.var() * len(high))
        step = float(high.mean() - low.mean())
        if error < best_error and step > 0:
            largest = max(abs(float(high.mean())), abs(float(low.mean())))
            best_error, best = error, (cut if step >= fall * largest else None)
    return None if best is None else series[best][0]
