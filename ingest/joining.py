"""What a segment shows and says, for embedders that see words and pictures together."""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import Image

from index.embedders import JointInput
from index.files import FilePart, content_of
from index.records import Moment, MomentKind, Segment, Span

MAX_PICTURES = 16
"""Pictures of a segment that are looked at, spread evenly over it."""
MAX_TEXT_CHARACTERS = 8000
"""Words of a segment that are read: about 2,000 tokens of English."""
_SHOWN = (MomentKind.FRAME, MomentKind.PAGE)
_READ = (MomentKind.UTTERANCE, MomentKind.SCREEN_TEXT, MomentKind.PASSAGE, MomentKind.FIGURE)


def shown_moments(segment: Segment) -> list[tuple[Moment, bytes | FilePart]]:
    """The frames or pages of a segment that stand for its pictures, at most MAX_PICTURES."""
    shown = [
        (moment, moment.picture)
        for moment in segment.moments
        if moment.kind in _SHOWN and moment.picture is not None
    ]
    if len(shown) <= MAX_PICTURES:
        return shown
    return [shown[place * len(shown) // MAX_PICTURES] for place in range(MAX_PICTURES)]


def spoken_and_written(segment: Segment) -> str:
    """What is said and written in a segment, each text once, cut to MAX_TEXT_CHARACTERS."""
    texts = [moment.text for moment in segment.moments if moment.kind in _READ and moment.text]
    return "\n".join(dict.fromkeys(texts))[:MAX_TEXT_CHARACTERS]


def joint_input(segment: Segment) -> JointInput | None:
    """What one vector is to stand for; None for a segment that shows and says nothing.

    Frames come with their times on the video's clock.
    """
    shown = shown_moments(segment)
    text = spoken_and_written(segment)
    if not shown and not text:
        return None
    is_video = isinstance(segment.extent, Span)
    return JointInput(
        pictures=tuple(Image.open(io.BytesIO(content_of(picture))) for _, picture in shown),
        text=text,
        times=tuple(moment.span.start for moment, _ in shown) if is_video else (),
    )


def told_by(segment: Segment) -> Iterator[bytes]:
    """Everything that shapes the joint vector of a segment, but for the embedder."""
    yield str(segment.extent).encode()
    yield spoken_and_written(segment).encode()
    for moment, picture in shown_moments(segment):
        yield str(moment.place).encode()
        yield content_of(picture)
