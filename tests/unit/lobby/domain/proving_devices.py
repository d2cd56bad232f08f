"""Devices whose claims require proof of presence, for tests."""

from lobby.domain import hellos, presence, transitions
from lobby.domain.commissioner_transitions import arrive, commission
from lobby.domain.device import Device
from lobby.domain.hellos import Report
from lobby.domain.identity import Identity
from lobby.domain.transitions import ClaimRequest
from lobby.names import Fingerprint, PresenceCode, Region, ThingName, parse_target

CERTID = Fingerprint("ab" * 32)


HERE = Region("eu-west-1")


A, B, C = (parse_target(f"{number}" * 12, "eu-west-1") for number in (1, 2, 3))


WHO = Identity(CERTID, ThingName("sensor-1"), "PEM")


T = "2026-11-22T12:00:00.000Z"


SOON, LATER = "2026-11-22T12:09:59.999Z", "2026-11-22T12:10:00.000Z"


CODE = PresenceCode("48291375")


BOUND = ClaimRequest(A, presence=True)


def inlobby(*, shows: bool | None = True) -> Device:
    return hellos.hello(transitions.admit(None, WHO, HERE, T), Report(shows_code=shows), T)


def proving(claim: ClaimRequest = BOUND, *, shows: bool | None = True) -> Device:
    return with_code(transitions.claim(inlobby(shows=shows), CERTID, claim, "user:ann", T))


def with_code(device: Device, code: PresenceCode = CODE) -> Device:
    asked = presence.with_code(device, lambda: code)
    assert asked is not None
    return asked


def confirmed() -> Device:
    return presence.confirm(proving(), 1, T)


def arrived(claim: ClaimRequest = BOUND) -> Device:
    claimed = confirmed() if claim.presence else transitions.claim(inlobby(), CERTID, claim, "user:ann", T)
    return arrive(commission(claimed, claimed.generation, "a.example", T), T)


def dropped() -> Device:
    device = proving()
    for _ in range(presence.MAX_WRONG_CODES):
        device = presence.mismatch(device, device.generation, T)
    return device
