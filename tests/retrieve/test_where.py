"""Conditions on metadata: read as written, true as SQL would have it, errors that point."""

from __future__ import annotations

import operator
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from index.metadata import MetadataTable, SourceMetadata, Value
from retrieve.filters import matching
from retrieve.where import (
    MAX_DEPTH,
    Among,
    Compared,
    Condition,
    Every,
    Like,
    Missing,
    Negated,
    Some,
    WhereError,
    like,
    parse_where,
)

NAMES = ("course", "year", "open", "größe")
_values = st.sampled_from(["cs101", "it's", "", "CS"]) | st.integers(-2, 2) | st.booleans()
_numbers = st.sampled_from([0.5, -1.5, 2.0, 1e300])
_sources = st.lists(
    st.dictionaries(st.sampled_from(NAMES), _values | _numbers, max_size=4), max_size=8
)
_leaves: st.SearchStrategy[Condition] = st.one_of(
    st.builds(
        Compared,
        st.just(1),
        st.sampled_from(NAMES),
        st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
        _values | _numbers,
    ),
    st.builds(
        Among,
        st.just(1),
        st.sampled_from(NAMES),
        st.lists(_values | _numbers, min_size=1, max_size=3).map(tuple),
    ),
    st.builds(
        Like, st.just(1), st.sampled_from(NAMES), st.sampled_from(["c%", "%1", "_s%", "%", "'"])
    ),
    st.builds(Missing, st.just(1), st.sampled_from(NAMES)),
)
_conditions = st.recursive(
    _leaves,
    lambda inner: (
        st.builds(Negated, inner)
        | st.builds(Every, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Some, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=6,
)


def _written(value: Value) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).upper() if isinstance(value, bool) else repr(value)


def _as_text(condition: Condition) -> str:  # noqa: PLR0911
    match condition:
        case Compared(_, name, sign, value):
            return f"{name} {sign} {_written(value)}"
        case Among(_, name, values):
            return f"{name} IN ({', '.join(map(_written, values))})"
        case Like(_, name, pattern):
            return f"{name} like {_written(pattern)}"
        case Missing(_, name):
            return f"{name} is null"
        case Negated(of):
            return f"not ({_as_text(of)})"
        case Every(of):
            return " AND ".join(f"({_as_text(part)})" for part in of)
        case Some(of):
            return " or ".join(f"({_as_text(part)})" for part in of)


def _alike(one: Value, other: Value) -> bool:
    return _kind(one) == _kind(other)


def _kind(value: Value) -> str:
    if isinstance(value, bool):
        return "truth"
    return "text" if isinstance(value, str) else "number"


_SIGNS: dict[str, Callable[..., bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def _naive(condition: Condition, said: dict[str, Value]) -> bool | None:
    """Three-valued logic, one source at a time."""
    match condition:
        case Negated(of):
            found = _naive(of, said)
            return None if found is None else not found
        case Every(of):
            outcomes = {_naive(part, said) for part in of}
            return False if False in outcomes else None if None in outcomes else True
        case Some(of):
            outcomes = {_naive(part, said) for part in of}
            return True if True in outcomes else None if None in outcomes else False
        case Missing(_, name):
            return name not in said
        case Compared(_, name, _, _) | Among(_, name, _) | Like(_, name, _):
            if name not in said:
                return None
            return _naive_test(condition, said[name])


def _naive_test(condition: Compared | Among | Like, held: Value) -> bool | None:
    match condition:
        case Compared(_, _, "=", value):
            return _alike(held, value) and held == value
        case Compared(_, _, "!=", value):
            return not (_alike(held, value) and held == value)
        case Compared(_, _, sign, value):
            return _SIGNS[sign](held, value) if _alike(held, value) else None
        case Among(_, _, values):
            return any(_alike(held, value) and held == value for value in values)
        case Like(_, _, pattern):
            return like(held, pattern) if isinstance(held, str) else None


def _names_and_types_fit(condition: Condition, sources: list[dict[str, Value]]) -> bool:
    match condition:
        case Negated(of):
            return _names_and_types_fit(of, sources)
        case Every(of) | Some(of):
            return all(_names_and_types_fit(part, sources) for part in of)
        case Missing(_, name):
            return any(name in said for said in sources)
        case Compared(_, name, _, value):
            wanted: tuple[Value, ...] = (value,)
        case Among(_, name, values):
            wanted = values
        case Like(_, name, pattern):
            wanted = (pattern,)
    held = [said[name] for said in sources if name in said]
    return bool(held) and all(any(_alike(one, value) for one in held) for value in wanted)


@hypothesis_settings(max_examples=300)
@given(_sources, _conditions, st.data())
def test_conditions_hold_where_a_naive_evaluation_says_so(
    sources: list[dict[str, Value]], condition: Condition, data: st.DataObject
) -> None:
    ids = [str(number) for number in range(len(sources))]
    held = {id_: SourceMetadata(said) for id_, said in zip(ids, sources, strict=True)}
    table = MetadataTable(held, ids)
    lists = st.lists(st.booleans(), min_size=len(ids), max_size=len(ids))
    open_to = np.array(data.draw(lists), dtype=np.bool_)
    parsed = parse_where(_as_text(condition))
    seen = [said for said, is_open in zip(sources, open_to, strict=True) if is_open]
    if not _names_and_types_fit(condition, seen):
        with pytest.raises(WhereError):
            matching(parsed, table.columns, open_to)
        return
    expected = [
        bool(is_open) and _naive(condition, said) is True
        for said, is_open in zip(sources, open_to, strict=True)
    ]
    assert matching(parsed, table.columns, open_to).tolist() == expected


_SCRAPS = st.lists(
    st.sampled_from(
        [
            *"course year and or not in like is null true drop table select 9999999".split(),  # noqa: SIM905
            *"( ) , = <> ' '' 'cs' \" 1 -2.5e3 1e999 -- ; é \0 /* ٣ .".split(" "),  # noqa: SIM905
            " ",
        ]
    ),
    max_size=14,
).map(" ".join)


@hypothesis_settings(max_examples=500)
@given(_SCRAPS | st.text(max_size=40))
def test_no_text_raises_anything_but_an_error_that_points_at_it(text: str) -> None:
    table = MetadataTable({"a": SourceMetadata({"course": "cs", "year": 3})}, ["a"])
    error: WhereError | None = None
    try:
        matching(parse_where(text), table.columns, np.ones(1, dtype=np.bool_))
    except WhereError as caught:
        error = caught
    assert error is None or 1 <= error.column <= len(text) + 1


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ("", 1, "expected a name, found the end"),
        ("course =", 9, "expected a text, a number, true or false, found the end"),
        ("course = cs101", 10, "a text stands in single quotes: 'cs101'"),
        ('course = "cs101"', 10, "texts stand in single quotes"),
        ("course = 'cs101", 10, "no closing quote"),
        ("course == 'x'", 9, "expected a text, a number, true or false, found '='"),
        ("year > 2020 course = 'x'", 13, "expected 'and', 'or' or the end"),
        ("(year > 2020", 13, "expected ')'"),
        ("year = null", 8, "is null"),
        ("year > 20x", 8, "this is no number"),
        ("year > 1e999", 8, "too large"),
        ("year not > 3", 10, "expected 'in' or 'like'"),
        ("year in 3", 9, "expected '('"),
        ("year like 3", 11, "expected a text in single quotes"),
        ("2020 < year", 1, "expected a name"),
        ("year > 1; drop table sources", 9, "';' has no meaning here"),
        ("not " * (MAX_DEPTH + 1) + "a = 1", 4 * (MAX_DEPTH + 1) + 1, "at most 50 deep"),
        ("(" * 900 + "a = 1" + ")" * 900, MAX_DEPTH + 2, "at most 50 deep"),
        ("a = '" + "x" * 4000 + "'", 4001, "at most 4000 characters"),
        ("colour = 'red'", 1, "no source has metadata 'colour'; there is: course, year"),
        ("course = 'cs' and year = '3'", 19, "year is never like '3': it holds values such as 3"),
        ("course > 7", 1, "course is never like 7: it holds values such as 'cs'"),
    ],
)
def test_errors_point_at_the_column(text: str, column: int, problem: str) -> None:
    table = MetadataTable({"a": SourceMetadata({"course": "cs", "year": 3})}, ["a"])
    with pytest.raises(WhereError) as caught:
        matching(parse_where(text), table.columns, np.ones(1, dtype=np.bool_))
    assert problem in str(caught.value)
    assert caught.value.column == column


def test_precedence_is_that_of_sql() -> None:
    either = parse_where("a = 1 or b = 2 and not c = 3")
    assert isinstance(either, Some)
    assert [type(part) for part in either.of] == [Compared, Every]


@given(st.text("ab%_", max_size=12), st.text("ab%_", max_size=6))
def test_like_matches_as_a_naive_matcher(text: str, pattern: str) -> None:
    def naive(text: str, pattern: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "%":
            return any(naive(text[start:], pattern[1:]) for start in range(len(text) + 1))
        return bool(text) and pattern[0] in ("_", text[0]) and naive(text[1:], pattern[1:])

    assert like(text, pattern) == naive(text, pattern)


def test_what_is_closed_to_a_search_is_not_told_by_its_errors() -> None:
    held = {"open": SourceMetadata({"a": 1}), "closed": SourceMetadata({"salary": 9})}
    columns = MetadataTable(held, ["open", "closed"]).columns
    with pytest.raises(WhereError, match=r"there is: a;"):
        matching(parse_where("salary > 1"), columns, np.array([True, False]))
