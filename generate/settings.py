"""Settings of answers: which backend writes them and when it would rather not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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
    kept_tokens: int = 65_536
    """Keys and values of the last prompt are kept, so that a further question on the same evidence
    begins at once; those of earlier ones, too, while all have at most so many tokens (of 96 to 256
    KiB on the device); 0: none is kept."""
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
        for name in ("vision_cache_bytes", "kept_tokens", "temperature", "max_thought_tokens"):
            number = getattr(self, name)
            if number is not None and number < 0:
                raise SettingsError(f"{path}.{name} must not be negative, got {number}")


@dataclass(frozen=True, slots=True)
class OpenAISettings:
    """A model on a server that speaks OpenAI's chat protocol: vLLM, SGLang, DashScope, others.

    Raises SettingsError for impossible values.
    """

    base_url: str | None = None
    """Where the server is, with the version: http://localhost:8000/v1."""
    model: str | None = None
    """Name under which it serves the model; None: the only one it serves."""
    api_key_variable: str | None = None
    """Name of the environment variable that holds its key; None: it wants none."""
    frames_as: Literal["pictures", "clip"] = "pictures"
    """`pictures`: every frame is a picture behind its time, which all servers understand; `clip`:
    frames of one video go as a video with absolute times (vLLM from 2026-04 on)."""
    tokenizer: str | None = None
    """Folder with the model's tokenizer.json, to count exactly; None: text is estimated."""
    context_tokens: int = 262_144
    """A prompt and its answer together; less where the server says so."""
    temperature: float | None = None
    """Of sampling, 0: always the likeliest token; None: what the server takes."""
    seed: int = 0
    """Of sampling."""
    max_thought_tokens: int = 0
    """A Thinking model gets so many tokens more for its thoughts; 0: it does not think."""
    retry_s: float = 30.0
    """A server that is busy or away is asked again for so long; 0: once."""
    silence_s: float = 180.0
    """It may be silent for so long, before its first token and between two."""
    timeout_s: float = 900.0
    """An answer may take so long, with all retries."""

    def __post_init__(self) -> None:
        path = "generate.openai"
        require_at_least_1(self, path, ("context_tokens",))
        for name in ("temperature", "max_thought_tokens", "retry_s"):
            number = getattr(self, name)
            if number is not None and number < 0:
                raise SettingsError(f"{path}.{name} must not be negative, got {number}")
        for name in ("silence_s", "timeout_s"):
            if not getattr(self, name) > 0:
                raise SettingsError(f"{path}.{name} must be positive, got {getattr(self, name)}")
        if self.base_url is not None and not self.base_url.startswith(("http://", "https://")):
            raise SettingsError(
                f"{path}.base_url begins with http:// or https://, got {self.base_url!r}"
            )


BackendSettings = Qwen3VLSettings | OpenAISettings
"""What a model that may be asked needs."""


@dataclass(frozen=True, slots=True)
class RouteSettings:
    """A model that the router may ask."""

    backend: Literal["qwen3-vl", "openai"] = "qwen3-vl"
    model: str | None = None
    """Instead of that of generate.qwen3_vl or generate.openai; None: that one."""
    base_url: str | None = None
    """Instead of that of generate.openai; None: that one."""
    api_key_variable: str | None = None
    """Environment variable that holds the key of an own base_url: the key of generate.openai is
    sent nowhere else."""
    max_thought_tokens: int | None = None
    """Instead of that of generate.qwen3_vl or generate.openai; None: that one."""


@dataclass(frozen=True, slots=True)
class RouterSettings:
    """Which model answers which question: a small one the easy ones, a large one the others.

    Raises SettingsError for impossible values.
    """

    easy: RouteSettings = field(default_factory=RouteSettings)
    """The small, quick model."""
    hard: RouteSettings = field(default_factory=RouteSettings)
    """The large or Thinking one."""
    hard_from_words: int = 25
    """Questions of so many words are hard."""
    hard_from_tokens: int = 12_000
    """Evidence whose words have so many tokens is long, and for the large model."""

    def __post_init__(self) -> None:
        require_at_least_1(self, "generate.router", ("hard_from_words", "hard_from_tokens"))


@dataclass(frozen=True, slots=True)
class ProofSettings:
    """When a model's sentence counts as proved; chosen on the dev half of benchmarks/proof."""

    supported_from: float = 0.61
    """A sentence is supported where its score reaches this and nothing in it is at odds."""
    moved_from: float = 0.61
    """A citation moves only to evidence that scores at least this."""
    about_from: float = 0.55
    """Below this score, evidence is about something else and contradicts nothing."""
    meaning_share: float = 0.6
    """Share of likeness of meaning in a score; the rest is words in common."""
    synonyms_from: float = 0.6
    """Words less alike than this that stand in each other's place say different things."""
    by_model: bool = False
    """Sentences that are still not shown are put to the model that wrote them, all at once."""


@dataclass(frozen=True, slots=True)
class SummarySettings:
    """How long stretches are summed up. Raises SettingsError for impossible values."""

    chapter_s: float = 300.0
    """Segments of a video make up chapters of at most so long; a longer one is one by itself."""
    chapter_pages: int = 8
    """The same of documents."""
    sentences: int = 2
    """Of each chapter."""
    overall_sentences: int = 8
    """Of all chapters together, by a model."""
    chapter_tokens: int = 8192
    """A model reads and writes at most so many for one chapter; token_budget bounds it, too."""

    def __post_init__(self) -> None:
        names = ("chapter_s", "chapter_pages", "sentences", "overall_sentences", "chapter_tokens")
        require_at_least_1(self, "generate.summary", names)


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

    backend: Literal["extractive", "qwen3-vl", "openai", "router"] = "extractive"
    """`extractive`: the sentences that answer, quoted with their places; nothing is made up.
    `qwen3-vl`: a Qwen3-VL in this process reads the evidence and answers. `openai`: a model on a
    server does. `router`: one of two models, by the question."""
    hits: int = 8
    """Hits that are read for an answer."""
    max_sentences: int = 3
    answer_threshold: float = 0.5
    """Below this score (0..1) the best sentence is no answer: "not found in the archive"."""
    max_listed: int = 100
    """Places that are quoted where all there are are asked for; further ones are only counted."""
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
    openai: OpenAISettings = field(default_factory=OpenAISettings)
    """The server of the backend openai."""
    router: RouterSettings = field(default_factory=RouterSettings)
    """The models of the backend router."""
    proof: ProofSettings = field(default_factory=ProofSettings)
    """How what a model writes is checked against the evidence."""
    summary: SummarySettings = field(default_factory=SummarySettings)
    """How long stretches are summed up."""
    audit: AuditSettings = field(default_factory=AuditSettings)
    """What is noted of questions and answers."""

    def __post_init__(self) -> None:
        require_at_least_1(self, "generate", ("max_answer_tokens", "max_listed"))
        if self.token_budget <= self.max_answer_tokens:
            raise SettingsError(
                f"generate.token_budget holds the answer and what is read for it: more than "
                f"{self.max_answer_tokens} (generate.max_answer_tokens), got {self.token_budget}"
            )
        for backend in self.backends:
            _require_named(backend)

    @property
    def backends(self) -> tuple[BackendSettings, ...]:
        """The models that may be asked: none of `extractive`, those of easy and hard questions of
        `router`, else one.
        """
        match self.backend:
            case "extractive":
                return ()
            case "qwen3-vl":
                return (self.qwen3_vl,)
            case "openai":
                return (self.openai,)
            case "router":
                return (self._of_route(self.router.easy), self._of_route(self.router.hard))

    def _of_route(self, route: RouteSettings) -> BackendSettings:
        thoughts = route.max_thought_tokens
        if route.backend == "qwen3-vl":
            local = self.qwen3_vl
            return replace(
                local,
                model=route.model or local.model,
                max_thought_tokens=local.max_thought_tokens if thoughts is None else thoughts,
            )
        server = self.openai
        if route.base_url is not None:
            server = replace(
                server, base_url=route.base_url, api_key_variable=route.api_key_variable
            )
        return replace(
            server,
            model=route.model or server.model,
            max_thought_tokens=server.max_thought_tokens if thoughts is None else thoughts,
        )


def _require_named(backend: BackendSettings) -> None:
    if isinstance(backend, OpenAISettings):
        if not backend.base_url:
            raise SettingsError(
                "generate.openai.base_url: the backend openai needs the address of a server, like "
                "http://localhost:8000/v1"
            )
    elif not backend.model:
        raise SettingsError(
            "generate.qwen3_vl.model: the backend qwen3-vl needs the folder or hub name of a model"
        )
