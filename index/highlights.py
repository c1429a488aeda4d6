"""Which characters of a moment's text a query has matched, by the same rules as the search."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from index.folding import fold_with_places
from index.lexical import stems_of
from index.word_query import Phrase, Phrases, WordQuery, loose_words, parse_query
from index.words import Token, form_tokens, is_sign, parts_of, word_tokens

Spans = tuple[tuple[int, int], ...]


def highlights(
    query_text: str, text: str, *, phrases: Phrases = "prefer", near: Collection[str] = ()
) -> Spans:
    """The spans [start, end) of the text's characters that match the query, in order, disjoint.

    A word matches as typed, by its stem, by another spelling (`index.words.form_tokens`), or when
    it is one of `near`, the words that `LexicalIndex.near_words` gives for mistyped ones. A phrase
    in double quotes is one span; with "require" its words match only there. Offsets count the
    characters of `text` as it is, whatever folding does to them. Takes about 20 microseconds a
    word of the text: meant for hits that are shown.
    """
    asked = parse_query(query_text)
    folded = fold_with_places(text)
    tokens = list(word_tokens(folded.text))
    found = [
        *_of_words(asked, loose_words(asked, query_text, phrases), near, tokens, folded.text),
        *(span for phrase in asked.phrases for span in _of_phrase(phrase, phrases, tokens)),
    ]
    return _joined([folded.span(start, end) for start, end in found])


def _of_words(
    asked: WordQuery,
    words: Sequence[str],
    near: Collection[str],
    tokens: Sequence[Token],
    folded: str,
) -> Iterator[tuple[int, int]]:
    wanted = {*words, *asked.spelled, *near}
    wanted_stems = set(stems_of(words))
    stems = stems_of([token.word for token in tokens])
    for token, stem in zip(tokens, stems, strict=True):
        if token.word in wanted or stem in wanted_stems:
            yield token.start, token.end
    for token in form_tokens(folded):
        if token.word in wanted:
            yield token.start, token.end
    for word in words:
        parts = tuple(part.word for part in parts_of(Token(word, 0, len(word))))
        if parts:
            yield from _together(parts, tokens)


def _of_phrase(
    phrase: Phrase, phrases: Phrases, tokens: Sequence[Token]
) -> Iterator[tuple[int, int]]:
    is_spelled_word = len(phrase.words) == 1 and phrase.spelled
    if is_spelled_word or (len(phrase.words) == 1 and phrases == "prefer"):
        return
    yield from _together(phrase.words, tokens)


def _together(words: Sequence[str], tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Where the words stand one after the other; a single sign at an end may be half a pair."""
    first, last = words[0], words[-1]
    for at in range(len(tokens) - len(words) + 1):
        run = tokens[at : at + len(words)]
        start, end = run[0].start, run[-1].end
        if run[0].word != first:
            if not (is_sign(first) and run[0].word.endswith(first)):
                continue
            start = run[0].end - len(first)
        if run[-1].word != last:
            if not (is_sign(last) and run[-1].word.startswith(last)):
                continue
            end = run[-1].start + len(last)
        inner = zip(run[1:-1], words[1:-1], strict=True)
        if all(token.word == word for token, word in inner):
            yield start, end


def _joined(spans: Sequence[tuple[int, int]]) -> Spans:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return tuple(joined)
