"""Answers on the hand-written archive: quoted, cited, and withheld when nothing answers."""

from __future__ import annotations

import pytest

from generate.answer import NOT_FOUND, Answer, answer
from generate.citations import format_citation
from generate.settings import GenerateSettings
from index.embedders import Embedder
from index.records import PageArea
from index.snapshot import Snapshot
from retrieve.filters import Filters
from retrieve.settings import RetrieveSettings
from tests.generate.questions import ANSWERABLE, UNANSWERABLE
from tests.retrieve.archive import BEE_TALK, MANUAL, span_of_sentence


def ask(
    archive: Snapshot, embedder: Embedder, question: str, filters: Filters | None = None
) -> Answer:
    return answer(
        question,
        archive,
        embedder,
        filters=filters or Filters(),
        retrieve=RetrieveSettings(),
        settings=GenerateSettings(),
    )


def test_most_questions_are_answered_and_most_others_are_not(
    archive: Snapshot, embedder: Embedder
) -> None:
    right = [
        question
        for question, expected in ANSWERABLE
        if expected.lower() in ask(archive, embedder, question).text.lower()
    ]
    invented = [q for q in UNANSWERABLE if ask(archive, embedder, q).found]
    assert len(right) >= 0.8 * len(ANSWERABLE), set(dict(ANSWERABLE)) - set(right)
    assert len(invented) <= 0.1 * len(UNANSWERABLE), invented


def test_a_spoken_answer_cites_its_exact_span(archive: Snapshot, embedder: Embedder) -> None:
    found = ask(archive, embedder, "When were hives lost to frost?")
    assert found.found
    best = found.sentences[0]
    assert best.text == BEE_TALK[10]
    assert best.verdict == "supported"
    citation = best.citations[0]
    assert citation.place == span_of_sentence(10)
    assert citation.quote == BEE_TALK[10]
    assert format_citation(citation) in found.text


def test_a_table_row_reads_well_and_is_quoted_verbatim(
    archive: Snapshot, embedder: Embedder
) -> None:
    found = ask(archive, embedder, "What does error E47 mean?")
    best = found.sentences[0]
    assert best.text == "Code: E47; Meaning: Filter blocked; Remedy: Rinse the filter cartridge"
    citation = best.citations[0]
    assert citation.quote == "| E47 | Filter blocked | Rinse the filter cartridge |"
    assert isinstance(citation.place, PageArea)
    assert format_citation(citation) == f"[{MANUAL} p. 4]"


def test_every_quote_is_in_the_evidence_it_names(archive: Snapshot, embedder: Embedder) -> None:
    for question, _ in ANSWERABLE[::4]:
        found = ask(archive, embedder, question)
        texts = {piece.id: piece for piece in found.evidence}
        assert len(texts) == len(found.evidence)
        for sentence in found.sentences:
            for citation in sentence.citations:
                piece = texts[citation.evidence]
                assert citation.quote in piece.text
                assert citation.source_id == piece.source.id


def test_nothing_is_invented(archive: Snapshot, embedder: Embedder) -> None:
    found = ask(archive, embedder, "What is the capital of Australia?")
    assert (found.found, found.text, found.sentences) == (False, NOT_FOUND, ())
    assert NOT_FOUND == "not found in the archive"
    best_score = found.ledger["best_score"]
    assert isinstance(best_score, float)
    assert best_score < GenerateSettings().answer_threshold


def test_evidence_is_grouped_by_source_in_order(archive: Snapshot, embedder: Embedder) -> None:
    evidence = ask(archive, embedder, "How much sugar syrup does each colony get?").evidence
    assert [piece.id for piece in evidence] == [f"E{n}" for n in range(1, len(evidence) + 1)]
    sources = [piece.source.id for piece in evidence]
    assert sources == sorted(sources, key=sources.index)  # each source is one run
    starts = [
        float(piece.place.page if isinstance(piece.place, PageArea) else piece.place.start)
        for piece in evidence
        if piece.source.id == sources[0]
    ]
    assert starts == sorted(starts)
    assert evidence[0].source.name == "bees.mp4"


@pytest.mark.parametrize("question", ["🐝", "the", "?"])
def test_odd_questions_are_not_answered(
    archive: Snapshot, embedder: Embedder, question: str
) -> None:
    assert not ask(archive, embedder, question).found


def test_filters_hold_for_answers(archive: Snapshot, embedder: Embedder) -> None:
    manual = next(source.id for source in archive.sources.values() if source.name == MANUAL)
    found = ask(archive, embedder, "Who imports the beans?", Filters(sources=(manual,)))
    assert not found.found
    assert {piece.source.id for piece in found.evidence} <= {manual}
