"""Sentences of an answer: what each says, whether that is proved, and by what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from generate.citations import Citation

Verdict = Literal["supported", "contradicted", "not shown"]
ChangeOutcome = Literal["corrected", "struck", "added"]


@dataclass(frozen=True, slots=True)
class CitationChange:
    """What was done to a citation that a model wrote, or should have written."""

    outcome: ChangeOutcome
    written: str
    """As the model wrote it; empty for one that was added."""
    reason: str


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """One sentence of an answer and what proves it."""

    text: str
    verdict: Verdict
    """Whether the cited evidence says so; a verbatim quote is `supported` by construction."""
    citations: tuple[Citation, ...]
    reason: str = ""
    """Why a sentence is not supported, for readers."""
    changes: tuple[CitationChange, ...] = ()
    """Where its citations are not those that the model wrote."""

    @property
    def mark(self) -> str:
        """What stands behind it where it is not supported: " (contradicted)"; else nothing."""
        return "" if self.verdict == "supported" else f" ({self.verdict})"
