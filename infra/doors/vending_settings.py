"""The default settings of the vending door: Amazon's root CAs, and the lobby's policy for every device.

These roots sign the certificates of AWS IoT Core's endpoints of type `iot:Data-ATS` (AWS IoT developer guide, "Server
authentication"): RSA, and ECDSA as the backup. A local cloud has its own root.
"""

import json
from pathlib import Path
from typing import Final

from lobby.deployment import NAMES
from lobby.domain.doors.vending_settings import DEFAULT_TYPE

_ROOTS: Final = Path(__file__).parents[1] / "roots"


def settings_with(preferred: str, backup: str) -> str:
    """Return the settings in the format of the parameter, with these roots in PEM."""
    settings = {
        "AWS_ROOT_CA": {"PREFERRED": preferred, "BACKUP": backup},
        "POLICIES": {DEFAULT_TYPE: {"name": NAMES.policy("waiting")}},
        "ATTRIBUTES": {DEFAULT_TYPE: [{"name": "creationDate"}, {"name": "version"}]},
    }
    return json.dumps(settings, indent=1)


def default_settings() -> str:
    return settings_with(*((_ROOTS / f"AmazonRootCA{number}.pem").read_text() for number in (1, 3)))
