"""The lexical index: names, codes and rare words, found as typed. All tantivy is here.

Text becomes tokens in Python (`index.words`), the same way for documents and queries, so that
every script works. Scores are BM25 (Robertson and Zaragoza 2009), k1 = 1.2 and b = 0.75, and the
same however the moments are spread over shards: words weigh by how rare they are in all shards,
and lengths count against a fixed length (`_USUAL_LENGTHS`) that no shard moves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil, log
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tantivy
from tantivy import Occur, Query

from index.columns import storable
from index.errors import LibraryError
from index.files import disk_error
from index.ranking import Ids, Mask, Vectors, top_k
from index.typos import typos_between
from index.word_query import Reading, Term
from index.words import LOOKUP_STOP_WORDS, forms_of, is_sign, words_of

WORDS_VERSION = 2
"""Version of what `write_words` writes: another cut of words, another schema, another version."""

VERSION_NAME = "words.json"
_HEAP_BYTES = 64_000_000
_LARGEST_FILTER_RUNS = 32
_SPARE = 1.3
"""So many times what a filter's share makes likely is asked for, lest it take a second search."""
_EQUALS = 3
"""So many times what is wanted is asked for beside it: short texts often score alike, and asking
for more at once costs little, asking again as much as the first time."""
_TIE_BREAKER = 0.1
_USUAL_LENGTHS = {"words": 96, "stems": 96, "forms": 16, "heading": 8, "name": 4}
"""Tokens of a field that count as neither short nor long: a passage, a chapter's title."""
HIGHEST_FREQUENCY_FACTOR = 2.2
"""k1 + 1: what BM25 makes of a word that stands in a text without end, over its rarity."""
_FILLER = "."
"""Cannot be a word: it has no letter."""
_MOMENTS_PER_FILLER = 200
_LOOKS_APART = 32
"""Documents between two that are looked at; what tantivy writes at once, and merges, are more."""


# --- writing -------------------------------------------------------------------------------------


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("moment", fast=True)
    builder.add_text_field("words", tokenizer_name="plain", index_option="position")
    builder.add_text_field("stems", tokenizer_name="stemmed", index_option="freq")
    builder.add_text_field("forms", tokenizer_name="plain", index_option="freq")
    builder.add_text_field("heading", tokenizer_name="stemmed", index_option="freq")
    builder.add_text_field("name", tokenizer_name="plain", index_option="freq")
    return builder.build()


_SCHEMA = _schema()
"""The same for every shard, so that one query serves all."""


def _plain_analyzer() -> tantivy.TextAnalyzer:
    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()


def _stemming_analyzer() -> tantivy.TextAnalyzer:
    """One after the other: each leaves words of other scripts alone."""
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace())
    for language in ("english", "russian", "greek", "arabic", "tamil"):
        builder = builder.filter(tantivy.Filter.stemmer(language))
    return builder.build()


_STEMMER = _stemming_analyzer()


def stems_of(words: Sequence[str]) -> list[str]:
    """What the index takes for the stem of each of these folded words."""
    return _STEMMER.analyze(" ".join(words)) if words else []


def write_words(
    directory: Path, texts: Iterable[str], *, headings: Iterable[str], names: Iterable[str]
) -> None:
    """Write a shard's lexical index into the new directory `directory`.

    One text, heading and source name for every moment, in order. One thread and one commit: the
    same input gives the same results. Raises LibraryError when the disk refuses.
    """
    try:
        directory.mkdir()
        index = tantivy.Index(_SCHEMA, path=str(directory))
        index.register_tokenizer("plain", _plain_analyzer())
        index.register_tokenizer("stemmed", _stemming_analyzer())
        writer = index.writer(heap_size=_HEAP_BYTES, num_threads=1)
        lengths = dict.fromkeys(_USUAL_LENGTHS, 0)
        num_moments = 0
        for text, heading, name in zip(texts, headings, names, strict=True):
            words = words_of(storable(text))
            fields = {
                "words": words,
                "stems": words,
                "forms": forms_of(storable(text)),
                "heading": words_of(storable(heading)),
                "name": words_of(storable(name)),
            }
            document = tantivy.Document()
            document.add_unsigned("moment", num_moments)
            num_moments += 1
            for field, tokens in fields.items():
                document.add_text(field, " ".join(tokens))
                lengths[field] += len(tokens)
            writer.add_document(document)
        for filler in _fillers(lengths, num_moments):
            writer.add_document(filler)
        writer.commit()
        writer.wait_merging_threads()
        for lock in directory.glob(".tantivy-*.lock"):
            lock.unlink()
        version = {"version": WORDS_VERSION, "moments": num_moments}
        (directory / VERSION_NAME).write_text(json.dumps(version), encoding="utf-8")
    except (OSError, ValueError) as error:
        raise disk_error(directory, "write the words of", error) from error


def _fillers(lengths: Mapping[str, int], num_moments: int) -> Iterable[tantivy.Document]:
    """Documents without words that make the mean length of every field the usual one.

    BM25 holds a length against the mean of its index, which tantivy counts by itself; with equal
    means, shards score alike.
    """
    if not num_moments:
        return
    needed = max(ceil(lengths[field] / usual) for field, usual in _USUAL_LENGTHS.items())
    count = max(1, needed - num_moments, num_moments // _MOMENTS_PER_FILLER)
    for number in range(count):
        document = tantivy.Document()
        for field, usual in _USUAL_LENGTHS.items():
            missing = usual * (num_moments + count) - lengths[field]
            own = missing * (number + 1) // count - missing * number // count
            document.add_text(field, f"{_FILLER} " * own)
        yield document


# --- searching -----------------------------------------------------------------------------------


class ShardWords:
    """One shard's lexical index, open; stays readable after its files are deleted."""

    def __init__(self, directory: Path) -> None:
        """Open what `write_words` wrote.

        Raises LibraryError when it is not there or was written by another version.
        """
        self.num_moments = _checked_moments(directory)
        try:
            index = tantivy.Index.open(str(directory))
            # Shards never change: no thread needs to watch for commits.
            index.config_reader(reload_policy="manual")
            self.searcher = index.searcher()
        except (OSError, ValueError) as error:
            raise disk_error(directory, "read the words of", error) from error
        self._num_documents: int = self.searcher.num_docs
        self._is_ordered = self._stand_in_order()
        """Tantivy lists equal scores in the order in which documents stand."""
        self.count: Callable[[str, str], int] = self.searcher.doc_freq
        """In how many moments a field holds a word."""

    def best(
        self, search: Callable[[int], tuple[Ids, Vectors]], k: int, available: int
    ) -> tuple[Ids, Vectors]:
        """The best k of a search in this shard, equal scores by ascending id; see `top_k`."""
        if self._is_ordered and k >= 1:
            return search(min(k, available))
        return top_k(search, k, available, spare=_EQUALS * k)

    def _stand_in_order(self) -> bool:
        """Whether moment n is the n-th document, looked at here and there.

        Moments are added in order, but a large shard has several segments, and merging some puts
        the larger ones first: as wholes, and none is as short as the steps between looks.
        """
        if self.searcher.num_segments != 1 or not 0 < self.num_moments <= self._num_documents:
            return False
        places = [*range(0, self.num_moments, _LOOKS_APART), self.num_moments - 1]
        addresses = [tantivy.DocAddress(0, place) for place in places]
        return places == self._numbers(addresses)

    def _numbers(self, addresses: list[tantivy.DocAddress]) -> Sequence[float | None]:
        """The moments at these addresses; None: a filler."""
        return self.searcher.fast_field_values("moment", addresses)

    def rarity(self, count: int) -> float:
        """What tantivy makes of a word that `count` moments of this shard hold."""
        return rarity_of(count, self._num_documents)

    def near_words(self, typed: str, most: int) -> dict[str, tuple[int, int]]:
        """Words of the texts with at most so many typos: typos, and how many moments hold it."""
        query = Query.fuzzy_term_query(_SCHEMA, "words", typed, most, True)
        # Whether there are any is known at once; telling which ones goes through a letter's words.
        if not self.searcher.search(query, 1, count=False).hits:
            return {}
        found: list[tuple[str, int]] = self.searcher.terms_with_prefix("words", typed[0], query)
        return {
            word: (typos, count)
            for word, count in found
            if word not in LOOKUP_STOP_WORDS and word.isalpha()
            if (typos := typos_between(typed, word, most))
        }

    def entries(self, first: int, last: int) -> Ids:
        """How often each of the moments first..last, both included, stands in the index."""
        numbers = Query.range_query(_SCHEMA, "moment", tantivy.FieldType.Unsigned, first, last)
        # One more than there should be: a moment that stands there twice is seen.
        ids, _ = self.search(numbers, last - first + 2)
        return np.bincount(ids - first, minlength=last - first + 1)

    def search(self, query: Query, count: int) -> tuple[Ids, Vectors]:
        """Local ids and scores of the `count` best."""
        hits = self.searcher.search(query, count, count=False).hits
        ids = self._numbers([address for _, address in hits])
        scores = np.array([score for score, _ in hits], dtype=np.float32)
        return np.array(ids, dtype=np.int64), scores


def _checked_moments(directory: Path) -> int:
    try:
        about = json.loads((directory / VERSION_NAME).read_text(encoding="utf-8"))
        version, moments = int(about["version"]), int(about["moments"])
    except FileNotFoundError as error:
        if not directory.is_dir():
            raise disk_error(directory, "read the words of", error) from error
        version, moments = 1, 0
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise disk_error(directory, "read the words of", error) from error
    if version != WORDS_VERSION:
        advice = (
            "bring the library up to date with: secondsight upgrade"
            if version < WORDS_VERSION
            else "upgrade with: pip install --upgrade secondsight"
        )
        raise LibraryError(
            f"{directory} holds words in version {version}, this Secondsight reads "
            f"{WORDS_VERSION}; {advice}"
        )
    return moments


def rarity_of(count: int, total: int) -> float:
    """Inverse document frequency as tantivy has it; never below 0."""
    return log(1 + (total - count + 0.5) / (count + 0.5))


class Counts(NamedTuple):
    """How many moments hold a word in a field: in each shard, and what rarity that makes."""

    by_shard: list[int]
    rarity: float


def compiled(
    terms: Sequence[Term],
    counts: Mapping[tuple[str, str], Counts],
    shard: ShardWords,
    number: int,
) -> Query | None:
    """The query of one shard, of the readings that its words can have; None when none matches."""
    found: list[tuple[Occur, Query]] = []
    for term in terms:
        readings = [
            built
            for reading in term.readings
            if (built := _reading(reading, counts, shard, number)) is not None
        ]
        if readings:
            query = readings[0]
            if len(readings) > 1:
                query = Query.disjunction_max_query(readings, _TIE_BREAKER)
            found.append((Occur.Must if term.required else Occur.Should, query))
        elif term.required:
            return None
    return Query.boolean_query(found) if found else None


def _reading(
    reading: Reading,
    counts: Mapping[tuple[str, str], Counts],
    shard: ShardWords,
    number: int,
) -> Query | None:
    """A reading, with the rarity of its words in all shards in place of that in this one."""
    of_words = [counts[reading.field, word] for word in reading.words]
    if not reading.within_signs and not all(found.by_shard[number] for found in of_words):
        return None
    rarity = sum(found.rarity for found in of_words)
    if reading.within_signs:
        query = Query.regex_phrase_query(_SCHEMA, reading.field, _patterns(reading.words))
        return Query.const_score_query(query, reading.weight * rarity)
    own = sum(shard.rarity(found.by_shard[number]) for found in of_words)
    query = (
        Query.phrase_query(_SCHEMA, reading.field, list(reading.words))
        if len(reading.words) > 1
        else Query.term_query(_SCHEMA, reading.field, reading.words[0], "freq")
    )
    return Query.boost_query(query, reading.weight * rarity / own)


def _patterns(words: Sequence[str]) -> list[str | tuple[int, str]]:
    """Regular expressions of a phrase: a single sign at its ends may be part of a pair."""
    patterns = [re.escape(word) for word in words]
    if is_sign(words[0]):
        patterns[0] = f".*{patterns[0]}"
    if is_sign(words[-1]):
        patterns[-1] = f"{patterns[-1]}.*"
    return list(patterns)


def search_shard(
    shard: ShardWords, query: Query, k: int, allowed: Mask | None
) -> tuple[Ids, Vectors]:
    """Local ids and scores of the shard's best k allowed moments."""
    if allowed is None or allowed.all():
        return shard.best(lambda count: shard.search(query, count), k, shard.num_moments)
    available = int(np.count_nonzero(allowed))
    if available == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    limit = shard.num_moments
    first, last, within = _within(allowed)
    if within is not None:
        query = Query.boolean_query([(Occur.Must, query), (Occur.Must, within)])
    spare = _SPARE * (last + 1 - first) / available

    def search(count: int) -> tuple[Ids, Vectors]:
        """Ask for more until `count` of them are allowed or all matches are seen."""
        asked = min(ceil(spare * count), limit)
        while True:
            ids, scores = shard.search(query, asked)
            kept = allowed[ids]
            if len(ids) < asked or asked >= limit or np.count_nonzero(kept) >= count:
                return ids[kept][:count], scores[kept][:count]
            asked = min(4 * asked, limit)

    return shard.best(search, k, available)


def _within(allowed: Mask) -> tuple[int, int, Query | None]:
    """First and last allowed moment, and a filter that scores nothing.

    The runs of allowed moments, or all from the first to the last when there are many; None when
    these are all of the shard's.
    """
    first = int(np.argmax(allowed))
    last = allowed.tobytes().rfind(1)  # NumPy searches backwards ten times as long
    changed = allowed[first + 1 : last + 1] != allowed[first:last]
    changes = np.zeros(0, dtype=np.int64)
    if np.count_nonzero(changed) < 2 * _LARGEST_FILTER_RUNS:
        changes = np.flatnonzero(changed) + first + 1
    elif last + 1 - first == len(allowed):
        return first, last, None
    runs = np.concatenate([[first], changes, [last + 1]]).reshape(-1, 2).tolist()
    ranges = [
        Query.range_query(_SCHEMA, "moment", tantivy.FieldType.Unsigned, start, end - 1)
        for start, end in runs
    ]
    either = Query.boolean_query([(Occur.Should, one) for one in ranges])
    return first, last, Query.const_score_query(either, 0.0)
