"""What must hold of a library after damaged files were ingested into it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.error

from index.errors import SecondsightError
from index.records import MomentKind
from index.snapshot import Snapshot, StoredMoment
from index.verification import verify_library
from ingest.media import demuxed
from ingest.report import IngestReport


def wrong_entries(library: Path, folder: Path, report: IngestReport) -> Iterator[str]:
    """Everything that is wrong after the files of `folder` were ingested; nothing is a pass.

    Each file has one outcome, each failure a reason; every shard is whole; every moment lies
    within its source; every frame carries a time at which FFmpeg lists a picture of the file.
    """
    files = sorted(str(path.absolute()) for path in folder.iterdir())
    told = sorted(source.path for source in report.sources)
    if files != told:
        yield f"{len(files)} files, {len(told)} outcomes: {sorted(set(files) ^ set(told))[:3]}"
    for source in report.sources:
        if source.outcome == "failed" and not (source.reason or "").strip():
            yield f"{source.path} failed without a reason"
    try:
        yield from map(str, verify_library(library).problems)
        snapshot = Snapshot.open(library)
    except SecondsightError as error:
        yield str(error)
        return
    for source_id, kept in snapshot.sources.items():
        paths = [path for path in snapshot.paths(source_id) if Path(path).parent == folder]
        moments = snapshot.moments(snapshot.source_range(source_id))
        for path in paths[:1]:
            listed = _listed(path)
            for moment in moments:
                yield from (f"{path}: {what}" for what in _wrong(moment, kept.duration, listed))


def _wrong(
    moment: StoredMoment, duration: Fraction | None, listed: set[tuple[int, int, int]]
) -> Iterator[str]:
    one = moment.moment
    if duration is None:
        yield "a video without a duration"
    elif not 0 <= one.span.start < one.span.end <= duration:
        yield f"a {one.kind} at {one.span} in a source of {duration} s"
    if one.kind is MomentKind.FRAME:
        assert one.frame_time is not None
        unit = one.frame_time.time_base
        if (one.frame_time.pts, unit.numerator, unit.denominator) not in listed:
            yield f"a frame at {one.frame_time.pts} x {unit}, where no picture is"


def _listed(path: str) -> set[tuple[int, int, int]]:
    """(PTS, time base) of every packet of pictures that FFmpeg finds; decoding time without one."""
    found = set()
    with av.open(path, metadata_errors="replace") as container:
        packets = demuxed(container, container.streams.video)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:
                break
            if packet is None:
                break
            for ticks in (packet.pts, packet.dts):
                if ticks is not None and packet.time_base is not None:
                    unit = packet.time_base
                    found.add((ticks, unit.numerator, unit.denominator))
    return found
