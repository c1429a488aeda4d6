"""What can be shown of evidence: stretches of videos, pages, figures, and how they are loaded.

Ingest has kept a picture wherever what is seen changes, about one a second where it moves; each
has its exact time. Those are the instants worth a look: a slide that stands for minutes is looked
at once, however much is said meanwhile. The frames are decoded anew from the file; where that is
gone, the stored pictures take their place.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from generate.packing import Footage, Packed, Still
from index.catalog import MOMENT_KINDS
from index.errors import SecondsightError
from index.records import MomentKind, PageArea, Span
from retrieve.thumbnails import shown_by

if TYPE_CHECKING:
    from generate.evidence import Evidence
    from index.snapshot import Snapshot

PARTNER = Fraction(1, 2)
"""Seconds between the two frames of a look at what moves: with one a second, 2 frames a second."""
FINER = 2
"""The side of a page, rendered anew from its file, over that of the stored picture: small print of
A4 needs it."""
STILL_FROM = Fraction(2)
"""What was the same for this many seconds stood still: one frame tells all, and it is given twice,
so that its marker is exact."""
FILE_GONE = "its file is gone or has changed: stored pictures"
NOT_DECODED = "its file cannot be decoded there: stored pictures"
NO_FILES = "stored pictures"


_Frames = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]


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

    def page_at(self, source_id: str, page: int, *, side_px: int) -> Image.Image:
        """A page, from 1, RGB, about `side_px` on its longer side. Raises PicturesError."""


@dataclass(frozen=True, slots=True)
class Visual:
    """What can be shown of one evidence."""

    shape: Footage | Still | None
    """None: all of it is shown with another evidence."""
    moment_ids: tuple[int, ...] = ()
    """Whose stored pictures show it: of each look, or of the page."""
    decoded_from: str = ""
    """Id of the source from whose file frames are decoded, or a page is rendered, anew; empty:
    stored pictures."""
    note: str = ""
    """What a ledger says of it; empty: nothing out of the ordinary."""


def visuals_of(
    evidence: Sequence[Evidence],
    snapshot: Snapshot,
    pictures: SourcePictures | None,
    *,
    unreadable: Collection[str] = (),
) -> dict[str, Visual]:
    """What can be shown, by id of evidence; nothing is shown twice.

    The best ranks choose first, of the same rank those that are only seen.
    With `pictures` None, and of sources (by id) that are `unreadable`, only stored pictures are
    shown. Evidence without any, such as sound, is left out. Raises LibraryError.
    """
    lacks = {
        piece.source.id: _why_stored(piece.source.id, pictures, unreadable) for piece in evidence
    }
    showing = _moments_that_show(evidence, snapshot)
    spans = _spans_of(evidence, showing, snapshot)
    shown_with: dict[int, str] = {}
    found: dict[str, Visual] = {}
    for piece in sorted(evidence, key=lambda piece: (piece.hit_rank, bool(piece.text))):
        ids = showing[piece.id]
        fresh = [one for one in ids if one not in shown_with]
        if fresh and isinstance(piece.place, PageArea):
            visual = _still(fresh[0], snapshot, piece.source.id, lacks[piece.source.id])
        elif fresh:
            visual = _footage(piece, fresh, spans, snapshot, lacks[piece.source.id])
        else:
            others = sorted({shown_with[one] for one in ids})
            visual = Visual(None, note=f"shown with {', '.join(others)}") if others else None
        if visual is not None:
            shown_with.update(dict.fromkeys(visual.moment_ids, piece.id))
            found[piece.id] = visual
    return found


def _why_stored(
    source_id: str, pictures: SourcePictures | None, unreadable: Collection[str]
) -> str:
    """Why pictures are not made anew from the file of a source; empty: they are."""
    if pictures is None:
        return NO_FILES
    if source_id in unreadable:
        return NOT_DECODED
    return "" if pictures.is_there(source_id) else FILE_GONE


def _moments_that_show(evidence: Sequence[Evidence], snapshot: Snapshot) -> dict[str, list[int]]:
    """Ids of the moments whose pictures show an evidence: frames by time, or its page or figure."""
    frames: dict[str, _Frames] = {}
    showing: dict[str, list[int]] = {}
    for piece in evidence:
        source_id = piece.source.id
        if isinstance(piece.place, Span):
            if source_id not in frames:
                frames[source_id] = _frames_of_source(snapshot, source_id)
            ids, starts_s, ends_s = frames[source_id]
            first = np.searchsorted(ends_s, piece.place.start_s, side="right")
            last = np.searchsorted(starts_s, piece.place.end_s, side="left")
            showing[piece.id] = ids[first:last].tolist()
        else:
            own = snapshot.source_range(source_id)
            place = shown_by(snapshot, source_id, piece.moment_id - own.start)
            showing[piece.id] = [] if place is None else [own[place]]
    return showing


def _frames_of_source(snapshot: Snapshot, source_id: str) -> _Frames:
    """Ids, starts and ends (s) of the kept pictures of a video, which follow one another."""
    own, columns = snapshot.source_range(source_id), snapshot.columns
    kinds = columns.kind[own.start : own.stop]
    ids = np.flatnonzero(kinds == MOMENT_KINDS.index(MomentKind.FRAME)) + own.start
    ids = ids[np.argsort(columns.start_s[ids], kind="stable")]
    return ids, columns.start_s[ids], columns.end_s[ids]


def _spans_of(
    evidence: Sequence[Evidence], showing: Mapping[str, Sequence[int]], snapshot: Snapshot
) -> dict[int, Span]:
    """The exact spans of the kept pictures that show what is in videos."""
    in_videos = [piece.id for piece in evidence if isinstance(piece.place, Span)]
    ids = sorted({one for evidence_id in in_videos for one in showing[evidence_id]})
    return {one.id: one.moment.span for one in snapshot.texts(ids)}


def _still(moment_id: int, snapshot: Snapshot, source_id: str, why_stored: str) -> Visual | None:
    """What shows a page or figure; None where the library holds no picture of it."""
    size = _stored_size(snapshot, moment_id)
    if size is None:
        return None
    kind = MOMENT_KINDS[snapshot.columns.kind[moment_id]]
    if why_stored or kind is not MomentKind.PAGE:
        return Visual(Still(*size), (moment_id,), note=why_stored)
    height_px, width_px = size
    return Visual(Still(FINER * height_px, FINER * width_px), (moment_id,), source_id)


def _footage(
    piece: Evidence,
    moment_ids: Sequence[int],
    spans: Mapping[int, Span],
    snapshot: Snapshot,
    why_stored: str,
) -> Visual | None:
    """What kept pictures, by time, show of an evidence; None where the library holds none."""
    assert isinstance(piece.place, Span)
    size = _size_of_video(piece, moment_ids[0], snapshot)
    during = [one for one in moment_ids if spans[one].overlaps(piece.place)]
    if size is None or not during:
        return None
    looks = tuple(_look(spans[one], piece.place, moves=not why_stored) for one in during)
    return Visual(
        Footage(looks, *size),
        tuple(during),
        decoded_from="" if why_stored else piece.source.id,
        note=why_stored,
    )


def _look(shown: Span, place: Span, *, moves: bool) -> tuple[Fraction, Fraction]:
    """Where a kept picture is looked at within the span of an evidence, and half a second on."""
    first = max(shown.start, place.start)
    later = first + PARTNER
    moves = moves and shown.duration < STILL_FROM
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


def frames_of(
    visual: Visual, packed: Packed, snapshot: Snapshot, pictures: SourcePictures | None
) -> Callable[[], list[Image.Image]]:
    """What loads the frames that were packed. Raises PicturesError when it is called."""
    height_px, width_px = packed.height_px, packed.width_px
    if visual.decoded_from and pictures is not None:

        def decoded() -> list[Image.Image]:
            frames = pictures.shown_at(
                visual.decoded_from, packed.times, max_side_px=max(height_px, width_px)
            )
            return [at_size(frame, height_px, width_px) for frame in frames]

        return decoded
    assert isinstance(visual.shape, Footage)
    starts = [first for first, _ in visual.shape.looks]
    moment_of = dict(zip(starts, visual.moment_ids, strict=True))

    def stored() -> list[Image.Image]:
        return [
            _stored_picture(snapshot, moment_of[time], height_px, width_px) for time in packed.times
        ]

    return stored


def picture_of(
    visual: Visual, packed: Packed, snapshot: Snapshot, pictures: SourcePictures | None
) -> Callable[[], Image.Image]:
    """What loads a page or figure. Raises PicturesError when it is called.

    A page is rendered only where the stored picture is too small.
    """
    (moment_id,) = visual.moment_ids
    height_px, width_px = packed.height_px, packed.width_px

    def load() -> Image.Image:
        side_px = max(height_px, width_px)
        stored = _stored_size(snapshot, moment_id)
        if not visual.decoded_from or pictures is None or (stored and side_px <= max(stored)):
            return _stored_picture(snapshot, moment_id, height_px, width_px)
        page = int(snapshot.columns.page[moment_id])
        rendered = pictures.page_at(visual.decoded_from, page, side_px=side_px)
        return at_size(rendered, height_px, width_px)

    return load


def _stored_picture(
    snapshot: Snapshot, moment_id: int, height_px: int, width_px: int
) -> Image.Image:
    jpeg = snapshot.picture(moment_id)
    if jpeg is None:
        source = snapshot.texts([moment_id])[0].source
        raise PicturesError(source.id, f"{source.name}: a stored picture is missing")
    with Image.open(io.BytesIO(jpeg)) as picture:
        return at_size(picture, height_px, width_px)


def at_size(picture: Image.Image, height_px: int, width_px: int) -> Image.Image:
    """A picture as RGB at exactly this size."""
    rgb = picture.convert("RGB")
    if rgb.size == (width_px, height_px):
        return rgb
    return rgb.resize((width_px, height_px), Image.Resampling.BICUBIC)
