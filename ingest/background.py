"""Compaction beside an ingest run: one process at the lowest priority, which dies with the run.

A process, since indexing words anew holds Python's lock for minutes in a large library. Killed at
any instant it has changed nothing, and the next run does the work again.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path
from types import TracebackType

from index.compaction import compact_a_little, is_due
from index.errors import SecondsightError
from index.settings import CompactionSettings

_LOWEST_PRIORITY = 19
_PR_SET_PDEATHSIG = 1
_CHILD = (
    "import sys; sys.path[:] = sys.argv[5:]; from ingest.background import run; run(*sys.argv[1:5])"
)
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Compactor:
    """Compacts a library while it grows. Use it as a context manager, in one thread.

    Leaving it waits for the merges that are due; leaving it by an error ends them.
    """

    def __init__(self, library: Path, settings: CompactionSettings) -> None:
        self._library = library
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Compactor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self.look()
                self._wait()
        finally:
            if self._process is not None:
                self._process.kill()
                self._process.wait()

    def look(self) -> None:
        """Begin to compact when something is due and nothing is running."""
        if not self._settings.in_background:
            return
        if self._process is not None and self._process.poll() is None:
            return
        self._wait()
        if is_due(self._library, self._settings):
            self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        _, *numbers = astuple(self._settings)
        words = [str(os.getpid()), str(self._library.absolute()), *map(str, numbers)]
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _CHILD, *words, *sys.path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=os.environ | _ONE_THREAD,
        )

    def _wait(self) -> None:
        """Wait for the process, if any. What stopped it is no fault of the run: it is logged."""
        if self._process is None:
            return
        _, said = self._process.communicate()
        if self._process.returncode:
            reason = said.decode(errors="replace").strip() or f"code {self._process.returncode}"
            logging.getLogger(__name__).warning("compaction ended: %s", reason)
        self._process = None


def run(parent: str, library: str, shards_per_merge: str, largest_moments: str) -> None:
    """Body of the process."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent):
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to answer.
    os.nice(_LOWEST_PRIORITY)
    settings = CompactionSettings(
        shards_per_merge=int(shards_per_merge), largest_moments=int(largest_moments)
    )
    try:
        compact_a_little(Path(library), settings)
    except SecondsightError as error:
        sys.exit(str(error))
