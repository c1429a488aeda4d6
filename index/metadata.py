"""Metadata and permission tags that users give to sources; kept for a whole library.

A value is a text, a number or a truth. A source without tags may be found by everybody, one with
tags by searches that are permitted one of them at least.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index.columns import Columns, Row, storable
from index.errors import SettingsError
from index.ranking import Mask
from index.tables import read_table, write_tables

Value = str | int | float | bool
KEYWORDS = frozenset({"and", "or", "not", "in", "like", "is", "null", "true", "false"})
"""Words of the language of conditions (`retrieve.where`)."""
METADATA_FIELDS = {
    "source": "VARCHAR",
    "name": "VARCHAR",
    "text": "VARCHAR",
    "whole": "BIGINT",
    "number": "DOUBLE",
    "truth": "BOOLEAN",
}
TAG_FIELDS = {"source": "VARCHAR", "tag": "VARCHAR"}
"""Tables `metadata` and `tags`: their fields, as `metadata_from_rows` takes them, and types."""
_RESERVED = KEYWORDS | {"path", "source", "tag", "tags"}
_MAX_NAME_CHARS = 100
_LARGEST = 2**63 - 1
_TAG = re.compile(r"[^\s,]{1,100}")


@dataclass(frozen=True, slots=True)
class SourceMetadata:
    """What the user says about one source."""

    values: Mapping[str, Value] = field(default_factory=dict)
    """By name; names are in lower case."""
    tags: frozenset[str] = frozenset()
    """Permission tags; none: everybody may find the source."""

    def open_to(self, permissions: Collection[str] | None) -> bool:
        """True for a search with these permissions; None: with all."""
        return permissions is None or not self.tags or not self.tags.isdisjoint(permissions)


NO_METADATA = SourceMetadata()


@dataclass(frozen=True, slots=True)
class MetadataChange:
    """What is to be said about one source from now on; what is not named stays."""

    values: Mapping[str, Value | None] = field(default_factory=dict)
    """By name; None: the name goes."""
    tags: frozenset[str] | None = None
    """All its tags; None: they stay."""

    def __bool__(self) -> bool:
        return bool(self.values) or self.tags is not None

    def then(self, later: MetadataChange) -> MetadataChange:
        """Both changes as one; `later` has the last word."""
        tags = self.tags if later.tags is None else later.tags
        return MetadataChange({**self.values, **later.values}, tags)

    def applied_to(self, held: SourceMetadata) -> SourceMetadata:
        """What is said after the change."""
        values = {**held.values, **self.values}
        return SourceMetadata(
            {name: value for name, value in values.items() if value is not None},
            held.tags if self.tags is None else self.tags,
        )


def checked_name(name: str) -> str:
    """A name of metadata in lower case. Raises SettingsError when it cannot be one."""
    folded = name.strip().lower()
    if not folded.isidentifier() or len(folded) > _MAX_NAME_CHARS or folded in _RESERVED:
        raise SettingsError(
            f"metadata cannot be named {name!r}: a name is letters, digits and _, begins with "
            f"no digit, and is none of {', '.join(sorted(_RESERVED))}"
        )
    return folded


def checked_value(name: str, value: object) -> Value | None:
    """A value of metadata, None to remove it. Raises SettingsError when it cannot be one."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, int) and abs(value) <= _LARGEST:
        return value
    if isinstance(value, float) and isfinite(value):
        return value
    raise SettingsError(f"metadata {name}: {value!r} is no text, truth or number that fits 64 bits")


def checked_tags(tags: object) -> frozenset[str]:
    """Permission tags. Raises SettingsError when they cannot be such."""
    if isinstance(tags, str) or not isinstance(tags, Iterable):
        raise SettingsError(f"tags are a list of texts, got {tags!r}")
    found = list(tags)
    for tag in found:
        if not isinstance(tag, str) or not _TAG.fullmatch(tag) or storable(tag) != tag:
            raise SettingsError(f"a tag is 1 to 100 characters without spaces or commas: {tag!r}")
    return frozenset(found)


def typed(text: str) -> Value | None:
    """What a written value means: `true` or `false`; a number written as Python prints it, so
    that 007 and 1.10 stay texts; None for nothing; else the text."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if str(number) == text and isfinite(number) and abs(number) <= _LARGEST:
            return number
    return storable(text) if text else None


# --- on disk -------------------------------------------------------------------------------------


def write_metadata(path: Path, held: Mapping[str, SourceMetadata]) -> None:
    """Write a new file of metadata by source id. Raises LibraryError when the disk refuses."""
    write_tables(path, "metadata", metadata_columns(held))


def metadata_columns(held: Mapping[str, SourceMetadata]) -> dict[str, Columns]:
    """Tables `metadata` and `tags`."""
    said = [
        (source, name, value)
        for source in sorted(held)
        for name, value in sorted(held[source].values.items())
    ]
    tagged = [(source, tag) for source in sorted(held) for tag in sorted(held[source].tags)]
    metadata: Columns = {
        "source": ("VARCHAR", [source for source, _, _ in said]),
        "name": ("VARCHAR", [name for _, name, _ in said]),
        "text": ("VARCHAR", [_if(str, value) for _, _, value in said]),
        "whole": ("BIGINT", [_if(int, value) for _, _, value in said]),
        "number": ("DOUBLE", [_if(float, value) for _, _, value in said]),
        "truth": ("BOOLEAN", [_if(bool, value) for _, _, value in said]),
    }
    tags: Columns = {
        "source": ("VARCHAR", [source for source, _ in tagged]),
        "tag": ("VARCHAR", [tag for _, tag in tagged]),
    }
    return {"metadata": metadata, "tags": tags}


def _if(kind: type[Value], value: Value) -> Value | None:
    return value if type(value) is kind else None


def read_metadata(path: Path) -> dict[str, SourceMetadata]:
    """Metadata by source id, of the sources that have any. Raises LibraryError."""
    said, tags = ", ".join(METADATA_FIELDS), ", ".join(TAG_FIELDS)
    rows = read_table(path, "metadata", "metadata", said, order="source, name")
    tagged = read_table(path, "metadata", "tags", tags, order="source, tag")
    return metadata_from_rows(rows, tagged)


def metadata_from_rows(rows: Sequence[Row], tagged: Sequence[Row]) -> dict[str, SourceMetadata]:
    """From the values of METADATA_FIELDS and TAG_FIELDS."""
    values: dict[str, dict[str, Value]] = {}
    tags: dict[str, set[str]] = {}
    for row in rows:
        values.setdefault(row[0], {})[row[1]] = _value(row)
    for source, tag in tagged:
        tags.setdefault(source, set()).add(tag)
    return {
        source: SourceMetadata(values.get(source, {}), frozenset(tags.get(source, ())))
        for source in sorted({*values, *tags})
    }


def _value(row: Row) -> Value:
    value: Value = next(value for value in row[2:] if value is not None)
    return value


# --- of a snapshot -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MetadataColumn:
    """The values of one name: each different one once."""

    codes: npt.NDArray[np.int32]
    """(number of sources,) positions in `values`; -1 where the source has none."""
    values: tuple[Value, ...]


class MetadataTable:
    """The metadata of the sources of a snapshot, in their order."""

    def __init__(self, held: Mapping[str, SourceMetadata], source_ids: Sequence[str]) -> None:
        self._held = held
        self._source_ids = source_ids

    def of(self, source_id: str) -> SourceMetadata:
        """What is said about a source; nothing when nothing is."""
        return self._held.get(source_id, NO_METADATA)

    def open_to(self, permissions: Collection[str] | None) -> Mask:
        """Which sources may be found with these permissions: (number of sources,) bool."""
        codes, groups = self._tags
        opened = [SourceMetadata(tags=tags).open_to(permissions) for tags in groups]
        mask: Mask = np.array(opened, dtype=np.bool_)[codes]
        return mask

    @cached_property
    def _tags(self) -> tuple[npt.NDArray[np.int32], tuple[frozenset[str], ...]]:
        """Which set of tags each source has, and these sets, that without tags first."""
        groups: dict[frozenset[str], int] = {frozenset(): 0}
        codes = np.zeros(len(self._source_ids), dtype=np.int32)
        for number, source_id in enumerate(self._source_ids):
            codes[number] = groups.setdefault(self.of(source_id).tags, len(groups))
        return codes, tuple(groups)

    @cached_property
    def columns(self) -> dict[str, MetadataColumn]:
        """The values of all sources by name."""
        codes: dict[str, npt.NDArray[np.int32]] = {}
        known: dict[str, dict[tuple[type, Value], int]] = {}
        for number, source_id in enumerate(self._source_ids):
            for name, value in self.of(source_id).values.items():
                if name not in codes:
                    codes[name] = np.full(len(self._source_ids), -1, dtype=np.int32)
                    known[name] = {}
                # 1, 1.0 and True are equal in Python, and other values here
                code = known[name].setdefault((type(value), value), len(known[name]))
                codes[name][number] = code
        return {
            name: MetadataColumn(found, tuple(value for _, value in known[name]))
            for name, found in codes.items()
        }
