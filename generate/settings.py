"""Settings of answers: which backend writes them and when it would rather not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class ProofSettings:
    """When a model's sentence counts as proved; chosen on the dev half of benchmarks/proof."""

    supported_from: float = 0.64
    """A sentence is supported where its score reaches this and nothing in it is at odds."""
    moved_from: float = 0.64
    """A citation moves only to evidence that scores at least this."""
    about_from: float = 0.55
    """Below this score, evidence is about something else and contradicts nothing."""
    meaning_share: float = 0.7
    """Share of likeness of meaning in a score; the rest is words in common."""
    by_model: bool = False
    """Sentences that are still not shown are put to the model that wrote them, all at once."""


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
    proof: ProofSettings = field(default_factory=ProofSettings)
    """How what a model writes is checked against the evidence."""
