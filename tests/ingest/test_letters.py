"""The spelling of words: ligatures, hyphens, and accents printed as letters of their own."""

# mypy: allow-untyped-calls

import unicodedata
from pathlib import Path

import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.mupdf.letters import plain, prints_accents
from tests.ingest.pdfs import moments_of, passages_on, save
from tests.ingest.test_word_places import printed


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("w\u00a8ahrend f\u00a8ur", "während für"),
        ("Sc`ene pi`u `a", "Scène più à"),
        ("mod\u00b4er\u00b4e \u00b4etait", "modéré était"),
        ("\u02c7s \u02dan \u02dcn", "š \u02dan ñ"),
        ("e\u0301t\u0065\u0301", "été"),
        ("l\u00b4eau qu\u00b4il it\u00b4s", "l\u00b4eau qu\u00b4il it\u00b4s"),
        ("run `echo a` x=`a`", "run `echo a` x=`a`"),
        ("long\u2010term o\ufb03ce m\u00b2", "long-term office m²"),
    ],
)
def test_spellings_that_only_the_font_asks_for(written: str, read: str) -> None:
    assert plain(written) == read


def test_quotes_are_accents_on_a_page_that_prints_accents() -> None:
    page = ["mod\u00b4er\u00b4e par d\u00b4efaut", "g\u00b4en\u00b4erale"]
    assert not prints_accents("l\u00b4eau n\u00b4est qu\u00b4un reve,\ndon\u00b4t")
    assert prints_accents("\n".join(page))
    assert plain("s'ajoute `a ceci, `a", quotes_are_accents=True) == "s'ajoute à ceci, à"
    assert plain(page[0], quotes_are_accents=True) == "modéré par défaut"


@given(st.text("ae`\u00b4\u00a8 lst\u0301"))
def test_letters_stay_whatever_becomes_of_their_accents(text: str) -> None:
    kept = [each for each in unicodedata.normalize("NFD", plain(text)) if each.isascii()]
    letters = [each for each in text if each.isascii() and each != "`"]
    assert [each for each in kept if each != "`"] == letters


def test_quotes_printed_over_a_letter_are_its_accent(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    start = "Try `echo` and l"
    page.insert_text((72, 100), start, fontsize=11)
    x = 72 + pymupdf.get_text_length(start, fontsize=11)
    page.insert_text((x + 1, 100), "`", fontsize=11)
    page.insert_text((x, 100), "egate", fontsize=11)
    (moment,) = passages_on(moments_of(save(document, tmp_path / "accent.pdf")), 1)
    assert moment.text == "Try `echo` and l\u00e8gate"
    assert [text for text, _ in printed(moment)] == moment.text.split()
