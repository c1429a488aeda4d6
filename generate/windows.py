"""Windows: runs of neighbouring sentences of an evidence that may prove what a model says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from generate.conflicts import Reading, read
from generate.evidence import Evidence
from generate.sentences import Sentence, borders_in, join_run, split_evidence
from index.records import MomentKind, PageArea, Span

_LONGEST = 3
"""Sentences: what a model sums up in one, speakers say in two or three."""


@dataclass(frozen=True, slots=True)
class Window:
    """A run of sentences of an evidence."""

    evidence: Evidence
    quote: str
    """Verbatim from the evidence's text."""
    place: Span | PageArea
    """Of these words."""
    reading: Reading
    sentences: int


def windows_of(evidence: Evidence) -> tuple[Window, ...]:
    """All runs of one to three sentences, rows or lines, short ones first."""
    sentences = split_evidence(evidence)
    windows = [
        Window(evidence, one.quote, one.place, read(_read_in_place(one)), 1) for one in sentences
    ]
    if evidence.kind is MomentKind.SCREEN_TEXT:
        return tuple(windows)  # the whole is among them
    return (*windows, *_runs(evidence, sentences))


def _runs(evidence: Evidence, sentences: Sequence[Sentence]) -> Iterator[Window]:
    borders = borders_in(evidence.text, sentences)
    for length in range(2, _LONGEST + 1):
        for first in range(len(sentences) - length + 1):
            run = sentences[first : first + length]
            if any(one.quote.startswith("|") for one in run):
                continue  # rows of a table say each their own
            whole = join_run(run, borders[first][0], borders[first + length - 1][1])
            yield Window(evidence, whole.quote, whole.place, read(whole.text), length)


def _read_in_place(sentence: Sentence) -> str:
    """On a screen, a row is read under its title."""
    if sentence.evidence.kind is MomentKind.SCREEN_TEXT and sentence.heading:
        return f"{sentence.heading}: {sentence.text}"
    return sentence.text
