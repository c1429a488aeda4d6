"""Pages that questions name: by what is printed on them, else by number."""

from __future__ import annotations

import pytest

from index.embedders import Embedder
from index.records import PageArea, Source, SourceKind
from index.snapshot import Snapshot
from retrieve.question import analyse
from tests.retrieve.archive import MANUAL
from tests.retrieve.test_question import ask

LABELS = {"iv": 4, "a-3": 9, "1": 5, "2": 6, "3": 7}


def deck(name: str, pages: int | None = 12) -> Source:
    return Source(name, SourceKind.DOCUMENT, name, 1, None, pages)


@pytest.mark.parametrize(
    ("text", "searched", "pages"),
    [
        ("what is on page 3?", "what is?", {7}),
        ("page 3", "", {7}),
        ("margins on page 12", "margins", {12}),
        ("margins, p. 2", "margins", {6}),
        ("pp. 2-3 margins", "margins", {6, 7}),
        ("margins on pages 2 to 3", "margins", {6, 7}),
        ("margins on page iv", "margins", {4}),
        ("margins on page A-3", "margins", {9}),
        ("margins on slide 2", "margins", {6}),
        ("Ränder auf Seite 2", "Ränder", {6}),
        ("第2页的公式", "的公式", {6}),
        ("поля на странице 2", "поля", {6}),
        ("поля, стр. 2", "поля", {6}),
        ("margins on page 13", "margins on page 13", None),
        ("margins on page 2.5", "margins on page 2.5", None),
        ('margins on "page 2"', 'margins on "page 2"', None),
        ("the homepage 3", "the homepage 3", None),
        ("page 3 and page 2", "and", {6, 7}),
    ],
)
def test_pages_of_the_only_document(text: str, searched: str, pages: set[int] | None) -> None:
    question = analyse(text, [deck("deck.pdf")], labels_of=lambda _: LABELS)
    assert question.searched == searched
    assert question.pages == (None if pages is None else (("deck.pdf", frozenset(pages)),))


def test_a_page_of_one_of_many_documents_needs_its_name() -> None:
    many = [deck(f"deck{number}.pdf") for number in range(5)]
    assert analyse("margins on page 3", many).pages is None
    named = analyse("margins on page 3 of deck2.pdf", many)
    assert named.pages == (("deck2.pdf", frozenset({3})),)
    assert named.searched == "margins"
    assert named.notes == ("only in deck2.pdf", "only page 3 of deck2.pdf")


def test_a_page_that_is_spoken_of_is_content() -> None:
    def said(words: str, rest: str) -> bool:
        return (words, rest) == ("slide 4", "this is a remark about")

    text = "this is a remark about slide 4"
    question = analyse(text, [deck("deck.pdf")], is_content=said)
    assert (question.pages, question.searched) == (None, text)


def test_only_what_is_on_the_page_is_found(archive: Snapshot, embedder: Embedder) -> None:
    shown = ask(archive, embedder, f"what is on page 2 of {MANUAL}?")
    assert shown.is_overview
    assert {hit.place.page for hit in shown if isinstance(hit.place, PageArea)} == {2}
    assert all(hit.source.name == MANUAL for hit in shown)
    found = ask(archive, embedder, f"valve on page 2 of {MANUAL}")
    assert found.searched == "valve"
    assert {hit.place.page for hit in found if isinstance(hit.place, PageArea)} == {2}
