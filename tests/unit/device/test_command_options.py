"""Where the value of an option comes from, and which values are rejected."""

import json
from pathlib import Path
from typing import Any

import pytest

from device.command_options import RUN, values
from lobby.errors import InvalidInput


def chosen(name: str, given: dict[str, Any], variables: dict[str, str]) -> Any:
    return values(RUN, given, variables)[name]


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "settings.json"
    path.write_text(
        json.dumps({"ca": "roots.pem", "port": 443, "lobby": ["a", "b:1"], "portable": True, "retry_cap": 7.5})
    )
    return path


def test_the_command_line_has_precedence_over_the_environment_over_the_file_over_the_default(settings: Path) -> None:
    in_file = {"DEVICE_SETTINGS": str(settings)}
    assert chosen("port", {}, {}) == 8883
    assert chosen("port", {}, in_file) == 443
    assert chosen("port", {}, {**in_file, "DEVICE_PORT": "444"}) == 444
    assert chosen("port", {"port": "445"}, {**in_file, "DEVICE_PORT": "444"}) == 445


def test_the_file_has_values_of_all_types_and_paths_next_to_it(settings: Path) -> None:
    read = values(RUN, {"settings": str(settings)}, {})
    assert read["ca"] == settings.parent / "roots.pem"
    assert (read["lobby"], read["portable"], read["retry_cap"]) == (["a,b:1"], True, 7.5)
    assert (read["cert"], read["aws_keys"], read["hello_every"]) == (None, False, 60.0)


def test_an_absolute_path_in_the_file_is_kept(settings: Path) -> None:
    settings.write_text(json.dumps({"ca": "/etc/roots.pem"}))
    assert chosen("ca", {}, {"DEVICE_SETTINGS": str(settings)}) == Path("/etc/roots.pem")


def test_an_empty_variable_is_no_value() -> None:
    assert chosen("port", {}, {"DEVICE_PORT": ""}) == 8883
    assert chosen("cert", {}, {"DEVICE_CERT": ""}) is None


@pytest.mark.parametrize(("text", "value"), [("1", True), ("TRUE", True), ("on", True), ("0", False), ("no", False)])
def test_a_flag_in_the_environment_is_a_word(text: str, value: bool) -> None:
    assert chosen("portable", {}, {"DEVICE_PORTABLE": text}) is value


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("DEVICE_PORT", "many"),
        ("DEVICE_PORTABLE", "maybe"),
        ("DEVICE_RETRY_BASE", "1s"),
        ("DEVICE_LOG_FORMAT", "xml"),
        ("DEVICE_FALLBACK_ATTEMPTS", "1.5"),
    ],
)
def test_a_value_of_the_wrong_type_is_named_with_its_source(variable: str, text: str) -> None:
    with pytest.raises(InvalidInput) as rejected:
        values(RUN, {}, {variable: text})
    assert (rejected.value.code, variable in rejected.value.message, text in rejected.value.message) == (
        "INVALID_SETTING",
        True,
        True,
    )


@pytest.mark.parametrize("content", ["", "[]", "null", "{", '{"lobbies": "a"}', '{"help": true}', '{"port": NaN}'])
def test_a_file_that_is_no_object_of_known_names_is_rejected(settings: Path, content: str) -> None:
    settings.write_text(content)
    with pytest.raises(InvalidInput) as rejected:
        values(RUN, {"settings": str(settings)}, {})
    assert rejected.value.code == "UNREADABLE_SETTINGS"


def test_a_missing_file_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        values(RUN, {"settings": str(tmp_path / "missing.json")}, {})
