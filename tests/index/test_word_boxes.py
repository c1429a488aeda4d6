"""A quote is marked word by word, one box for each printed line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from index.records import Box
from index.word_boxes import WordBoxes


def test_words_are_packed_and_read_back() -> None:
    boxes = WordBoxes.of([(0, 3, Box(1, 2, 3, 4)), (4, 9, Box(5.5, 2, 9.25, 4))])
    assert len(boxes) == 2
    assert boxes.rows().tolist() == [(0, 3, 1, 2, 3, 4), (4, 9, 5.5, 2, 9.25, 4)]
    assert boxes == WordBoxes(boxes.packed)
    assert len(WordBoxes()) == 0
    assert WordBoxes().boxes_of(0, 10) == ()


def test_a_quote_over_two_lines_has_a_box_for_each() -> None:
    text = "one two three four"
    boxes = WordBoxes.of(
        [
            (0, 3, Box(100, 10, 120, 20)),
            (4, 7, Box(124, 10, 140, 20)),
            (8, 13, Box(20, 22, 45, 32)),
            (14, 18, Box(49, 22, 70, 32)),
        ]
    )
    start = text.index("two")
    assert boxes.boxes_of(start, text.index(" four")) == (
        Box(124, 10, 140, 20),
        Box(20, 22, 45, 32),
    )
    assert boxes.boxes_of(0, len(text)) == (Box(100, 10, 140, 20), Box(20, 22, 70, 32))


def test_the_halves_of_a_parted_word_are_both_marked() -> None:
    boxes = WordBoxes.of([(0, 9, Box(500, 10, 540, 20)), (0, 9, Box(72, 22, 110, 32))])
    assert boxes.boxes_of(2, 5) == (Box(500, 10, 540, 20), Box(72, 22, 110, 32))


def test_columns_side_by_side_are_not_one_line() -> None:
    boxes = WordBoxes.of([(0, 3, Box(250, 700, 290, 710)), (4, 7, Box(330, 700, 360, 710))])
    assert len(boxes.boxes_of(0, 7)) == 2


def test_words_written_from_right_to_left_are_one_line() -> None:
    boxes = WordBoxes.of([(0, 4, Box(300, 10, 330, 20)), (5, 9, Box(260, 10, 296, 20))])
    assert boxes.boxes_of(0, 9) == (Box(260, 10, 330, 20),)


def test_words_of_a_page_on_its_side_are_one_line() -> None:
    boxes = WordBoxes.of(
        [
            (0, 3, Box(40, 470, 52, 500)),
            (4, 5, Box(40, 456, 52, 464)),
            (6, 11, Box(40, 410, 52, 450)),
            (12, 16, Box(56, 465, 68, 500)),
        ]
    )
    assert boxes.boxes_of(0, 16) == (Box(40, 410, 52, 500), Box(56, 465, 68, 500))


@given(st.integers(1, 30), st.integers(0, 29), st.integers(1, 30))
def test_every_word_of_a_quote_lies_in_its_boxes(words: int, first: int, count: int) -> None:
    placed = [
        (
            6 * n,
            6 * n + 5,
            Box(72 + 30 * (n % 7), 12 * (n // 7), 98 + 30 * (n % 7), 12 * (n // 7) + 10),
        )
        for n in range(words)
    ]
    found = WordBoxes.of(placed).boxes_of(6 * first, 6 * (first + count) - 1)
    quoted = placed[first : first + count]
    assert len(found) == len({box.y0 for _, _, box in quoted})
    for _, _, box in quoted:
        assert any(
            one.x0 <= box.x0 and one.y0 <= box.y0 and box.x1 <= one.x1 and box.y1 <= one.y1
            for one in found
        )
