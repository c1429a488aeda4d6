"""The default embedder on real sentences and real photographs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from index.embedders import Embedder, embedder_identity, open_embedder
from index.embedders.minilm import MiniLmEmbedder
from index.embedders.packages import installed_version, package_folder
from index.errors import ModelMissingError
from index.settings import EmbedderSettings

PHOTOS = Path(__file__).parent / "photos"
NAMES = ("cat", "coffee", "rocket")


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return open_embedder(EmbedderSettings())


def _photo(name: str) -> Image.Image:
    return Image.open(PHOTOS / f"{name}.jpg")


def test_texts_become_unit_rows_in_order(embedder: Embedder) -> None:
    texts = ["a long sentence about the tide at the old pier, measured twice a day", "tide", "x"]
    together = embedder.embed_texts(texts)
    assert together.shape == (3, embedder.identity.dims)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)
    alone = np.concatenate([embedder.embed_queries([text]) for text in texts])
    # Processors with bfloat16 round it here and there.
    np.testing.assert_array_less(0.9999, (together * alone).sum(axis=1))


def test_meaning_beats_shared_words(embedder: Embedder) -> None:
    query = embedder.embed_queries(["how do I turn the pump off?"])[0]
    same, other = embedder.embed_texts(
        ["To stop the water pump, press the red switch.", "How do I turn the page?"]
    )
    assert query @ same > query @ other


def test_texts_of_any_length_come_in_few_lengths(embedder: MiniLmEmbedder) -> None:
    """Memory does not grow with how many lengths there are: see `_PADDED_TO_TOKENS`."""
    lengths: set[int] = set()

    def note(_: object, given: tuple[dict[str, torch.Tensor], ...]) -> None:
        lengths.add(given[0]["input_ids"].shape[1])

    hook = embedder._text_model[0].register_forward_pre_hook(note)
    try:
        embedder.embed_texts([" ".join(["tide"] * words) for words in range(1, 320)])
    finally:
        hook.remove()
    assert lengths == set(range(32, 257, 32))


def test_nothing_in_nothing_out(embedder: Embedder) -> None:
    assert embedder.embed_texts([]).shape == (0, 384)
    images = embedder.embed_images([])
    assert images.vectors.shape == (0, 384)
    assert images.labels == ()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("cat", "cat"),
        ("a kitten looking around", "cat"),
        ("a cup of coffee", "coffee"),
        ("something hot to drink", "coffee"),
        ("rocket on its launch pad", "rocket"),
    ],
)
def test_queries_find_the_right_photo(embedder: Embedder, query: str, expected: str) -> None:
    images = embedder.embed_images([_photo(name) for name in NAMES])
    scores = images.vectors @ embedder.embed_queries([query])[0]
    assert NAMES[int(np.argmax(scores))] == expected, dict(zip(NAMES, scores, strict=True))


def test_labels_name_what_is_seen(embedder: Embedder) -> None:
    images = embedder.embed_images([_photo("cat"), _photo("coffee")])
    assert images.labels[0].startswith("Egyptian cat")
    assert images.labels[1].split(", ")[0] == "espresso"
    np.testing.assert_allclose(np.linalg.norm(images.vectors, axis=1), 1.0, atol=1e-5)


def test_picture_modes_and_batches_do_not_matter(embedder: Embedder) -> None:
    photo = _photo("coffee")
    many = embedder.embed_images([photo, photo.convert("RGBA"), *[photo] * 33])
    assert many.vectors.shape == (35, 384)
    np.testing.assert_allclose(many.vectors, np.tile(many.vectors[0], (35, 1)), atol=1e-4)
    assert embedder.embed_images([photo.convert("L")]).vectors.shape == (1, 384)


def test_identity_ignores_speed_settings(embedder: Embedder) -> None:
    fast = embedder_identity(EmbedderSettings(batch_size=8, threads=1))
    assert fast == embedder.identity
    assert "0.1.0" in fast.revision


def test_identity_needs_no_torch() -> None:
    code = (
        "import sys\n"
        "from index.embedders import embedder_identity\n"
        "from index.settings import EmbedderSettings\n"
        "assert embedder_identity(EmbedderSettings()).dims == 384\n"
        "heavy = {'torch', 'torchvision', 'transformers', 'sentence_transformers'}\n"
        "sys.exit(','.join(sorted(heavy & set(sys.modules))) or 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_opens_offline_and_in_silence() -> None:
    code = (
        "from index.embedders import open_embedder\n"
        "from index.settings import EmbedderSettings\n"
        "open_embedder(EmbedderSettings()).embed_queries(['tide'])\n"
    )
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=offline,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_missing_package_names_the_fix() -> None:
    with pytest.raises(ModelMissingError, match="pip install --force-reinstall no-such-package"):
        package_folder("no-such-package", "no_such_module_here")
    with pytest.raises(ModelMissingError, match="pip install --force-reinstall no-such-package"):
        installed_version("no-such-package")
