"""Reranking: a tiny Qwen3-VL-Reranker in the real format, and the bounds around any reranker."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from index.embedders import Embedder
from index.errors import ModelMissingError, SettingsError
from index.records import MomentKind
from index.snapshot import Snapshot
from retrieve.filters import Filters
from retrieve.hits import Candidate
from retrieve.reranking import QwenReranker, Shown, open_reranker, rerank
from retrieve.search import search
from retrieve.settings import RerankerSettings, RetrieveSettings
from tests.checkpoints import write_qwen_embedding, write_qwen_reranker

NO_FILTERS = Filters()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_qwen_reranker(tmp_path_factory.mktemp("reranker") / "Qwen3-VL-Reranker-tiny")


def _settings(folder: Path, top_n: int = 6) -> RerankerSettings:
    return RerankerSettings(profile="qwen3-vl-reranker", model=str(folder), top_n=top_n)


@pytest.fixture(scope="module")
def qwen(folder: Path) -> QwenReranker:
    return QwenReranker(_settings(folder))


class CountsLetters:
    """Prefers long texts, and takes its time."""

    def __init__(self, takes_s: float = 0.0) -> None:
        self.takes_s = takes_s
        self.asked: list[str] = []
        self.shown: list[Shown] = []

    def scores(self, question: Shown, moments: Sequence[Shown]) -> list[float]:
        self.asked.append(question.text)
        self.shown += moments
        time.sleep(self.takes_s)
        return [len(moment.text) / 10_000 for moment in moments]


@pytest.fixture
def candidates(archive: Snapshot) -> list[Candidate]:
    utterances = [int(row) for row in range(archive.num_moments)]
    stored = archive.moments(utterances)
    kept = [one for one in stored if one.moment.kind is MomentKind.UTTERANCE][:10]
    return [Candidate(one, 1.0 - 0.05 * rank, None) for rank, one in enumerate(kept)]


def _no_picture(moment_id: int) -> None:
    """None has one."""


def test_texts_and_pictures_get_a_score_each(qwen: QwenReranker) -> None:
    picture = Image.new("RGB", (80, 60), "red")
    moments = [
        Shown("the ferry leaves at 12:30"),
        Shown("", picture),
        Shown("the ferry leaves at 12:30", picture),
    ]
    for question in (Shown("when does the ferry leave?"), Shown("like this", picture)):
        together = qwen.scores(question, moments)
        assert all(0 < score < 1 for score in together)
        assert len(set(together)) == 3
        alone = [qwen.scores(question, [moment])[0] for moment in moments]
        assert together == pytest.approx(alone, abs=1e-4)


def test_the_question_matters(qwen: QwenReranker) -> None:
    moment = [Shown("the ferry leaves at 12:30")]
    assert qwen.scores(Shown("ferry"), moment) != qwen.scores(Shown("cat on the pier"), moment)


def test_the_first_ones_are_read_and_the_others_stay_behind(candidates: list[Candidate]) -> None:
    settings = RerankerSettings(top_n=5, batch_size=2)
    done = rerank(CountsLetters(), Shown("ferry"), candidates, settings, picture_of=_no_picture)
    assert done.num_read == 5
    lengths = [len(one.stored.moment.text) for one in done.candidates]
    assert lengths[:5] == sorted(len(one.stored.moment.text) for one in candidates[:5])[::-1]
    assert [one.stored.id for one in done.candidates[5:]] == [
        one.stored.id for one in candidates[5:]
    ]
    scores = [one.score for one in done.candidates]
    assert scores == sorted(scores, reverse=True)


def test_what_is_not_read_in_time_keeps_its_place_behind(candidates: list[Candidate]) -> None:
    settings = RerankerSettings(top_n=8, batch_size=2, time_limit_ms=500)
    reranker = CountsLetters(takes_s=0.2)
    done = rerank(reranker, Shown("ferry"), candidates, settings, picture_of=_no_picture)
    assert done.num_read in (2, 4)
    assert len(reranker.asked) == done.num_read / 2
    hurried = RerankerSettings(top_n=8, batch_size=2, time_limit_ms=0)
    done = rerank(reranker, Shown("ferry"), candidates, hurried, picture_of=_no_picture)
    assert done.num_read == 2


def test_nothing_found_is_nothing_to_read() -> None:
    settings = RerankerSettings()
    done = rerank(CountsLetters(), Shown("ferry"), [], settings, picture_of=_no_picture)
    assert done.num_read == 0


def test_pictures_of_moments_are_read(archive: Snapshot) -> None:
    frame = next(
        one
        for one in archive.texts(np.arange(archive.num_moments))
        if one.moment.kind is MomentKind.FRAME
    )
    reranker = CountsLetters()
    candidate = Candidate(frame, 1.0, None)
    settings = RerankerSettings()
    rerank(reranker, Shown("cat"), [candidate], settings, picture_of=archive.picture)
    assert [one.picture is None for one in reranker.shown] == [False]


def test_search_says_how_many_were_read(
    archive: Snapshot, embedder: Embedder, qwen: QwenReranker, folder: Path
) -> None:
    settings = RetrieveSettings(reranker=_settings(folder))
    plain = search(archive, embedder, "ferry", k=5, filters=NO_FILTERS, settings=settings)
    assert (plain.num_reranked, "rerank" in plain.steps_ms) == (0, False)
    read = search(
        archive, embedder, "ferry", k=5, filters=NO_FILTERS, settings=settings, reranker=qwen
    )
    assert read.num_reranked == 6
    assert read.steps_ms["rerank"] > 0
    assert sum(read.steps_ms.values()) == pytest.approx(read.took_ms)


def test_profiles(folder: Path, tmp_path: Path) -> None:
    assert open_reranker(RerankerSettings()) is None
    assert isinstance(open_reranker(_settings(folder)), QwenReranker)
    with pytest.raises(SettingsError, match=r"reranker\.model: the profile none takes none"):
        RerankerSettings(model="x")
    with pytest.raises(ModelMissingError, match="hf download nobody/nothing"):
        open_reranker(_settings(Path("nobody/nothing")))
    embedding = write_qwen_embedding(tmp_path / "embedding")
    plain = embedding.with_name("embedding-plain")
    with pytest.raises(ModelMissingError, match="no reranker"):
        open_reranker(_settings(plain))
