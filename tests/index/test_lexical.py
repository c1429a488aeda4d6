"""Words, names and codes are found as people type them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import tantivy
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import LibraryError
from index.lexical import VERSION_NAME, ShardWords, write_words
from index.word_search import LexicalIndex
from index.words import fold, forms_of, words_of

TEXTS = [
    "Press the reset button and hold it",  # 0
    "The breaker TG-4471-K trips when error E-07 is shown",  # 1
    "Part number TG-4472-K is the successor",  # 2
    "Version 1.15 of the firmware, and 115 volts",  # 3
    "El señor Müller visitó Łódź",  # 4
    "第二十三分钟我们重置了设备",  # 5
    "На двенадцатой минуте книга лежит на столе, ещё одна",  # 6
    "resetting devices, again and again",  # 7
    "support@example.org or file_name.txt",  # 8
    "",  # 9
    "ภาษาไทยไม่มีช่องว่าง",  # 10
    "हिन्दी में लिखा हुआ वाक्य",  # 11
    "margins grew; the second margin was quoted",  # 12
    "the number is B7",  # 13
]


def _index(root: Path, texts: Sequence[str], borders: Sequence[int] = ()) -> LexicalIndex:
    directories = []
    edges = [0, *borders, len(texts)]
    for first, last in pairwise(edges):
        directory = root / f"{len(borders)}-{first}"
        part = texts[first:last]
        write_words(directory, part, headings=[""] * len(part), names=["clip.mp4"] * len(part))
        directories.append(directory)
    return LexicalIndex.open(directories)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    return _index(tmp_path_factory.mktemp("words"), TEXTS)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("TG-4471-K", 1),
        ("tg4471k", 1),
        ("TG 4471 K", 1),
        ("4472", 2),
        ("E-07", 1),
        ("e07", 1),
        ("1.15", 3),
        ("senor muller", 4),
        ("lodz", 4),
        ("重置", 5),
        ("设备", 5),
        ("книги", 6),
        ("ЕЩЕ", 6),
        ("file_name.txt", 8),
        ("example.org", 8),
        ("ไทย", 10),
        ("हिन्दी", 11),
        ("margin", 12),
        ("b7", 13),
        ("how do I reset the device?", 7),
    ],
)
def test_the_moment_is_found_first(index: LexicalIndex, query: str, expected: int) -> None:
    ids, scores = index.search(query, 5)
    assert ids[0] == expected
    assert np.all(np.diff(scores) <= 0)


def test_every_form_of_a_word_is_found(index: LexicalIndex) -> None:
    assert set(index.search("resets", 5)[0].tolist()) >= {0, 7}
    assert 1 in index.search("TG-4472-K", 5)[0]


def test_numbers_keep_their_point() -> None:
    assert forms_of("1.15") == ["1.15"]
    assert forms_of("TG-4471-K") == ["tg4471k"]
    assert words_of("Don’t STOP: naïve Straße") == ["don", "t", "stop", "naive", "strasse"]
    assert words_of("第23分钟 ok") == ["第", "23", "分钟", "ok"]
    assert fold("ÅÇØ ﬁ") == "aco fi"


def test_a_quoted_phrase_comes_first(tmp_path: Path) -> None:
    texts = ["button reset reset button", "press the reset button", "reset the button reset"]
    index = _index(tmp_path, texts)
    assert index.search('"the reset button"', 3)[0][0] == 1
    assert index.search("“the reset button”", 3)[0][0] == 1


def test_headings_and_names_count_less_than_text(tmp_path: Path) -> None:
    write_words(
        tmp_path / "w",
        ["calibration of the sensor", "see below", "nothing"],
        headings=["", "Calibration", ""],
        names=["a.pdf", "b.pdf", "calibration.pdf"],
    )
    ids, scores = LexicalIndex.open([tmp_path / "w"]).search("calibration", 5)
    assert ids.tolist() == [0, 1, 2]
    assert np.all(np.diff(scores) < 0)


def test_equal_scores_come_in_order_where_tantivy_has_merged_out_of_it(tmp_path: Path) -> None:
    """Merging puts the larger segments first: here as if the first moments were a smaller one."""
    own, merged = tmp_path / "own", tmp_path / "merged"
    texts = ["one text for all"] * 200
    write_words(own, texts, headings=[""] * 200, names=[""] * 200)
    merged.mkdir()
    shutil.copy(own / VERSION_NAME, merged)
    index = tantivy.Index(tantivy.Index.open(str(own)).schema, path=str(merged))
    whitespace = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    for name in ("plain", "stemmed"):
        index.register_tokenizer(name, whitespace)
    writer = index.writer(num_threads=1)
    for moment in (*range(50, 200), *range(50)):
        document = tantivy.Document(words=texts[moment])
        document.add_unsigned("moment", moment)
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
    assert ShardWords(merged).searcher.num_segments == 1
    for directory in (own, merged):
        ids, scores = LexicalIndex.open([directory]).search("text", 5)
        assert len(set(scores.tolist())) == 1
        assert ids.tolist() == [0, 1, 2, 3, 4], directory.name


@settings(max_examples=150)
@given(st.text(max_size=40) | st.sampled_from(['"', '""', "AND", "a:b", "+-*~^\\/", "\ud800", "["]))
def test_no_query_is_an_error(index: LexicalIndex, query: str) -> None:
    ids, scores = index.search(query, 5)
    assert len(ids) == len(scores) <= 5


@pytest.mark.parametrize(
    "query", ["reset AND NOT button", "text:reset", "moment:[0 TO 5]", "reset^100", "(reset", "re*"]
)
def test_operators_are_plain_words(index: LexicalIndex, query: str) -> None:
    ids, _ = index.search(query, 20)
    assert (0 in ids) == ("reset" in query)


def test_stop_words_alone_still_search(index: LexicalIndex) -> None:
    assert len(index.search("and the", 5)[0]) > 0
    assert 12 not in index.search("was the reset", 20)[0]


@pytest.mark.parametrize("share", [0.001, 0.05, 0.5])
def test_a_filter_acts_before_ranking(tmp_path: Path, share: float) -> None:
    generator = np.random.default_rng(0)
    vocabulary = [f"w{number}" for number in range(30)]
    texts = [" ".join(generator.choice(vocabulary, 6)) for _ in range(3000)]
    index = _index(tmp_path, texts, [1000, 1001])
    everything = dict(zip(*(part.tolist() for part in index.search("w1 w2 w3", 3000)), strict=True))
    masks = [generator.random(3000) < share, np.arange(3000) >= 3000 * (1 - share)]
    for allowed in masks:
        allowed[2999] = True
        ids, scores = index.search("w1 w2 w3", 12, allowed=allowed)
        ranked = sorted((-score, i) for i, score in everything.items() if allowed[i])[:12]
        assert [(-score, i) for i, score in zip(ids, scores, strict=True)] == ranked
    assert len(index.search("w1", 5, allowed=np.zeros(3000, dtype=np.bool_))[0]) == 0


def test_equal_scores_come_in_ascending_id(tmp_path: Path) -> None:
    index = _index(tmp_path, ["same words"] * 50, [25])
    assert index.search("words", 7)[0].tolist() == list(range(7))
    allowed = np.arange(50) % 4 == 3
    assert index.search("words", 9, allowed=allowed)[0].tolist() == list(range(3, 36, 4))


def test_an_empty_index_and_an_open_one_outlive_their_files(tmp_path: Path) -> None:
    assert len(LexicalIndex([]).search("reset", 5)[0]) == 0
    assert len(_index(tmp_path / "..", [], []).search("reset", 5)[0]) == 0
    index = _index(tmp_path, TEXTS, [3])
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.unlink()
    assert index.search("TG-4471-K", 1)[0].tolist() == [1]
    with pytest.raises(LibraryError, match="read the words"):
        ShardWords(tmp_path / "none")
