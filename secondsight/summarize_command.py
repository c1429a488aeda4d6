"""`secondsight summarize`: hours and documents, chapter by chapter."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from generate.answer_sentence import AnswerSentence
from generate.citations import format_citation
from generate.summary import SummaryPlan, SummedUp
from index.records import PageRange, Span
from secondsight import present
from secondsight.json_output import print_json
from secondsight.library import Library
from secondsight.naming import filters_of
from secondsight.options import (
    DEFAULT_LIBRARY,
    ConfigOption,
    DebugOption,
    JsonOption,
    LibraryOption,
    PermissionsOption,
    SourceOption,
    WhereOption,
    WithinOption,
    tags_of,
)
from secondsight.settings import load_settings


def summarize(
    what: Annotated[
        str, typer.Argument(help="Where: 'the second hour of talk.mp4'; nothing: all there is.")
    ] = "",
    library: LibraryOption = DEFAULT_LIBRARY,
    config: ConfigOption = None,
    source: SourceOption = None,
    within: WithinOption = None,
    where: WhereOption = None,
    permissions: PermissionsOption = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only say what it takes: chapters, tokens.")
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Sum up hours or documents by chapters, every line with its span. Resumable.

    What it takes is said first, on standard error; a model reads each chapter once.
    """
    own = Library.open(library, settings=load_settings(config), create=False).summaries()
    span = present.parse_within(within)
    filters = filters_of(own.snapshot, span, source, None, where, tags_of(permissions))
    planned = own.plan(what, filters)
    notes = Console(stderr=True, soft_wrap=True)
    notes.print(told(planned), style="dim", markup=False, highlight=False)
    if plan:
        if as_json:
            print_json(plan_json(planned))
        return
    console = Console(soft_wrap=True)
    done = own.summarize(planned, listener=_ignored if as_json else _Printer(console).print)
    if as_json:
        chapters = [chapter_json(one) for one in done.chapters]
        overall = [present.sentence_json(one) for one in done.overall]
        print_json({**plan_json(planned), "chapters": chapters, "overall": overall})
    elif done.overall:
        console.print(Text("\nAll in all", "bold"))
        for sentence in done.overall:
            _print_sentence(console, sentence)


def told(plan: SummaryPlan) -> str:
    """What a summary takes, in a line."""
    line = f"{len(plan.chapters)} chapters of {plan.segments} segments"
    if plan.prompt_tokens is None:
        return f"{line}; typical sentences are quoted, no model reads them"
    return (
        f"{line}, {plan.done} of them done before; the model will read at most "
        f"{plan.prompt_tokens:,} tokens and write at most {plan.answer_tokens:,}"
    )


def plan_json(plan: SummaryPlan) -> dict[str, Any]:
    """What a summary takes, as `summarize --plan --json` prints it."""
    return {
        "num_chapters": len(plan.chapters),
        "segments": plan.segments,
        "done_before": plan.done,
        "prompt_tokens": plan.prompt_tokens,
        "answer_tokens": plan.answer_tokens,
    }


def chapter_json(one: SummedUp) -> dict[str, Any]:
    """A chapter, as `summarize --json` prints it."""
    extent = one.chapter.extent
    span = extent if isinstance(extent, Span) else None
    pages = extent if isinstance(extent, PageRange) else None
    return {
        "source": {"id": one.chapter.source.id, "name": one.chapter.source.name},
        "start_s": None if span is None else span.start_s,
        "end_s": None if span is None else span.end_s,
        "first_page": None if pages is None else pages.first,
        "last_page": None if pages is None else pages.last,
        "title": one.chapter.title,
        "sentences": [present.sentence_json(sentence) for sentence in one.sentences],
    }


def _ignored(one: SummedUp) -> None:
    """JSON comes as one piece at the end."""


class _Printer:
    """Prints chapters as they come, under the names of their sources."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._source_id = ""

    def print(self, one: SummedUp) -> None:
        """A chapter: its place and title, then its lines."""
        chapter = one.chapter
        if chapter.source.id != self._source_id:
            self._source_id = chapter.source.id
            self._console.print(Text(chapter.source.name, "bold"), highlight=False)
        head = Text(chapter.place, "bold cyan")
        head.append(f"  {chapter.title}", "dim")
        self._console.print(head, highlight=False)
        for sentence in one.sentences:
            _print_sentence(self._console, sentence)


def _print_sentence(console: Console, sentence: AnswerSentence) -> None:
    line = Text(f"  {sentence.text}")
    for citation in sentence.citations:
        line.append(f" {format_citation(citation)}", "cyan")
    line.append(sentence.mark, "yellow")
    console.print(line, highlight=False)
