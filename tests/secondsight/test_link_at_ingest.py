"""Slides and talks are linked by the ingest that brings the second of them."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from index.records import PageArea
from index.snapshot import Snapshot
from ingest.new_links import candidates, looked_up
from ingest.run_log import added_in_unended_runs, read_log, run_logs
from secondsight import Library
from tests.conftest import MANUAL, ingest_json, secondsight
from tests.media.slide_talk import FULL, Shot, said_on, write_deck, write_talk

DECK_PAGES = (3, 4, 5)
PLAN = [Shot(page, Fraction(seconds)) for page, seconds in [(1, 3), (3, 3), (None, 2), (2, 3)]]


def stages(library: Path) -> set[str]:
    """Stages of the latest run."""
    return {str(line["stage"]) for line in read_log(run_logs(library)[0])}


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """A library into which a folder was ingested three times; its deck came after the first."""
    folder = tmp_path_factory.mktemp("grown") / "files"
    folder.mkdir()
    deck, library = folder.parent / "deck.pdf", folder.parent / "library"
    write_deck(MANUAL, deck, DECK_PAGES)
    write_talk(folder / "talk.mp4", deck, PLAN, FULL, rate=5)
    reports = [ingest_json(library, [folder])]
    assert "linking" not in stages(library)  # No document is there yet.
    shutil.move(deck, folder)
    reports += [ingest_json(library, [folder])]
    assert {"linking", "linked"} <= stages(library)
    reports += [ingest_json(library, [folder])]
    return library, reports


def test_a_deck_is_linked_to_the_talk_that_was_there(
    grown: tuple[Path, list[dict[str, Any]]],
) -> None:
    library, (first, second, third) = grown
    assert first["linked"] == []
    (pair,) = second["linked"]
    assert (pair["document"], pair["video"]) == ("deck.pdf", "talk.mp4")
    assert (pair["spans"], pair["pages"]) == (3, 3)
    assert second["link_problems"] == []
    assert third["linked"] == []
    assert not {"linking", "linked"} & stages(library)


def test_search_shows_when_a_page_was_on_screen(
    grown: tuple[Path, list[dict[str, Any]]],
) -> None:
    library, _ = grown
    query = said_on(1, 3)
    found = secondsight("search", "--json", "-L", library, "-s", "talk.mp4", "-n", "1", query)
    (hit,) = json.loads(found.stdout)["hits"]
    assert hit["shown_page"]["source"]["name"] == "deck.pdf"
    assert hit["shown_page"]["page"] == 3


def test_a_page_that_is_asked_for_says_when_it_was_on_screen(
    grown: tuple[Path, list[dict[str, Any]]],
) -> None:
    library = Library.open(grown[0])
    shown = [one.span for one in library.pages_on_screen("deck.pdf", 3)]
    assert shown
    question = "when was page 3 on screen, and what was said then?"
    hits = library.search(question).hits
    assert hits
    for hit in hits:
        assert isinstance(hit.place, PageArea)
        assert hit.place.page == 3
        assert [one.span for one in hit.on_screen] == shown
        assert all(one.said for one in hit.on_screen)
    answer = library.ask(question)
    assert answer.found
    assert {one.span for sentence in answer.sentences for citation in sentence.citations
            for one in citation.on_screen} == set(shown)  # fmt: skip


def test_texts_are_looked_up_where_sources_are_many(
    grown: tuple[Path, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library.open(grown[0])
    snapshot = library.snapshot()
    talk, deck = library.source("talk.mp4").id, library.source("deck.pdf").id
    assert looked_up(snapshot, deck) == [talk]
    assert looked_up(snapshot, talk) == [deck]
    monkeypatch.setattr("ingest.new_links.MOST_CANDIDATES", 0)
    assert candidates(snapshot, deck) == []
    monkeypatch.undo()
    assert candidates(snapshot, deck) == [talk]


def test_a_run_that_was_killed_before_linking_is_made_up_for(
    grown: tuple[Path, list[dict[str, Any]]],
) -> None:
    library, _ = grown
    logs = run_logs(library)
    assert added_in_unended_runs(library, but=logs[0]) == set()
    killed = logs[1].read_text().splitlines(keepends=True)
    logs[1].write_text("".join(killed[:-1]))
    deck = next(id_ for id_, one in Snapshot.open(library).sources.items() if one.pages)
    assert added_in_unended_runs(library, but=logs[0]) == {deck}
    logs[0].unlink()
    again = ingest_json(library, [library.parent / "files"])
    assert [pair["document"] for pair in again["linked"]] == ["deck.pdf"]
