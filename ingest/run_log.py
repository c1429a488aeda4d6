"""The log of ingest runs: one file of JSON lines a run, `runs/<UTC time>.jsonl` in the library.

Every line is written under a lock of the file, so that forgetting a source can take its lines out
of the log of a run that goes on.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import IO, Any

from index.files import disk_error
from ingest.report import Event, SourceOutcome

RUNS_NAME = "runs"
RUNS_KEPT = 50
"""Older logs are removed when a new run begins."""
STAMP_FORMAT = "%Y%m%dT%H%M%S.%fZ"
"""How a log and its first line name the time (UTC) at which the run began."""

Line = dict[str, Any]


class RunLog:
    """The log of one run: a listener that writes each event as a line."""

    def __init__(self, library: Path) -> None:
        """Begin a log. Raises LibraryError when the disk refuses."""
        folder = library / RUNS_NAME
        stamp = datetime.now(UTC).strftime(STAMP_FORMAT)
        self.path = folder / f"{stamp}.jsonl"
        self._started = time.monotonic()
        try:
            folder.mkdir(exist_ok=True)
            for old in run_logs(library)[RUNS_KEPT - 1 :]:
                old.unlink(missing_ok=True)
        except OSError as error:
            raise disk_error(folder, "write", error) from error
        self._write({"stage": "begin", "pid": os.getpid(), "at": stamp})

    def __call__(self, event: Event) -> None:
        """Add an event. Raises LibraryError when the disk refuses."""
        self._write({name: value for name, value in asdict(event).items() if value is not None})

    def end(self) -> None:
        """Note that the run has ended by itself."""
        self._write({"stage": "end"})

    def _write(self, line: Line) -> None:
        line = {"after_s": round(time.monotonic() - self._started, 3), **line}
        with _locked(self.path, "ab") as stream:
            stream.write(json.dumps(line, ensure_ascii=False).encode(errors="replace") + b"\n")


def run_logs(library: Path) -> list[Path]:
    """Logs of a library, the newest first."""
    return sorted((library / RUNS_NAME).glob("*.jsonl"), reverse=True)


def read_log(path: Path) -> Iterator[Line]:
    """Lines of a log, in order; one that a crash cut off is left out.

    Raises LibraryError when the log cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise disk_error(path, "read", error) from error
    for text in content.splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            yield line


def added_in_unended_runs(library: Path, *, but: Path) -> set[str | None]:
    """Ids of what was added since a run last ended by itself; the log `but` is left out.

    Raises LibraryError when a log cannot be read.
    """
    added: set[str | None] = set()
    for log in run_logs(library):
        if log == but:
            continue
        lines = list(read_log(log))
        if lines and lines[-1].get("stage") == "end":
            break
        outcomes = (outcome_in(line) for line in lines)
        added |= {one.source_id for one in outcomes if one and one.outcome == "added"}
    return added


def outcome_in(line: Line) -> SourceOutcome | None:
    """The outcome that a line tells; None when it tells another step."""
    fields = line.get("outcome")
    if not isinstance(fields, dict):
        return None
    known = {name: fields[name] for name in SourceOutcome.__slots__ if name in fields}
    return SourceOutcome(**known | {"notes": tuple(fields.get("notes", ()))})


def forget_in_logs(library: Path, source_id: str, name: str, paths: Collection[str]) -> None:
    """Take every line about a source out of all logs, by id, file name and paths.

    Raises LibraryError when the disk refuses.
    """
    for log in run_logs(library):
        with _locked(log, "r+b") as stream:
            content = stream.read().splitlines(keepends=True)
            kept = [line for line in content if not _mentions(line, source_id, name, paths)]
            if len(kept) < len(content):
                stream.seek(0)
                stream.truncate()
                stream.writelines(kept)


def _mentions(line: bytes, source_id: str, name: str, paths: Collection[str]) -> bool:
    try:
        fields = json.loads(line)
        outcome = fields.get("outcome") or {}
        path = str(fields.get("path", ""))
        texts = [str(fields.get("reason", "")), *map(str, outcome.get("notes", ()))]
    except (ValueError, AttributeError):
        return True  # cut off by a crash: nobody can tell what it was about
    if outcome.get("source_id") == source_id or path in paths or PurePath(path).name == name:
        return True
    return any(part in text for part in (source_id, name, *paths) for text in texts)


@contextmanager
def _locked(path: Path, mode: str) -> Iterator[IO[bytes]]:
    try:
        with path.open(mode) as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield stream
    except OSError as error:
        raise disk_error(path, "write", error) from error
