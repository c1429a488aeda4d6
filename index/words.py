"""Words: the one place that says what a word is, for the index, for matching and for answers.

Two views of a text. `words_of` and `forms_of` are what the lexical index stores and looks up:
folded (`index.folding`), every script cut into tokens; they shape what is on disk. `all_words` and
`stem` are what two texts are compared by: numbers and contractions whole, one English ending cut.

Scripts written without spaces become overlapping pairs of signs, so that any piece of such a text
of two signs or more finds it, whatever a dictionary would cut.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from index.folding import fold

__all__ = ["fold"]


def _marks() -> str:
    """Combining marks of all scripts, as ranges of a character class."""
    codes = [c for c in range(0x300, sys.maxunicode) if unicodedata.category(chr(c))[0] == "M"]
    borders = [-1, *(n for n, (a, b) in enumerate(pairwise(codes)) if b > a + 1), len(codes) - 1]
    return "".join(f"{chr(codes[a + 1])}-{chr(codes[b])}" for a, b in pairwise(borders))


_MARKS = _marks()
_RUN_ON = "\u3005-\u3007\u3040-\u312f\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003347f"
"""Kana, Bopomofo, Han: spaces and line ends between them say nothing."""
_CLOSED_UP = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\uac00-\ud7af"
"""Thai, Lao, Myanmar, Khmer, Tai scripts, Hangul: not set apart by spaces, or not reliably."""
UNSPACED = re.compile(f"[{_RUN_ON}{_CLOSED_UP}]+")
_SIGN = re.compile(rf"[^\s{_MARKS}][{_MARKS}]*")
_TOKEN = re.compile(
    rf"(?P<run>(?:[{_RUN_ON}](?:\s+(?=[{_RUN_ON}]))?|[{_CLOSED_UP}])[{_MARKS}]*"
    rf"(?:(?:[{_RUN_ON}](?:\s+(?=[{_RUN_ON}]))?|[{_CLOSED_UP}])[{_MARKS}]*)*)"
    rf"|(?:[^\W_{_RUN_ON}{_CLOSED_UP}]|[{_MARKS}])+"
)
_JOINER = re.compile("[-._/:+'@&,·׳״]")


class _Patterns(NamedTuple):
    """What is looked for in a folded text. ASCII texts, the most, are searched faster."""

    token: re.Pattern[str]
    joint: re.Pattern[str]
    """A joiner between two letters: only then there may be a code."""
    joined: re.Pattern[str]
    sign: re.Pattern[str]
    """A sign that may belong to a word: only then there may be one."""
    signed: re.Pattern[str]
    """Words that are not the same without their signs: C++, F#, .net, --force, $5."""


def _patterns(token: re.Pattern[str], letter: str) -> _Patterns:
    lead, trail = r"(?<![^\s(\[{<\"'])(?:[.@#$]|--?)", "[+#]+"
    return _Patterns(
        token=token,
        joint=re.compile(f"{_JOINER.pattern}(?={letter})"),
        joined=re.compile(f"{letter}+(?:{_JOINER.pattern}{letter}+)+"),
        sign=re.compile(f"{lead}(?={letter})|{trail}(?!{letter})"),
        signed=re.compile(f"{lead}{letter}+(?!{letter})|{letter}+{trail}(?!{letter})"),
    )


_ASCII = _patterns(re.compile("[a-z0-9]+"), "[a-z0-9]")
_UNICODE = _patterns(_TOKEN, rf"(?:[^\W_]|[{_MARKS}])")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")
_DIGIT = re.compile(r"\d")
_PART = re.compile(r"\d+|\D+")
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


class Token(NamedTuple):
    """A word and the characters [start, end) of the folded text that it stands for."""

    word: str
    start: int
    end: int


def word_tokens(folded: str) -> Iterator[Token]:
    """The words of a folded text, in order; unspaced scripts as overlapping pairs of signs."""
    if folded.isascii():
        for match in _ASCII.token.finditer(folded):
            yield Token(match.group(), *match.span())
        return
    for match in _TOKEN.finditer(folded):
        if match["run"] is None:
            yield Token(match.group(), *match.span())
            continue
        signs = _signs(folded, *match.span())
        if len(signs) == 1:
            yield signs[0]
        for first, second in pairwise(signs):
            yield Token(first.word + second.word, first.start, second.end)


def form_tokens(folded: str) -> Iterator[Token]:
    """Other spellings by which a folded text is found.

    Codes without their joiners (they stay between numbers: 1.15 is not 115), words with the signs
    they are written with, the letters and the digits of a code, single signs of unspaced scripts.
    """
    yield from spelled_tokens(folded)
    is_ascii = folded.isascii()
    for match in (_ASCII if is_ascii else _UNICODE).token.finditer(folded):
        if not is_ascii and match["run"] is not None:
            yield from _signs(folded, *match.span())
        else:
            yield from parts_of(Token(match.group(), *match.span()))


def spelled_tokens(folded: str) -> Iterator[Token]:
    """Codes without their joiners, and words with their signs."""
    patterns = _ASCII if folded.isascii() else _UNICODE
    if patterns.joint.search(folded):
        for match in patterns.joined.finditer(folded):
            yield Token(_joined(match.group()), *match.span())
            if _THOUSANDS.fullmatch(match.group()):
                yield Token(match.group().replace(",", ""), *match.span())
    if patterns.sign.search(folded):
        for match in patterns.signed.finditer(folded):
            yield Token(match.group(), *match.span())


def parts_of(token: Token) -> list[Token]:
    """The letters and the digits of a word that holds both, in order; else nothing."""
    word = token.word
    if word.isalpha() or word.isdigit() or not _DIGIT.search(word):
        return []
    parts = list(_PART.finditer(word))
    return [Token(m.group(), token.start + m.start(), token.start + m.end()) for m in parts]


def words_of(text: str) -> list[str]:
    """Folded words in order; unspaced scripts as overlapping pairs of signs."""
    return [token.word for token in word_tokens(fold(text))]


def forms_of(text: str) -> list[str]:
    """Other spellings of its words by which a text is found; see `form_tokens`."""
    return [token.word for token in form_tokens(fold(text))]


def is_unspaced(word: str) -> bool:
    """True for what was cut from a script that is written without spaces."""
    return UNSPACED.match(word) is not None


def is_sign(word: str) -> bool:
    """True for a single sign of an unspaced script."""
    return is_unspaced(word) and _SIGN.fullmatch(word) is not None


def _signs(folded: str, start: int, end: int) -> list[Token]:
    """The signs of a run, each with its marks, without the space between them."""
    return [Token(match.group(), *match.span()) for match in _SIGN.finditer(folded, start, end)]


def _joined(code: str) -> str:
    return code if code[0].isdigit() and _is_number(code) else _JOINER.sub("", code)


def _is_number(code: str) -> bool:
    return all(part.isdigit() for part in _JOINER.split(code))


def all_words(text: str) -> list[str]:
    """Every word in order, lower case, uncut: letters and digits, numbers whole."""
    if text.isascii():  # several times as fast, and the same
        found: list[str] = _WORD.findall(text.lower())
        return found
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
