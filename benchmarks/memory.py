"""Peak memory of a command with everything it starts."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

SAMPLE_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that ran to its end."""

    stdout: str
    took_s: float
    peak_rss_bytes: int
    """Largest sum of the resident sizes of all processes (shared pages count in each)."""
    peak_pss_bytes: int
    """Largest sum of the proportional sizes (shared pages count once)."""


def run_measured(command: Sequence[str]) -> Finished:
    """Run a command and sample the memory of its whole process tree.

    Raises CalledProcessError when it fails.
    """
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peak_rss = peak_pss = 0
    while process.poll() is None:
        rss, pss = _tree_bytes(process.pid)
        peak_rss, peak_pss = max(peak_rss, rss), max(peak_pss, pss)
        time.sleep(SAMPLE_EVERY_S)
    took_s = time.perf_counter() - started
    assert process.stdout is not None
    stdout = process.stdout.read()
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command, stdout)
    return Finished(stdout, took_s, peak_rss, peak_pss)


def _tree_bytes(pid: int) -> tuple[int, int]:
    rss = pss = 0
    try:
        family = [psutil.Process(pid)]
        family += family[0].children(recursive=True)
    except psutil.NoSuchProcess:
        return 0, 0
    for member in family:
        try:
            memory = member.memory_full_info()
        except (psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError):
            continue
        rss += memory.rss
        pss += memory.pss
    return rss, pss
