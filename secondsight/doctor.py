"""What this machine can run, and what is missing and how to get it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psutil

from generate.backends import open_backend
from index.embedders import embedder_identity, open_embedder
from index.errors import SecondsightError
from index.manifest import MANIFEST_NAME, check_embedder, read_manifest
from ingest.screen_text import ScreenTextReader
from ingest.speech import SpeechRecognizer
from retrieve.reranking import open_reranker
from secondsight.settings import Settings

MIN_FREE_BYTES = 2 * 1024**3
MIN_MEMORY_BYTES = 3 * 1024**3
PACKAGES = ("av", "duckdb", "faiss-cpu", "pymupdf", "ray", "tantivy", "torch", "transformers")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    ok: bool
    found: str
    fix: str = ""
    """What to do when it is not ok."""


def examine(settings: Settings, library: Path) -> list[Check]:
    """Look at the machine and the library, and load every model; nothing is changed."""
    return [
        _python(),
        _packages(),
        _processors(),
        _memory(),
        _disk(library),
        _model("embedder", lambda: open_embedder(settings.index.embedder).identity.id),
        *_reranker(settings),
        *backend_check(settings),
        _model("speech", lambda: _loaded_speech(settings)),
        _model("on-screen text", lambda: _loaded_reader(settings)),
        _library(library, settings),
    ]


def _python() -> Check:
    version = sys.version.split()[0]
    return Check("python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")


def _packages() -> Check:
    found, missing = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    fix = f"pip install {' '.join(missing)}"
    return Check("packages", not missing, ", ".join(found), fix)


def _processors() -> Check:
    import torch

    found = f"{os.cpu_count()} CPU cores"
    if torch.cuda.is_available():
        found += f", {torch.cuda.device_count()} x {torch.cuda.get_device_name()}"
    return Check("processors", True, found)


def _memory() -> Check:
    total = psutil.virtual_memory().total
    found = f"{total / 1024**3:.1f} GiB"
    return Check("memory", total >= MIN_MEMORY_BYTES, found, "ingest needs about 3 GiB")


def _disk(library: Path) -> Check:
    place = library.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    fix = f"free some space on the disk of {place}"
    return Check("disk", free >= MIN_FREE_BYTES, f"{free / 1024**3:.1f} GiB free", fix)


def _reranker(settings: Settings) -> list[Check]:
    """Whether the reranker loads, where the configuration names one."""
    reranker = settings.retrieve.reranker
    if reranker.profile == "none":
        return []

    def load() -> str:
        open_reranker(reranker)
        return f"{reranker.profile} {reranker.model}"

    return [_model("reranker", load)]


def backend_check(settings: Settings) -> list[Check]:
    """Whether what writes answers loads, or can be reached; empty where they are quoted."""
    if not settings.generate.backends:
        return []

    def load() -> str:
        backend = open_backend(settings.generate)
        assert backend is not None
        return f"{backend.name}, up to {backend.context_tokens:,} tokens"

    return [_model("answers", load)]


def _loaded_speech(settings: Settings) -> str:
    SpeechRecognizer(settings.ingest.speech)
    return settings.ingest.speech.model


def _loaded_reader(settings: Settings) -> str:
    ScreenTextReader(settings.ingest.screen_text)
    return f"PP-OCRv6 on {settings.ingest.screen_text.engine}"


def _model(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except SecondsightError as error:
        return Check(name, False, "missing", str(error))


def _library(library: Path, settings: Settings) -> Check:
    if not (library / MANIFEST_NAME).exists():
        return Check("library", True, f"none at {library} yet; ingest makes it")
    try:
        manifest = read_manifest(library)
        check_embedder(library, manifest, embedder_identity(settings.index.embedder))
    except SecondsightError as error:
        return Check("library", False, str(library), str(error))
    found = f"{library}: generation {manifest.generation}, {len(manifest.shards)} shards"
    return Check("library", True, found)
