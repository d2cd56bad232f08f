"""Devices in the states that the tests of transitions start from."""

from lobby.domain import hellos, transitions
from lobby.domain.commissioner_transitions import arrive, commission
from lobby.domain.device import Device
from lobby.domain.hellos import Report
from lobby.domain.identity import Identity
from lobby.domain.transitions import ClaimRequest
from lobby.names import Fingerprint, Region, ThingName, parse_target

CERTID = Fingerprint("ab" * 32)


HERE = Region("eu-west-1")


A, B, C = (parse_target(f"{number}" * 12, "eu-west-1") for number in (1, 2, 3))


WHO = Identity(CERTID, ThingName("sensor-1"), "PEM")


T = "2026-11-22T12:00:00.000Z"


def knocking() -> Device:
    return transitions.admit(None, WHO, HERE, T)


def inlobby() -> Device:
    return hellos.hello(knocking(), Report(), T)


def claimed(request: ClaimRequest = ClaimRequest(A)) -> Device:  # noqa: B008  # frozen
    return transitions.claim(inlobby(), CERTID, request, "user:ann", T)


def commissioned() -> Device:
    return commission(claimed(), 1, "a.example", T)


def arrived() -> Device:
    return arrive(commissioned(), T)
