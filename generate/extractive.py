"""The offline backend: the sentences that answer are chosen and quoted, nothing is written.

Answer-sentence selection: every quotable sentence of the evidence is scored by likeness of
meaning to the question (cosine of embeddings) and by how much of the question's telling words it
holds, each word weighed by its rarity in the library (inverse document frequency, Spärck Jones
1972). A word that the library does not hold at all weighs most, and no sentence can cover it:
that is how a question about something else is noticed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from generate.evidence import Evidence
from generate.sentences import Sentence, borders_in, join_run, split_evidence
from index.records import MomentKind
from index.words import all_words
from retrieve.telling import cover, word_weights
from retrieve.words import content_words, share_of_shorter

if TYPE_CHECKING:
    from generate.settings import GenerateSettings
    from index.embedders import Embedder
    from index.snapshot import Snapshot

HEADING_CREDIT = 0.8
"""What a question word counts that stands only in the headings above a sentence."""
CONTEXT_CREDIT = 0.4
"""What a question word counts that stands only elsewhere in the same moment."""
NO_NUMBER_FACTOR = 0.85
"""Sentences without a number answer "how many" and "when" questions badly."""
SAME_TEXT_SHARE = 0.7
_TITLE_WORDS = 3

_ASKS_NUMBER = re.compile(
    r"\bhow (?:many|much|long|old|far|high|deep|often|fast|tall|large|big|heavy|wide|hot|cold)\b"
    r"|\bwhen\b|\b(?:what|which|in) year\b|\bat what (?:time|pressure|temperature|speed)\b"
    r"|\bwhat (?:number|percentage|temperature|pressure|voltage|date|amount|size)\b",
    re.IGNORECASE,
)
_NUMBER_TEXT = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety "
    "hundred thousand million half twice once first second third dozen january february march "
    "april may june july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday morning evening night noon midnight spring summer autumn "
    "winter christmas never always daily weekly monthly yearly hourly before after"
)
_NUMBER_WORDS = frozenset(_NUMBER_TEXT.split())


@dataclass(frozen=True, slots=True)
class ScoredSentence:
    """A sentence and why it might answer."""

    sentence: Sentence
    score: float
    """0..1, comparable across questions; see GenerateSettings.answer_threshold."""
    cosine: float
    cover: float
    """Share of the question's telling words that it holds, weighed by rarity."""


def score_sentences(
    question: str,
    evidence: Sequence[Evidence],
    snapshot: Snapshot,
    embedder: Embedder,
    settings: GenerateSettings,
) -> list[ScoredSentence]:
    """Score every quotable sentence of the evidence, best first, ties in order of evidence."""
    sentences = [sentence for piece in evidence for sentence in split_evidence(piece)]
    sentences = [sentence for sentence in sentences if _can_answer(sentence, question)]
    if not sentences:
        return []
    scored = rate_sentences(question, sentences, snapshot, embedder, settings)
    return sorted(scored, key=lambda one: (-one.score, one.sentence.evidence.hit_rank))


def rate_sentences(
    question: str,
    sentences: Sequence[Sentence],
    snapshot: Snapshot,
    embedder: Embedder,
    settings: GenerateSettings,
) -> list[ScoredSentence]:
    """Score sentences, at least one, in their order."""
    weights = word_weights(question, snapshot)
    asks_number = _ASKS_NUMBER.search(question) is not None
    vector = embedder.embed_queries([question])[0]
    cosines = embedder.embed_texts([_read_in_place(sentence) for sentence in sentences]) @ vector
    scored = []
    for sentence, cosine in zip(sentences, cosines.tolist(), strict=True):
        cover = _cover(weights, sentence)
        score = settings.meaning_share * max(cosine, 0.0) + (1 - settings.meaning_share) * cover
        if asks_number and not _has_number(sentence.text):
            score *= NO_NUMBER_FACTOR
        scored.append(ScoredSentence(sentence, score, cosine, cover))
    return scored


def choose_sentences(
    scored: Sequence[ScoredSentence], settings: GenerateSettings
) -> tuple[ScoredSentence, ...]:
    """The best sentences (best first) that stand above the threshold and close to the best one.

    Nothing when not even the best one answers. What says the same as a better one is left out.
    """
    if not scored or scored[0].score < settings.answer_threshold:
        return ()
    floor = max(settings.answer_threshold, settings.close_to_best * scored[0].score)
    chosen: list[ScoredSentence] = []
    for one in scored:
        if len(chosen) == settings.max_sentences or one.score < floor:
            break
        if not any(_says_the_same(one, other) for other in chosen):
            chosen.append(one)
    return tuple(chosen)


def merge_neighbours(chosen: Sequence[ScoredSentence]) -> tuple[ScoredSentence, ...]:
    """Sentences that follow one another in an evidence as one quote, at the place of the best."""
    runs: dict[tuple[str, int], list[ScoredSentence]] = {}
    for one in chosen:
        runs.setdefault((one.sentence.evidence.id, _first_of_run(one, chosen)), []).append(one)
    return tuple(_joined(run) for run in runs.values())


def _first_of_run(one: ScoredSentence, chosen: Sequence[ScoredSentence]) -> int:
    """Number of the sentence with which the run of chosen neighbours begins that holds one."""
    evidence = one.sentence.evidence
    split = split_evidence(evidence)
    number = split.index(one.sentence)
    taken = {split.index(other.sentence) for other in chosen if other.sentence.evidence == evidence}
    if evidence.kind is MomentKind.SCREEN_TEXT:
        return number  # lines and the whole overlap
    while number - 1 in taken and not _is_row(split[number]) and not _is_row(split[number - 1]):
        number -= 1
    return number


def _is_row(sentence: Sentence) -> bool:
    return sentence.quote.startswith("|")


def _joined(run: Sequence[ScoredSentence]) -> ScoredSentence:
    best = run[0]
    if len(run) == 1:
        return best
    evidence = best.sentence.evidence
    split = split_evidence(evidence)
    numbers = sorted(split.index(one.sentence) for one in run)
    borders = borders_in(evidence.text, split)
    start, end = borders[numbers[0]][0], borders[numbers[-1]][1]
    return replace(best, sentence=join_run([split[number] for number in numbers], start, end))


def first_sentences(evidence: Sequence[Evidence]) -> list[ScoredSentence]:
    """The first sentence of each piece, in its order: what there is, when nothing is asked for."""
    split = (split_evidence(piece) for piece in evidence)
    return [ScoredSentence(sentences[0], 1.0, 0.0, 0.0) for sentences in split if sentences]


def may_answer(sentence: Sentence, must_hold: frozenset[str]) -> bool:
    """Whether a sentence, or what it stands under, holds one of these stems; with none any may."""
    return not must_hold or not must_hold.isdisjoint(
        content_words(f"{sentence.text} {sentence.heading}")
    )


def _can_answer(sentence: Sentence, question: str) -> bool:
    """False for questions, and for titles that only repeat words of this question."""
    if sentence.text.endswith("?"):
        return False
    on_screen = sentence.evidence.kind is MomentKind.SCREEN_TEXT
    if not on_screen and len(all_words(sentence.text)) > _TITLE_WORDS:
        return True
    return not set(content_words(sentence.text)) <= set(content_words(question))


def _cover(weights: dict[str, float], sentence: Sentence) -> float:
    return cover(
        weights,
        [
            (sentence.text, 1.0),
            (sentence.heading, HEADING_CREDIT),
            (sentence.evidence.text, CONTEXT_CREDIT),
        ],
    )


def _read_in_place(sentence: Sentence) -> str:
    """A sentence under its innermost heading, as a reader meets it."""
    heading = sentence.heading.rsplit(" > ", 1)[-1]
    return f"{heading}: {sentence.text}" if heading else sentence.text


def _has_number(text: str) -> bool:
    return any(character.isdigit() for character in text) or not _NUMBER_WORDS.isdisjoint(
        all_words(text)
    )


def _says_the_same(one: ScoredSentence, other: ScoredSentence) -> bool:
    first, second = one.sentence, other.sentence
    same_row_table = _is_row(first) and _is_row(second)
    if same_row_table and MomentKind.PASSAGE in (first.evidence.kind, second.evidence.kind):
        return first.quote == second.quote
    return share_of_shorter(first.text, second.text) >= SAME_TEXT_SHARE
