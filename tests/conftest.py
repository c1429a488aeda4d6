"""Fixtures shared by all tests: the sample media with their truth, and one library of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from secondsight import Library

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

# An example's time says how busy the machine is.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

MEDIA = Path(__file__).parent / "media"
TALK = MEDIA / "halden_talk.mp4"
MANUAL = MEDIA / "halden_manual.pdf"


def secondsight(
    *arguments: str | Path, check: bool = True, timeout_s: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does, in a process of its own."""
    done = subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=timeout_s, check=False
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{arguments} exited with {done.returncode}:\n{done.stderr}")
    return done


def command(*arguments: str | Path) -> list[str]:
    """The command line that runs this checkout."""
    return [sys.executable, "-m", "secondsight", *map(str, arguments)]


def ingest_json(library: Path, paths: Sequence[Path], *, check: bool = True) -> dict[str, Any]:
    """Ingest with the command line; its JSON report."""
    done = secondsight("ingest", "--json", "-L", library, *paths, check=check)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.fixture(scope="session")
def talk_truth() -> dict[str, Any]:
    """What is said and shown in the sample talk, and when."""
    truth: dict[str, Any] = json.loads(TALK.with_suffix(".truth.json").read_text("utf-8"))
    return truth


@pytest.fixture(scope="session")
def manual_truth() -> dict[str, Any]:
    """What is written in the sample manual, and where."""
    truth: dict[str, Any] = json.loads(MANUAL.with_suffix(".truth.json").read_text("utf-8"))
    return truth


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library directory that holds the sample talk and manual, made by the command line."""
    directory = tmp_path_factory.mktemp("archive") / "library"
    ingest_json(directory, [TALK, MANUAL])
    return directory


@pytest.fixture(scope="session")
def library(archive: Path) -> Library:
    """The same library, opened; tests only read from it."""
    return Library.open(archive)
