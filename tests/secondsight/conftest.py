"""Servers over a copy of the archive, shared by the tests of the HTTP API."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from index.inventory import read_inventory
from index.manifest import read_manifest
from index.shard import record_outcomes
from secondsight.server.run import TOKEN_VARIABLE
from tests.conftest import TALK
from tests.secondsight.served import TOKEN, Server, start, started


@pytest.fixture(scope="session")
def servers(
    archive: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server]]:
    """A server without a token and one with it, over a copy of the archive."""
    folder = tmp_path_factory.mktemp("served")
    directory, talk = folder / "library", folder / "talk.mp4"
    shutil.copytree(archive, directory)
    shutil.copy(TALK, talk)
    inventory = read_manifest(directory).inventory
    assert inventory is not None
    (row,) = [row for row in read_inventory(directory / inventory) if row.path == str(TALK)]
    moved = replace(row, path=str(talk), mtime_ns=talk.stat().st_mtime_ns)
    record_outcomes(directory, [replace(row, mtime_ns=row.mtime_ns - 1), moved])
    processes = [start(directory), start(directory, **{TOKEN_VARIABLE: TOKEN})]
    try:
        open_, closed = (started(process, directory, talk) for process in processes)
        yield open_, closed
        for process in processes:
            process.send_signal(signal.SIGINT)
        assert [process.wait(timeout=20) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


@pytest.fixture(scope="session")
def server(servers: tuple[Server, Server]) -> Server:
    """The server without a token."""
    return servers[0]


@pytest.fixture(scope="session")
def guarded(servers: tuple[Server, Server]) -> Server:
    """The server that wants `TOKEN`."""
    return servers[1]


@pytest.fixture(scope="session")
def ids(server: Server) -> dict[str, str]:
    """Source ids by name."""
    return {source["name"]: source["id"] for source in server.get("/v1/sources", {})["sources"]}
