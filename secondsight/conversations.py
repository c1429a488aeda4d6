"""Conversations outside the library: exchanges as JSON, kept in a file between calls.

`answer["turn"]` of an answer is what the next question needs to know of it. A file of a
conversation holds such lines, the oldest first.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from generate.conversation import MAX_EXCHANGES, Cited, Exchange
from index.errors import LibraryError, QuestionError
from index.records import PageArea, Span

MAX_TEXT_CHARS = 20_000
MAX_QUESTION_CHARS = 1000
MAX_CITED = 100


def turn_json(exchange: Exchange) -> dict[str, Any]:
    """An exchange as `secondsight.server.history.EarlierTurn` reads it; long texts are cut."""
    return {
        "question": exchange.question[:MAX_QUESTION_CHARS],
        "answer": exchange.answer[:MAX_TEXT_CHARS],
        "asked_as": exchange.asked_as[: 2 * MAX_QUESTION_CHARS] or None,
        "cited": [_cited_json(one) for one in exchange.cited[:MAX_CITED]],
    }


def _cited_json(cited: Cited) -> dict[str, Any]:
    place = cited.place
    return {
        "source": cited.source_id,
        "start_s": place.start_s if isinstance(place, Span) else None,
        "end_s": place.end_s if isinstance(place, Span) else None,
        "page": place.page if isinstance(place, PageArea) else None,
        "quote": cited.quote[:MAX_TEXT_CHARS],
    }


def read_conversation(file: Path) -> list[Exchange]:
    """The latest exchanges of a file; none when it does not exist.

    Raises QuestionError when it is no conversation, or cannot be read.
    """
    from pydantic import ValidationError  # takes long to load, and few calls need it

    from secondsight.server.history import EarlierTurn

    try:
        # Not splitlines: a quote may hold U+2028 or U+0085, which JSON leaves as they are.
        lines = file.read_text("utf-8").split("\n")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionError(f"{file}: cannot be read as a conversation: {error}") from error
    exchanges = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            exchanges.append(EarlierTurn.model_validate_json(line).exchange())
        except ValidationError as error:
            told = error.errors()[0]["msg"]
            raise QuestionError(
                f"{file}, line {number}: no turn of a conversation ({told}); name a file that "
                "`ask --follow` wrote, or a new one"
            ) from error
    return exchanges[-MAX_EXCHANGES:]


def add_to_conversation(file: Path, exchange: Exchange) -> None:
    """Add an exchange to a file, which is made when it is missing. Raises LibraryError."""
    line = json.dumps(turn_json(exchange), ensure_ascii=False) + "\n"
    try:
        with file.open("a", encoding="utf-8", errors="replace") as stream:
            stream.write(line)
    except OSError as error:
        raise LibraryError(f"{file}: the conversation cannot be kept: {error}") from error
