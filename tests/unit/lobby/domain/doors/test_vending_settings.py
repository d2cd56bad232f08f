"""The vending door's settings: accepted values, and each wrong value with the rule."""

import json
from typing import Any

import pytest

from lobby.domain.doors.vending_settings import MAX_CHARACTERS, TypeSettings, parse_settings
from lobby.errors import InvalidInput
from tests import certificates as make

ROOT = make.authority().pem
GOOD: dict[str, Any] = {
    "AWS_ROOT_CA": {"PREFERRED": ROOT, "BACKUP": ROOT},
    "POLICIES": {"default": {"name": "device-lobby-waiting"}, "P-100": {"name": "device-lobby-pumps"}},
    "ATTRIBUTES": {"default": [], "P-100": [{"name": "version"}, {"name": "creationDate"}, {"name": "enrolment"}]},
}


def test_the_type_is_the_model_or_the_default() -> None:
    settings = parse_settings(json.dumps(GOOD))
    assert (settings.preferred_root, settings.backup_root) == (ROOT, ROOT)
    assert settings.of_type("P-100") == TypeSettings("device-lobby-pumps", ("version", "creationDate", "enrolment"))
    assert settings.of_type(None) == settings.of_type("P-200") == TypeSettings("device-lobby-waiting", ())


POLICIES: list[Any] = ["Admin", "device-lobby-", "device-lobbyx", "device-lobby-A", "device-lobby-a/b", "", None, 1, []]
ATTRIBUTES: list[Any] = [
    *(None, "version", [{"name": "serial"}], [{"name": "version"}] * 2, [{"name": []}], ["version"]),
]
WRONG: dict[str, Any] = {
    "no JSON": "{",
    "a list": "[]",
    "too long": json.dumps(GOOD) + " " * MAX_CHARACTERS,
    "a section too few": {key: value for key, value in GOOD.items() if key != "POLICIES"},
    "a section too many": GOOD | {"TOKENS": []},
    "no backup root": GOOD | {"AWS_ROOT_CA": {"PREFERRED": ROOT}},
    "a root's address": GOOD | {"AWS_ROOT_CA": {"PREFERRED": "https://www.amazontrust.com/x.pem", "BACKUP": ROOT}},
    "two roots in one": GOOD | {"AWS_ROOT_CA": {"PREFERRED": ROOT + ROOT, "BACKUP": ROOT}},
    "no default type": GOOD | {"POLICIES": {"P-100": GOOD["POLICIES"]["P-100"]}, "ATTRIBUTES": {"P-100": []}},
    "a type without attributes": GOOD | {"ATTRIBUTES": {"default": []}},
    "a type with spaces": GOOD
    | {
        "POLICIES": {"default": {"name": "device-lobby-waiting"}, "a b": {"name": "device-lobby-waiting"}},
        "ATTRIBUTES": {"default": [], "a b": []},
    },
    **{f"policy {name!r}": GOOD | {"POLICIES": GOOD["POLICIES"] | {"default": {"name": name}}} for name in POLICIES},
    **{f"attributes {given!r}": GOOD | {"ATTRIBUTES": GOOD["ATTRIBUTES"] | {"default": given}} for given in ATTRIBUTES},
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_settings_are_refused(case: str) -> None:
    given = WRONG[case]
    with pytest.raises(InvalidInput, match=r"INVALID_SETTINGS: got .*, want ") as refused:
        parse_settings(given if isinstance(given, str) else json.dumps(given))
    assert len(refused.value.message) < 400
