"""A chosen sentence becomes a sentence of an answer: quoted word by word, with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generate.answer_sentence import AnswerSentence
from generate.citations import Citation

if TYPE_CHECKING:
    from generate.answer_sentence import Verdict
    from generate.sentences import Sentence


def quoted_sentence(sentence: Sentence) -> AnswerSentence:
    """The sentence, supported by its own words."""
    evidence = sentence.evidence
    citation = Citation(
        evidence=evidence.id,
        source_id=evidence.source.id,
        source_name=evidence.source.name,
        place=sentence.place,
        quote=sentence.quote,
    )
    verdict: Verdict = "supported" if sentence.quote in evidence.text else "not shown"
    return AnswerSentence(sentence.text, verdict, (citation,))
