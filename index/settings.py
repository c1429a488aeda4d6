"""Settings of the index: which embedder, what is written, how it is searched."""

from dataclasses import dataclass, field
from typing import Literal

from index.errors import SettingsError

Codes = Literal["8bit", "fp16"]
_NO_INSTRUCTION = "sentence-transformers"
"""Its checkpoints bring the prompts of their own."""


@dataclass(frozen=True, slots=True)
class EmbedderSettings:
    """Which models turn words and pictures into vectors of one joint space.

    Raises SettingsError for what the profile does not take.
    """

    profile: Literal["default", "multilingual", "sentence-transformers", "qwen3-vl-embedding"] = (
        "default"
    )
    """`default`: all-MiniLM-L6-v2 for text, ConSE over EfficientNet-Lite2 for pictures, English.
    `multilingual`: multilingual-e5-small for text, the same for pictures; extra multilingual.
    `sentence-transformers`: any checkpoint with texts and pictures in one space (CLIP, SigLIP 2).
    `qwen3-vl-embedding`: Qwen3-VL-Embedding. What follows up to `query_instruction` is for the
    last two."""
    model: str | None = None
    """Folder of the checkpoint, or its name on the hub, from where it is fetched once."""
    revision: str | None = None
    """Branch, tag or commit on the hub."""
    device: str | None = None
    """Where it computes: cpu, cuda or cuda:1; None: cpu."""
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    """What it computes in; None: as the checkpoint was saved."""
    dims: int | None = None
    """Components of a vector, cut to so many where the model was trained for it; None: all."""
    query_instruction: str | None = None
    """What Qwen3-VL-Embedding is told to do with a question, a sentence with its full stop; None:
    that of its authors."""
    batch_size: int = 16
    """Texts embedded at once."""
    picture_batch_size: int = 8
    """Pictures embedded at once."""
    threads: int = 2
    """CPU threads of one embedding process."""

    def __post_init__(self) -> None:
        checkpoint = self.profile in ("sentence-transformers", "qwen3-vl-embedding")
        for name in ("model", "revision", "device", "dtype", "dims", "query_instruction"):
            if getattr(self, name) is not None and not (
                checkpoint and (name != "query_instruction" or self.profile != _NO_INSTRUCTION)
            ):
                raise SettingsError(f"index.embedder.{name}: the profile {self.profile} takes none")
        if checkpoint and not self.model:
            raise SettingsError(
                f"index.embedder.model: the profile {self.profile} needs a folder or a hub name"
            )
        for name in ("dims", "batch_size", "picture_batch_size", "threads"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise SettingsError(f"index.embedder.{name} must be at least 1, got {number}")
        instruction = self.query_instruction
        if instruction is not None and not instruction.endswith((".", "!", "?", "。")):
            raise SettingsError(
                "index.embedder.query_instruction must be a sentence with its full stop, "
                f"got {instruction!r}"
            )


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
