"""Is the right moment found? `python -m benchmarks.retrieval --media FOLDER --archive FOLDER`.

Makes talks from the PDFs of Debian packages (`plan.py` names them; unpacked below pdfs/ of the
folder of --media), narrated by espeak-ng, ingests them with documents and clips into a library in
the folder of --archive, asks questions whose answers are known, and prints tables. What is there
is kept: asking again takes minutes. Tune on --split dev; test is for what is published.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from benchmarks.retrieval.archive import SEED, add_arguments, build_archive
from benchmarks.retrieval.fusions import fusions
from benchmarks.retrieval.questions import all_questions
from benchmarks.retrieval.systems import Remembering, run, systems
from benchmarks.retrieval.tables import (
    archive_table,
    confidence_table,
    draw_reliability,
    kinds_table,
    latency_line,
    misses,
    systems_table,
)
from index.embedders import open_embedder
from secondsight.settings import load_settings

SHOWN = ("fused", "dense alone", "lexical alone", "naive: whisper and MiniLM", "BM25 alone")


def main() -> None:
    """Make what is missing, ask, print."""
    given = _arguments()
    settings = load_settings(given.config)
    archive = build_archive(
        given.media,
        given.archive,
        settings,
        minutes=given.minutes,
        ingest=not given.as_it_is,
    )
    questions = all_questions(archive.truth, seed=SEED)
    print(f"{os.cpu_count()} CPU cores, load {os.getloadavg()[0]:.1f}\n")
    print(archive_table(archive.truth, questions))
    asked = [question for question in questions if question.split == given.split]
    embedder = Remembering(open_embedder(settings.index.embedder))
    snapshot = archive.library.snapshot()
    compared = fusions if given.fusions else systems
    results = {
        system.name: run(system, asked)
        for system in compared(snapshot, embedder, settings.retrieve)
    }
    print(f"\n{given.split}, all answerable questions in words:\n")
    print(systems_table(results, seed=SEED))
    print("\nhit@1 / hit@5:\n")
    whole = next(iter(results.values()))
    if given.fusions:
        print(kinds_table(results, list(results)[:1]))
    else:
        print(kinds_table(results, SHOWN))
        print(f"\n{confidence_table(whole)}\n\n{latency_line(whole)}")
    if given.diagram:
        draw_reliability(whole, given.diagram)
    if given.misses:
        print(f"\n{misses(whole)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--fusions", action="store_true", help="compare ways to join the lists")
    parser.add_argument("--as-it-is", action="store_true", help="ingest nothing")
    parser.add_argument("--misses", action="store_true", help="list questions answered wrongly")
    parser.add_argument("--diagram", type=Path, help="picture of the reliability diagram (PNG)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
