"""Every picture of every clip: does its burnt-in timecode, read back, equal its time?

A picture agrees when the two differ by at most as long as it is shown.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Literal

from index.errors import SourceError
from ingest.media import probe
from ingest.media_info import Frame, MediaInfo
from ingest.readers import frame_reader
from tests.media.corpus import CORPUS
from tests.media.timecode import clock_in

ALL_RATE_HZ = 1000.0


@dataclass(frozen=True, slots=True)
class Row:
    """One clip through one reader."""

    name: str
    container: str
    codec: str
    frames: int
    agree: int
    worst_s: Fraction
    refused: str = ""


def main() -> None:
    """Print the table; the exit status is 1 when a picture disagrees."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="folder of clips")
    parser.add_argument("--reader", choices=("pyav", "decord"), default="pyav")
    arguments = parser.parse_args()
    rows = []
    for path in sorted(arguments.corpus.iterdir()):
        if path.suffix != ".json" and (info := probe(str(path))).video is not None:
            rows.append(measure(path, info, arguments.reader))
    print(table(rows))
    if any(row.agree < row.frames for row in rows):
        raise SystemExit(1)


def measure(path: Path, info: MediaInfo, reader: Literal["pyav", "decord"]) -> Row:
    """Read every picture of a clip and compare."""
    assert info.video is not None
    container, codec = info.container.split(",")[0], info.video.codec
    try:
        frames = list(frame_reader(reader)(str(path), info, rate_hz=ALL_RATE_HZ))
    except SourceError as error:
        return Row(path.name, container, codec, 0, 0, Fraction(0), error.reason)
    agree, worst = 0, Fraction(0)
    for frame, shown in zip(frames, shown_for(frames), strict=True):
        said = clock_in(frame.image)
        if said is not None:
            agree += abs(said - frame.time) <= shown
            worst = max(worst, abs(said - frame.time))
    return Row(path.name, container, codec, len(frames), agree, worst)


def shown_for(frames: list[Frame]) -> list[Fraction]:
    """How long each picture is shown, in seconds; the last as long as the one before."""
    gaps = [after.time - before.time for before, after in pairwise(frames)]
    return [*gaps, gaps[-1] if gaps else Fraction(1, 25)]


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table with a sum."""
    lines = ["| file | container | codec | frames | agree % | largest difference, ms |"]
    lines.append("|---|---|---|---|---|---|")
    for row in rows:
        head = f"| {row.name} | {row.container} | {row.codec} |"
        if row.refused:
            reason = row.refused.removeprefix("decord cannot be trusted with it, ").split(";")[0]
            lines.append(f"{head} - | refused | {reason} |")
        else:
            share = 100 * row.agree / row.frames
            lines.append(f"{head} {row.frames} | {share:.1f} | {float(row.worst_s) * 1000:.1f} |")
    frames, agree = sum(row.frames for row in rows), sum(row.agree for row in rows)
    read = sum(not row.refused for row in rows)
    lines.append(f"| {read} of {len(rows)} clips | | | {frames} | {100 * agree / frames:.1f} | |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
