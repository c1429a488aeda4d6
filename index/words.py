"""Words: the one place that says what a word is, for the index, for matching and for answers.

Two views of a text. `words_of` and `forms_of` are what the lexical index stores and looks up:
folded, every script cut into tokens; they shape what is on disk. `all_words` and `stem` are what
two texts are compared by: numbers and contractions whole, one English ending cut.
"""

from __future__ import annotations

import re
import unicodedata

_MARKS = "".join(
    chr(code) for code in range(0x300, 0x2000) if unicodedata.category(chr(code))[0] == "M"
)
_TOKEN = re.compile(rf"(?:[^\W_]|[{_MARKS}])+")
_JOINED = re.compile(rf"(?:[^\W_]|[{_MARKS}])+(?:[-._/:+'’](?:[^\W_]|[{_MARKS}])+)+")
_JOINER = re.compile(r"[-._/:+'’]")
_LATIN_ACCENTS = re.compile("([a-z])[\u0300-\u036f]+")
_LATIN_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "ð": "d", "þ": "th", "ё": "е"}
)
# Thai, Lao, Myanmar, Khmer, kana, Han, Hangul: words are not set apart by spaces, or not reliably.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003134f]+"
)
_WORD = re.compile(
    r"[぀-ヿ㐀-鿿가-힯]"  # scripts without spaces: each sign is a word
    r"|\d+(?:[.,:]\d+)*"
    r"|[^\W\d_](?:['’]?[^\W_])*"
)
_ENDINGS = ("ations", "ation", "ings", "ing", "edly", "ies", "ed", "es", "ly", "s", "e", "y")
_SHORTEST_STEM = 3

_ENGLISH_TEXT = """
a about am an and are as at be been but by can could did do does for from had has have he
her his how i if in into is it its me my of on or our she should so some that the their them
then there these they this those to was we were what when where which who why will with
would you your
"""
_RUSSIAN_TEXT = """
и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по ее мне было
вот от меня о из ему ли если или ни быть был него до вас там потом где есть для чем это как
когда кто какой какая какие
"""
_MORE_ENGLISH_TEXT = """
after all also any aren't because before being between both can't cannot didn't doesn't
doing don't down during each few having here hers him isn't it's just let more most no nor
not off once only other ours out over own please said same say says such tell than that's
theirs through too under until up us very wasn't what's while whom whose yours
"""
LOOKUP_STOP_WORDS = frozenset((_ENGLISH_TEXT + _RUSSIAN_TEXT).split())
"""Words of a query that are not looked up. Few: "before" and "not" may be what is searched for."""
STOP_WORDS = frozenset((_ENGLISH_TEXT + _MORE_ENGLISH_TEXT).split())
"""Words that tell nothing about what a text is about."""


def fold(text: str) -> str:
    """Lower case, compatibility forms and Latin accents removed; other scripts keep their marks."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = _LATIN_ACCENTS.sub(r"\1", decomposed)
    return unicodedata.normalize("NFC", plain).translate(_LATIN_LETTERS)


def words_of(text: str) -> list[str]:
    """Folded words in order; unspaced scripts as overlapping pairs of characters."""
    found: list[str] = []
    for match in _TOKEN.finditer(fold(text)):
        end = 0
        word = match.group()
        for run in UNSPACED.finditer(word):
            found.extend(filter(None, [word[end : run.start()]]))
            characters = run.group()
            pairs = [characters[i : i + 2] for i in range(max(1, len(characters) - 1))]
            found.extend(pairs)
            end = run.end()
        found.extend(filter(None, [word[end:]]))
    return found


def forms_of(text: str) -> list[str]:
    """Other spellings: joined codes without their joiners, single unspaced characters.

    Joiners stay between numbers: 1.15 is not 115.
    """
    folded = fold(text)
    forms = []
    for match in _JOINED.finditer(folded):
        code = match.group()
        forms.append(code if code[0].isdigit() and _is_number(code) else _JOINER.sub("", code))
    for run in UNSPACED.finditer(folded):
        forms.extend(run.group())
    return forms


def _is_number(code: str) -> bool:
    return all(part.isdigit() for part in _JOINER.split(code))


def all_words(text: str) -> list[str]:
    """Every word in order, lower case, uncut: letters and digits, numbers whole."""
    return [match[0].lower().replace("’", "'") for match in _WORD.finditer(text)]


def stem(word: str) -> str:
    """Cut one common English ending; other words and numbers come back as they are."""
    bare = word.removesuffix("'s")
    if not bare.isascii() or not bare.isalpha():
        return bare
    for ending in _ENDINGS:
        if bare.endswith(ending) and len(bare) - len(ending) >= _SHORTEST_STEM:
            return _undouble(bare[: -len(ending)])
    return bare


def _undouble(root: str) -> str:
    """`stopp` of `stopped` becomes `stop`."""
    doubled = len(root) > _SHORTEST_STEM and root[-1] == root[-2] and root[-1] not in "aeiousl"
    return root[:-1] if doubled else root
