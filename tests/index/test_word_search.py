"""Phrases, typos, and one ranking whatever the shards."""

from __future__ import annotations

import json
import string
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import LibraryError
from index.lexical import WORDS_VERSION, ShardWords, write_words
from index.typos import typos_between, typos_borne
from index.word_search import LexicalIndex
from index.words import LOOKUP_STOP_WORDS
from tests.index.word_build import index_of

# --- phrases -------------------------------------------------------------------------------------

PHRASES = [
    "button reset reset button",  # 0
    "press the reset button now",  # 1
    "reset the button, reset",  # 2
    "The RESET BUTTON: see version 1.15",  # 3
    "version 1 15 of the manual in C",  # 4
    "第23分钟我们重置设备",  # 5
    "第23秒我们重新设置备用",  # 6
    "written in C++ and Ångström",  # 7
]


@pytest.fixture(scope="module")
def phrases(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    return index_of(tmp_path_factory.mktemp("phrases"), PHRASES, [4, 5])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('"reset button"', {0, 1, 3}),
        ("“the reset button”", {1, 3}),
        ('"the reset" "button now"', {1}),
        ('"reset button" press', {0, 1, 3}),
        ('"button reset button"', set()),
        ('"buttons"', set()),
        ('"Reset"', {0, 1, 2, 3}),
        ('"version 1.15"', {3}),
        ('"version 1 15"', {3, 4}),
        ('"C++"', {7}),
        ('"in C"', {4, 7}),
        ('"angstrom"', {7}),
        ('"重置设备"', {5}),
        ('"第23"', {5, 6}),
        ('"23分"', {5}),
        ('"第23分钟我"', {5}),
        ('"备"', {5, 6}),
        ("「重置设备」", {5}),
        ('"..."', set(range(0))),
        ("reset button", {0, 1, 2, 3}),
    ],
)
def test_a_required_phrase_stands_as_such(
    phrases: LexicalIndex, query: str, expected: set[int]
) -> None:
    ids, scores = phrases.search(query, 10, phrases="require")
    assert set(ids.tolist()) == expected
    assert np.all(scores > 0)


def test_words_beside_a_required_phrase_rank(phrases: LexicalIndex) -> None:
    assert phrases.search('"reset button" press', 3, phrases="require")[0][0] == 1
    assert phrases.search('"reset button" version', 3, phrases="require")[0][0] == 3
    allowed = np.arange(len(PHRASES)) > 0
    ids = phrases.search('"reset button"', 5, phrases="require", allowed=allowed)[0]
    assert set(ids.tolist()) == {1, 3}


# --- typos ---------------------------------------------------------------------------------------

WORDS = st.text(string.ascii_lowercase + "éж", min_size=4, max_size=12).filter(
    lambda word: word not in LOOKUP_STOP_WORDS
)


@st.composite
def mistyped(draw: st.DrawFn) -> tuple[str, str]:
    """A word, and the word with one typo behind its first letter."""
    word = draw(WORDS)
    at = draw(st.integers(1, len(word) - 1))
    letter = draw(st.sampled_from(string.ascii_lowercase))
    typed = draw(
        st.sampled_from(
            [
                word[:at] + letter + word[at + 1 :],
                word[:at] + letter + word[at:],
                word[:at] + word[at + 1 :],
                word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
            ]
        )
    )
    return word, typed


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("typos")


@settings(max_examples=15)
@given(pairs=st.lists(mistyped(), min_size=10, max_size=20))
def test_a_word_with_one_typo_is_found(stored: Path, pairs: list[tuple[str, str]]) -> None:
    texts = [word for word, _ in pairs]
    index = index_of(stored / str(len(list(stored.iterdir()))), texts, [len(texts) // 2])
    for number, (_, typed) in enumerate(pairs):
        if len(typed) >= 4:
            assert number in index.search(typed, 20, typos="all")[0]


@given(WORDS, WORDS)
def test_typos_are_a_distance(first: str, second: str) -> None:
    assert typos_between(first, first, 0) == 0
    assert typos_between(first, second, 3) == typos_between(second, first, 3)


@pytest.mark.parametrize(
    ("typed", "word", "typos"),
    [
        ("calibraton", "calibration", 1),
        ("claibration", "calibration", 1),
        ("calibratoin", "calibration", 1),
        ("calirbatoin", "calibration", 2),
        ("callibbrationn", "calibration", None),
        ("kalibration", "calibration", None),
        ("ca", "abc", None),
    ],
)
def test_typos_are_counted(typed: str, word: str, typos: int | None) -> None:
    assert typos_between(typed, word, 2) == typos


def test_codes_and_short_words_bear_no_typos() -> None:
    words = ("cat", "e07b", "2024", "重置设备", "тест", "calibrate", "Überall".lower())
    assert [typos_borne(word) for word in words] == [0, 0, 0, 0, 1, 2, 1]


def test_only_what_matches_nothing_is_read_as_mistyped(tmp_path: Path) -> None:
    texts = ["form the line", "from the line", "the calibration", "calibrations", "kalibration"]
    index = index_of(tmp_path, texts, [1, 3])
    assert index.search("form", 5)[0].tolist() == [0]
    assert index.search("form", 5, typos="unmatched")[0].tolist() == [0]
    assert index.search("fomr", 5)[0].tolist() == []
    assert index.search("fomr", 5, typos="unmatched")[0].tolist() == [0]
    assert index.search("calibraton", 5, typos="unmatched")[0].tolist() == [2, 3]
    assert index.near_words("calibraton sensor", "unmatched") == {
        "calibraton": ("calibration", "calibrations")
    }
    assert index.near_words("fomr calibration", "none") == {}


def test_a_match_as_typed_stays_above_a_mistyped_one(tmp_path: Path) -> None:
    texts = ["margin " + "other words " * 40, *["margin"] * 30, "margie margie margie"]
    index = index_of(tmp_path, texts, [7])
    ids, scores = index.search("margin", 40, typos="all")
    assert ids[-1] == len(texts) - 1
    assert scores[-1] < scores[-2]


# --- shards --------------------------------------------------------------------------------------


@settings(max_examples=10)
@given(
    seed=st.integers(0, 10**6),
    borders=st.lists(st.integers(0, 120), max_size=6).map(sorted),
    query=st.sampled_from(["w1 w2 w9", '"w1 w2" w3', "w0", 'w4-w5 "w0 w0"', "w77 w5"]),
)
def test_ranking_does_not_depend_on_shards(
    stored: Path, seed: int, borders: list[int], query: str
) -> None:
    """Talks of few words and pages of many, rare words here and common ones there."""
    generator = np.random.default_rng(seed)
    texts = [
        " ".join(f"w{int(w)}" for w in generator.geometric(0.2 if n < 60 else 0.05, 4 + n) - 1)
        for n in range(120)
    ]
    number = len(list(stored.iterdir()))
    joined = index_of(stored / f"joined-{number}", texts)
    spread = index_of(stored / f"spread-{number}", texts, borders)
    for options in ({}, {"phrases": "require"}, {"typos": "all"}):
        ids, scores = joined.search(query, 30, **options)  # type: ignore[arg-type]
        other_ids, other_scores = spread.search(query, 30, **options)  # type: ignore[arg-type]
        np.testing.assert_allclose(other_scores, scores, rtol=2e-5)
        differ = ids != other_ids
        ties = np.isclose(scores[differ], other_scores[differ], rtol=2e-5)
        assert ties.all()
        assert np.count_nonzero(differ) <= 4


def test_equal_moments_of_unequal_shards_score_the_same(tmp_path: Path) -> None:
    texts = ["same words"] * 3 + ["other long text " * 30] * 9 + ["same words"] * 2 + ["same"] * 7
    index = index_of(tmp_path, texts, [3, 13])
    ids, scores = index.search("same words", 5)
    assert ids.tolist() == [0, 1, 2, 12, 13]
    assert len(set(scores.tolist())) == 1


# --- versions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "count"),
    [("button", 4), ("buttons", 4), ("reset", 4), ("1.15", 1), ("C++", 1), ("重", 2), ("zzz", 0)],
)
def test_moments_that_hold_a_word_are_counted(phrases: LexicalIndex, word: str, count: int) -> None:
    assert phrases.num_holding(word) == count


def test_the_highest_score_is_that_of_words_without_end(tmp_path: Path) -> None:
    texts = [*["the heron waits"] * 20, "herons heron heron " * 400, "a plain meadow"]
    index = index_of(tmp_path, texts)
    _, scores = index.search("heron", 30)
    highest = index.highest_score("heron")
    assert 0.9 * highest < scores[0] < 1.3 * highest
    assert index.highest_score("the heron") == highest
    assert index.highest_score("heron meadow") > 2 * highest
    assert index.highest_score("unheard") > index.highest_score("meadow")
    assert index.highest_score("") == 0
    mistyped = index.highest_score("maedow", "unmatched")
    assert 0 < mistyped < index.highest_score("meadow") < index.highest_score("maedow")


def test_words_of_another_version_are_refused(tmp_path: Path) -> None:
    write_words(tmp_path / "w", ["one"], headings=[""], names=["a"])
    about = tmp_path / "w" / "words.json"
    assert json.loads(about.read_text()) == {"version": WORDS_VERSION, "moments": 1}
    about.write_text(json.dumps({"version": WORDS_VERSION + 1, "moments": 1}))
    with pytest.raises(LibraryError, match="pip install --upgrade"):
        ShardWords(tmp_path / "w")
    about.write_text("{")
    with pytest.raises(LibraryError, match="read the words"):
        ShardWords(tmp_path / "w")
    about.unlink()
    with pytest.raises(LibraryError, match="secondsight upgrade"):
        ShardWords(tmp_path / "w")
