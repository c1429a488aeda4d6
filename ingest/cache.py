"""The stage cache: what a stage computed from a content is never computed again.

An entry is keyed by (content, stage, everything that changes the stage's output). Entries of one
source share a folder, so that forgetting a source forgets them too. A library may come from
elsewhere, so only allowed classes are unpickled: records that our own modules define, and arrays.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from index.files import disk_error, remove_tree

Output = TypeVar("Output")

FORMAT = 12
"""Raise when the meaning of stored outputs changes: older entries are then not found."""

BULK = ".bulk"
"""What the name of a file ends with that belongs to the entry of the same name."""

_ALLOWED_MODULES = (
    "index.records",
    "index.word_boxes",
    "ingest.composition",
    "ingest.frames",
    "ingest.pages",
    "ingest.phrases",
    "ingest.placement",
    "ingest.subtitles",
    "ingest.transcript",
    "ingest.video",
)
_ALLOWED_NAMES = {
    ("fractions", "Fraction"),
    ("builtins", "set"),
    ("builtins", "frozenset"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.numeric", "_frombuffer"),
}


class _RecordUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _ALLOWED_NAMES:
            return super().find_class(module, name)
        # Only what a module defines itself: "ingest.frames" "io.open" would reach its imports.
        if module in _ALLOWED_MODULES and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"{module}.{name} does not belong into a stage cache")


@dataclass(frozen=True, slots=True)
class StageCache:
    """Outputs of the stages of one source, under `directory`."""

    directory: Path

    def entry(self, stage: str, **inputs: object) -> Path:
        """File that holds (or will hold) the output of `stage` for these JSON-able inputs."""
        key = json.dumps([FORMAT, stage, inputs], sort_keys=True, default=str)
        return self.directory / f"{stage}-{hashlib.sha256(key.encode()).hexdigest()[:24]}"


def load_records(pickled: bytes) -> Any:
    """Unpickle what a stage put out; nothing that is no record. Raises UnpicklingError."""
    return _RecordUnpickler(io.BytesIO(pickled)).load()


def cached(entry: Path, compute: Callable[[], Output]) -> Output:
    """The stored output, else the computed one, stored by atomic rename.

    A damaged entry counts as absent: it is computed again and replaced. Raises LibraryError when
    the entry cannot be read or written: a full disk is no fault of the file.
    """
    try:
        value: Output = load_records(entry.read_bytes())
    except FileNotFoundError:
        pass
    except OSError as error:
        raise disk_error(entry, "read", error) from error
    except (pickle.UnpicklingError, EOFError, AttributeError, ValueError, TypeError, IndexError):
        entry.unlink(missing_ok=True)
    else:
        os.utime(entry)
        return value
    value = compute()
    _store(entry, value)
    return value


def cached_with_file(entry: Path, compute: Callable[[BinaryIO], Output]) -> tuple[Output, Path]:
    """As `cached`, for an output of which the bulk is a file; returns the path of that as well.

    `compute` is given the new file to write to.
    """
    path = entry.with_name(entry.name + BULK)

    def compute_both() -> Output:
        with _replaced(path) as file:
            return compute(file)

    if not path.exists():
        entry.unlink(missing_ok=True)
    return cached(entry, compute_both), path


def _store(entry: Path, value: object) -> None:
    with _replaced(entry) as file:
        pickle.dump(value, file, protocol=5)


@contextmanager
def _replaced(path: Path) -> Iterator[BinaryIO]:
    """A new file that takes the place of `path` when all of it is on the disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except OSError as error:
        raise disk_error(path, "write", error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def cache_folder(library: Path, source_id: str) -> Path:
    """Folder of a library that holds the stage outputs of one source."""
    return library / "cache" / source_id


def forget_cached(library: Path, source_id: str) -> None:
    """Remove everything cached of a source. Raises LibraryError when the disk refuses."""
    folder = cache_folder(library, source_id)
    try:
        remove_tree(folder)
    except OSError as error:
        raise disk_error(folder, "delete", error) from error
