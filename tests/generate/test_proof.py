"""Sentences of a model get the verdict that their evidence gives them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generate.answer_sentence import AnswerSentence
from generate.evidence import Evidence
from generate.proof import prove
from generate.settings import GenerateSettings
from index.embedders import Embedder
from index.records import Box, MomentKind, PageArea, Span
from index.word_boxes import NO_WORD_BOXES
from tests.generate.pieces import TALK, printed, said

TABLE = "| Code | Meaning |\n| --- | --- |\n| E31 | No water |\n| E47 | Filter blocked |"
EVIDENCE = (
    said(1, "My name is Clara, and I have kept bees for nineteen years.", 0),
    said(2, "In autumn every colony gets fifteen kilograms of sugar syrup. Then it rests.", 10),
    said(3, "The entrance is narrowed, so that mice cannot crawl inside.", 20),
    said(4, "In 2019 we lost eleven hives to a late frost in April.", 30),
    said(5, "Since that year the hives stand behind the chapel, out of the wind.", 40),
    printed(6, "The pump reaches 4.5 bar. Keep 40 cm away from the wall.", 3, "2 Mounting"),
    printed(7, TABLE, 4, "4 Faults"),
)


def proved(
    text: str, embedder: Embedder, evidence: Sequence[Evidence] = EVIDENCE
) -> AnswerSentence:
    (sentence,) = prove(text, evidence, embedder, GenerateSettings())
    return sentence


@pytest.mark.parametrize(
    "text",
    [
        "In autumn every colony gets fifteen kilograms of sugar syrup [E2].",
        "Each colony gets 15 kg of sugar syrup in autumn. 【E2】",
        "Clara has kept bees for 19 years (E1).",
        "At 00:00:12 she says that every colony gets fifteen kilograms of sugar syrup [E2].",
        "On page 3: the pump reaches 4.5 bar [E6].",
        "Error E47: filter blocked [E7].",
        "Eleven hives were lost to frost in April 2019, and now the hives stand behind the chapel "
        "[E4, E5].",
    ],
)
def test_what_the_evidence_says_is_supported(embedder: Embedder, text: str) -> None:
    sentence = proved(text, embedder)
    assert (sentence.verdict, sentence.reason, sentence.changes) == ("supported", "", ())
    assert sentence.citations


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Each colony gets 25 kg of sugar syrup in autumn [E2].", "fifteen kilograms"),
        ("Keep 40 m away from the wall [E6].", "40 cm"),
        ("Mice can crawl inside through the entrance [E3].", "only the evidence says no"),
        ("In 2019 we lost eleven hives to a late frost in June [E4].", "june: the evidence"),
        ("Peter has kept bees for nineteen years [E1].", "clara"),
        ("Error E31: filter blocked [E7].", "e31: the evidence says e47"),
    ],
)
def test_what_the_evidence_denies_is_not_supported(
    embedder: Embedder, text: str, reason: str
) -> None:
    sentence = proved(text, embedder)
    assert sentence.verdict == "contradicted"
    assert reason in sentence.reason
    assert sentence.citations  # what it is about can be looked at


@pytest.mark.parametrize(
    "text",
    [
        "The syrup is mixed with thyme [E2].",
        "The chapel was painted yellow by Italian students [E5].",
        "Penguins keep their eggs warm.",
        "Each colony gets fifteen kilograms of syrup from Brazil [E2].",
    ],
)
def test_what_nobody_says_is_not_shown(embedder: Embedder, text: str) -> None:
    sentence = proved(text, embedder)
    assert sentence.verdict == "not shown"
    assert sentence.reason.startswith("no evidence says so")


def test_a_citation_is_narrowed_to_the_words_that_prove(embedder: Embedder) -> None:
    spoken = proved("Every colony gets fifteen kilograms of sugar syrup in autumn [E2].", embedder)
    (citation,) = spoken.citations
    assert citation.quote == "In autumn every colony gets fifteen kilograms of sugar syrup."
    assert isinstance(citation.place, Span)
    assert citation.place.start == 10
    assert citation.place.end < 16
    printed_one = proved("The pump reaches 4.5 bar [E6].", embedder)
    (citation,) = printed_one.citations
    assert citation.place == PageArea(3, "3", (Box(0, 10, 25, 20),))


@pytest.mark.parametrize(
    ("written", "outcome", "reason"),
    [
        ("[E5]", "corrected", "it does not say so; E2 does"),
        ("[E99]", "corrected", "there is no evidence E99; E2 does"),
        ("", "added", "E2 says so"),
        ("[E2 01:10:00-01:10:09]", "corrected", "it is not at that place; E2 says so"),
        ("[00:00:11]", None, None),
        ("[01:10:00]", "corrected", "no evidence is at that place; E2 does"),
        ("[E2, E5]", "struck", "it does not say so"),
        ("[E2 p. 7]", "corrected", "it is not at that place; E2 says so"),
        ("[lecture.mp4 00:00:10-00:00:16]", None, None),
    ],
)
def test_citations_move_to_the_evidence_that_holds(
    embedder: Embedder, written: str, outcome: str | None, reason: str | None
) -> None:
    text = f"In autumn every colony gets fifteen kilograms of sugar syrup {written}."
    sentence = proved(text, embedder)
    assert sentence.verdict == "supported"
    assert [citation.evidence for citation in sentence.citations] == ["E2"]
    changes = [(change.outcome, change.reason) for change in sentence.changes]
    assert changes == ([(outcome, reason)] if outcome else [])
    assert all(change.written == written for change in sentence.changes)


def test_every_citation_lies_in_supplied_evidence(embedder: Embedder) -> None:
    text = "It hums [E9]. Bees like rain [E1 05:00:00-06:00:00]. So [E3 00:00:21-00:00:22]."
    pieces = {piece.id: piece for piece in EVIDENCE}
    for sentence in prove(text, EVIDENCE, embedder, GenerateSettings()):
        for citation in sentence.citations:
            piece = pieces[citation.evidence]
            assert isinstance(citation.place, Span)
            assert isinstance(piece.place, Span)
            assert piece.place.start <= citation.place.start < citation.place.end
            assert citation.place.end <= piece.place.end
            assert citation.quote in piece.text


@pytest.mark.parametrize("text", ["", "  \n", "[E1]", "...", "Sources: [E1]"])
def test_an_empty_answer_has_no_sentences(embedder: Embedder, text: str) -> None:
    assert prove(text, EVIDENCE, embedder, GenerateSettings()) == ()


def test_without_evidence_nothing_is_shown(embedder: Embedder) -> None:
    sentence = proved("The queen lays eggs [E1].", embedder, ())
    assert (sentence.verdict, sentence.citations) == ("not shown", ())
    assert [change.outcome for change in sentence.changes] == ["struck"]


def test_what_is_only_seen_cannot_be_checked_by_words(embedder: Embedder) -> None:
    seen = Evidence(
        "E1", TALK, EVIDENCE[0].place, MomentKind.FRAME, "", "", (), NO_WORD_BOXES, 9, 1
    )
    sentence = proved("A cat sleeps on a sofa [E1].", embedder, (seen,))
    assert sentence.verdict == "not shown"
    assert "only seen" in sentence.reason
    assert [citation.evidence for citation in sentence.citations] == ["E1"]


@pytest.mark.parametrize(
    ("evidence", "true", "false"),
    [
        (
            "Das Museum auf der Insel bleibt im Winter geschlossen.",
            "Im Winter bleibt das Museum auf der Insel geschlossen [E1].",
            "Im Winter bleibt das Museum auf der Insel offen [E1].",
        ),
        (
            "秋天每个蜂群得到十五公斤糖浆。",
            "每个蜂群在秋天得到15公斤糖浆【E1】。",
            "秋天每个蜂群得到二十公斤糖浆【E1】。",
        ),
        (
            "В 2019 году мы потеряли одиннадцать ульев.",
            "В 2019 году мы потеряли 11 ульев [Е1].",
            "В 2017 году мы потеряли одиннадцать ульев [Е1].",
        ),
    ],
)
def test_other_languages(embedder: Embedder, evidence: str, true: str, false: str) -> None:
    pieces = (said(1, evidence), said(2, "So it is.", 20))
    assert proved(true, embedder, pieces).verdict == "supported"
    assert proved(false, embedder, pieces).verdict == "contradicted"


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(alphabet="[E123]. mice frost 15 kg\n(：。)", max_size=80))
def test_no_text_breaks_it(embedder: Embedder, text: str) -> None:
    for sentence in prove(text, EVIDENCE, embedder, GenerateSettings()):
        assert sentence.verdict in ("supported", "contradicted", "not shown")
