"""Leader dots: what leads the eye from a title to its page is no part of the words beside it."""

from __future__ import annotations

import re

from ingest.printed_words import placed_words

_LEADER = re.compile(r"(?:\.\s*){4,}")


def has_leader(line: str) -> bool:
    """True when dots, close or spaced, lead through a line."""
    return "." in line and _LEADER.search(line) is not None


def without_leader(line: str) -> str:
    """A line without its leader dots."""
    return " ".join(_LEADER.sub(" ", line).split())


def blanked_leader(line: str) -> str:
    """A line with spaces in the place of its leader dots."""
    return _LEADER.sub(lambda match: " " * len(match[0]), line)


def words_without_leader(line: str) -> list[str]:
    """The words of a line, as `placed_words` parts it, without leader dots: "" for nothing else."""
    blank = blanked_leader(line)
    return [blank[start:end].strip() for _, start, end in placed_words(line)]
