"""Faults of the API of aws-device-lobby v0.1, each reproduced there: one test each, with the fault's name."""

import pytest

from lobby.ledger.histories.anchors import Anchors
from lobby.names import Fingerprint
from tests import aws
from tests.aws import Calls, Clock
from tests.functional.admin_api.api_on_moto import Lobby as Api
from tests.functional.commissioner.lobby_with_targets import ONE, A, LobbyWithTargets

UNKNOWN = Fingerprint("9f" * 32)


ADD = """mutation ($certid: ID!, $account: String!, $region: String!) {
  addDevice(certid: $certid, targetaccount: $account, targetregion: $region) { certid devstate targetaccount } }"""


@pytest.fixture
def lobby(calls: Calls, clock: Clock) -> LobbyWithTargets:
    return LobbyWithTargets(calls, clock, "sensor-1", "sensor-2")


@pytest.fixture
def api(lobby: LobbyWithTargets) -> Api:
    return Api(lobby.ledger, lobby.targets, Anchors(lambda: aws.client("s3"), "none"))


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
