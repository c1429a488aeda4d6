"""Which files a run is about: folders become files, every file gets its kind and its identity."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from index.errors import SourceError
from index.records import SourceKind
from ingest.formats import AUDIO_SUFFIXES, VIDEO_SUFFIXES, format_of
from ingest.formats import SUFFIXES as DOCUMENT_FORMATS

DOCUMENT_SUFFIXES = frozenset(DOCUMENT_FORMATS)
KNOWN_SUFFIXES = VIDEO_SUFFIXES | AUDIO_SUFFIXES | DOCUMENT_SUFFIXES
TRANSCRIPT_SUFFIXES = frozenset({".txt", ".text"})

_STAGE = "discover"
_SOURCE_ID_DIGITS = 32


@dataclass(frozen=True, slots=True)
class CandidateFile:
    """A file that looks like a source."""

    path: str
    """Absolute and normalised; links are not resolved."""
    size_bytes: int
    mtime_ns: int
    """Time of last modification, nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a list of paths stands for."""

    files: tuple[CandidateFile, ...]
    """In the order given, folders in sorted order; each path once."""
    problems: tuple[SourceError, ...]
    """One for every path that gave nothing, and why."""


def discover(paths: Iterable[str | os.PathLike[str]]) -> Discovery:
    """Find the files that paths stand for; nothing is read but the folders.

    A file is taken as given, whatever its name. A folder is walked, links to folders included, for
    files whose suffix is in `KNOWN_SUFFIXES`; hidden files and folders are left out, and so is the
    text file beside a video or recording of the same name: it repeats what is said there, without
    its times. What cannot be used becomes a problem and never stops the others.
    """
    files: dict[str, CandidateFile] = {}
    problems: dict[str, SourceError] = {}
    for given in paths:
        path = os.path.abspath(os.fspath(given))
        found: list[str] = [path]
        if os.path.isdir(path):
            found, unreadable = _files_in(path)
            problems.update((problem.path, problem) for problem in unreadable)
            if not found and not unreadable:
                problems[path] = SourceError(path, _STAGE, "no video, audio or document in it")
        for file in found:
            if file in files or file in problems:
                continue
            try:
                files[file] = _candidate(file)
            except SourceError as problem:
                problems[file] = problem
    return Discovery(tuple(files.values()), tuple(problems.values()))


def sniff_kind(path: str) -> SourceKind:
    """Tell documents from videos by content first: see `formats.format_of`.

    What is no document by content or name is left to the video prober. Raises SourceError when the
    file cannot be read.
    """
    try:
        is_document = format_of(path) is not None
    except OSError as error:
        raise _unreadable(path, error) from error
    return SourceKind.DOCUMENT if is_document else SourceKind.VIDEO


def content_hash(path: str) -> str:
    """Identity of a source: the first 32 hex digits of the SHA-256 of the file's bytes.

    The file is streamed, memory use does not depend on its size. Raises SourceError when the file
    cannot be read or is gone.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:_SOURCE_ID_DIGITS]
    except OSError as error:
        raise _unreadable(path, error) from error


def _candidate(path: str) -> CandidateFile:
    try:
        path.encode()
        status = os.stat(path)
    except UnicodeEncodeError as error:
        shown = path.encode(errors="surrogateescape").decode(errors="replace")
        raise SourceError(shown, _STAGE, "its name is not valid UTF-8; rename it") from error
    except OSError as error:
        raise _unreadable(path, error) from error
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(path, _STAGE, "is not a regular file")
    return CandidateFile(path, status.st_size, status.st_mtime_ns)


def _files_in(root: str) -> tuple[list[str], list[SourceError]]:
    """Known files below a folder, sorted by path components, and the folders that refused."""
    problems: list[SourceError] = []
    found: list[str] = []
    seen: set[tuple[int, int]] = set()
    waiting = [root]
    # Folders reached by their own name go first: a link to one of them then adds nothing.
    links: list[str] = []
    while waiting or links:
        folder = (waiting or links).pop()
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            entries = list(_visible_entries(folder))
        except OSError as error:
            problems.append(_unreadable(folder, error))
            continue
        recordings = _stems(entries, VIDEO_SUFFIXES | AUDIO_SUFFIXES)
        for entry in entries:
            if os.path.isdir(entry.path):  # DirEntry.is_dir raises on a link to itself
                (links if entry.is_symlink() else waiting).append(entry.path)
            elif _suffix(entry.name) in KNOWN_SUFFIXES and not _retells(entry.name, recordings):
                found.append(entry.path)
    return sorted(found, key=lambda path: PurePath(path).parts), problems


def _visible_entries(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        visible = [entry for entry in entries if not entry.name.startswith(".")]
    # Links are visited last to first name: `pop` takes the last one.
    return iter(sorted(visible, key=lambda entry: entry.name, reverse=True))


def _stems(entries: Iterable[os.DirEntry[str]], suffixes: frozenset[str]) -> frozenset[str]:
    names = (os.path.splitext(entry.name) for entry in entries)
    return frozenset(stem for stem, suffix in names if suffix.lower() in suffixes)


def _retells(name: str, recordings: frozenset[str]) -> bool:
    """True for `talk.txt` and `talk.en.txt` beside `talk.mp4`."""
    stem, suffix = os.path.splitext(name)
    if suffix.lower() not in TRANSCRIPT_SUFFIXES:
        return False
    return stem in recordings or os.path.splitext(stem)[0] in recordings


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def _unreadable(path: str, error: OSError) -> SourceError:
    if isinstance(error, FileNotFoundError):
        reason = "is a broken link" if os.path.islink(path) else "no such file or folder"
    elif isinstance(error, PermissionError):
        reason = "may not be read by this user"
    else:
        reason = f"cannot be read: {error.strerror or error}"
    return SourceError(path, _STAGE, reason)


def require_unchanged(file: CandidateFile) -> None:
    """Raise SourceError when a file is no longer the one that was hashed and read."""
    try:
        status = os.stat(file.path)
    except OSError as error:
        raise SourceError(file.path, "commit", "vanished while it was read") from error
    if (status.st_size, status.st_mtime_ns) != (file.size_bytes, file.mtime_ns):
        reason = "was changed while it was read; ingest it again when it is complete"
        raise SourceError(file.path, "commit", reason)
