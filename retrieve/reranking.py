"""The best candidates are read once more, question and moment together, and ordered again.

Embeddings are made before a question is known; a reranker sees both at once, which orders better
and costs a pass of a large model for every candidate. So only the first few are read, and only as
long as time is left: the others keep their order behind them.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from index.embedders.loading import checkpoint_folder, load_quietly
from index.embedders.qwen import without_control_tokens
from index.errors import ModelMissingError
from retrieve.result import MILLISECONDS_PER_SECOND

if TYPE_CHECKING:
    from PIL.Image import Image

    from retrieve.hits import Candidate
    from retrieve.settings import RerankerSettings


@dataclass(frozen=True, slots=True)
class Shown:
    """One side of a comparison: words, a picture, or both."""

    text: str
    picture: Image | None = None


class Reranker(Protocol):
    """Reads a question together with what might answer it."""

    def scores(self, question: Shown, moments: Sequence[Shown]) -> list[float]:
        """How well each moment answers, 0..1, in their order."""


@dataclass(frozen=True, slots=True)
class Reranked:
    """Candidates, best first."""

    candidates: list[Candidate]
    num_read: int
    """So many of them were read, and stand before the others."""


def open_reranker(settings: RerankerSettings) -> Reranker | None:
    """Load the reranker that `settings` name; None for the profile `none`.

    Raises ModelMissingError when it is not on this machine and cannot be fetched, or does not load.
    """
    return None if settings.profile == "none" else QwenReranker(settings)


def rerank(
    reranker: Reranker,
    question: Shown,
    candidates: Sequence[Candidate],
    settings: RerankerSettings,
    *,
    picture_of: Callable[[int], bytes | None],
) -> Reranked:
    """Order the first `top_n` candidates by what the reranker says of them, within the time.

    `picture_of` gives the JPEG of a moment by its id, or None. They are read in batches; another
    one is begun while it will likely end in time. Those read get the reranker's score; the others
    follow in their order, below the lowest of these.
    """
    started = time.perf_counter()
    read: list[Candidate] = []
    longest_s = 0.0
    wanted = candidates[: settings.top_n]
    limit_s = settings.time_limit_ms / MILLISECONDS_PER_SECOND
    for first in range(0, len(wanted), settings.batch_size):
        begun = time.perf_counter()
        if first and begun - started + longest_s > limit_s:
            break
        batch = wanted[first : first + settings.batch_size]
        scores = reranker.scores(question, [_shown(candidate, picture_of) for candidate in batch])
        read += [
            replace(candidate, score=score) for candidate, score in zip(batch, scores, strict=True)
        ]
        longest_s = max(longest_s, time.perf_counter() - begun)
    lowest = min((candidate.score for candidate in read), default=1.0)
    rest = [replace(one, score=one.score * lowest) for one in candidates[len(read) :]]
    return Reranked([*sorted(read, key=lambda one: -one.score), *rest], len(read))


def _shown(candidate: Candidate, picture_of: Callable[[int], bytes | None]) -> Shown:
    from PIL import Image

    jpeg = picture_of(candidate.stored.id)
    return Shown(
        candidate.stored.moment.text, None if jpeg is None else Image.open(io.BytesIO(jpeg))
    )


class QwenReranker:
    """Qwen3-VL-Reranker (Li et al. 2026) through the CrossEncoder of sentence-transformers.

    It is asked whether a moment answers, and its score is the probability of "yes" against "no".
    """

    def __init__(self, settings: RerankerSettings) -> None:
        from sentence_transformers import CrossEncoder

        assert settings.model is not None
        folder = checkpoint_folder(settings.model, settings.revision)
        if not (folder / "modules.json").is_file():
            raise ModelMissingError(
                f"{folder} is no reranker of sentence-transformers: it has no modules.json; "
                "download a newer revision of Qwen3-VL-Reranker"
            )
        self._settings = settings
        self._lock = threading.Lock()
        self._model: Any = load_quietly(
            CrossEncoder,
            folder,
            device=settings.device or "cpu",
            threads=settings.threads,
            dtype=settings.dtype,
        )

    def scores(self, question: Shown, moments: Sequence[Shown]) -> list[float]:
        """Probability of "yes" for each moment, in their order."""
        import torch

        asked = _input(question)
        with self._lock:
            found = self._model.predict(
                [(asked, _input(moment)) for moment in moments],
                prompt=self._settings.instruction,
                batch_size=self._settings.batch_size,
                activation_fn=torch.nn.Sigmoid(),
                show_progress_bar=False,
            )
        return [float(score) for score in found]


def _input(shown: Shown) -> str | dict[str, Any]:
    """As sentence-transformers takes it. The order of keys is that of the prompt."""
    text = without_control_tokens(shown.text)
    if shown.picture is None:
        return text
    picture = shown.picture.convert("RGB")
    return {"image": picture, "text": text} if text else {"image": picture}
