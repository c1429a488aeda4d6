"""Typos: how many may stand between a word as typed and the word that is meant."""

from __future__ import annotations

from index.words import is_unspaced

_ONE_FROM, _TWO_FROM = 4, 8
"""Letters from which one, and two, typos are borne: a shorter word would mean too many others."""


def typos_borne(word: str) -> int:
    """How many typos a folded word may have; 0 for short words, codes and unspaced scripts.

    A number or a code with another digit is another one, not a mistyped one.
    """
    if not word.isalpha() or is_unspaced(word) or len(word) < _ONE_FROM:
        return 0
    return 2 if len(word) >= _TWO_FROM else 1


def typos_between(typed: str, word: str, most: int) -> int | None:
    """Typos that make one word the other; None when more than `most`, or the first letters differ.

    A typo is a letter that is wrong, missing or too much, or two neighbours in the wrong order:
    the restricted distance of Damerau (1964), each letter part of at most one typo.
    """
    if typed[:1] != word[:1] or abs(len(typed) - len(word)) > most:
        return None
    before: list[int] = []
    row = list(range(len(word) + 1))
    for i, letter in enumerate(typed, start=1):
        earlier, before = before, row
        row = [i]
        for j, other in enumerate(word, start=1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == word[j - 2] and typed[i - 2] == other:
                best = min(best, earlier[j - 2] + 1)
            row.append(best)
        if min(row) > most and min(before) > most:
            return None
    return row[-1] if row[-1] <= most else None
