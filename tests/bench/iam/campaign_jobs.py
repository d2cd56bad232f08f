"""The job that needs the grants of campaigns: a campaign is carried out, undone and repeated, and filters use each
index."""

from collections.abc import Callable
from itertools import count
from typing import Any, Final

from tests.bench.iam.device_jobs import named, target_input
from tests.bench.iam.fixture import JobFailed, JobFixture
from tests.bench.iam.timer_jobs import invoke

_CREATE: Final = """
mutation($name: String!, $change: ChangeInput!, $devices: [ChosenDevice!], $filter: CampaignFilter) {
  createCampaign(name: $name, change: $change, devices: $devices, filter: $filter) { state }
}"""
_CAMPAIGN: Final = """
query($name: String!) {
  campaign(name: $name) { state counts { awaited done unchanged } history { event } }
}"""
_RESULTS: Final = "query($name: String!) { campaignResults(name: $name) { nodes { certid outcome } } }"
_CANCEL: Final = "mutation($name: String!) { cancelCampaign(name: $name) { state } }"
_UNDO: Final = "mutation($name: String!) { undoCampaign(name: $name) { name } }"
_LIST: Final = "{ campaigns { nodes { name } } }"
_numbers = count(1)


def carry_out_campaigns(fixture: JobFixture) -> None:
    """Claim a device that has never connected, undo that, claim it again, and change its configuration."""
    name, certid = f"job-{next(_numbers)}", fixture.new_device().certid
    claim = {"operation": "CLAIM", "target": target_input(fixture.second)}
    _create(fixture, name, claim, devices=[{"certid": certid}])
    _wait(fixture, name, lambda found: found["counts"]["awaited"] == 1)
    invoke(fixture, "sweeper", {})
    fixture.request("results", _RESULTS, name=name)
    fixture.request("lists", _LIST)
    fixture.request("cancels", _CANCEL, name=name)
    _wait(fixture, name, lambda found: found["state"] == "cancelled")
    fixture.request("undoes", _UNDO, name=name)
    _wait(fixture, f"{name}-undo", lambda found: found["state"] == "done")
    _create(fixture, f"{name}-again", claim, devices=[{"certid": certid}])
    _wait(fixture, f"{name}-again", lambda found: found["counts"]["awaited"] == 1)
    configure = {"operation": "CONFIGURE", "config": "new"}
    _create(fixture, f"{name}-configure", configure, devices=[{"certid": certid}])
    _wait(fixture, f"{name}-configure", lambda found: found["counts"]["awaited"] == 1)
    for each in ("again", "configure"):
        fixture.request("cancels", _CANCEL, name=f"{name}-{each}")
    _filter(fixture, name)
    fixture.wait_for("campaigns without work", lambda: _active(fixture, name) == 0 or None)


def _filter(fixture: JobFixture, name: str) -> None:
    """Create a campaign without devices for each index."""
    target = target_input(fixture.first)
    filters: tuple[dict[str, Any], ...] = (
        {"namePrefix": "no-such-device"},
        {"fingerprintPrefix": "00000000"},
        {"state": "failed", "target": target, "reason": "NO_SUCH_REASON"},
        {"state": "refused", "reason": "NO_SUCH_REASON"},
        {"renewal": "OVERDUE"},
        {"target": target, "reason": "NO_SUCH_REASON"},
    )
    for number, wanted in enumerate(filters):
        _create(fixture, f"{name}-{number}", {"operation": "RETRY"}, filter=wanted)
        _wait(fixture, f"{name}-{number}", lambda found: found["state"] == "done")


def _create(fixture: JobFixture, name: str, change: dict[str, Any], **selected: Any) -> None:
    fixture.request("creates", _CREATE, name=name, change=change, **selected)


def _wait(fixture: JobFixture, name: str, check: Callable[[dict[str, Any]], bool]) -> None:
    def look() -> bool | None:
        found = fixture.request("reads", _CAMPAIGN, name=name)["campaign"]
        if found["state"] == "stopped":
            raise JobFailed(f"campaign {name} has stopped")
        return check(found) or None

    fixture.wait_for(f"campaign {name}", look, more=30)


def _active(fixture: JobFixture, name: str) -> int:
    """Return the number of campaigns of this job for which the feeder has work."""
    tables = fixture.deployed.client(fixture.deployed.lobby, "dynamodb")
    found = tables.query(
        TableName="device-lobby-campaigns",
        KeyConditionExpression="kind = :kind AND begins_with(#name, :name)",
        ExpressionAttributeNames={"#name": "name"},
        ExpressionAttributeValues={":kind": {"S": "active"}, ":name": {"S": name}},
    )
    return len(found["Items"])


CAMPAIGN_JOBS: Final = named(carry_out_campaigns)
