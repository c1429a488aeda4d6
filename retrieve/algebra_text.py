"""Expressions of the temporal algebra as text: `("red car" WITHIN 30s OF "gate opens")`.

    query      = ["COUNT"] expression ["ACROSS" [name]]
    expression = part [relation]
    relation   = ["NOT"] order part
               | ["NOT"] "BETWEEN" part "AND" part
               | "NOT" part
    order      = "BEFORE" | "AFTER" | "DURING" | "WITHIN" duration ("OF" | "BEFORE" | "AFTER")
    part       = ("FIRST" | "LAST") part | ["EXACT"] text | "(" expression ")"
    duration   = number ("ms" | "s" | "m" | "h") | MM:SS | HH:MM:SS

COUNT and ACROSS speak of the whole query; FIRST, LAST and EXACT bind to what follows them, tighter
than relations. No relation goes before another: two in a row, and FIRST or LAST before one, can be
read in two ways and need parentheses. Texts stand in double quotes, straight or typographic; a
straight one within straight ones is doubled. The meaning is told in `retrieve.algebra`.

"What happened before the war" is no expression, nor is any text with words outside quotes that are
no operators: an expression begins with a quoted text, a parenthesis, or FIRST, LAST, COUNT, EXACT
in capitals, and operators are in capitals; relations between quoted texts may be in lower case, if
all of the text can be read so. What begins like an expression, and has an operator in capitals
where one belongs, is taken for one: then what is wrong with it is told, with its column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from index.clock import parse_clock
from index.errors import QuestionError
from index.interval_joins import Relation
from retrieve.algebra import (
    MAX_OPERANDS,
    Between,
    Expression,
    Operand,
    Outermost,
    Part,
    Related,
    Without,
    parts_of,
)

MAX_CHARS = 4000
MAX_DEPTH = 20
_EXAMPLE = 'write e.g. "gradient descent" BEFORE "live demo"'
_PREFIXES = frozenset({"FIRST", "LAST", "COUNT", "EXACT"})
_RELATIONS = frozenset({"BEFORE", "AFTER", "DURING", "WITHIN", "BETWEEN"})
_KEYWORDS = _PREFIXES | _RELATIONS | {"NOT", "AND", "OF", "ACROSS"}
_QUOTES = {"“": "”", "„": "“”", "«": "»", "「": "」", "『": "』", "＂": "＂"}
_TYPOGRAPHIC = "|".join(f"{start}[^{end}]*[{end}]" for start, end in _QUOTES.items())
_UNITS = {
    Fraction(1, 1000): ("ms",),
    Fraction(1): ("s", "sec", "secs", "second", "seconds"),
    Fraction(60): ("m", "min", "mins", "minute", "minutes"),
    Fraction(3600): ("h", "hour", "hours"),
}
_SECONDS = {name: seconds for seconds, names in _UNITS.items() for name in names}
_CLOCK = r"[0-9]+:[0-9]{1,2}(?::[0-9]{1,2})?(?:\.[0-9]+)?"
_NUMBER = r"[0-9]+(?:\.[0-9]+|/[1-9][0-9]*)?"
_TOKEN = re.compile(
    rf'\s*(?:(?P<text>"(?:[^"]|"")*"|{_TYPOGRAPHIC})'
    rf"|(?P<duration>{_CLOCK}(?![\w:.])|{_NUMBER}\s*(?:{'|'.join(_SECONDS)})(?![\w]))"
    r"|(?P<number>[0-9][\w.:/]*)|(?P<word>[^\W\d]\w*)|(?P<sign>[()])|(?P<end>\Z))",
    re.IGNORECASE,
)


class AlgebraError(QuestionError):
    """An expression cannot be read; `column`, from 1, is where it went wrong."""

    def __init__(self, column: int, problem: str) -> None:
        super().__init__(f"expression, column {column}: {problem}; {_EXAMPLE}")
        self.column = column


def expression_of(text: str) -> Expression | None:
    """The expression that a query is; None when it is an ordinary query. Raises AlgebraError."""
    if not any(quote in text for quote in ('"', *_QUOTES)):
        return None
    intended = _is_intended(text)
    try:
        found = parse_expression(text)
    except QuestionError:
        if intended:
            raise
        return None
    return found if intended or any(map(_relates, parts_of(found.part))) else None


def as_expression(query: str | Expression | Part) -> Expression | None:
    """What `expression_of` reads, or what is an expression already, or part of one."""
    if isinstance(query, str):
        return expression_of(query)
    return query if isinstance(query, Expression) else Expression(query)


def parse_expression(text: str) -> Expression:
    """Read an expression, operators in either case. Raises AlgebraError."""
    if len(text) > MAX_CHARS:
        raise AlgebraError(MAX_CHARS + 1, f"an expression has at most {MAX_CHARS} characters")
    return _Parser(list(_tokens(text))).whole()


def _relates(part: Part) -> bool:
    return isinstance(part, Related | Between | Without)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    """text, duration, number, word, keyword, sign, end."""
    column: int
    text: str
    """As written; keywords in capitals."""
    capital: bool = False


def _tokens(text: str) -> Iterator[_Token]:
    place = 0
    while True:
        found = _TOKEN.match(text, place)
        if found is None:
            start = place + len(text[place:]) - len(text[place:].lstrip())
            raise AlgebraError(start + 1, _unreadable(text[start]))
        kind = str(found.lastgroup)
        written = found[kind]
        capital = kind == "word" and written in _KEYWORDS
        if kind == "word" and written.upper() in _KEYWORDS:
            kind, written = "keyword", written.upper()
        yield _Token(kind, found.start(str(found.lastgroup)) + 1, written, capital)
        if kind == "end":
            return
        place = found.end()


def _unreadable(character: str) -> str:
    if character == '"' or character in _QUOTES:
        return "the text that begins here has no closing quote"
    return f"{character!r} has no meaning here"


def _is_intended(text: str) -> bool:
    """Whether a text begins like an expression and has an operator in capitals in its place."""
    tokens = list(_readable(text))
    return bool(tokens) and _opens(tokens[0]) and any(map(_in_place, tokens, tokens[1:]))


def _readable(text: str) -> Iterator[_Token]:
    """The tokens before what cannot be read."""
    try:
        yield from _tokens(text)
    except AlgebraError:
        return


def _opens(token: _Token) -> bool:
    is_prefix = token.capital and token.text in _PREFIXES
    return token.kind == "text" or token.text == "(" or is_prefix


def _in_place(one: _Token, following: _Token) -> bool:
    """An operator in capitals after a text, or before one."""
    if one.kind == "text" or one.text == ")":
        return following.capital and following.text in (_RELATIONS | {"ACROSS"})
    prefix = one.capital and (one.text in _PREFIXES or one.text == "NOT")
    return prefix and (following.kind == "text" or following.text == "(" or following.capital)


class _Parser:
    """Recursive descent; the depth is bounded."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._operands = 0

    def whole(self) -> Expression:
        """The expression that is all of the text."""
        counts = self._take("COUNT")
        part = self._expression(0)
        across = self._take("ACROSS")
        by = None
        if across and self._here.kind == "word":
            by = self._here.text.lower()
            self._at += 1
        if self._here.kind != "end":
            raise self._error("the end" if across else "BEFORE, AFTER, another operator or the end")
        try:
            return Expression(part, counts=counts, across=across, by=by)
        except QuestionError as error:
            raise AlgebraError(1, str(error)) from error

    @property
    def _here(self) -> _Token:
        return self._tokens[self._at]

    def _error(self, expected: str) -> AlgebraError:
        token = self._here
        if token.text == "COUNT":
            return AlgebraError(token.column, "COUNT gives a number: it only begins a query")
        if token.text == "ACROSS":
            return AlgebraError(token.column, "ACROSS speaks of all of a query: it only ends one")
        seen = "the end" if token.kind == "end" else repr(token.text)
        return AlgebraError(token.column, f"expected {expected}, found {seen}")

    def _take(self, *texts: str, kind: str = "keyword") -> bool:
        """Step over the next token if it is one of these."""
        if self._here.kind != kind or self._here.text not in texts:
            return False
        self._at += 1
        return True

    def _require(self, *texts: str, kind: str = "keyword") -> str:
        text = self._here.text
        if not self._take(*texts, kind=kind):
            raise self._error(" or ".join(texts))
        return text

    def _expression(self, depth: int) -> Part:
        opening = self._here
        left = self._part(depth)
        if not self._begins_relation():
            return left
        if opening.text in ("FIRST", "LAST"):
            raise AlgebraError(
                opening.column,
                f"{opening.text} before {self._here.text} can be read in two ways: put parentheses "
                f"around all that it is the {opening.text.lower()} of, or around it",
            )
        found = self._relation(left, depth)
        if self._begins_relation():
            raise AlgebraError(
                self._here.column,
                f"a second relation, {self._here.text}: put parentheses around the one that is "
                "meant to come first",
            )
        return found

    def _begins_relation(self) -> bool:
        return self._here.kind == "keyword" and self._here.text in (_RELATIONS | {"NOT"})

    def _relation(self, left: Part, depth: int) -> Part:
        negated = self._take("NOT")
        if negated and not self._begins_relation():
            return Without(left, self._part(depth))
        if self._take("BETWEEN"):
            earlier = self._part(depth)
            self._require("AND")
            return Between(left, earlier, self._part(depth), negated)
        if self._take("WITHIN"):
            at_most = self._duration()
            kind = self._require("OF", "BEFORE", "AFTER")
            relation = _NAMES["WITHIN" if kind == "OF" else kind]
            return Related(left, relation, self._part(depth), at_most, negated)
        relation = _NAMES[self._require("BEFORE", "AFTER", "DURING")]
        return Related(left, relation, self._part(depth), None, negated)

    def _part(self, depth: int) -> Part:
        if depth > MAX_DEPTH:
            raise AlgebraError(self._here.column, f"expressions nest at most {MAX_DEPTH} deep")
        if self._take("FIRST"):
            return Outermost("first", self._part(depth + 1))
        if self._take("LAST"):
            return Outermost("last", self._part(depth + 1))
        if self._take("(", kind="sign"):
            found = self._expression(depth + 1)
            self._require(")", kind="sign")
            return found
        return self._operand(exact=self._take("EXACT"))

    def _operand(self, *, exact: bool) -> Operand:
        token = self._here
        if token.kind != "text":
            raise self._error("a text in double quotes")
        text = token.text[1:-1]
        if token.text[0] == '"':
            text = text.replace('""', '"')
        if not text.strip():
            raise AlgebraError(token.column, "this text is empty")
        self._operands += 1
        if self._operands > MAX_OPERANDS:
            raise AlgebraError(token.column, f"an expression has at most {MAX_OPERANDS} texts")
        self._at += 1
        return Operand(text, exact)

    def _duration(self) -> Fraction:
        token = self._here
        if token.kind == "number":
            raise AlgebraError(token.column, f"{token.text} of what? write e.g. 30s, 5m or 1:30")
        if token.kind != "duration":
            raise self._error("a duration such as 30s, 5m or 1:30")
        self._at += 1
        if ":" in token.text:
            return parse_clock(token.text)
        number = re.match(_NUMBER, token.text)
        assert number is not None
        return Fraction(number[0]) * _SECONDS[token.text[number.end() :].strip().lower()]


_NAMES: dict[str, Relation] = {
    "BEFORE": "before", "AFTER": "after", "DURING": "during", "WITHIN": "near",
}  # fmt: skip


# --- writing -------------------------------------------------------------------------------------


def written(expression: Expression | Part) -> str:
    """The text of an expression; reading it gives the same expression."""
    if isinstance(expression, Expression):
        words = ["COUNT"] if expression.counts else []
        words.append(written(expression.part))
        if expression.across:
            words += ["ACROSS", *([] if expression.by is None else [expression.by])]
        return " ".join(words)
    match expression:
        case Operand(text, is_exact):
            return ("EXACT " if is_exact else "") + '"' + text.replace('"', '""') + '"'
        case Outermost(end, of):
            return f"{end.upper()} {_within(of)}"
        case Without(left, other):
            return f"{_before_relation(left)} NOT {_within(other)}"
        case Between(left, earlier, later, _):
            pair = f"{_within(earlier)} AND {_within(later)}"
            return f"{_before_relation(left)} {relation_written(expression)} {pair}"
        case Related(left, _, right):
            return f"{_before_relation(left)} {relation_written(expression)} {_within(right)}"


def relation_written(part: Related | Between) -> str:
    """Its operator: `NOT WITHIN 30s OF`."""
    negation = "NOT " if part.negated else ""
    if isinstance(part, Between):
        return f"{negation}BETWEEN"
    if part.at_most is None:
        return f"{negation}{part.relation.upper()}"
    apart = "OF" if part.relation == "near" else part.relation.upper()
    return f"{negation}WITHIN {_written_seconds(part.at_most)} {apart}"


def _within(part: Part) -> str:
    return f"({written(part)})" if _relates(part) else written(part)


def _before_relation(part: Part) -> str:
    return f"({written(part)})" if isinstance(part, Outermost) else _within(part)


def _written_seconds(seconds: Fraction) -> str:
    if seconds.denominator == 1:
        return f"{seconds}s"
    decimal = repr(float(seconds))
    exact = "e" not in decimal and Fraction(decimal) == seconds
    return f"{decimal if exact else seconds}s"
