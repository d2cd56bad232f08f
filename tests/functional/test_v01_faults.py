"""Faults of the Lambdas of aws-device-lobby v0.1, each reproduced there: one test each, with the fault's name."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.profile_files import read_profiles
from lobby import receptionist
from lobby.domain.history.history_audit import first_broken_entry
from lobby.domain.states import State
from lobby.ledger.lists.listing import Filter, devices
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, parse_target
from lobby.receptionist import Receptionist
from lobby.wire import HELLO_SQL
from tests import aws
from tests.aws import HOME, Calls, Clock, CutOff
from tests.functional.commissioner.lobby_with_targets import ONE, TWO, A, B, LobbyWithTargets, Record, statuses

UNKNOWN = Fingerprint("9f" * 32)
PROFILES = read_profiles()


@pytest.fixture
def lobby(calls: Calls, clock: Clock) -> LobbyWithTargets:
    return LobbyWithTargets(calls, clock, "sensor-1", "sensor-2")


def hello(lobby: LobbyWithTargets, certid: str = ONE, **fields: Any) -> str:
    handling = Receptionist(aws.client("iot-data"), lobby.ledger)
    event = {"certid": certid, "devicename": "sensor-1", "clientversion": "1.0"} | fields
    return receptionist.handler(event, None, handling)["outcome"]


def starts_the_commissioner(row: dict[str, Any] | None) -> bool:
    return bool((row or {}).get("turn"))


def test_fault_crash_on_the_first_registration_of_a_certificate(lobby: LobbyWithTargets) -> None:
    """A new certificate is registered at the first attempt, not by a retry of the stream."""
    assert lobby.deliver(lobby.claim()) == []
    assert lobby.calls.count()["RegisterCertificateWithoutCA"] == 1
    assert statuses()[1] == "ACTIVE"


def test_fault_crash_where_the_certificate_is_registered_already(lobby: LobbyWithTargets) -> None:
    record = lobby.claim()
    lobby.deliver(record)
    assert lobby.deliver(record) == []
    assert statuses()[1] == "ACTIVE"


@pytest.mark.parametrize(
    "operation",
    [
        "AssumeRole",
        "CreateThing",
        "RegisterCertificateWithoutCA",
        "AttachThingPrincipal",
        "AttachPolicy",
        "DescribeEndpoint",
        "TransactWriteItems",
        "Publish",
    ],
)
def test_fault_a_failed_aws_call_in_the_commissioner_is_swallowed(lobby: LobbyWithTargets, operation: str) -> None:
    record = lobby.claim()
    lobby.calls.fails[operation] = ClientError({"Error": {"Code": "InternalFailureException"}}, operation)
    assert lobby.deliver(record) == [0], "the stream must deliver it again"
    lobby.calls.fails.clear()
    assert lobby.deliver(record) == []
    assert lobby.device().devstate is State.COMMISSIONED
    assert len(aws.published()) == 1


def test_fault_a_refused_aws_call_leaves_the_device_waiting_silently(lobby: LobbyWithTargets) -> None:
    lobby.calls.fails["AssumeRole"] = ClientError({"Error": {"Code": "AccessDenied"}}, "AssumeRole")
    lobby.deliver(lobby.claim())
    device = lobby.device()
    assert (device.devstate, device.reason) == (State.FAILED, "TARGET_ROLE_DENIED")
    assert device.message


def test_fault_hellos_re_run_the_whole_commissioning(lobby: LobbyWithTargets, clock: Clock) -> None:
    lobby.place()
    for _ in range(10):
        clock.advance(seconds=61)
        assert hello(lobby) == "routed"
        assert not starts_the_commissioner(aws.item(ONE))
    assert set(lobby.calls.names()) == {"GetItem", "Publish"}


def test_fault_hellos_of_a_waiting_device_wake_the_commissioner(lobby: LobbyWithTargets, clock: Clock) -> None:
    for _ in range(10):
        clock.advance(seconds=61)
        hello(lobby)
        assert not starts_the_commissioner(aws.item(ONE))


def test_fault_a_re_claim_hands_out_the_old_endpoint(lobby: LobbyWithTargets) -> None:
    lobby.place()
    record = lobby.move()
    assert hello(lobby) == "waiting"
    assert aws.published() == []
    lobby.deliver(record)
    hello(lobby)
    assert {json.loads(payload)["iotep"] for _, payload in aws.published()} == {
        "a1b2c3d4-ats.iot.us-east-1.amazonaws.com"
    }


def test_fault_a_re_claim_never_revokes_the_old_target(lobby: LobbyWithTargets) -> None:
    lobby.place()
    lobby.deliver(lobby.move())
    assert statuses() == ("ACTIVE", "INACTIVE", "ACTIVE")
    assert lobby.device().targets_to_clear == ()


@pytest.mark.parametrize("order", ["in order", "cut off between", "late"])
def test_fault_concurrent_claims_leave_the_certificate_active_in_both_accounts(
    lobby: LobbyWithTargets, order: str
) -> None:
    later: list[Record] = []
    first = lobby.claim()
    lobby.calls.meanwhile["AttachPolicy"] = lambda: later.append(lobby.move())
    if order == "cut off between":
        lobby.calls.cut_after = 5
        with pytest.raises(CutOff):
            lobby.deliver(first)
        lobby.calls.cut_after = None
        lobby.calls.meanwhile.clear()
        later = later or [lobby.move()]
        lobby.clock.advance(seconds=10)
    lobby.deliver(first)
    if order == "late":
        lobby.clock.advance(seconds=10)
    assert lobby.deliver(*later) == []
    assert statuses() == ("ACTIVE", "INACTIVE", "ACTIVE")
    assert (lobby.device().target, lobby.device().devstate) == (B, State.COMMISSIONED)


def test_fault_the_payloads_iotep_decides_where_the_lambda_publishes(lobby: LobbyWithTargets) -> None:
    lobby.place()
    assert "iotep" not in HELLO_SQL
    assert "*" not in HELLO_SQL.partition(" FROM ")[0]
    assert hello(lobby, iotep="evil.example", endpoint="evil.example") == "routed"
    [publish] = lobby.calls.of("Publish")
    assert publish.params["topic"] == "lobby/sensor-1"
    assert b"evil" not in publish.params["payload"]
    assert len(aws.published(HOME)) == 1


def test_fault_timestamps_are_frozen_at_cold_start(lobby: LobbyWithTargets, clock: Clock) -> None:
    clock.advance(hours=1)
    lobby.deliver(lobby.claim())
    clock.advance(hours=1)
    lobby.deliver(lobby.claim(TWO))
    with lobby.calls.uncounted():
        moments = [lobby.ledger.history(certid)[-1].at for certid in (ONE, TWO)]
    assert moments == ["2026-11-22T13:00:00.000Z", "2026-11-22T14:00:00.000Z"]


def test_fault_the_default_clock_of_a_ledger_continues(calls: Calls) -> None:
    ledger = Ledger(HOME.region)
    early, late = ledger._clock(), ledger._clock()
    assert early <= late
    assert abs((datetime.now(UTC) - late).total_seconds()) < 3600


def test_fault_an_unknown_certificates_hello_creates_a_row(lobby: LobbyWithTargets) -> None:
    before = aws.tables()
    assert hello(lobby, UNKNOWN) == "unknown"
    assert (aws.tables(), aws.published()) == (before, [])


def test_fault_a_revoked_device_becomes_active_again(lobby: LobbyWithTargets) -> None:
    lobby.place()
    lobby.deliver(lobby.revoke())
    hello(lobby)
    lobby.deliver(lobby.retry())
    assert statuses() == ("INACTIVE", "INACTIVE", None)


def test_fault_a_constant_external_id(lobby: LobbyWithTargets) -> None:
    lobby.deliver(lobby.claim())
    lobby.deliver(lobby.claim(TWO, B))
    asked = [call.params["ExternalId"] for call in lobby.calls.of("AssumeRole")]
    assert asked == ["external id of A", "external id of B"]


@pytest.mark.parametrize("target", [A, parse_target("3" * 12, "ap-south-1")], ids=str)
@pytest.mark.parametrize("profile", [*PROFILES.by_name, None], ids=lambda profile: profile or "in the lobby")
def test_fault_the_target_policy_allows_client_star(target: Any, profile: str | None) -> None:
    from infra.parts.device_policies import waiting_policy  # noqa: PLC0415  # imports the CDK, which takes seconds

    arn = f"arn:aws:iot:{target.region}:{target.account}"
    document = PROFILES.get(profile).policy_document(arn) if profile else waiting_policy(target)
    own = "${iot:Connection.Thing.ThingName}"
    for statement in document["Statement"]:
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        assert "*" not in statement["Action"]
        for resource in resources:
            assert own in resource or resource.endswith((":topic/$aws/rules/lobby", ":topic/$aws/rules/lobby_renewal"))
            assert not resource.split(own)[0].endswith("*")
    [connect] = [statement for statement in document["Statement"] if statement["Action"] == "iot:Connect"]
    assert connect["Resource"] == f"arn:aws:iot:{target.region}:{target.account}:client/{own}"


def test_fault_listing_scans_and_loses_its_page_token(lobby: LobbyWithTargets) -> None:
    for wanted in (Filter(State.INLOBBY), Filter()):
        lobby.calls.forget()
        first = devices(wanted, 1)
        assert first.cursor is not None
        second = devices(wanted, 1, first.cursor)
        assert {found.certid for page in (first, second) for found in page.devices} == {ONE, TWO}
        assert set(lobby.calls.names()) == {"Query"}


def test_fault_no_history_of_a_device(lobby: LobbyWithTargets) -> None:
    lobby.place()
    with lobby.calls.uncounted():
        entries, device = lobby.ledger.history(ONE), lobby.ledger.get(ONE)
    assert device is not None
    assert [entry.event.value for entry in entries] == ["admit", "hello", "claim", "commission", "arrive"]
    assert first_broken_entry(entries, version=device.version, head=device.head) is None


def test_only_a_change_of_the_claim_starts_the_commissioner(lobby: LobbyWithTargets) -> None:
    """The mapping's filter matches rows that need the commissioner."""
    assert starts_the_commissioner(lobby.claim()["dynamodb"]["NewImage"])
    lobby.deliver(lobby.record())
    assert not starts_the_commissioner(aws.item(ONE))
