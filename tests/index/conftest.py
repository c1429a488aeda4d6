"""An empty library, and a place to write shards for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from index.manifest import create_library
from index.shard import staging_area
from tests.index.build import IDENTITY


@pytest.fixture
def library(tmp_path: Path) -> Path:
    create_library(tmp_path / "archive", IDENTITY)
    return tmp_path / "archive"


@pytest.fixture
def area(library: Path) -> Iterator[Path]:
    with staging_area(library) as directory:
        yield directory
