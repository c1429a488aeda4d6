"""The shared nouns: source, segment, moment, span. Frozen, checked, exact.

Times are `Fraction` seconds on the source's own clock (0 is where a player starts) and become
floats only at the edge (`Span.start_s`). A video has spans, a document has page areas; one value
never means both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from math import isfinite

from index.files import FilePart, content_of
from index.word_boxes import NO_WORD_BOXES, WordBoxes

MILLISECONDS_PER_SECOND = 1000


class SourceKind(StrEnum):
    """What a source is: audio-only files are videos without pictures."""

    VIDEO = "video"
    DOCUMENT = "document"


class MomentKind(StrEnum):
    """What a moment shows or says. The first three live in videos, the rest in documents."""

    FRAME = "frame"
    UTTERANCE = "utterance"
    SCREEN_TEXT = "screen_text"
    PASSAGE = "passage"
    PAGE = "page"
    FIGURE = "figure"

    @property
    def source_kind(self) -> SourceKind:
        """The kind of source in which such moments are found."""
        in_video = self in (MomentKind.FRAME, MomentKind.UTTERANCE, MomentKind.SCREEN_TEXT)
        return SourceKind.VIDEO if in_video else SourceKind.DOCUMENT


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open interval [start, end) on one source's clock, in exact seconds."""

    start: Fraction
    """First instant covered."""
    end: Fraction
    """First instant no longer covered."""

    def __post_init__(self) -> None:
        if not isinstance(self.start, Fraction) or not isinstance(self.end, Fraction):
            raise TypeError(f"a span holds Fractions, got {self.start!r} and {self.end!r}")
        if not 0 <= self.start < self.end:
            raise ValueError(f"a span needs 0 <= start < end, got {self.start} s and {self.end} s")

    @property
    def start_s(self) -> float:
        """First instant covered, in seconds."""
        return float(self.start)

    @property
    def end_s(self) -> float:
        """First instant no longer covered, in seconds."""
        return float(self.end)

    @property
    def duration(self) -> Fraction:
        """Exact length in seconds."""
        return self.end - self.start

    def __contains__(self, instant: Fraction) -> bool:
        return self.start <= instant < self.end

    def overlaps(self, other: Span) -> bool:
        """True when the spans share an instant. Touching ends do not overlap."""
        return self.start < other.end and other.start < self.end

    def gap_to(self, other: Span) -> Fraction:
        """Seconds between the two spans; 0 when they touch or overlap."""
        return max(Fraction(0), other.start - self.end, self.start - other.end)

    def union(self, other: Span) -> Span:
        """The smallest span that covers both."""
        return Span(min(self.start, other.start), max(self.end, other.end))


@dataclass(frozen=True, slots=True)
class Box:
    """Rectangle with the origin at the top left.

    PDF points on pages, pixels of the displayed picture on frames.
    """

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        if not all(map(isfinite, (self.x0, self.y0, self.x1, self.y1))):
            raise ValueError(f"a box needs finite corners, got {self}")
        if not (self.x0 <= self.x1 and self.y0 <= self.y1):
            raise ValueError(f"a box needs x0 <= x1 and y0 <= y1, got {self}")


@dataclass(frozen=True, slots=True)
class PageArea:
    """A place in a document: one page (counted from 1) and the boxes on it; no boxes: all of it."""

    page: int
    label: str
    """What is printed on the page ("iv", "A-3"); equals str(page) when the file gives no labels.

    Of a text: the lines of this place ("lines 120-154")."""
    boxes: tuple[Box, ...] = ()

    def __post_init__(self) -> None:
        if self.page < 1:
            raise ValueError(f"pages count from 1, got {self.page}")


@dataclass(frozen=True, slots=True)
class PageRange:
    """Pages first..last, both included, counted from 1: the extent of a document segment."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 1 <= self.first <= self.last:
            raise ValueError(f"a page range needs 1 <= first <= last, got {self}")


@dataclass(frozen=True, slots=True)
class Hyperlink:
    """A link that words of a moment's text carry."""

    start: int
    """First character of these words in the text."""
    end: int
    """The one after their last."""
    target: str | PageArea
    """An address (https://..., mailto:...), or a whole page of the same document."""

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"a link needs 0 <= start < end, got {self}")
        if isinstance(self.target, PageArea) and self.target.boxes:
            raise ValueError(f"a link leads to a whole page, got {self.target}")


@dataclass(frozen=True, slots=True)
class FrameTime:
    """A frame's raw time as the container states it, kept beside the exact span."""

    pts: int
    time_base: Fraction


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word and when it is heard."""

    text: str
    span: Span
    probability: float


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line read from a picture: its box in pixels of it, and the reader's confidence."""

    text: str
    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class Source:
    """One ingested file, identified by the hash of its content; paths are attributes of it."""

    id: str
    """First 32 hex digits of the SHA-256 of the file's bytes."""
    kind: SourceKind
    name: str
    """File name as first seen."""
    size_bytes: int
    duration: Fraction | None
    """Exact seconds; None for documents."""
    pages: int | None
    """Number of pages; None for videos."""
    details: dict[str, str | int | float | None] = field(default_factory=dict)
    """What probing found (codecs, size in px, title, ...), as JSON-able values."""
    notes: tuple[str, ...] = ()
    """What was readable but not perfect, e.g. a file cut off at its end."""

    def __post_init__(self) -> None:
        is_video = self.kind is SourceKind.VIDEO
        if (self.duration is not None) != is_video or (self.pages is None) != is_video:
            raise ValueError(f"a {self.kind} needs its duration or pages, and only it: {self}")


@dataclass(frozen=True, slots=True)
class MomentText:
    """What a moment says and where: all that ranking and merging need, cheap to read.

    Every `Moment` is one; one that is no `Moment` was read without the parts of it.
    """

    kind: MomentKind
    place: Span | PageArea
    text: str
    """What is said or written; the recognised labels for frames."""
    heading: str = ""
    """Path of headings above it, " > " between levels (documents)."""

    def __post_init__(self) -> None:
        is_video = self.kind.source_kind is SourceKind.VIDEO
        if isinstance(self.place, Span) != is_video:
            raise ValueError(f"a {self.kind} cannot be at {self.place}")

    @property
    def span(self) -> Span:
        """The span of a video moment."""
        if not isinstance(self.place, Span):
            raise TypeError(f"a {self.kind} is on a page and has no span")
        return self.place

    @property
    def area(self) -> PageArea:
        """The page area of a document moment."""
        if not isinstance(self.place, PageArea):
            raise TypeError(f"a {self.kind} has a span and is on no page")
        return self.place


@dataclass(frozen=True, slots=True)
class Moment(MomentText):
    """The smallest thing that can be found and cited."""

    frame_time: FrameTime | None = None
    """Raw time of the picture that shows this moment (frames and screen text)."""
    confidence: float | None = None
    """0..1 where a recogniser gives one (speech, text in pictures)."""
    words: tuple[Word, ...] = ()
    """Words with their times (utterances)."""
    lines: tuple[TextLine, ...] = ()
    """Lines with their boxes (screen text)."""
    word_boxes: WordBoxes = NO_WORD_BOXES
    """Where the words of the text are printed (passages and captions)."""
    hyperlinks: tuple[Hyperlink, ...] = ()
    """Links on words of the text, in its order (documents)."""
    picture: bytes | FilePart | None = field(default=None, repr=False)
    """JPEG shown for it: the frame itself, or the page or figure; None when it has none."""

    def read_picture(self) -> bytes | None:
        """The JPEG itself, from its file when it lies in one. Raises LibraryError."""
        return None if self.picture is None else content_of(self.picture)


@dataclass(frozen=True, slots=True)
class MomentWords:
    """What a `Moment` holds of the words of its text: read where these are shown one by one."""

    words: tuple[Word, ...] = ()
    word_boxes: WordBoxes = NO_WORD_BOXES
    hyperlinks: tuple[Hyperlink, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """Coarse unit: a scene of a video or a section of a document, with its moments in order."""

    extent: Span | PageRange
    title: str
    moments: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class PageOnScreen:
    """A page of a document stands on the screen of a video."""

    document_id: str
    page: int
    """Counted from 1."""
    video_id: str
    span: Span
    """When, on the video's clock."""
    score: float
    """How surely it is this page, 0..1."""

    def __post_init__(self) -> None:
        if self.page < 1 or not 0 <= self.score <= 1:
            raise ValueError(f"pages count from 1 and scores are 0..1, got {self}")
