"""What was understood of a question, as JSON and as a line of the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from retrieve.question import Question

SPANS_SHOWN = 100
"""In JSON; "the last ten minutes" of a large archive are as many spans as it has videos."""


def understood_json(question: Question | None) -> dict[str, Any] | None:
    """What was understood of a question; null when it was taken literally."""
    if question is None:
        return None
    spans = None if question.spans is None else question.spans[:SPANS_SHOWN]
    return {
        "searched": question.searched,
        "sources": None if question.sources is None else list(question.sources),
        "spans": spans
        and [
            {"source": source_id, "start_s": span.start_s, "end_s": span.end_s}
            for source_id, span in spans
        ],
        "pages": question.pages
        and [{"source": source_id, "pages": sorted(own)} for source_id, own in question.pages],
        "kinds": None if question.kinds is None else list(question.kinds),
        "notes": list(question.notes),
    }


def print_understood(console: Console, question: Question | None) -> None:
    """One dim line."""
    if question is not None and question.notes:
        console.print(Text("; ".join(question.notes), "dim"), highlight=False, soft_wrap=True)
