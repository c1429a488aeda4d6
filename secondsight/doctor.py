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

from index.embedders import embedder_identity
from index.errors import SecondsightError
from index.manifest import MANIFEST_NAME, check_embedder, read_manifest
from ingest.screen_text import check_screen_text
from ingest.speech import check_speech
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
    """Look at the machine, the models and the library; nothing is changed."""
    return [
        _python(),
        _packages(),
        _processors(),
        _memory(),
        _disk(library),
        _model("embedder", lambda: embedder_identity(settings.index.embedder).id),
        _model("speech", lambda: check_speech(settings.ingest.speech)),
        _model("on-screen text", lambda: check_screen_text(settings.ingest.screen_text)),
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
