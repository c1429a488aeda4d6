"""Numbers with their units, in figures and words, of four languages: what a claim must get right.

Values are scaled to one unit for each dimension, so that 1 hour equals 60 minutes. English, German,
Russian and Chinese numerals are read; larger German and Russian ones only in figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from retrieve.time_symbols import han_number
from retrieve.time_words_en import ENGLISH
from retrieve.time_words_ru import RUSSIAN

_CLOSE = Fraction(5, 100)
"""What "about 40" may be off by."""
_GERMAN_TEXT = """zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn
fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig"""
_GERMAN = {word: Fraction(number) for number, word in enumerate(_GERMAN_TEXT.split(), 2)} | {
    "dreißig": Fraction(30),
    "vierzig": Fraction(40),
    "fünfzig": Fraction(50),
}
_WORDS: Mapping[str, Fraction] = {
    **{word: value for word, value in RUSSIAN.numbers.items() if value > 1},
    **{word.casefold(): value for word, value in _GERMAN.items()},
    **{word: value for word, value in ENGLISH.numbers.items() if " " not in word and value > 1},
    "hundert": Fraction(100),
    "dozen": Fraction(12),
    "twice": Fraction(2),
    "one": Fraction(1),
}
_ARTICLES = ("a", "an", "per", "ein", "eine", "einen", "einem", "einer", "pro")
_JOINING_TEXT = "a an and at by every for from in of on or per than the to"
_JOINING = frozenset(_JOINING_TEXT.split())
_LOOSE = ("couple", "few", "several", "half")
_SCALES = {
    **dict.fromkeys(("thousand", "tausend", "тысяча", "тысячи", "тысяч"), 1000),
    **dict.fromkeys(("million", "millions", "millionen", "миллион", "миллиона"), 1_000_000),
}
_UNITS_TEXT = """
m 1 m meter meters metre metres metern метр метра метров 米
m 1/100 cm centimeter centimeters centimetre centimetres zentimeter сантиметр сантиметра 厘米
m 1/1000 mm millimeter millimeters millimetre millimetres миллиметр миллиметра 毫米
m 1000 km kilometer kilometers kilometre kilometres километр километра километров 公里 千米
s 1 s sec second seconds sekunde sekunden секунда секунды секунд 秒 秒钟
s 60 min minute minutes minuten минута минуты минут минуту 分钟
s 3600 h hour hours stunde stunden час часа часов 小时
s 86400 day days tag tage tagen день дня дней 天
s 604800 week weeks woche wochen неделя недели недель 周
month 1 month months monat monate monaten месяц месяца месяцев 个月
month 12 year years jahr jahre jahren год года лет 年
g 1 g gram grams gramm грамм грамма граммов 克
g 1000 kg kilo kilos kilogram kilograms kilogramm килограмм килограмма килограммов 公斤 千克
g 1000000 ton tons tonne tonnes tonnen тонна тонны тонн 吨
l 1 l liter liters litre litres litern литр литра литров 升
l 1/1000 ml milliliter milliliters millilitre millilitres миллилитр 毫升
% 1 % percent prozent процент процента процентов
° 1 ° °c degree degrees grad градус градуса градусов 度 摄氏度
bar 1 bar бар 巴
v 1 v volt volts вольт 伏
w 1 w watt watts ватт 瓦
n 1 n newton newtons
eur 1 € euro euros евро 欧元
usd 1 $ dollar dollars доллар долларов 美元
"""
_UNITS = {
    name: (dimension, Fraction(factor))
    for dimension, factor, *names in map(str.split, _UNITS_TEXT.strip().splitlines())
    for name in names
}
_HAN = "零〇一二两三四五六七八九十百千万"
_HAN_COUNTED = "|".join([*(name for name in _UNITS if not name.isascii()), *"个只次名条块人"])
_CODE = re.compile(
    r"(?<!\w)(?=[\w-]*\d)(?=[\w-]*[A-Za-zА-яЁё])[A-Za-zА-яЁё0-9]+(?:-[A-Za-zА-яЁё0-9]+)*(?!\w)"
)
_GLUED = re.compile(r"\d+(?:[.,]\d+)*[^\W\d_]{1,4}")
_TOKEN = re.compile(
    r"(?P<clock>\d{1,2}:\d{2}(?::\d{2})?)"
    r"|(?P<digits>(?<!\d)\d{1,15}(?!\d)(?:[.,\u00a0 ]\d{3}(?!\d)){0,5}(?:[.,]\d{1,15}(?!\d))?)"
    rf"|(?P<han>百分之(?:[0-9]{{1,9}}|[{_HAN}]+)|[{_HAN}]+(?=\s?(?:{_HAN_COUNTED})))"
    r"|(?P<sign>°[cC]?|[%€$])"
    rf"|(?P<han_unit>(?:(?![{_HAN}])[\u4e00-\u9fff]){{1,3}})"
    r"|(?P<word>[^\W\d_]+(?:['’][^\W\d_]+)?)"
)
_ABOUT = re.compile(
    r"(?:about|around|roughly|nearly|almost|approximately|some|circa|ca\.|etwa|ungefähr|rund|knapp"
    r"|около|примерно|почти|约|大约|将近|近)\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and what it counts."""

    value: Fraction
    """In the unit of its dimension: 3600 for an hour."""
    number: Fraction
    """As written: 1 for an hour."""
    dimension: str
    """What it measures ("s", "m", "%", "clock"); empty for counts and unknown units."""
    written: str
    is_rough: bool = False
    """Written with "about"."""
    is_article: bool = False
    """One, said by an article: "a year"."""


@dataclass(frozen=True, slots=True)
class _Piece:
    kind: str
    text: str
    start: int
    end: int


def codes_of(text: str) -> frozenset[str]:
    """Words of letters and digits, folded: part numbers, error codes, names of models."""
    found = (match[0] for match in _CODE.finditer(text))
    return frozenset(code.casefold() for code in found if not _is_glued(code))


def quantities_of(text: str) -> tuple[Quantity, ...]:
    """The numbers of a text in order; those within codes are none."""
    bare = _CODE.sub(lambda m: m[0] if _is_glued(m[0]) else " " * len(m[0]), text)
    pieces = [
        _Piece(match.lastgroup or "", match[0].casefold(), *match.span())
        for match in _TOKEN.finditer(bare)
    ]
    return tuple(_read(bare, pieces))


def is_same(one: Quantity, other: Quantity) -> bool:
    """True when two numbers say the same; one without a unit says any."""
    if one.dimension and other.dimension:
        return one.dimension == other.dimension and _near(one, other, one.value, other.value)
    return _near(one, other, one.number, other.number)


def are_rivals(one: Quantity, other: Quantity) -> bool:
    """True when they would say something different of the same thing: 40 cm and 50 cm, or 40 m."""
    return one.dimension == other.dimension or (
        bool(one.dimension and other.dimension) and one.number == other.number
    )


def _near(one: Quantity, other: Quantity, first: Fraction, second: Fraction) -> bool:
    if one.is_rough or other.is_rough:
        return abs(first - second) <= _CLOSE * max(abs(first), abs(second))
    return first == second


def _is_glued(code: str) -> bool:
    """True for 40cm."""
    match = _GLUED.fullmatch(code)
    return match is not None and re.sub(r"[\d.,]", "", code).casefold() in _UNITS


def _read(text: str, pieces: list[_Piece]) -> Iterator[Quantity]:
    at = 0
    while at < len(pieces):
        piece = pieces[at]
        if piece.kind == "clock":
            hours, minutes, *seconds = map(int, piece.text.split(":"))
            value = Fraction(hours * 3600 + minutes * 60 + sum(seconds))
            yield Quantity(value, value, "clock", piece.text)
            at += 1
            continue
        number, after = _number_at(pieces, at)
        is_article = number is None and piece.text in _ARTICLES
        if is_article and after < len(pieces) and pieces[after].text in _UNITS:
            number = Fraction(1)
        if number is None:
            at += 1
            continue
        unit = _unit_at(text, pieces, after)
        if not unit and _is_apart(pieces, after):
            after, unit = after + 1, pieces[after + 1].text
        dimension, factor = _UNITS.get(unit, ("", Fraction(1)))
        following = after + 1 if unit else after
        end = pieces[after].start + len(unit) if unit else pieces[after - 1].end
        written = text[piece.start : end]
        rough = _ABOUT.search(text, 0, piece.start) is not None
        if piece.text.startswith("百分之"):
            dimension = "%"
        if is_article and _texts(pieces, following, 3) == ["and", "a", "half"]:
            number, is_article, following = Fraction(3, 2), False, following + 3
        if number != 1 or dimension:
            yield Quantity(number * factor, number, dimension, written.strip(), rough, is_article)
        at = following


def _number_at(pieces: list[_Piece], at: int) -> tuple[Fraction | None, int]:
    """The number that begins at a piece, and the first piece after it."""
    piece = pieces[at]
    if piece.kind == "han":
        return _han(piece.text.removeprefix("百分之")), at + 1
    if piece.kind == "digits":
        return _with_half(*_scaled(_digits(piece.text), pieces, at + 1), pieces)
    if piece.text == "half":
        after = at + 2 if _texts(pieces, at + 1, 1) in (["a"], ["an"]) else at + 1
        counts = after < len(pieces) and pieces[after].text in _UNITS
        return (Fraction(1, 2), after) if counts else (None, at + 1)
    total, group = Fraction(0), Fraction(0)
    start = at
    while at < len(pieces) and pieces[at].kind == "word":
        word = pieces[at].text
        if word in _LOOSE:
            break
        if word in _WORDS and word != "hundred":
            value = _WORDS[word]
            if group and not (group % 100 == 0 or (group % 10 == 0 and value < 10 <= group)):
                break
            group += value
        elif word == "hundred" and at + 1 > start:
            group = (group or Fraction(1)) * 100
        elif word in _SCALES and group:
            total, group = total + group * _SCALES[word], Fraction(0)
        elif not (word == "and" and group and _is_number_word(pieces, at + 1)):
            break
        at += 1
    found = total + group
    return _with_half(found, at, pieces) if found else (None, start + 1)


def _with_half(number: Fraction, at: int, pieces: list[_Piece]) -> tuple[Fraction, int]:
    has_half = _texts(pieces, at, 3) == ["and", "a", "half"]
    return (number + Fraction(1, 2), at + 3) if has_half else (number, at)


def _texts(pieces: list[_Piece], at: int, count: int) -> list[str]:
    return [piece.text for piece in pieces[at : at + count]]


def _is_number_word(pieces: list[_Piece], at: int) -> bool:
    """True after "two hundred and": "two and three" are two numbers."""
    return (
        at < len(pieces)
        and pieces[at].text in _WORDS
        and pieces[at - 2].text in ("hundred", "thousand")
    )


def _scaled(number: Fraction, pieces: list[_Piece], at: int) -> tuple[Fraction, int]:
    if at < len(pieces) and pieces[at].text in _SCALES:
        return number * _SCALES[pieces[at].text], at + 1
    return number, at


def _unit_at(text: str, pieces: list[_Piece], at: int) -> str:
    """The unit right behind a number; empty where there is none."""
    if at == len(pieces) or text[pieces[at - 1].end : pieces[at].start].strip("-\u00a0 "):
        return ""
    word = pieces[at].text
    # Of Chinese signs in a row the first ones may be the unit.
    shortest = 1 if pieces[at].kind == "han_unit" else len(word)
    lengths = range(len(word), shortest - 1, -1)
    return next((word[:length] for length in lengths if word[:length] in _UNITS), "")


def _is_apart(pieces: list[_Piece], at: int) -> bool:
    """True for the hours of "2,000 operating hours"."""
    following = pieces[at : at + 2]
    if [piece.kind for piece in following] != ["word", "word"]:
        return False
    between, unit = (piece.text for piece in following)
    return unit in _UNITS and len(unit) > 2 and between not in _WORDS and between not in _JOINING


def _digits(text: str) -> Fraction:
    """1,957 and 1 957 are thousands, 3,5 and 3.5 are not; 1.957 is read as in English."""
    text = re.sub(r"[\s\u00a0]", "", text)
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+", text):
        return Fraction(text.replace(",", ""))
    *groups, last = re.split("[.,]", text)
    return Fraction(f"{''.join(groups)}.{last}") if groups else Fraction(last)


def _han(text: str) -> Fraction:
    for sign, scale in (("万", 10_000), ("千", 1000)):
        if sign in text:
            before, after = text.split(sign, 1)
            ones = _han(after) if after else Fraction(0)
            return (_han(before) if before else Fraction(1)) * scale + ones
    return Fraction(text) if text.isdecimal() and text.isascii() else han_number(text)
