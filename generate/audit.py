"""The audit log: what was asked, what was read for it and what was answered, as lines of JSON.

`audit/answers.jsonl` in the library. Lines are added under a lock, so that several processes may
answer at once; a full file becomes `answers.1.jsonl`, and the oldest goes. It holds no more of the
archive than the answers did; the files are for the library's owner alone. Forgetting a source takes
the lines that read it out.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generate.prompt import ClipPart, PicturePart, TextPart
from index.files import disk_error
from index.records import PageArea, Span

if TYPE_CHECKING:
    from generate.answer import Answer
    from generate.prompt import Part, Prompt
    from generate.settings import AuditSettings

AUDIT_NAME = "audit"
LOG_NAME = "answers.jsonl"
_LOCK_NAME = "lock"
_OWNER_ONLY = 0o600
_OWNER_ONLY_FOLDER = 0o700

Line = dict[str, Any]


def audit_line(answer: Answer, permissions: Collection[str] | None) -> Line:
    """What the log keeps of an answer that was given to somebody with these permissions."""
    ledger = answer.ledger
    return {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "question": answer.question,
        "permissions": None if permissions is None else sorted(permissions),
        "backend": ledger.get("backend"),
        "model": ledger.get("model"),
        "route": ledger.get("route"),
        "prompt_sha256": ledger.get("prompt_sha256"),
        "evidence": [
            {
                "id": piece.id,
                "source_id": piece.source.id,
                "source": piece.source.name,
                "kind": str(piece.kind),
                **_place(piece.place),
            }
            for piece in answer.evidence
        ],
        "found": answer.found,
        "answer": answer.text,
        "sentences": [
            {
                "text": sentence.text,
                "verdict": sentence.verdict,
                "reason": sentence.reason or None,
                "citations": [
                    {"evidence": one.evidence, **_place(one.place)} for one in sentence.citations
                ],
                "changes": [f"{one.outcome}: {one.reason}" for one in sentence.changes],
            }
            for sentence in answer.sentences
        ],
        "took_ms": ledger.get("answer_ms"),
    }


def append_line(library: Path, line: Line, settings: AuditSettings) -> None:
    """Add a line to the log; nothing when it is switched off.

    A line is whole or not there, whoever else writes or is killed. Raises LibraryError when the
    disk refuses.
    """
    if not settings.enabled:
        return
    content = json.dumps(line, ensure_ascii=False).encode(errors="replace") + b"\n"
    folder = library / AUDIT_NAME
    with _locked(folder):
        log = folder / LOG_NAME
        size = log.stat().st_size if log.exists() else 0
        if size and size + len(content) > settings.file_bytes:
            _rotate(folder, settings.files)
        _add(log, content)


def read_lines(library: Path) -> Iterator[Line]:
    """Lines of the log, the oldest first; one that a crash cut off is left out.

    Raises LibraryError when it cannot be read.
    """
    for log in reversed(_logs(library / AUDIT_NAME)):
        try:
            content = log.read_bytes()
        except OSError as error:
            raise disk_error(log, "read", error) from error
        for text in content.splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if isinstance(line, dict):
                yield line


def forget_in_audit(library: Path, source_id: str, name: str) -> None:
    """Take out every line for which a source was read, or that names its file.

    Raises LibraryError when the disk refuses.
    """
    folder = library / AUDIT_NAME
    if not folder.is_dir():
        return
    written_name = json.dumps(name, ensure_ascii=False)[1:-1].encode(errors="replace")
    marks = (source_id.encode(), written_name)
    with _locked(folder):
        for log in _logs(folder):
            lines = log.read_bytes().splitlines(keepends=True)
            kept = [line for line in lines if not any(mark in line for mark in marks)]
            if len(kept) < len(lines):
                rest = log.with_name(log.name + ".new")
                rest.unlink(missing_ok=True)
                _add(rest, b"".join(kept))
                rest.rename(log)


def prompt_sha256(prompt: Prompt) -> str:
    """What a model was asked, as a hash: words, and which frames and pictures at which size."""
    told = [prompt.system, *((turn.role, *map(_told, turn.parts)) for turn in prompt.turns)]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode(errors="replace")).hexdigest()


def _told(part: Part) -> str | list[object]:
    match part:
        case TextPart():
            return part.text
        case ClipPart():
            size = [part.height_px, part.width_px]
            return [part.evidence, *size, *map(str, part.times)]
        case PicturePart():
            return [part.evidence, part.height_px, part.width_px]


def _place(place: Span | PageArea) -> dict[str, float | int | str]:
    if isinstance(place, Span):
        return {"start_s": place.start_s, "end_s": place.end_s}
    return {"page": place.page, "page_label": place.label}


def _logs(folder: Path) -> list[Path]:
    """The files of the log, the newest first."""
    numbered = sorted(folder.glob("answers.*.jsonl"), key=_number)
    return [log for log in (folder / LOG_NAME, *numbered) if log.exists()]


def _number(log: Path) -> int:
    number = log.name.split(".")[1]
    return int(number) if number.isdecimal() else 0


def _rotate(folder: Path, files: int) -> None:
    """Make room for a new file: of `files`, the oldest goes."""
    for log in reversed(_logs(folder)):
        number = 0 if log.name == LOG_NAME else _number(log)
        if number + 1 >= files:
            log.unlink()
        else:
            log.rename(folder / f"answers.{number + 1}.jsonl")


def _add(path: Path, content: bytes) -> None:
    """Write all of it at the end, on a line of its own."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, _OWNER_ONLY)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            content = b"\n" + content  # a writer was killed in the middle of its line
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(mode=_OWNER_ONLY_FOLDER, exist_ok=True)
        descriptor = os.open(folder / _LOCK_NAME, os.O_RDWR | os.O_CREAT, _OWNER_ONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
    except OSError as error:
        raise disk_error(folder, "write", error) from error
