"""Words as matching sees them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.words import all_words, stem
from retrieve.words import content_words, share_of_shorter, share_within


@pytest.mark.parametrize(
    "forms",
    [
        ("measure", "measured", "measures", "measuring"),
        ("stop", "stopped", "stopping"),
        ("bee", "bees"),
    ],
)
def test_forms_of_a_word_share_a_stem(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1, [stem(form) for form in forms]


def test_numbers_and_codes_stay_whole() -> None:
    assert all_words("4.5 bar at 03:40, E47, don't") == [
        "4.5",
        "bar",
        "at",
        "03:40",
        "e47",
        "don't",
    ]
    assert content_words("What is the Q7 flag?") == ["q7", "flag"]


def test_scripts_without_spaces_are_cut() -> None:
    assert all_words("水泵3号") == ["水", "泵", "3", "号"]


def test_stop_words_alone_are_kept() -> None:
    assert content_words("to be or not to be") != []


def test_shares() -> None:
    assert share_of_shorter("the red pump", "a red pump stands here") == 1.0
    assert share_within("the red pump", "a red valve") == 0.5
    assert share_of_shorter("", "red") == 0.0


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert len(content_words(text)) <= len(all_words(text))
    assert share_within(text, text) in (0.0, 1.0)


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_letters_are_cut_like_any(text: str) -> None:
    assert all_words(f"{text} é") == [*all_words(text), "é"]
