"""The archive: talks are made and everything is ingested, what is there already is kept."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.ingest.clips import fetch_clips
from benchmarks.retrieval.media import Talk, talk
from benchmarks.retrieval.plan import DOCUMENTS, find_documents
from benchmarks.retrieval.scripts import scripts
from benchmarks.retrieval.truth import Truth, read_truth
from secondsight import Library
from secondsight.settings import Settings

SEED = 2026


@dataclass(frozen=True, slots=True)
class Archive:
    """A library and what is true of it."""

    library: Library
    truth: Truth


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What every program that asks the archive takes."""
    folder = Path(tempfile.gettempdir()) / "secondsight-benchmark-media"
    parser.add_argument("--media", type=Path, default=folder, help="default: %(default)s")
    parser.add_argument("--archive", type=Path, default=folder / "retrieval")
    parser.add_argument("--minutes", type=float, default=10.0, help="length of a talk")
    parser.add_argument("--config", help="settings of the library; another embedder, another one")


def build_archive(
    media: Path,
    directory: Path,
    settings: Settings,
    *,
    minutes: float,
    seed: int = SEED,
    ingest: bool = True,
) -> Archive:
    """Make what is missing below `directory` from the packages' files below `media`.

    Without `ingest` the library stays as it is, and only what it holds is asked for. Raises
    EmbedderMismatchError when it was made with another embedder than that of `settings`.
    """
    documents = find_documents(media / "pdfs")
    clips = media / "clips"
    talks: list[Talk] = []
    for plan, scenes in scripts(documents, minutes=minutes, seed=seed):
        _say(f"talk {plan.name}")
        talks.append(talk(directory / "media", plan, scenes, clips=clips, seed=seed))
    library = Library.open(directory / "library", settings=settings, create=ingest)
    if ingest:
        paths = [documents[plan.document] for plan in DOCUMENTS]
        _ingest(library, [*paths, *fetch_clips(clips), *(one.path for one in talks)])
    held = frozenset(source.name for source in library.snapshot().sources.values())
    return Archive(library, read_truth(talks, documents, held=held))


def _ingest(library: Library, paths: Sequence[Path]) -> None:
    _say(f"ingesting what is new of {len(paths)} files")
    report = library.ingest(paths)
    failed = [f"{one.path}: {one.reason}" for one in report.with_outcome("failed")]
    if failed:
        raise SystemExit("not everything could be ingested\n" + "\n".join(failed))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
