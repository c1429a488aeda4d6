"""Files that survive a crash: synced to disk, replaced whole, checksummed."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from index.errors import LibraryError

_CHUNK_BYTES = 1 << 20


def disk_error(path: Path, doing: str, cause: BaseException) -> LibraryError:
    """The typed error for a failed read or write; `raise disk_error(...) from cause`."""
    code = cause.errno if isinstance(cause, OSError) else None
    full = code in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(cause)
    if full:
        advice = "the disk is full: free some space and run the same command again"
    elif code in (errno.EACCES, errno.EPERM, errno.EROFS):
        advice = "give this user the right to read and write there"
    elif doing.startswith("read"):
        advice = "check the disk, or restore this library from a backup"
    else:
        advice = "check the disk, then run the same command again"
    return LibraryError(f"cannot {doing} {path}: {cause}; {advice}")


@dataclass(frozen=True, slots=True)
class FilePart:
    """Bytes that lie in a file until they are needed: a long video's pictures fill no memory."""

    path: str
    offset: int
    size_bytes: int

    def read(self) -> bytes:
        """The bytes. Raises LibraryError when they are not there."""
        path = Path(self.path)
        try:
            with path.open("rb") as file:
                file.seek(self.offset)
                content = file.read(self.size_bytes)
            if len(content) < self.size_bytes:
                raise EOFError(f"it ends before byte {self.offset + self.size_bytes}")
        except (OSError, EOFError) as error:
            raise disk_error(path, "read", error) from error
        return content


def content_of(data: bytes | FilePart) -> bytes:
    """The bytes themselves, from their file when they lie in one. Raises LibraryError."""
    return data.read() if isinstance(data, FilePart) else data


def sync_file(path: Path) -> None:
    """Wait until the bytes of a file are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(path: Path) -> None:
    """Wait until the names in a directory are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(directory: Path) -> None:
    """Sync every file and directory under `directory`, the directory itself last."""
    for root, _, names in os.walk(directory, topdown=False):
        for name in names:
            sync_file(Path(root) / name)
        sync_directory(Path(root))


def write_file(path: Path, content: bytes) -> None:
    """Write a new file and sync it; its name is safe only after `sync_directory`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` at `path` so that a crash leaves either the old file or the new one.

    Raises LibraryError when the disk refuses; the old file is then still there.
    """
    temporary = path.with_name(path.name + ".new")
    try:
        write_file(temporary, content)
        os.rename(temporary, path)
        sync_directory(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise disk_error(path, "write", error) from error


def file_sha256(path: Path, read: Callable[[int], None] = lambda num_bytes: None) -> str:
    """SHA-256 of a file's bytes, in hex. `read` is told how many bytes were read each time."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
            read(len(chunk))
    return digest.hexdigest()


def stamp_of(path: Path) -> tuple[int, str]:
    """Bytes and SHA-256 of a file. Raises LibraryError when it cannot be read."""
    try:
        return path.stat().st_size, file_sha256(path)
    except OSError as error:
        raise disk_error(path, "read", error) from error


def stamps_of(directory: Path) -> dict[str, tuple[int, str]]:
    """Stamps of all files below a directory, by name within it. Raises LibraryError."""
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): stamp_of(path) for path in paths}


def remove_tree(directory: Path) -> None:
    """Delete a directory and all below it; what is already gone is fine.

    Raises OSError when something cannot be deleted.
    """
    with suppress(FileNotFoundError):
        for entry in list(directory.iterdir()):
            if entry.is_dir() and not entry.is_symlink():
                remove_tree(entry)
            else:
                entry.unlink(missing_ok=True)
        directory.rmdir()


def tree_bytes(directory: Path) -> int:
    """Bytes of all files below; those that a writer removes meanwhile are passed over."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with suppress(FileNotFoundError):
                total += os.stat(os.path.join(folder, name)).st_size
    return total
