"""What can be shown of evidence: stretches of videos, pages, figures, and how they are loaded.

Ingest has kept a picture wherever what is seen changes, about one a second where it moves; each
has its exact time. Those are the instants worth a look: a slide that stands for minutes is looked
at once, however much is said meanwhile. The frames are decoded anew from the file; where that is
gone, the stored pictures take their place.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

import numpy as np
from PIL import Image

from generate.packing import Footage, Still
from index.catalog import MOMENT_KINDS
from index.errors import SecondsightError
from index.records import MomentKind, Span
from retrieve.thumbnails import shown_by

if TYPE_CHECKING:
    from generate.evidence import Evidence
    from index.snapshot import Snapshot, StoredText

PARTNER = Fraction(1, 2)
"""Seconds between the two frames of a look at what moves: with one a second, 2 frames a second."""
STILL_FROM = Fraction(2)
"""What was the same for this many seconds stood still: one frame tells all, and it is given twice,
so that its marker is exact."""
FILE_GONE = "its file is gone or has changed: stored pictures"


class PicturesError(SecondsightError):
    """Frames of a source could not be decoded."""

    def __init__(self, source_id: str, reason: str) -> None:
        super().__init__(reason)
        self.source_id = source_id


class SourcePictures(Protocol):
    """Decodes frames of the files of sources."""

    def is_there(self, source_id: str) -> bool:
        """Whether the file is still the one that was ingested."""

    def shown_at(
        self, source_id: str, times: Sequence[Fraction], *, max_side_px: int
    ) -> list[Image.Image]:
        """The frames on show at rising times on the source's clock, RGB, one for each.

        Raises PicturesError when they cannot be decoded.
        """


@dataclass(frozen=True, slots=True)
class Visual:
    """What can be shown of one evidence."""

    shape: Footage | Still
    moment_ids: tuple[int, ...]
    """Whose stored pictures show it: of each look, or of the page."""
    from_file: bool
    """Whether frames are decoded anew."""
    note: str = ""
    """What a ledger says of it."""


def visuals_of(
    evidence: Sequence[Evidence], snapshot: Snapshot, pictures: SourcePictures | None
) -> dict[str, Visual]:
    """What can be shown, by id of evidence; best ranks first choose, nothing is shown twice.

    With `pictures` None only stored pictures are used. Raises LibraryError.
    """
    files: dict[str, bool] = {}
    taken: set[int] = set()
    found: dict[str, Visual] = {}
    for piece in sorted(evidence, key=lambda piece: piece.hit_rank):
        source_id = piece.source.id
        if isinstance(piece.place, Span):
            if source_id not in files:
                files[source_id] = pictures is not None and pictures.is_there(source_id)
            own = _frames_during(snapshot, source_id, piece.place)
            fresh = [one for one in own if one.id not in taken]
            visual = _footage(piece, fresh, snapshot, from_file=files[source_id])
        else:
            visual = _still(piece, snapshot, taken)
        if visual is not None:
            taken.update(visual.moment_ids)
            found[piece.id] = visual
    return found


def _frames_during(snapshot: Snapshot, source_id: str, span: Span) -> list[StoredText]:
    """The kept pictures that are on show during a span, by time."""
    own = snapshot.source_range(source_id)
    columns = snapshot.columns
    part = slice(own.start, own.stop)
    shown = (
        (columns.kind[part] == MOMENT_KINDS.index(MomentKind.FRAME))
        & (columns.start_s[part] < span.end_s)
        & (columns.end_s[part] > span.start_s)
    )
    stored = snapshot.texts(np.flatnonzero(shown) + own.start)
    return sorted(
        (one for one in stored if one.moment.span.overlaps(span)),
        key=lambda one: one.moment.span.start,
    )


def _footage(
    piece: Evidence, frames: Sequence[StoredText], snapshot: Snapshot, *, from_file: bool
) -> Visual | None:
    if not frames:
        return None
    size = _size_of_video(piece, frames[0].id, snapshot)
    if size is None:
        return None
    looks = tuple(_look(one.moment.span, piece.place, from_file=from_file) for one in frames)
    note = "" if from_file else FILE_GONE
    return Visual(Footage(looks, *size), tuple(one.id for one in frames), from_file, note)


def _look(shown: Span, place: Span, *, from_file: bool) -> tuple[Fraction, Fraction]:
    """Where a kept picture is looked at within the span of an evidence, and half a second on."""
    first = max(shown.start, place.start)
    later = first + PARTNER
    moves = from_file and shown.duration < STILL_FROM
    return (first, later) if moves and later < min(shown.end, place.end) else (first, first)


def _size_of_video(piece: Evidence, moment_id: int, snapshot: Snapshot) -> tuple[int, int] | None:
    """Height and width as displayed: of the video where probing found them, else as stored."""
    height_px, width_px = (piece.source.details.get(name) for name in ("height_px", "width_px"))
    if isinstance(height_px, int) and isinstance(width_px, int):
        return height_px, width_px
    return _stored_size(snapshot, moment_id)


def _stored_size(snapshot: Snapshot, moment_id: int) -> tuple[int, int] | None:
    """Height and width of a stored picture, from its head; None when there is none."""
    jpeg = snapshot.picture(moment_id)
    if jpeg is None:
        return None
    with Image.open(io.BytesIO(jpeg)) as picture:
        return picture.height, picture.width


def _still(piece: Evidence, snapshot: Snapshot, taken: set[int]) -> Visual | None:
    """The figure, or the page that an evidence stands on; None where it is shown already."""
    own = snapshot.source_range(piece.source.id)
    place = shown_by(snapshot, piece.source.id, piece.moment_id - own.start)
    if place is None or own[place] in taken:
        return None
    size = _stored_size(snapshot, own[place])
    if size is None:
        return None
    return Visual(Still(*size), (own[place],), from_file=False)


def load_stored(
    snapshot: Snapshot, moment_ids: Sequence[int], height_px: int, width_px: int
) -> list[Image.Image]:
    """Stored pictures at a size, RGB. Raises PicturesError when one is not there."""
    loaded = []
    for moment_id in moment_ids:
        jpeg = snapshot.picture(moment_id)
        if jpeg is None:
            source = snapshot.texts([moment_id])[0].source
            raise PicturesError(source.id, f"{source.name}: a stored picture is missing")
        with Image.open(io.BytesIO(jpeg)) as picture:
            loaded.append(at_size(picture, height_px, width_px))
    return loaded


def at_size(picture: Image.Image, height_px: int, width_px: int) -> Image.Image:
    """A picture as RGB at exactly this size."""
    rgb = picture.convert("RGB")
    if rgb.size == (width_px, height_px):
        return rgb
    return rgb.resize((width_px, height_px), Image.Resampling.BICUBIC)
