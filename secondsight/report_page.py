"""The report of a run as one HTML page: nothing on it is fetched, and no script runs."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from index.clock import format_clock
from index.records import MomentKind, MomentText, PageArea, PageRange, Source, SourceKind, Span
from index.snapshot import Snapshot, StoredSegment, StoredText
from ingest.frames import thumbnail
from ingest.report import SourceOutcome
from secondsight.run_report import RunReport, moments_by_kind
from secondsight.timeline import clock, timeline

MAX_DRAWN: Final = 40
"""Sources with a timeline; the others stand in the table."""
MAX_DRAWN_BYTES: Final = 8_000_000
"""No further source is drawn once the drawn ones take about this much."""
MAX_PICTURES: Final = 8
"""Of one source."""
PICTURE_SIDE_PX: Final = 240
MAX_ROWS: Final = 2_000
"""Of any table but that of segments; the JSON report has them all."""
MAX_SEGMENT_ROWS: Final = 300

_BYTES_PER_MEGABYTE = 1_000_000
_CONTROLS: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_NAMES: Final = {
    "frame": "frames",
    "utterance": "utterances",
    "screen_text": "texts on screen",
    "passage": "passages",
    "page": "pages",
    "figure": "figures",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A small picture inside the page, and where it is in its source."""

    uri: str
    place: str


@dataclass(frozen=True, slots=True)
class FileRow:
    """A line of the table of all files."""

    outcome: SourceOutcome
    length: str
    moments: int | None


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A line of the table that says what the timeline shows."""

    place: str
    title: str
    counts: tuple[int, ...]
    """Of the kinds in the head of the table."""


def render(report: RunReport, snapshot: Snapshot, *, drawn: Sequence[str] = ()) -> str:
    """The page. `drawn` are the ids of the sources to draw.

    Without them those of the run are drawn, the added ones first, until one of the limits above
    is reached. The page says what it leaves out. Raises KeyError for an id not in the library.
    """
    wanted = list(drawn) or _drawable(report, snapshot)
    cards: list[Markup] = []
    for source_id in wanted[:MAX_DRAWN]:
        if sum(map(len, cards)) < MAX_DRAWN_BYTES:
            cards.append(_card(report, snapshot, source_id))
    added = report.with_outcome("added")
    template = _environment().get_template("report.html")
    return template.render(
        report=report,
        rows=[_file_row(outcome, snapshot) for outcome in report.outcomes[:MAX_ROWS]],
        max_rows=MAX_ROWS,
        pages=sum(outcome.pages or 0 for outcome in added),
        moments=sum(outcome.moments or 0 for outcome in added),
        cards=cards,
        drawn_ids=frozenset(wanted[: len(cards)]),
        not_drawn=len(wanted) - len(cards),
    )


def _file_row(outcome: SourceOutcome, snapshot: Snapshot) -> FileRow:
    source = snapshot.sources.get(outcome.source_id or "")
    if source is None:
        return FileRow(outcome, "", None)
    moments = sum(moments_by_kind(snapshot, source.id).values())
    return FileRow(outcome, _length(source), moments)


def _drawable(report: RunReport, snapshot: Snapshot) -> list[str]:
    """Ids of the run's sources that the library holds, each once, the added ones first."""
    ended = [*report.with_outcome("added"), *report.with_outcome("unchanged")]
    ids = [outcome.source_id for outcome in ended]
    return [id_ for id_ in dict.fromkeys(ids) if id_ is not None and id_ in snapshot.sources]


def _card(report: RunReport, snapshot: Snapshot, source_id: str) -> Markup:
    source = snapshot.sources[source_id]
    segments = snapshot.segments_of(source_id)
    stored = snapshot.texts(snapshot.source_range(source_id))
    counts = moments_by_kind(snapshot, source_id)
    kinds = [MomentKind(name) for name in counts]
    rows = tuple(_segment_row(segment, stored, kinds) for segment in segments[:MAX_SEGMENT_ROWS])
    outcome = next((one for one in report.outcomes if one.source_id == source_id), None)
    template = _environment().get_template("report_source.html")
    text = template.render(
        source=source,
        outcome=outcome,
        paths=snapshot.paths(source_id),
        facts=tuple(_facts(source)),
        counts=counts,
        timeline=timeline(source, segments, [one.moment for one in stored]),
        pictures=tuple(_pictures(snapshot, source, stored)),
        rows=rows,
        rows_left_out=len(segments) - len(rows),
        names=_NAMES,
    )
    return Markup(text)  # made by a template that escapes


def _facts(source: Source) -> Iterator[str]:
    details = source.details
    yield _length(source)
    if "width_px" in details and "height_px" in details:
        yield f"{details['width_px']} × {details['height_px']}"
    for codec in ("video_codec", "audio_codec"):
        if details.get(codec):
            yield str(details[codec])
    yield f"{source.size_bytes / _BYTES_PER_MEGABYTE:.1f} MB"


def _length(source: Source) -> str:
    if source.duration is not None:
        return format_clock(source.duration, 1)
    return f"{source.pages} page" if source.pages == 1 else f"{source.pages} pages"


def _segment_row(
    segment: StoredSegment, stored: Sequence[StoredText], kinds: Sequence[MomentKind]
) -> SegmentRow:
    first = stored[0].id if stored else 0
    held = stored[segment.moments.start - first : segment.moments.stop - first]
    found = [one.moment.kind for one in held]
    return SegmentRow(
        _place(segment.extent), segment.title, tuple(found.count(kind) for kind in kinds)
    )


def _place(extent: Span | PageRange | PageArea) -> str:
    if isinstance(extent, Span):
        return f"{clock(extent.start)}–{clock(extent.end)}"
    if isinstance(extent, PageArea):
        return f"page {extent.page}"
    if extent.first == extent.last:
        return f"page {extent.first}"
    return f"pages {extent.first}–{extent.last}"


def _pictures(
    snapshot: Snapshot, source: Source, stored: Sequence[StoredText]
) -> Iterator[Picture]:
    """Pictures spread evenly over the source, in order, none twice."""
    is_video = source.kind is SourceKind.VIDEO
    seen = [one for one in stored if one.moment.kind in (MomentKind.FRAME, MomentKind.PAGE)]
    length = source.duration if source.duration is not None else Fraction(source.pages or 1)
    chosen: dict[int, MomentText] = {}
    for number in range(MAX_PICTURES):
        at = length * (2 * number + 1) / (2 * MAX_PICTURES)
        shown = [one for one in seen if _begins(one.moment) <= at] or seen[:1]
        if shown:
            chosen[shown[-1].id] = shown[-1].moment
    for moment_id, moment in chosen.items():
        jpeg = snapshot.picture(moment_id)
        if jpeg is not None:
            encoded = base64.b64encode(thumbnail(jpeg, PICTURE_SIDE_PX)).decode()
            place = clock(moment.span.start) if is_video else _place(moment.area)
            yield Picture(f"data:image/jpeg;base64,{encoded}", place)


def _begins(moment: MomentText) -> Fraction:
    return moment.span.start if isinstance(moment.place, Span) else Fraction(moment.area.page - 1)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("secondsight"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"clock": format_clock, "percent": _percent}
    return environment


def _visible(value: object) -> object:
    """Text whose controls can be seen, such as those that reverse what follows.

    So can the bytes of a file name that is not Unicode.
    """
    if isinstance(value, str) and not isinstance(value, Markup):
        return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", value)
    return value


def _percent(part: Fraction | float, whole: Fraction | float) -> str:
    """A share as an SVG length; five decimals are a third of a second in a year."""
    return f"{float(100 * part / whole):.5f}".rstrip("0").rstrip(".") + "%"
