"""Cosines of related and unrelated pairs for the embedder of a configuration.

    python -m benchmarks.embedders --config multilingual

Questions are compared with sentences, in one language and across languages, and descriptions with
photographs. Thresholds on cosines (`retrieve.text_evidence_cosine`, `alike_pictures_cosine`) belong
between what is related and what is not: the middle between the mean of the related and the 95th
percentile of the unrelated is printed for each.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.embedders.pairs import ASKED, PICTURED, SAID
from index.embedders import Embedder, open_embedder
from secondsight.settings import load_settings

PHOTOS = Path(__file__).parents[2] / "tests" / "index" / "photos"
NAMES = ("cat", "coffee", "rocket")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embedders")
    parser.add_argument("--config", default="default")
    settings = load_settings(parser.parse_args().config)
    embedder = open_embedder(settings.index.embedder)
    print(f"{embedder.identity.id}, {embedder.identity.revision}")
    print("| | related: mean (least) | unrelated: mean (95th percentile) | middle | ordered |")
    print("|---|---|---|---|---|")
    _texts(embedder)
    _pictures(embedder)


def _texts(embedder: Embedder) -> None:
    topics, languages = len(SAID), len(SAID[0])
    questions = embedder.embed_queries([text for asked in ASKED for text in asked])
    sentences = embedder.embed_texts([text for said in SAID for text in said])
    cosines = questions @ sentences.T
    topic, language = np.divmod(np.arange(topics * languages), languages)
    related = topic[:, None] == topic
    same = language[:, None] == language
    english = language == 0
    _row("English", cosines, related, english[:, None] & english)
    _row("texts in one language", cosines, related, same)
    _row("texts in two languages", cosines, related, ~same)


def _pictures(embedder: Embedder) -> None:
    photos = [Image.open(PHOTOS / f"{name}.jpg") for name in NAMES]
    pictures = embedder.embed_images(photos).vectors
    queries = embedder.embed_queries([text for pictured in PICTURED for text in pictured])
    shown = np.repeat(np.arange(len(PICTURED)), len(PICTURED[0]))
    related = shown[:, None] == np.arange(len(NAMES))
    english = np.tile([True, True, False, False], len(PICTURED))[:, None]
    everywhere = np.ones_like(related)
    cosines = queries @ pictures.T
    _row("pictures, in English", cosines, related, english & everywhere)
    _row("pictures, in three languages", cosines, related, everywhere)


def _row(name: str, cosines: np.ndarray, related: np.ndarray, counted: np.ndarray) -> None:
    """`ordered`: share of pairs of a related and an unrelated one that are in the right order."""
    alike, other = cosines[related & counted], cosines[~related & counted]
    limit = float(np.percentile(other, 95))
    middle = (float(alike.mean()) + limit) / 2
    ordered = float((alike[:, None] > other[None]).mean())
    print(
        f"| {name} | {alike.mean():.2f} ({alike.min():.2f}) | {other.mean():.2f} ({limit:.2f}) "
        f"| {middle:.2f} | {ordered:.3f} |"
    )


if __name__ == "__main__":
    main()
