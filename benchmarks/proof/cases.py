"""Cases: what a model might write, right and wrong, with the verdict that it should get."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from benchmarks.proof.evidence import Claim
from generate.answer_sentence import Verdict
from generate.cited_items import Mark, write_mark
from generate.evidence import Evidence
from generate.quantities import quantities_of
from index.records import PageArea

_FORMS = ("[{}]", "[{}]", "【{}】", "({})", "[[{}]]", "**[{}]**", "<cite>{}</cite>")
_NAMES = ("Henriksen", "Patel", "Moreau", "Okafor", "Lindgren")
_NUMBER_WORDS = (
    "two three four five six seven eight nine ten eleven twelve fifteen nineteen twenty thirty "
    "forty fifty ninety"
)
_AUXILIARY = re.compile(r"\b(is|are|was|were|can|may|must|will|should|has|have|had|ought|could)\b")
_INNER_NAME = re.compile(r"(?<=[a-z,] )(?!I\b)[A-Z][a-z]{2,}\b|\b[A-Z]{2,}-?\d[\w-]*|\b[A-Z]-\d+\b")


@dataclass(frozen=True, slots=True)
class Case:
    """One sentence with its citation."""

    kind: str
    text: str
    claim: Claim
    verdict: Verdict
    """Which it should get."""
    moves: bool
    """True when its citation should not stay as it is written."""

    @property
    def is_citable(self) -> bool:
        """True when some supplied evidence proves it."""
        return self.verdict == "supported"


def cases_of(claims: Sequence[Claim], *, seed: int) -> list[Case]:
    """All cases; the same seed gives the same."""
    draw = random.Random(seed)
    return [case for claim in claims for case in _cases(claim, claims, draw)]


def _cases(claim: Claim, claims: Sequence[Claim], draw: random.Random) -> Iterator[Case]:
    proof = claim.proof
    true = claim.paraphrase
    said = _said(claim)
    yield Case("verbatim", _cited(said, Mark(proof.id), draw), claim, "supported", False)
    yield Case("paraphrased", _cited(true, Mark(proof.id), draw), claim, "supported", False)
    yield Case("shifted", _cited(true, _shifted(proof, draw), draw), claim, "supported", True)
    others = [piece for piece in claim.evidence if piece.id not in claim.proofs]
    if others:
        stray = Mark(draw.choice(others).id)
        yield Case("swapped", _cited(true, stray, draw), claim, "supported", True)
    unknown = Mark(f"E{len(claim.evidence) + draw.randint(1, 9)}")
    yield Case("no such evidence", f"{true} [{unknown.evidence}]", claim, "supported", True)
    yield Case("uncited", true, claim, "supported", True)
    for kind, text in (
        ("number altered", _other_number(true, draw)),
        ("negation added", _negated(true)),
        ("name altered", _other_name(true, draw)),
        ("false", claim.false),
    ):
        if text:
            yield Case(kind, _cited(text, Mark(proof.id), draw), claim, "contradicted", False)
    yield Case("invented", _cited(claim.invented, Mark(proof.id), draw), claim, "not shown", False)
    held = {piece.text for piece in claim.evidence}
    far = [one for one in claims if not held & {piece.text for piece in one.evidence}]
    if far:
        other = draw.choice(far).paraphrase
        text = _cited(other, Mark(proof.id), draw)
        yield Case("about something else", text, claim, "not shown", False)


def _said(claim: Claim) -> str:
    """The sentence of the source; of a row of a table, its cells."""
    if claim.of.startswith("|"):
        return "; ".join(cell.strip() for cell in claim.of.strip("|").split("|"))
    return claim.of


def _cited(text: str, mark: Mark, draw: random.Random) -> str:
    """Citations stand before the full stop, behind it, or far in front."""
    citation = draw.choice(_FORMS).format(write_mark(mark))
    if text.endswith(".") and draw.random() < 0.5:
        return f"{text[:-1]} {citation}."
    return f"{text} {citation}"


def _shifted(proof: Evidence, draw: random.Random) -> Mark:
    """The right id with a time or page that is not the sentence's."""
    if isinstance(proof.place, PageArea):
        return Mark(proof.id, page=str(proof.place.page + draw.randint(2, 9)))
    start = Fraction(round(proof.place.start)) + draw.randint(90, 900)
    return Mark(proof.id, (start, start + draw.randint(3, 12)))


def _other_number(text: str, draw: random.Random) -> str | None:
    found = [one for one in quantities_of(text) if one.number > 1]
    if not found:
        return None
    written = draw.choice(found).written
    if digits := re.search(r"\d+", written):
        number = int(digits[0])
        other = draw.choice([number + draw.randint(1, 9), number * 2, number * 10])
        return text.replace(written, written.replace(digits[0], str(other), 1), 1)
    words = _NUMBER_WORDS.split()
    old = next((word for word in written.split() if word in words), None)
    if old is None:
        return None
    return text.replace(old, draw.choice([word for word in words if word != old]), 1)


def _negated(text: str) -> str | None:
    if re.search(r"\b(?:not|no|never|only|unless|cannot)\b", text):
        return None
    match = _AUXILIARY.search(text)
    return f"{text[: match.end()]} not{text[match.end() :]}" if match else None


def _other_name(text: str, draw: random.Random) -> str | None:
    names = [match[0] for match in _INNER_NAME.finditer(text)]
    if not names:
        return None
    old = draw.choice(names)
    if digit := re.search(r"\d", old):
        new = old[: digit.start()] + str((int(digit[0]) + 3) % 10) + old[digit.end() :]
    else:
        new = draw.choice(_NAMES)
    return text.replace(old, new)
