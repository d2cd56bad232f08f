"""The pure decisions of the vending door about a request.

A thing name belongs to the token for which its device got a certificate. A request with the same token and the same key
gets the same certificate, so that a device can repeat a request whose answer was lost. A request with another key gets
a new certificate, which replaces the previous one. Another token is refused. A device that an operator has revoked is
not admitted.
"""

from dataclasses import dataclass

from lobby.domain.connections.deactivation_reasons import QUARANTINED
from lobby.domain.device import Device
from lobby.domain.enrolments.enrolment_token import OTHER_NAME, EnrolmentToken, TokenRefused, TokenUse, refusal_of_use
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest, is_unproven
from lobby.errors import Conflict
from lobby.names import ThingName


@dataclass(frozen=True)
class Holder:
    """The device that has the requested thing name. `same_key`: its certificate has the key of the request.
    `has_connected`: the device has used the certificate, so the answer was not lost."""

    device: Device
    same_key: bool
    has_connected: bool


@dataclass(frozen=True)
class Repeated:
    """The certificate was issued for this request before. `activate`: the device has not connected since, so the
    certificate may not be active yet."""

    device: Device
    activate: bool


def decide(token: EnrolmentToken, name: ThingName, holder: Holder | None, at: str) -> Repeated | TokenUse:
    """Return the decision about a request for the thing name with this token. Raise `TokenRefused`, or `Conflict`
    NAME_TAKEN."""
    if token.name not in (None, name):
        raise TokenRefused(OTHER_NAME, f"got the thing name {name}, want {token.name}, for which token {token.id} is")
    use = _use(token, name, holder)
    if isinstance(use, Repeated):
        return use
    if refusal := refusal_of_use(use, at):
        raise TokenRefused(refusal.code, refusal.message)
    return use


def _use(token: EnrolmentToken, name: ThingName, holder: Holder | None) -> Repeated | TokenUse:
    if holder is None:
        return TokenUse(token, counts=True)
    device = holder.device
    is_own = device.token == token.id
    if device.devstate is State.REVOKED:
        if is_own:
            raise TokenRefused("REVOKED", f"got the thing name {name}, whose device is revoked; want another token")
        return TokenUse(token, counts=True)
    if is_own and device.devstate is State.QUARANTINED:
        raise TokenRefused(
            QUARANTINED, f"got the thing name {name}, whose device is in quarantine; want it lifted first"
        )
    if not is_own:
        raise Conflict(
            "NAME_TAKEN", f"got the name {name!r}, held by certificate {device.certid}; want one that is free"
        )
    if holder.same_key:
        return Repeated(device, activate=not holder.has_connected)
    return TokenUse(token, counts=holder.has_connected, replaces=device)


def carried_claim(replaced: Device | None) -> ClaimRequest | None:
    """Return the claim that the new certificate takes over from the replaced one. A claim that waits for proof of
    presence is not taken over, because presence must be proven with the new certificate."""
    if replaced is None or replaced.target is None or replaced.devstate is State.PROVING or is_unproven(replaced):
        return None
    return ClaimRequest(replaced.target, replaced.profile, replaced.config)
