"""Conditions on the metadata of sources: `course = 'cs101' and year > 2020`.

    condition   = all {"or" all}
    all         = negation {"and" negation}
    negation    = "not" negation | "(" condition ")" | test
    test        = name ("=" | "!=" | "<>" | "<" | "<=" | ">" | ">=") value
                | name ["not"] "in" "(" value {"," value} ")"
                | name ["not"] "like" text
                | name "is" ["not"] "null"
    value       = text | number | "true" | "false"

Texts stand in single quotes, a quote within them is doubled; `%` in a pattern is any text, `_` any
one character. Keywords and names in either case. As in SQL, a test of what a source does not have
is neither true nor false, nor is its negation; values of different types are unequal and none is
the smaller. Nothing of a condition ever becomes SQL.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from index.errors import QuestionError
from index.metadata import KEYWORDS, Value

MAX_CHARS = 4000
MAX_DEPTH = 50
_EXAMPLE = "write e.g. course = 'cs101' and year > 2020"
_NUMBER = r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])"
_TOKEN = re.compile(
    rf"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>{_NUMBER})|(?P<word>[^\W\d]\w*)"
    r"|(?P<sign><=|>=|<>|!=|[=<>(),])|(?P<end>\Z))"
)

Operator = Literal["=", "!=", "<", "<=", ">", ">="]


class WhereError(QuestionError):
    """A condition cannot be used; `column`, from 1, is where it went wrong."""

    def __init__(self, column: int, problem: str) -> None:
        super().__init__(f"where, column {column}: {problem}; {_EXAMPLE}")
        self.column = column


@dataclass(frozen=True, slots=True)
class Compared:
    """`name operator value`."""

    column: int
    name: str
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class Among:
    """`name in (values)`."""

    column: int
    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """`name like pattern`."""

    column: int
    name: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Missing:
    """`name is null`."""

    column: int
    name: str


@dataclass(frozen=True, slots=True)
class Negated:
    """`not condition`."""

    of: Condition


@dataclass(frozen=True, slots=True)
class Every:
    """`condition and condition ...`."""

    of: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """`condition or condition ...`."""

    of: tuple[Condition, ...]


Test = Compared | Among | Like | Missing
Condition = Test | Negated | Every | Some


def parse_where(text: str) -> Condition:
    """Read a condition. Raises WhereError."""
    if len(text) > MAX_CHARS:
        raise WhereError(MAX_CHARS + 1, f"a condition has at most {MAX_CHARS} characters")
    return _Parser(text).whole()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    """text, number, word, keyword, sign, end."""
    column: int
    text: str
    """As written; keywords in lower case."""


def _tokens(text: str) -> Iterator[_Token]:
    place = 0
    while True:
        found = _TOKEN.match(text, place)
        if found is None:
            start = place + len(text[place:]) - len(text[place:].lstrip())
            raise WhereError(start + 1, _unreadable(text[start:]))
        kind = str(found.lastgroup)
        written = found[kind]
        if kind == "word" and written.lower() in KEYWORDS:
            kind, written = "keyword", written.lower()
        yield _Token(kind, found.start(str(found.lastgroup)) + 1, written)
        if kind == "end":
            return
        place = found.end()


def _unreadable(rest: str) -> str:
    if rest.startswith("'"):
        return "the text that begins here has no closing quote"
    if rest.startswith('"'):
        return "texts stand in single quotes"
    if rest[0].isdigit() or rest[0] in "+-.":
        return "this is no number"
    return f"{rest[0]!r} has no meaning here"


class _Parser:
    """Recursive descent; the depth is bounded."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    def whole(self) -> Condition:
        """The condition that is all of the text."""
        found = self._condition(0)
        if self._here.kind != "end":
            raise self._error("'and', 'or' or the end")
        return found

    @property
    def _here(self) -> _Token:
        return self._tokens[self._at]

    def _error(self, expected: str) -> WhereError:
        seen = "the end" if self._here.kind == "end" else repr(self._here.text)
        return WhereError(self._here.column, f"expected {expected}, found {seen}")

    def _take(self, *texts: str, kind: str = "keyword") -> str | None:
        """The next token if it is one of these, and step over it."""
        token = self._here
        if token.kind != kind or token.text not in texts:
            return None
        self._at += 1
        return token.text

    def _require(self, text: str, *, kind: str = "sign") -> None:
        if self._take(text, kind=kind) is None:
            raise self._error(repr(text))

    def _condition(self, depth: int) -> Condition:
        parts = [self._all(depth)]
        while self._take("or"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _all(self, depth: int) -> Condition:
        parts = [self._negation(depth)]
        while self._take("and"):
            parts.append(self._negation(depth))
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _negation(self, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            raise WhereError(self._here.column, f"conditions nest at most {MAX_DEPTH} deep")
        if self._take("not"):
            return Negated(self._negation(depth + 1))
        if self._take("(", kind="sign"):
            found = self._condition(depth + 1)
            self._require(")")
            return found
        return self._test()

    def _test(self) -> Condition:
        token = self._here
        if token.kind != "word":
            raise self._error("a name")
        self._at += 1
        column, name = token.column, token.text.lower()
        sign = self._take("=", "!=", "<>", "<", "<=", ">", ">=", kind="sign")
        if sign is not None:
            return Compared(column, name, _OPERATORS[sign], self._value())
        if self._take("is"):
            negated = self._take("not") is not None
            self._require("null", kind="keyword")
            return Negated(Missing(column, name)) if negated else Missing(column, name)
        negated = self._take("not") is not None
        if self._take("in"):
            test: Test = Among(column, name, self._values())
        elif self._take("like"):
            if self._here.kind != "text":
                raise self._error("a text in single quotes")
            test = Like(column, name, str(self._value()))
        else:
            expected = "'in' or 'like'" if negated else "a comparison, 'in', 'like' or 'is'"
            raise self._error(expected)
        return Negated(test) if negated else test

    def _values(self) -> tuple[Value, ...]:
        self._require("(")
        values = [self._value()]
        while self._take(",", kind="sign"):
            values.append(self._value())
        self._require(")")
        return tuple(values)

    def _value(self) -> Value:
        token = self._here
        if token.kind == "text":
            value: Value = token.text[1:-1].replace("''", "'")
        elif token.kind == "number":
            value = _number(token)
        elif token.kind == "keyword" and token.text in ("true", "false"):
            value = token.text == "true"
        elif token.kind == "word":
            raise WhereError(token.column, f"a text stands in single quotes: '{token.text}'")
        elif token.kind == "keyword" and token.text == "null":
            raise WhereError(token.column, "nothing equals null; write: is null")
        else:
            raise self._error("a text, a number, true or false")
        self._at += 1
        return value


def _number(token: _Token) -> int | float:
    try:
        return int(token.text)
    except ValueError:
        number = float(token.text)
    if abs(number) == float("inf"):
        raise WhereError(token.column, "this number is too large")
    return number


_OPERATORS: dict[str, Operator] = {
    "=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
}  # fmt: skip
_COMPARING: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def comparable(one: Value, other: Value) -> bool:
    """True for two texts, two numbers or two truths."""
    return _type(one) is _type(other)


def _type(value: Value) -> type:
    return float if type(value) is int else type(value)


def holds(test: Compared | Among | Like, value: Value) -> bool | None:
    """Whether a value passes a test; None: neither it nor its negation does."""
    if isinstance(test, Like):
        return like(value, test.pattern) if isinstance(value, str) else None
    if isinstance(test, Among):
        return any(comparable(value, one) and value == one for one in test.values)
    alike = comparable(value, test.value)
    if test.operator in ("=", "!="):
        return (alike and value == test.value) is (test.operator == "=")
    return _COMPARING[test.operator](value, test.value) if alike else None


def like(text: str, pattern: str) -> bool:
    """Whether all of a text is as the pattern: `%` any text, `_` any character.

    At most len(text) x len(pattern) steps: after a `%` only the last one is tried anew.
    """
    if "_" not in pattern:
        return _holds_in_order(text, pattern.split("%"))
    at = taken = 0
    retry: tuple[int, int] | None = None
    while at < len(text):
        if taken < len(pattern) and pattern[taken] == "%":
            retry = (taken, at)
            taken += 1
        elif taken < len(pattern) and pattern[taken] in ("_", text[at]):
            at += 1
            taken += 1
        elif retry is not None:
            retry = (retry[0], retry[1] + 1)
            taken, at = retry[0] + 1, retry[1]
        else:
            return False
    return not pattern[taken:].strip("%")


def _holds_in_order(text: str, parts: Sequence[str]) -> bool:
    """Whether a text is these parts with any text between them."""
    if len(parts) == 1:
        return text == parts[0]
    first, *middle, last = parts
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for part in middle:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
