"""What a command and its children take is measured."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks.memory import run_measured

MEGABYTE = 1_000_000
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"
CHILD = """
import os, time
held = bytearray(b"x") * 300_000_000
ends = time.process_time() + 0.5
while time.process_time() < ends:
    pass
time.sleep(1.2)
print(sorted(os.sched_getaffinity(0)))
"""


def test_children_count_with_their_memory_and_time() -> None:
    core = max(os.sched_getaffinity(0))
    done = run_measured([sys.executable, "-c", PARENT, CHILD], cores=[core])
    assert done.stdout == f"[{core}]\n"
    assert done.took_s > 1.7
    assert 0.5 < done.cpu_s < done.took_s
    assert 300 * MEGABYTE < done.peak_pss_bytes < 450 * MEGABYTE
    assert done.peak_rss_bytes >= done.peak_pss_bytes
    assert max(done.pss_bytes_at_peak.values()) > 300 * MEGABYTE
    assert sum(done.pss_bytes_at_peak.values()) == done.peak_pss_bytes


def test_a_failure_is_no_measurement() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run_measured([sys.executable, "-c", "raise SystemExit(3)"])
