"""The treatment of a second key for a serial number at the door `claim`. The devices of an enrolment share the claim
certificate's key, and a holder of this key can send any serial number. Therefore only a device of the same enrolment
can be replaced, and a revoked serial number is admitted again only after a user's approval.
"""

from dataclasses import dataclass
from typing import Final

from lobby.domain.connections.deactivation_reasons import QUARANTINED, REVOKED
from lobby.domain.device import Device
from lobby.domain.enrolments.enrolment import Enrolment, Repeat
from lobby.domain.enrolments.enrolment_admission import is_counted
from lobby.domain.states import State
from lobby.errors import Conflict
from lobby.names import Fingerprint, ThingName

NAME_TAKEN: Final = "NAME_TAKEN"
REPEAT_ASKED: Final = "REPEAT_ASKED"
SERIAL_REVOKED: Final = "SERIAL_REVOKED"
REFUSING: Final = frozenset({NAME_TAKEN, REPEAT_ASKED, SERIAL_REVOKED, REVOKED, QUARANTINED})
"""The conflicts that refuse a device. After any other conflict, the admission is tried again."""


@dataclass(frozen=True)
class Predecessor:
    """The device that loses its serial number to a new key: its fingerprint and row. `approved`: a user has approved
    this once."""

    holder: Fingerprint
    row: Device | None
    approved: bool = False

    @property
    def revokes(self) -> Device | None:
        """Return the device that is revoked in the transaction that admits its successor."""
        return None if self.row is None or self.row.devstate is State.REVOKED else self.row


def predecessor_for(
    enrolment: Enrolment, serial: ThingName, holder: Fingerprint, row: Device | None, *, same_key: bool, approved: bool
) -> Predecessor:
    """Return the device that a new certificate replaces: `holder` has its serial number, and the row `row`. `same_key`:
    both certificates have the same key, so the device is the same and has lost its certificate. Raise `Conflict`:
    NAME_TAKEN, QUARANTINED, SERIAL_REVOKED or REPEAT_ASKED."""
    if row is None:
        return Predecessor(holder, None)
    got = f"got serial number {serial!r}, held by certificate {holder}"
    _require_replaceable(row, enrolment, got)
    if same_key and row.devstate is not State.REVOKED:
        return Predecessor(holder, row)
    if enrolment.repeat is Repeat.REFUSE:
        raise Conflict(NAME_TAKEN, f"{got}; enrolment {enrolment.name} refuses a second key")
    if approved:
        return Predecessor(holder, row, approved=True)
    if row.devstate is State.REVOKED:
        raise Conflict(SERIAL_REVOKED, f"{got}, which was revoked; want a user's approval of the serial number")
    if enrolment.repeat is Repeat.ASK:
        raise Conflict(REPEAT_ASKED, f"{got}; want a user's approval of the serial number")
    return Predecessor(holder, row)


def _require_replaceable(row: Device, enrolment: Enrolment, got: str) -> None:
    if not is_counted(row, enrolment):
        raise Conflict(NAME_TAKEN, f"{got} of {_group(row)}; want one that no other enrolment's device has")
    if row.devstate is State.QUARANTINED:
        raise Conflict(QUARANTINED, f"{got}, which is in quarantine; want its quarantine lifted, or it revoked, first")


def has_same_key(pem: str, other: str) -> bool:
    """Return whether two certificates have the same public key. The requests for both were signed with the private
    key."""
    from lobby.domain.identity import load_certificate  # noqa: PLC0415  # most Lambdas that write the ledger need none

    one, two = (load_certificate(each).public_key() for each in (pem, other))
    return one == two


def _group(row: Device) -> str:
    return f"enrolment {row.enrolment}" if row.enrolment else "no enrolment"
