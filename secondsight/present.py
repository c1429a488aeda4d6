"""Results as JSON (stable fields) and as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from generate.answer import Answer
from generate.answer_sentence import AnswerSentence, Verdict
from generate.citations import Citation, format_citation, format_place
from index.clock import format_clock, parse_clock
from index.errors import QuestionError
from index.inventory import InventoryRow
from index.manifest import read_manifest
from index.metadata import NO_METADATA, SourceMetadata
from index.records import Span
from ingest.report import IngestReport, SourceOutcome
from retrieve.hits import Hit
from retrieve.result import SearchResult
from retrieve.words import content_words
from secondsight.asked import asked_json, matched
from secondsight.conversations import turn_json
from secondsight.doctor import Check
from secondsight.expressions import expression_json, print_expression, print_partners
from secondsight.hit_json import hit_json, place_json, ties_json
from secondsight.ledger_table import ledger_json, print_ledger
from secondsight.library import Library
from secondsight.library_status import LibraryStatus
from secondsight.link_command import tie_lines
from secondsight.understood import print_understood, understood_json

_MARK_STYLES: dict[Verdict, str] = {
    "supported": "",
    "contradicted": "bold red",
    "not shown": "yellow",
}
TEXT_LINES_SHOWN = 3
DUPLICATES_PRINTED = 3
BYTES_PER_MEGABYTE = 1_000_000


def parse_within(text: str | None) -> Span | None:
    """Read `START-END` (each SS, MM:SS or HH:MM:SS) as a span. Raises QuestionError."""
    if text is None:
        return None
    start, dash, end = text.partition("-")
    try:
        if not dash:
            raise ValueError(f"{text!r} has no '-' between start and end")
        return Span(parse_clock(start), parse_clock(end))
    except ValueError as error:
        raise QuestionError(f"--within: {error}; write e.g. 01:00:00-02:00:00") from error


# JSON


def search_json(result: SearchResult, library: Library, *, explain: bool = False) -> dict[str, Any]:
    """A search result, as `search --json` prints it."""
    snapshot = library.snapshot()
    return {
        "query": result.query,
        **asked_json(result),
        "understood": understood_json(result.question),
        "took_ms": round(result.took_ms, 3),
        "found": result.found,
        **expression_json(result, explain=explain),
        "hits": [hit_json(hit, result, snapshot) for hit in result.hits],
    }


def answer_json(answer: Answer) -> dict[str, Any]:
    """An answer, as `ask --json` prints it."""
    return {
        "question": answer.question,
        "understood": understood_json(answer.understood),
        "found": answer.found,
        "answer": answer.text,
        "sentences": [sentence_json(sentence) for sentence in answer.sentences],
        "asked_as": answer.asked_as or None,
        "followed": answer.followed or None,
        "turn": turn_json(answer.exchange),
        "ledger": ledger_json(answer),
    }


def sentence_json(sentence: AnswerSentence) -> dict[str, Any]:
    """A sentence of an answer and what proves it."""
    return {
        "text": sentence.text,
        "verdict": sentence.verdict,
        "reason": sentence.reason or None,
        "citations": [_citation_json(citation) for citation in sentence.citations],
        "citation_changes": [asdict(change) for change in sentence.changes],
    }


def report_json(report: IngestReport) -> dict[str, Any]:
    """An ingest run, as `ingest --json` prints it."""
    return {
        "sources": [outcome_json(outcome) for outcome in report.sources],
        "metadata_without_file": list(report.metadata_without_file),
        "took_s": round(report.took_s, 3),
        "linked": [asdict(pair) for pair in report.linked],
        "link_problems": list(report.link_problems),
    }


def status_json(status: LibraryStatus) -> dict[str, Any]:
    """The state of a library, as `status --json` prints it."""
    return {
        "library": str(status.directory),
        "generation": status.generation,
        "segments": status.num_segments,
        "moments": status.num_moments,
        "size_bytes": status.size_bytes,
        "shards": status.num_shards,
        "forgotten": status.num_forgotten,
        "sources": [
            {
                "id": source.id,
                "name": source.name,
                "kind": source.kind,
                "paths": list(status.paths[source.id]),
                "duration_s": None if source.duration is None else float(source.duration),
                "pages": source.pages,
                "moments": status.moments_by_source[source.id],
                "details": source.details,
                "notes": list(source.notes),
                "metadata": dict(status.metadata[source.id].values),
                "tags": sorted(status.metadata[source.id].tags),
            }
            for source in status.sources
        ],
        "failures": [_failure_json(row) for row in status.failures],
    }


def checks_json(checks: Sequence[Check]) -> dict[str, Any]:
    """What `doctor --json` prints."""
    return {
        "ok": all(check.ok for check in checks),
        "checks": [
            {
                "name": check.name,
                "ok": check.ok,
                "found": check.found,
                "fix": None if check.ok else check.fix,
            }
            for check in checks
        ],
    }


def _citation_json(citation: Citation) -> dict[str, Any]:
    return {
        "evidence": citation.evidence,
        "source": {"id": citation.source_id, "name": citation.source_name},
        **place_json(citation.place),
        "quote": citation.quote,
        **ties_json(citation.on_screen, citation.shown_page),
    }


def outcome_json(outcome: SourceOutcome) -> dict[str, Any]:
    """What became of one file, as `ingest --json` and the report tell it."""
    return {
        "id": outcome.source_id,
        "path": outcome.path,
        "outcome": outcome.outcome,
        "reason": outcome.reason,
        "stage": outcome.stage,
        "duration_s": outcome.duration_s,
        "pages": outcome.pages,
        "moments": outcome.moments,
        "notes": list(outcome.notes),
        "took_s": round(outcome.took_s, 3),
        "stages_s": {stage: round(took_s, 3) for stage, took_s in outcome.stages_s.items()},
    }


def _failure_json(row: InventoryRow) -> dict[str, Any]:
    return {"path": row.path, "stage": row.stage, "reason": row.reason, "seen_at": row.seen_at}


# Text


def print_hits(console: Console, result: SearchResult, *, explain: bool = False) -> None:
    """Hits, best first: where, why, and the words."""
    print_expression(console, result, explain=explain)
    print_understood(console, result.question)
    if result.hits and not result.found:
        console.print("nothing relevant found; the nearest:", style="yellow")
    for hit in result.hits:
        head = Text(f"{hit.rank:>2}. ")
        head.append(f"{hit.source.name} {format_place(hit.place)}", style="bold cyan")
        kinds = ", ".join(dict.fromkeys(reason.kind for reason in hit.reasons))
        head.append(f"  {kinds}, {hit.confidence:.0%} sure", "dim")
        console.print(head, soft_wrap=True)
        lines = telling_lines(hit.text, result.searched)
        if not set(content_words(hit.headline)) <= set(content_words(" ".join(lines))):
            console.print(Text(f"    {hit.headline}", "italic"), highlight=False, soft_wrap=True)
        for line in lines:
            console.print(_marked(line, result), highlight=False, soft_wrap=True)
        _print_duplicates(console, hit)
        print_partners(console, hit)
        _print_ties(console, hit)
    if not result.hits:
        console.print("nothing found")
    console.print(f"{len(result.hits)} hits in {result.took_ms:.0f} ms", style="dim")


def _print_duplicates(console: Console, hit: Hit) -> None:
    """Where the same is shown or said again, in one line."""
    names = [f"{one.source.name} {format_place(one.place)}" for one in hit.duplicates]
    if names:
        more = len(names) - DUPLICATES_PRINTED
        shown = [*names[:DUPLICATES_PRINTED], *([f"{more} more"] if more > 0 else [])]
        line = Text(f"    also {'; '.join(shown)}", "dim")
        console.print(line, highlight=False, soft_wrap=True)


def _marked(line: str, result: SearchResult) -> Text:
    """A line, indented, with what matches the query in bold."""
    indent = "    "
    marked = Text(indent + line)
    for start, end in matched(result, line):
        marked.stylize("bold", len(indent) + start, len(indent) + end)
    return marked


def telling_lines(text: str, query: str, count: int = TEXT_LINES_SHOWN) -> list[str]:
    """The `count` lines that best match the query, in the order of the text.

    A word of the query that few of the lines have counts more.
    """
    lines = [line for line in text.splitlines() if content_words(line)]
    words = [set(content_words(line)) for line in lines]
    wanted = set(content_words(query))
    shared = [
        sum(1 / sum(word in others for others in words) for word in wanted & held) for held in words
    ]
    best = sorted(range(len(lines)), key=lambda number: -shared[number])[:count]
    return [lines[number] for number in sorted(best)]


def print_answer(console: Console, answer: Answer, *, explain: bool = False) -> None:
    """The answer, each sentence followed by what proves it; `explain`: and what was read for it."""
    print_understood(console, answer.understood)
    if answer.followed:
        console.print(f"({answer.followed})", style="dim", markup=False, highlight=False)
    if not answer.found:
        console.print(answer.text, style="yellow")
    for sentence in answer.sentences:
        line = Text(sentence.text + " ")
        for citation in sentence.citations:
            line.append(format_citation(citation), style="bold cyan")
        line.append(sentence.mark, style=_MARK_STYLES[sentence.verdict])
        console.print(line, soft_wrap=True)
        notes = [f"{one.outcome} {one.written}: {one.reason}" for one in sentence.changes]
        for told in (sentence.reason, *notes):
            if told:
                console.print(Text(f"    {told}", "dim"), highlight=False, soft_wrap=True)
        for citation in sentence.citations:
            _print_ties(console, citation)
    note = answer.ledger.get("note")
    if note:
        console.print(f"note: {note}", style="yellow", markup=False)
    if explain:
        print_ledger(console, answer.read)


def _print_ties(console: Console, tied: Hit | Citation) -> None:
    for line in tie_lines(tied.on_screen, tied.shown_page):
        console.print(Text(f"    {line}", "dim"), highlight=False, soft_wrap=True)


def print_report(console: Console, report: IngestReport, library: Library) -> None:
    """Counts, speed and what to do about failures."""
    added = report.with_outcome("added")
    failed = report.with_outcome("failed")
    console.print(
        f"{len(added)} added, {len(report.with_outcome('unchanged'))} unchanged, "
        f"{len(failed)} failed in {report.took_s:.1f} s"
    )
    video_s = sum(outcome.duration_s or 0.0 for outcome in added)
    if video_s:
        console.print(
            f"{format_clock(video_s, 0)} of video, {video_s / report.took_s:.1f} x realtime"
        )
    for outcome in report.sources:
        for note in outcome.notes:
            console.print(f"note: {outcome.path}: {note}", style="yellow", markup=False)
    for pair in report.linked:
        console.print(f"linked: {pair}", markup=False, highlight=False, soft_wrap=True)
    for problem in report.link_problems:
        console.print(f"note: {problem}", style="yellow", markup=False)
    for path in report.metadata_without_file:
        text = f"note: {path}: metadata is given, but it is no file of this run"
        console.print(text, style="yellow", markup=False)
    if failed:
        console.print("`secondsight status` lists the failures with their reasons")
    shards = read_manifest(library.directory).shards  # opening them all takes longer than a rerun
    moments = sum(shard.moments for shard in shards)
    if any(shard.forgotten for shard in shards):
        moments = library.snapshot().num_moments
    console.print(
        f"{library.directory}: {sum(len(shard.sources) for shard in shards)} sources, "
        f"{moments} moments",
        style="dim",
        markup=False,
        highlight=False,
    )


def print_status(console: Console, status: LibraryStatus) -> None:
    """Sources in a table, then the failures."""
    table = Table(box=None, pad_edge=False)
    for column in ("source", "kind", "length", "moments", "id"):
        table.add_column(column)
    for source in status.sources:
        length = (
            f"{source.pages} pages" if source.duration is None else format_clock(source.duration, 0)
        )
        moments = str(status.moments_by_source[source.id])
        table.add_row(Text(source.name), source.kind, length, moments, source.id[:12])
    console.print(table)
    size = ""
    if status.size_bytes is not None:
        size = f"{status.size_bytes / BYTES_PER_MEGABYTE:.1f} MB, "
    console.print(
        f"{len(status.sources)} sources, {status.num_segments} segments, "
        f"{status.num_moments} moments, {size}generation {status.generation}"
    )
    if status.num_forgotten:
        console.print(
            f"{status.num_forgotten} forgotten sources still take space in shards they shared; "
            "`secondsight compact` drops them"
        )
    for source in status.sources:
        said = status.metadata[source.id]
        if said != NO_METADATA:
            console.print(f"{source.name}: {_said(said)}", markup=False, highlight=False)
        for note in source.notes:
            console.print(f"note: {source.name}: {note}", style="yellow", markup=False)
    for row in status.failures:
        console.print(f"failed: {row.path}: {row.reason}", style="red", markup=False)


def _said(metadata: SourceMetadata) -> str:
    """Metadata and tags in one line."""
    parts = [
        f"{name} = {value if isinstance(value, str) else str(value).lower()}"
        for name, value in metadata.values.items()
    ]
    return ", ".join([*parts, *(f"tag {tag}" for tag in sorted(metadata.tags))])


def print_checks(console: Console, checks: Sequence[Check]) -> None:
    """One line a check."""
    for check in checks:
        mark = Text("ok   " if check.ok else "FIX  ", style="green" if check.ok else "red")
        mark.append(f"{check.name}: {check.found}", style="default")
        if not check.ok:
            mark.append(f"; {check.fix}")
        console.print(mark, soft_wrap=True)
