"""Settings of retrieval: how many candidates, how lists are weighed, what is merged."""

from __future__ import annotations

from dataclasses import dataclass, field

from index.settings import VectorSearchSettings


@dataclass(frozen=True, slots=True)
class RetrieveSettings:
    """How a question becomes ranked hits."""

    candidates: int = 100
    """Moments taken from each list before fusion."""
    rank_constant: float = 20.0
    """The constant of reciprocal-rank fusion: larger values flatten the head of the lists."""
    meaning_weight: float = 1.0
    """Weight of how much a text is like the question (cosine)."""
    words_weight: float = 2.5
    """Weight of the squared share of the highest word score (BM25) that a text earns."""
    shown_share: float = 0.5
    """Share of the score of a text on screen that is added to that of what is said meanwhile."""
    verbatim_share: float = 0.2
    """Share of a score that holding the query word by word earns."""
    pictures_weight: float = 0.15
    """Weight of the cosine of pictures little like the question, beside text evidence."""
    alike_pictures_weight: float = 1.0
    """Weight of the cosine of pictures that are much like the question."""
    alike_pictures_cosine: float = 0.4
    """From this likeness on, a picture's labels say what the question says."""
    text_evidence_cosine: float = 0.4
    """Below this, the best text is no evidence, and pictures weigh as much as text."""
    merge_gap_s: float = 1.0
    """Moments of one source further apart than this are never merged."""
    merge_ratio: float = 0.97
    """Neighbours join one span when the weaker cosine is at least this share of the stronger."""
    same_text_share: float = 0.7
    """Texts that share this much of the shorter one's words say the same thing."""
    vectors: VectorSearchSettings = field(default_factory=VectorSearchSettings)
