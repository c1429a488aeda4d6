"""Words of every script are found however they are typed."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from index.folding import fold, fold_with_places
from index.word_search import LexicalIndex
from index.words import words_of
from tests.index.word_build import index_of

FOUND = [
    ("malaga", "La ciudad de Málaga"),  # Spanish
    ("MÁLAGA", "La ciudad de Málaga"),
    ("espanol", "El español de América"),
    ("naive cafe", "a naïve plan in the café"),
    ("STRASSE", "Die Straße nach Köln"),  # German
    ("straße", "DIE STRASSE NACH KÖLN"),
    ("koln", "Die Straße nach Köln"),
    ("œuvre", "le chef d'oeuvre inconnu"),  # French
    ("oeuvre", "le chef d'œuvre inconnu"),
    ("l'ete", "pendant l’été dernier"),
    ("colleccio", "la col·lecció del museu"),  # Catalan
    ("smorrebrod", "to stykker smørrebrød"),  # Danish
    ("aerlig", "en ærlig mand"),
    ("angstrom", "one Ångström wide"),
    ("thorfinnur", "Þorfinnur hét maður"),  # Icelandic
    ("lodz", "pociąg do miasta Łódź"),  # Polish
    ("zolc", "zażółć gęślą jaźń, żółć"),
    ("dakovo", "Grad Đakovo u Slavoniji"),  # Croatian
    ("prilis zlutoucky", "Příliš žluťoučký kůň"),  # Czech
    ("istanbul", "İSTANBUL büyük şehir"),  # Turkish
    ("ISTANBUL", "istanbul büyük şehir"),
    ("ısparta", "ISPARTA gülü"),
    ("isparta", "Isparta gülü"),
    ("viet nam duong", "Đường phố Việt Nam"),  # Vietnamese
    ("tieng viet", "tiếng Việt có dấu"),
    ("rau", "rău și bun"),  # Romanian
    ("οδος", "η ΟΔΟΣ του λιμανιού"),  # Greek, final sigma
    ("ΟΔΟΣ", "η οδός του λιμανιού"),
    ("αθηνα", "στην Αθήνα σήμερα"),
    ("βιβλίων", "βιβλία και τετράδια"),
    ("еще", "ещё одна книга"),  # Russian
    ("ЁЛКА", "елка стоит"),
    ("книгами", "книга на столе"),
    ("замок", "старый за́мок"),
    ("її", "Її книжка"),  # Ukrainian
    ("м'ята", "зелена мʼята"),
    ("الكتاب", "هذا كتاب جديد"),  # Arabic, article
    ("كتاب", "هٰذَا كِتَابٌ جَدِيدٌ"),
    ("سلام", "ســلام عليكم"),  # tatweel
    ("اسلام", "تاريخ الإسلام و إسلام"),
    ("علي", "قرية على النهر"),
    ("٢٠٢٤", "in the year 2024"),
    ("2024", "في عام ٢٠٢٤"),
    ("کتاب", "كتاب عربي"),  # Persian kaf finds the Arabic one
    ("میخواهم", "من می‌خواهم بروم"),
    ("שלום", "שָׁלוֹם עולם"),  # Hebrew points
    ("צה\u05f4ל", "חיילי צה\u05f4ל"),
    ("हिन्दी", "हिन्दी में लिखा"),  # Hindi
    ("१२३", "room 123"),
    ("நூல்", "நூல்கள் மற்றும்"),  # Tamil, plural
    ("বাংলা", "আমি বাংলা বলি"),  # Bengali
    ("ქართული", "ქართული ენა"),  # Georgian
    ("ՀԱՅԵՐԵՆ", "հայերեն լեզու"),  # Armenian
    ("አማርኛ", "አማርኛ ቋንቋ"),  # Amharic
    ("ไทย", "ภาษาไทยไม่มีช่องว่าง"),  # Thai
    ("กำลัง", "เขากําลังมา"),  # sara am in two characters
    ("ພາສາລາວ", "ນີ້ແມ່ນພາສາລາວ"),  # Lao
    ("ភាសា", "នេះជាភាសាខ្មែរ"),  # Khmer
    ("ဘာသာ", "မြန်မာဘာသာစကား"),  # Burmese
    ("重置", "我们重置了设备"),  # Chinese
    ("设备", "我们重置了设 备"),
    ("机", "手机没电了"),
    ("東京都", "東京\n都に行く"),  # Japanese over a line end
    ("ﾊﾝﾄﾞﾙ", "ハンドルを回す"),
    ("ハンドル", "ﾊﾝﾄﾞﾙを回す"),
    ("人々", "人々の声"),
    ("㈱", "(株)の会社"),
    ("モデル", "Qwen3モデルを使う"),
    ("qwen3", "Qwen3モデルを使う"),
    ("Qwen3モデル", "Qwen3モデルを使う"),
    ("qwen", "Qwen3モデルを使う"),
    ("qwen3", "the Qwen 3 model"),
    ("25秒", "第3分25秒"),
    ("第3分25秒", "第3分25秒"),
    ("３", "第3分25秒"),
    ("한국어", "저는 한국어를 공부합니다"),  # Korean with its particle
    ("한국어", "저는 한국어를 공부합니다"),  # in decomposed letters
    ("C++", "templates in C++ and C"),
    ("c#", "written in C#."),
    (".NET", "the .NET runtime"),
    ("E-07", "error E07 is shown"),
    ("e07", "error E-07 is shown"),
    ("0.05", "a threshold of 0.05 is used"),
    ("0,05", "ein Wert von 0,05 mm"),
    ("1000000", "1,000,000 moments"),
    ("1,000,000", "1,000,000 moments"),
    ("user@host", "ssh user@host now"),
    ("userhost", "ssh user@host now"),
    ("host", "ssh user@host now"),
    ("att", "AT&T announced"),
    ("１２３４", "serial 1234"),  # full width
    ("ｔｅｓｔ", "this is a test"),
    ("ﬁnance", "finance and ﬂow"),  # ligatures
    ("flow", "finance and ﬂow"),
    ("hyphenation", "hyphen\u00adation of words"),
    ("10kg", "a load of 10㎏"),
    ("--force", "run with --force again"),
]
"""What is typed, and a text that it must find."""
DIFFERENT = [
    ("й", "и"),
    ("1.15", "the 115th"),
    ("がき", "かき"),
    ("設計", "設備と計画"),
    ("E-07", "F-08 or F-7"),
    ("हिन्दी", "हन्द"),
    ("C++", "vitamin D"),
]
"""What is typed, and a text that it must not find."""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    return index_of(tmp_path_factory.mktemp("found"), [text for _, text in [*FOUND, *DIFFERENT]])


@pytest.mark.parametrize(("number", "typed"), list(enumerate(typed for typed, _ in FOUND)))
def test_it_is_found_as_typed(index: LexicalIndex, number: int, typed: str) -> None:
    assert number in _ids(index, typed)


@pytest.mark.parametrize(("number", "typed"), list(enumerate(typed for typed, _ in DIFFERENT)))
def test_what_differs_is_not_found(index: LexicalIndex, number: int, typed: str) -> None:
    assert len(FOUND) + number not in _ids(index, typed)


@settings(max_examples=300)
@given(st.text(max_size=30))
@example("ǰ̌ΐ℻ẞſt")
def test_folding_again_changes_nothing(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    for form in ("NFC", "NFD"):
        assert fold(unicodedata.normalize(form, text)) == folded


@settings(max_examples=300)
@given(st.text(max_size=30))
@example("각 ｶﾞ e\u0301\u200d\u0323 ﷺ½")
def test_folded_letters_know_where_they_come_from(text: str) -> None:
    folded = fold_with_places(text)
    assert folded.text == fold(text)
    assert len(folded.text) == len(folded.starts) == len(folded.ends)
    assert list(folded.starts) == sorted(folded.starts)
    for letter, start, end in zip(folded.text, folded.starts, folded.ends, strict=True):
        assert 0 <= start < end <= len(text)
        assert letter in fold(text[start:end])


LETTERS = "aAbßéÉİıøñ ž1２٣०-._/:+'’@&#$ \nжёЁйάςشكֹשحिकनी重置设备モデﾙ한국ไทยกำភ"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stored")


@settings(max_examples=10)
@given(st.lists(st.text(st.sampled_from(LETTERS), max_size=14), min_size=5, max_size=12))
def test_every_word_of_a_text_finds_it(stored: Path, texts: list[str]) -> None:
    index = index_of(stored / str(len(list(stored.iterdir()))), texts)
    for number, text in enumerate(texts):
        pieces = [piece for piece in text.split() if words_of(piece)]
        for piece in dict.fromkeys([*pieces, *words_of(text)]):
            assert number in _ids(index, piece), piece


def _ids(index: LexicalIndex, query: str) -> list[int]:
    return [int(found) for found in index.search(query, 500)[0]]
