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
class ConfidenceSettings:
    """Logistic model of the probability that a hit is right (benchmarks/retrieval/calibrate.py)."""

    pictures_from: float = 0.25
    """Likeness of pictures to the question counts from here on; to this, any picture is like it."""
    intercept: float = -3.9
    meaning: float = 1.2
    """Of the best likeness of its texts to the question, 0..1."""
    picture: float = 2.2
    """Of the best likeness of its pictures to the question beyond pictures_from, 0..1."""
    cover: float = 3.2
    """Of the share of the question's words that it holds, weighed by rarity, 0..1."""
    lead: float = 3.7
    """Of its score less that of the best other hit, -1..1."""
    listed: float = 2.1
    """Of 1 / its rank in the list of matching words; 0 where it is not in it."""
    agreement: float = 2.1
    """Of the kinds of evidence (said, on screen, seen, printed) beyond the first, 0..1."""
    verbatim: float = 1.9
    """Of holding a question of two words or more word by word, 0 or 1."""


@dataclass(frozen=True, slots=True)
class BoundarySettings:
    """How the borders of what is seen are looked for, where that is asked for."""

    rate_hz: float = 4.0
    """Pictures a second that are decoded again beside a border."""
    reach_s: float = 1.5
    """How far beyond a border; more than the seconds between the frames that ingest looks at."""
    fall: float = 0.15
    """What is seen ends where likeness to the query falls by this share."""
    time_limit_ms: int = 1500
    """For all hits of a search together, best first; the rest keep theirs. 0: none is moved."""


@dataclass(frozen=True, slots=True)
class RetrieveSettings:
    """How a question becomes ranked hits."""

    candidates: int = 100
    """Moments taken from each list before fusion."""
    rank_constant: float = 20.0
    """Only of searches by example and exact operands, which fuse ranks: larger values flatten the
    head of the lists."""
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
    alike_pictures_weight: float = 2.0
    """Weight of the cosine of pictures that are much like the question."""
    alike_pictures_cosine: float = 0.35
    """From this likeness on, a picture's labels say what the question says."""
    text_evidence_cosine: float = 0.4
    """Below this, the best text is no evidence, and pictures weigh as much as text."""
    merge_gap_s: float = 1.0
    """Moments of one source further apart than this are never merged."""
    merge_ratio: float = 0.97
    """Neighbours join one span when the weaker cosine is at least this share of the stronger."""
    same_text_share: float = 0.7
    """Texts that share this much of the shorter one's words say the same thing."""
    duplicate_text_share: float = 0.9
    """Texts with this share of equal words, and equal numbers, are one hit with a duplicate."""
    duplicate_picture_cosine: float = 0.98
    """Pictures this much alike are one hit with a duplicate when they also look the same."""
    duplicates_shown: int = 20
    """Duplicates that a hit lists at most."""
    found_confidence: float = 0.5
    """A search whose surest hit is less sure says that nothing relevant was found."""
    confidence: ConfidenceSettings = field(default_factory=ConfidenceSettings)
    operand_cosine: float = 0.5
    """An expression takes texts that are as much like an operand, or hold all its words."""
    operand_candidates: int = 400
    """Moments taken from each list for an operand of an expression."""
    reranker: RerankerSettings = field(default_factory=RerankerSettings)
    vectors: VectorSearchSettings = field(default_factory=VectorSearchSettings)
    boundaries: BoundarySettings = field(default_factory=BoundarySettings)
