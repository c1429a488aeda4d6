"""`python -m benchmarks.segments --pdfs FOLDER`: are talks cut where their topic turns?

Talks are made of sections of real documents, spoken at one speed without pictures (see `talks`),
embedded with the default embedder, and cut once as ingest does and once with vectors that say
nothing. Pk and WindowDiff count wrong borders (0 is perfect, 0.5 is guessing); sections longer than
a segment may be are cut within, too, which both count as wrong: there, look at the turns that are
met. FOLDER holds the Debian packages c++-annotations-pdf, r-doc-pdf and why3-doc-pdf, unpacked
(apt-get download NAME; dpkg -x FILE FOLDER).

The weights in `ingest.segments` were chosen with --first-seed 0; the default seeds are others.
"""

from __future__ import annotations

import argparse
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt

from benchmarks.ingest.slides import find_unpacked
from benchmarks.segments.scores import pk, window_diff, window_of
from benchmarks.segments.talks import (
    DOCUMENTS,
    PACKAGES,
    Section,
    Talk,
    consecutive_talk,
    mixed_talk,
    read_sections,
)
from index.embedders import open_embedder
from index.records import Span
from index.settings import EmbedderSettings
from ingest.segments import segment_video
from ingest.settings import SegmentSettings

Vectors = npt.NDArray[np.float32]

SHORT_S = (20.0, 55.0)
LONG_S = (60.0, 150.0)


@dataclass(frozen=True, slots=True)
class Score:
    """One way of cutting one talk."""

    pk: float
    window_diff: float
    met: float
    """Share of the turns at which a segment begins exactly."""
    per_minute: float
    """Segments a minute."""


def main() -> None:
    """Read the documents, make the talks, cut them twice, print Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pdfs", type=Path, required=True, help="folder searched for the PDFs")
    parser.add_argument("--talks", type=int, default=20, help="talks of each kind")
    parser.add_argument("--first-seed", type=int, default=1000)
    given = parser.parse_args()
    paths = find_unpacked(given.pdfs, DOCUMENTS, PACKAGES)
    documents = [read_sections(path) for path in paths.values()]
    seeds = range(given.first_seed, given.first_seed + given.talks)
    kinds = make_talks(documents, seeds)
    embedder = open_embedder(EmbedderSettings())
    print("| talks | cut by | Pk | WindowDiff | turns met, % | segments a minute |")
    print("| --- | --- " + "| ---: " * 4 + "|")
    for name, talks in kinds.items():
        vectors = [embedder.embed_texts([said.text for said in talk.utterances]) for talk in talks]
        alike = [np.repeat(rows[:1], len(rows), axis=0) for rows in vectors]
        for how, told in (("length and pauses", alike), ("**meaning, too**", vectors)):
            scores = [score(talk, rows) for talk, rows in zip(talks, told, strict=True)]
            print(f"| {name} | {how} | {_mean_row(scores)} |", flush=True)


def make_talks(
    documents: Sequence[Sequence[Section]], seeds: Sequence[int]
) -> dict[str, list[Talk]]:
    """Talks of each kind, one a seed."""

    def consecutive(seed: int, length_s: tuple[float, float], count: int, depth: int) -> Talk:
        sections = documents[seed % len(documents)]
        return consecutive_talk(sections, seed, count=count, length_s=length_s, depth=depth)

    short, long = "of 20 to 55 s", "of 60 to 150 s"
    return {
        f"sections of different documents, {short}": [
            mixed_talk(documents, seed, count=15, length_s=SHORT_S, depth=9) for seed in seeds
        ],
        f"sections of one document in their order, {short}": [
            consecutive(seed, SHORT_S, count=9, depth=9) for seed in seeds
        ],
        f"chapters of different documents, {long}": [
            mixed_talk(documents, seed, count=7, length_s=LONG_S, depth=2) for seed in seeds
        ],
        f"chapters of one document in their order, {long}": [
            consecutive(seed, LONG_S, count=4, depth=1) for seed in seeds
        ],
    }


def score(talk: Talk, vectors: Vectors) -> Score:
    """Cut a talk and compare with its turns."""
    segments = segment_video(talk.utterances, vectors, (), talk.duration, SegmentSettings())
    cuts = [one.extent.start for one in segments[1:] if isinstance(one.extent, Span)]
    starts = [said.span.start for said in talk.utterances[1:]]
    turns = set(talk.turns)
    truth = [int(start in turns) for start in starts]
    # A cut in the pause before a sentence, or inside the sentence before it, is a cut before it.
    cut_before = {bisect_left(starts, cut) for cut in cuts}
    found = [int(row in cut_before) for row in range(len(starts))]
    window = window_of(truth)
    return Score(
        pk(truth, found, window),
        window_diff(truth, found, window),
        len(turns.intersection(cuts)) / len(turns),
        len(segments) / float(talk.duration) * 60,
    )


def _mean_row(scores: Sequence[Score]) -> str:
    return " | ".join(
        (
            f"{fmean(one.pk for one in scores):.3f}",
            f"{fmean(one.window_diff for one in scores):.3f}",
            f"{fmean(one.met for one in scores):.0%}".removesuffix("%"),
            f"{fmean(one.per_minute for one in scores):.2f}",
        )
    )


if __name__ == "__main__":
    main()
