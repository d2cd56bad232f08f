"""The faults of aws-device-lobby v0.1, each reproduced there by running it: one test for each, by its name.

None may come back. Each test does what showed the fault, through the real parts; the modules' own tests go deeper.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.x509.oid import NameOID

from device.storage import Storage
from infra.device_policies import PROFILES, profile_document, waiting_policy
from lobby import receptionist
from lobby.domain.history_audit import first_broken_entry
from lobby.domain.states import State
from lobby.ledger.anchors import Anchors
from lobby.ledger.listing import Filter, devices
from lobby.ledger.models import COMMISSIONER
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, parse_target
from lobby.receptionist import Receptionist
from lobby.wire import HELLO_SQL, Route
from tests import aws
from tests import certificates as make
from tests.aws import HOME, Calls, Clock, CutOff
from tests.functional.admin_api.api_on_moto import Lobby as Api
from tests.functional.commissioner.lobby_with_targets import ONE, TWO, A, B, LobbyWithTargets, Record, statuses
from tests.functional.lobby.door import CA, Door
from tests.unit.device.machine_driver import ROUTE, MachineDriver

UNKNOWN = Fingerprint("9f" * 32)
ADD = """mutation ($certid: ID!, $account: String!, $region: String!) {
  addDevice(certid: $certid, targetaccount: $account, targetregion: $region) { certid devstate targetaccount } }"""


@pytest.fixture
def lobby(calls: Calls, clock: Clock) -> LobbyWithTargets:
    return LobbyWithTargets(calls, clock, "sensor-1", "sensor-2")


@pytest.fixture
def door(calls: Calls, clock: Clock) -> Door:
    return Door(calls, clock)


@pytest.fixture
def api(lobby: LobbyWithTargets) -> Api:
    return Api(lobby.ledger, lobby.targets, Anchors(lambda: aws.client("s3"), "none"))


def hello(lobby: LobbyWithTargets, certid: str = ONE, **fields: Any) -> str:
    handling = Receptionist(aws.client("iot-data"), lobby.ledger)
    event = {"certid": certid, "devicename": "sensor-1", "clientversion": "1.0"} | fields
    return receptionist.handler(event, None, handling)["outcome"]


def starts_the_commissioner(row: dict[str, Any] | None) -> bool:
    return ((row or {}).get("turn") or {}).get("S") == COMMISSIONER


def test_fault_crash_on_the_first_registration_of_a_certificate(lobby: LobbyWithTargets) -> None:
    """A certificate that the target has never seen is registered at the first try, not by the stream's retry."""
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


def test_fault_a_refused_aws_call_strands_the_device_silently(lobby: LobbyWithTargets) -> None:
    lobby.calls.fails["AssumeRole"] = ClientError({"Error": {"Code": "AccessDenied"}}, "AssumeRole")
    lobby.deliver(lobby.claim())
    device = lobby.device()
    assert (device.devstate, device.reason) == (State.FAILED, "TARGET_ROLE_DENIED")
    assert device.message


@pytest.mark.parametrize(
    "operation",
    [
        "DescribeCertificate",
        "DescribeCACertificate",
        "GetObject",
        "TransactWriteItems",
        "CreateThing",
        "AttachThingPrincipal",
        "AttachPolicy",
        "UpdateCertificate",
    ],
)
def test_fault_a_failed_aws_call_in_the_bouncer_is_swallowed(door: Door, operation: str) -> None:
    event = door.first_connect()
    door.calls.fails[operation] = ClientError({"Error": {"Code": "InternalFailureException"}}, operation)
    with pytest.raises(Exception, match=r"InternalFailure|Failed to write"):
        door.deliver(event)
    door.calls.fails.clear()
    assert door.deliver(event) == "admitted"


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


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        (make.subject((NameOID.COMMON_NAME, "me"), (NameOID.ORGANIZATION_NAME, "Acme")), "me"),
        (make.subject((NameOID.ORGANIZATIONAL_UNIT_NAME, "CN=victim"), (NameOID.COMMON_NAME, "me")), "me"),
        (make.subject((NameOID.COMMON_NAME, "me"), (NameOID.ORGANIZATIONAL_UNIT_NAME, "CN=victim")), "me"),
        (make.subject((NameOID.ORGANIZATIONAL_UNIT_NAME, "CN=victim")), None),
    ],
    ids=["anything after the CN", "OU=CN=victim before it", "OU=CN=victim after it", "OU=CN=victim alone"],
)
def test_fault_the_cn_is_parsed_by_string_search(door: Door, name: Any, outcome: str | None) -> None:
    door.deliver(door.first_connect(make.pem_of(make.device(CA, name=name))))
    assert list(aws.registry()["things"]) == ([outcome] if outcome else [])


def test_fault_two_certificates_with_one_cn_share_a_thing(door: Door) -> None:
    first = make.pem_of(make.device(CA, "sensor-1"))
    second = make.pem_of(make.device(CA, "sensor-1", number=2))
    assert door.deliver(door.first_connect(first)) == "admitted"
    assert door.deliver(door.first_connect(second)) == "NAME_TAKEN"
    assert len(aws.registry()["principals"]) == 1
    assert aws.status(make.fingerprint_of(second)) == "INACTIVE"


@pytest.mark.parametrize(
    ("certid", "account", "region", "code"),
    [
        ("nonsense", A.account, A.region, "INVALID_FINGERPRINT"),
        ("", A.account, A.region, "INVALID_FINGERPRINT"),
        (UNKNOWN + "0", A.account, A.region, "INVALID_FINGERPRINT"),
        (UNKNOWN, "12345", A.region, "INVALID_ACCOUNT"),
        (UNKNOWN, "11111111111a", A.region, "INVALID_ACCOUNT"),
        (UNKNOWN, A.account, "mars", "INVALID_REGION"),
        (UNKNOWN, A.account, "eu-west-1; DROP TABLE", "INVALID_REGION"),
        (UNKNOWN, "333333333333", A.region, "UNKNOWN_TARGET"),
    ],
)
def test_fault_malformed_claims_are_accepted_and_leave_ghost_rows(
    api: Api, certid: str, account: str, region: str, code: str
) -> None:
    before = aws.tables()
    assert api.ask(ADD, {"certid": certid, "account": account, "region": region}).code == code
    assert aws.tables() == before


HOSTILE = ['", devstate = "arrived', "\\", "${context.args}", '{"S": "x"}', "a'; SET devstate = :x", "$util.toJson(1)"]


@pytest.mark.parametrize("text", HOSTILE)
def test_fault_resolver_injection_writes_any_field(api: Api, text: str) -> None:
    before = aws.tables()
    for variables in (
        {"certid": ONE + text, "account": A.account, "region": A.region},
        {"certid": ONE, "account": A.account + text, "region": A.region},
        {"certid": ONE, "account": A.account, "region": A.region + text},
    ):
        assert api.ask(ADD, variables).codes
    inline = f'mutation {{ addDevice(certid: "{ONE}", targetaccount: "{A.account}", targetregion: "{A.region}", '
    assert api.ask(inline + 'devstate: "arrived") { certid } }').codes
    assert aws.tables() == before


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


def test_fault_the_default_clock_of_a_ledger_goes_on(calls: Calls) -> None:
    ledger = Ledger(HOME.region)
    early, late = ledger._clock(), ledger._clock()
    assert early <= late
    assert abs((datetime.now(UTC) - late).total_seconds()) < 3600


def test_fault_an_unknown_certificates_hello_creates_a_row(lobby: LobbyWithTargets) -> None:
    before = aws.tables()
    assert hello(lobby, UNKNOWN) == "unknown"
    assert (aws.tables(), aws.published()) == (before, [])


def test_fault_a_deactivated_certificate_becomes_active_again(door: Door) -> None:
    event = door.first_connect()
    certid = event["certificateId"]
    with door.calls.uncounted():
        door.iot.update_certificate(certificateId=certid, newStatus="INACTIVE")
    assert door.deliver(event) == "settled"
    assert aws.status(certid) == "INACTIVE"


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
@pytest.mark.parametrize("profile", [*PROFILES, None], ids=lambda profile: profile or "in the lobby")
def test_fault_the_target_policy_allows_client_star(target: Any, profile: str | None) -> None:
    document = profile_document(target, profile) if profile else waiting_policy(target)
    own = "${iot:Connection.Thing.ThingName}"
    for statement in document["Statement"]:
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        assert "*" not in statement["Action"]
        for resource in resources:
            assert own in resource or resource.endswith(":topic/$aws/rules/lobby")
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


# The device client.


def test_fault_the_device_retries_every_five_seconds_forever() -> None:
    driver, waits = MachineDriver(), []
    for _ in range(12):
        waits.append(driver.fail().next_wait)
        driver.advance_time(driver.next_wait)
    assert waits == sorted(waits)
    assert waits[0] < 5 < waits[-1]
    assert waits[-1] == waits[-2] == driver.plan.timing.retry_cap


def test_fault_the_device_never_falls_back_to_the_lobby() -> None:
    driver = MachineDriver(route=ROUTE).fall_back()
    assert driver.state.endpoint is not None
    assert driver.state.endpoint.host == driver.plan.lobbies[0].host


@pytest.mark.parametrize("torn", [b"", b"{", b'{"iotep": "a"}', b"\x00" * 100, b"null", b"[]"])
def test_fault_a_torn_config_file_bricks_the_device(tmp_path: Path, torn: bytes) -> None:
    storage = Storage(tmp_path)
    storage.store(Route("a.example"))
    storage.route_file.write_bytes(torn)
    loaded = storage.load()
    assert loaded.route is None
    assert loaded.error
    storage.store(Route("b.example"))
    assert storage.load().route == Route("b.example")


@pytest.mark.parametrize(
    "payload", [b"", b"\xff", b"null", b"7", b"[]", b'"x"', b"{}", b'{"iotep": 7}', b'{"config": 1}', b"[" * 10_000]
)
def test_fault_any_unexpected_message_kills_the_device(payload: bytes) -> None:
    driver = MachineDriver().go_online()
    assert driver.receive(payload).logged == ["message_ignored"]
    assert driver.state.route is None


def test_only_a_change_of_the_claim_starts_the_commissioner(lobby: LobbyWithTargets) -> None:
    """What the mapping's filter lets through: rows whose turn is the commissioner's."""
    assert starts_the_commissioner(lobby.claim()["dynamodb"]["NewImage"])
    lobby.deliver(lobby.record())
    assert not starts_the_commissioner(aws.item(ONE))
