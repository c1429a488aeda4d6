"""Follow-ups: read with what was asked and answered before."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from generate.answer import NOT_FOUND, Answer, answer
from generate.backends import Backend
from generate.conversation import MAX_EXCHANGES, Cited, Exchange, follow_up, turns_of
from generate.settings import GenerateSettings
from generate.token_costs import TokenCosts
from index.embedders import Embedder
from index.records import PageArea
from index.snapshot import Snapshot, StoredText
from retrieve.filters import Filters
from retrieve.neighbours import Side, moments_beside
from retrieve.settings import RetrieveSettings
from tests.generate.scripted import ScriptedBackend, words
from tests.retrieve.archive import BEE_TALK, BEES, COFFEE, COFFEE_TALK, MANUAL, span_of_sentence

FROST = "When were hives lost to frost?"


def converse(
    archive: Snapshot,
    embedder: Embedder,
    *questions: str,
    filters: Filters | None = None,
    backend: Backend | None = None,
) -> list[Answer]:
    """Ask one after the other, each after all before."""
    answers: list[Answer] = []
    for question in questions:
        history = [one.exchange for one in answers]
        answers.append(
            answer(
                question,
                archive,
                embedder,
                filters=filters or Filters(),
                retrieve=RetrieveSettings(),
                settings=GenerateSettings(),
                backend=backend,
                history=history,
            )
        )
    return answers


def said(found: Answer) -> list[str]:
    return [one.text for one in found.sentences if one.text in (*BEE_TALK, *COFFEE_TALK)]


def test_what_comes_right_after_and_before_is_quoted(archive: Snapshot, embedder: Embedder) -> None:
    questions = (FROST, "And what happened right after that?", "and then?", "What came before it?")
    first, after, then, before = converse(archive, embedder, *questions)
    assert said(first) == [BEE_TALK[10]]
    assert said(after) == [BEE_TALK[11], BEE_TALK[12]]  # a slide stands between
    assert said(then) == [*BEE_TALK[13:16]]
    assert said(before) == [*BEE_TALK[10:13]]
    assert after.sentences[0].citations[0].place == span_of_sentence(11)
    assert "after" in after.followed
    ids = {piece.id: piece for piece in after.evidence}
    for sentence in after.sentences:
        assert sentence.citations[0].quote in ids[sentence.citations[0].evidence].text


def test_documents_go_on_with_the_next_words(archive: Snapshot, embedder: Embedder) -> None:
    _, after = converse(archive, embedder, "What does error E47 mean?", "what comes next?")
    assert after.sentences[0].text.startswith("If a fault comes back three times")
    assert after.sentences[1].text.startswith("The bearings are greased")
    place = after.sentences[1].citations[0].place
    assert isinstance(place, PageArea)
    assert place.page == 5
    _, before = converse(archive, embedder, "What does error E31 mean?", "and before that?")
    assert before.sentences[-1].text.startswith("Code: E12")


def test_what_stands_beside_a_page_is_no_whole_document(archive: Snapshot) -> None:
    ids = {source.name: source.id for source in archive.sources.values()}

    def beside(name: str, page: int, side: Side) -> list[int]:
        place = PageArea(page, str(page))
        found = moments_beside(archive, ids[name], place, side, None, count=2)
        return [int(page) for page in archive.columns.page[found]]

    pages = beside(MANUAL, 3, "after")
    assert pages == sorted(pages)
    assert sum(page > 3 for page in pages) == 2
    pages = beside(MANUAL, 5, "before")
    assert pages == sorted(pages)
    assert sum(page < 5 for page in pages) == 2
    assert beside(BEES, 5, "before") == beside(BEES, 5, "after") == []  # it has no pages


def test_the_same_is_asked_of_another_stretch(archive: Snapshot, embedder: Embedder) -> None:
    first, there = converse(
        archive,
        embedder,
        f"How many times are beans mentioned in {COFFEE}?",
        "What about the second half?",
    )
    assert said(first) == [COFFEE_TALK[number] for number in (1, 2, 7)]
    assert said(there) == [COFFEE_TALK[7]]
    shown, last = converse(
        archive, embedder, f"what happened in the first 20 seconds of {BEES}?", "and the last 15?"
    )
    assert BEE_TALK[0] in said(shown)
    _, last = converse(
        archive,
        embedder,
        f"what happened in the first 20 seconds of {BEES}?",
        "what about the last 15 seconds?",
    )
    assert BEE_TALK[-1] in said(last)
    assert not set(said(last)) & set(BEE_TALK[:10])


def test_one_thing_more_is_asked(archive: Snapshot, embedder: Embedder) -> None:
    _, when, nothing = converse(
        archive, embedder, "Were hives lost to frost?", "and when?", "what about penguins?"
    )
    assert said(when) == [BEE_TALK[10]]
    assert when.asked_as == "when: Were hives lost to frost"
    assert (nothing.found, nothing.text) == (False, NOT_FOUND)
    _, other = converse(archive, embedder, "What does error E47 mean?", "and E12?")
    assert [one.text for one in other.sentences] == [
        "Code: E12; Meaning: Motor too hot; Remedy: Let it cool for one hour"
    ]


def test_pronouns_stand_for_what_was_asked(archive: Snapshot, embedder: Embedder) -> None:
    _, worn = converse(
        archive, embedder, "What is used against varroa mites?", "What do I wear with it?"
    )
    assert said(worn) == [BEE_TALK[9]]


@pytest.mark.parametrize(
    "question", ["How far from the wall must the pump be mounted?", "What is the speed of light?"]
)
def test_what_stands_by_itself_is_not_changed(
    archive: Snapshot, embedder: Embedder, question: str
) -> None:
    alone = converse(archive, embedder, question)[0]
    later = converse(archive, embedder, FROST, question)[1]
    assert (later.text, later.asked_as, later.followed) == (alone.text, "", "")


def test_filters_and_permissions_hold_for_what_was_cited(
    archive: Snapshot, embedder: Embedder
) -> None:
    manual = next(source.id for source in archive.sources.values() if source.name == MANUAL)
    bees = next(source.id for source in archive.sources.values() if source.name == BEES)
    forged = Exchange(FROST, "?", (Cited(bees, span_of_sentence(10), ""),))
    only = Filters(sources=(manual,))
    for question in (
        "and what happened right after that?",
        "and when?",
        "What did she say about honey after that?",
    ):
        found = answer(
            question,
            archive,
            embedder,
            filters=only,
            retrieve=RetrieveSettings(),
            settings=GenerateSettings(),
            history=[forged],
        )
        assert {piece.source.id for piece in found.evidence} <= {manual}
        assert BEES not in found.followed
    assert follow_up("and when?", [forged], archive, only).reused == ()
    assert follow_up("and when?", [forged], archive, Filters()).reused
    unknown = Exchange(FROST, "?", (Cited("f" * 32, span_of_sentence(1), ""),))
    assert follow_up("and when?", [unknown], archive, Filters()).reused == ()


def test_many_earlier_citations_are_not_all_looked_up(
    archive: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bees = next(source.id for source in archive.sources.values() if source.name == BEES)
    looked_up: list[int] = []
    texts = Snapshot.texts

    def counted(self: Snapshot, ids: Sequence[int]) -> list[StoredText]:
        looked_up.append(1)
        return texts(self, ids)

    monkeypatch.setattr(Snapshot, "texts", counted)
    forged = Exchange(FROST, "?", (Cited(bees, span_of_sentence(10), "never said"),) * 100)
    assert follow_up("and when?", [forged] * 20, archive, Filters()).reused == ()
    assert len(looked_up) <= 60


def test_a_model_reads_the_conversation_and_earlier_evidence(
    archive: Snapshot, embedder: Embedder, qwen_costs: TokenCosts
) -> None:
    backend = ScriptedBackend(lambda prompt: NOT_FOUND, qwen_costs)
    (first,) = converse(archive, embedder, FROST)
    second = answer(
        "And who imports it?",
        archive,
        embedder,
        filters=Filters(),
        retrieve=RetrieveSettings(),
        settings=GenerateSettings(),
        backend=backend,
        history=[first.exchange],
    )
    (prompt,) = backend.prompts
    assert [turn.role for turn in prompt.turns] == ["user", "assistant", "user"]
    told = words(prompt)
    assert FROST in told
    assert told.rstrip().endswith("Question: And who imports it?")
    assert f"> {BEE_TALK[10]}" in told  # cited before
    parts = {row.part: row.tokens for row in second.read.rows}
    assert (parts["conversation"] or 0) > 20
    assert second.ledger["prompt_tokens"] == backend.count(prompt)


def test_only_the_latest_exchanges_are_read() -> None:
    history = [Exchange(f"question {number}?", "yes") for number in range(3 * MAX_EXCHANGES)]
    turns = turns_of(history)
    assert len(turns) == 2 * MAX_EXCHANGES
    assert turns[0].role == "user"
    assert turns == turns_of(history[-MAX_EXCHANGES:])
