"""The backend `openai`: a model on a server that speaks OpenAI's chat protocol.

vLLM, SGLang, DashScope and others do. What is sent is written in `generate.backends.
server_messages`, what is understood of refusals in `server_errors`; a question is asked in
`server_exchange`.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import openai

from generate.backends import Ending, TextStream
from generate.backends.server_errors import Server, trouble_of
from generate.backends.server_exchange import Exchange, Patience, Request, pieces
from generate.backends.server_messages import messages_of
from generate.token_costs import TokenCosts, estimate_text, read_text_counter
from index.errors import BackendError

if TYPE_CHECKING:
    from generate.prompt import Prompt
    from generate.settings import OpenAISettings

_CONNECT_S = 10.0
_LISTED_S = 30.0
_SHOWN_MODELS = 8
_THINKING_OPENING = "assistant\n<think>\n"


class OpenAIBackend:
    """A model on a server that answers prompts."""

    def __init__(
        self, settings: OpenAISettings, server: Server, *, served_tokens: int | None = None
    ) -> None:
        """`served_tokens`: the context that the server says its model has.

        Raises ModelMissingError when the tokenizer's folder holds none.
        """
        self._settings = settings
        self._server = server
        self.name = f"openai {server.model} at {server.address}"
        self.context_tokens = min(settings.context_tokens, served_tokens or settings.context_tokens)
        count, folder = estimate_text, settings.tokenizer
        costs = TokenCosts(
            count if folder is None else read_text_counter(Path(folder)),
            # Where one video begins and ends is written differently by versions of vLLM.
            is_exact=folder is not None and settings.frames_as == "pictures",
            frames_as=settings.frames_as,
        )
        if settings.max_thought_tokens:
            costs = replace(costs, answer_opening=_THINKING_OPENING)
        self.costs = costs
        """How it counts."""

    def count(self, prompt: Prompt) -> int:
        """Tokens of the prompt without loading a pixel; exact with a tokenizer."""
        return self.costs.of_prompt(prompt)

    def stream(
        self, prompt: Prompt, *, max_answer_tokens: int, stop: threading.Event
    ) -> TextStream:
        """Pieces of the answer's text as they come; see `generate.backends.Backend`.

        Raises AnswerCutError, with the text that had come, when the server breaks off.
        """
        return TextStream(self._pieces(prompt, max_answer_tokens, stop))

    def _pieces(
        self, prompt: Prompt, max_answer_tokens: int, stop: threading.Event
    ) -> Generator[str, None, Ending]:
        settings = self._settings
        request = self._request(prompt, max_answer_tokens)
        exchange = Exchange(
            lambda: _client(openai.AsyncOpenAI, settings, self._server),
            self._server,
            request,
            Patience(retry_s=settings.retry_s, timeout_s=settings.timeout_s),
        )
        return (yield from pieces(exchange.answer, stop))

    def _request(self, prompt: Prompt, max_answer_tokens: int) -> Request:
        settings = self._settings
        prompt_tokens = self.count(prompt)
        room = self.context_tokens - prompt_tokens - max_answer_tokens
        thoughts = max(0, min(settings.max_thought_tokens, room))
        sent = messages_of(prompt, frames_as=settings.frames_as)
        fields: dict[str, Any] = {
            "model": self._server.model,
            "messages": sent.messages,
            "max_tokens": max_answer_tokens + thoughts,
            "seed": settings.seed,
        }
        if settings.temperature is not None:
            fields["temperature"] = settings.temperature
        return Request(
            fields,
            sent.extra,
            thinks=settings.max_thought_tokens > 0,
            prompt_tokens=prompt_tokens,
            answer_tokens=max_answer_tokens + thoughts,
        )


def open_openai(settings: OpenAISettings) -> OpenAIBackend:
    """Ask a server what it serves, and take its model.

    Raises BackendError when it does not answer, does not serve the model, or when the environment
    variable of the key is empty; ModelMissingError when the tokenizer's folder holds none.
    """
    if settings.base_url is None:
        raise BackendError("generate.openai.base_url: name the address of a server")
    server = Server(
        _without_user(settings.base_url),
        settings.model or "",
        _key(settings.api_key_variable),
        settings.api_key_variable,
    )
    models = _listed(settings, server)
    if models is None:  # It does not tell; then the model must be named.
        if not server.model:
            raise BackendError(
                f"{server.address} does not list its models; name one in generate.openai.model"
            )
        return OpenAIBackend(settings, server)
    model = settings.model or (next(iter(models)) if len(models) == 1 else None)
    if model not in models:
        names = ", ".join(list(models)[:_SHOWN_MODELS]) or "nothing"
        wanted = f"{settings.model!r}" if settings.model else "no model is named;"
        verb = "is not served by" if settings.model else "there are several at"
        raise BackendError(
            f"generate.openai.model: {wanted} {verb} {server.address}, which has {names}"
        )
    return OpenAIBackend(settings, replace(server, model=model), served_tokens=models[model])


def _listed(settings: OpenAISettings, server: Server) -> dict[str, int | None] | None:
    """Models that a server has, with their contexts; None where it has no such list."""
    client: openai.OpenAI = _client(openai.OpenAI, settings, server)
    with client:
        try:
            reply = client.models.with_raw_response.list(
                timeout=_LISTED_S, extra_headers=server.headers
            )
            models = json.loads(reply.content)["data"]
            return {str(model["id"]): _context_of(model) for model in models}
        except openai.NotFoundError:
            return None
        except openai.APIError as error:
            trouble = trouble_of(error, server, prompt_tokens=0, answer_tokens=0)
            raise trouble.error from error
        except (ValueError, KeyError, TypeError) as error:
            raise BackendError(
                f"{server.address}/models is no list of models; generate.openai.base_url ends "
                "with the version, like http://localhost:8000/v1"
            ) from error


def _context_of(model: Mapping[str, object]) -> int | None:
    """What vLLM and SGLang say beside a model's name."""
    length = model.get("max_model_len")
    return length if isinstance(length, int) and length > 0 else None


def _client(make: Callable[..., Any], settings: OpenAISettings, server: Server) -> Any:
    """A client of the server that takes no key from the environment.

    Left to itself it would send OPENAI_API_KEY to any server; see also `Server.headers`.
    """
    headers = {"OpenAI-Organization": openai.omit, "OpenAI-Project": openai.omit}
    return make(
        base_url=settings.base_url,
        api_key=server.api_key or "none",
        default_headers=headers,
        max_retries=0,
        timeout=openai.Timeout(settings.silence_s, connect=_CONNECT_S),
    )


def _key(variable: str | None) -> str:
    if variable is None:
        return ""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise BackendError(
            f"the environment variable {variable} is empty; put the server's key into it, or set "
            "generate.openai.api_key_variable to null"
        )
    return key


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
