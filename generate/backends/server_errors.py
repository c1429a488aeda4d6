"""What a server's refusals mean: errors that say what to do, and whether to ask again."""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx2
import openai

from index.errors import BackendError, PromptTooLongError

MAX_SHOWN_CHARS = 300
_BUSY = (408, 425, 429, 500, 502, 503, 504)
_NOT_OF_LENGTH = (401, 403, 404, 429)
_NO_MONEY = ("insufficient_quota", "arrearage", "freetieronly", "billing")
_NUMBER = r"([\d,]*\d)"
_LIMITS = (
    rf"maximum context length (?:is|of) {_NUMBER}",  # vLLM, SGLang, OpenAI
    rf"context length is only {_NUMBER}",  # vLLM
    rf"maximum model length of {_NUMBER}",  # vLLM, in the engine
    rf"model's context length \({_NUMBER}",  # SGLang
    rf"available context size \({_NUMBER}",  # llama.cpp
)
_INPUT_LIMIT = re.compile(rf"range of input length should be \[\d+, ?{_NUMBER}\]", re.IGNORECASE)
"""DashScope: of the prompt alone, and nothing tells how long it is."""
_TOTALS = (rf"requested (?:a total of )?{_NUMBER} tokens",)
_PROMPTS = (
    rf"{_NUMBER} input tokens",
    rf"the input \({_NUMBER} tokens\)",
    rf"prompt \((?:length )?{_NUMBER}",
    rf"request \({_NUMBER} tokens\)",
)
_TOO_LONG = re.compile(
    "context_length_exceeded|exceed_context_size|exceeds? the (?:available )?context|"
    "longer than the (?:maximum model length|model's context)|prompt is too long|"
    "token length exceed",
    re.IGNORECASE,
)

_TOO_MANY_PICTURES = re.compile(
    r"may be provided in one prompt|(?:number|many|most) .{0,20}images?\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Server:
    """What errors tell of a server; never its key."""

    address: str
    """Without a user's name and password."""
    model: str
    api_key: str
    """Cut out of everything that is shown; empty: there is none."""
    key_variable: str | None

    @property
    def headers(self) -> dict[str, str | openai.Omit]:
        """Of every request: without a key, none is sent, whatever the environment holds."""
        return {} if self.api_key else {"Authorization": openai.omit}

    def shown(self, message: str) -> str:
        """A server's message in one line, without the key."""
        if self.api_key:
            message = message.replace(self.api_key, "***")
        line = " ".join(message.split())
        return line if len(line) <= MAX_SHOWN_CHARS else f"{line[:MAX_SHOWN_CHARS]} …"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no answer."""

    error: BackendError
    is_passing: bool = False
    """Whether the same question may be answered a little later."""
    wait_s: float | None = None
    """After so long, the server says; None: it does not."""


def trouble_of(
    error: openai.APIError, server: Server, *, prompt_tokens: int, answer_tokens: int
) -> Trouble:
    """What to tell and do about an error of the client.

    `prompt_tokens` and `answer_tokens` are what was counted here, where the server does not tell.
    """
    if isinstance(error, openai.APIConnectionError):
        return _unreachable(error, server)
    status, message = _status_of(error), _message_of(error)
    if status not in _NOT_OF_LENGTH:
        too_long = _too_long(message, prompt_tokens, answer_tokens)
        if too_long is not None:
            return Trouble(too_long)
    said = server.shown(message)
    where = f"{server.address} ({server.model})"
    if status in _BUSY and not any(word in said.casefold() for word in _NO_MONEY):
        reason = f"{where} does not answer (status {status}): {said}; ask again later"
        return Trouble(BackendError(reason), is_passing=True, wait_s=_asked_wait_s(error))
    return Trouble(BackendError(f"{where} {_refusal(status, said, server)}"))


def _refusal(status: int, said: str, server: Server) -> str:
    """What a refusal means and what to do about it."""
    if status in (401, 403):
        return f"refuses access: {said}; {_key_advice(server)}"
    if status == 404:
        return (
            f"is not found: {said}; generate.openai.base_url ends with the version, like "
            "http://localhost:8000/v1, and generate.openai.model is a name the server knows"
        )
    if status == 413:
        return (
            "takes no message of this size; lower generate.token_budget, or raise the server's "
            "limit of a request's bytes"
        )
    if _TOO_MANY_PICTURES.search(said):
        return (
            f"takes fewer pictures: {said}; start vLLM with --limit-mm-per-prompt "
            "'{\"image\":1024}', or lower generate.token_budget"
        )
    return f"refuses the question: {said}"


def _unreachable(error: openai.APIConnectionError, server: Server) -> Trouble:
    cause = error.__cause__
    if isinstance(error, openai.APITimeoutError) and not isinstance(cause, httpx2.ConnectTimeout):
        return Trouble(
            BackendError(
                f"{server.address} was silent for too long; raise generate.openai.silence_s, or "
                "lower generate.token_budget"
            )
        )
    said = server.shown(str(cause or error))
    return Trouble(
        BackendError(
            f"no answer from {server.address}: {said}; start the server, or correct "
            "generate.openai.base_url"
        ),
        is_passing=True,
    )


def _key_advice(server: Server) -> str:
    if server.key_variable is None:
        return (
            "name the environment variable that holds its key in generate.openai.api_key_variable"
        )
    return f"put the right key into the environment variable {server.key_variable}"


def _status_of(error: openai.APIError) -> int:
    """The status of an answer, or what an error within a stream says; 0: nothing."""
    if isinstance(error, openai.APIStatusError):
        return error.status_code
    code = str(error.code or "")
    return int(code) if code.isdecimal() else 0


def _message_of(error: openai.APIError) -> str:
    body = error.body
    if isinstance(body, dict):
        inner = body.get("error", body)
        said = inner.get("message") if isinstance(inner, dict) else inner
        code = inner.get("code") if isinstance(inner, dict) else None
        if isinstance(said, str):
            return said if code is None or str(code).isdecimal() else f"{said} ({code})"
    return error.message


def _too_long(message: str, prompt_tokens: int, answer_tokens: int) -> PromptTooLongError | None:
    """The error of a prompt that is too long, when the message says so in any server's words."""
    of_input = _INPUT_LIMIT.search(message)
    if of_input is not None:
        limit: int | None = _integer(of_input[1]) + answer_tokens
    else:
        limit = _first_number(_LIMITS, message)
        if limit is None and not _TOO_LONG.search(message):
            return None
    total = _first_number(_TOTALS, message)
    if total is None:
        total = (_first_number(_PROMPTS, message) or prompt_tokens) + answer_tokens
    return PromptTooLongError(
        total,
        limit,
        "lower generate.token_budget, or start the server with more context (vLLM: "
        "--max-model-len)",
    )


def _first_number(patterns: Sequence[str], message: str) -> int | None:
    for pattern in patterns:
        found = re.search(pattern, message, re.IGNORECASE)
        if found is not None:
            return _integer(found[1])
    return None


def _integer(written: str) -> int:
    return int(written.replace(",", ""))


def _asked_wait_s(error: openai.APIError) -> float | None:
    """How long the server asks to wait (Retry-After, RFC 9110 section 10.2.3)."""
    if not isinstance(error, openai.APIStatusError):
        return None
    said = error.response.headers.get("retry-after", "")
    if re.fullmatch(r"\d{1,9}(\.\d+)?", said.strip()):
        return float(said)
    when = email.utils.parsedate_tz(said)
    return None if when is None else max(0.0, email.utils.mktime_tz(when) - time.time())
