"""One question to a server: asked again while it is busy, read as it comes, given up on demand.

It runs in an event loop in a thread of its own, so that it can be left at any moment, whether it
waits for a connection, a first token or the next try; the connection is closed then, by which the
server knows that nobody listens.
"""

from __future__ import annotations

import asyncio
import queue
import random
import threading
import time
from collections.abc import Callable, Coroutine, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import openai
from openai.types import CompletionUsage

from generate.backends import Ending, EndReason
from generate.backends.server_errors import Server, Trouble, trouble_of
from generate.backends.server_text import ServerText
from index.errors import AnswerCutError, BackendError

_LOOK_S = 0.05
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 20.0
_REASONS: Mapping[str, EndReason] = {"stop": "complete", "length": "length"}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an answer is waited for, in seconds."""

    retry_s: float
    """New tries begin within so long."""
    timeout_s: float
    """All of it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked."""

    fields: Mapping[str, Any]
    """Of the protocol."""
    extra: Mapping[str, Any]
    """Beyond it."""
    thinks: bool
    prompt_tokens: int
    """As counted here."""
    answer_tokens: int
    """At most, with thoughts."""


def pieces(
    ask: Callable[[Say], Coroutine[None, None, Ending]], stop: threading.Event
) -> Generator[str, None, Ending]:
    """What `ask` says, piece by piece, and its end; `stopped` when `stop` was set before.

    `ask` runs elsewhere, and is cancelled when `stop` is set or this generator is closed. Raises
    what it raises.
    """
    said: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    left = threading.Event()
    with ThreadPoolExecutor(1, thread_name_prefix="asks-server") as pool:
        answer = pool.submit(asyncio.run, _unless_stopped(ask(said.put), stop, left))
        answer.add_done_callback(lambda _: said.put(None))
        try:
            while (piece := said.get()) is not None:
                yield piece
        finally:
            left.set()
    return answer.result()


async def _unless_stopped(answer: Coroutine[None, None, Ending], *stops: threading.Event) -> Ending:
    asking = asyncio.ensure_future(answer)
    while not asking.done():
        if any(stop.is_set() for stop in stops):
            asking.cancel()
            with suppress(asyncio.CancelledError):
                return await asking
            return Ending("stopped")
        await asyncio.wait({asking}, timeout=_LOOK_S)
    return asking.result()


class Exchange:
    """A request, its tries, and what came of it."""

    def __init__(
        self,
        connect: Callable[[], openai.AsyncOpenAI],
        server: Server,
        request: Request,
        patience: Patience,
    ) -> None:
        """`connect` makes a client, which is closed in the end."""
        self._connect = connect
        self._server = server
        self._request = request
        self._patience = patience
        self._began = time.perf_counter()
        self._text = ServerText(thinks=request.thinks)
        self._first: float | None = None
        self._usage: CompletionUsage | None = None

    async def answer(self, say: Say) -> Ending:
        """Ask until there is an answer. Raises BackendError, AnswerCutError, PromptTooLongError."""
        limit = self._patience.timeout_s
        try:
            async with asyncio.timeout(limit), self._connect() as client:
                return await self._tries(client, say)
        except TimeoutError as error:
            raise self._cut(
                f"{self._server.address} was not done within {limit:g} s "
                "(generate.openai.timeout_s)"
            ) from error

    async def _tries(self, client: openai.AsyncOpenAI, say: Say) -> Ending:
        tries = 0
        while True:
            tries += 1
            try:
                return await self._read(client, say)
            except openai.APIError as error:
                trouble = trouble_of(
                    error,
                    self._server,
                    prompt_tokens=self._request.prompt_tokens,
                    answer_tokens=self._request.answer_tokens,
                )
                wait_s = self._wait_s(trouble, tries)
                if wait_s is None:
                    raise self._given_up(trouble, tries) from error
            self._text = ServerText(thinks=self._request.thinks)
            await asyncio.sleep(wait_s)

    def _wait_s(self, trouble: Trouble, tries: int) -> float | None:
        """How long to wait for the next try; None: there is none."""
        if not trouble.is_passing or self._text.shown:
            return None
        longest = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** (tries - 1))
        wait_s = max(trouble.wait_s or 0.0, random.uniform(longest / 2, longest))
        waited_s = time.perf_counter() - self._began
        return wait_s if waited_s + wait_s <= self._patience.retry_s else None

    def _given_up(self, trouble: Trouble, tries: int) -> BackendError:
        if self._text.shown:
            return self._cut(str(trouble.error))
        if not trouble.is_passing:
            return trouble.error
        asked = f"; it asks to wait {trouble.wait_s:.0f} s" if trouble.wait_s else ""
        times = "once" if tries == 1 else f"{tries} times"
        return BackendError(f"{trouble.error} (asked {times}{asked})")

    def _cut(self, reason: str) -> BackendError:
        """The error of an answer without its end; what had come of it goes along."""
        return (
            AnswerCutError(reason, self._text.shown) if self._text.shown else BackendError(reason)
        )

    async def _read(self, client: openai.AsyncOpenAI, say: Say) -> Ending:
        stream = await client.chat.completions.create(
            **self._request.fields,
            stream=True,
            stream_options={"include_usage": True},
            extra_headers=self._server.headers,
            extra_body=dict(self._request.extra) or None,
        )
        reason: str | None = None
        async with stream:
            chunks = aiter(stream)
            while (chunk := await self._next(chunks)) is not None:
                self._usage = getattr(chunk, "usage", None) or self._usage
                for choice in getattr(chunk, "choices", None) or ():
                    self._hear(choice.delta, say)
                    reason = choice.finish_reason or reason
                if self._text.loops():
                    return self._ending("repeated")
        if reason is None:
            raise self._cut(f"{self._server.address} broke off before the end of its answer")
        return self._finish(reason, say)

    async def _next(self, chunks: Any) -> Any:
        """The next piece of the stream; None: it ended."""
        try:
            return await anext(chunks, None)
        except ValueError as error:  # not JSON
            raise self._cut(
                f"{self._server.address} sent what is not JSON: "
                f"{self._server.shown(str(error))}; is generate.openai.base_url right?"
            ) from error

    def _hear(self, delta: Any, say: Say) -> None:
        if getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None):
            self._text.thoughts_are_apart()
            self._mark_first()
        if delta is None or not delta.content:
            return
        self._mark_first()
        if piece := self._text.add(delta.content):
            say(piece)

    def _mark_first(self) -> None:
        if self._first is None:
            self._first = time.perf_counter()

    def _finish(self, reason: str, say: Say) -> Ending:
        if piece := self._text.end(is_complete=reason == "stop"):
            say(piece)
        if reason not in _REASONS:
            raise self._cut(
                f"{self._server.address} ended the answer for another reason: "
                f"{self._server.shown(reason)}"
            )
        if reason == "length" and not self._text.shown and self._request.thinks:
            raise BackendError(
                "the model used up its tokens for thoughts; raise generate.openai."
                "max_thought_tokens"
            )
        return self._ending(_REASONS[reason])

    def _ending(self, reason: EndReason) -> Ending:
        usage = self._usage
        details = None if usage is None else usage.prompt_tokens_details
        return Ending(
            reason,
            prompt_tokens=None if usage is None else usage.prompt_tokens,
            reused_tokens=None if details is None else details.cached_tokens,
            answer_tokens=None if usage is None else usage.completion_tokens,
            first_token_ms=None if self._first is None else (self._first - self._began) * 1000,
        )
