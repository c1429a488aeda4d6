"""The evidence that a model would be given: found by search in two small libraries.

The dev half is the hand-written archive of the tests, and the sample talk and manual, ingested; the
test half is two talks and a manual that were not run before the rules were frozen.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from generate.evidence import Evidence, collect_evidence
from generate.settings import GenerateSettings
from index.embedders import Embedder
from index.manifest import create_library
from index.records import MomentKind, Source, SourceKind, Span
from index.snapshot import Snapshot
from index.word_boxes import NO_WORD_BOXES
from retrieve.filters import Filters
from retrieve.query import Query
from retrieve.search import search
from retrieve.settings import RetrieveSettings
from retrieve.words import share_within
from secondsight import Library
from tests.retrieve.archive import add_source, build_archive, manual, talk

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
    """Claims about the hand-written archive of the tests and the sample media.

    What is not there yet is made: the media are ingested, speech is as it was recognised.
    """
    archive = _once(directory / "archive", embedder, build_archive)
    library = Library.open(directory / "media")
    library.ingest([MEDIA / "halden_talk.mp4", MEDIA / "halden_manual.pdf"])
    told = [_told("claims_archive.json"), _told("claims_media.json")]
    snapshots = (archive, library.snapshot())
    return [
        claim
        for rows, snapshot in zip(told, snapshots, strict=True)
        for claim in _claims(rows, snapshot, embedder)
    ]


def test_claims(directory: Path, embedder: Embedder) -> list[Claim]:
    """Claims about two talks and a manual that nothing else knows of."""
    snapshot = _once(directory / "test", embedder, _build_test_archive)
    told = _told("claims_test.json")
    rows = [row for talk_rows in told["talks"].values() for row in talk_rows]
    return _claims([*rows, *told["manual"]["claims"]], snapshot, embedder)


def _build_test_archive(directory: Path, embedder: Embedder) -> Snapshot:
    told = _told("claims_test.json")
    create_library(directory, embedder.identity)
    for name, rows in told["talks"].items():
        spoken = talk(name, [row["of"] for row in rows], photo="coffee")
        add_source(directory, embedder, *spoken)
    pages = [(heading, first, second) for heading, first, second in told["manual"]["pages"]]
    add_source(directory, embedder, *manual(told["manual"]["name"], pages))
    return Snapshot.open(directory)


def _once(
    directory: Path, embedder: Embedder, build: Callable[[Path, Embedder], Snapshot]
) -> Snapshot:
    return Snapshot.open(directory) if directory.exists() else build(directory, embedder)


def _told(name: str) -> Any:
    return json.loads((HERE / name).read_text("utf-8"))


def language_claims() -> dict[str, list[Claim]]:
    """Claims in other languages about sentences said one after the other."""
    data = _told("claims_languages.json")
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


def _claims(
    rows: Sequence[Mapping[str, str]], snapshot: Snapshot, embedder: Embedder
) -> list[Claim]:
    """Those whose sentence search brought; the others are told of."""
    claims = []
    for row in rows:
        evidence = _found(row["paraphrase"], snapshot, embedder)
        proofs = frozenset(piece.id for piece in evidence if _holds(piece, row["of"]))
        if proofs:
            claims.append(Claim(**row, evidence=evidence, proofs=proofs))
        else:
            print(f"not found by search: {row['of']}", file=sys.stderr)
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
