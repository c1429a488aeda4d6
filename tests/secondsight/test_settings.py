"""Configuration: every key stated, unknown ones refused, errors that name the place."""

from pathlib import Path

import pytest

from index.errors import SettingsError
from secondsight.settings import (
    Settings,
    load_settings,
    settings_from,
    settings_yaml,
    shipped_configs,
)


def test_the_default_configuration_states_every_key_with_its_default() -> None:
    shipped = Path(__file__).parents[2] / "configs" / "default.yaml"
    stated = "\n".join(
        line.split(" #")[0].rstrip()
        for line in shipped.read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    )
    assert stated == settings_yaml(Settings()).rstrip()
    assert load_settings("default") == Settings()


@pytest.mark.parametrize("name", shipped_configs())
def test_every_shipped_configuration_loads(name: str) -> None:
    assert isinstance(load_settings(name), Settings)


def test_a_file_changes_only_what_it_names(tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text("ingest:\n  frames:\n    rate_hz: 2\n")
    settings = load_settings(config)
    assert settings.ingest.frames.rate_hz == 2.0
    assert settings.ingest.speech == Settings().ingest.speech


def test_an_unknown_key_is_refused_and_the_likely_one_named() -> None:
    with pytest.raises(
        SettingsError, match=r"unknown key ingest\.frames\.rate; did you mean 'rate_hz'"
    ):
        settings_from({"ingest": {"frames": {"rate": 2}}}, origin="mine.yaml")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"ingest": {"frames": {"rate_hz": "often"}}}, r"ingest\.frames\.rate_hz: .*'often'"),
        ({"ingest": 3}, r"ingest\. must be a mapping|ingest.* must be a mapping"),
        ([1], "the file must be a mapping"),
    ],
)
def test_a_wrong_value_is_named(data: object, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        settings_from(data, origin="mine.yaml")


def test_a_missing_configuration_names_the_shipped_ones() -> None:
    with pytest.raises(SettingsError, match=r"no configuration 'nope': .*default"):
        load_settings("nope")


def test_a_file_that_is_not_yaml_is_refused_in_one_line(tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text("a: [1,\nb: }")
    with pytest.raises(SettingsError, match="not YAML") as caught:
        load_settings(config)
    assert "\n" not in str(caught.value)
