"""What users say about the files of a run: for all of them, and for single files in a table."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from index.errors import SettingsError
from index.metadata import (
    MetadataChange,
    checked_name,
    checked_tags,
    checked_value,
    typed,
)

_PATH = "path"
_TAGS = "tags"


@dataclass(frozen=True, slots=True)
class GivenMetadata:
    """What is said about the files of a run."""

    for_all: MetadataChange = field(default_factory=MetadataChange)
    by_path: Mapping[str, MetadataChange] = field(default_factory=dict)
    """By absolute path; has the last word."""

    def of(self, path: str) -> MetadataChange:
        """What is said about the file at a path."""
        own = self.by_path.get(path)
        return self.for_all if own is None else self.for_all.then(own)


NOTHING_GIVEN = GivenMetadata()


def change_of(given: Mapping[str, object]) -> MetadataChange:
    """A change from names and values; None removes a name, `tags` is a list of permission tags.

    Raises SettingsError when a name, value or tag cannot be one.
    """
    names = {name: checked_name(name) for name in given if name != _TAGS}
    if len(set(names.values())) < len(names):
        raise SettingsError(f"metadata names one thing twice: {', '.join(sorted(names))}")
    tags = given.get(_TAGS)
    return MetadataChange(
        {folded: checked_value(name, given[name]) for name, folded in names.items()},
        None if tags is None else checked_tags(tags),
    )


def given_metadata(pairs: Iterable[str], tags: Sequence[str] | None) -> dict[str, object]:
    """What the command line says of every file, as `change_of` takes it.

    `pairs`: `name=value` each, the values typed as they are written, nothing to remove a name;
    `tags`: one empty tag for none at all. Raises SettingsError.
    """
    values: dict[str, object] = {}
    if tags is not None:
        values[_TAGS] = [] if list(tags) == [""] else list(tags)
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise SettingsError(f"--meta {pair!r} has no '='; write e.g. --meta course=cs101")
        values[checked_name(name)] = typed(value)
    return values


def read_table(table: Path) -> dict[str, MetadataChange]:
    """A CSV file with a column `path`, or JSON lines with a field `path`: changes by path.

    Paths are absolute or relative to the table's folder. Cells are typed as they are written,
    empty ones and nulls remove a name; tags are separated by spaces or commas, or a list.
    Raises SettingsError when the file cannot be read, and names the line.
    """
    suffix = table.suffix.lower()
    if suffix not in (".csv", ".jsonl"):
        raise SettingsError(f"metadata file {table}: its name must end in .csv or .jsonl")
    changes: dict[str, MetadataChange] = {}
    try:
        with table.open(encoding="utf-8-sig", newline="") as stream:
            rows = _csv_rows(stream) if suffix == ".csv" else _json_rows(stream)
            for line, row in rows:
                path, change = _change(table, line, row)
                if path in changes:
                    raise SettingsError(f"metadata file {table}, line {line}: {path} once more")
                changes[path] = change
    except (OSError, ValueError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(f"metadata file {table}: {reason}") from error
    return changes


def _change(table: Path, line: int, row: Mapping[str, object]) -> tuple[str, MetadataChange]:
    place = f"metadata file {table}, line {line}"
    path = row.get(_PATH)
    if not isinstance(path, str) or not path.strip():
        raise SettingsError(f"{place}: there is no {_PATH!r}")
    values = {name: value for name, value in row.items() if name != _PATH}
    tags = values.get(_TAGS)
    if isinstance(tags, str):
        values[_TAGS] = tags.replace(",", " ").split()
    elif tags is None and _TAGS in values:
        values[_TAGS] = []
    try:
        change = change_of(values)
    except SettingsError as error:
        raise SettingsError(f"{place}: {error}") from error
    return os.path.abspath(table.absolute().parent / path), change


def _csv_rows(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, object]]]:
    reader = csv.reader(lines, strict=True)
    header = [name.strip() for name in next(reader, [])]
    names = [name.lower() if name.lower() in (_PATH, _TAGS) else name for name in header]
    if _PATH not in names or len(set(names)) < len(names):
        raise SettingsError(
            "the first line of a metadata file names its columns, each once, 'path' among them; "
            f"got {', '.join(header) or 'nothing'}"
        )
    for cells in reader:
        if not any(cells):
            continue
        if len(cells) != len(names):
            raise SettingsError(
                f"line {reader.line_num} of the metadata file has {len(cells)} cells, "
                f"the first line {len(names)}"
            )
        yield (
            reader.line_num,
            {
                name: cell if name in (_PATH, _TAGS) else typed(cell.strip())
                for name, cell in zip(names, cells, strict=True)
            },
        )


def _json_rows(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, object]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row: Any = json.loads(line)
        except (ValueError, RecursionError) as error:
            problem = f"line {number} of the metadata file is no JSON: {error}"
            raise SettingsError(problem) from error
        if not isinstance(row, dict):
            raise SettingsError(f"line {number} of the metadata file is no JSON object")
        yield number, row
