"""What texts have in common: their words that carry meaning, and the shares they have in common."""

from __future__ import annotations

from index.words import STOP_WORDS, all_words, stem


def content_words(text: str) -> list[str]:
    """The words that carry meaning, in order, as stems, so that `measures` equals `measured`.

    Falls back to all words when only stop words are there.
    """
    words = all_words(text)
    kept = [word for word in words if word not in STOP_WORDS]
    return [stem(word) for word in kept or words]


def share_of_shorter(first: str, second: str) -> float:
    """Share of the shorter text's distinct content words that the other one has too, 0..1."""
    words, others = set(content_words(first)), set(content_words(second))
    shorter = min(len(words), len(others))
    return len(words & others) / shorter if shorter else 0.0


def share_within(part: str, whole: str) -> float:
    """Share of the distinct content words of `part` that `whole` has, 0..1."""
    words = set(content_words(part))
    return len(words & set(content_words(whole))) / len(words) if words else 0.0
