"""Settings of the index: which embedder, what is written, how it is searched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from index.errors import SettingsError

Codes = Literal["8bit", "fp16"]
ALL_CODES: tuple[Codes, ...] = get_args(Codes)
Dtype = Literal["float32", "bfloat16", "float16"]
_CHECKPOINT_OPTIONS = ("model", "revision", "device", "dtype", "dims")
_OPTIONS = {
    "sentence-transformers": _CHECKPOINT_OPTIONS,
    "qwen3-vl-embedding": (*_CHECKPOINT_OPTIONS, "query_instruction"),
}
"""What profiles take; `model` is what they need."""


def require_options_of(
    settings: Any, path: str, options: Sequence[str], allowed: Sequence[str]
) -> None:
    """Raise SettingsError for an option that its profile does not take, or a missing `model`."""
    for name in options:
        if name not in allowed and getattr(settings, name) is not None:
            raise SettingsError(f"{path}.{name}: the profile {settings.profile} takes none")
    if "model" in allowed and not settings.model:
        raise SettingsError(
            f"{path}.model: the profile {settings.profile} needs the folder or hub name of a model"
        )


def require_at_least_1(settings: Any, path: str, names: Sequence[str]) -> None:
    """Raise SettingsError for a number below 1; None stands for none."""
    for name in names:
        number = getattr(settings, name)
        if number is not None and number < 1:
            raise SettingsError(f"{path}.{name} must be at least 1, got {number}")


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
    dtype: Dtype | None = None
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
        allowed = _OPTIONS.get(self.profile, ())
        options = (*_CHECKPOINT_OPTIONS, "query_instruction")
        require_options_of(self, "index.embedder", options, allowed)
        numbers = ("dims", "batch_size", "picture_batch_size", "threads")
        require_at_least_1(self, "index.embedder", numbers)
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
