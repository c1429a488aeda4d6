"""Hits stand at the sentences that answer, not at all that was said around them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from index.embedders import Embedder
from index.records import Box, PageArea, Span, Word
from index.snapshot import Snapshot
from index.word_boxes import NO_WORD_BOXES, WordBoxes
from index.words import all_words, stem
from retrieve.filters import Filters
from retrieve.places import place_of_text, spoken_parts, telling_run, words_within
from retrieve.search import search
from retrieve.settings import RetrieveSettings
from retrieve.telling import sentences_of
from retrieve.thumbnails import shown_by
from tests.retrieve.archive import BEE_TALK, BEES, span_of_sentence, utterance

SPAN = Span(Fraction(10), Fraction(22))
TEXT = "It was late. The cat slept on the warm computer. Nobody called that night."


def told(text: str, question: str, words: tuple[Word, ...] = ()) -> str | None:
    weights = {stem(word): 1.0 for word in all_words(question)}
    run = telling_run(text, spoken_parts(text, words), weights)
    return None if run is None else text[slice(*run)]


@pytest.mark.parametrize(
    ("text", "question", "expected"),
    [
        (TEXT, "warm computer", "The cat slept on the warm computer."),
        (
            TEXT,
            "cat, and who called at night",
            "The cat slept on the warm computer. Nobody called that night.",
        ),
        (TEXT, "elephants", None),
        (TEXT, "late cat called", None),  # all of it
        ("The cat slept on the warm computer.", "cat", None),
        ("We saw Dr. Wenger there.", "Wenger", None),
        ("The cat sat. The cat ran.", "cat", "The cat sat."),
    ],
)
def test_the_sentences_that_answer(text: str, question: str, expected: str | None) -> None:
    assert told(text, question) == expected


def test_a_long_pause_parts_what_has_no_full_stop() -> None:
    words = utterance("the old pump stood here the new pump stands there", SPAN).words
    late = tuple(
        Word(word.text, Span(word.span.start + 2 * (at >= 5), word.span.end + 2 * (at >= 5)), 0.9)
        for at, word in enumerate(words)
    )
    text = " ".join(word.text for word in words)
    assert told(text, "new", words) is None
    assert told(text, "new", late) == "the new pump stands there"


def test_the_span_is_that_of_the_words() -> None:
    moment = utterance(TEXT, SPAN)
    start = TEXT.index("The cat")
    border = (start, TEXT.index(" Nobody"))
    heard = words_within(TEXT, moment.words, border)
    assert [word.text for word in heard] == TEXT[slice(*border)].split()
    place = place_of_text(SPAN, TEXT, border, words=moment.words, word_boxes=NO_WORD_BOXES)
    assert place == Span(heard[0].span.start, heard[-1].span.end)
    strangers = utterance("other words", SPAN).words
    whole = place_of_text(SPAN, TEXT, border, words=strangers, word_boxes=NO_WORD_BOXES)
    assert whole == SPAN


def test_the_boxes_are_those_of_the_sentence() -> None:
    text = "Rinse it. Dry it."
    boxes = [Box(10 * at, 0, 10 * at + 8, 10) for at in range(4)]
    starts = [0, 6, 10, 14]
    printed = WordBoxes.of(
        (start, start + 3, box) for start, box in zip(starts, boxes, strict=True)
    )
    area = PageArea(3, "3", (Box(0, 0, 100, 100),))
    second = sentences_of(text)[1]
    place = place_of_text(area, text, second, words=(), word_boxes=printed)
    assert place == PageArea(3, "3", (Box(20, 0, 38, 10),))
    assert place_of_text(area, text, second, words=(), word_boxes=NO_WORD_BOXES) == area


def test_hits_carry_words_and_a_picture(archive: Snapshot, embedder: Embedder) -> None:
    result = search(
        archive, embedder, BEE_TALK[3], k=3, filters=Filters(), settings=RetrieveSettings()
    )
    best = result.hits[0]
    assert " ".join(word.text for word in best.words) == BEE_TALK[3] == best.headline
    assert best.place == span_of_sentence(3)
    assert best.source.name == BEES
    assert best.thumbnail == shown_by(archive, best.source.id, best.ordinal)
    assert best.thumbnail is not None
    assert archive.picture(archive.source_range(best.source.id)[best.thumbnail]) is not None
