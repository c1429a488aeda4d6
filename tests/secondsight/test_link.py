"""Slides tied to their talk, on talks made from a real PDF: repeated, skipped, clips between."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from starlette.testclient import TestClient

from index.errors import QuestionError
from index.records import MomentKind, PageArea, PageOnScreen, Span
from ingest.linking import link_all
from secondsight import Library, present
from secondsight.server.app import create_app
from tests.conftest import MANUAL, secondsight
from tests.media.slide_talk import (
    FULL,
    SMALL,
    Layout,
    Shot,
    SlideTalk,
    said_on,
    write_deck,
    write_talk,
)

AGREEMENT = 0.95
DECK_PAGES = (3, 4, 5, 6, 4, 8, 9)
"""Pages of the manual that are slides: the fifth looks like the second."""
PLANS = {
    "talk.mp4": (FULL, [(1, 4), (2, 3), (None, 2), (3, 3), (4, 2), (5, 3), (6, 4), (3, 2)]),
    "lecture.mp4": (SMALL, [(None, 2), (1, 3), (2, 2), (4, 3), (6, 3), (None, 2), (7, 3)]),
}
"""Each talk: how its slides stand in the picture, then page (None: a clip) and seconds."""


@dataclass(frozen=True)
class Linked:
    """A library with slides and two talks, linked."""

    library: Library
    talks: dict[str, SlideTalk]
    links: dict[str, tuple[PageOnScreen, ...]]


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Linked:
    folder = tmp_path_factory.mktemp("slides")
    deck = folder / "deck.pdf"
    write_deck(MANUAL, deck, DECK_PAGES)
    talks = {name: _talk(folder / name, deck, *plan) for name, plan in PLANS.items()}
    library = Library.open(folder / "library")
    report = library.ingest([deck, *(talk.path for talk in talks.values())])
    assert len(report.with_outcome("added")) == 3
    assert {(pair.document, pair.video) for pair in report.linked} == {
        ("deck.pdf", name) for name in PLANS
    }
    by_itself = library.snapshot().links.rows
    found = {library.source(pair.video_id).name: pair.links for pair in library.link()}
    assert library.snapshot().links.rows == by_itself
    return Linked(library, talks, found)


def _talk(
    path: Path, deck: Path, layout: Layout, shots: Sequence[tuple[int | None, int]]
) -> SlideTalk:
    plan = [Shot(page, Fraction(length_s)) for page, length_s in shots]
    return write_talk(path, deck, plan, layout, rate=5)


@pytest.mark.parametrize("name", PLANS)
def test_page_spans_are_those_of_the_talk(linked: Linked, name: str) -> None:
    links, shown = linked.links[name], linked.talks[name].shown
    right = sum(
        float(min(link.span.end, span.end) - max(link.span.start, span.start))
        for link in links
        for page, span in shown
        if link.page == page and link.span.overlaps(span)
    )
    assert right / sum(float(link.span.duration) for link in links) >= AGREEMENT
    assert right / sum(float(span.duration) for _, span in shown) >= AGREEMENT
    assert [link.page for link in links] == [page for page, _ in shown]
    assert all(link.score > 0.9 for link in links)


def test_linking_again_or_by_name_changes_nothing(linked: Linked) -> None:
    library = linked.library
    before = library.snapshot().links.rows
    (pair,) = library.link("talk.mp4", "deck.pdf")
    assert pair.links == linked.links["talk.mp4"]
    assert library.snapshot().links.rows == before


def test_a_hit_on_a_page_tells_when_it_was_on_screen_and_what_was_said(linked: Linked) -> None:
    query = "Who may work on the gauge above open water?"
    page = linked.library.pages_on_screen("deck.pdf", 3)
    shown = linked.talks["talk.mp4"].shown
    spans = [span for shown_page, span in shown if shown_page == 3]
    assert [one.span for one in page if one.source.name == "talk.mp4"] == spans
    hits = linked.library.search(query, kinds=[MomentKind.PASSAGE], k=20)
    on_page = next(hit for hit in hits if isinstance(hit.place, PageArea) and hit.place.page == 3)
    assert [one.span for one in on_page.on_screen] == [one.span for one in page]
    numbers = [
        number for number, shown in enumerate(linked.talks["talk.mp4"].shown) if shown[0] == 3
    ]
    said = [one.said for one in on_page.on_screen if one.source.name == "talk.mp4"]
    assert said == [said_on(number, 3) for number in numbers]
    assert on_page.shown_page is None


def test_a_hit_in_the_talk_names_the_page_on_screen(linked: Linked) -> None:
    hits = linked.library.search(said_on(4, 5), sources=["talk.mp4"], k=3)
    best = hits[0]
    assert isinstance(best.place, Span)
    assert best.shown_page is not None
    assert (best.shown_page.source.name, best.shown_page.area.page) == ("deck.pdf", 5)
    assert best.on_screen == ()


def test_answers_carry_the_same(linked: Linked) -> None:
    library = linked.library
    answer = library.ask("How does the stilling well keep waves out?", sources=["deck.pdf"])
    (citation, *_) = answer.sentences[0].citations
    assert isinstance(citation.place, PageArea)
    assert (
        citation.on_screen
        == library.search("How does the stilling well keep waves out?", sources=["deck.pdf"])
        .hits[0]
        .on_screen
    )
    assert {one.source.name for one in citation.on_screen} == set(PLANS)


def test_command_line_and_http_tell_it(linked: Linked) -> None:
    directory = linked.library.directory
    shown = secondsight("link", "--show", "deck.pdf", "--page", "4", "--json", "-L", directory)
    pairs = json.loads(shown.stdout)["pairs"]
    assert {pair["talk"]["name"] for pair in pairs} == set(PLANS)
    (row,) = next(p for p in pairs if p["talk"]["name"] == "talk.mp4")["page_on_screen"]
    assert (row["start_s"], row["end_s"]) == (12.0, 14.0)
    assert row["said"] == said_on(3, 4)
    printed = StringIO()
    present.print_hits(Console(file=printed), linked.library.search(said_on(3, 4), k=1))
    assert "slide: deck.pdf p. 4" in printed.getvalue()
    client = TestClient(create_app(linked.library), base_url="http://127.0.0.1")
    deck = linked.library.source("deck.pdf").id
    assert client.get(f"/v1/sources/{deck}/on_screen", params={"page": 4}).json()["pairs"] == pairs
    found = client.get("/v1/search", params={"q": said_on(3, 4), "k": 1}).json()["hits"][0]
    assert found["shown_page"]["page"] == 4
    assert found["on_screen"] == []


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("deck.pdf", "talk.mp4"), "deck.pdf is no video; name the talk"),
        (("talk.mp4",), "a talk and its slides, or neither"),
        (("talk.mp4", "nothing.pdf"), "no source 'nothing.pdf'"),
    ],
)
def test_what_cannot_be_linked_is_said(
    linked: Linked, names: tuple[str, ...], message: str
) -> None:
    with pytest.raises(QuestionError, match=message):
        linked.library.link(*names)


def test_a_page_that_is_not_there_is_said(linked: Linked) -> None:
    with pytest.raises(QuestionError, match=r"deck\.pdf has pages 1 to \d+, not 99"):
        linked.library.pages_on_screen("deck.pdf", 99)


def test_a_talk_and_a_manual_of_its_subject_are_no_pair(library: Library) -> None:
    assert link_all(library.snapshot()) == []


def test_forgetting_the_slides_unties_them(linked: Linked) -> None:
    library = linked.library
    library.forget("deck.pdf")
    assert library.snapshot().links.rows == ()
    assert library.search(said_on(3, 4), k=1)[0].shown_page is None
