"""Settings of the index: which embedder, what is written, how it is searched."""

from dataclasses import dataclass, field
from typing import Literal

Codes = Literal["8bit", "fp16"]


@dataclass(frozen=True, slots=True)
class EmbedderSettings:
    """Which models turn words and pictures into vectors of one joint space."""

    profile: Literal["default"] = "default"
    """`default`: all-MiniLM-L6-v2 for text, ConSE over EfficientNet-Lite2 for pictures."""
    batch_size: int = 16
    threads: int = 2
    """CPU threads of one embedding process."""


@dataclass(frozen=True, slots=True)
class VectorSearchSettings:
    """How the two levels are searched."""

    mode: Literal["auto", "fast", "thorough"] = "auto"
    """`fast` probes the best segments; `thorough` scans every moment; `auto` picks by size."""
    probes: int = 64
    """Segments that `fast` looks into."""
    thorough_up_to: int = 200_000
    """`auto` scans every moment up to this many; beyond, it probes."""


@dataclass(frozen=True, slots=True)
class CompactionSettings:
    """When shards, one of which every ingested file adds, become fewer and larger ones."""

    in_background: bool = True
    """Beside every ingest, at low priority; otherwise only by `secondsight compact`."""
    shards_per_merge: int = 10
    """So many neighbouring shards of like size become one."""
    largest_moments: int = 2_000_000
    """No shard grows beyond this: larger libraries have more of them, not larger ones."""


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """What shapes a library. `codes` and `outlier_share` are fixed when it is made."""

    embedder: EmbedderSettings = field(default_factory=EmbedderSettings)
    codes: Codes = "8bit"
    """What the vectors of moments are kept in: 8 bits a component, or `fp16`, twice as large."""
    outlier_share: float = 0.05
    """Share of the library's moments, least like their segment, that stand at level 1 by
    themselves."""
    compaction: CompactionSettings = field(default_factory=CompactionSettings)
