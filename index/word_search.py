"""The words of many shards, searched as one, with the scores that one index would give."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from index.lexical import (
    HIGHEST_FREQUENCY_FACTOR,
    Counts,
    ShardWords,
    compiled,
    rarity_of,
    search_shard,
    stems_of,
)
from index.ranking import Ids, Mask, Vectors, starts_of
from index.typos import typos_borne
from index.word_query import Phrases, Term, Typos, WordQuery, parse_query, terms_of

_COUNTS_KEPT = 4096
_NEAR_WORDS = 32
"""Words at most that a mistyped word is looked up as."""
_NEAR_WEIGHTS = {1: 0.5, 2: 0.25}
"""What a match counts by the number of typos where nothing matches as typed."""
_NEAR_BESIDE_EXACT = 0.2
"""Factor on that where the word also matches as typed: such a match stays below."""


class LexicalIndex:
    """The words of many shards, searched as one. Global ids count through the shards in order."""

    def __init__(self, shards: Sequence[ShardWords]) -> None:
        """Join open shards."""
        self._shards = tuple(shards)
        self._starts = starts_of([shard.num_moments for shard in shards])
        # A search asks for the words of its question several times.
        self._counted = lru_cache(maxsize=_COUNTS_KEPT)(self._look_up)

    @classmethod
    def open(cls, directories: Sequence[Path]) -> LexicalIndex:
        """Open the shards in `directories` and join them."""
        return cls([ShardWords(directory) for directory in directories])

    @property
    def num_moments(self) -> int:
        """Moments in all shards."""
        return int(self._starts[-1])

    def search(
        self,
        query_text: str,
        k: int,
        *,
        allowed: Mask | None = None,
        phrases: Phrases = "prefer",
        typos: Typos = "none",
    ) -> tuple[Ids, Vectors]:
        """The k moments that match the text best: ids int64 and BM25 scores float32, best first.

        The text is what a person typed: no operators, any of its words may match. A phrase in
        double quotes weighs more where it occurs as such, or must occur as such (`phrases`);
        words may be mistyped (`typos`). `allowed` (num_moments,) bool acts before ranking. Equal
        scores come in ascending id. Scores do not depend on how moments are spread over shards.
        """
        if allowed is not None and allowed.shape != (self.num_moments,):
            raise ValueError(f"allowed must be ({self.num_moments},), got {allowed.shape}")
        asked = parse_query(query_text)
        near = self._weighed_near_words(asked, typos)
        terms = terms_of(asked, stem=_stem, phrases=phrases, near=near)
        counts = self._count(terms)
        all_ids, all_scores = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.float32)]
        for number, shard in enumerate(self._shards):
            start, end = self._starts[number : number + 2]
            own = None if allowed is None else allowed[start:end]
            query = compiled(terms, counts, shard, number)
            if query is not None:
                ids, scores = search_shard(shard, query, k, own)
                all_ids.append(ids + start)
                all_scores.append(scores)
        ids, scores = np.concatenate(all_ids), _rounded(np.concatenate(all_scores))
        order = np.lexsort((ids, -scores))[: max(k, 0)]
        return ids[order], scores[order]

    def highest_score(self, query_text: str, typos: Typos = "none") -> float:
        """About the most that a moment can score in `search` by the words of the text.

        It is what a moment earns in which each word's stem stands without end; one that no moment
        holds counts as what it is also looked up as, or else as the rarest. What phrases and
        spellings add is left out.
        """
        asked = parse_query(query_text)
        near = self._weighed_near_words(asked, typos)
        most = (self._highest_rarity(word, near.get(word, ())) for word in asked.words)
        return HIGHEST_FREQUENCY_FACTOR * sum(most)

    def _highest_rarity(self, word: str, near: Sequence[tuple[str, float]]) -> float:
        if near and not self._is_held(word):
            return max(weight * self._counted("words", other).rarity for other, weight in near)
        return min(self._counted("words", word).rarity, self._counted("stems", _stem(word)).rarity)

    def near_words(self, query_text: str, typos: Typos) -> dict[str, tuple[str, ...]]:
        """For each word that is also looked up as others: these, nearest and most used first.

        They are as far as one typo (4 to 7 letters) or two (from 8), and begin with the same
        letter; words are folded.
        """
        near = self._weighed_near_words(parse_query(query_text), typos)
        return {word: tuple(other for other, _ in others) for word, others in near.items()}

    def num_holding(self, text: str) -> int:
        """About how many moments hold a word: those that hold its most usual reading.

        Of what is cut into several words, the rarest counts. Only looks numbers up; what shares
        a shard with it and is forgotten counts, too.
        """
        terms = terms_of(parse_query(text), stem=_stem, phrases="prefer", near={})
        counts = self._count(terms)
        usual = [
            max(
                min(sum(counts[one.field, word].by_shard) for word in one.words) for one in readings
            )
            for readings in (term.readings for term in terms)
        ]
        return min(usual, default=0)

    def _weighed_near_words(
        self, query: WordQuery, typos: Typos
    ) -> dict[str, list[tuple[str, float]]]:
        if typos == "none":
            return {}
        found = {}
        for word in query.words:
            most = typos_borne(word)
            if most:
                held = self._is_held(word)
                if not held or typos == "all":
                    found[word] = self._near(word, most, held)
        return {word: near for word, near in found.items() if near}

    def _is_held(self, word: str) -> bool:
        """True when some moment is found by this word as typed."""
        terms = terms_of(WordQuery((word,), (), (), ()), stem=_stem, phrases="prefer", near={})
        return any(any(counts.by_shard) for counts in self._count(terms).values())

    def _near(self, word: str, most: int, held: bool) -> list[tuple[str, float]]:
        typos: dict[str, int] = {}
        counts: dict[str, int] = {}
        for shard in self._shards:
            for other, (number, count) in shard.near_words(word, most).items():
                typos[other] = number
                counts[other] = counts.get(other, 0) + count
        best = sorted(typos, key=lambda other: (typos[other], -counts[other], other))
        rarity = self._counted("words", word).rarity
        weighed = []
        for other in best[:_NEAR_WORDS]:
            weight = _NEAR_WEIGHTS[typos[other]]
            if held:
                rarer = self._counted("words", other).rarity / max(rarity, 1e-9)
                weight *= _NEAR_BESIDE_EXACT / max(1.0, rarer)
            weighed.append((other, weight))
        return weighed

    def _count(self, terms: Sequence[Term]) -> dict[tuple[str, str], Counts]:
        keys = {
            (reading.field, word)
            for term in terms
            for reading in term.readings
            for word in reading.words
        }
        return {key: self._counted(*key) for key in keys}

    def _look_up(self, field: str, word: str) -> Counts:
        by_shard = [shard.count(field, word) for shard in self._shards]
        return Counts(by_shard, rarity_of(sum(by_shard), self.num_moments))


def _stem(word: str) -> str:
    return "".join(stems_of([word]))


def _rounded(scores: Vectors) -> Vectors:
    """Scores without the last bits, in which equal moments of two shards may differ."""
    mantissas, exponents = np.frexp(scores)
    rounded: Vectors = np.ldexp(np.round(mantissas * 2**17) / 2**17, exponents).astype(np.float32)
    return rounded
