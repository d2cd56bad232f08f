"""Refuses UpdateThing with an `expectedVersion` that is not the thing's version.

Difference from AWS: AWS IoT refuses the call with VersionConflictException (API reference, UpdateThing). MiniStack
checks the parameter only in DeleteThing and ignores it in UpdateThing.

Unnecessary when: MiniStack checks it.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

UPDATE: Final = PatchPoint("ministack.services.iot", "_update_thing", ("name", "payload"))
THINGS: Final = PatchPoint("ministack.services.iot", "_things")
PATCH_POINTS: Final = (UPDATE, THINGS)


def apply() -> None:
    """Check the version."""
    UPDATE.wrap(_checking)


def _checking(original: Callable[..., Any]) -> Callable[..., Any]:
    def update(name: str, payload: dict[str, Any]) -> Any:
        expected, thing = payload.get("expectedVersion"), THINGS.resolve().get(name)
        if expected is None or thing is None or int(expected) == thing.get("version", 1):
            return original(name, payload)
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": "VersionConflictException"}
        message = f"The version for thing {name} does not match the expected version."
        return 409, headers, json.dumps({"message": message}).encode()

    return update
