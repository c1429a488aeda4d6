"""Precision and recall of verdicts, and whether citations end where the words are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.proof.cases import Case
from generate.answer_sentence import AnswerSentence, Verdict

VERDICTS: tuple[Verdict, ...] = ("supported", "contradicted", "not shown")


@dataclass(frozen=True, slots=True)
class Judged:
    """A case and what came of it."""

    case: Case
    sentence: AnswerSentence

    @property
    def is_right(self) -> bool:
        """True for the verdict that it should get."""
        return self.sentence.verdict == self.case.verdict

    @property
    def cites_right(self) -> bool:
        """True when all that is cited in the end holds the sentence."""
        cited = [citation.evidence for citation in self.sentence.citations]
        return bool(cited) and self.case.claim.proofs.issuperset(cited)


@dataclass(frozen=True, slots=True)
class VerdictScore:
    """How well one verdict is given, 0..1."""

    precision: float
    recall: float
    count: int
    """Cases that should get it."""


def verdict_scores(judged: Sequence[Judged]) -> dict[Verdict, VerdictScore]:
    """Of each verdict: how many that got it should have, and how many that should have got it."""
    given = Counter(one.sentence.verdict for one in judged)
    wanted = Counter(one.case.verdict for one in judged)
    right = Counter(one.case.verdict for one in judged if one.is_right)
    return {
        verdict: VerdictScore(
            right[verdict] / given[verdict] if given[verdict] else 0.0,
            right[verdict] / wanted[verdict] if wanted[verdict] else 0.0,
            wanted[verdict],
        )
        for verdict in VERDICTS
    }


def passed_as_supported(judged: Sequence[Judged]) -> float:
    """Share of the sentences that are wrong or unproved and yet pass."""
    wrong = [one for one in judged if one.case.verdict != "supported"]
    return sum(one.sentence.verdict == "supported" for one in wrong) / len(wrong) if wrong else 0.0


def goal(judged: Sequence[Judged]) -> float:
    """What is tuned for: the mean F1 of the verdicts, less twice what wrongly passes."""
    f1 = []
    for score in verdict_scores(judged).values():
        total = score.precision + score.recall
        f1.append(2 * score.precision * score.recall / total if total else 0.0)
    return sum(f1) / len(f1) - 2 * passed_as_supported(judged)
