"""`python -m benchmarks.index.text --pdfs FOLDER OUT`: real sentences as moments to index.

Passages of PDFs and the sentences in them, embedded by the default profile; a section, as the
document's headings make it, is a segment. A question is the half of a sentence. Debian packages
with enough English text: texlive-latex-extra-doc, texlive-pictures-doc, octave-doc, pari-doc.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from benchmarks.index.data import QUESTIONS, Rows, exact_best, unit
from index.embedders import open_embedder
from index.errors import SecondsightError
from index.records import MomentKind
from index.settings import EmbedderSettings
from ingest.mupdf.opening import probe_document
from ingest.mupdf.reading import read_pages
from ingest.passages import document_moments
from ingest.settings import DocumentSettings
from retrieve.telling import sentence_borders

_LEAST_WORDS = 5
_MOST_MOMENTS = 200
"""Longer sections are cut: segments of videos and documents hold a few dozen moments."""
_EMBEDDED_AT_ONCE = 20_000
_NEEDLES = 0.05
_PAGES = 2000


def sections(folder: Path) -> Iterator[list[str]]:
    """Texts of each section of each PDF: passages, each followed by its sentences. None twice."""
    settings = DocumentSettings()
    seen: set[bytes] = set()
    for path in sorted(folder.rglob("*.pdf")):
        content = hashlib.sha256(path.read_bytes()).digest()
        if content in seen:
            continue
        seen.add(content)
        try:
            info = probe_document(str(path))
            pages = read_pages(
                str(path), info, 1, min(_PAGES, info.pages), settings, pictures=False
            )
            moments = document_moments(info, pages, settings)
        except SecondsightError:
            continue
        passages = [moment for moment in moments if moment.kind is MomentKind.PASSAGE]
        for _, group in groupby(passages, key=lambda moment: moment.heading):
            texts = []
            for passage in group:
                parts = [passage.text[a:b] for a, b in sentence_borders(passage.text)]
                for text in dict.fromkeys([passage.text, *parts]):
                    digest = hashlib.sha256(text.encode()).digest()
                    if digest not in seen and len(text.split()) >= _LEAST_WORDS:
                        seen.add(digest)
                        texts.append(text)
            for first in range(0, len(texts), _MOST_MOMENTS):
                yield texts[first : first + _MOST_MOMENTS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pdfs", type=Path, required=True)
    parser.add_argument("--moments", type=int, default=300_000)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    texts: list[str] = []
    owners: list[int] = []
    for number, section in enumerate(sections(arguments.pdfs)):
        texts += section
        owners += [number] * len(section)
        if len(texts) >= arguments.moments:
            break
    print(f"{len(texts):,} moments in {owners[-1] + 1:,} sections", flush=True)
    arguments.out.mkdir(parents=True)
    moments = _embedded(texts, arguments.out / "moments.npy")
    segment_of = np.array(owners, dtype=np.int64)
    cosines = np.einsum("ij,ij->i", moments, _centres(moments, segment_of)[segment_of])
    limit = np.quantile(cosines, _NEEDLES)
    sentences = np.array([len(text.split()) >= 2 * _LEAST_WORDS for text in texts])
    generator = np.random.default_rng(0)
    halves = [np.flatnonzero((cosines > limit) & sentences), np.flatnonzero(cosines <= limit)]
    targets = np.concatenate([generator.choice(h, QUESTIONS // 2, replace=False) for h in halves])
    queries = open_embedder(EmbedderSettings()).embed_queries(
        [_half(texts[target], seed) for seed, target in enumerate(targets.tolist())]
    )
    arrays = {"segment_of": segment_of, "targets": targets, "truth": exact_best(moments, queries)}
    for name, array in arrays.items():
        np.save(arguments.out / f"{name}.npy", array)
    np.save(arguments.out / "queries.npy", queries)
    words = (
        f"{len(texts):,} passages and sentences of PDFs in {owners[-1] + 1:,} sections, "
        f"{moments.shape[1]} dims"
    )
    (arguments.out / "about.json").write_text(json.dumps({"words": words}))


def _embedded(texts: list[str], path: Path) -> Rows:
    embedder = open_embedder(EmbedderSettings())
    dims = embedder.identity.dims
    moments = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(len(texts), dims))
    began = time.perf_counter()
    for first in range(0, len(texts), _EMBEDDED_AT_ONCE):
        part = texts[first : first + _EMBEDDED_AT_ONCE]
        moments[first : first + len(part)] = embedder.embed_texts(part)
        rate = (first + len(part)) / (time.perf_counter() - began)
        print(f"{first + len(part):,} embedded, {rate:.0f}/s", flush=True)
    return moments


def _centres(moments: Rows, segment_of: np.ndarray) -> Rows:
    starts = np.flatnonzero(np.diff(segment_of, prepend=-1))
    sums = np.add.reduceat(moments, starts)
    centres = np.zeros((int(segment_of[-1]) + 1, moments.shape[1]), dtype=np.float32)
    centres[segment_of[starts]] = unit(sums)
    return centres


def _half(text: str, seed: int) -> str:
    """One half of the words of a text, in order, from a random place."""
    words = text.split()
    count = max(3, len(words) // 2)
    first = random.Random(seed).randint(0, max(0, len(words) - count))
    return " ".join(words[first : first + count])


if __name__ == "__main__":
    main()
