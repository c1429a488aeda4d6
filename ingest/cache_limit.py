"""The bound of the stage cache, kept while runs go on, without touching what they work on.

A run holds a shared lock on the folder of each source in work, so that whoever prunes, in this run
or in another one, passes it over. A lock dies with its process.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from index.files import disk_error

_SPARE_SHARE: Final = 0.05
"""Pruning within a run makes this share of the limit free, so that not every source looks at the
folders of all others."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What pruning did."""

    removed_bytes: int
    left_bytes: int


@dataclass(slots=True)
class BoundedCache:
    """The stage cache of a library during one run; its threads share it.

    After each source the cache is at most `limit_bytes` large, not counting sources in work. All
    folders are looked at once, and again whenever the sources since have used the spare up.
    """

    directory: Path
    """Holds one folder for each source."""
    limit_bytes: int
    _total_bytes: int | None = None
    """Sizes of sources that this run has finished, and of those before; None: not known yet."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def in_work(self, source_id: str) -> Iterator[None]:
        """Keep the folder of a source while it is in work, and the cache bounded when it is not.

        Raises LibraryError when the disk refuses.
        """
        folder = self.directory / source_id
        try:
            descriptor = _hold(folder)
        except OSError as error:
            raise disk_error(folder, "lock", error) from error
        try:
            yield
        finally:
            added_bytes = sum(status.st_size for status in _stats(folder))
            os.close(descriptor)
            if not added_bytes:
                remove_unheld(folder, only_empty=True)
            self._settle(added_bytes)

    def _settle(self, added_bytes: int) -> None:
        with self._lock:
            if self._total_bytes is not None:
                self._total_bytes += added_bytes
                if self._total_bytes <= self.limit_bytes:
                    return
            spared_bytes = int(self.limit_bytes * (1 - _SPARE_SHARE))
            self._total_bytes = prune(self.directory, self.limit_bytes, spared_bytes).left_bytes


def prune(directory: Path, limit_bytes: int, spared_bytes: int | None = None) -> Pruned:
    """Remove the sources' folders that were unused longest when there is more than `limit_bytes`.

    Then `spared_bytes` are left (None: as many as the limit). Sources in work are passed over, and
    so is what another run writes or removes meanwhile.
    """
    folders = []
    for folder in directory.iterdir() if directory.is_dir() else ():
        stats = list(_stats(folder))
        folders.append(
            (max((s.st_mtime for s in stats), default=0.0), folder, sum(s.st_size for s in stats))
        )
    total_bytes = left_bytes = sum(size_bytes for _, _, size_bytes in folders)
    if total_bytes > limit_bytes:
        for _, folder, size_bytes in sorted(folders):
            if left_bytes <= (limit_bytes if spared_bytes is None else spared_bytes):
                break
            if remove_unheld(folder):
                left_bytes -= size_bytes
    return Pruned(total_bytes - left_bytes, left_bytes)


def remove_unheld(folder: Path, *, only_empty: bool = False) -> bool:
    """Remove what is cached of a source unless it is in work; whether it was removed."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if only_empty:
            folder.rmdir()
        else:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:  # Held, or not empty.
        return False
    finally:
        os.close(descriptor)
    return True


def _hold(folder: Path) -> int:
    """Lock a folder against removal; returns the descriptor to close. Raises OSError."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # Removed since: made again.
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH)
                if os.path.samestat(os.fstat(descriptor), folder.stat()):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)


def _stats(folder: Path) -> Iterator[os.stat_result]:
    with suppress(FileNotFoundError):
        for entry in folder.iterdir():
            with suppress(FileNotFoundError):
                yield entry.stat()
