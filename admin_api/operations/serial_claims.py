"""Claims devices by serial number, even if their certificates do not exist yet, and withdraws such claims."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from admin_api.roles import Caller
from admin_api.services import Services
from lobby.domain.claims.serial_claim import SerialClaim
from lobby.domain.device import Device
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, LobbyError
from lobby.ledger.enrolments.serial_claims import ClaimPage
from lobby.names import parse_thing_name


@dataclass(frozen=True)
class Outcome:
    """The result for one serial number in the caller's form: a claim that waits for its device, the claimed device, or
    an error."""

    serial: str
    result: SerialClaim | Device | LobbyError


def claim(
    services: Services, caller: Caller, serials: Sequence[str], request: ClaimRequest, time_is_up: Callable[[], bool]
) -> list[Outcome]:
    """Claim each serial number. Repeating a request changes nothing. If a device already has the serial number, claim
    the device now. Once `time_is_up`, the remaining ones get `Conflict` NOT_TRIED."""
    found: list[Outcome] = []
    for text in serials:
        try:
            if time_is_up():
                raise Conflict("NOT_TRIED", f"got {text}, but there was no time left; send it again")
            found.append(Outcome(text, _claim(services, caller, text, request)))
        except LobbyError as error:
            found.append(Outcome(text, error))
    return found


def _claim(services: Services, caller: Caller, text: str, request: ClaimRequest) -> SerialClaim | Device:
    claimed = services.serial_claims.claim(parse_thing_name(text), request, caller.actor)
    if isinstance(claimed, SerialClaim):
        return claimed
    return services.ledger.claim(claimed, request, caller.actor)


def withdraw(services: Services, text: str) -> SerialClaim:
    """Withdraw the claim of a serial number. Raise `InvalidInput` INVALID_THING_NAME, or `NotFound`
    UNKNOWN_SERIAL_CLAIM."""
    return services.serial_claims.withdraw(parse_thing_name(text))


def page(services: Services, first: int, after: str | None) -> ClaimPage:
    """Return a page of claims. Raise `InvalidInput` INVALID_THING_NAME for an invalid cursor."""
    return services.serial_claims.page(first, parse_thing_name(after) if after is not None else None)
