"""What a person typed becomes what is looked up: words, spellings, phrases, and their readings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from index.columns import storable
from index.folding import fold
from index.words import (
    LOOKUP_STOP_WORDS,
    Token,
    is_sign,
    parts_of,
    spelled_tokens,
    word_tokens,
)

Phrases = Literal["prefer", "require"]
"""What stands in double quotes weighs more where it occurs as such, or must occur as such."""
Typos = Literal["none", "unmatched", "all"]
"""Which words are also looked up as the words they are mistyped from: none, those that match
nothing as typed, or all."""

_QUOTED = re.compile('["“”„«»「」『』＂]([^"“”„«»「」『』＂]+)["“”„«»「」『』＂]')

# How much a match in each field counts; a term scores by its best field.
_WORDS_WEIGHT = 1.0
_STEMS_WEIGHT = 0.9
_FORMS_WEIGHT = 1.0
_HEADING_WEIGHT = 0.4
_NAME_WEIGHT = 0.2
_PHRASE_WEIGHT = 3.0
_RUN_WEIGHT = 1.0
"""Without spaces, what is typed together is mostly one expression: whole, it counts once more."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand together in a text, in this order."""

    words: tuple[str, ...]
    spelled: tuple[str, ...]
    """Numbers and words with signs in it, which words alone do not tell: 1.15, C++."""


@dataclass(frozen=True, slots=True)
class WordQuery:
    """What is looked up for a text."""

    words: tuple[str, ...]
    """Each once, without those that tell nothing, unless there are no others."""
    spelled: tuple[str, ...]
    """Codes without their joiners and words with their signs, that are not among the words."""
    runs: tuple[tuple[str, ...], ...]
    """The pairs of signs of each run of three signs or more of a script without spaces."""
    phrases: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to find a term: a word of a field, or words that stand together there."""

    field: str
    words: tuple[str, ...]
    weight: float
    within_signs: bool = False
    """The first and last word, if single signs, may be part of a longer run."""


@dataclass(frozen=True, slots=True)
class Term:
    """One thing asked for."""

    readings: tuple[Reading, ...]
    required: bool = False


def parse_query(text: str) -> WordQuery:
    """Read what a person typed: there are no operators but double quotes."""
    folded = fold(storable(text))
    tokens = list(word_tokens(folded))
    found = [token.word for token in tokens]
    words = tuple(dict.fromkeys(word for word in found if word not in LOOKUP_STOP_WORDS))
    words = words or tuple(dict.fromkeys(found))
    spelled = dict.fromkeys(token.word for token in spelled_tokens(folded))
    return WordQuery(
        words=words,
        spelled=tuple(form for form in spelled if form not in words),
        runs=_runs(tokens),
        phrases=tuple(phrase for quoted in _quoted(text) if (phrase := _phrase(quoted)).words),
    )


def _runs(tokens: Sequence[Token]) -> tuple[tuple[str, ...], ...]:
    runs: list[list[str]] = []
    end = 0
    for token in tokens:
        if token.start < end:
            runs[-1].append(token.word)
        else:
            runs.append([token.word])
        end = token.end
    return tuple(dict.fromkeys(tuple(run) for run in runs if len(run) > 1))


def loose_words(query: WordQuery, text: str, phrases: Phrases) -> tuple[str, ...]:
    """The words of the query `text` that count wherever they stand, not only within a phrase."""
    if phrases == "prefer" or not query.phrases:
        return query.words
    outside = {token.word for token in word_tokens(fold(_QUOTED.sub(" ", storable(text))))}
    return tuple(word for word in query.words if word in outside)


def _quoted(text: str) -> list[str]:
    return [match.group(1) for match in _QUOTED.finditer(storable(text))]


def _phrase(quoted: str) -> Phrase:
    folded = fold(quoted)
    spelled = dict.fromkeys(token.word for token in spelled_tokens(folded))
    return Phrase(
        tuple(token.word for token in word_tokens(folded)),
        tuple(form for form in spelled if any(not letter.isalnum() for letter in form)),
    )


def terms_of(
    query: WordQuery,
    *,
    stem: Callable[[str], str],
    phrases: Phrases,
    near: Mapping[str, Sequence[tuple[str, float]]],
) -> list[Term]:
    """The terms of a query; `near` has for a word the words it may be meant for, with weights."""
    terms = [Term(_word_readings(word, stem(word), near.get(word, ()))) for word in query.words]
    for form in query.spelled:
        readings = Reading("forms", (form,), _FORMS_WEIGHT), Reading("words", (form,), 1.0)
        terms.append(Term(readings))
    terms += [Term((Reading("words", run, _RUN_WEIGHT),)) for run in query.runs]
    required = phrases == "require"
    for phrase in query.phrases:
        if required or len(phrase.words) > 1:
            terms.append(Term((_phrase_reading(phrase),), required))
        if required:
            for form in phrase.spelled:
                terms.append(Term((Reading("forms", (form,), _FORMS_WEIGHT),), required))
    return terms


def _word_readings(word: str, stem: str, near: Sequence[tuple[str, float]]) -> tuple[Reading, ...]:
    parts = tuple(part.word for part in parts_of(Token(word, 0, len(word))))
    return (
        Reading("words", (word,), _WORDS_WEIGHT),
        Reading("stems", (stem,), _STEMS_WEIGHT),
        Reading("forms", (word,), _FORMS_WEIGHT),
        Reading("heading", (stem,), _HEADING_WEIGHT),
        Reading("name", (word,), _NAME_WEIGHT),
        *([Reading("words", parts, _WORDS_WEIGHT)] if parts else []),
        *(Reading("words", (other,), _WORDS_WEIGHT * weight) for other, weight in near),
    )


def _phrase_reading(phrase: Phrase) -> Reading:
    words = phrase.words
    if len(words) == 1 and is_sign(words[0]):
        return Reading("forms", words, _FORMS_WEIGHT)
    weight = _PHRASE_WEIGHT if len(words) > 1 else _WORDS_WEIGHT
    return Reading("words", words, weight, within_signs=is_sign(words[0]) or is_sign(words[-1]))
