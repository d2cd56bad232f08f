"""The jobs that nobody asks for: what the clock has the sweeper and the reconciler do, brought about by hand.

What takes them ten minutes to see is made old in the tables, as root; then they are called as the timer calls them.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.bench.iam.jobs import Job, commissioned
from tests.bench.iam.stand import NotDone, Stand, Thing
from tests.e2e.deployment import MOVE

_LATE: Final = timedelta(minutes=30)
MEND: Final = """
mutation($account: String!, $region: String!, $after: String) {
  repairTarget(account: $account, region: $region, after: $after) { next differences { certid code repaired } }
}"""
_LIST_COUNTS_AFTER: Final = 75
"""Seconds: a list is looked at once it has lain there for a minute."""


def _ran(stand: Stand, function: str, event: object) -> dict[str, Any]:
    """What the function answers. Raises `NotDone` where it fails."""
    client = stand.deployed.client(stand.deployed.lobby, "lambda")
    answer = client.invoke(FunctionName=f"device-lobby-{function}", Payload=json.dumps(event).encode())
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise NotDone(f"the {function}: {said.get('errorMessage', '')[:80]}")
    return said


def _aged(stand: Stand, thing: Thing, **more: str) -> None:
    """In its state for half an hour, and its last entry as old."""
    tables, then = stand.deployed.client(stand.deployed.lobby, "dynamodb"), _stamp(datetime.now(UTC) - _LATE)
    fields = {"enteredat": then, **more}
    tables.update_item(
        TableName="device-lobby-ledger",
        Key={"certid": {"S": thing.certid}},
        UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in fields),
        ExpressionAttributeValues={f":{name}": {"S": value} for name, value in fields.items()},
    )
    entries = tables.query(
        TableName="device-lobby-history",
        KeyConditionExpression="certid = :id",
        ExpressionAttributeValues={":id": {"S": thing.certid}},
    )["Items"]
    for entry in entries:
        tables.put_item(TableName="device-lobby-history", Item={**entry, "at": {"S": then}})


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@contextmanager
def _commissioner_resting(stand: Stand) -> Iterator[None]:
    """Its stream is not read meanwhile."""
    client = stand.deployed.client(stand.deployed.lobby, "lambda")
    found = client.list_event_source_mappings(FunctionName="device-lobby-commissioner")["EventSourceMappings"]
    try:
        for each in found:
            client.update_event_source_mapping(UUID=each["UUID"], Enabled=False)
        yield
    finally:
        for each in found:
            client.update_event_source_mapping(UUID=each["UUID"], Enabled=True)


def woken(stand: Stand) -> None:
    """A row that the stream lost is found, one of an older ledger's at that, which no count has."""
    thing = commissioned(stand)
    with _commissioner_resting(stand):
        _aged(stand, thing, turn="commissioner")
        stand.deployed.client(stand.deployed.lobby, "dynamodb").update_item(
            TableName="device-lobby-ledger", Key={"certid": {"S": thing.certid}}, UpdateExpression="REMOVE counted"
        )
        stand.until("woken", lambda: _ran(stand, "sweeper", {})["DevicesWoken"] or None)


def told_again(stand: Stand) -> None:
    """A device that is late hears its route once more."""
    thing = commissioned(stand)
    device = stand.let_in(thing)
    _ran(stand, "sweeper", {})
    _aged(stand, thing)
    stand.until("pushed", lambda: _ran(stand, "sweeper", {})["DevicesPushed"] or None)
    stand.hears(device, "the route again", b'"iotep"')
    device.close()


def may_knock_again(stand: Stand) -> None:
    """Its manufacturer's list has come, since it was refused for want of one."""
    thing = stand.made(crl=False)
    stand.dialled(thing)
    stand.state(thing, "refused", reason="CRL_MISSING")
    stand.publish_list_of(thing)
    stand.until("readmitted", lambda: _ran(stand, "sweeper", {})["DevicesReadmitted"] or None, _LIST_COUNTS_AFTER)


def _mended(stand: Stand, thing: Thing) -> list[str]:
    """What an operator has mended of it, by the codes of what differed."""
    found: list[str] = []
    place = {"account": stand.first.account, "region": stand.first.region}
    after: str | None = None
    while True:
        page = stand.ask("compared", MEND, after=after, **place)["repairTarget"]
        found += [each["code"] for each in page["differences"] if each["certid"] == thing.certid and each["repaired"]]
        after = page["next"]
        if after is None:
            return found


def mended(stand: Stand) -> None:
    """Its certificate was put out of use in its target, by somebody's hand, and is in use again."""
    thing = commissioned(stand)
    stand.deployed.client(stand.first, "iot").update_certificate(certificateId=thing.certid, newStatus="INACTIVE")
    if _mended(stand, thing) != ["CERTIFICATE_INACTIVE"]:
        raise NotDone("found to be inactive")
    stand.status(thing, stand.first, "ACTIVE")


def orphan_put_out_of_use(stand: Stand) -> None:
    """It was moved away, and somebody's hand put its certificate in use again where it was."""
    thing = commissioned(stand)
    second = {"account": stand.second.account, "region": stand.second.region}
    stand.ask("move", MOVE, id=thing.certid, target=second)
    stand.state(thing, "commissioned", "arrived", previousTargets=[])
    stand.deployed.client(stand.first, "iot").update_certificate(certificateId=thing.certid, newStatus="ACTIVE")
    if _mended(stand, thing) != ["ORPHANED"]:
        raise NotDone("found to be an orphan")
    stand.status(thing, stand.first, "INACTIVE")


def went_round(stand: Stand) -> None:
    """From its beginning, whenever the last one began."""
    tables = stand.deployed.client(stand.deployed.lobby, "dynamodb")
    tables.delete_item(TableName="device-lobby-rounds", Key={"name": {"S": "reconciler"}})
    _ran(stand, "reconciler", {"round": "daily"})


UPKEEP: Final[dict[str, Job]] = {
    job.__name__.replace("_", " "): job
    for job in (
        woken,
        told_again,
        may_knock_again,
        mended,
        orphan_put_out_of_use,
        went_round,
    )
}
"""By name."""
