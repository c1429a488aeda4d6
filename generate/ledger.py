"""The ledger: what every part of a prompt costs, what was left out of it, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from generate.citations import format_place

if TYPE_CHECKING:
    from generate.evidence import Evidence
    from generate.packing import Packed

PartKind = Literal["instructions", "conversation", "question", "evidence"]


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One part of a prompt, or an evidence that was read without one."""

    part: PartKind
    tokens: int | None
    """Exact unless the ledger says otherwise; None: no model reads it. 0: it is left out."""
    evidence: str = ""
    """Id of the evidence."""
    source: str = ""
    place: str = ""
    """Span or page, as in citations."""
    kind: str = ""
    rank: int | None = None
    """Of the hit that brought it."""
    frames: int = 0
    """Frames or pictures that are shown; frames given twice count twice."""
    height_px: int = 0
    """Of these, as the model sees them."""
    width_px: int = 0
    note: str = ""
    """What was left out and why; empty: nothing."""

    @property
    def is_left_out(self) -> bool:
        """Whether nothing of it is read."""
        return self.tokens == 0


@dataclass(frozen=True, slots=True)
class Ledger:
    """How a budget of tokens was spent. Rows stand in the order of the prompt."""

    rows: tuple[LedgerRow, ...]
    budget_tokens: int | None = None
    """For the prompt and the answer; None: no model reads it."""
    answer_tokens: int | None = None
    """Kept free for the answer."""
    is_exact: bool = True
    """False: there was no tokenizer, and text is only estimated."""

    @property
    def prompt_tokens(self) -> int | None:
        """All that the model reads; None: there is no model."""
        if self.budget_tokens is None:
            return None
        return sum(row.tokens or 0 for row in self.rows)

    def share(self, row: LedgerRow) -> float | None:
        """Share of the prompt that a row is, 0..1; None: there is no prompt."""
        total = self.prompt_tokens
        return None if not total or row.tokens is None else row.tokens / total


def evidence_row(piece: Evidence, packed: Packed | None = None, *, note: str = "") -> LedgerRow:
    """What an evidence got of the budget; without `packed` it was read by no model."""
    return LedgerRow(
        "evidence",
        None if packed is None else packed.tokens,
        evidence=piece.id,
        source=piece.source.name,
        place=format_place(piece.place),
        kind=piece.kind,
        rank=piece.hit_rank,
        frames=0 if packed is None else len(packed.times) or int(packed.height_px > 0),
        height_px=0 if packed is None else packed.height_px,
        width_px=0 if packed is None else packed.width_px,
        note=note,
    )
