"""What was measured, as Markdown."""

from __future__ import annotations

from benchmarks.ingest.lecture import Lecture
from benchmarks.ingest.runs import Measured

BYTES_PER_MEGABYTE = 1_000_000
HEAD = (
    "| | seconds | x realtime | CPU, s | peak memory (PSS), MB |",
    "|---|---|---|---|---|",
)


def speed_table(
    ingest: Measured, naive: Measured | None, speech: Measured, decoding: Measured
) -> str:
    """Everything on, the naive pipeline and the floors, and what they are to each other."""
    lines = [*HEAD, _row("**everything on**, process start to exit", ingest)]
    lines += _stages(ingest)
    if naive is not None:
        lines.append(_row(f"**naive pipeline**, {naive.video_s / 60:.0f} min sampled", naive))
        lines += _stages(naive)
    lines.append(_row("floor: speech alone, batches of 8, with word times", speech))
    lines.append(_row("floor: decoding every picture, 1 frame/s taken", decoding))
    if naive is not None:
        times = ingest.speed / naive.speed
        lines.append(f"| **everything on : naive pipeline** | | {times:.1f} x as fast | | |")
    both_s = speech.took_s / speech.video_s + decoding.took_s / decoding.video_s
    share = ingest.speed * both_s
    lines.append(f"| everything on : both floors in turn | | {share:.2f} x as fast | | |")
    return "\n".join(lines)


def comparison_table(names: tuple[str, str], runs: tuple[Measured, Measured]) -> str:
    """Two runs, and the second over the first."""
    first, second = runs
    lines = [*HEAD, *(_row(name, run) for name, run in zip(names, runs, strict=True))]
    memory = second.finished.peak_pss_bytes / first.finished.peak_pss_bytes
    cpu = (second.finished.cpu_s / second.video_s) / (first.finished.cpu_s / first.video_s)
    speed = second.speed / first.speed
    lines.append(f"| **second : first** | | {speed:.2f} | {cpu:.2f} a second | {memory:.2f} |")
    return "\n".join(lines)


def describe(lecture: Lecture) -> str:
    """What is in a lecture, in one sentence."""
    return (
        f"{lecture.path.name}: {_length(lecture.duration_s)} of 1280x720 H.264 at 25 frames/s, "
        f"{lecture.slides} different slides of {lecture.words_on_slides / lecture.slides:.0f} "
        f"words on average, {_length(lecture.clips_s)} of moving pictures"
    )


def _length(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.0f} min"


def _row(name: str, run: Measured) -> str:
    memory = run.finished.peak_pss_bytes / BYTES_PER_MEGABYTE
    return (
        f"| {name} | {run.took_s:.1f} | {run.speed:.1f} | {run.finished.cpu_s:.0f} | {memory:.0f} |"
    )


def _stages(run: Measured) -> list[str]:
    return [f"| · {name} | {took_s:.1f} | | | |" for name, took_s in run.stages_s.items()]
