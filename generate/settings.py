"""Settings of answers: which backend writes them and when it would rather not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from index.errors import SettingsError
from index.settings import Dtype, require_at_least_1


@dataclass(frozen=True, slots=True)
class Qwen3VLSettings:
    """A Qwen3-VL that answers in this process: any size, Instruct or Thinking.

    Raises SettingsError for impossible values.
    """

    model: str | None = None
    """Folder of the checkpoint, or its name on the hub, from where it is fetched once."""
    revision: str | None = None
    """Branch, tag or commit on the hub."""
    device: str | None = None
    """Where it computes: cuda, cuda:1 or cpu; None: cuda where there is one, else cpu."""
    dtype: Dtype | None = None
    """What it computes in; None: as the checkpoint was saved, quantised or not."""
    attention: Literal["flash_attention_3", "flash_attention_2", "sdpa", "eager"] | None = None
    """How attention is computed; None: the first of these that is installed and runs there."""
    context_tokens: int = 262_144
    """A prompt and its answer together; without yarn_factor, at most what the checkpoint was
    trained for. Memory grows with what is used, not with this."""
    yarn_factor: float | None = None
    """YaRN (Peng et al. 2023) stretches the positions of the model: 3 for a million tokens of
    clips, which have fewer positions than tokens; None: as the checkpoint says."""
    prefill_chunk_tokens: int = 8192
    """A prompt is read in pieces of so many tokens; smaller ones need less memory."""
    vision_cache_bytes: int = 4 * 1024**3
    """Memory for what the model saw in clips and pictures; 0: they are looked at each time."""
    kept_prompts: int = 1
    """Prompts whose keys and values are kept: a further question on the same evidence begins at
    once. Each takes 96 to 256 KiB a token on the device; 0: none."""
    temperature: float | None = None
    """Of sampling, 0: always the likeliest token; None: what the checkpoint's authors say."""
    seed: int = 0
    """Of sampling: the same question on the same evidence gets the same answer."""
    max_thought_tokens: int = 8192
    """A Thinking model is told to answer after so many tokens of thoughts."""
    threads: int = 2
    """CPU threads."""

    def __post_init__(self) -> None:
        path = "generate.qwen3_vl"
        require_at_least_1(
            self, path, ("context_tokens", "prefill_chunk_tokens", "yarn_factor", "threads")
        )
        for name in ("vision_cache_bytes", "kept_prompts", "temperature", "max_thought_tokens"):
            number = getattr(self, name)
            if number is not None and number < 0:
                raise SettingsError(f"{path}.{name} must not be negative, got {number}")


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
    synonyms_from: float = 0.5
    """Words less alike than this that stand in each other's place say different things."""
    by_model: bool = False
    """Sentences that are still not shown are put to the model that wrote them, all at once."""


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """The log of questions and answers, audit/answers.jsonl in the library.

    Raises SettingsError for impossible values.
    """

    enabled: bool = True
    """false: nothing is noted."""
    file_bytes: int = 10_000_000
    """A file that would grow beyond this is put aside and a new one begun."""
    files: int = 5
    """Files that are kept, the newest ones."""

    def __post_init__(self) -> None:
        require_at_least_1(self, "generate.audit", ("file_bytes", "files"))


@dataclass(frozen=True, slots=True)
class GenerateSettings:
    """How hits become an answer."""

    backend: Literal["extractive", "qwen3-vl"] = "extractive"
    """`extractive`: the sentences that answer, quoted with their places; nothing is made up.
    `qwen3-vl`: a Qwen3-VL in this process reads the evidence and answers."""
    hits: int = 8
    """Hits that are read for an answer."""
    max_sentences: int = 3
    answer_threshold: float = 0.5
    """Below this score (0..1) the best sentence is no answer: "not found in the archive"."""
    close_to_best: float = 0.94
    """Further sentences are quoted when they score at least this share of the best one."""
    meaning_share: float = 0.6
    """Share of likeness of meaning in a sentence's score; the rest is words of the question."""
    token_budget: int = 32_768
    """Tokens of a model's prompt and answer together: small is quick. Up to 262,144, and a million
    for a model whose context is stretched so far."""
    max_answer_tokens: int = 1024
    """Kept free of the budget for a model's answer; longer ones are cut, and say so."""
    qwen3_vl: Qwen3VLSettings = field(default_factory=Qwen3VLSettings)
    """The model of the backend qwen3-vl."""
    proof: ProofSettings = field(default_factory=ProofSettings)
    """How what a model writes is checked against the evidence."""
    audit: AuditSettings = field(default_factory=AuditSettings)
    """What is noted of questions and answers."""

    def __post_init__(self) -> None:
        require_at_least_1(self, "generate", ("max_answer_tokens",))
        if self.token_budget <= self.max_answer_tokens:
            raise SettingsError(
                f"generate.token_budget holds the answer and what is read for it: more than "
                f"{self.max_answer_tokens} (generate.max_answer_tokens), got {self.token_budget}"
            )
        if self.backend == "qwen3-vl" and not self.qwen3_vl.model:
            raise SettingsError(
                "generate.qwen3_vl.model: the backend qwen3-vl needs the folder or hub name of a "
                "model"
            )
