"""The settings of the vending door in Parameter Store, in the format of AWS's certificate vending machine.

    {"AWS_ROOT_CA": {"PREFERRED": "<PEM>", "BACKUP": "<PEM>"},
     "POLICIES": {"<TYPE>": {"name": "<IoT policy>"}},
     "ATTRIBUTES": {"<TYPE>": [{"name": "creationDate"}, {"name": "version"}]}}

The type of a device is the model of its enrolment, or `default` if the settings have no such type. The roots are PEM
instead of addresses as in AWS's machine, so a device does not wait for a download, and only the operator can replace
them. A policy must be one of the lobby's policies, so that a changed parameter cannot give a device more permissions
than these policies have.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lobby import strict_json
from lobby.deployment import NAMES
from lobby.domain.trust.reading import Unreadable, pem_certificates
from lobby.errors import InvalidInput
from lobby.names import shown

DEFAULT_TYPE: Final = "default"
MAX_CHARACTERS: Final = 4096
"""The limit of a standard parameter (Systems Manager API reference, PutParameter: Value)."""
ATTRIBUTES: Final = ("creationDate", "version", "enrolment")
"""The attributes that a thing can have. A thing without a thing type has at most three."""
_SECTIONS: Final = ("AWS_ROOT_CA", "POLICIES", "ATTRIBUTES")
_ROOTS: Final = ("PREFERRED", "BACKUP")
_TYPE: Final = re.compile(r"[a-zA-Z0-9:_-]{1,128}")
_POLICY: Final = re.compile(rf"{NAMES.policy('')}[a-z0-9-]{{1,64}}")


@dataclass(frozen=True)
class TypeSettings:
    """The IoT policy of devices of a type in the lobby, and the attributes of their things."""

    policy: str
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True)
class VendingSettings:
    """Validated settings. The roots are PEM."""

    preferred_root: str
    backup_root: str
    types: Mapping[str, TypeSettings]

    def of_type(self, model: str | None) -> TypeSettings:
        return self.types.get(model or DEFAULT_TYPE) or self.types[DEFAULT_TYPE]


def parse_settings(text: str) -> VendingSettings:
    """Return the settings in a parameter's value. Raise `InvalidInput` INVALID_SETTINGS."""
    if len(text) > MAX_CHARACTERS:
        raise _wrong(f"{len(text)} characters, want at most {MAX_CHARACTERS}")
    try:
        value = strict_json.loads(text)
    except ValueError as error:
        raise _wrong(f"{shown(text[:40])}, want JSON ({error})") from None
    sections = _object(value, "the settings", _SECTIONS)
    roots = _object(sections["AWS_ROOT_CA"], "AWS_ROOT_CA", _ROOTS)
    preferred, backup = (_root(roots[each], each) for each in _ROOTS)
    policies = _object(sections["POLICIES"], "POLICIES")
    attributes = _object(sections["ATTRIBUTES"], "ATTRIBUTES")
    if set(policies) != set(attributes) or DEFAULT_TYPE not in policies:
        got = ", ".join(sorted({*policies, *attributes})) or "none"
        raise _wrong(f"the types {shown(got)}, want each in POLICIES and ATTRIBUTES, and {DEFAULT_TYPE} among them")
    types = {name: _type(name, policies[name], attributes[name]) for name in policies}
    return VendingSettings(preferred, backup, types)


def _type(name: str, policy: object, attributes: object) -> TypeSettings:
    if not _TYPE.fullmatch(name):
        raise _wrong(f"type {shown(name)}, want 1 to 128 of a-z A-Z 0-9 : _ -")
    policy_name = _object(policy, f"the policy of {name}", ("name",))["name"]
    if not isinstance(policy_name, str) or not _POLICY.fullmatch(policy_name):
        raise _wrong(f"policy {shown(policy_name)} of type {name}, want one of the lobby's: {NAMES.policy('…')}")
    if not isinstance(attributes, list):
        raise _wrong(f"{shown(attributes)} as attributes of type {name}, want a list")
    names = [_object(each, f"an attribute of {name}", ("name",))["name"] for each in attributes]
    wrong = [each for each in names if each not in ATTRIBUTES]
    if wrong or len(set(names)) < len(names):
        raise _wrong(f"attributes {shown(names)} of type {name}, want each once, of {', '.join(ATTRIBUTES)}")
    return TypeSettings(policy_name, tuple(names))


def _root(value: object, which: str) -> str:
    if isinstance(value, str):
        try:
            if len(pem_certificates(value)) == 1:
                return value
        except Unreadable:
            pass
    raise _wrong(f"{shown(value, 60)} as AWS_ROOT_CA.{which}, want one certificate in PEM")


def _object(value: object, what: str, keys: tuple[str, ...] | None = None) -> dict[str, Any]:
    if not isinstance(value, dict) or (keys is not None and set(value) != set(keys)):
        want = f"an object with {', '.join(keys)}" if keys else "an object"
        raise _wrong(f"{shown(value)} as {what}, want {want}")
    return value


def _wrong(what: str) -> InvalidInput:
    return InvalidInput("INVALID_SETTINGS", f"got {what}")
