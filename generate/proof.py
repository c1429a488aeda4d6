"""Proof: every sentence that a model writes gets a verdict and citations that hold.

`supported`: supplied evidence says so; what is cited is narrowed to the words that do. A citation
of other evidence is moved there. `contradicted`: evidence about the same thing says otherwise.
`not shown`: neither. Sentences are marked and never left out, and what was done to a citation is
told with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from generate.answer_sentence import AnswerSentence, CitationChange, Verdict
from generate.citations import Citation
from generate.cited_places import CitedPlace, narrowed, place_of_mark, reaches
from generate.evidence import Evidence
from generate.model_citations import CitedSentence, parse_cited
from generate.second_reading import Statement, read_again
from generate.trials import Reader, Trial, with_meaning
from index.errors import BackendError
from index.records import PageArea, Span

if TYPE_CHECKING:
    from generate.backends import Backend
    from generate.settings import GenerateSettings, ProofSettings
    from index.embedders import Embedder

_RANK: dict[Verdict, int] = {"supported": 2, "contradicted": 1, "not shown": 0}
_NOTHING = "no evidence says so"
_NO_WORDS = "what is cited is only seen: no words to check it by"


@dataclass(frozen=True, slots=True)
class Gathered:
    """A sentence with all that may prove it."""

    sentence: CitedSentence
    cited: tuple[CitedPlace, ...]
    trials: tuple[Trial, ...]


def prove(
    text: str,
    evidence: Sequence[Evidence],
    embedder: Embedder,
    settings: GenerateSettings,
    *,
    backend: Backend | None = None,
) -> tuple[AnswerSentence, ...]:
    """Check what a model wrote against the evidence that it was given.

    Citations are read in the forms of `generate.model_citations`. A sentence without any is looked
    for in all of the evidence. Empty text has no sentences. With `proof.by_model`, what is still
    not shown is put to the model of `backend`; where that fails, sentences say so.
    """
    gathered = gather(text, evidence, embedder)
    sentences = tuple(judge(one, settings.proof) for one in gathered)
    if backend is None or not settings.proof.by_model:
        return sentences
    return _read_again(sentences, backend)


def _read_again(
    sentences: Sequence[AnswerSentence], backend: Backend
) -> tuple[AnswerSentence, ...]:
    """The sentences, those not shown with the verdict that a model gives them."""
    open_ones = [
        number
        for number, one in enumerate(sentences)
        if one.verdict == "not shown" and any(citation.quote for citation in one.citations)
    ]
    statements = [
        Statement(sentences[at].text, "\n".join(one.quote for one in sentences[at].citations))
        for at in open_ones
    ]
    told = list(sentences)
    try:
        verdicts = read_again(statements, backend)
    except BackendError as error:
        for at in open_ones:
            told[at] = replace(told[at], reason=f"{told[at].reason}; not read again: {error}")
        return tuple(told)
    for at, verdict in zip(open_ones, verdicts, strict=True):
        if verdict in ("supported", "contradicted"):
            reason = "" if verdict == "supported" else "so the model finds, reading it again"
            told[at] = replace(told[at], verdict=verdict, reason=reason)
    return tuple(told)


def gather(text: str, evidence: Sequence[Evidence], embedder: Embedder) -> tuple[Gathered, ...]:
    """Cut a model's text into sentences and find what may prove each."""
    sentences = parse_cited(text, evidence)
    cited = [tuple(place_of_mark(mark, evidence) for mark in one.marks) for one in sentences]
    reader = Reader(evidence)
    trials = [
        reader.trials(one.text, _evidence_of(places))
        for one, places in zip(sentences, cited, strict=True)
    ]
    read = with_meaning([one.text for one in sentences], trials, embedder)
    return tuple(
        Gathered(one, places, tuple(own))
        for one, places, own in zip(sentences, cited, read, strict=True)
    )


def judge(gathered: Gathered, settings: ProofSettings) -> AnswerSentence:
    """The verdict of a sentence, and the citations that hold."""
    text, cited, trials = gathered.sentence.text, gathered.cited, gathered.trials
    decisive, verdict = _decide(trials, settings, is_cited=any(one.evidence for one in cited))
    if verdict == "supported" and decisive is not None:
        citations, changes = _proving(cited, trials, decisive, settings)
        return AnswerSentence(text, verdict, citations, changes=changes)
    citations, changes = _as_cited(cited, decisive, verdict)
    reason = _reason(decisive, cited, verdict, settings)
    return AnswerSentence(text, verdict, citations, reason, changes)


def _decide(
    trials: Sequence[Trial], settings: ProofSettings, *, is_cited: bool
) -> tuple[Trial | None, Verdict]:
    """The trial that decides and its verdict; None when nothing comes near."""
    own = [trial for trial in trials if trial.is_cited]
    others = [trial for trial in trials if not trial.is_cited]
    best = _best(own, settings)
    if best is not None and best.verdict(settings) == "supported":
        return best, "supported"
    needed = settings.moved_from if is_cited else settings.supported_from
    other = _best(others, settings)
    if (
        other is not None
        and other.verdict(settings) == "supported"
        and other.score(settings) >= needed
    ):
        return other, "supported"
    if best is not None and best.verdict(settings) == "contradicted":
        return best, "contradicted"
    if (
        other is not None
        and other.verdict(settings) == "contradicted"
        and other.relatedness(settings) >= needed
    ):
        return other, "contradicted"
    return best, "not shown"


def _best(trials: Sequence[Trial], settings: ProofSettings) -> Trial | None:
    """Support before contradiction before nothing, then by score; the narrower of equals."""
    return max(
        trials,
        key=lambda one: (
            _RANK[one.verdict(settings)],
            round(one.score(settings), 2),
            -sum(window.sentences for window in one.windows),
        ),
        default=None,
    )


def _proving(
    cited: Sequence[CitedPlace],
    trials: Sequence[Trial],
    decisive: Trial,
    settings: ProofSettings,
) -> tuple[tuple[Citation, ...], tuple[CitationChange, ...]]:
    """Citations of what proves a sentence; those of anything else move there or are struck."""
    proofs = {window.evidence.id: window for window in decisive.windows}
    for trial in trials:
        alone = trial.is_cited and len(trial.windows) == 1
        if alone and trial.verdict(settings) == "supported":
            proofs.setdefault(trial.windows[0].evidence.id, trial.windows[0])
    citations: dict[str, Citation] = {}
    changes: list[CitationChange] = []
    strays: list[CitedPlace] = []
    for one in cited:
        held = [piece for piece in one.evidence if piece.id in proofs]
        if not held:
            strays.append(one)
            continue
        window = proofs[held[0].id]
        citations[held[0].id] = _citation(held[0], window.place, window.quote)
        if reason := _moved(one, held[0], window.place):
            changes.append(CitationChange("corrected", one.mark.written, reason))
    added = [window for window in decisive.windows if window.evidence.id not in citations]
    for window in added:
        citations[window.evidence.id] = _citation(window.evidence, window.place, window.quote)
        changes.append(_replaced(strays.pop(0) if strays else None, window.evidence))
    changes += [
        CitationChange("struck", one.mark.written, one.problem or "it does not say so")
        for one in strays
    ]
    return tuple(citations.values()), tuple(changes)


def _replaced(stray: CitedPlace | None, proof: Evidence) -> CitationChange:
    if stray is None:
        return CitationChange("added", "", f"{proof.id} says so")
    problem = stray.problem or "it does not say so"
    return CitationChange("corrected", stray.mark.written, f"{problem}; {proof.id} does")


def _moved(one: CitedPlace, held: Evidence, place: Span | PageArea) -> str:
    """Why a citation does not stand as written; empty when it does."""
    if one.problem:
        return f"{one.problem}; {held.id} says so"
    times = one.mark.times
    if times is not None and isinstance(place, Span) and not reaches(times, place):
        return "it is said at another time"
    return ""


def _as_cited(
    cited: Sequence[CitedPlace], decisive: Trial | None, verdict: Verdict
) -> tuple[tuple[Citation, ...], tuple[CitationChange, ...]]:
    """What the model cites of the supplied evidence; first of all what says otherwise."""
    citations: dict[str, Citation] = {}
    if decisive is not None and verdict == "contradicted":
        for window in decisive.windows:
            quoted = _citation(window.evidence, window.place, window.quote)
            citations[window.evidence.id] = quoted
    changes: list[CitationChange] = []
    for one in cited:
        if not one.evidence:
            changes.append(CitationChange("struck", one.mark.written, one.problem))
            continue
        piece = one.evidence[0]
        place = narrowed(one.mark, piece)
        citations.setdefault(piece.id, _citation(piece, place, piece.text))
        if one.problem:
            changes.append(CitationChange("corrected", one.mark.written, one.problem))
    return tuple(citations.values()), tuple(changes)


def _reason(
    decisive: Trial | None,
    cited: Sequence[CitedPlace],
    verdict: Verdict,
    settings: ProofSettings,
) -> str:
    if decisive is None:
        seen_only = any(one.evidence for one in cited)
        return _NO_WORDS if seen_only else _NOTHING
    if verdict == "contradicted":
        return "; ".join(decisive.at_odds(settings))
    missing = ", ".join(decisive.comparison.missing)
    return f"{_NOTHING}: {missing}" if missing else _NOTHING


def _citation(piece: Evidence, place: Span | PageArea, quote: str) -> Citation:
    return Citation(
        evidence=piece.id,
        source_id=piece.source.id,
        source_name=piece.source.name,
        place=place,
        quote=quote,
    )


def _evidence_of(cited: Sequence[CitedPlace]) -> list[Evidence]:
    """All evidence that a sentence may mean, once."""
    return list(_once(piece for one in cited for piece in one.evidence))


def _once(pieces: Iterator[Evidence]) -> Iterator[Evidence]:
    seen: set[str] = set()
    for piece in pieces:
        if piece.id not in seen:
            seen.add(piece.id)
            yield piece
