"""What a document says about itself."""

# mypy: allow-untyped-calls

from __future__ import annotations

import datetime
import re
from typing import Any

_LONGEST = 2000
_FIELDS = {
    "author": "author",
    "subject": "subject",
    "keywords": "keywords",
    "creator": "creator",
    "producer": "producer",
    "creationDate": "created",
    "modDate": "modified",
}
_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:(Z).*|([+-]\d\d)'?(\d\d)?'?)?")
"""PDF 32000-1:2008, 7.9.4."""


def metadata_of(document: Any) -> dict[str, str]:
    """What is said beside the title; only what is said.

    author, subject, keywords, creator and producer (the programs that made it), created and
    modified (ISO 8601; as written where they are no dates), language (BCP 47).
    """
    said = document.metadata or {}
    found = {name: spaced(said.get(field)) for field, name in _FIELDS.items()}
    for name in ("created", "modified"):
        found[name] = iso_date(found[name])
    if document.is_pdf:
        found["language"] = _language(document)
    return {name: text for name, text in found.items() if text}


def spaced(text: str | None) -> str:
    """One line of at most 2,000 characters."""
    return " ".join((text or "").split())[:_LONGEST]


def iso_date(written: str) -> str:
    """`D:20240102030405+01'00'` as `2024-01-02T03:04:05+01:00`, as much of it as there is.

    What is no date, or none of the calendar and the clock, comes back as written.
    """
    match = _DATE.fullmatch(written)
    if match is None:
        return written
    year, month, day, hour, minute, second, utc, offset, offset_minutes = match.groups()
    try:
        datetime.date(int(year), int(month or 1), int(day or 1))
        datetime.time(int(hour or 0), int(minute or 0), int(second or 0))
        datetime.time(abs(int(offset or 0)), int(offset_minutes or 0))
    except ValueError:
        return written
    date = "-".join(part for part in (year, month, day) if part)
    if hour is None:
        return date
    zone = f"{offset}:{offset_minutes or '00'}" if offset else utc or ""
    return f"{date}T{hour}:{minute or '00'}:{second or '00'}{zone}"


def _language(document: Any) -> str:
    kind, value = document.xref_get_key(document.pdf_catalog(), "Lang")
    return spaced(value) if kind == "string" else ""
