"""The evidence that a model would be given: found by search in two small libraries.

The dev half is the hand-written archive of the tests; the test half is the sample talk and manual,
ingested, so that its speech is as it was recognised and its pages are as they were read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from generate.evidence import Evidence, collect_evidence
from generate.settings import GenerateSettings
from index.embedders import Embedder
from index.records import MomentKind, Source, SourceKind, Span
from index.snapshot import Snapshot
from index.word_boxes import NO_WORD_BOXES
from retrieve.filters import Filters
from retrieve.query import Query
from retrieve.search import search
from retrieve.settings import RetrieveSettings
from retrieve.words import share_within
from secondsight import Library
from tests.retrieve.archive import build_archive

HERE = Path(__file__).parent
MEDIA = Path(__file__).parents[2] / "tests" / "media"
_HELD = 0.75
"""A piece holds a sentence with so many of its words: speech is recognised with mistakes."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of a source, and what may be said about it."""

    of: str
    paraphrase: str
    false: str
    invented: str
    evidence: tuple[Evidence, ...]
    """What search found for the paraphrase."""
    proofs: frozenset[str]
    """Ids of the evidence that holds the sentence."""

    @property
    def proof(self) -> Evidence:
        """The first piece of evidence that holds the sentence."""
        return next(piece for piece in self.evidence if piece.id in self.proofs)


def dev_claims(directory: Path, embedder: Embedder) -> list[Claim]:
    """Claims about the hand-written archive."""
    return _claims("dev", build_archive(directory / "dev", embedder), embedder)


def test_claims(directory: Path, embedder: Embedder) -> list[Claim]:
    """Claims about the sample media, which are ingested when they are not there yet."""
    library = Library.open(directory / "test")
    library.ingest([MEDIA / "halden_talk.mp4", MEDIA / "halden_manual.pdf"])
    return _claims("test", library.snapshot(), embedder)


def language_claims() -> dict[str, list[Claim]]:
    """Claims in other languages about sentences said one after the other."""
    data = json.loads((HERE / "claims_languages.json").read_text("utf-8"))
    found: dict[str, list[Claim]] = {}
    for language, told in data.items():
        evidence = tuple(_said(number, text) for number, text in enumerate(told["evidence"]))
        found[language] = [
            Claim(
                evidence[row["of"]].text,
                row["paraphrase"],
                row["false"],
                row["invented"],
                evidence,
                frozenset({evidence[row["of"]].id}),
            )
            for row in told["claims"]
        ]
    return found


def _claims(split: str, snapshot: Snapshot, embedder: Embedder) -> list[Claim]:
    rows = json.loads((HERE / f"claims_{split}.json").read_text("utf-8"))
    claims = []
    for row in rows:
        evidence = _found(row["paraphrase"], snapshot, embedder)
        proofs = frozenset(piece.id for piece in evidence if _holds(piece, row["of"]))
        if proofs:
            claims.append(Claim(**row, evidence=evidence, proofs=proofs))
    return claims


def _holds(piece: Evidence, sentence: str) -> bool:
    return piece.kind is not MomentKind.SCREEN_TEXT and share_within(sentence, piece.text) >= _HELD


def _found(question: str, snapshot: Snapshot, embedder: Embedder) -> tuple[Evidence, ...]:
    result = search(
        snapshot,
        embedder,
        Query(question, phrases="prefer"),
        k=GenerateSettings().hits,
        filters=Filters(),
        settings=RetrieveSettings(),
        literal=True,
    )
    return collect_evidence(result.hits, snapshot)


def _said(number: int, text: str) -> Evidence:
    source = Source("a" * 32, SourceKind.VIDEO, "talk.mp4", 1, Fraction(600), None)
    span = Span(Fraction(5 * number), Fraction(5 * number + 4))
    kind = MomentKind.UTTERANCE
    return Evidence(f"E{number + 1}", source, span, kind, text, "", (), NO_WORD_BOXES, number, 1)


def missed(split: str, claims: Sequence[Claim]) -> int:
    """How many claims were left out because search did not bring their sentence."""
    rows = json.loads((HERE / f"claims_{split}.json").read_text("utf-8"))
    return len(rows) - len(claims)
