"""Settings of answers: which backend writes them and when it would rather not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class GenerateSettings:
    """How hits become an answer."""

    backend: Literal["extractive"] = "extractive"
    """`extractive`: the sentences that answer, quoted with their places; nothing is made up."""
    hits: int = 8
    """Hits that are read for an answer."""
    max_sentences: int = 3
    answer_threshold: float = 0.5
    """Below this score (0..1) the best sentence is no answer: "not found in the archive"."""
    close_to_best: float = 0.94
    """Further sentences are quoted when they score at least this share of the best one."""
    meaning_share: float = 0.6
    """Share of likeness of meaning in a sentence's score; the rest is words of the question."""
