"""Enrolments on the deployed lobby, with the bouncer's own role: a rule's claim, the limit, and a revocation."""

from itertools import count
from pathlib import Path
from typing import Any

import pytest

from lobby.names import Target
from pki.devices.credentials import DevicePaths
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.fleet import Fleet, certid_of, wait_for_event

CREATE = """
mutation($match: EnrolmentMatchInput!, $allocation: AllocationInput!) {
  createEnrolment(name: "pumps", match: $match, allocation: $allocation, limit: 2, model: "P-100") { name }
}"""
DEVICE = "query($id: ID!) { device(certid: $id) { devstate enrolment model claimedBy targetaccount reason } }"
STATUS = "{ enrolments { name admitted refusals { reason count } } }"


@pytest.mark.slow
def test_devices_of_an_enrolment_are_claimed_by_its_rule_up_to_its_limit(
    deployed: Deployment, fleet: Fleet, second: Target, tmp_path: Path
) -> None:
    maker = fleet.manufacturer("pumps", registered=False)
    ca = fleet.register(maker)
    target = {"account": second.account, "region": second.region}
    allocation = {"targets": [{"target": target}]}
    deployed.api("admin").ask(CREATE, match={"ca": ca, "namePattern": "pump-*"}, allocation=allocation)

    paths = _first_enrolled(deployed, fleet, (maker.make_device(f"pump-{number}") for number in count()))
    device = fleet.power_on(paths)
    wait_for_event(device, "arrived_at_target")
    arrived = deployed.wait(certid_of(paths), "arrived")
    assert arrived["targetaccount"] == second.account
    assert [event for event in events(arrived) if event != "hello"] == ["admit", "claim", "commission", "arrive"]
    assert arrived["historyIntact"]
    row = _device(deployed, paths)
    assert (row["enrolment"], row["model"], row["claimedBy"]) == ("pumps", "P-100", "rule:pumps")

    last, refused = (maker.make_device(f"pump-last-{number}") for number in range(2))
    fleet.power_on(last)
    assert deployed.wait(certid_of(last), "claimed", "commissioned", "arrived")["targetaccount"] == second.account
    fleet.power_on(refused)
    assert deployed.wait(certid_of(refused), "refused")["reason"] == "ENROLMENT_FULL"
    [pumps] = [each for each in deployed.api().ask(STATUS)["enrolments"] if each["name"] == "pumps"]
    assert pumps == {"name": "pumps", "admitted": 2, "refusals": [{"reason": "ENROLMENT_FULL", "count": 1}]}

    deployed.api().ask('mutation { revokeEnrolment(name: "pumps") { state } }')
    blocked = maker.make_device("pump-blocked")
    fleet.power_on(blocked)
    assert deployed.wait(certid_of(blocked), "refused")["reason"] == "ENROLMENT_REVOKED"
    assert deployed.existing(certid_of(paths))["devstate"] == "arrived"


def _first_enrolled(deployed: Deployment, fleet: Fleet, devices: Any) -> DevicePaths:
    """Power devices on until one is admitted by the enrolment. The bouncer reads new enrolments after at most 30 s."""

    def next_enrolled() -> DevicePaths | None:
        paths: DevicePaths = next(devices)
        fleet.power_on(paths)
        deployed.wait(certid_of(paths), "knocking", "inlobby", "claimed", "commissioned", "arrived")
        if _device(deployed, paths)["enrolment"]:
            return paths
        fleet.powered.pop().stop()
        return None

    return until(next_enrolled, every=2.0)


def _device(deployed: Deployment, paths: DevicePaths) -> dict[str, Any]:
    device: dict[str, Any] = deployed.api().ask(DEVICE, id=certid_of(paths))["device"]
    return device
