"""One of two models answers: a small one easy questions, a large or Thinking one the others.

What makes a question hard is read off it: it asks for reasons, comparisons, counts or a whole; it
asks several things; it is long; or its evidence is. Nothing is learned, and the reason is told.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from generate.backends import Backend, TextStream
    from generate.evidence import Evidence
    from generate.prompt import Prompt
    from generate.settings import RouterSettings

Level = Literal["easy", "hard"]

_HARD_WORDS = (
    ("reasons", r"\b(?:why|explain|reasons?)\b|\bhow (?:come|does|do|did|can|could|would)\b"),
    ("reasons", r"\b(?:почему|зачем|объясни\w*|причин\w*)\b|为什么|为何|怎么会|原因|解释"),
    ("a comparison", r"\b(?:compar\w+|differ\w*|contrast\w*|versus|vs|in common)\b"),
    ("a comparison", r"\b(?:сравни\w*|отлича\w*|разниц\w*|различи\w*)\b|比较|对比|区别|不同"),
    ("a count or a list", r"\b(?:how (?:many|often)|count|every time|all (?:the )?times|list)\b"),
    ("a count or a list", r"\b(?:сколько раз|как часто|перечисли\w*)\b|多少次|几次|每次|列出"),
    ("a whole", r"\b(?:summar\w+|overview|outline|step by step)\b"),
    ("a whole", r"\b(?:кратко|обобщи\w*|резюм\w+|пошагово)\b|总结|概述|概括|步骤"),
    ("an order in time", r"\b(?:before|after|between|while|until|since)\b"),
    ("an order in time", r"\b(?:перед|после|между|пока|до того)\b|之前|之后|期间"),
)
"""What a question asks for, and words by which it does: English, Russian, Chinese."""
_HARD = [(asked, re.compile(pattern, re.IGNORECASE)) for asked, pattern in _HARD_WORDS]
_WORD = re.compile(r"[^\W\u2e80-\U0003ffff]+|[\u2e80-\U0003ffff]{1,2}")
"""Words; two characters of Chinese or Japanese are one, as most words there are."""
_QUESTION_MARK = re.compile("[?\uff1f]")


@dataclass(frozen=True, slots=True)
class Route:
    """Who answers, and why."""

    backend: Backend
    level: Level
    reason: str
    """For the ledger: "asks for a comparison"."""


class Router:
    """Two models. It is a backend itself: asked without a choice, the large one answers."""

    def __init__(self, easy: Backend, hard: Backend, settings: RouterSettings) -> None:
        self._easy = easy
        self._hard = hard
        self._settings = settings
        self.name = hard.name
        self.context_tokens = hard.context_tokens
        self.costs = hard.costs

    def stream(
        self, prompt: Prompt, *, max_answer_tokens: int, stop: threading.Event
    ) -> TextStream:
        """As the large model's."""
        return self._hard.stream(prompt, max_answer_tokens=max_answer_tokens, stop=stop)

    def count(self, prompt: Prompt) -> int:
        """As the large model's."""
        return self._hard.count(prompt)

    def choose(self, question: str, evidence: Sequence[Evidence]) -> Route:
        """Who answers a question about this evidence."""
        reason = hard_because(question, self._settings) or self._long_because(evidence)
        if reason:
            return Route(self._hard, "hard", reason)
        return Route(self._easy, "easy", "a short question about short evidence")

    def _long_because(self, evidence: Sequence[Evidence]) -> str:
        tokens = sum(self._easy.costs.count_text(piece.text) for piece in evidence)
        limit = min(self._settings.hard_from_tokens, self._easy.context_tokens)
        return f"its evidence has {tokens:,} tokens of text" if tokens >= limit else ""


def hard_because(question: str, settings: RouterSettings) -> str:
    """What makes a question hard; empty: nothing does."""
    for asked, pattern in _HARD:
        if pattern.search(question):
            return f"asks for {asked}"
    if len(_QUESTION_MARK.findall(question)) > 1:
        return "asks several things"
    words = len(_WORD.findall(question))
    return f"a question of {words} words" if words >= settings.hard_from_words else ""


def route_of(backend: Backend, question: str, evidence: Sequence[Evidence]) -> Route | None:
    """The choice of a router; None where there is but one model."""
    return backend.choose(question, evidence) if isinstance(backend, Router) else None
