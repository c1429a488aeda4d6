"""What was answered is noted in the library's audit log (`generate.audit`)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from generate.answer import Answer
from generate.audit import append_line, audit_line
from generate.settings import AuditSettings
from index.errors import LibraryError


def audited(
    answer: Answer, library: Path, permissions: Collection[str] | None, settings: AuditSettings
) -> Answer:
    """Note an answer. Where that cannot be written, the answer says so and is given all the same.

    A library on a disk that is only read must not keep its answers back.
    """
    try:
        append_line(library, audit_line(answer, permissions), settings)
    except LibraryError as error:
        told = f"this answer is not in the audit log: {error}"
        notes = [str(note) for note in (answer.ledger.get("note"), told) if note]
        return replace(answer, ledger={**answer.ledger, "note": "; ".join(notes)})
    return answer
