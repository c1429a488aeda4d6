"""Citations of models: every form that they write is read, and no text at all breaks it."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generate.cited_items import Mark, parse_items, write_mark
from generate.model_citations import CitedSentence, parse_cited, write_cited
from tests.generate.pieces import printed, said

EVIDENCE = (
    *(said(number, f"words of piece {number}", number * 10) for number in range(1, 8)),
    printed(8, "Error E47 means that the filter is blocked.", 4),
)
TENTHS = st.integers(0, 36_000).map(lambda tenths: Fraction(tenths, 10))
PLACES = st.builds(lambda first, last: (first, last), TENTHS, TENTHS) | st.none()
IDS = st.integers(48, 9999).map(lambda number: f"E{number}")
MARKS = st.builds(Mark, IDS, PLACES) | st.builds(Mark, IDS, page=st.integers(1, 999).map(str))
WORDS = "The pump hums loudly 4.5 bar насос гудит 泵停了 läuft"
SAID = st.lists(st.sampled_from(WORDS.split()), min_size=3).map(
    lambda words: " ".join(["So", *words, "today."])
)
SENTENCES = st.builds(CitedSentence, SAID, st.lists(MARKS, max_size=3, unique=True).map(tuple))
SCRAPS = (
    "[ ] ( ) 【 】 < > { } ^ E3 e5 E99 Е2 - – , ; : 。 . ! ? | # * ` \\ 12:05 1:2 3 s p. 7 第 页 ß"
    " İ 00:00:12.5 seconds sup cite see Sources: lecture.mp4 http:// [^1]: 泵 \ufdd0"
)
PIECES = st.sampled_from([*SCRAPS.split(), " ", "\n", "\r\n"])


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("It hums [E3].", [("It hums.", "E3")]),
        ("It hums. [E3] It stops [E1, E5].", [("It hums.", "E3"), ("It stops.", "E1 E5")]),
        ("It hums.[E3]It stops.[e4]", [("It hums.", "E3"), ("It stops.", "E4")]),
        ("It hums [E1-E3].", [("It hums.", "E1 E2 E3")]),
        ("It hums [E1–3; E5].", [("It hums.", "E1 E2 E3 E5")]),
        ("It hums [E1][E2] [E4].", [("It hums.", "E1 E2 E4")]),
        ("It hums (E3) and stops.", [("It hums and stops.", "E3")]),
        ("It hums ([E3], [E5]).", [("It hums.", "E3 E5")]),
        ("It hums [[E3]] `[E4]` \\[E5\\].", [("It hums.", "E3 E4 E5")]),
        ("It hums **[E3]**.", [("It hums.", "E3")]),
        ("It hums [E3](#e3), says [the talk](E4).", [("It hums, says the talk.", "E3 E4")]),
        ("It hums <sup>[E3]</sup>. So <cite>E4</cite>.", [("It hums.", "E3"), ("So.", "E4")]),
        ("It hums [3]. In 2019 [2019].", [("It hums.", "E3"), ("In 2019 [2019].", "")]),
        ("It hums.[^1]\n\n[^1]: E5, 00:12", [("It hums.", "E5 00:00:12.0")]),
        ("It hums.[^E3]\n[^E3]: the talk", [("It hums.", "E3")]),
        ("[E3] It hums.\n[E4] It stops.", [("It hums.", "E3"), ("It stops.", "E4")]),
        ("- It **hums**. [E1]\n* It stops\n\n[E2]", [("It hums.", "E1"), ("It stops", "E2")]),
        ("It hums.\nSources: [E1], [E2]", [("It hums.", "E1 E2")]),
        ("It hums according to E3, always.", [("It hums according to E3, always.", "E3")]),
        ("It hums [E3 00:12:05-00:12:11].", [("It hums.", "E3 00:12:05.0-00:12:11.0")]),
        ("It hums [12.3s - 15s].", [("It hums.", "00:00:12.3-00:00:15.0")]),
        ("It hums [E2, 12-15 s].", [("It hums.", "E2 00:00:12.0-00:00:15.0")]),
        ("It hums [E3 at 12 min 5 s].", [("It hums.", "E3 00:12:05.0")]),
        ("It hums <725.4 seconds>.", [("It hums.", "00:12:05.4")]),
        ("It [lecture.mp4 0:32-0:35].", [("It.", "lecture.mp4 00:00:32.0-00:00:35.0")]),
        ("It hums (lecture, 0:32).", [("It hums.", "lecture.mp4 00:00:32.0")]),
        ("It hums [E8, page 4].", [("It hums.", "E8 p. 4")]),
        ("它停了【E3】。请等[E4]。", [("它停了。", "E3"), ("请等。", "E4")]),
        ("它停了。[E3]请等。（E4）", [("它停了。", "E3"), ("请等。", "E4")]),
        ("它停了［Ｅ３，第7页］。", [("它停了。", "E3 p. 7")]),
        ("Er fährt am 5. Mai z. B. um acht [E1].", [("Er fährt am 5. Mai z. B. um acht.", "E1")]),
        ("В 2019 г. мы потеряли ульи [Е2].", [("В 2019 г. мы потеряли ульи.", "E2")]),
        ("It hums [E99].", [("It hums.", "E99")]),
        ("It hums [E3", [("It hums", "E3")]),
    ],
)  # fmt: skip
def test_forms_that_models_write(text: str, cited: list[tuple[str, str]]) -> None:
    found = parse_cited(text, EVIDENCE)
    assert [(one.text, " ".join(map(write_mark, one.marks))) for one in found] == cited


@pytest.mark.parametrize(
    "text",
    [
        "The filter is blocked (E47), see [here].",
        "It opens (at 02:10 UTC), see page 7 (page 8).",
        "It is <b>bold</b> if x < 3 and y > 2 [sic].",
        "The siren (45 seconds) sounds [sic] again.",
        "It costs (E9) {name} [ ] ().",
    ],
)
def test_other_brackets_stay_text(text: str) -> None:
    (sentence,) = parse_cited(text, EVIDENCE)
    assert sentence == CitedSentence(text, ())


@pytest.mark.parametrize("text", ["", "  \n ", "...", "[E3]", "---\n***", "Sources: [E1]"])
def test_what_says_nothing_has_no_sentences(text: str) -> None:
    assert parse_cited(text, EVIDENCE) == ()


def test_rows_of_a_table_carry_their_column_names() -> None:
    text = "So:\n| Code | Meaning |\n|---|---|\n| E47 | Blocked [E8] |\n| E12 | Hot |"
    lead, first, second = parse_cited(text, EVIDENCE)
    assert lead.text == "So:"
    assert (first.text, first.marks) == ("Code: E47; Meaning: Blocked", (Mark("E8"),))
    assert (second.text, second.marks) == ("Code: E12; Meaning: Hot", ())


def test_a_mark_tells_how_it_was_written() -> None:
    ((sentence),) = parse_cited("It hums 【E3†source】.", EVIDENCE)
    assert [mark.written for mark in sentence.marks] == ["【E3†source】"]


@given(st.lists(SENTENCES, max_size=4))
def test_what_is_written_is_read_back(sentences: list[CitedSentence]) -> None:
    assert parse_cited(write_cited(sentences), EVIDENCE) == tuple(sentences)


@given(MARKS)
def test_marks_are_read_back(mark: Mark) -> None:
    assert parse_items(write_mark(mark), {}, numbers=False) == (mark,)


@settings(max_examples=300)
@given(st.lists(PIECES | st.text(max_size=4), max_size=30).map("".join))
def test_no_text_breaks_it(text: str) -> None:
    for sentence in parse_cited(text, EVIDENCE):
        assert sentence.text.strip() == sentence.text != ""
        assert "\ufdd0" not in sentence.text
        assert all(mark.evidence or mark.times or mark.page for mark in sentence.marks)


def test_long_texts_are_read_in_linear_time() -> None:
    assert len(parse_cited("It hums [E3]. " * 5000, EVIDENCE)) == 5000
    assert parse_cited("[" * 20_000 + "E" * 20_000 + "(" * 20_000, EVIDENCE)
