"""What a search gives back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retrieve.understanding import asks_what_there_is

if TYPE_CHECKING:
    from retrieve.explanation import Count, Explanation
    from retrieve.hits import Hit
    from retrieve.query import Like
    from retrieve.question import Question

MILLISECONDS_PER_SECOND = 1000.0


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Ranked hits and what finding them cost. It is itself the sequence of its hits."""

    query: str
    hits: tuple[Hit, ...]
    took_ms: float
    """All of it, wall clock."""
    steps_ms: dict[str, float]
    """Parts of it, those that ran: understand, embed, find, rerank, merge, tighten."""
    best_text_cosine: float | None
    """Likeness of the best text to the question, -1..1; None when no text was searched."""
    found: bool
    """Whether a hit is likely enough to be right; if not, they are only the nearest there is."""
    question: Question | None = None
    """What was understood of the query; None when it was to be taken literally."""
    picture: bool = False
    """Whether it was asked by picture."""
    like: Like | None = None
    """The place of which more was asked for."""
    read_as: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Words that were also looked up as others, being mistyped: these, nearest first."""
    num_reranked: int = 0
    """So many candidates were read by the reranker in time."""
    expression: str | None = None
    """The query as an expression of the temporal algebra was read; None: it is none."""
    count: Count | None = None
    """How many there are, where an expression asks it."""
    explanation: Explanation | None = None
    """How an expression came to its hits."""

    @property
    def searched(self) -> str:
        """The words that were looked for: of the query, or what an expression keeps."""
        if self.explanation is not None:
            return self.explanation.kept
        return self.query if self.question is None else self.question.searched

    @property
    def is_overview(self) -> bool:
        """True when nothing was looked for: the hits show what there is, in its order."""
        return asks_what_there_is(self.question)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)

    def __getitem__(self, rank_from_0: int) -> Hit:
        return self.hits[rank_from_0]

    def __repr__(self) -> str:
        best = f"; best: {self.hits[0]!r}" if self.hits else ""
        return f"SearchResult({self.query!r}: {len(self.hits)} hits in {self.took_ms:.0f} ms{best})"
