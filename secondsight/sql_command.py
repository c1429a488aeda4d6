"""`secondsight sql`: one SELECT over the views of a library, as a table, JSON or CSV."""

from __future__ import annotations

import csv
import sys
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from index.analysis import QueryResult, open_analysis
from index.errors import QuestionError
from secondsight.json_output import print_json
from secondsight.options import DEFAULT_LIBRARY, DebugOption, JsonOption, LibraryOption

ROWS_SHOWN = 200


def sql(
    query: Annotated[
        str | None, typer.Argument(help="One SELECT; none: list the views and their columns.")
    ] = None,
    library: LibraryOption = DEFAULT_LIBRARY,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")] = False,
    timeout: Annotated[
        float | None, typer.Option("--timeout", min=0.001, help="Seconds a query may take.")
    ] = None,
    debug: DebugOption = False,
) -> None:
    """Query the catalog with SQL, read-only. Times are seconds, with exact ticks beside them."""
    if as_json and as_csv:
        raise QuestionError("--json or --csv, not both")
    with open_analysis(Path(library)) as analysis:
        if query is None:
            _print_views(analysis.columns(), as_json=as_json)
            return
        with analysis.query(query, timeout_s=timeout) as result:
            if as_json:
                _print_json(result)
            elif as_csv:
                _print_csv(result)
            else:
                _print_table(result)


def _print_views(views: dict[str, list[tuple[str, str]]], *, as_json: bool) -> None:
    if as_json:
        print_json({view: dict(columns) for view, columns in views.items()})
        return
    console = Console(soft_wrap=True, highlight=False)
    for view, columns in views.items():
        line = Text(view, "bold cyan")
        line.append("  " + ", ".join(f"{name} {kind}" for name, kind in columns), "default")
        console.print(line)


def _print_table(result: QueryResult) -> None:
    table = Table(box=None, pad_edge=False)
    for column in result.columns:
        table.add_column(Text(column))
    for row in islice(result.rows, ROWS_SHOWN):
        table.add_row(*("" if value is None else Text(str(value)) for value in row))
    console = Console()
    console.print(table)
    if next(result.rows, None) is not None:
        console.print(f"the first {ROWS_SHOWN} rows; --csv and --json print all", style="dim")


def _print_json(result: QueryResult) -> None:
    rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
    print_json(rows, default=str)  # dates, decimals, bytes


def _print_csv(result: QueryResult) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(result.columns)
    writer.writerows(result.rows)
