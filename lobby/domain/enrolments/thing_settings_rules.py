"""Reads the attributes and thing groups that a user enters for an enrolment.

Rejects settings that no profile lets enrolments set, that AWS IoT's registry would not accept, or that are too large
for the row of each device.
"""

import json
import re
from collections.abc import Sequence
from typing import Final

from lobby.domain.enrolments.thing_settings import ThingSettings
from lobby.domain.targets.profile import Profiles
from lobby.errors import InvalidInput, NotFound
from lobby.names import shown

MAX_BYTES: Final = 400
"""The size limit of the settings as JSON. Each device's row contains them, and each write of a row above 1 kB costs
more."""
_VALUE: Final = re.compile(r"[a-zA-Z0-9_.,@/:#=\[\]-]{1,256}")


def parse_settings(
    attributes: Sequence[tuple[str, str]], groups: Sequence[str], profiles: Profiles
) -> ThingSettings | None:
    """Return the settings that a user enters; None for none. Raise `InvalidInput` INVALID_ATTRIBUTES, or `NotFound`
    UNKNOWN_ATTRIBUTE or UNKNOWN_THING_GROUP for what no profile permits."""
    names = [name for name, _ in attributes]
    if len(set(names)) < len(names) or len(set(groups)) < len(groups):
        raise InvalidInput("INVALID_ATTRIBUTES", f"got {shown([*names, *groups])}, want each name once")
    _require_known("UNKNOWN_ATTRIBUTE", "attribute", names, profiles.enrolment_attributes())
    _require_known("UNKNOWN_THING_GROUP", "thing group", groups, profiles.enrolment_groups())
    for name, value in attributes:
        if not _VALUE.fullmatch(value):
            want = "want 1 to 256 of the characters a-z A-Z 0-9 _ . , @ / : # = [ ] -"
            raise InvalidInput("INVALID_ATTRIBUTES", f"got {shown(value)} as attribute {name}, {want}")
    settings = ThingSettings(tuple(sorted(attributes)), tuple(groups))
    size = len(json.dumps(settings.encode(), separators=(",", ":")))
    if size > MAX_BYTES:
        raise InvalidInput("INVALID_ATTRIBUTES", f"got attributes and groups of {size} bytes, want at most {MAX_BYTES}")
    return settings if attributes or groups else None


def _require_known(code: str, what: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            permitted = ", ".join(known) or "none yet"
            raise NotFound(code, f"got {what} {shown(name)}, want one that a profile lets enrolments set: {permitted}")
