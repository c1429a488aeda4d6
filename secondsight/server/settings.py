"""Settings of the HTTP API."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """Where the HTTP API listens and who may use it."""

    host: str = "127.0.0.1"
    """Address or name to listen on; one that other machines reach needs a token."""
    port: int = 8000
    """0: any free port."""
    token: str | None = None
    """What clients send as `Authorization: Bearer`; SECONDSIGHT_TOKEN goes before it."""
    permissions: tuple[str, ...] = ()
    """Of sources with permission tags, only those with one of these are shown."""
