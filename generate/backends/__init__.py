"""Models that answer a prompt, behind one small protocol.

`qwen3-vl` (`generate.backends.qwen3_vl`) runs any Qwen3-VL in this process, `openai` asks one on a
server, `router` one of two. The backend `extractive` quotes and needs no model, so it is none of
these. Importing this imports nothing heavy.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from generate.prompt import Prompt
    from generate.settings import BackendSettings, GenerateSettings
    from generate.token_costs import TokenCosts

EndReason = Literal["complete", "length", "stopped", "repeated"]
"""`complete`: the model ended; `length`: its tokens were used up; `stopped`: on demand; `repeated`:
it said the same again and again, and was cut."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an answer ended and what it took. None: the backend cannot tell."""

    reason: EndReason
    prompt_tokens: int | None = None
    reused_tokens: int | None = None
    """Of the prompt's tokens, so many were not read again."""
    answer_tokens: int | None = None
    """With those of thoughts."""
    first_token_ms: float | None = None
    """From the call to the first token."""

    @property
    def note(self) -> str | None:
        """What a reader of the answer should know; None when nothing."""
        match self.reason:
            case "complete":
                return None
            case "length":
                return "the answer was cut: it reached the limit of its length"
            case "stopped":
                return "the answer was stopped before its end"
            case "repeated":
                return "the answer was cut: the model repeated itself"


class TextStream(Iterator[str]):
    """Pieces of a text as they come; joined, they are the whole text. Then `ending` is there."""

    def __init__(self, pieces: Generator[str, None, Ending]) -> None:
        """`pieces` yields pieces and returns how it ended."""
        self._pieces = pieces
        self.ending: Ending | None = None

    def __next__(self) -> str:
        try:
            return next(self._pieces)
        except StopIteration as end:
            if end.value is not None:
                self.ending = end.value
            raise StopIteration from None

    def close(self) -> None:
        """End early and let go of what the stream holds."""
        self._pieces.close()


class Backend(Protocol):
    """A model that answers prompts. Its methods may be called from any thread."""

    name: str
    """For ledgers and logs: "qwen3-vl Qwen3-VL-8B-Instruct"."""
    context_tokens: int
    """A prompt and its answer together have at most so many tokens."""
    costs: TokenCosts
    """How it counts: packing needs the cost of parts. `count(prompt)` is `costs.of_prompt`."""

    def stream(
        self, prompt: Prompt, *, max_answer_tokens: int, stop: threading.Event
    ) -> TextStream:
        """Pieces of the answer's text as they come; thoughts are left out.

        When `stop` is set, it ends within one token. The stream raises PromptTooLongError, or
        BackendError, which says what to do.
        """

    def count(self, prompt: Prompt) -> int:
        """Tokens of the prompt, exactly, without loading a pixel."""


def open_backend(settings: GenerateSettings) -> Backend | None:
    """Load the backend that `settings` name; None for `extractive`, which asks no model.

    Raises ModelMissingError when a checkpoint is not on this machine and cannot be fetched, and
    BackendError when it does not load on the device, or its server does not serve it.
    """
    opened = {one: _open(one) for one in dict.fromkeys(settings.backends)}
    match [opened[one] for one in settings.backends]:
        case []:
            return None
        case [backend]:
            return backend
        case [easy, hard]:
            from generate.backends.router import Router

            return Router(easy, hard, settings.router)
        case more:
            raise ValueError(f"one backend or two, got {len(more)}")


def _open(settings: BackendSettings) -> Backend:
    from generate.settings import Qwen3VLSettings

    if isinstance(settings, Qwen3VLSettings):
        from generate.backends.qwen3_vl import Qwen3VLBackend
        from generate.backends.qwen_loading import load_qwen3_vl

        return Qwen3VLBackend(settings, load_qwen3_vl(settings))
    from generate.backends.openai import open_openai

    return open_openai(settings)


__all__ = ["Backend", "EndReason", "Ending", "TextStream", "open_backend"]
