"""`secondsight verify`, `export` and `import`: checking a library, moving sources."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.text import Text

from index.export import ExchangeListener, ExportManifest
from index.importing import ImportReport
from index.problems import VerifyListener, VerifyProgress
from index.verification import Verification, verify_library
from secondsight.json_output import print_json
from secondsight.library import Library
from secondsight.options import (
    DEFAULT_LIBRARY,
    ConfigOption,
    DebugOption,
    JsonOption,
    LibraryOption,
)
from secondsight.settings import load_settings

_BYTES_PER_GB = 1_000_000_000
_NAME_CHARS = 40


def verify(
    library: LibraryOption = DEFAULT_LIBRARY,
    deep: Annotated[
        bool, typer.Option("--deep", help="Decode every picture and read every record too.")
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Check every byte and how the files agree; names all that is damaged, changes nothing.

    The exit code is 1 when something is damaged. What only stands about is named, and no damage.
    """
    with _progress(Console(stderr=True)) as listener:
        found = verify_library(library, deep=deep, listener=listener)
    if as_json:
        print_json(verification_json(found))
    else:
        print_verification(Console(), found)
    if not found.ok:
        raise typer.Exit(1)


def export(
    directory: Annotated[Path, typer.Argument(help="A new or empty directory.")],
    library: LibraryOption = DEFAULT_LIBRARY,
    config: ConfigOption = None,
    source: Annotated[
        list[str] | None,
        typer.Option("--source", "-s", help="Only this source (id or file name); repeatable."),
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write sources as Parquet tables and pictures, for `import` and for other tools."""
    opened = Library.open(library, settings=load_settings(config), create=False)
    exported = opened.export(directory, sources=source, listener=_tell("exporting"))
    if as_json:
        print_json(export_json(exported))
    else:
        size_bytes = sum(size for size, _ in exported.files.values())
        Console().print(
            f"{len(exported.sources)} sources exported to {directory} "
            f"({size_bytes / 1_000_000:.1f} MB)",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip


def import_(
    directory: Annotated[Path, typer.Argument(help="What `secondsight export` wrote.")],
    library: LibraryOption = DEFAULT_LIBRARY,
    config: ConfigOption = None,
    with_paths: Annotated[
        bool,
        typer.Option(
            "--with-paths", help="Note where the files lay; only for exports that you trust."
        ),
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Add the sources of an export; those that are there already are left as they are."""
    opened = Library.open(library, settings=load_settings(config))
    report = opened.import_(directory, with_paths=with_paths, listener=_tell("importing"))
    if as_json:
        print_json(import_json(report))
    else:
        print_import(Console(), report)


# --- verify --------------------------------------------------------------------------------------


@contextmanager
def _progress(console: Console) -> Iterator[VerifyListener]:
    """A bar of the bytes that were read, in a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=None)

        def show(progress: VerifyProgress) -> None:
            bar.update(
                task,
                completed=progress.read_bytes,
                total=progress.total_bytes,
                description=progress.where[-_NAME_CHARS:].rjust(_NAME_CHARS),
            )

        yield show


def verification_json(found: Verification) -> dict[str, Any]:
    """What `verify --json` prints."""
    return {
        "ok": found.ok,
        "problems": [
            {
                "kind": problem.kind.value,
                "damage": problem.is_damage,
                "where": problem.where,
                "what": problem.what,
                "advice": problem.advice,
                "sources": list(problem.sources),
            }
            for problem in found.problems
        ],
        "generation": found.generation,
        "shards": found.shards,
        "sources": found.sources,
        "moments": found.moments,
        "files": found.files,
        "size_bytes": found.size_bytes,
        "took_s": round(found.took_s, 3),
    }


def print_verification(console: Console, found: Verification) -> None:
    """A line for each problem, then the sum and the speed."""
    for problem in found.problems:
        word, style = ("damage", "red") if problem.is_damage else ("stray ", "yellow")
        line = Text.assemble((word, style), f"  {problem.kind}  {problem}")
        console.print(line, soft_wrap=True)
    damage = sum(problem.is_damage for problem in found.problems)
    verdict = f"{damage} problems" if damage else "whole"
    gigabytes = found.size_bytes / _BYTES_PER_GB
    speed = gigabytes / found.took_s if found.took_s else 0.0
    console.print(
        f"{verdict}: {found.sources} sources, {found.moments} moments, {found.shards} shards; "
        f"{found.files} files, {gigabytes:.3f} GB in {found.took_s:.1f} s ({speed:.2f} GB/s)",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip


# --- export and import ---------------------------------------------------------------------------


def _tell(doing: str) -> ExchangeListener:
    """A listener that names each source on stderr, in a terminal."""
    console = Console(stderr=True)

    def tell(name: str) -> None:
        if console.is_terminal:
            console.print(f"{doing} {name}", markup=False, highlight=False, soft_wrap=True)

    return tell


def export_json(exported: ExportManifest) -> dict[str, Any]:
    """What `export --json` prints."""
    return {
        "sources": [
            {
                "id": source.id,
                "name": source.name,
                "segments": source.segments,
                "moments": source.moments,
            }
            for source in exported.sources
        ],
        "files": len(exported.files),
        "size_bytes": sum(size for size, _ in exported.files.values()),
    }


def import_json(report: ImportReport) -> dict[str, Any]:
    """What `import --json` prints."""
    return {
        "sources": [
            {"id": source.id, "name": source.name, "outcome": source.outcome}
            for source in report.sources
        ],
        "links": report.links,
        "recoded": report.recoded,
    }


def print_import(console: Console, report: ImportReport) -> None:
    """A line for each source, then what else is to be known."""
    for source in report.sources:
        console.print(
            f"{source.outcome:9} {source.name}", markup=False, highlight=False, soft_wrap=True
        )
    if report.links:
        console.print(f"{report.links} pages on screen linked", highlight=False)
    if report.recoded:
        console.print("vectors were written in the codes of this library", highlight=False)
