"""Refuses the deletion of a thing type that was deprecated less than five minutes ago.

Difference from AWS: a thing type can be deleted five minutes after its deprecation (API reference, DeleteThingType).
MiniStack deletes it immediately.

Unnecessary when: MiniStack compares the time of the deprecation.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

DELETE: Final = PatchPoint("ministack.services.iot", "_delete_thing_type", ("name",))
TYPES: Final = PatchPoint("ministack.services.iot", "_thing_types")
ERROR: Final = PatchPoint("ministack.core.responses", "error_response_json")
PATCH_POINTS: Final = (DELETE, TYPES, ERROR)
DEPRECATED_SECONDS: Final = 300


def is_too_early(metadata: Mapping[str, Any], now: float) -> bool:
    """Return whether AWS IoT refuses the deletion of a deprecated thing type at `now`, in seconds since 1970."""
    return bool(metadata.get("deprecated")) and now < float(metadata["deprecationDate"]) + DEPRECATED_SECONDS


def apply(clock: Callable[[], float] = time.time) -> None:
    """Compare the time of the deprecation before a deletion."""
    types, respond = TYPES.resolve(), ERROR.resolve()

    def wrap(original: Callable[[str], Any]) -> Callable[[str], Any]:
        def delete(name: str) -> Any:
            found = types.get(name)
            if found is not None and is_too_early(found["thingTypeMetadata"], clock()):
                message = "ThingType must be deprecated for at least 5 minutes before deletion"
                return respond("InvalidRequestException", message, 400)
            return original(name)

        return delete

    DELETE.wrap(wrap)
