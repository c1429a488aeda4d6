"""Lists and counts of all there is of something, and quotes that stand together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from generate.answer import NOT_FOUND, Answer, answer
from generate.extractive import ScoredSentence, merge_neighbours
from generate.list_questions import ListQuestion, read_list_question
from generate.sentences import split_evidence
from generate.settings import GenerateSettings
from index.embedders import Embedder
from index.records import Span
from index.snapshot import Snapshot
from retrieve.filters import Filters
from retrieve.settings import RetrieveSettings
from tests.generate.pieces import printed, said
from tests.generate.questions import ANSWERABLE, UNANSWERABLE
from tests.retrieve.archive import BEE_TALK, BEES, COFFEE, span_of_sentence

MITES = (7, 8)
QUEEN = (5, 6)


def ask(
    archive: Snapshot, embedder: Embedder, question: str, *, max_listed: int = 100, hits: int = 8
) -> Answer:
    return answer(
        question,
        archive,
        embedder,
        filters=Filters(),
        retrieve=RetrieveSettings(),
        settings=GenerateSettings(max_listed=max_listed, hits=hits),
    )


def spans(found: Answer) -> list[Span]:
    places = [one.place for sentence in found.sentences for one in sentence.citations]
    return [place for place in places if isinstance(place, Span)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How many times is the queen mentioned?", ("the queen", True, True, False)),
        ("How often was “oxalic acid” mentioned in total?", ("oxalic acid", True, True, True)),
        ("how often does she mention her cat?", ("her cat", True, True, False)),
        ("How many mentions of the word honey are there?", ("honey", True, True, False)),
        ("Wie oft wird Honig erwähnt?", ("Honig", True, True, False)),
        ("Wie oft kommt Honig vor?", ("Honig", True, True, False)),
        ("list every mention of mites", ("mites", False, True, False)),
        ("All times when mites are mentioned", ("mites", False, True, False)),
        ("Wann überall wird Honig erwähnt?", ("Honig", False, True, False)),
        ("Alle Stellen, an denen Honig erwähnt wird", ("Honig", False, True, False)),
        ("all times when a drum is heated", ("a drum is heated", False, False, False)),
        ("every time the bell rings!", ("the bell rings", False, False, False)),
        ("Wann überall läutet die Glocke?", ("läutet die Glocke", False, False, False)),
    ],
)
def test_questions_for_all_are_read(text: str, expected: tuple[str, bool, bool, bool]) -> None:
    assert read_list_question(text) == ListQuestion(*expected)


def test_other_questions_are_not_taken_for_lists() -> None:
    others = ["how many times a year is the filter cleaned?", "every mention of", "all", "wie oft?"]
    for question in (*(text for text, _ in ANSWERABLE), *UNANSWERABLE, *others):
        assert read_list_question(question) is None, question


def test_every_mention_is_a_line_with_its_span(archive: Snapshot, embedder: Embedder) -> None:
    found = ask(archive, embedder, "list every mention of mites")
    lead, *lines = found.sentences
    assert lead.text.startswith("“mites”: 3 places in 1 source (bees.mp4: 3)")
    assert lead.citations == ()
    assert [line.text for line in lines[1:]] == [BEE_TALK[number] for number in MITES]
    assert [line.citations[0].place for line in lines[1:]] == [*map(span_of_sentence, MITES)]
    assert "3 mites per day" in lines[0].text  # on a slide
    assert spans(found) == sorted(spans(found), key=lambda span: (span.start, -span.end))
    for line in lines:
        piece = next(one for one in found.evidence if one.id == line.citations[0].evidence)
        assert line.citations[0].quote in piece.text
    assert found.text.count("\n") == 3


def test_more_than_the_best_hits_are_listed(archive: Snapshot, embedder: Embedder) -> None:
    plain = ask(archive, embedder, 'COUNT "bees"', hits=1)
    assert len(plain.sentences) > 4
    cut = ask(archive, embedder, 'COUNT "bees"', max_listed=2)
    assert len(cut.sentences) == 3
    assert cut.sentences[0].text.endswith("; the first 2 are listed.")
    assert cut.sentences[0].text.split(" in ")[0] == plain.sentences[0].text.split(" in ")[0]


def test_counts_hold_within_what_a_question_restricts(
    archive: Snapshot, embedder: Embedder
) -> None:
    everywhere = ask(archive, embedder, "how many times is the queen mentioned?")
    assert everywhere.sentences[0].text.startswith("“the queen”: 2 places")
    assert spans(everywhere) == [span_of_sentence(number) for number in QUEEN]
    there = ask(archive, embedder, f"how many times are beans mentioned in {COFFEE}?")
    assert {one.source_name for line in there.sentences for one in line.citations} == {COFFEE}
    nowhere = ask(archive, embedder, f"how often are beans mentioned in {BEES}?")
    assert (nowhere.found, nowhere.text) == (False, NOT_FOUND)


def test_what_is_not_there_is_not_counted(archive: Snapshot, embedder: Embedder) -> None:
    found = ask(archive, embedder, "how many mentions of penguins are there?")
    assert (found.found, found.text, found.sentences) == (False, NOT_FOUND, ())


def test_neighbours_are_one_quote() -> None:
    piece = said(1, "Bees fly. They sting! Mites bite.   Wasps too.")
    first, second, third, _ = (ScoredSentence(one, 0.9, 0, 0) for one in split_evidence(piece))
    best = replace(third, score=0.95)
    (alone,) = merge_neighbours([replace(second, score=0.99), best])
    assert alone.sentence.quote == "They sting! Mites bite."
    assert alone.score == 0.99
    place = alone.sentence.place
    assert isinstance(place, Span)
    assert (place.start, place.end) == (piece.words[2].span.start, piece.words[5].span.end)
    run = merge_neighbours([best, first])
    assert [one.sentence.text for one in run] == ["Mites bite.", "Bees fly."]
    table = printed(2, "| Code | Meaning |\n| --- | --- |\n| E1 | hot |\n| E2 | cold |")
    rows = [ScoredSentence(one, 0.9, 0, 0) for one in split_evidence(table)]
    assert [one.sentence.quote for one in merge_neighbours(rows)] == [
        "| E1 | hot |",
        "| E2 | cold |",
    ]
