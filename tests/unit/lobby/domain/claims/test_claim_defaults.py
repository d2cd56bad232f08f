"""The defaults of an enrolment for claims: values that a claim leaves open, and values that it names."""

from dataclasses import replace
from typing import Any

import pytest

from lobby.domain.changes import Chosen, Claim, decide
from lobby.domain.claims.claim_defaults import ClaimDefaults, OmittedFields
from lobby.domain.claims.serial_claim import SerialClaim
from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.domain.targets.target import RegisteredTarget
from lobby.domain.transitions import ClaimRequest, claim, release
from lobby.errors import NotFound
from lobby.names import ThingName
from tests.unit.lobby.domain.sample_devices import CERTID, A, T, claimed, inlobby

CAMERAS = ClaimDefaults("camera", {"period": 5})
TARGET = RegisteredTarget(A, "Here", "id", ("default", "camera", "pump"), "user:ann", T)
PLAIN = RegisteredTarget(A, "Here", "id", ("default",), "user:ann", T)


def waiting(defaults: ClaimDefaults | None = CAMERAS) -> Device:
    return replace(inlobby(), claim_defaults=defaults)


def after(change: Claim, device: Device | None) -> Device:
    result = decide(change, Chosen(CERTID), device, "user:ann", T)
    assert result is not None
    return result


@pytest.mark.parametrize(
    ("named", "profile", "config"),
    [
        ({}, "camera", {"period": 5}),
        ({"profile": "pump"}, "pump", {"period": 5}),
        ({"profile": "default"}, "default", {"period": 5}),
        ({"config": "mine"}, "camera", "mine"),
        ({"config": "default"}, "camera", "default"),
        ({"config": {}}, "camera", {}),
        ({"config": ""}, "camera", ""),
        ({"profile": "pump", "config": {"a": 1}}, "pump", {"a": 1}),
    ],
    ids=str,
)
def test_what_a_claim_names_has_precedence_over_the_defaults(named: Any, profile: str, config: Any) -> None:
    device = after(Claim(TARGET, **named), waiting())
    assert (device.devstate, device.target, device.profile, device.config) == (State.CLAIMED, A, profile, config)
    assert after(Claim(TARGET, **named), device) is device, "a repeated claim changes nothing"


@pytest.mark.parametrize("device", [None, waiting(None)], ids=["never seen", "no defaults"])
def test_a_device_without_defaults_gets_those_of_the_target(device: Device | None) -> None:
    found = after(Claim(TARGET), device)
    assert (found.profile, found.config) == ("default", "default")


def test_a_default_profile_that_the_target_does_not_offer_is_refused_and_a_named_one_is_not() -> None:
    with pytest.raises(NotFound, match=f"UNKNOWN_PROFILE: got profile camera, .* want one of {A}'s: default"):
        after(Claim(PLAIN), waiting())
    assert after(Claim(PLAIN, "default"), waiting()).profile == "default"


def test_defaults_without_a_profile_take_that_of_the_target() -> None:
    device = after(Claim(PLAIN), waiting(ClaimDefaults(config="mine")))
    assert (device.profile, device.config) == ("default", "mine")


def test_default_presence_requires_proof_also_if_the_target_does_not() -> None:
    device = after(Claim(TARGET), waiting(ClaimDefaults(presence=True)))
    assert device.devstate is State.PROVING
    target = replace(TARGET, presence=True)
    assert after(Claim(target), waiting(ClaimDefaults())).devstate is State.PROVING


def test_a_complete_request_is_not_changed() -> None:
    """Such as the claim that a replaced certificate leaves to its successor: the proof was given before."""
    device = claim(waiting(ClaimDefaults("camera", "mine", presence=True)), CERTID, ClaimRequest(A), "user:ann", T)
    assert (device.devstate, device.profile, device.config) == (State.CLAIMED, "default", "default")


def test_the_defaults_apply_again_after_a_release() -> None:
    released = release(after(Claim(TARGET, "pump", "mine"), waiting()), T)
    assert released is not None
    assert after(Claim(TARGET), released).profile == "camera"


def test_a_claimed_device_keeps_what_it_has() -> None:
    device = replace(claimed(), claim_defaults=CAMERAS)
    assert (device.profile, device.config) == ("default", "default")


@pytest.mark.parametrize("defaults", [ClaimDefaults(), CAMERAS, ClaimDefaults(None, "", presence=True)])
def test_defaults_are_read_as_they_were_stored(defaults: ClaimDefaults) -> None:
    assert ClaimDefaults.decode(defaults.encode()) == defaults


@pytest.mark.parametrize(
    ("held", "wanted", "same"),
    [
        (OmittedFields(("default",), config=True), OmittedFields(("default", "camera"), config=True), True),
        (OmittedFields(("default",)), OmittedFields(), False),
        (OmittedFields(config=True), OmittedFields(), False),
        (OmittedFields(), None, False),
        (None, OmittedFields(("default",), config=True), True),
    ],
    ids=["target offers more now", "names a profile", "names a configuration", "complete", "earlier version"],
)
def test_claims_by_serial_number_differ_by_what_they_name(
    held: OmittedFields | None, wanted: OmittedFields | None, same: bool
) -> None:
    known = SerialClaim(ThingName("pump-1"), ClaimRequest(A, omitted=held), "user:ann", T)
    assert known.same_as(ClaimRequest(A, omitted=wanted)) is same
