"""Campaigns on the local cloud: thirty moves with a canary, pause, resume and undo; approval; the automatic stop."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from infra.local.api import ApiRefused
from infra.local.manufacturer import new_name
from lobby.names import Target
from tests.e2e.deployment import Deployment, until
from tests.e2e.fleet import Fleet, certid_of
from tests.e2e.sample_fleet import SampleFleet, ledger_of, paused_commissioner

CANARY = 2
MANY = 30
FIELDS = """
name state stoppedBecause total counts { pending waiting awaited done failed refused unchanged superseded }
canaryArrived failures { code count } undoneBy history { event actor }
"""
CREATE = f"""
mutation(
  $name: String!, $change: ChangeInput!, $devices: [ChosenDevice!], $filter: CampaignFilter, $canary: Int! = 0
) {{
  createCampaign(name: $name, change: $change, devices: $devices, filter: $filter, canary: $canary) {{ {FIELDS} }}
}}"""


def place(target: Target) -> dict[str, str]:
    return {"account": target.account, "region": target.region}


def move(target: Target) -> dict[str, Any]:
    return {"operation": "MOVE", "target": place(target)}


def create(deployed: Deployment, name: str, change: dict[str, Any], certids: Sequence[str], canary: int = 0) -> None:
    devices = [{"certid": certid} for certid in certids]
    deployed.api().ask(CREATE, name=name, change=change, devices=devices, canary=canary)


def campaign(deployed: Deployment, name: str) -> dict[str, Any]:
    found: dict[str, Any] = deployed.api().ask(f"query($n: String!) {{ campaign(name: $n) {{ {FIELDS} }} }}", n=name)
    campaign_: dict[str, Any] = found["campaign"]
    return campaign_


def act(deployed: Deployment, operation: str, name: str, role: str = "operator") -> dict[str, Any]:
    query = f"mutation($n: String!) {{ {operation}(name: $n) {{ {FIELDS} }} }}"
    result: dict[str, Any] = deployed.api(role).ask(query, n=name)[operation]
    return result


def wait(deployed: Deployment, name: str, *states: str, **counts: int) -> dict[str, Any]:
    """Return the campaign when it is in one of the states and has at least these counts."""
    last: list[dict[str, Any]] = [{}]

    def look() -> dict[str, Any] | None:
        last[0] = found = campaign(deployed, name)
        enough = all(found["counts"][key] >= count for key, count in counts.items())
        return found if found["state"] in states and enough else None

    return until(look, lambda: last[0], every=0.5)


def sample(deployed: Deployment, count: int, target: Target | None) -> list[str]:
    """Return devices without a power switch: arrived in a target, or waiting in the lobby."""
    ago = timedelta(minutes=30)
    with paused_commissioner(deployed), ledger_of(deployed):
        fleet = SampleFleet(deployed)
        names = [new_name() for _ in range(count)]
        made = [fleet.arrived(name, target, ago) if target else fleet.waiting(name, ago) for name in names]
    return [device.certid for device in made]


def test_thirty_devices_move_after_a_canary_and_return_when_the_campaign_is_undone(
    deployed: Deployment, fleet: Fleet, first: Target, second: Target
) -> None:
    paths = [fleet.make() for _ in range(CANARY)]
    canary = [certid_of(each) for each in paths]
    for path, certid in zip(paths, canary, strict=True):
        deployed.claim(certid, first)
        fleet.power_on(path)
    for certid in canary:
        deployed.wait(certid, "arrived")
    others = sample(deployed, MANY - CANARY, first)
    create(deployed, "to-second", move(second), [*canary, *others], CANARY)
    assert wait(deployed, "to-second", "running", done=CANARY)["canaryArrived"] == CANARY
    assert act(deployed, "pauseCampaign", "to-second")["state"] == "paused"
    assert act(deployed, "resumeCampaign", "to-second")["state"] == "running"
    wait(deployed, "to-second", "running", done=CANARY, awaited=MANY - CANARY)
    assert act(deployed, "cancelCampaign", "to-second")["state"] == "stopping"
    wait(deployed, "to-second", "cancelled")
    moved = deployed.wait(others[0], "commissioned", targetaccount=second.account)
    assert [each["actor"] for each in moved["history"] if each["event"] == "move"] == ["campaign:to-second"]
    assert moved["historyIntact"]
    act(deployed, "undoCampaign", "to-second")
    wait(deployed, "to-second-undo", "running", done=CANARY, awaited=MANY - CANARY)
    assert campaign(deployed, "to-second")["undoneBy"] == "to-second-undo"
    for each in (*canary, *others):
        assert deployed.existing(each)["targetaccount"] == first.account
    act(deployed, "cancelCampaign", "to-second-undo")


def test_a_campaign_that_is_mostly_refused_stops_itself(deployed: Deployment, second: Target) -> None:
    certids = sample(deployed, 12, None)
    create(deployed, "refused", move(second), certids)
    stopped = wait(deployed, "refused", "stopped")
    assert (stopped["stoppedBecause"], stopped["failures"]) == ("FAILURE_RATE", [{"code": "NOT_ALLOWED", "count": 12}])


def test_another_user_approves_a_revocation(deployed: Deployment, first: Target) -> None:
    [certid] = sample(deployed, 1, first)
    create(deployed, "stolen", {"operation": "REVOKE", "why": "stolen"}, [certid])
    assert campaign(deployed, "stolen")["state"] == "approval"
    with pytest.raises(ApiRefused, match="SECOND_PERSON_REQUIRED"):
        act(deployed, "approveCampaign", "stolen")
    assert act(deployed, "approveCampaign", "stolen", "admin")["state"] == "running"
    wait(deployed, "stolen", "done", done=1)
    assert deployed.existing(certid)["devstate"] == "revoked"
