"""Times in three languages: the table, and properties of all that can be written."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.clock import format_clock, parse_clock
from index.records import Span
from retrieve.time_expressions import find_times, spans_of
from retrieve.time_symbols import han_number
from tests.retrieve.time_table import CONTENT, FOUR_HOURS, TEN_MINUTES, THREE_HOURS

HOUR = 3600
TABLES = {
    Fraction(3 * HOUR): THREE_HOURS,
    Fraction(4 * HOUR): FOUR_HOURS,
    Fraction(600): TEN_MINUTES,
}
ROWS = [
    (length, *map(str.strip, line.split("=")))
    for length, table in TABLES.items()
    for line in table.strip().splitlines()
]
_texts = st.text(max_size=60)
_lengths = st.fractions(min_value=1, max_value=6 * HOUR, max_denominator=1000)


def spans_in(text: str, length: Fraction) -> tuple[Span, ...]:
    return spans_of(find_times(text), length)


def test_the_table_is_large_enough() -> None:
    assert len({expression for _, expression, _ in ROWS}) >= 150


@pytest.mark.parametrize(("length", "expression", "expected"), ROWS)
def test_expressions_mean_their_spans(length: Fraction, expression: str, expected: str) -> None:
    wanted = tuple(
        Span(*map(parse_clock, span.split("-")))
        for span in (() if expected == "-" else expected.split(" + "))
    )
    assert spans_in(expression, length) == wanted
    (found,) = find_times(f"bees, {expression}")
    assert found.words == expression


@pytest.mark.parametrize("text", CONTENT.strip().splitlines())
def test_times_that_are_content_are_not_read(text: str) -> None:
    assert find_times(text) == ()


@given(_texts, _lengths)
def test_any_text_is_read_within_the_length(text: str, length: Fraction) -> None:
    done = 0
    for found in find_times(text):
        assert done <= found.start < found.end <= len(text)
        assert found.words == text[found.start : found.end]
        done = found.end
    for span in spans_in(text, length):
        assert 0 <= span.start < span.end <= length


@given(st.text(alphabet="abcdwxyz бгджю 蜂蜜花 ,.?!\n-'", max_size=80))
def test_texts_without_numbers_and_time_words_hold_no_times(text: str) -> None:
    assert find_times(text) == ()


@given(
    st.integers(0, 5 * HOUR),
    st.integers(1, HOUR),
    st.sampled_from(
        [
            "what of bees between {} and {}?",
            "from {} to {}",
            "{}-{}",
            "{}到{}之间讲了什么",
            "从{}至{}",
            "что с {} до {}",
            "между {} и {}",
        ]
    ),
)
def test_ranges_of_full_clocks_are_read_back(start: int, length: int, phrase: str) -> None:
    span = Span(Fraction(start), Fraction(start + length))
    text = phrase.format(format_clock(span.start, 0), format_clock(span.end, 0))
    assert spans_in(text, Fraction(24 * HOUR)) == (span,)


@given(
    st.integers(1, 59),
    _lengths,
    st.sampled_from(
        ["in the last {} minutes", "the final {} min", "最后{}分钟", "последние {} минут"]
    ),
)
def test_last_minutes_are_counted_from_the_end(count: int, length: Fraction, phrase: str) -> None:
    expected = Span(max(length - 60 * count, Fraction(0)), length)
    assert spans_in(phrase.format(count), length) == (expected,)


@given(st.integers(1, 999))
def test_chinese_numerals_are_read(number: int) -> None:
    digits = "零一二三四五六七八九"
    hundreds, tens, ones = number // 100, number // 10 % 10, number % 10
    written = f"{digits[hundreds]}百" if hundreds else ""
    if tens:
        written += f"{digits[tens]}十"
    elif hundreds and ones:
        written += "零"
    written += digits[ones] if ones else ""
    assert han_number(written) == number
