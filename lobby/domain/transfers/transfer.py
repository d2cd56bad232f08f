"""The transfer of a device between two lobbies, as the row of each lobby records it.

In the lobby that offers it: first an open offer, then, when the transfer is completed, the endpoint of the new lobby,
which answers the device's hellos until `until`. In the lobby that has accepted it: the offer and its origin.
`transfer_transitions` decides what an event changes.
"""

import re
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from lobby.errors import InvalidInput
from lobby.names import shown

MAX_DEVICES: Final = 25
"""The maximum number of devices in one offer. An acceptance calls AWS IoT about five times for each device, within one
request."""
VALID_DAYS: Final = 30
"""How long an offer is valid by default, and at most `MAX_VALID_DAYS`."""
MAX_VALID_DAYS: Final = 365
ANSWER_DAYS: Final = 180
"""How long the old lobby answers hellos of a device that was transferred, by default; at most `MAX_ANSWER_DAYS`."""
MAX_ANSWER_DAYS: Final = 3650
_OFFER_ID: Final = re.compile(r"[0-9a-f]{32}")
_PARTNER: Final = re.compile(r"[!-~]([ -~]{0,62}[!-~])?")


class TransferStep(StrEnum):
    """The progress of a transfer, in this lobby."""

    OFFERED = "offered"
    COMPLETED = "completed"
    ACCEPTED = "accepted"
    """This lobby has accepted the device."""


@dataclass(frozen=True)
class Transfer:
    """`partner` is the other lobby: its name as the offering user states it, or its account and Region once it is
    known. `at` and `actor` belong to the last step. `expires` is the end of the offer, `endpoint` the new lobby's host
    and port, and `until` the time at which the certificate becomes INACTIVE in the old lobby; `ended`: it has become
    INACTIVE. `offered_by` is the user who made the offer, and `certificate` the fingerprint of the certificate in it.
    Times are ISO 8601 UTC."""

    step: TransferStep
    offer: str
    partner: str
    at: str
    actor: str
    expires: str
    offered_by: str | None = None
    endpoint: str | None = None
    until: str | None = None
    ended: bool = False
    certificate: str | None = None

    def encode(self) -> dict[str, Any]:
        """Return the transfer as an object for JSON."""
        values = asdict(self) | {"step": self.step.value, "ended": self.ended or None}
        return {name: value for name, value in values.items() if value is not None}

    @staticmethod
    def decode(body: dict[str, Any]) -> "Transfer":
        return Transfer(**(body | {"step": TransferStep(body["step"])}))

    def is_open(self, at: str) -> bool:
        """Return whether it is an offer that can be completed at this time."""
        return self.step is TransferStep.OFFERED and at < self.expires


def parse_offer_id(text: object) -> str:
    """Return the id of an offer. Raise `InvalidInput` INVALID_OFFER."""
    if isinstance(text, str) and _OFFER_ID.fullmatch(text):
        return text
    raise InvalidInput("INVALID_OFFER", f"got offer id {shown(text)}, want 32 hex digits")


def parse_partner(text: object) -> str:
    """Return the name of the other operator. Raise `InvalidInput` INVALID_NAME."""
    if isinstance(text, str) and _PARTNER.fullmatch(text):
        return text
    raise InvalidInput("INVALID_NAME", f"got {shown(text)}, want 1 to 64 printable ASCII characters")


def parse_days(days: int, most: int) -> timedelta:
    """Return a number of days as a duration. Raise `InvalidInput` INVALID_DAYS."""
    if 1 <= days <= most:
        return timedelta(days=days)
    raise InvalidInput("INVALID_DAYS", f"got {days} days, want 1 to {most}")
