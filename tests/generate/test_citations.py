"""Citations are written and read back."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generate.citations import Citation, format_citation, format_place, parse_citation
from index.records import Box, PageArea, Span

NAMES = st.text(min_size=1)
OWN_TERMS = st.from_regex(r"lines? [0-9]+(-[0-9]+)?|[0-9]+(\.[0-9])? %", fullmatch=True)
LABELS = OWN_TERMS | st.text(max_size=8).filter(lambda label: " p. " not in f" p. {label} "[1:])


def cite(place: Span | PageArea, name: str = "lecture.mp4") -> Citation:
    return Citation("E1", "0" * 32, name, place, "a quote")


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Span(Fraction(1924, 10), Fraction(1979, 10)), "[lecture.mp4 00:03:12.4-00:03:17.9]"),
        (Span(Fraction(0), Fraction(1, 1000)), "[lecture.mp4 00:00:00.0-00:00:00.1]"),
        (Span(Fraction(360_000), Fraction(360_001)), "[lecture.mp4 100:00:00.0-100:00:01.0]"),
        (PageArea(7, "7", (Box(0, 0, 1, 1),)), "[lecture.mp4 p. 7]"),
        (PageArea(4, "iv"), "[lecture.mp4 p. iv (4)]"),
    ],
)
def test_written_form(place: Span | PageArea, text: str) -> None:
    assert format_citation(cite(place)) == text


@given(
    name=NAMES,
    start=st.fractions(min_value=0, max_value=10**6),
    length=st.fractions(min_value=Fraction(1, 10**6), max_value=10**4),
)
def test_spans_come_back_to_a_tenth(name: str, start: Fraction, length: Fraction) -> None:
    span = Span(start, start + length)
    found, place = parse_citation(format_citation(cite(span, name)))
    assert found == name
    assert isinstance(place, Span)
    assert place.start <= span.start < place.start + Fraction(1, 10)
    assert place.end - Fraction(1, 10) < span.end <= place.end


@given(name=NAMES, page=st.integers(1, 10**5), label=LABELS)
def test_pages_come_back(name: str, page: int, label: str) -> None:
    area = PageArea(page, label)
    assert parse_citation(format_citation(cite(area, name))) == (name, area)
    plain = PageArea(page, str(page))
    assert parse_citation(format_citation(cite(plain, name))) == (name, plain)


@pytest.mark.parametrize("text", ["", "[a.mp4]", "a.mp4 p. 7", "[a.mp4 p. iv]", "[a.mp4 1-2]"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no citation"):
        parse_citation(text)


def test_place_without_a_name() -> None:
    assert format_place(PageArea(7, "7")) == "p. 7"
    assert format_place(PageArea(3, "lines 120-154")) == "lines 120-154 (p. 3)"
    assert format_place(PageArea(12, "42.5 %")) == "42.5 % (p. 12)"
