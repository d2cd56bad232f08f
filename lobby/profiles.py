"""The profiles that a Lambda knows: a file in its bundle, written when the lobby is deployed.

The deployment reads and checks the operator's files, so the Lambdas use exactly the checked content and can read it
without a permission or a call. The file contains all profiles as one JSON object, by name.
"""

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, Final

from lobby import strict_json
from lobby.domain.targets.profile import Profile, Profiles, Statement
from lobby.domain.targets.profile_rules import parse_profiles
from lobby.errors import InvalidInput, MissingSettings

PATH: Final = "lobby/profiles.json"
"""The path of the file in a bundle."""
_FILE: Final = Path(__file__).with_name("profiles.json")


def encode_profiles(profiles: Profiles) -> bytes:
    """Return the content of the file. The same profiles give the same bytes."""
    contents = {name: _content(profile) for name, profile in profiles.by_name.items()}
    return json.dumps(contents, sort_keys=True, separators=(",", ":")).encode()


def decode_profiles(content: bytes) -> Profiles:
    """Return the profiles in the content of a file. Raise `InvalidInput` INVALID_PROFILES."""
    try:
        found = strict_json.loads(content)
    except ValueError as error:
        raise InvalidInput("INVALID_PROFILES", f"got {PATH} that is not JSON ({error}), want profiles") from None
    return parse_profiles(found)


@cache
def bundled_profiles() -> Profiles:
    """Return the profiles of this bundle. Raise `MissingSettings` MISSING_PROFILES."""
    if not _FILE.is_file():
        raise MissingSettings("MISSING_PROFILES", f"got no {PATH}, want it in the bundle of this function")
    return decode_profiles(_FILE.read_bytes())


def _content(profile: Profile) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": profile.description,
        "policy": [_statement(each) for each in profile.statements],
        "attributes": dict(profile.attributes),
        "thing_groups": list(profile.thing_groups),
        "billing_group": profile.billing_group,
        "enrolment_attributes": list(profile.enrolment_attributes),
        "enrolment_groups": list(profile.enrolment_groups),
    }
    if profile.thing_type is not None:
        found["thing_type"] = {
            "name": profile.thing_type.name,
            "searchable_attributes": list(profile.thing_type.searchable),
            "description": profile.thing_type.description,
        }
        _drop_empty(found["thing_type"])
    if profile.renewal is not None:
        found["renewal"] = asdict(profile.renewal)
    return _drop_empty(found)


def _statement(statement: Statement) -> dict[str, Any]:
    return _drop_empty(
        {
            "actions": list(statement.actions),
            "resources": list(statement.resources),
            "shared": statement.shared or None,
        }
    )


def _drop_empty(fields: dict[str, Any]) -> dict[str, Any]:
    for name in [name for name, value in fields.items() if value in (None, "", [], {})]:
        del fields[name]
    return fields
