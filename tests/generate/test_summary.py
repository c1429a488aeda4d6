"""Long stretches summed up by chapters, quoted or by a model, and gone on with after a stop."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from generate.prompt import Prompt
from generate.settings import GenerateSettings, SummarySettings
from generate.summary import SummaryPlan, SummedUp, plan_summary, summarize
from generate.token_costs import TokenCosts
from index.embedders import Embedder
from index.errors import BackendError
from index.records import PageRange, Span
from index.snapshot import Snapshot
from retrieve.filters import Filters
from retrieve.settings import RetrieveSettings
from tests.generate.scripted import ScriptedBackend, words
from tests.retrieve.archive import BEE_TALK, BEES, COFFEE, MANUAL

SETTINGS = GenerateSettings(summary=SummarySettings(chapter_s=50.0, chapter_pages=2))


def folders(directory: Path) -> Callable[[str], Path]:
    return lambda source_id: directory / source_id


def quoting(prompt: Prompt) -> str:
    """The first evidence that is said or printed, word by word."""
    match = re.search(r"\n\[(E\d+)\][^\n]*\n> ([^\n]+)", words(prompt))
    assert match is not None
    return f"{match[2]} [{match[1]}]"


def test_chapters_are_runs_of_segments_within_their_length(archive: Snapshot) -> None:
    chapters = plan_summary(archive, filters=Filters(), settings=SETTINGS).chapters
    assert [one.source.name for one in chapters] == [BEES, BEES, COFFEE, *[MANUAL] * 3]
    assert [one.extent for one in chapters[3:]] == [
        PageRange(1, 2),
        PageRange(3, 4),
        PageRange(5, 5),
    ]
    assert [one.place for one in chapters[3:]] == ["pp. 1-2", "pp. 3-4", "p. 5"]
    ids = [moment_id for one in chapters for moment_id in one.moment_ids]
    assert len(ids) == len(set(ids))
    assert chapters[0].title == "first half"
    whole = plan_summary(archive, filters=Filters(), settings=GenerateSettings()).chapters
    assert [one.segments for one in whole] == [2, 2, 5]


def test_a_stretch_is_summed_up_by_typical_sentences(archive: Snapshot, embedder: Embedder) -> None:
    bees = next(one.id for one in archive.sources.values() if one.name == BEES)
    stretch = Span(Fraction(30), Fraction(60))
    plan = plan_summary(archive, filters=Filters(spans=((bees, stretch),)), settings=SETTINGS)
    assert (plan.prompt_tokens, plan.done) == (None, 0)
    heard: list[SummedUp] = []
    done = summarize(
        plan,
        archive,
        embedder,
        retrieve=RetrieveSettings(),
        settings=SETTINGS,
        listener=heard.append,
    )
    assert tuple(heard) == done.chapters
    assert done.overall == ()
    for one in done.chapters:
        assert 1 <= len(one.sentences) <= SETTINGS.summary.sentences
        for sentence in one.sentences:
            place = sentence.citations[0].place
            assert isinstance(place, Span)
            assert isinstance(one.chapter.extent, Span)
            assert one.chapter.extent.start <= place.start < place.end <= one.chapter.extent.end
            assert place.start < stretch.end
            assert place.end > stretch.start
            assert sentence.verdict == "supported"


def planned(
    archive: Snapshot, backend: ScriptedBackend, folder: Path, settings: GenerateSettings = SETTINGS
) -> SummaryPlan:
    return plan_summary(
        archive,
        filters=Filters(),
        settings=settings,
        backend=backend,
        folder_of=folders(folder),
    )


def test_a_model_reads_each_chapter_within_the_plan(
    archive: Snapshot, embedder: Embedder, qwen_costs: TokenCosts, tmp_path: Path
) -> None:
    backend = ScriptedBackend(quoting, qwen_costs)
    plan = planned(archive, backend, tmp_path)
    assert backend.prompts == []  # nothing is read to tell what it takes
    done = summarize(
        plan,
        archive,
        embedder,
        retrieve=RetrieveSettings(),
        settings=SETTINGS,
        backend=backend,
        folder_of=folders(tmp_path),
    )
    assert len(backend.prompts) == len(plan.chapters) + 1
    read = [backend.count(prompt) for prompt in backend.prompts]
    assert sum(read) <= (plan.prompt_tokens or 0)
    assert max(read[:-1]) <= SETTINGS.summary.chapter_tokens
    assert plan.answer_tokens == len(read) * SETTINGS.max_answer_tokens
    first = done.chapters[0].sentences[0]
    assert first.verdict == "supported"
    assert first.citations[0].source_name == BEES
    overall = done.overall[0]
    assert overall.citations[0].place == done.chapters[0].chapter.extent
    for one in done.chapters:  # what was made of each is before the model that sums up all
        assert one.sentences[0].text in words(backend.prompts[-1]).replace("\n> ", " ")


def test_what_is_not_proved_of_a_chapter_proves_nothing_of_the_whole(
    archive: Snapshot, embedder: Embedder, qwen_costs: TokenCosts, tmp_path: Path
) -> None:
    backend = ScriptedBackend(lambda _: "A bakery was built on the moon. [E1]", qwen_costs)
    plan = planned(archive, backend, tmp_path)
    done = summarize(
        plan,
        archive,
        embedder,
        retrieve=RetrieveSettings(),
        settings=SETTINGS,
        backend=backend,
        folder_of=folders(tmp_path),
    )
    assert {line.verdict for one in done.chapters for line in one.sentences} == {"not shown"}
    assert done.overall == ()
    assert len(backend.prompts) == len(plan.chapters)


def test_a_summary_goes_on_where_it_was_cut_off(
    archive: Snapshot, embedder: Embedder, qwen_costs: TokenCosts, tmp_path: Path
) -> None:
    asked: list[Prompt] = []

    def failing(prompt: Prompt) -> str:
        asked.append(prompt)
        if len(asked) == 4:
            raise BackendError("the server died")
        return quoting(prompt)

    backend = ScriptedBackend(failing, qwen_costs)

    def run(backend: ScriptedBackend, stop: threading.Event | None = None) -> list[SummedUp]:
        plan = planned(archive, backend, tmp_path)
        return list(
            summarize(
                plan,
                archive,
                embedder,
                retrieve=RetrieveSettings(),
                settings=SETTINGS,
                backend=backend,
                folder_of=folders(tmp_path),
                stop=stop,
            ).chapters
        )

    with pytest.raises(BackendError):
        run(backend)
    assert planned(archive, backend, tmp_path).done == 3
    resumed = ScriptedBackend(quoting, qwen_costs)
    chapters = run(resumed)
    assert len(resumed.prompts) == len(chapters) - 3 + 1
    fresh = planned(archive, resumed, tmp_path / "elsewhere")
    assert (fresh.done, planned(archive, resumed, tmp_path).done) == (0, len(chapters))
    again = run(resumed)
    assert again == chapters  # read from files, exactly as made
    other = replace(SETTINGS, summary=replace(SETTINGS.summary, sentences=3))
    assert planned(archive, resumed, tmp_path, other).done == 0
    stopped = threading.Event()
    stopped.set()
    assert run(resumed, stopped) == []


def test_damaged_files_are_made_anew(
    archive: Snapshot, embedder: Embedder, qwen_costs: TokenCosts, tmp_path: Path
) -> None:
    backend = ScriptedBackend(quoting, qwen_costs)
    plan = planned(archive, backend, tmp_path)
    summarize(
        plan,
        archive,
        embedder,
        retrieve=RetrieveSettings(),
        settings=SETTINGS,
        backend=backend,
        folder_of=folders(tmp_path),
    )
    files = sorted(tmp_path.glob("*/summary-*"))
    assert len(files) == len(plan.chapters)
    assert BEE_TALK[10] in {one["text"] for file in files for one in json.loads(file.read_text())}
    for file, content in zip(files, ("", "[{}]", "[1]", '{"a": 1}', "[]", "null"), strict=True):
        file.write_text(content)
    assert planned(archive, backend, tmp_path).done == 1  # "[]" says that nothing was found
