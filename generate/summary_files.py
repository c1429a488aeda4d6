"""What a model made of a chapter, in a file of its own: a summary goes on where it was cut off.

Files stand in a folder of their source, so that they go when it is forgotten.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generate.answer_sentence import AnswerSentence, CitationChange
from generate.citations import Citation
from index.files import disk_error, replace_file
from index.records import Box, PageArea, Span

if TYPE_CHECKING:
    from generate.settings import GenerateSettings

_FORMAT = 1
_STAGE = "summary"
_KEY_CHARS = 24


def key_of(content: str, backend: str, settings: GenerateSettings) -> str:
    """What tells one summary of a chapter from all others: what it read, who made it, and how."""
    told = [_FORMAT, content, backend, asdict(settings) | {"audit": None}]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:_KEY_CHARS]


def store_lines(folder: Path, key: str, sentences: Sequence[AnswerSentence]) -> None:
    """Keep what a chapter was summed up to; whole or not at all. Raises LibraryError."""
    content = json.dumps([_sentence_json(one) for one in sentences], ensure_ascii=False)
    path = folder / f"{_STAGE}-{key}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(folder, "write", error) from error
    replace_file(path, content.encode(errors="replace"))


def load_lines(folder: Path, key: str) -> tuple[AnswerSentence, ...] | None:
    """What was kept; None when nothing was, or it is damaged. Raises LibraryError."""
    path = folder / f"{_STAGE}-{key}"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise disk_error(path, "read", error) from error
    try:
        return tuple(map(_sentence, json.loads(content)))
    except (ValueError, KeyError, TypeError):
        return None


def _sentence_json(sentence: AnswerSentence) -> dict[str, Any]:
    return {
        "text": sentence.text,
        "verdict": sentence.verdict,
        "reason": sentence.reason,
        "citations": [_citation_json(one) for one in sentence.citations],
        "changes": [asdict(one) for one in sentence.changes],
    }


def _citation_json(citation: Citation) -> dict[str, Any]:
    place = citation.place
    return {
        "evidence": citation.evidence,
        "source_id": citation.source_id,
        "source_name": citation.source_name,
        "quote": citation.quote,
        "span": [str(place.start), str(place.end)] if isinstance(place, Span) else None,
        "page": None
        if isinstance(place, Span)
        else [place.page, place.label, [[b.x0, b.y0, b.x1, b.y1] for b in place.boxes]],
    }


def _sentence(told: dict[str, Any]) -> AnswerSentence:
    return AnswerSentence(
        text=told["text"],
        verdict=told["verdict"],
        citations=tuple(map(_citation, told["citations"])),
        reason=told["reason"],
        changes=tuple(CitationChange(**one) for one in told["changes"]),
    )


def _citation(told: dict[str, Any]) -> Citation:
    place: Span | PageArea
    if told["span"] is not None:
        start, end = map(Fraction, told["span"])
        place = Span(start, end)
    else:
        page, label, boxes = told["page"]
        place = PageArea(page, label, tuple(Box(*box) for box in boxes))
    return Citation(told["evidence"], told["source_id"], told["source_name"], place, told["quote"])
