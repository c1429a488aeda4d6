"""Answers through a backend: asked about the evidence, proved, and honest when something lacks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from generate.answer import NOT_FOUND, Answer, answer
from generate.backends import open_backend
from generate.model_answer import says_nothing
from generate.prompt import ClipPart, PicturePart, Prompt
from generate.settings import GenerateSettings, Qwen3VLSettings
from generate.token_costs import TokenCosts
from generate.visuals import FILE_GONE, NO_FILES, NOT_DECODED, PicturesError, SourcePictures
from index.embedders import Embedder
from index.errors import PromptTooLongError
from index.snapshot import Snapshot
from retrieve.filters import Filters
from retrieve.settings import RetrieveSettings
from tests.generate.scripted import ScriptedBackend, shown, words
from tests.retrieve.archive import BEE_TALK, span_of_sentence

QUESTION = "When were hives lost to frost?"
TRUE = BEE_TALK[10]


def ask(
    archive: Snapshot,
    embedder: Embedder,
    backend: ScriptedBackend,
    *,
    question: str = QUESTION,
    settings: GenerateSettings | None = None,
    filters: Filters | None = None,
    pictures: SourcePictures | None = None,
) -> Answer:
    return answer(
        question,
        archive,
        embedder,
        filters=filters or Filters(),
        retrieve=RetrieveSettings(),
        settings=settings or GenerateSettings(),
        backend=backend,
        pictures=pictures,
    )


def quoting(prompt: Prompt) -> str:
    """The line of the evidence that answers, cited, and one that nobody said."""
    match = re.search(r"\n\[(E\d+)\] bees.mp4 [^\n]*, said\n> In 2019", words(prompt))
    assert match is not None
    return f"{TRUE} [{match[1]}] The queen was sold to a circus in Prague. [{match[1]}]"


def test_what_a_model_says_is_proved_and_told(
    archive: Snapshot, embedder: Embedder, qwen_costs: TokenCosts
) -> None:
    backend = ScriptedBackend(quoting, qwen_costs)
    found = ask(archive, embedder, backend)
    assert found.found
    true, invented = found.sentences
    assert true.verdict == "supported"
    assert true.citations[0].place == span_of_sentence(10)
    assert invented.verdict != "supported"
    assert "circus" in found.text  # marked, never hidden
    rows = {row.evidence: row for row in found.read.rows}
    assert {piece.id for piece in found.evidence} <= set(rows)
    assert found.ledger["prompt_tokens"] == backend.count(backend.prompts[0])
    assert found.ledger["budget_tokens"] == 32_768
    assert found.ledger["ended"] == "complete"
    assert found.ledger["evidence_left_out"] == 0


@pytest.mark.parametrize(
    "said", [NOT_FOUND, " Not found in the archive.\n", "", "**not found in the archive**"]
)
def test_a_model_may_find_nothing(
    archive: Snapshot, embedder: Embedder, qwen_costs: TokenCosts, said: str
) -> None:
    assert says_nothing(said)
    found = ask(archive, embedder, ScriptedBackend(lambda _: said, qwen_costs))
    assert (found.found, found.text, found.sentences) == (False, NOT_FOUND, ())


def test_without_evidence_no_model_is_asked(
    archive: Snapshot, embedder: Embedder, qwen_costs: TokenCosts
) -> None:
    backend = ScriptedBackend(quoting, qwen_costs)
    nowhere = Filters(sources=())
    found = ask(archive, embedder, backend, filters=nowhere)
    assert (found.found, found.text, found.read.rows) == (False, NOT_FOUND, ())
    assert backend.prompts == []


def test_a_small_budget_leaves_out_and_names(
    archive: Snapshot, embedder: Embedder, qwen_costs: TokenCosts
) -> None:
    settings = GenerateSettings(token_budget=700, max_answer_tokens=200)
    backend = ScriptedBackend(lambda _: "It was in 2019. [E1]", qwen_costs)
    found = ask(archive, embedder, backend, settings=settings)
    left_out = [row for row in found.read.rows if row.is_left_out]
    assert left_out
    assert found.ledger["evidence_left_out"] == len(left_out)
    assert all("no room" in row.note for row in left_out)
    assert backend.count(backend.prompts[0]) <= 500
    read = {row.evidence for row in found.read.rows if not row.is_left_out}
    assert {one.evidence for sentence in found.sentences for one in sentence.citations} <= read


def test_a_model_with_a_short_memory_gets_a_shorter_prompt(
    archive: Snapshot, embedder: Embedder, qwen_costs: TokenCosts
) -> None:
    limit = 700

    def strict(prompt: Prompt) -> str:
        tokens = qwen_costs.of_prompt(prompt) + 200
        if tokens > limit:
            raise PromptTooLongError(tokens, limit, "send less")
        return quoting(prompt)

    backend = ScriptedBackend(strict, qwen_costs)
    settings = GenerateSettings(max_answer_tokens=200)
    found = ask(archive, embedder, backend, settings=settings)
    assert found.sentences[0].verdict == "supported"
    assert len(backend.prompts) > 1
    sizes = [backend.count(prompt) for prompt in backend.prompts]
    assert sizes == sorted(sizes, reverse=True)
    assert isinstance(found.ledger["budget_tokens"], int)
    assert found.ledger["budget_tokens"] < 32_768
    with pytest.raises(PromptTooLongError):
        ask(archive, embedder, ScriptedBackend(refusing, qwen_costs), settings=settings)


def refusing(prompt: Prompt) -> str:
    raise PromptTooLongError(100, 99, "send less")


class NoFiles:
    """No file is what it was."""

    def is_there(self, source_id: str) -> bool:
        return False

    def shown_at(
        self, source_id: str, times: Sequence[Fraction], *, max_side_px: int
    ) -> list[Image.Image]:
        raise AssertionError("nothing is decoded of a file that is not there")

    def page_at(self, source_id: str, page: int, *, side_px: int) -> Image.Image:
        raise AssertionError("nothing is rendered of a file that is not there")


class BrokenFiles:
    """Files that are there and cannot be decoded."""

    def is_there(self, source_id: str) -> bool:
        return True

    def shown_at(
        self, source_id: str, times: Sequence[Fraction], *, max_side_px: int
    ) -> list[Image.Image]:
        raise PicturesError(source_id, "bees.mp4: cannot be decoded there")

    def page_at(self, source_id: str, page: int, *, side_px: int) -> Image.Image:
        raise PicturesError(source_id, "manual.pdf: cannot be rendered")


@pytest.mark.parametrize(
    ("pictures", "note"),
    [(NoFiles(), FILE_GONE), (BrokenFiles(), NOT_DECODED), (None, NO_FILES)],
)
def test_stored_pictures_stand_in_for_files_that_cannot_be_read(
    archive: Snapshot,
    embedder: Embedder,
    qwen_costs: TokenCosts,
    pictures: SourcePictures | None,
    note: str,
) -> None:
    backend = ScriptedBackend(lambda _: "A cat is seen. [E1]", qwen_costs)
    found = ask(archive, embedder, backend, question="a cat", pictures=pictures)
    seen = [row for row in found.read.rows if row.kind == "frame" and row.frames]
    assert seen
    assert all(note in row.note for row in seen)
    clips = [part for part in shown(backend.prompts[-1]) if isinstance(part, ClipPart)]
    assert {clip.evidence for clip in clips} == {row.evidence for row in seen}
    assert all(clip.content == "" for clip in clips)


def test_pages_are_seen(archive: Snapshot, embedder: Embedder, qwen_costs: TokenCosts) -> None:
    backend = ScriptedBackend(lambda _: "The filter is blocked. [E1]", qwen_costs)
    found = ask(archive, embedder, backend, question="What does error E47 mean?")
    pages = [part for part in shown(backend.prompts[0]) if isinstance(part, PicturePart)]
    assert pages
    rows = {row.evidence: row for row in found.read.rows}
    assert all(rows[page.evidence].frames == 1 for page in pages)


def test_a_real_model_reads_the_prompt_and_its_words_are_judged(
    archive: Snapshot, embedder: Embedder, qwen_folder: Path
) -> None:
    settings = GenerateSettings(
        backend="qwen3-vl",
        token_budget=1_500,
        max_answer_tokens=12,
        qwen3_vl=Qwen3VLSettings(model=str(qwen_folder), device="cpu", temperature=0.0),
    )
    backend = open_backend(settings)
    assert backend is not None
    first, again = (
        answer(
            QUESTION,
            archive,
            embedder,
            filters=Filters(),
            retrieve=RetrieveSettings(),
            settings=settings,
            backend=backend,
        )
        for _ in range(2)
    )
    assert first.text == again.text  # whatever a model of random weights says
    assert first.ledger["ended"] in ("length", "complete", "repeated")
    assert isinstance(first.ledger["prompt_tokens"], int)
    assert again.ledger["reused_tokens"] == first.ledger["prompt_tokens"] - 1
    assert first.read == again.read
