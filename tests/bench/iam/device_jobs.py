"""Jobs that take one device through its lifecycle: onboarding, moves, release, revocation, refusals.

A job is a function that uses the lobby as users and devices do. It returns when all its steps have succeeded, or raises
`JobFailed`.
"""

from collections.abc import Callable
from typing import Final

from lobby.names import Target
from tests.bench.iam.fixture import HELLO, JobDevice, JobFailed, JobFixture
from tests.e2e.deployment import CLAIM, MOVE, RELEASE, RETRY, REVOKE

Job = Callable[[JobFixture], None]


def named(*jobs: Job) -> dict[str, Job]:
    """Return the jobs by name: the function's name with spaces."""
    return {job.__name__.replace("_", " "): job for job in jobs}


def target_input(target: Target) -> dict[str, str]:
    return {"account": target.account, "region": target.region}


def claim(fixture: JobFixture, device: JobDevice) -> None:
    """Claim the device for the first target."""
    fixture.request("claim", CLAIM, id=device.certid, target=target_input(fixture.first))


def move(fixture: JobFixture, device: JobDevice, target: Target) -> None:
    fixture.request("move", MOVE, id=device.certid, target=target_input(target))


def commissioned(fixture: JobFixture) -> JobDevice:
    """Return a device that is commissioned in the first target and has not connected there."""
    device = fixture.new_device()
    fixture.connect_waiting(device).close()
    claim(fixture, device)
    fixture.wait_for_state(device, "commissioned")
    return device


def onboard(fixture: JobFixture) -> None:
    device = fixture.new_device()
    connection = fixture.connect_waiting(device)
    claim(fixture, device)
    fixture.expect_message(connection, "the route is pushed", b'"iotep"')
    connection.close()
    fixture.wait_for_state(device, "commissioned")
    fixture.connect_to(device, fixture.first).close()
    fixture.wait_for_state(device, "arrived")


def claim_before_connection(fixture: JobFixture) -> None:
    device = fixture.new_device()
    claim(fixture, device)
    fixture.connect_admitted(device).close()
    fixture.wait_for_state(device, "commissioned")


def answer_hello(fixture: JobFixture) -> None:
    device = commissioned(fixture)
    connection = fixture.connect_admitted(device)
    connection.publish(HELLO, b"{}")
    fixture.expect_message(connection, "the hello is answered with the route", b'"iotep"')
    connection.close()


def move_and_return(fixture: JobFixture) -> None:
    """The target it leaves is cleared. Its certificate is active there again after its return."""
    device = commissioned(fixture)
    connection = fixture.connect_to(device, fixture.first)
    connection.subscribe(f"lobby/{device.name}")
    move(fixture, device, fixture.second)
    fixture.expect_message(connection, "receives the reset message", b"factory reset")
    connection.close()
    fixture.wait_for_state(device, "commissioned", "arrived", previousTargets=[])
    fixture.wait_for_status(device, fixture.first, "INACTIVE")
    move(fixture, device, fixture.first)
    fixture.wait_for_state(device, "commissioned", "arrived", previousTargets=[])
    fixture.wait_for_status(device, fixture.first, "ACTIVE")


def retry_in_target(fixture: JobFixture) -> None:
    """A retry commissions the device again in the same target, which checks its attached policies and sends the route
    there."""
    device = commissioned(fixture)
    connection = fixture.connect_to(device, fixture.first)
    connection.subscribe(f"lobby/{device.name}")
    fixture.request("retry", RETRY, id=device.certid)
    fixture.expect_message(connection, "receives its route in the target", b'"iotep"')
    connection.close()


def release(fixture: JobFixture) -> None:
    device = commissioned(fixture)
    fixture.request("release", RELEASE, id=device.certid)
    fixture.wait_for_state(device, "inlobby", previousTargets=[])
    fixture.wait_for_status(device, fixture.first, "INACTIVE")


def release_expected_then_admit(fixture: JobFixture) -> None:
    """The release of an expected device deletes its row and keeps its history, which continues with the admission."""
    device = fixture.new_device()
    claim(fixture, device)
    if not fixture.request("release", RELEASE, id=device.certid)["releaseDevice"]["forgotten"]:
        raise JobFailed("forgotten")
    fixture.connect_admitted(device).close()
    if not fixture.deployed.existing(device.certid)["historyIntact"]:
        raise JobFailed("its history continues")


def revoke(fixture: JobFixture) -> None:
    device = commissioned(fixture)
    fixture.request("revoke", REVOKE, id=device.certid)
    for scope in (fixture.deployed.lobby, fixture.first):
        fixture.wait_for_status(device, scope, "INACTIVE")


def revoke_before_connection(fixture: JobFixture) -> None:
    """AWS IoT has no certificate of the device; its ledger row refuses the connection attempt."""
    device = fixture.new_device()
    fixture.request("revoke", REVOKE, id=device.certid)
    fixture.connect(device)
    fixture.wait_for_status(device, fixture.deployed.lobby, "INACTIVE")


def refuse_taken_name(fixture: JobFixture) -> None:
    device = fixture.new_device()
    fixture.connect_admitted(device).close()
    rival = fixture.new_device(device.name)
    fixture.connect(rival)
    fixture.wait_for_state(rival, "refused", reason="NAME_TAKEN")
    fixture.wait_for_status(rival, fixture.deployed.lobby, "INACTIVE")


def refused_without_crl(fixture: JobFixture) -> JobDevice:
    """Return a device that was refused because its manufacturer has published no revocation list."""
    device = fixture.new_device(crl=False)
    fixture.connect(device)
    fixture.wait_for_state(device, "refused", reason="CRL_MISSING")
    return device


def refuse_without_crl(fixture: JobFixture) -> None:
    refused_without_crl(fixture)


def retry_refused(fixture: JobFixture) -> None:
    """A retry deletes the certificate from AWS IoT, so that the device can connect again."""
    device = refused_without_crl(fixture)
    fixture.wait_for_status(device, fixture.deployed.lobby, "INACTIVE")
    fixture.request("retry", RETRY, id=device.certid)
    fixture.wait_for_status(device, fixture.deployed.lobby, None)


def retry_refused_after_admission(fixture: JobFixture) -> None:
    """As above for a device that was admitted once: its certificate is attached to its thing."""
    device = fixture.new_device()
    fixture.connect_admitted(device).close()
    iot = fixture.deployed.client(fixture.deployed.lobby, "iot")
    iot.update_certificate(certificateId=device.certid, newStatus="INACTIVE")
    table = fixture.deployed.client(fixture.deployed.lobby, "dynamodb")
    table.update_item(
        TableName="device-lobby-ledger",
        Key={"certid": {"S": device.certid}},
        UpdateExpression="SET devstate = :refused, reason = :why",
        ExpressionAttributeValues={":refused": {"S": "refused"}, ":why": {"S": "CRL_STALE"}},
    )
    fixture.request("retry", RETRY, id=device.certid)
    fixture.wait_for_status(device, fixture.deployed.lobby, None)


def fail_for_name_taken_in_target(fixture: JobFixture) -> None:
    device = fixture.new_device()
    fixture.deployed.client(fixture.first, "iot").create_thing(thingName=device.name)
    fixture.connect_waiting(device).close()
    claim(fixture, device)
    fixture.wait_for_state(device, "failed", reason="TARGET_NAME_TAKEN")


DEVICE_JOBS: Final = named(
    onboard,
    claim_before_connection,
    answer_hello,
    move_and_return,
    retry_in_target,
    release,
    release_expected_then_admit,
    revoke,
    revoke_before_connection,
    refuse_taken_name,
    refuse_without_crl,
    retry_refused,
    retry_refused_after_admission,
    fail_for_name_taken_in_target,
)
"""By name, the main job first."""
