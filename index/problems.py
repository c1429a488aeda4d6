"""What `verify` finds, and the comparing of files with what a manifest says of them."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from index.errors import LibraryError
from index.files import file_sha256
from index.manifest import SHARDS_NAME, Manifest, ShardEntry


class ProblemKind(StrEnum):
    """What is wrong."""

    MANIFEST = "manifest"
    """The manifest is altered, or says what cannot be."""
    MISSING = "missing"
    """A file is not there."""
    CHANGED = "changed"
    """A file is not what was written: its size or its bytes differ."""
    UNREADABLE = "unreadable"
    """A file is what was written, and cannot be read."""
    CATALOG = "catalog"
    """A catalog says what cannot be: numbering, references, times, pages."""
    VECTORS = "vectors"
    """Vectors disagree with the catalog or with each other."""
    WORDS = "words"
    """The lexical index disagrees with the catalog."""
    PICTURES = "pictures"
    """Pictures are not where the catalog says, or are none."""
    TABLES = "tables"
    """A table of the whole library names what is not there."""
    ROTATION = "rotation"
    """The rotation is altered, or is none."""
    STRAY = "stray"
    """Something that belongs to no state of the library. Nothing reads it: no damage."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong."""

    kind: ProblemKind
    where: str
    """The file or directory, relative to the library."""
    what: str
    advice: str
    """What to do about it."""
    sources: tuple[str, ...] = ()
    """Ids of the sources that it touches."""

    @property
    def is_damage(self) -> bool:
        """False for what stands there and belongs to nothing."""
        return self.kind is not ProblemKind.STRAY

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.advice}"


@dataclass(frozen=True, slots=True)
class VerifyProgress:
    """How far verifying has come."""

    where: str
    """The file that is being read, relative to the library."""
    read_bytes: int
    total_bytes: int


VerifyListener = Callable[[VerifyProgress], None]


def ignore_progress(progress: VerifyProgress) -> None:
    """A listener that does nothing."""


class Meter:
    """Compares files with their stamps and tells how far that has come."""

    def __init__(self, directory: Path, listener: VerifyListener) -> None:
        self.directory = directory
        self.read_bytes = 0
        """Bytes of files that are expected, those that were read again once."""
        self._read: dict[str, int] = {}
        self._listener = listener
        self._total_bytes = 0

    @property
    def files(self) -> int:
        """How many files were read."""
        return len(self._read)

    def expect(self, manifest: Manifest) -> None:
        """Know what there is to read; what was read and is no longer there does not count."""
        sizes = {name: size for name, (size, _) in manifest.tables.items()}
        for shard in manifest.shards:
            files = shard.files.items()
            sizes |= {f"{SHARDS_NAME}/{shard.id}/{name}": size for name, (size, _) in files}
        self._total_bytes = sum(sizes.values())
        self._read = {where: size for where, size in self._read.items() if where in sizes}
        self.read_bytes = sum(self._read.values())

    def difference(self, path: Path, stamp: tuple[int, str]) -> tuple[ProblemKind, str] | None:
        """What is wrong with a file of this size and checksum; None when nothing is."""
        where = path.relative_to(self.directory).as_posix()
        self.read_bytes -= self._read.pop(where, 0)

        def read(num_bytes: int) -> None:
            self._read[where] += num_bytes
            self.read_bytes += num_bytes
            self._listener(VerifyProgress(where, self.read_bytes, self._total_bytes))

        size_bytes, sha256 = stamp
        try:
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode):
                return ProblemKind.CHANGED, "is no regular file"
            if status.st_size != size_bytes:
                return ProblemKind.CHANGED, f"has {status.st_size} bytes, not {size_bytes}"
            self._read[where] = 0
            if file_sha256(path, read) != sha256:
                return ProblemKind.CHANGED, "holds other bytes than were written"
        except (FileNotFoundError, NotADirectoryError):
            return ProblemKind.MISSING, "is not there"
        except OSError as error:
            return ProblemKind.UNREADABLE, f"cannot be read: {error}"
        return None


def is_unsafe(name: str) -> bool:
    """True for a name that would lead out of its directory."""
    parts = PurePosixPath(name).parts
    return not parts or name.startswith("/") or ".." in parts or "\0" in name


def verify_shard(library: Path, entry: ShardEntry) -> None:
    """Raise LibraryError when a file of a shard is missing or its bytes have changed."""
    meter = Meter(library, ignore_progress)
    for name, stamp in entry.files.items():
        path = library / SHARDS_NAME / entry.id / name
        wrong = meter.difference(path, stamp)
        if wrong is not None:
            raise LibraryError(
                f"{path} is damaged; forget {', '.join(entry.sources)} and ingest it again"
            )
