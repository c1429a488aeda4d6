"""Settings of retrieval: how many candidates, how lists are weighed, what is merged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from index.settings import Dtype, VectorSearchSettings, require_at_least_1, require_options_of


@dataclass(frozen=True, slots=True)
class RerankerSettings:
    """Which model reads the best candidates once more, and for how long.

    Raises SettingsError for what the profile does not take.
    """

    profile: Literal["none", "qwen3-vl-reranker"] = "none"
    """`none`: nothing is read again. `qwen3-vl-reranker`: Qwen3-VL-Reranker reads words and
    pictures of each. What follows is for it."""
    model: str | None = None
    """Folder of the checkpoint, or its name on the hub, from where it is fetched once."""
    revision: str | None = None
    """Branch, tag or commit on the hub."""
    device: str | None = None
    """Where it computes: cpu, cuda or cuda:1; None: cpu."""
    dtype: Dtype | None = None
    """What it computes in; None: as the checkpoint was saved."""
    instruction: str | None = None
    """What it is told to look for; None: what the checkpoint says."""
    top_n: int = 20
    """Candidates that are read."""
    batch_size: int = 4
    """Candidates read at once."""
    time_limit_ms: float = 2000.0
    """What would not be read within this time keeps its place behind; a first batch always is."""
    threads: int = 2
    """CPU threads."""

    def __post_init__(self) -> None:
        options = ("model", "revision", "device", "dtype", "instruction")
        allowed = () if self.profile == "none" else options
        require_options_of(self, "retrieve.reranker", options, allowed)
        require_at_least_1(self, "retrieve.reranker", ("top_n", "batch_size", "threads"))


@dataclass(frozen=True, slots=True)
class RetrieveSettings:
    """How a question becomes ranked hits."""

    candidates: int = 100
    """Moments taken from each list before fusion."""
    rank_constant: float = 20.0
    """The constant of reciprocal-rank fusion: larger values flatten the head of the lists."""
    meaning_weight: float = 1.0
    """Weight of the list ordered by likeness of meaning (all kinds of text together)."""
    words_weight: float = 2.0
    """Weight of the list ordered by matching words (BM25); exact words say more than meaning."""
    verbatim_share: float = 0.2
    """Share of a score that holding the query word by word earns."""
    pictures_weight: float = 0.15
    """Weight of pictures that are little like the question, beside text evidence."""
    alike_pictures_weight: float = 1.0
    """Weight of pictures that are much like the question."""
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
    reranker: RerankerSettings = field(default_factory=RerankerSettings)
    vectors: VectorSearchSettings = field(default_factory=VectorSearchSettings)
