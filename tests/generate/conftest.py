"""The hand-written archive, opened once for the tests of answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from transformers import AutoProcessor

from generate.backends.qwen_loading import LoadedModel, load_qwen3_vl
from generate.settings import Qwen3VLSettings
from generate.token_costs import TOKENIZER_FILE, TokenCosts, read_text_counter
from index.embedders import Embedder
from index.snapshot import Snapshot
from tests.generate.tiny_qwen3_vl import write_tiny_qwen3_vl
from tests.retrieve.archive import build_archive, shared_embedder


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return shared_embedder()


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Snapshot:
    return build_archive(tmp_path_factory.mktemp("archive") / "library", embedder)


@pytest.fixture(scope="session")
def qwen_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Qwen3-VL with the real vocabulary and processor."""
    return write_tiny_qwen3_vl(tmp_path_factory.mktemp("qwen") / "tiny")


@pytest.fixture(scope="session")
def qwen_processor(qwen_folder: Path) -> Any:
    """Its processor."""
    load: Any = AutoProcessor.from_pretrained
    return load(qwen_folder)


@pytest.fixture(scope="session")
def qwen_costs(qwen_folder: Path) -> TokenCosts:
    """How it counts."""
    return TokenCosts(read_text_counter(qwen_folder), is_exact=True)


@pytest.fixture(scope="session")
def qwen_tokenizer(qwen_folder: Path) -> Tokenizer:
    """Its tokenizer, bare."""
    return Tokenizer.from_file(str(qwen_folder / TOKENIZER_FILE))


@pytest.fixture(scope="session")
def tiny(qwen_folder: Path) -> LoadedModel:
    """The tiny Instruct model, loaded."""
    return load_qwen3_vl(Qwen3VLSettings(model=str(qwen_folder), device="cpu"))


@pytest.fixture(scope="session")
def thinking(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """The tiny Thinking model, loaded."""
    folder = write_tiny_qwen3_vl(tmp_path_factory.mktemp("qwen") / "thinking", kind="thinking")
    return load_qwen3_vl(Qwen3VLSettings(model=str(folder), device="cpu"))
