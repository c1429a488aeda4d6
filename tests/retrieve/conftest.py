"""The hand-written archive, opened once for the tests of retrieval."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.embedders import Embedder, open_embedder
from index.settings import EmbedderSettings
from index.snapshot import Snapshot
from tests.retrieve.archive import build_archive


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return open_embedder(EmbedderSettings())


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Snapshot:
    return build_archive(tmp_path_factory.mktemp("archive") / "library", embedder)
