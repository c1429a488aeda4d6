"""What an answer was read from: a table for people, rows for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from generate.answer import Answer
    from generate.ledger import Ledger, LedgerRow

_COLUMNS = ("evidence", "source", "place", "kind", "rank", "frames", "size", "tokens", "share", "")
_NUMBERS = ("rank", "frames", "tokens", "share")
_ONLY_OF_MODELS = ("frames", "size", "tokens", "share")


def ledger_json(answer: Answer) -> dict[str, Any]:
    """The ledger of an answer: what was decided, and the rows of what was read."""
    return {**answer.ledger, "rows": [_row_json(row, answer.read) for row in answer.read.rows]}


def _row_json(row: LedgerRow, ledger: Ledger) -> dict[str, Any]:
    share = ledger.share(row)
    return {
        "part": row.part,
        "evidence": row.evidence or None,
        "source": row.source or None,
        "place": row.place or None,
        "kind": row.kind or None,
        "rank": row.rank,
        "frames": row.frames,
        "height_px": row.height_px or None,
        "width_px": row.width_px or None,
        "tokens": row.tokens,
        "share": None if share is None else round(share, 4),
        "note": row.note or None,
    }


def print_ledger(console: Console, ledger: Ledger) -> None:
    """The rows as a table, then what they come to; plain lines where it is no terminal."""
    shown = [
        name for name in _COLUMNS if ledger.prompt_tokens is not None or name not in _ONLY_OF_MODELS
    ]
    if not ledger.rows:
        console.print("no evidence was read")
        return
    if console.is_terminal:
        table = Table(box=None, pad_edge=False)
        for name in shown:
            table.add_column(name, justify="right" if name in _NUMBERS else "left")
        for row in ledger.rows:
            cells = _cells(row, ledger)
            table.add_row(
                *(Text(cells[name]) for name in shown), style="dim" if row.is_left_out else ""
            )
        console.print(table)
    else:
        lines = [shown, *([_cells(row, ledger)[name] for name in shown] for row in ledger.rows)]
        for line in lines:
            console.file.write("\t".join(line) + "\n")  # print would turn tabs into spaces
    total = ledger.prompt_tokens
    if total is not None and ledger.budget_tokens is not None:
        counted = "" if ledger.is_exact else " (estimated: there is no tokenizer)"
        console.print(
            f"{total:,} tokens{counted} of a budget of {ledger.budget_tokens:,}, "
            f"{ledger.answer_tokens:,} of it kept for the answer",
            style="dim",
            highlight=False,
        )


def _cells(row: LedgerRow, ledger: Ledger) -> dict[str, str]:
    share = ledger.share(row)
    return {
        "evidence": row.evidence or row.part,
        "source": row.source,
        "place": row.place,
        "kind": row.kind,
        "rank": "" if row.rank is None else str(row.rank),
        "frames": str(row.frames) if row.frames else "",
        "size": f"{row.width_px}x{row.height_px}" if row.height_px else "",
        "tokens": "" if row.tokens is None else f"{row.tokens:,}",
        "share": "" if share is None else f"{share:.1%}",
        "": row.note,
    }
