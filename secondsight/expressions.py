"""Expressions of the temporal algebra in results: as JSON and as text for a terminal."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.text import Text

from generate.citations import format_place
from secondsight.link_command import source_json

if TYPE_CHECKING:
    from rich.console import Console

    from retrieve.explanation import Count, Step
    from retrieve.hits import Hit
    from retrieve.result import SearchResult

_PARTNER_CHARS = 80


def expression_json(result: SearchResult, *, explain: bool) -> dict[str, Any]:
    """The fields that only expressions fill; `explanation` is there when it is asked for."""
    told: dict[str, Any] = {
        "expression": result.expression,
        "count": None if result.count is None else _count_json(result.count),
    }
    if explain:
        found = result.explanation
        told["explanation"] = None if found is None else asdict(found)
    return told


def _count_json(count: Count) -> dict[str, Any]:
    return {
        "total": count.total,
        "complete": count.complete,
        "sources": [{**source_json(source), "count": own} for source, own in count.by_source],
    }


def print_expression(console: Console, result: SearchResult, *, explain: bool) -> None:
    """The count of an expression, and how it was evaluated if that is to be explained."""
    if explain:
        _print_explanation(console, result)
    if result.count is None:
        return
    console.print(Text(f"count: {result.count.total}", "bold"), highlight=False)
    if not result.count.complete:
        console.print("    of the best matches only; --explain names what has more", style="yellow")
    for source, own in result.count.by_source:
        console.print(Text(f"    {own}  {source.name}"), highlight=False, soft_wrap=True)


def _print_explanation(console: Console, result: SearchResult) -> None:
    if result.explanation is None:
        console.print("an ordinary search: no expression in time", style="dim")
        return
    console.print(Text(f"read as: {result.explanation.expression}"), soft_wrap=True)
    for number, step in enumerate(result.explanation.steps, start=1):
        line = Text(f"{number:>2}. ")
        line.append(step.expression, "bold")
        line.append(f"  {_told(step)}")
        console.print(line, highlight=False, soft_wrap=True)
        for row in (step.statement or "").splitlines():
            console.print(Text(f"      {row}", "dim"), highlight=False, soft_wrap=True)


def _told(step: Step) -> str:
    if step.is_operand:
        told = f"relevant hits: {step.kept}, of {step.of} moments looked at"
        return told if step.complete else f"{told}; there may be more"
    told = f"kept: {step.kept} of {step.of}"
    if step.pairs is not None:
        told += f", pairs: {step.pairs}"
    return f"{told}; on pages, without a time: {step.on_pages}" if step.on_pages else told


def print_partners(console: Console, hit: Hit) -> None:
    """What makes a hit of an expression true, one line each."""
    for partner in hit.partners:
        text = " ".join(partner.hit.text.split())
        shown = text if len(text) <= _PARTNER_CHARS else text[: _PARTNER_CHARS - 1] + "…"
        name = partner.hit.source.name
        place = format_place(partner.hit.place)
        where = place if name == hit.source.name else f"{name} {place}"
        line = Text(f"    {partner.relation} {where}: {shown}", "dim")
        console.print(line, highlight=False, soft_wrap=True)
