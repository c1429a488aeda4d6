"""Answers are noted in the library, and what is not proved is marked wherever it is shown."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from rich.console import Console

from generate.answer import Answer, answer
from generate.answer_sentence import CitationChange
from generate.audit import AUDIT_NAME, LOG_NAME, read_lines
from generate.settings import GenerateSettings
from generate.token_costs import TokenCosts, estimate_text
from retrieve.filters import Filters
from retrieve.settings import RetrieveSettings
from secondsight import Library
from secondsight.present import answer_json, print_answer
from secondsight.settings import settings_from
from tests.conftest import TALK
from tests.generate.scripted import ScriptedBackend
from tests.retrieve.archive import shared_embedder

QUESTION = "When was the station built?"
SAID = (
    "The station was built in 1957 [E1, E2]. The station was built in 1971, after a flood. "
    "It was paid for by a whaling company from Bergen [E1]."
)


@pytest.fixture
def own(archive: Path, tmp_path: Path) -> Library:
    directory = tmp_path / "library"
    shutil.copytree(archive, directory, ignore=shutil.ignore_patterns("cache", AUDIT_NAME))
    return Library.open(directory)


def test_questions_are_noted_and_forgotten_with_their_source(own: Library) -> None:
    given = own.ask(QUESTION, sources=[TALK.name])
    (line,) = read_lines(own.directory)
    assert (line["question"], line["answer"]) == (QUESTION, given.text)
    assert own.verify().problems == ()
    own.forget(TALK.name)
    assert list(read_lines(own.directory)) == []


def test_where_nothing_can_be_noted_the_answer_says_so(own: Library) -> None:
    (own.directory / AUDIT_NAME).write_text("no folder")
    given = own.ask(QUESTION, sources=[TALK.name])
    assert given.evidence
    assert "not in the audit log" in str(given.ledger["note"])


def test_the_log_can_be_switched_off(own: Library) -> None:
    quiet = settings_from({"generate": {"audit": {"enabled": False}}}, origin="test")
    Library.open(own.directory, settings=quiet).ask(QUESTION)
    assert not (own.directory / AUDIT_NAME / LOG_NAME).exists()


@pytest.fixture(scope="module")
def marked(library: Library) -> Answer:
    return answer(
        QUESTION,
        library.snapshot(),
        shared_embedder(),
        filters=Filters(),
        retrieve=RetrieveSettings(),
        settings=GenerateSettings(),
        backend=ScriptedBackend(lambda prompt: SAID, TokenCosts(estimate_text, is_exact=False)),
    )


def test_every_sentence_stays_with_its_verdict(marked: Answer) -> None:
    verdicts = [sentence.verdict for sentence in marked.sentences]
    assert verdicts == ["supported", "contradicted", "not shown"]
    assert "1957" in marked.text
    assert marked.text.count("(contradicted)") == marked.text.count("(not shown)") == 1
    assert "supported" not in marked.text


def test_json_tells_why(marked: Answer) -> None:
    right, wrong, unproved = answer_json(marked)["sentences"]
    assert (right["verdict"], right["reason"]) == ("supported", None)
    assert {change["outcome"] for change in right["citation_changes"]} <= {"corrected", "struck"}
    assert wrong["reason"] == "1971: the evidence says 1957"
    assert wrong["citations"][0]["source"]["name"] == TALK.name
    assert unproved["reason"].startswith("no evidence says so")
    assert set(CitationChange.__slots__) == {"outcome", "written", "reason"}


def test_the_command_line_marks_them(marked: Answer) -> None:
    console = Console(record=True, width=200)
    print_answer(console, marked)
    told = console.export_text()
    assert "(contradicted)" in told
    assert "    1971: the evidence says 1957" in told
    assert "(not shown)" in told
