"""Numbers with units, in figures and words of four languages."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generate.quantities import are_rivals, codes_of, is_same, quantities_of


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("up to two thousand eggs", [(2000, "")]),
        ("two hundred and fifty degrees", [(250, "°")]),
        ("thirty-three people and 4 cats", [(33, ""), (4, "")]),
        ("2,000 operating hours", [(2000 * 3600, "s")]),
        ("40cm or 0.4 m", [(Fraction(2, 5), "m"), (Fraction(2, 5), "m")]),
        ("half a minute", [(30, "s")]),
        ("a minute and a half", [(90, "s")]),
        ("one hour, one of them", [(3600, "s")]),
        ("3,5 % of 1.957,25 litres", [(Fraction(7, 2), "%"), (Fraction("1957.25"), "l")]),
        ("at 02:10 UTC in 1957", [(7800, "clock"), (1957, "")]),
        ("fünfzehn Kilogramm in dreißig Tagen", [(15_000, "g"), (30 * 86_400, "s")]),
        ("двадцать пять минут", [(25 * 60, "s")]),
        ("秋天每个蜂群得到十五公斤糖浆", [(15_000, "g")]),
        ("每天产两千个卵，百分之五", [(2000, ""), (5, "%")]),
        ("order HV-2207-B, error E47", []),
        ("nothing to count", []),
    ],
)
def test_numbers_are_read(text: str, found: list[tuple[int | Fraction, str]]) -> None:
    assert [(one.value, one.dimension) for one in quantities_of(text)] == found


@pytest.mark.parametrize(
    ("one", "other", "same", "rivals"),
    [
        ("60 minutes", "one hour", True, True),
        ("40 cm", "40 m", False, True),
        ("40 cm", "50 cm", False, True),
        ("40 cm", "3 kg", False, False),
        ("about 40 cm", "41 cm", True, True),
        ("1957", "1957", True, True),
        ("4.5", "4.5 bar", True, False),
    ],
)
def test_numbers_agree_or_not(one: str, other: str, same: bool, rivals: bool) -> None:
    (first,), (second,) = quantities_of(one), quantities_of(other)
    assert is_same(first, second) is same
    assert are_rivals(first, second) is rivals


def test_a_year_is_said_by_an_article() -> None:
    (year,) = quantities_of("beans keep for a year")
    assert year.value == 12
    assert (year.dimension, year.is_article) == ("month", True)


def test_codes_are_no_numbers() -> None:
    assert codes_of("Order HV-2207-B for the TG-40 at 40cm, E47.") == {"hv-2207-b", "tg-40", "e47"}


SCRAPS = (
    "1 000 2,5 3.4.5 , . : 12:99 百分之 五 千 万 百 十 两 thousand hundred and half a °C % 公斤 m ß"
)
PIECES = st.sampled_from([*SCRAPS.split(), "٣", "²", "-"])


@given(st.lists(PIECES | st.text(max_size=3), max_size=20).map(" ".join))
def test_no_text_breaks_it(text: str) -> None:
    quantities_of(text)
    quantities_of(text.replace(" ", ""))
    codes_of(text)


@given(st.integers(0, 10**9))
def test_thousands_are_read_back(number: int) -> None:
    (found,) = quantities_of(f"they are {number:,} pieces") or [None]
    assert number == 1 or (found is not None and found.value == number)
