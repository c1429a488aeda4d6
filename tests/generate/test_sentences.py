"""Evidence is cut into quotes that stand verbatim in it."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generate.evidence import Evidence
from generate.sentences import split_evidence
from index.files import FilePart
from index.records import (
    Box,
    FrameTime,
    MomentKind,
    PageArea,
    Source,
    SourceKind,
    Span,
    TextLine,
    Word,
)
from index.word_boxes import NO_WORD_BOXES, WordBoxes
from ingest.frames import KeptFrame
from ingest.screen_text import screen_text_moments
from retrieve.telling import sentence_borders

NO_PICTURE = FilePart("", 0, 0)
DOCUMENT = Source("d" * 32, SourceKind.DOCUMENT, "manual.pdf", 1, None, 9)
VIDEO = Source("e" * 32, SourceKind.VIDEO, "talk.mp4", 1, Fraction(60), None)


def passage(text: str, heading: str = "", word_boxes: WordBoxes = NO_WORD_BOXES) -> Evidence:
    place = PageArea(3, "3", (Box(0, 0, 600, 800),))
    return Evidence("E1", DOCUMENT, place, MomentKind.PASSAGE, text, heading, (), word_boxes, 0, 1)


def test_a_sentence_of_a_passage_is_marked_word_by_word() -> None:
    text = "It hums. It stops."
    places = [(0, 2), (3, 8), (9, 11), (12, 18)]
    boxes = [Box(20.0 * n, 10, 20.0 * n + 18, 20) for n in range(4)]
    word_boxes = WordBoxes.of((*at, box) for at, box in zip(places, boxes, strict=True))
    hums, stops = split_evidence(passage(text, word_boxes=word_boxes))
    assert hums.place == PageArea(3, "3", (Box(0, 10, 38, 20),))
    assert stops.place == PageArea(3, "3", (Box(40, 10, 78, 20),))
    (whole,) = split_evidence(passage("It hums."))
    assert whole.place == PageArea(3, "3", (Box(0, 0, 600, 800),))


def slide(*boxed: tuple[str, Box]) -> Evidence:
    """Text on the screen, written as ingest writes it."""
    span = Span(Fraction(0), Fraction(9))
    frame = KeptFrame(span, FrameTime(0, Fraction(1, 1000)), NO_PICTURE, NO_PICTURE, True)
    lines = [TextLine(text, box, 0.9) for text, box in boxed]
    (moment,) = screen_text_moments([frame], [lines])
    kind = MomentKind.SCREEN_TEXT
    return Evidence("E1", VIDEO, span, kind, moment.text, "", (), NO_WORD_BOXES, 0, 1)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It runs. It stops!", ["It runs.", "It stops!"]),
        ("Ask Dr. Osei, e.g. on p. 7. Then wait.", ["Ask Dr. Osei, e.g. on p. 7.", "Then wait."]),
        ("The limit is 4.5 bar. Never more.", ["The limit is 4.5 bar.", "Never more."]),
        ("泵停了。请等。", ["泵停了。", "请等。"]),
        ("no end", ["no end"]),
        ("", []),
    ],
)
def test_sentence_borders(text: str, sentences: list[str]) -> None:
    assert [text[start:end] for start, end in sentence_borders(text)] == sentences


@given(st.text(alphabet="ab .!?\n|-。\\", max_size=60))
def test_quotes_stand_verbatim_in_the_evidence(text: str) -> None:
    for sentence in split_evidence(passage(text)):
        assert sentence.quote in text
        assert sentence.quote.strip() == sentence.quote != ""


def test_line_breaks_do_not_cut_sentences() -> None:
    sentences = split_evidence(passage("The pump\nis green. It\nhums.", "2 Use"))
    assert [one.text for one in sentences] == ["The pump is green.", "It hums."]
    assert sentences[0].quote == "The pump\nis green."
    assert sentences[0].heading == "2 Use"


def test_table_rows_carry_their_column_names() -> None:
    table = "Codes follow.\n| Code | Meaning |\n| --- | --- |\n| E1 | a \\| b |\n| E2 | |"
    assert [one.text for one in split_evidence(passage(table))] == [
        "Codes follow.",
        "Code: E1; Meaning: a | b",
        "Code: E2",
    ]


def test_words_give_a_sentence_its_own_span() -> None:
    text = "It is on. It is off."
    words = tuple(
        Word(word, Span(Fraction(n), Fraction(n + 1)), 0.9) for n, word in enumerate(text.split())
    )
    place = Span(Fraction(0), Fraction(6))
    evidence = Evidence(
        "E1", VIDEO, place, MomentKind.UTTERANCE, text, "", words, NO_WORD_BOXES, 0, 1
    )
    assert [one.place for one in split_evidence(evidence)] == [
        Span(Fraction(0), Fraction(3)),
        Span(Fraction(3), Fraction(6)),
    ]


def test_cells_side_by_side_on_the_screen_are_one_row() -> None:
    rows = split_evidence(
        slide(
            ("Calendar", Box(0, 0, 90, 20)),
            ("May", Box(0, 40, 40, 60)),
            ("Change the drying salt", Box(100, 41, 300, 61)),
            ("D-31", Box(320, 40, 360, 60)),
            ("July", Box(0, 80, 40, 100)),
        )
    )
    row = next(one for one in rows if one.text.startswith("May"))
    assert row.text == row.quote == "May Change the drying salt D-31"
    assert row.heading == "Calendar"
    assert rows[-1].text == "Calendar; May Change the drying salt D-31; July"
