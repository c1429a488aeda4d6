"""The backend `qwen3-vl`: a Qwen3-VL in this process, dense or with experts, Instruct or Thinking.

A prompt is read in pieces (chunked prefill), and what was read is kept for the next question on
the same evidence. Positions (M-RoPE) are computed from the prompt and handed over with every piece:
nothing of a question stays in the model itself, where transformers keeps `rope_deltas`, which with
another prompt in between would silently be those of the other one. One answer is made at a time.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from generate.backends import Ending, EndReason, TextStream
from generate.backends.answer_text import AnswerText
from generate.backends.key_values import KeptPrompts, comparable
from generate.backends.qwen_reading import Reading
from generate.backends.qwen_vision import Eyes
from generate.backends.sampling import Sampler, Sampling, repeats_itself
from generate.token_costs import TokenCosts
from index.errors import BackendError, PromptTooLongError

if TYPE_CHECKING:
    import torch

    from generate.backends.qwen_loading import LoadedModel
    from generate.backends.qwen_tokens import PromptTokens
    from generate.prompt import Prompt
    from generate.settings import Qwen3VLSettings

_LOOK_FOR_LOOPS_EVERY = 16
_WAIT_S = 0.05
END_OF_THOUGHTS = (
    "\n\nConsidering the limited time by the user, I have to give the solution based on the "
    "thinking directly now.\n</think>\n\n"
)
"""By which thoughts are ended (Yang et al., "Qwen3 Technical Report", 2025, section 4.3)."""


class _Answer:
    """An answer in the making: which token comes next, and when it is enough."""

    def __init__(
        self,
        loaded: LoadedModel,
        settings: Qwen3VLSettings,
        reading: Reading,
        *,
        sampling: Sampling,
        closing: Sequence[int],
        max_thought_tokens: int,
    ) -> None:
        """`closing` are the tokens that end thoughts when there are `max_thought_tokens`."""
        self._loaded = loaded
        self._reading = reading
        self._chunk_tokens = settings.prefill_chunk_tokens
        self._closing = closing
        self._max_thought_tokens = max_thought_tokens
        self._sampler = Sampler(sampling, seed=settings.seed)
        self._text = AnswerText(loaded.tokenizer)
        self._forced: deque[int] = deque()
        self._visible = 0
        self.said: list[int] = []
        """Tokens, with those of thoughts."""
        self.first: float | None = None
        """When the first token was there, by time.perf_counter."""

    def pieces(self, max_tokens: int, stop: threading.Event) -> Generator[str, None, EndReason]:
        """Pieces of text, at most `max_tokens` tokens without thoughts, and why it ended."""
        logits = self._reading.read(self._chunk_tokens, stop)
        while logits is not None and not stop.is_set():
            token = self._next(logits)
            piece = self._text.end() if token is None else self._text.add(token)
            if piece:
                yield piece
            if token is None:
                return "complete"
            if reason := self._enough(max_tokens):
                if rest := self._text.end():
                    yield rest
                return reason
            if stop.is_set():
                break
            logits = self._reading.go_on(token)
        return "stopped"

    def _next(self, logits: torch.Tensor) -> int | None:
        """The next token; None: the answer is complete."""
        token = self._forced.popleft() if self._forced else self._sampler.draw(logits, self.said)
        if self.first is None:
            self.first = time.perf_counter()
        if token in self._loaded.ends:
            if not self._text.thinks:
                return None
            self._end_thoughts()  # it thought, but did not answer
            token = self._forced.popleft()
        self.said.append(token)
        self._visible += not self._text.thinks
        return token

    def _enough(self, max_tokens: int) -> EndReason | None:
        is_stuck = not self._forced and self._is_stuck()
        if not self._text.thinks:
            if is_stuck:
                return "repeated"
            return "length" if self._visible >= max_tokens else None
        if not self._forced and (is_stuck or len(self.said) >= self._max_thought_tokens):
            self._end_thoughts()
        return None

    def _is_stuck(self) -> bool:
        return len(self.said) % _LOOK_FOR_LOOPS_EVERY == 0 and repeats_itself(self.said)

    def _end_thoughts(self) -> None:
        self._forced.extend(self._closing)


class Qwen3VLBackend:
    """A Qwen3-VL that answers prompts."""

    def __init__(self, settings: Qwen3VLSettings, loaded: LoadedModel) -> None:
        """`loaded` is what `generate.backends.qwen_loading.load_qwen3_vl` gave."""
        self._settings = settings
        self._loaded = loaded
        self.name = f"qwen3-vl {loaded.name}"
        self.context_tokens = settings.context_tokens
        if settings.yarn_factor is None:
            self.context_tokens = min(settings.context_tokens, loaded.num_positions)
        self._sampling = loaded.sampling
        if settings.temperature is not None:
            self._sampling = replace(loaded.sampling, temperature=settings.temperature)
        tokenizer = loaded.tokenizer
        self.costs = TokenCosts(
            tokenizer.count, is_exact=True, answer_opening=tokenizer.answer_opening
        )
        """How it counts."""
        self._eyes = Eyes(
            loaded.model,
            pictures=loaded.pictures,
            clips=loaded.clips,
            cache_bytes=settings.vision_cache_bytes,
        )
        num_layers = loaded.model.config.get_text_config().num_hidden_layers
        self._kept = KeptPrompts(num_layers, limit_tokens=settings.kept_tokens)
        self._closing = tokenizer.ids_of(END_OF_THOUGHTS)
        self._lock = threading.Lock()

    def count(self, prompt: Prompt) -> int:
        """Tokens of the prompt, exactly, without loading a pixel."""
        return self.costs.of_prompt(prompt)

    def stream(
        self, prompt: Prompt, *, max_answer_tokens: int, stop: threading.Event
    ) -> TextStream:
        """Pieces of the answer's text as they come; see `generate.backends.Backend`.

        Other streams wait until this one is read to its end or closed.
        """
        return TextStream(self._pieces(prompt, max_answer_tokens, stop))

    def _pieces(
        self, prompt: Prompt, max_answer_tokens: int, stop: threading.Event
    ) -> Generator[str, None, Ending]:
        import torch

        called = time.perf_counter()
        tokens = self._loaded.tokenizer.tokens_of(prompt)
        max_thought_tokens = self._room_for_thoughts(tokens, max_answer_tokens)
        keys = [self._eyes.key_of(seen.part) for seen in tokens.seen]
        with self._turn(stop) as is_ours:
            if not is_ours:
                return Ending("stopped", prompt_tokens=len(tokens.ids))
            room = len(tokens.ids) + max_thought_tokens + len(self._closing) + max_answer_tokens
            kept = self._kept.take(comparable(tokens, keys), room)
            is_reusable = True
            try:
                reading = Reading(self._loaded.model, self._eyes, tokens, keys, kept)
                answer = _Answer(
                    self._loaded,
                    self._settings,
                    reading,
                    sampling=self._sampling,
                    closing=self._closing,
                    max_thought_tokens=max_thought_tokens,
                )
                reused = len(kept.tokens)
                reason = yield from answer.pieces(max_answer_tokens, stop)
            except torch.OutOfMemoryError as error:
                is_reusable = False
                self._eyes.forget()
                self._kept.forget()
                raise BackendError(
                    f"{self._loaded.model.device} has too little memory for a prompt of "
                    f"{len(tokens.ids):,} tokens; lower generate.qwen3_vl.prefill_chunk_tokens or "
                    "the budget of tokens, or take a smaller model"
                ) from error
            finally:
                if is_reusable:
                    self._kept.give_back(kept)
        return Ending(
            reason,
            prompt_tokens=len(tokens.ids),
            reused_tokens=reused,
            answer_tokens=len(answer.said),
            first_token_ms=None if answer.first is None else (answer.first - called) * 1000,
        )

    def _room_for_thoughts(self, tokens: PromptTokens, max_answer_tokens: int) -> int:
        """How many tokens thoughts may have; raises PromptTooLongError."""
        behind = len(self._closing) + max_answer_tokens
        needed = len(tokens.ids) + behind
        positions = tokens.num_positions + behind
        limit = min(self.context_tokens, needed * self._loaded.num_positions // positions)
        if needed > limit:
            raise PromptTooLongError(
                needed,
                limit,
                "lower the budget of tokens, or raise generate.qwen3_vl.context_tokens "
                "(and yarn_factor, beyond what the model was trained for)",
            )
        wanted = self._settings.max_thought_tokens if self._loaded.tokenizer.thinks else 0
        room = min(self.context_tokens - needed, self._loaded.num_positions - positions)
        return min(wanted, room)

    @contextmanager
    def _turn(self, stop: threading.Event) -> Iterator[bool]:
        """Wait for our turn; False when `stop` was set before it came."""
        while not self._lock.acquire(timeout=_WAIT_S):
            if stop.is_set():
                yield False
                return
        try:
            yield True
        finally:
            self._lock.release()
