"""Jobs for the scheduled functions: the sweeper and the reconciler. The jobs do not wait ten minutes: they change times
in the tables, as root, and then invoke the function like its schedule.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.bench.iam.device_jobs import commissioned, move, named, refused_without_crl, target_input
from tests.bench.iam.fixture import JobDevice, JobFailed, JobFixture

_AGE: Final = timedelta(minutes=30)
REPAIR: Final = """
mutation($account: String!, $region: String!, $after: String) {
  repairTarget(account: $account, region: $region, after: $after) { next differences { certid code repaired } }
}"""
_CRL_READ_AFTER: Final = 75
"""Seconds: the sweeper reads a revocation list one minute after it was published."""


def invoke(fixture: JobFixture, function: str, event: object) -> dict[str, Any]:
    """Return the function's result. Raise `JobFailed` if it fails."""
    client = fixture.deployed.client(fixture.deployed.lobby, "lambda")
    response = client.invoke(FunctionName=f"device-lobby-{function}", Payload=json.dumps(event).encode())
    result: dict[str, Any] = json.loads(response["Payload"].read())
    if "FunctionError" in response:
        raise JobFailed(f"the {function}: {result.get('errorMessage', '')[:80]}")
    return result


def make_older(fixture: JobFixture, device: JobDevice, **more: str) -> None:
    """Set the time of the row's state and of its history entries to half an hour ago, and `more` attributes."""
    tables, then = fixture.deployed.client(fixture.deployed.lobby, "dynamodb"), _timestamp(datetime.now(UTC) - _AGE)
    fields = {"enteredat": then, **more}
    tables.update_item(
        TableName="device-lobby-ledger",
        Key={"certid": {"S": device.certid}},
        UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in fields),
        ExpressionAttributeValues={f":{name}": {"S": value} for name, value in fields.items()},
    )
    entries = tables.query(
        TableName="device-lobby-history",
        KeyConditionExpression="certid = :id",
        ExpressionAttributeValues={":id": {"S": device.certid}},
    )["Items"]
    for entry in entries:
        tables.put_item(TableName="device-lobby-history", Item={**entry, "at": {"S": then}})


def _timestamp(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@contextmanager
def _commissioner_stream_disabled(fixture: JobFixture) -> Iterator[None]:
    client = fixture.deployed.client(fixture.deployed.lobby, "lambda")
    mappings = client.list_event_source_mappings(FunctionName="device-lobby-bell")["EventSourceMappings"]
    try:
        for mapping in mappings:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        yield
    finally:
        for mapping in mappings:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def resume_lost_row(fixture: JobFixture) -> None:
    """The sweeper finds a row whose stream record was lost, written by an older version: it is not counted."""
    device = commissioned(fixture)
    with _commissioner_stream_disabled(fixture):
        make_older(fixture, device, turn="commissioner")
        fixture.deployed.client(fixture.deployed.lobby, "dynamodb").update_item(
            TableName="device-lobby-ledger", Key={"certid": {"S": device.certid}}, UpdateExpression="REMOVE counted"
        )
        fixture.wait_for("resumed", lambda: invoke(fixture, "sweeper", {})["LanesSorted"] or None)


def push_route_again(fixture: JobFixture) -> None:
    """The sweeper sends the route again to a device that has not arrived in time."""
    device = commissioned(fixture)
    connection = fixture.connect_admitted(device)
    invoke(fixture, "sweeper", {})
    make_older(fixture, device)
    fixture.wait_for("pushed", lambda: invoke(fixture, "sweeper", {})["DevicesPushed"] or None)
    fixture.expect_message(connection, "receives the route again", b'"iotep"')
    connection.close()


def readmit_after_crl(fixture: JobFixture) -> None:
    """The sweeper retries a device that was refused without a revocation list when the list is published."""
    device = refused_without_crl(fixture)
    fixture.publish_crl(device)
    fixture.wait_for("readmitted", lambda: invoke(fixture, "sweeper", {})["DevicesReadmitted"] or None, _CRL_READ_AFTER)


def _repair(fixture: JobFixture, device: JobDevice) -> list[str]:
    """Repair the first target as an operator. Return the codes of the device's repaired differences."""
    codes: list[str] = []
    after: str | None = None
    while True:
        page = fixture.request("repair", REPAIR, after=after, **target_input(fixture.first))["repairTarget"]
        codes += [each["code"] for each in page["differences"] if each["certid"] == device.certid and each["repaired"]]
        after = page["next"]
        if after is None:
            return codes


def repair_inactive_certificate(fixture: JobFixture) -> None:
    """The certificate was deactivated manually in the target. The repair activates it."""
    device = commissioned(fixture)
    fixture.deployed.client(fixture.first, "iot").update_certificate(certificateId=device.certid, newStatus="INACTIVE")
    if _repair(fixture, device) != ["CERTIFICATE_INACTIVE"]:
        raise JobFailed("found to be inactive")
    fixture.wait_for_status(device, fixture.first, "ACTIVE")


def deactivate_orphaned_certificate(fixture: JobFixture) -> None:
    """The device has left the target, and its certificate was activated there manually. The repair deactivates it."""
    device = commissioned(fixture)
    move(fixture, device, fixture.second)
    fixture.wait_for_state(device, "commissioned", "arrived", previousTargets=[])
    fixture.deployed.client(fixture.first, "iot").update_certificate(certificateId=device.certid, newStatus="ACTIVE")
    if _repair(fixture, device) != ["ORPHANED"]:
        raise JobFailed("found to be orphaned")
    fixture.wait_for_status(device, fixture.first, "INACTIVE")


def reconcile_daily(fixture: JobFixture) -> None:
    """The daily round starts from the beginning and ignores the last position. Other jobs have registered targets that
    are not deployed. These cannot be compared. The row of an earlier version has no date of expiry, so its certificate
    is read."""
    tables, device = fixture.deployed.client(fixture.deployed.lobby, "dynamodb"), commissioned(fixture)
    key = {"certid": {"S": device.certid}}
    tables.update_item(TableName="device-lobby-ledger", Key=key, UpdateExpression="REMOVE expires")
    tables.delete_item(TableName="device-lobby-rounds", Key={"name": {"S": "reconciler"}})
    invoke(fixture, "reconciler", {"round": "daily"})
    document = "{ targetComparisons { account region failed { code } last { byDevice } } }"
    comparisons = fixture.request("targetComparisons", document)["targetComparisons"]
    targets = {(target.account, target.region) for target in (fixture.first, fixture.second)}
    deployed = [each for each in comparisons if (each["account"], each["region"]) in targets]
    if any(each["failed"] for each in deployed):
        raise JobFailed("compares every target")
    if [each["last"] and each["last"]["byDevice"] for each in deployed] != [False, False]:
        raise JobFailed("compares by lists")


TIMER_JOBS: Final = named(
    resume_lost_row,
    push_route_again,
    readmit_after_crl,
    repair_inactive_certificate,
    deactivate_orphaned_certificate,
    reconcile_daily,
)
"""By name."""
