"""Listening: which address, whether that is allowed, and the server that runs there."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable
from contextlib import closing, suppress

import uvicorn

from index.errors import SettingsError
from secondsight.library import Library
from secondsight.server.app import create_app
from secondsight.server.guard import is_loopback
from secondsight.server.settings import ServeSettings

TOKEN_VARIABLE = "SECONDSIGHT_TOKEN"
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
"""What a bearer token may be (RFC 6750, section 2.1)."""
_BACKLOG = 128
_MAX_PORT = 65535
_SHUTDOWN_S = 5


def serve(library: Library, settings: ServeSettings, *, announce: Callable[[str], None]) -> None:
    """Serve a library over HTTP until the process is interrupted.

    `announce` is called once, with the address, when requests are taken; the models are loaded by
    then. Raises SettingsError when the address cannot be listened on, or other machines reach it
    and there is no token.
    """
    token = _token(settings)
    with closing(_bound_socket(settings)) as listener:
        host, port = listener.getsockname()[:2]
        if token is None and not is_loopback(host):
            raise SettingsError(
                f"serve.host {settings.host!r} lets other machines in: set {TOKEN_VARIABLE} (or "
                "serve.token) to what they must send, or listen on 127.0.0.1"
            )
        library.search("ready", k=1)  # loads the models before anyone waits for them
        config = uvicorn.Config(
            create_app(library, token=token, host=settings.host, permissions=settings.permissions),
            http="h11",
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            backlog=_BACKLOG,
            timeout_graceful_shutdown=_SHUTDOWN_S,
        )
        listener.listen(_BACKLOG)
        announce(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
        with suppress(KeyboardInterrupt):  # uvicorn has shut down and passes the signal on
            uvicorn.Server(config).run(sockets=[listener])


def _token(settings: ServeSettings) -> str | None:
    token = os.environ.get(TOKEN_VARIABLE) or settings.token
    if not token:
        return None
    if not _TOKEN.fullmatch(token):
        raise SettingsError(
            f"{TOKEN_VARIABLE} (or serve.token) may hold only letters, digits and -._~+/"
        )
    return token


def _bound_socket(settings: ServeSettings) -> socket.socket:
    """A socket at the address, not yet listening. Raises SettingsError."""
    if not 0 <= settings.port <= _MAX_PORT:
        raise SettingsError(f"serve.port must be 0..{_MAX_PORT}, got {settings.port}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise _cannot_listen(settings, error) from error
    try:
        if os.name == "posix":  # elsewhere the option would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise _cannot_listen(settings, error) from error
    return listener


def _cannot_listen(settings: ServeSettings, error: OSError | UnicodeError) -> SettingsError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return SettingsError(
        f"cannot listen on {settings.host!r} port {settings.port}: {reason}; choose another with "
        "--host and --port"
    )
