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
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.fuzz.checks import wrong_entries
from ingest.report import IngestReport, SourceOutcome
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


def slowest_of(outcomes: Sequence[SourceOutcome]) -> SourceOutcome:
    """The file that took longest, its waiting for others included."""
    return max(outcomes, key=lambda source: source.took_s)


def told(source: SourceOutcome) -> str:
    """The name of a case, which begins with its seed, what became of it, and where the work was."""
    stages = ", ".join(f"{name} {took_s:.1f} s" for name, took_s in source.stages_s.items())
    where = stages or source.stage or "no work"
    return f"{Path(source.path).name}, {source.outcome} after {source.took_s:.1f} s ({where})"


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
    slowest: SourceOutcome | None = None
    wrong, done = [], 0
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
        slowest = slowest_of([*report.sources, *([slowest] if slowest else [])])
        print(f"{done} cases, {dict(outcomes)}, {len(wrong)} wrong", flush=True)
    print("\n| cases | indexed | failed with a reason | wrong entries | slowest file | took |")
    print("|---|---|---|---|---|---|")
    print(
        f"| {done} | {outcomes['added'] + outcomes['unchanged']} | {outcomes['failed']} "
        f"| {len(wrong)} | {0.0 if slowest is None else slowest.took_s:.1f} s "
        f"| {(time.monotonic() - started) / 60:.1f} min |"
    )
    if slowest is not None:
        print(f"slowest: {told(slowest)}")
    for reason, count in reasons.most_common(40):
        print(f"{count:6d}  {reason}")
    for what in wrong:
        print(f"WRONG {what}")
    return bool(wrong)


if __name__ == "__main__":
    raise SystemExit(main())
