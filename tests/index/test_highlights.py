"""What matched is marked, on the characters of the original text."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from index.folding import fold
from index.highlights import highlights
from index.word_query import Phrases
from index.words import LOOKUP_STOP_WORDS, words_of


def _marked(
    query: str, text: str, *, phrases: Phrases = "prefer", near: tuple[str, ...] = ()
) -> str:
    marked, end = "", 0
    for start, stop in highlights(query, text, phrases=phrases, near=near):
        marked += f"{text[end:start]}[{text[start:stop]}]"
        end = stop
    return marked + text[end:]


@pytest.mark.parametrize(
    ("query", "marked"),
    [
        ("reset button", "Press the [RESET] [button], then [resetting]"),
        ("how do I reset it", "never [resets] it"),
        ("malaga", "in [MÁLAGA] und [Ma\u0301laga]"),
        ("strasse", "die [Straße] hier"),
        ("hyphenation", "of [hyphen\u00adation] marks"),
        ("finance", "the [ﬁnance] part"),
        ("E-07", "error [E-07], [E07]"),
        ("e07", "error [E-07]"),
        ("1.15", "version [1.15] or [1],[15] volts"),
        ("c++", "[C++] is not b"),
        ("1000000", "[1,000,000] moments"),
        ("重置设备", "我们[重置]了[设备]"),
        ("重置设备", "请[重置\n设备]吧"),
        ("重", "我们[重]新[重]置"),
        ("モデル", "Qwen3[モデル]を"),
        ("モデル", "Qwen3[ﾓﾃﾞﾙ]を"),
        ("qwen", "[Qwen]3モデル"),
        ("qwen3", "the [Qwen 3] model"),
        ("ไทย", "ภาษา[ไทย]ไม่มี"),
        ("книги", "новая [КНИГА] тут"),
        ("كتاب", "هذا [كِتَابٌ] جديد"),
        ("kg", "10[㎏] or 3 [㎏]"),
        ("the", "[the] end"),
        ("zebra", "no match"),
        ("", "no match"),
        ('"the reset button" it', "press [the reset button], not the [button] of [reset]"),
    ],
)
def test_what_matches_is_marked(query: str, marked: str) -> None:
    text = marked.replace("[", "").replace("]", "")
    assert _marked(query, text) == marked


@pytest.mark.parametrize(
    ("query", "marked"),
    [
        ('"reset button" press', "[press] the [reset button], reset the button"),
        ('"23分"', "第[23分]钟，第24分钟"),
        ('"第23"', "在[第23]分钟"),
        ('"C++"', "c and [C++]"),
        ('"reset"', "[reset] or resets"),
    ],
)
def test_words_of_a_required_phrase_are_marked_only_there(query: str, marked: str) -> None:
    text = marked.replace("[", "").replace("]", "")
    assert _marked(query, text, phrases="require") == marked


def test_words_that_are_meant_are_marked() -> None:
    marked = _marked("calibraton", "the Calibration of it", near=("calibration",))
    assert marked == "the [Calibration] of it"


TEXTS = st.text(
    st.sampled_from("bBvßéİıø ž1２٣-.'\n\u0301\u00adжёאשּقكि重置デﾞﾙ한국ไกำ½ﬁ㎏"), max_size=25
)


AROUND = st.text(st.sampled_from(".,-'\n!?()。"), max_size=8)


@settings(max_examples=300)
@given(TEXTS, TEXTS, st.sampled_from(["prefer", "require"]))
def test_spans_are_in_order_and_apart(query: str, text: str, phrases: Phrases) -> None:
    end = 0
    for start, stop in highlights(query, text, phrases=phrases):
        assert end <= start < stop <= len(text)
        end = stop


@settings(max_examples=200, suppress_health_check=[HealthCheck.filter_too_much])
@given(AROUND, TEXTS, AROUND)
def test_a_word_that_matches_is_marked_whole(before: str, word: str, after: str) -> None:
    """Between spaces a word ends where it ends, whatever its letters are."""
    word = "".join(word.split())
    words = set(words_of(word))
    assume(words and words.isdisjoint(LOOKUP_STOP_WORDS))
    text = f"{before} | {word} | {after}"
    spans = highlights(word, text)
    start = len(before) + 3
    assert spans
    assert all(start <= first < last <= start + len(word) for first, last in spans)
    covered = {place for first, last in spans for place in range(first, last)}
    letters = {start + n for n, sign in enumerate(word) if any(map(str.isalnum, fold(sign)))}
    assert letters <= covered
