"""Options that commands of the command line share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from index.records import MomentKind
from index.word_query import Typos

DEBUG_VARIABLE = "SECONDSIGHT_DEBUG"


def _set_debug(value: bool) -> bool:
    if value:
        os.environ[DEBUG_VARIABLE] = "1"
    return value


LibraryOption = Annotated[
    Path,
    typer.Option("--library", "-L", envvar="SECONDSIGHT_LIBRARY", help="Directory of the library."),
]
ConfigOption = Annotated[
    str | None,
    typer.Option(
        "--config",
        envvar="SECONDSIGHT_CONFIG",
        help="YAML file or name of a shipped configuration.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
DebugOption = Annotated[
    bool,
    typer.Option(
        "--debug", callback=_set_debug, is_eager=True, help="Show the traceback of an error."
    ),
]
SourceOption = Annotated[
    list[str] | None,
    typer.Option("--source", "-s", help="Only this source (id or file name); may be repeated."),
]
KindOption = Annotated[
    list[MomentKind] | None,
    typer.Option("--kind", "-k", help="Only moments of this kind; may be repeated."),
]
WithinOption = Annotated[
    str | None,
    typer.Option("--within", help="Only this stretch of time, e.g. 01:00:00-02:00:00."),
]
LiteralOption = Annotated[
    bool,
    typer.Option("--literal", help="Search for all words: no times, names or kinds are read."),
]
ImageOption = Annotated[
    Path | None,
    typer.Option("--image", help="What looks like this picture; words may go with it."),
]
LikeOption = Annotated[
    str | None,
    typer.Option(
        "--like", help="More like what is at SOURCE@TIME, SOURCE@pPAGE, or the moment SOURCE#N."
    ),
]
PhraseOption = Annotated[
    list[str] | None,
    typer.Option(
        "--phrase", help="Only where these words stand together, as in double quotes; repeatable."
    ),
]
TyposOption = Annotated[
    Typos,
    typer.Option("--typos", help="Words that are taken for mistyped: those that match nothing."),
]
TightenOption = Annotated[
    bool,
    typer.Option(
        "--tighten", help="Look at the videos again for the borders of what is seen (seconds)."
    ),
]
DEFAULT_LIBRARY = Path("archive")
WhereOption = Annotated[
    str | None,
    typer.Option("--where", help="Only sources whose metadata fulfil it: course = 'cs101'."),
]
PermissionsOption = Annotated[
    str | None,
    typer.Option(
        "--permissions",
        help="Only sources without tags or with one of these (a,b); '': only those without.",
    ),
]
FollowOption = Annotated[
    Path | None,
    typer.Option(
        "--follow",
        help="A file of a conversation: read before, this answer added; a missing one is made.",
    ),
]
ExplainOption = Annotated[
    bool,
    typer.Option(
        "--explain", help="How an expression was read, or all that an answer was made of."
    ),
]


def tags_of(permissions: str | None) -> list[str] | None:
    """The tags of `--permissions`; None: no restriction."""
    return None if permissions is None else permissions.replace(",", " ").split()
