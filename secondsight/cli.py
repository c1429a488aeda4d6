"""The command line: parses, calls the library, prints. `secondsight --help` lists the commands."""

from __future__ import annotations

import os
import sys
import traceback
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from index.errors import QuestionError, SecondsightError, SettingsError
from ingest.metadata import given_metadata
from retrieve.query import with_phrase
from secondsight import (
    cache_command,
    compact_command,
    link_command,
    present,
    sql_command,
    summarize_command,
    upgrade_command,
    upkeep_command,
)
from secondsight.conversations import add_to_conversation, read_conversation
from secondsight.doctor import examine
from secondsight.json_output import print_json
from secondsight.library import Library
from secondsight.options import (
    DEBUG_VARIABLE,
    DEFAULT_LIBRARY,
    ConfigOption,
    DebugOption,
    ExplainOption,
    FollowOption,
    ImageOption,
    JsonOption,
    KindOption,
    LibraryOption,
    LikeOption,
    LiteralOption,
    PermissionsOption,
    PhraseOption,
    SourceOption,
    TightenOption,
    TyposOption,
    WhereOption,
    WithinOption,
    tags_of,
)
from secondsight.progress import IngestProgress
from secondsight.settings import load_settings, with_password_file
from secondsight.watch import watch as watch_run

app = typer.Typer(
    name="secondsight",
    help="Ask an archive of videos and documents; get the second or page that proves it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and directories.")],
    library: LibraryOption = DEFAULT_LIBRARY,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="Known files too, with the present settings; cached work is kept."
        ),
    ] = False,
    password_file: Annotated[
        Path | None,
        typer.Option(
            "--password-file", help="Passwords for locked documents, one a line; tried in turn."
        ),
    ] = None,
    meta: Annotated[
        list[str] | None,
        typer.Option("--meta", help="name=value, said of every file; may be repeated."),
    ] = None,
    meta_file: Annotated[
        Path | None,
        typer.Option(
            "--meta-file", help="CSV or JSONL with a column `path`: metadata of single files."
        ),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", help="Only searches with this permission find it; repeatable."),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Add videos and documents. Resumable; files already in the library are not read again."""
    settings = load_settings(config)
    if password_file is not None:
        settings = with_password_file(settings, password_file)
    opened = Library.open(library, settings=settings)
    with IngestProgress(Console(stderr=True)) as progress:
        report = opened.ingest(
            paths,
            listener=progress,
            again=again,
            metadata=given_metadata(meta or [], tag),
            metadata_file=meta_file,
        )
    if as_json:
        print_json(present.report_json(report))
    else:
        present.print_report(Console(), report, opened)
    if report.with_outcome("failed"):
        raise typer.Exit(1)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="What you remember of it.")] = "",
    image: ImageOption = None,
    like: LikeOption = None,
    phrase: PhraseOption = None,
    typos: TyposOption = "unmatched",
    tighten: TightenOption = False,
    library: LibraryOption = DEFAULT_LIBRARY,
    config: ConfigOption = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=1000)] = 10,
    source: SourceOption = None,
    kind: KindOption = None,
    within: WithinOption = None,
    where: WhereOption = None,
    permissions: PermissionsOption = None,
    literal: LiteralOption = False,
    explain: ExplainOption = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Find moments: what was said, shown or written, and when or on which page.

    Expressions in time, too: '"gradient descent" BEFORE "live demo"', with AFTER, DURING,
    WITHIN 30s OF, BETWEEN .. AND, NOT, FIRST, LAST, COUNT, ACROSS.
    """
    opened = Library.open(library, settings=load_settings(config), create=False)
    result = opened.search(
        reduce(with_phrase, phrase or [], query),
        k=count,
        picture=image,
        like=like,
        typos=typos,
        tighten=tighten,
        sources=source,
        kinds=kind,
        within=present.parse_within(within),
        where=where,
        permissions=tags_of(permissions),
        literal=literal,
    )
    if as_json:
        print_json(present.search_json(result, opened, explain=explain))
    else:
        present.print_hits(Console(), result, explain=explain)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="A question about the archive.")],
    library: LibraryOption = DEFAULT_LIBRARY,
    config: ConfigOption = None,
    source: SourceOption = None,
    kind: KindOption = None,
    within: WithinOption = None,
    where: WhereOption = None,
    permissions: PermissionsOption = None,
    literal: LiteralOption = False,
    follow: FollowOption = None,
    explain: ExplainOption = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Answer from the archive, every sentence with the span or page that proves it."""
    history = [] if follow is None else read_conversation(follow)
    opened = Library.open(library, settings=load_settings(config), create=False)
    answer = opened.ask(
        question,
        sources=source,
        kinds=kind,
        within=present.parse_within(within),
        where=where,
        permissions=tags_of(permissions),
        literal=literal,
        history=history,
    )
    if as_json:
        print_json(present.answer_json(answer))
    else:
        present.print_answer(Console(), answer, explain=explain)
    if follow is not None:
        add_to_conversation(follow, answer.exchange)


@app.command()
def status(
    library: LibraryOption = DEFAULT_LIBRARY,
    config: ConfigOption = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show the running ingest.")] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List what the library holds, and the files that failed with their reasons."""
    if watch:
        opened = Library.open(library, settings=load_settings(config), create=False)
        watch_run(opened.directory, Console())
        return
    state = Library.open(library, settings=load_settings(config), create=False).status()
    if as_json:
        print_json(present.status_json(state))
    else:
        present.print_status(Console(), state)


@app.command()
def report(
    files: Annotated[list[Path], typer.Argument(help="report.html is a page, report.json data.")],
    library: LibraryOption = DEFAULT_LIBRARY,
    config: ConfigOption = None,
    source: Annotated[
        list[str] | None,
        typer.Option("--source", "-s", help="Draw this source (id or file name); may be repeated."),
    ] = None,
    debug: DebugOption = False,
) -> None:
    """Report the latest ingest, be it running, killed or done, with a timeline of each source."""
    from secondsight.report_command import write_report

    opened = Library.open(library, settings=load_settings(config), create=False)
    write_report(opened, files, sources=source or [])


@app.command()
def forget(
    sources: Annotated[list[str], typer.Argument(help="Ids or file names of sources.")],
    library: LibraryOption = DEFAULT_LIBRARY,
    purge: Annotated[
        bool,
        typer.Option("--purge", help="Their bytes too, right now, out of shards they share."),
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Remove sources: nothing of them is found any more; their bytes go with them.

    Only those in a shard that compaction has made of several wait there for the next compaction.
    """
    opened = Library.open(library, settings=load_settings(config), create=False)
    forgotten = [opened.forget(source, purge=purge) for source in sources]
    waiting = {id_ for shard in opened.snapshot().manifest.shards for id_ in shard.forgotten}
    if as_json:
        print_json(compact_command.forgotten_json(forgotten, waiting))
    else:
        compact_command.print_forgotten(Console(), forgotten, waiting)


@app.command()
def compact(
    library: LibraryOption = DEFAULT_LIBRARY,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Merge small shards and drop the bytes of what was forgotten; results stay the same."""
    opened = Library.open(library, settings=load_settings(config), create=False)
    done = opened.compact(listener=compact_command.progress(Console(stderr=True)))
    if as_json:
        print_json(compact_command.compaction_json(done))
    else:
        compact_command.print_compaction(Console(), done)


@app.command()
def link(
    sources: Annotated[
        list[str] | None,
        typer.Argument(help="A talk and its slides (ids or file names); none: all that belong."),
    ] = None,
    library: LibraryOption = DEFAULT_LIBRARY,
    config: ConfigOption = None,
    show: Annotated[bool, typer.Option("--show", help="Only show what is linked.")] = False,
    page: Annotated[
        int | None, typer.Option(min=1, help="Show this page only, and what was said.")
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Tie slides to their talk: when each page was on screen. Search and answers then tell it."""
    opened = Library.open(library, settings=load_settings(config), create=False)
    named = sources or []
    if not show:
        if len(named) not in (0, 2):
            raise QuestionError("name a talk and its slides, or neither")
        pairs = [(pair.video_id, pair.document_id) for pair in opened.link(*named)]
    else:
        wanted = {opened.source(name).id for name in named}
        pairs = [pair for pair in opened.snapshot().links.pairs if wanted <= set(pair)]
    if as_json:
        print_json(link_command.links_json(opened.snapshot(), pairs, page))
    else:
        link_command.print_links(Console(), opened.snapshot(), pairs, page)


@app.command()
def cache(
    library: LibraryOption = DEFAULT_LIBRARY,
    config: ConfigOption = None,
    prune: Annotated[
        str | None,
        typer.Option(help="Keep at most this much (500MB), or only what was used lately (30d)."),
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List what ingest keeps to go on after a kill or with other settings; remove some of it."""
    directory = Library.open(library, settings=load_settings(config), create=False).directory
    removed = None if prune is None else cache_command.prune_cache(directory, prune)
    snapshot, usages = cache_command.look(directory)
    if as_json:
        print_json(cache_command.cache_json(snapshot, usages, removed))
    else:
        cache_command.print_cache(Console(), snapshot, usages, removed)


@app.command()
def serve(
    library: LibraryOption = DEFAULT_LIBRARY,
    config: ConfigOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0: any free port.")] = None,
    debug: DebugOption = False,
) -> None:
    """Offer search and answers over HTTP; other machines only with SECONDSIGHT_TOKEN set."""
    from secondsight.server.run import serve as run_server

    settings = load_settings(config)
    listen = replace(
        settings.serve,
        host=settings.serve.host if host is None else host,
        port=settings.serve.port if port is None else port,
    )
    run_server(
        Library.open(library, settings=settings, create=False),
        listen,
        announce=lambda address: Console(soft_wrap=True).print(
            f"serving {library} on {address}", markup=False, highlight=False
        ),
    )


@app.command()
def doctor(
    library: LibraryOption = DEFAULT_LIBRARY,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say what this machine can run, and what is missing and how to get it."""
    checks = examine(load_settings(config), library)
    if as_json:
        print_json(present.checks_json(checks))
    else:
        present.print_checks(Console(), checks)
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


app.command()(summarize_command.summarize)
app.command()(sql_command.sql)
app.command()(upgrade_command.upgrade)
app.command()(upkeep_command.verify)
app.command()(upkeep_command.export)
app.command("import")(upkeep_command.import_)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 something failed, 2 wrong usage."""
    try:
        app(args=arguments)
    except SecondsightError as error:
        if os.environ.get(DEBUG_VARIABLE):
            traceback.print_exc()
        sys.stderr.write(f"secondsight: {error}\n")
        sys.exit(2 if isinstance(error, QuestionError | SettingsError) else 1)
