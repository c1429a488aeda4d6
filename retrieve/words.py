"""Words of a text as matching sees them: lower case, no stop words, endings cut."""

from __future__ import annotations

import re

_WORD = re.compile(
    r"[぀-ヿ㐀-鿿가-힯]"  # scripts without spaces: each sign is a word
    r"|\d+(?:[.,:]\d+)*"
    r"|[^\W\d_](?:['’]?[^\W_])*"
)
_ENDINGS = ("ations", "ation", "ings", "ing", "edly", "ies", "ed", "es", "ly", "s", "e", "y")
_SHORTEST_STEM = 3

_STOP_TEXT = """
a about after all also am an and any are aren't as at be because been before being between
both but by can can't cannot could did didn't do does doesn't doing don't down during each few
for from had has have having he her here hers him his how i if in into is isn't it it's its
just let me more most my no nor not of off on once only or other our ours out over own same
she should so some such than that that's the their theirs them then there these they this
those through to too under until up us very was wasn't we were what what's when where which
while who whom whose why will with would you your yours tell say says said please
"""
STOP_WORDS = frozenset(_STOP_TEXT.split())


def all_words(text: str) -> list[str]:
    """Every word in order, lower case, uncut: letters and digits, numbers whole."""
    return [match[0].lower().replace("’", "'") for match in _WORD.finditer(text)]


def content_words(text: str) -> list[str]:
    """The words that carry meaning, in order, as stems, so that `measures` equals `measured`.

    Falls back to all words when only stop words are there.
    """
    words = all_words(text)
    kept = [word for word in words if word not in STOP_WORDS]
    return [stem(word) for word in kept or words]


def stem(word: str) -> str:
    """Cut one common English ending; other words and numbers come back as they are."""
    bare = word.removesuffix("'s")
    if not bare.isascii() or not bare.isalpha():
        return bare
    for ending in _ENDINGS:
        if bare.endswith(ending) and len(bare) - len(ending) >= _SHORTEST_STEM:
            return _undouble(bare[: -len(ending)])
    return bare


def share_of_shorter(first: str, second: str) -> float:
    """Share of the shorter text's distinct content words that the other one has too, 0..1."""
    words, others = set(content_words(first)), set(content_words(second))
    shorter = min(len(words), len(others))
    return len(words & others) / shorter if shorter else 0.0


def share_within(part: str, whole: str) -> float:
    """Share of the distinct content words of `part` that `whole` has, 0..1."""
    words = set(content_words(part))
    return len(words & set(content_words(whole))) / len(words) if words else 0.0


def _undouble(root: str) -> str:
    """`stopp` of `stopped` becomes `stop`."""
    doubled = len(root) > _SHORTEST_STEM and root[-1] == root[-2] and root[-1] not in "aeiousl"
    return root[:-1] if doubled else root
