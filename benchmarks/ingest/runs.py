"""What is run, each in a process of its own, and what came out."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.memory import Finished, run_measured
from secondsight.settings import Settings, settings_yaml


@dataclass(frozen=True, slots=True)
class Measured:
    """One run over some seconds of video."""

    video_s: float
    took_s: float
    """What counts: process start to exit for ingest, without loading models for the rest."""
    stages_s: dict[str, float]
    """Seconds of work by stage, added up over processes that ran at the same time."""
    finished: Finished

    @property
    def speed(self) -> float:
        """Seconds of video a second."""
        return self.video_s / self.took_s


def with_cpus(settings: Settings, cpus: int) -> Settings:
    """The settings for so many CPUs: as they are for two or more, single threads for one."""
    ingest, index = settings.ingest, settings.index
    work = replace(ingest.work, cpus=cpus)
    if cpus > 1:
        return replace(settings, ingest=replace(ingest, work=work))
    work = replace(work, speech_workers=1, screen_text_workers=1, embed_workers=1)
    return replace(
        settings,
        ingest=replace(
            ingest,
            speech=replace(ingest.speech, threads=1),
            screen_text=replace(ingest.screen_text, threads=1),
            work=work,
        ),
        index=replace(index, embedder=replace(index.embedder, threads=1)),
    )


def run_ingest(files: Sequence[Path], settings: Settings, *, cores: Sequence[int]) -> Measured:
    """Everything on, into a fresh library, as a user runs it. Uses only these cores."""
    for file in files:
        _read_once(file)
    with tempfile.TemporaryDirectory(prefix="secondsight-bench-") as scratch:
        config = _config(Path(scratch), with_cpus(settings, len(cores)))
        library = Path(scratch) / "library"
        finished = run_measured(
            _python("secondsight", "ingest", "--json", "-L", library, "--config", config, *files),
            cores=cores,
        )
    video_s = 0.0
    stages_s: dict[str, float] = {}
    for source in json.loads(finished.stdout)["sources"]:
        if source["outcome"] != "added":
            raise SystemExit(f"{source['path']} was not added: {source}")
        video_s += source["duration_s"]
        for stage, took_s in source["stages_s"].items():
            stages_s[stage] = stages_s.get(stage, 0.0) + took_s
    return Measured(video_s, finished.took_s, stages_s, finished)


def run_naive(file: Path, settings: Settings, *, cores: Sequence[int], minutes: int) -> Measured:
    """The naive pipeline on some minutes of a file."""
    finished, told = _run_module("naive", settings, cores, file, "--minutes", minutes)
    stages_s = told["stages_s"]
    return Measured(told["sampled_s"], sum(stages_s.values()), stages_s, finished)


def run_floor(name: str, file: Path, settings: Settings, *, cores: Sequence[int]) -> Measured:
    """Speech alone, or decoding alone, on the whole file."""
    finished, told = _run_module("floors", settings, cores, name, file)
    return Measured(told["video_s"], told["work_s"], {}, finished)


def processes_at_peak(finished: Finished) -> list[tuple[int, str]]:
    """Bytes and titles of the processes that made the peak, the largest first."""
    sizes = [(size_bytes, title) for title, size_bytes in finished.pss_bytes_at_peak.items()]
    return sorted(sizes, reverse=True)


def first_cores(count: int) -> list[int]:
    """So many of the cores this process may use. Raises SystemExit when there are fewer."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < count:
        raise SystemExit(f"{count} cores are asked for, {len(allowed)} may be used")
    return allowed[:count]


def _run_module(
    module: str, settings: Settings, cores: Sequence[int], *arguments: str | int | Path
) -> tuple[Finished, dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="secondsight-bench-") as scratch:
        config = _config(Path(scratch), settings)
        command = _python(f"benchmarks.ingest.{module}", *arguments, "--config", config)
        finished = run_measured(command, cores=cores)
    told: dict[str, Any] = json.loads(finished.stdout)
    return finished, told


def _python(module: str, *arguments: str | int | Path) -> list[str]:
    return [sys.executable, "-m", module, *map(str, arguments)]


def _config(folder: Path, settings: Settings) -> Path:
    path = folder / "settings.yaml"
    path.write_text(settings_yaml(settings), "utf-8")
    return path


def _read_once(file: Path) -> None:
    """So that no run is the first to wait for the disk."""
    with file.open("rb") as stream:
        while stream.read(1 << 24):
            pass
