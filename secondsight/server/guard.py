"""Who and what gets in: the token, the Host header, and how large a request may be."""

from __future__ import annotations

import hmac
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retrieve.pictures import MAX_PICTURE_BYTES
from secondsight.server.problems import problem_response

OPEN_PATH = "/v1/health"
"""Needs no token: it tells nothing about the archive."""
PICTURE_PATH = "/v1/search"
"""Takes a picture as its body."""
ASK_PATH = "/v1/ask"
"""Takes earlier turns with their answers and quotes in its body."""
MAX_BODY_BYTES = 64 * 1024
MAX_ASKED_BYTES = 1024 * 1024
_MAX_DROPPED_BYTES = 64 * 1024 * 1024
"""So much of a body that is too large is read and dropped, so that the client reads the answer."""


def is_loopback(host: str) -> bool:
    """True for an address of this machine that no other machine reaches, and for localhost."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """ASGI middleware in front of all routes.

    With a token, every path but `OPEN_PATH` needs it (RFC 6750). Without one, the server listens
    on this machine only, and the Host header must say so: else a web page could reach it through
    a name of its own that it points here (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, *, token: str | None, host: str) -> None:
        self._app = app
        self._token = None if token is None else token.encode()
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a problem, or pass on a request whose body is complete."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        body = None
        most = _most_bytes(scope)
        if refusal is None:
            body = await _bounded_body(receive, most)
        if body is None:
            refusal = refusal or problem_response(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"a request body may have {most} bytes here",
                headers={"Connection": "close"},
            )
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._app(scope, replay, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if self._token is None:
            return self._wrong_host(headers.get("host", ""))
        if scope["path"] == OPEN_PATH:
            return None
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return problem_response(
                HTTPStatus.UNAUTHORIZED,
                "this server wants its token: Authorization: Bearer <token>",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if not hmac.compare_digest(given.strip().encode(), self._token):
            return problem_response(
                HTTPStatus.UNAUTHORIZED,
                "this is not the token of this server",
                headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
            )
        return None

    def _wrong_host(self, header: str) -> Response | None:
        try:
            host = urlsplit(f"//{header}").hostname or ""
        except ValueError:
            host = ""
        if is_loopback(host) or (host and host == self._host.lower()):
            return None
        return problem_response(
            HTTPStatus.MISDIRECTED_REQUEST,
            "without a token this server answers to its own address only, not to other names",
        )


def _most_bytes(scope: Scope) -> int:
    """How large the body of a request may be."""
    if scope["method"] != "POST":
        return MAX_BODY_BYTES
    return {PICTURE_PATH: MAX_PICTURE_BYTES, ASK_PATH: MAX_ASKED_BYTES}.get(
        scope["path"], MAX_BODY_BYTES
    )


async def _bounded_body(receive: Receive, most_bytes: int) -> bytes | None:
    """The body of a request; None when it is too large."""
    chunks: list[bytes] = []
    size_bytes = 0
    while size_bytes <= _MAX_DROPPED_BYTES:
        message = await receive()
        chunk: bytes = message.get("body", b"")
        size_bytes += len(chunk)
        if size_bytes <= most_bytes:
            chunks.append(chunk)
        else:
            chunks.clear()
        if not message.get("more_body", False):
            break
    return b"".join(chunks) if size_bytes <= most_bytes else None
