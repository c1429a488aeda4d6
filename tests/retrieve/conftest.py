"""The hand-written archive, opened once for the tests of retrieval."""

from __future__ import annotations

import pytest

from index.embedders import Embedder
from index.snapshot import Snapshot
from tests.retrieve.archive import build_archive, shared_embedder


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return shared_embedder()


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Snapshot:
    return build_archive(tmp_path_factory.mktemp("archive") / "library", embedder)
