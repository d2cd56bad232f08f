"""The job that needs the grants of standbys: a device is prepared, evacuated, brought back, and prepared again.

It changes the record of the first target. If it fails, the root user restores the record, because the other jobs need
the target.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from lobby.domain.change_requests import ChangeOperation
from lobby.domain.standby.standby_rules import Work
from tests.bench.iam.device_jobs import commissioned, named, target_input
from tests.bench.iam.fixture import HELLO, JobDevice, JobFixture
from tests.bench.iam.timer_jobs import invoke

_FIELDS: Final = "standby { placed prepared away left }"
_SET: Final = f"""
mutation($account: String!, $region: String!, $standby: TargetInput) {{
  setStandby(account: $account, region: $region, standby: $standby) {{ {_FIELDS} }}
}}"""
_TARGETS: Final = f"{{ targets {{ account region {_FIELDS} }} }}"
_TABLE: Final = "device-lobby-targets"
_SECONDS: Final = 30
"""More for a campaign and a lane."""


def evacuate_and_return(fixture: JobFixture) -> None:
    device = commissioned(fixture)
    with _record_kept(fixture):
        _set(fixture, target_input(fixture.second))
        fixture.wait_for("prepared", lambda: _is_prepared(fixture, device), more=_SECONDS)
        _greet(fixture, device)
        _act(fixture, "evacuateTarget")
        _wait_in(fixture, device, fixture.second.account)
        _act(fixture, "returnTarget")
        _wait_in(fixture, device, fixture.first.account)
        _wait(fixture, "returned", lambda found: found["away"] == 0)
        _prepare_again(fixture)
        _set(fixture, None)


def _greet(fixture: JobFixture, device: JobDevice) -> None:
    """The receptionist reads the target's record for a device that has a standby."""
    connection = fixture.connect_admitted(device)
    connection.publish(HELLO, b"{}")
    fixture.expect_message(connection, "the hello is answered with the route", b'"iotep"')
    connection.close()


def _is_prepared(fixture: JobFixture, device: JobDevice) -> bool:
    return fixture.deployed.status(device.certid, fixture.second) == "ACTIVE"


def _prepare_again(fixture: JobFixture) -> None:
    """The last preparation was two days ago, and a device was commissioned since then which is not prepared."""
    fixture.request("pauses", _call("pauseTarget"), **target_input(fixture.second))
    try:
        commissioned(fixture)
        at = (datetime.now(UTC) - timedelta(days=2)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        _table(fixture).update_item(
            TableName=_TABLE,
            Key=_key(fixture),
            UpdateExpression="SET lastwork = :work",
            ExpressionAttributeValues={":work": {"S": str(Work(ChangeOperation.PREPARE, at, "user:job"))}},
        )
        started: Callable[[], Any] = lambda: invoke(fixture, "sweeper", {}).get("StandbyWorkStarted")  # noqa: E731
        fixture.wait_for("prepares again", lambda: started() or None)
    finally:
        fixture.request("resumes", _call("resumeTarget"), **target_input(fixture.second))


@contextmanager
def _record_kept(fixture: JobFixture) -> Iterator[None]:
    table = _table(fixture)
    before = table.get_item(TableName=_TABLE, Key=_key(fixture))["Item"]
    try:
        yield
    except BaseException:
        table.put_item(TableName=_TABLE, Item=before)
        raise


def _table(fixture: JobFixture) -> Any:
    return fixture.deployed.client(fixture.deployed.lobby, "dynamodb")


def _key(fixture: JobFixture) -> dict[str, Any]:
    return {"kind": {"S": "target"}, "target": {"S": str(fixture.first)}}


def _set(fixture: JobFixture, standby: dict[str, str] | None) -> None:
    fixture.request("sets the standby", _SET, "admin", **target_input(fixture.first), standby=standby)


def _call(operation: str) -> str:
    return (
        f"mutation($account: String!, $region: String!)"
        f" {{ {operation}(account: $account, region: $region) {{ name }} }}"
    )


def _act(fixture: JobFixture, operation: str) -> None:
    fixture.request(operation, _call(operation), "admin", **target_input(fixture.first))


def _wait_in(fixture: JobFixture, device: JobDevice, account: str) -> None:
    def look() -> bool:
        row = fixture.deployed.device(device.certid)
        return bool(row and row["devstate"] in ("commissioned", "arrived") and row["targetaccount"] == account)

    fixture.wait_for(f"commissioned in {account}", look, more=_SECONDS)


def _wait(fixture: JobFixture, what: str, check: Callable[[dict[str, int]], bool]) -> None:
    def look() -> bool:
        listed = fixture.request("targets", _TARGETS)["targets"]
        place = (fixture.first.account, fixture.first.region)
        [found] = [each["standby"] for each in listed if (each["account"], each["region"]) == place]
        return bool(found) and check(found)

    fixture.wait_for(what, look, more=_SECONDS)


STANDBY_JOBS: Final = named(evacuate_and_return)
