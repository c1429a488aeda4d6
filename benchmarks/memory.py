"""Peak memory and CPU time of a command with everything it starts."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

LOOK_EVERY_S = 0.5
WEIGH_EVERY_S = 10.0
WEIGH_AFTER_GROWTH = 1.01
"""To learn proportional sizes, the kernel walks all pages: 0.1 s of work for 3 GB. So it is asked
now and then, and whenever the resident sizes, which are cheap, have outgrown what was weighed."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that ran to its end."""

    stdout: str
    took_s: float
    cpu_s: float
    """User and system seconds of all its processes, as last seen; what a process burns in its last
    half second is missed."""
    peak_rss_bytes: int
    """Largest sum of the resident sizes of all processes (shared pages count in each)."""
    peak_pss_bytes: int
    """Largest sum of the proportional sizes (shared pages count once)."""
    pss_bytes_at_peak: dict[str, int]
    """Proportional size of each process at that moment, by its id and title."""
    watching_cpu_s: float
    """What the measuring itself took of the same cores."""


@dataclass(slots=True)
class _Watch:
    """What has been seen of a process tree so far."""

    cpu_s: dict[tuple[int, float], float] = field(default_factory=dict)
    """By process id and start, since ids are used again."""
    peak_rss_bytes: int = 0
    pss_bytes_at_peak: dict[str, int] = field(default_factory=dict)
    _weighed_at: float = -WEIGH_EVERY_S
    _weighed_rss_bytes: float = 0.0

    def look(self, pid: int) -> None:
        """Note CPU time and resident sizes, and the proportional sizes when they may be a peak."""
        family = _family(pid)
        rss_bytes = 0
        for process in family:
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                self.cpu_s[process.pid, process.create_time()] = times.user + times.system
                rss_bytes += process.memory_info().rss
        self.peak_rss_bytes = max(self.peak_rss_bytes, rss_bytes)
        now = time.monotonic()
        if now - self._weighed_at > WEIGH_EVERY_S or (
            rss_bytes > WEIGH_AFTER_GROWTH * self._weighed_rss_bytes
        ):
            self._weighed_at = now
            self._weighed_rss_bytes = max(rss_bytes, self._weighed_rss_bytes)
            self._weigh(family)

    def _weigh(self, family: Sequence[psutil.Process]) -> None:
        pss_bytes: dict[str, int] = {}
        for process in family:
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError):
                title = " ".join(process.cmdline()).strip() or process.name()
                pss_bytes[f"{process.pid} {title}"] = process.memory_full_info().pss
        if sum(pss_bytes.values()) > sum(self.pss_bytes_at_peak.values()):
            self.pss_bytes_at_peak = pss_bytes


def run_measured(command: Sequence[str], *, cores: Sequence[int] | None = None) -> Finished:
    """Run a command and sample the memory and CPU time of its whole process tree.

    `cores` are the only ones it may use, all of its processes included. Raises CalledProcessError
    when it fails; its standard error is the caller's.
    """
    allowed = os.sched_getaffinity(0)
    watch = _Watch()
    watching_from_s = time.thread_time()
    with tempfile.TemporaryFile("w+") as output:
        started = time.perf_counter()
        os.sched_setaffinity(0, allowed if cores is None else cores)  # what it starts inherits this
        try:
            process = subprocess.Popen(command, stdout=output)
        finally:
            os.sched_setaffinity(0, allowed)
        while not _ends(process, within_s=LOOK_EVERY_S):
            watch.look(process.pid)
        took_s = time.perf_counter() - started
        output.seek(0)
        stdout = output.read()
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command, stdout)
    return Finished(
        stdout=stdout,
        took_s=took_s,
        cpu_s=sum(watch.cpu_s.values()),
        peak_rss_bytes=watch.peak_rss_bytes,
        peak_pss_bytes=sum(watch.pss_bytes_at_peak.values()),
        pss_bytes_at_peak=watch.pss_bytes_at_peak,
        watching_cpu_s=time.thread_time() - watching_from_s,
    )


def _ends(process: subprocess.Popen[bytes], *, within_s: float) -> bool:
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def _family(pid: int) -> list[psutil.Process]:
    try:
        head = psutil.Process(pid)
        return [head, *head.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
