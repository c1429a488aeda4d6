"""Settings: one tree of frozen dataclasses, filled from a YAML file, unknown keys refused."""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError

from generate.settings import GenerateSettings
from index.errors import SettingsError
from index.settings import IndexSettings
from ingest.settings import IngestSettings
from retrieve.settings import RetrieveSettings
from secondsight.server.settings import ServeSettings

CONFIG_VARIABLE = "SECONDSIGHT_CONFIG"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be configured; the defaults are `configs/default.yaml`."""

    ingest: IngestSettings = field(default_factory=IngestSettings)
    index: IndexSettings = field(default_factory=IndexSettings)
    retrieve: RetrieveSettings = field(default_factory=RetrieveSettings)
    generate: GenerateSettings = field(default_factory=GenerateSettings)
    serve: ServeSettings = field(default_factory=ServeSettings)


def shipped_configs() -> list[str]:
    """Names of the configurations that come with Secondsight."""
    return sorted(
        entry.name.removesuffix(".yaml")
        for entry in resources.files("configs").iterdir()
        if entry.name.endswith(".yaml")
    )


def load_settings(config: str | os.PathLike[str] | None = None) -> Settings:
    """Settings from a YAML file or a shipped configuration's name; keys left out keep defaults.

    `config` None reads the environment variable SECONDSIGHT_CONFIG, else the defaults. Raises
    SettingsError for a missing file, an unknown key or a value of the wrong type.
    """
    config = config or os.environ.get(CONFIG_VARIABLE) or "default"
    text = _config_text(config)
    try:
        data = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise SettingsError(f"{config}: not YAML: {' '.join(str(error).split())}") from error
    return settings_from(data, origin=str(config))


def with_password_file(settings: Settings, path: Path) -> Settings:
    """The settings, with the passwords of locked documents in this file."""
    replace = dataclasses.replace
    documents = replace(settings.ingest.documents, password_file=os.path.abspath(path))
    return replace(settings, ingest=replace(settings.ingest, documents=documents))


def settings_from(data: object, *, origin: str) -> Settings:
    """Settings from plain data; `origin` is named in errors. Raises SettingsError."""
    _refuse_unknown_keys(Settings, data, origin, path="")
    try:
        return TypeAdapter(Settings).validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{origin}: {where}: {first['msg']}, got {first['input']!r}") from error


def settings_yaml(settings: Settings) -> str:
    """The settings as YAML, every key stated."""
    return yaml.safe_dump(dataclasses.asdict(settings), sort_keys=False, allow_unicode=True)


def _config_text(config: str | os.PathLike[str]) -> str:
    path = Path(config)
    if path.is_file():
        return path.read_text(encoding="utf-8")
    if str(config) in shipped_configs():
        return (resources.files("configs") / f"{config}.yaml").read_text(encoding="utf-8")
    raise SettingsError(
        f"no configuration {str(config)!r}: give a YAML file or one of "
        f"{', '.join(shipped_configs())}"
    )


def _refuse_unknown_keys(kind: type, data: object, origin: str, path: str) -> None:
    if not isinstance(data, Mapping):
        raise SettingsError(f"{origin}: {path or 'the file'} must be a mapping, got {data!r}")
    hints: dict[str, Any] = get_type_hints(kind)
    for key, value in data.items():
        if key not in hints:
            close = difflib.get_close_matches(str(key), hints, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(hints)}"
            raise SettingsError(f"{origin}: unknown key {path}{key}{hint}")
        if dataclasses.is_dataclass(hints[key]):
            _refuse_unknown_keys(hints[key], value, origin, f"{path}{key}.")
