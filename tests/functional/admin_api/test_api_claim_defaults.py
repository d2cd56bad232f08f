"""Claims of devices whose enrolment has defaults, by each operation of the API with which a user claims."""

from typing import Any

import pytest

from lobby.domain.campaigns.campaign import CampaignState
from lobby.domain.device import Device
from lobby.domain.enrolments.enrolment_admission import Plan
from lobby.domain.identity import Identity
from lobby.names import Fingerprint, ThingName
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, at, fingerprint
from tests.functional.admin_api.campaign_feeding import feed

ENROL = """
mutation {
  createEnrolment(
    name: "pumps", match: {namePattern: "pump-*"}, allocation: {profile: "camera", config: {period: 5}}
  ) { name }
}"""
SINGLE = """
mutation($id: ID!, $target: TargetInput!, $profile: String, $config: JSON) {
  claimDevice(certid: $id, target: $target, profile: $profile, config: $config) { certid }
}"""
LIST = """
mutation($id: ID!, $target: TargetInput!, $profile: String, $config: JSON) {
  claimDevices(certids: [$id], target: $target, profile: $profile, config: $config) { results { code } }
}"""
SERIAL = """
mutation($target: TargetInput!, $profile: String, $config: JSON) {
  claimSerialNumbers(serialNumbers: ["pump-1"], target: $target, profile: $profile, config: $config) {
    results { code }
  }
}"""
CAMPAIGN = """
mutation($id: ID!, $target: TargetInput!, $profile: String, $config: JSON) {
  createCampaign(
    name: "all", change: {operation: CLAIM, target: $target, profile: $profile, config: $config},
    devices: [{certid: $id}], complete: true
  ) { name }
}"""
WAYS = {"single": SINGLE, "list": LIST, "serial number": SERIAL, "campaign": CAMPAIGN}
ONE = Fingerprint(fingerprint(1))


@pytest.fixture
def waiting(lobby: Lobby) -> Lobby:
    """A lobby with a device that the enrolment has admitted."""
    assert lobby.ask(ENROL, groups=("admin",)).codes == []
    [enrolment] = lobby.enrolments.all()
    lobby.ledger.admit_by(Plan(enrolment), Identity(ONE, ThingName("pump-1"), "-----PEM-----"), "service:bouncer")
    return lobby


def claim(lobby: Lobby, way: str, **wanted: Any) -> Device:
    document = WAYS[way]
    needs_id = {"id": ONE} if "$id" in document else {}
    response = lobby.ask(document, {"target": at(HERE), **needs_id, **wanted}, ("operator",))
    assert response.codes == [], response.body
    if way == "campaign":
        feed(lobby, "all", CampaignState.DONE)
    device = lobby.ledger.get(ONE)
    assert device is not None
    return device


@pytest.mark.parametrize("way", WAYS)
def test_a_claim_gets_the_defaults_of_the_enrolment(waiting: Lobby, way: str) -> None:
    device = claim(waiting, way)
    assert (device.target, device.profile, device.config) == (HERE, "camera", {"period": 5})


@pytest.mark.parametrize("way", WAYS)
def test_a_claim_keeps_what_it_names(waiting: Lobby, way: str) -> None:
    device = claim(waiting, way, profile="default", config={})
    assert (device.target, device.profile, device.config) == (HERE, "default", {})


def test_a_single_claim_for_a_target_without_the_default_profile_is_refused(waiting: Lobby) -> None:
    assert waiting.ask(SINGLE, {"id": ONE, "target": at(THERE)}, ("operator",)).code == "UNKNOWN_PROFILE"


@pytest.mark.parametrize("way", ["list", "serial number"])
def test_a_device_of_a_list_is_refused_alone(waiting: Lobby, way: str) -> None:
    needs_id = {"id": ONE} if way == "list" else {}
    data = waiting.ask(WAYS[way], {"target": at(THERE), **needs_id}, ("operator",)).data
    [[result]] = [each["results"] for each in data.values()]
    assert result["code"] == "UNKNOWN_PROFILE"
    device = waiting.ledger.get(ONE)
    assert device is not None
    assert device.target is None
