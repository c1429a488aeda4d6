"""`python -m benchmarks.fuzz --cases 2000`: damaged files through the whole of ingest.

Each case is one clip of tests/media/corpus, damaged in one to three ways (tests/media/mutations).
A run that crashes, takes longer than the limits allow, or leaves a wrong entry is told with the
seed that makes it again.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from benchmarks.fuzz.checks import wrong_entries
from ingest.report import IngestReport
from secondsight import Library
from secondsight.settings import Settings, load_settings
from tests.media.corpus import CORPUS
from tests.media.mutations import mutate

PIECE_LIMIT_S = 60.0


def write_cases(folder: Path, seeds: range) -> dict[str, str]:
    """One damaged clip a seed; returns what was done to each, by its file name."""
    clips = sorted(path for path in CORPUS.iterdir() if path.suffix != ".json")
    done = {}
    for seed in seeds:
        clip = clips[seed % len(clips)]
        what, content = mutate(clip.read_bytes(), seed)
        name = f"{seed:06d}_{clip.name}"
        (folder / name).write_bytes(content)
        done[name] = what
    return done


def limited_settings() -> Settings:
    """The default settings, with a short limit for each piece of work."""
    settings = load_settings()
    work = replace(settings.ingest.work, piece_limit_s=PIECE_LIMIT_S)
    return replace(settings, ingest=replace(settings.ingest, work=work))


def run_cases(folder: Path, seeds: range) -> tuple[IngestReport, list[str]]:
    """Ingest damaged files into a fresh library under `folder`; returns what is wrong with it."""
    media, library = folder / "media", folder / "library"
    media.mkdir()
    write_cases(media, seeds)
    report = Library.open(library, settings=limited_settings()).ingest([media])
    return report, list(wrong_entries(library, media, report))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.fuzz")
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=100, help="files of one ingest run")
    parser.add_argument("--minutes", type=float, default=30.0, help="begin no run after this")
    options = parser.parse_args()
    started = time.monotonic()
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    slowest_s, wrong, done = 0.0, [], 0
    while done < options.cases and time.monotonic() - started < options.minutes * 60:
        first = options.first_seed + done
        seeds = range(first, first + min(options.batch, options.cases - done))
        with tempfile.TemporaryDirectory(prefix="secondsight-fuzz-") as folder:
            report, found = run_cases(Path(folder), seeds)
        done += len(seeds)
        wrong += found
        outcomes.update(source.outcome for source in report.sources)
        reasons.update(
            f"{source.stage}: {source.reason}"
            for source in report.sources
            if source.outcome == "failed"
        )
        slowest_s = max(slowest_s, *(source.took_s for source in report.sources))
        print(f"{done} cases, {dict(outcomes)}, {len(wrong)} wrong", flush=True)
    print("\n| cases | indexed | failed with a reason | wrong entries | slowest file | took |")
    print("|---|---|---|---|---|---|")
    print(
        f"| {done} | {outcomes['added'] + outcomes['unchanged']} | {outcomes['failed']} "
        f"| {len(wrong)} | {slowest_s:.1f} s | {(time.monotonic() - started) / 60:.1f} min |"
    )
    for reason, count in reasons.most_common(40):
        print(f"{count:6d}  {reason}")
    for what in wrong:
        print(f"WRONG {what}")
    return bool(wrong)


if __name__ == "__main__":
    raise SystemExit(main())
