"""A server process as `secondsight serve` starts it, spoken to over a socket."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.conftest import command

TOKEN = "a-token.of~this/test+0="


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server sent."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    def problem(self) -> dict[str, Any]:
        """The body, which must be a problem with the status of the response."""
        assert self.headers["content-type"] == "application/problem+json"
        body: dict[str, Any] = self.json()
        assert {"type", "title", "status", "detail"} <= set(body)
        assert body["status"] == self.status
        assert "Traceback" not in body["detail"]
        return body


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and the library it serves."""

    process: subprocess.Popen[str]
    port: int
    library: Path
    talk: Path
    """The file of the talk that the inventory names; tests may change it."""

    def send(
        self,
        path: str,
        method: str = "GET",
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send one request, its path as it stands."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            got = connection.getresponse()
            named = {name.lower(): value for name, value in got.getheaders()}
            return Reply(got.status, named, got.read())
        finally:
            connection.close()

    def get(self, path: str, query: dict[str, Any]) -> Any:
        """The JSON of a request that must succeed."""
        reply = self.send(f"{path}?{urlencode(query, doseq=True)}")
        assert reply.status == 200, reply
        assert reply.headers["content-type"] == "application/json"
        return reply.json()

    def post(self, body: bytes) -> Reply:
        """A question in a JSON body."""
        return self.send("/v1/ask", "POST", body=body, headers={"Content-Type": "application/json"})


def start(library: Path, **environment: str) -> subprocess.Popen[str]:
    """A server process on a free port."""
    return subprocess.Popen(
        command("serve", "-L", library, "--port", "0"),
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def started(process: subprocess.Popen[str], library: Path, talk: Path) -> Server:
    """The server, once it has told its address and takes requests."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith(f"serving {library} on http://127.0.0.1:"), line
    server = Server(process, int(line.rsplit(":", 1)[1]), library, talk)
    assert server.send("/v1/health").json()["status"] == "ok"
    return server
