"""The lexical index: names, codes and rare words, found as typed. All tantivy is here.

Text becomes tokens in Python, the same way for documents and queries, so that every script works:
case and Latin accents are folded; runs of scripts written without spaces become pairs of
characters; codes joined by punctuation ("TG-4471-K") are found with it, without it, or in parts.
Scores are BM25 (Robertson and Zaragoza 2009) with the statistics of each shard by itself, as in
any sharded search engine: scores of shards with very different contents differ slightly in scale.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tantivy
from tantivy import Occur, Query

from index.columns import storable
from index.files import disk_error
from index.ranking import Ids, Mask, Vectors, starts_of, top_k
from index.words import LOOKUP_STOP_WORDS, UNSPACED, forms_of, words_of

_HEAP_BYTES = 64_000_000
_LARGEST_FILTER_RUNS = 32
_QUOTED = re.compile('["“”„«»]([^"“”„«»]+)["“”„«»]')

# How much a match in each field counts; a token scores by its best field.
_WORDS_WEIGHT = 1.0
_STEMS_WEIGHT = 0.9
_FORMS_WEIGHT = 1.0
_HEADING_WEIGHT = 0.4
_NAME_WEIGHT = 0.2
_TIE_BREAKER = 0.1
_PHRASE_WEIGHT = 3.0


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
    """English then Russian: each leaves words of other scripts alone."""
    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace())
        .filter(tantivy.Filter.stemmer("english"))
        .filter(tantivy.Filter.stemmer("russian"))
        .build()
    )


def write_words(
    directory: Path, texts: Sequence[str], *, headings: Sequence[str], names: Sequence[str]
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
        for number, (text, heading, name) in enumerate(zip(texts, headings, names, strict=True)):
            words = " ".join(words_of(storable(text)))
            document = tantivy.Document()
            document.add_unsigned("moment", number)
            document.add_text("words", words)
            document.add_text("stems", words)
            document.add_text("forms", " ".join(forms_of(storable(text))))
            document.add_text("heading", " ".join(words_of(storable(heading))))
            document.add_text("name", " ".join(words_of(storable(name))))
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        for lock in directory.glob(".tantivy-*.lock"):
            lock.unlink()
    except (OSError, ValueError) as error:
        raise disk_error(directory, "write the words of", error) from error


# --- searching -----------------------------------------------------------------------------------


class ShardWords:
    """One shard's lexical index, open; stays readable after its files are deleted."""

    def __init__(self, directory: Path) -> None:
        """Open what `write_words` wrote; raises LibraryError when it is not there."""
        try:
            index = tantivy.Index.open(str(directory))
            # Shards never change: no thread needs to watch for commits.
            index.config_reader(reload_policy="manual")
            self.searcher = index.searcher()
        except (OSError, ValueError) as error:
            raise disk_error(directory, "read the words of", error) from error
        self.num_moments: int = self.searcher.num_docs

    def search(self, query: Query, count: int) -> tuple[Ids, Vectors]:
        """Local ids and scores of the `count` best."""
        hits = self.searcher.search(query, count, count=False).hits
        addresses = [address for _, address in hits]
        ids = self.searcher.fast_field_values("moment", addresses)
        scores = np.array([score for score, _ in hits], dtype=np.float32)
        return np.array(ids, dtype=np.int64), scores


class LexicalIndex:
    """The words of many shards, searched as one. Global ids count through the shards in order."""

    def __init__(self, shards: Sequence[ShardWords]) -> None:
        """Join open shards."""
        self._shards = tuple(shards)
        self._starts = starts_of([shard.num_moments for shard in shards])
        self._stemmer = _stemming_analyzer()

    @classmethod
    def open(cls, directories: Sequence[Path]) -> LexicalIndex:
        """Open the shards in `directories` and join them."""
        return cls([ShardWords(directory) for directory in directories])

    @property
    def num_moments(self) -> int:
        """Moments in all shards."""
        return int(self._starts[-1])

    def search(
        self, query_text: str, k: int, *, allowed: Mask | None = None
    ) -> tuple[Ids, Vectors]:
        """The k moments that match the text best: ids int64 and BM25 scores float32, best first.

        The text is what a person typed: no operators, any of its words may match, and a phrase in
        double quotes weighs more where it occurs as such. `allowed` (num_moments,) bool acts
        before ranking. Equal scores come in ascending id.
        """
        if allowed is not None and allowed.shape != (self.num_moments,):
            raise ValueError(f"allowed must be ({self.num_moments},), got {allowed.shape}")
        readings = [_readings(term) for term in self._terms(storable(query_text))]
        query = Query.boolean_query([(Occur.Should, reading) for reading in readings])
        all_ids, all_scores = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.float32)]
        for number, shard in enumerate(self._shards if readings else ()):
            start, end = self._starts[number : number + 2]
            own = None if allowed is None else allowed[start:end]
            ids, scores = _search_shard(shard, query, k, own)
            all_ids.append(ids + start)
            all_scores.append(scores)
        ids, scores = np.concatenate(all_ids), np.concatenate(all_scores)
        order = np.lexsort((ids, -scores))[: max(k, 0)]
        return ids[order], scores[order]

    def _terms(self, text: str) -> Iterator[list[tuple[str, str | list[str], float]]]:
        """For each thing asked for: its readings as (field, word or phrase, weight)."""
        words = words_of(text)
        telling = [word for word in words if word not in LOOKUP_STOP_WORDS] or words
        for word in dict.fromkeys(telling):
            stem = "".join(self._stemmer.analyze(word))
            yield [
                ("words", word, _WORDS_WEIGHT),
                ("stems", stem, _STEMS_WEIGHT),
                ("forms", word, _FORMS_WEIGHT),
                ("heading", stem, _HEADING_WEIGHT),
                ("name", word, _NAME_WEIGHT),
            ]
        for form in dict.fromkeys(forms_of(text)):
            if form not in telling and not UNSPACED.fullmatch(form):
                yield [("forms", form, _FORMS_WEIGHT), ("words", form, _WORDS_WEIGHT)]
        for match in _QUOTED.finditer(text):
            phrase = words_of(match.group(1))
            if len(phrase) > 1:
                yield [("words", phrase, _PHRASE_WEIGHT)]


def _search_shard(
    shard: ShardWords, query: Query, k: int, allowed: Mask | None
) -> tuple[Ids, Vectors]:
    """Local ids and scores of the shard's best k allowed moments."""
    if allowed is None or allowed.all():
        return top_k(lambda count: shard.search(query, count), k, shard.num_moments)
    numbers = np.flatnonzero(allowed)
    if len(numbers) == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    narrowed = Query.boolean_query([(Occur.Must, query), (Occur.Must, _within(numbers))])
    limit = shard.num_moments

    def search(count: int) -> tuple[Ids, Vectors]:
        """Ask for more until `count` of them are allowed or all matches are seen."""
        asked = count
        while True:
            ids, scores = shard.search(narrowed, asked)
            kept = allowed[ids]
            if len(ids) < asked or asked >= limit or np.count_nonzero(kept) >= count:
                return ids[kept][:count], scores[kept][:count]
            asked = min(4 * asked, limit)

    return top_k(search, k, len(numbers))


def _readings(term: Sequence[tuple[str, str | list[str], float]]) -> Query:
    """A term scores by its best field, plus a little for the others."""
    readings = [
        Query.boost_query(
            Query.phrase_query(_SCHEMA, field, list(value))
            if isinstance(value, list)
            else Query.term_query(_SCHEMA, field, value, "freq"),
            weight,
        )
        for field, value, weight in term
    ]
    return Query.disjunction_max_query(readings, _TIE_BREAKER)


def _within(numbers: npt.NDArray[np.int64]) -> Query:
    """A filter that scores nothing: the runs of allowed moments, or their hull when many."""
    breaks = np.flatnonzero(np.diff(numbers) > 1)
    if len(breaks) >= _LARGEST_FILTER_RUNS:
        breaks = breaks[:0]
    firsts = numbers[np.concatenate([[0], breaks + 1]).astype(np.int64)].tolist()
    lasts = numbers[np.concatenate([breaks, [len(numbers) - 1]]).astype(np.int64)].tolist()
    runs = [
        Query.range_query(_SCHEMA, "moment", tantivy.FieldType.Unsigned, first, last)
        for first, last in zip(firsts, lasts, strict=True)
    ]
    return Query.const_score_query(Query.boolean_query([(Occur.Should, run) for run in runs]), 0.0)
