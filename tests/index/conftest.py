"""An empty library, and a place to write shards for it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.manifest import create_library
from index.shard import staging_area
from tests.index.build import IDENTITY
from tests.index.corruptions import full_library


@pytest.fixture
def library(tmp_path: Path) -> Path:
    create_library(tmp_path / "archive", IDENTITY)
    return tmp_path / "archive"


@pytest.fixture
def area(library: Path) -> Iterator[Path]:
    with staging_area(library) as directory:
        yield directory


@pytest.fixture(scope="session")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with some of everything; for reading only."""
    library = tmp_path_factory.mktemp("verified") / "archive"
    full_library(library)
    return library


@pytest.fixture
def copied(intact: Path, tmp_path: Path) -> Path:
    """A copy of it to be spoilt."""
    return Path(shutil.copytree(intact, tmp_path / "archive"))
