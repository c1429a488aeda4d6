"""Expressions as text: read as written, ordinary queries left alone, errors that point."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from index.errors import QuestionError
from retrieve.algebra import (
    Between,
    Expression,
    Operand,
    Outermost,
    Part,
    Related,
    Without,
    across,
    after,
    before,
    between,
    count,
    during,
    exact,
    first,
    kept_operand,
    last,
    near,
    negated,
    parts_of,
    without,
)
from retrieve.algebra_text import (
    MAX_CHARS,
    MAX_DEPTH,
    AlgebraError,
    as_expression,
    expression_of,
    parse_expression,
    written,
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('"gradient descent" BEFORE "live demo"', before("gradient descent", "live demo")),
        ('"a" AFTER "b"', after("a", "b")),
        ('"a" DURING "b"', during("a", "b")),
        ('"a" WITHIN 30s OF "b"', near("a", "b", 30)),
        ('"a" WITHIN 1.5 min OF "b"', near("a", "b", 90)),
        ('"a" WITHIN 1:30 OF "b"', near("a", "b", 90)),
        ('"a" WITHIN 01:00:00.5 OF "b"', near("a", "b", 3600.5)),
        ('"a" WITHIN 40 ms BEFORE "b"', before("a", "b", within_s=0.04)),
        ('"a" WITHIN 2 Hours AFTER "b"', after("a", "b", within_s=7200)),
        ('"a" WITHIN 1/3s OF "b"', near("a", "b", Fraction(1, 3))),
        ('"a" BETWEEN "b" AND "c"', between("a", "b", "c")),
        ('"a" NOT BEFORE "b"', negated(before("a", "b"))),
        ('"a" NOT WITHIN 5s OF "b"', negated(near("a", "b", 5))),
        ('"a" NOT BETWEEN "b" AND "c"', negated(between("a", "b", "c"))),
        ('"a" NOT "b"', without("a", "b")),
        ('FIRST "matrix"', first("matrix")),
        ('LAST EXACT "the end"', last(exact("the end"))),
        ('COUNT "budget"', count("budget")),
        ('COUNT "a" BEFORE "b"', count(before("a", "b"))),
        ('EXACT "a b"', exact("a b")),
        ('"x" AFTER FIRST "a"', after("x", first("a"))),
        ('(FIRST "a") BEFORE "b"', before(first("a"), "b")),
        ('FIRST ("a" BEFORE "b")', first(before("a", "b"))),
        ('"a" BEFORE ("b" BEFORE "c")', before("a", before("b", "c"))),
        (
            '("red car" WITHIN 30s OF "gate opens") NOT DURING "advertisement"',
            negated(during(near("red car", "gate opens", 30), "advertisement")),
        ),
        ('FIRST "a" ACROSS', across(first("a"))),
        ('"a" BEFORE "b" ACROSS Recorded', across(before("a", "b"), "recorded")),
        ('COUNT "a" NOT "b" ACROSS', across(count(without("a", "b")))),
        ('"a" before "b"', before("a", "b")),
        ("“a” within 2m of «b»", near("a", "b", 120)),
        ("„гроза“ BEFORE 「嵐」", before("гроза", "嵐")),
        ('"5"" disk" AFTER "say ""no"""', after('5" disk', 'say "no"')),
        ('  "a"BEFORE"b" ', before("a", "b")),
        ('"BEFORE" AFTER "what (NOT)"', after("BEFORE", "what (NOT)")),
    ],
)
def test_expressions_are_read_as_written(text: str, meant: Part | Expression) -> None:
    assert expression_of(text) == as_expression(meant)


@pytest.mark.parametrize(
    "text",
    [
        "what happened before the war",
        "WHAT HAPPENED BEFORE THE WAR",
        "what he said AFTER the break, NOT before",
        "gradient descent BEFORE live demo",
        '"gradient descent"',
        '("gradient descent")',
        '"reset" "pump"',
        '"reset" and "pump"',
        'first "matrix"',
        'count "budget"',
        'first (last "a")',
        'what did she say before "the end"',
        'where is "BEFORE" written',
        'WHY IS "X" NOT READY',
        '"C++" NOT working',
        "FIRST steps",
        'the 5" disk',
        "",
        '"',
        '""',
    ],
)
def test_ordinary_queries_are_left_alone(text: str) -> None:
    assert expression_of(text) is None


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ('"a" BEFORE live demo', 12, "expected a text in double quotes, found 'live'"),
        ('"a" BEFORE', 11, "expected a text in double quotes, found the end"),
        ('"a" BEFORE "b" BEFORE "c"', 16, "a second relation, BEFORE: put parentheses"),
        ('"a" BEFORE "b" NOT "c"', 16, "a second relation, NOT"),
        ('LAST "a" BEFORE "b"', 1, "LAST before BEFORE can be read in two ways"),
        ('("x" NOT (FIRST "a" AFTER "b"))', 11, "FIRST before AFTER"),
        ('"a" WITHIN 30 OF "b"', 12, "30 of what?"),
        ('"a" WITHIN 30 parsecs OF "b"', 12, "30 of what?"),
        ('"a" WITHIN "b"', 12, "expected a duration such as 30s"),
        ('"a" WITHIN 30s DURING "b"', 16, "expected OF or BEFORE or AFTER"),
        ('"a" BETWEEN "b" OR "c"', 17, "expected AND, found 'OR'"),
        ('"a" BEFORE ("b"', 16, "expected ), found the end"),
        ('"a" BEFORE ""', 12, "this text is empty"),
        ('"a" BEFORE "b', 12, "no closing quote"),
        ('"a" BEFORE “b"', 12, "no closing quote"),
        ('"a" BEFORE "b" ; "c"', 16, "';' has no meaning here"),
        ('"a" BEFORE (COUNT "b")', 13, "COUNT gives a number"),
        ('("a" ACROSS day) BEFORE "b"', 6, "ACROSS speaks of all of a query"),
        ('"a" ACROSS "b"', 12, "expected the end"),
        ('"a" BEFORE "b" "c"', 16, "expected BEFORE, AFTER, another operator or the end"),
        ('"a" BEFORE "b" ACROSS', 1, "only by an order that their metadata give"),
        ('"a" BETWEEN "b" AND "c" ACROSS', 1, "only by an order that their metadata give"),
        ("COUNT (" * 3 + '"a"', 8, "COUNT gives a number"),
        ("(" * 30 + '"a" BEFORE "b"' + ")" * 30, MAX_DEPTH + 2, "nest at most"),
        ("FIRST " * 30 + '"a"', 6 * (MAX_DEPTH + 1) + 1, "nest at most"),
        ('"a" BEFORE ' + '("a" BEFORE ' * 12 + '"a"' + ")" * 12, 145, "at most 12 texts"),
        ('"a" BEFORE "' + "b" * MAX_CHARS + '"', MAX_CHARS + 1, "at most 4000 characters"),
    ],
)
def test_errors_point_to_the_column(text: str, column: int, problem: str) -> None:
    with pytest.raises(AlgebraError) as caught:
        expression_of(text)
    assert caught.value.column == column
    assert problem in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


_operands = st.builds(
    Operand,
    st.text(st.sampled_from('ab "“”«é嵐()\\\n'), min_size=1, max_size=6).filter(str.strip),
    st.booleans(),
)
_seconds = st.builds(Fraction, st.integers(0, 10**6), st.sampled_from([1, 2, 3, 1000, 90_000]))


def _related(inner: st.SearchStrategy[Part]) -> st.SearchStrategy[Part]:
    timed = st.sampled_from(["before", "after"])
    return st.one_of(
        st.builds(Related, inner, timed, inner, st.none() | _seconds, st.booleans()),
        st.builds(Related, inner, st.just("during"), inner, st.none(), st.booleans()),
        st.builds(Related, inner, st.just("near"), inner, _seconds, st.booleans()),
        st.builds(Between, inner, inner, inner, st.booleans()),
        st.builds(Without, inner, inner),
        st.builds(Outermost, st.sampled_from(["first", "last"]), inner),
    )


parts: st.SearchStrategy[Part] = st.recursive(_operands, _related, max_leaves=6)
_expressions = st.builds(
    lambda part, counts, by: Expression(part, counts=counts, across=by is not None, by=by),
    parts,
    st.booleans(),
    st.sampled_from([None, "recorded", "größe"]),
)


@hypothesis_settings(max_examples=150)
@given(_expressions)
def test_what_is_written_is_read_back(expression: Expression) -> None:
    assert parse_expression(written(expression)) == expression


_words = st.sampled_from(
    ['"a"', "“b”", "BEFORE", "before", "WITHIN", "30s", "OF", "(", ")", "NOT", "COUNT", "FIRST",
     "BETWEEN", "AND", "ACROSS", "day", '"', "1:30", "7", "DURING", "ß", "?"]
)  # fmt: skip


@hypothesis_settings(max_examples=150)
@given(st.lists(_words, max_size=9).map(" ".join) | st.text(max_size=20))
def test_any_text_is_an_expression_an_ordinary_query_or_a_told_mistake(text: str) -> None:
    try:
        found = expression_of(text)
    except AlgebraError as error:
        column = error.column
    else:
        column = 1
        assert found is None or parse_expression(written(found)) == found
    assert 1 <= column <= len(text) + 1


def test_what_makes_no_sense_cannot_be_built() -> None:
    for build in (
        lambda: exact("  "),
        lambda: near("a", "b", -1),
        lambda: Related(Operand("a"), "near", Operand("b")),
        lambda: Related(Operand("a"), "during", Operand("b"), Fraction(1)),
        lambda: negated(first("a")),
        lambda: across(before("a", "b")),
        lambda: Expression(Operand("a"), by="day"),
    ):
        with pytest.raises(QuestionError):
            build()
    many: Part = Operand("a")
    for _ in range(12):
        many = before(many, "a")
    with pytest.raises(QuestionError, match="at most 12 operands"):
        count(many)


def test_the_leftmost_operand_is_kept() -> None:
    part = before(first(without("a", "b")), after("c", "d"))
    assert kept_operand(part) == Operand("a")
    assert [written(one) for one in parts_of(part)][-1] == written(part)
    assert near("a", "b", 0.1) == near("a", "b", Fraction(1, 10))
