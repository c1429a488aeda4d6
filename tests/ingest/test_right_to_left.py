"""Hebrew and Arabic, as a browser prints them, in the order they are read and at their places."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ingest.right_to_left import Letter, in_reading_order, is_right_to_left
from tests.ingest.pdfs import moments_of, passages_on
from tests.ingest.test_word_places import printed

PRINTED = Path(__file__).parent.parent / "media" / "right_to_left.pdf"
"""Printed by Chromium; poppler says where its words stand. Of two equal words the last counts."""
ARABIC = "اضغط على الزر الأخضر (رقم 12) لتشغيل المضخة. ثم انتظر حتى ينطفئ المصباح الأحمر تماما."
HEBREW = "לחץ על הכפתור הירוק (מספר 12) כדי להפעיל את המשאבה, ואז המתן."
POPPLER_EDGES = {
    "اضغط": (551.4, 578.2),
    "الأحمر": (192.4, 219.7),
    "تماما.": (164.7, 189.1),
    "לחץ": (559.8, 578.2),
    "12)": (422.4, 439.9),
    "המשאבה,": (302.5, 347.2),
    "המתן.": (255.2, 282.3),
    "насос.": (278.0, 312.6),
}


def test_lines_are_read_from_right_to_left_with_numbers_and_ligatures() -> None:
    (moment,) = passages_on(moments_of(str(PRINTED)), 1)
    arabic, hebrew, russian, english = moment.text.split("\n")
    assert arabic == ARABIC
    assert hebrew == HEBREW
    assert russian == "Нажмите зелёную кнопку, чтобы включить насос."
    assert english == "Press the green button."


def test_words_stand_where_another_reader_finds_them() -> None:
    (moment,) = passages_on(moments_of(str(PRINTED)), 1)
    places = printed(moment)
    assert [text for text, _ in places] == moment.text.split()
    found = {text: (box.x0, box.x1) for text, box in places if text in POPPLER_EDGES}
    assert found.keys() == POPPLER_EDGES.keys()
    for text, (left, right) in POPPLER_EDGES.items():
        assert abs(found[text][0] - left) < 1, text
        assert abs(found[text][1] - right) < 1, text


@given(st.lists(st.text("אבג", min_size=1, max_size=4), min_size=1, max_size=6))
def test_plain_hebrew_is_turned_round(words: list[str]) -> None:
    text = " ".join(words)
    line = [Letter(each, 10.0 * at, 0, 10.0 * at + 9, 9) for at, each in enumerate(text[::-1])]
    assert is_right_to_left(text)
    assert "".join(letter.text for letter in in_reading_order(line)) == text


def test_words_of_other_scripts_within_keep_their_order() -> None:
    seen = "ג.ב foo 12.5 bar א"
    line = [Letter(each, 10.0 * at, 0, 10.0 * at + 9, 9) for at, each in enumerate(seen)]
    assert "".join(letter.text for letter in in_reading_order(line)) == "א foo 12.5 bar ב.ג"
    assert not is_right_to_left("Press א now")
