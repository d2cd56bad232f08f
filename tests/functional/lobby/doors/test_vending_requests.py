"""The vending Lambda: HTTP, its log, and requests that are interrupted after any call and sent again."""

import base64
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pynamodb.exceptions import PynamoDBException

from lobby.domain.history.history_audit import first_broken_entry
from lobby.domain.states import State
from lobby.doors import vending_requests
from lobby.errors import NotHome
from lobby.ledger.store import Ledger
from tests import aws
from tests import certificates as make
from tests.aws import REGION, Calls, Clock, CutOff
from tests.functional.commissioner.lobby_with_targets import client_error
from tests.functional.lobby.vending_door import VendingLobby

BODY = {"thingName": "pump-1", "version": "1.0"}
CALLS = [
    "GetParameter",
    *("GetItem",) * 4,
    "CreateCertificateFromCsr",
    "TransactWriteItems",
    "CreateThing",
    "AttachThingPrincipal",
    "AttachPolicy",
    "UpdateCertificate",
]
"""Settings, token, name, enrolment and list are read; then the certificate is issued, admitted and activated."""


@pytest.fixture
def lobby(calls: Calls, clock: Clock, ledger: Ledger) -> VendingLobby:
    lobby = VendingLobby(calls, clock, ledger)
    lobby.enrol_pumps()
    return lobby


def test_a_request_makes_these_calls(lobby: VendingLobby) -> None:
    token = lobby.token()
    lobby.calls.forget()
    csr = make.signing_request("pump-1")
    assert lobby.send(token, BODY | {"csr": csr}).status == 200
    assert lobby.calls.names() == CALLS


@pytest.mark.parametrize("key", [0, None], ids=["own key", "key of AWS IoT"])
@pytest.mark.parametrize("number", range(1, len(CALLS) + 1))
def test_an_interrupted_request_is_completed_by_the_next_one(number: int, key: int | None) -> None:
    state, uses = _interrupted(number, key)
    assert (state, uses[0]) == (State.KNOCKING, 1)
    assert uses[1] <= 2


@cache
def _interrupted(number: int, key: int | None) -> tuple[State, tuple[int, int]]:
    """Interrupt a request after this call, repeat it with a new Lambda, and return the device's state and the uses."""
    with aws.aws() as calls:
        clock = Clock()
        lobby = VendingLobby(calls, clock, Ledger(REGION, clock, pause=lambda _attempt: None))
        lobby.enrol_pumps(limit=1)
        token = lobby.token()
        body = BODY | ({"csr": make.signing_request("pump-1", key)} if key is not None else {})
        calls.forget()
        calls.cut_after = number
        with pytest.raises(CutOff):
            lobby.send(token, body)
        calls.cut_after = None
        lobby.new_lambdas()
        pem = lobby.send(token, body).pem
        device = lobby.vended(pem)
        entries = lobby.ledger.history(device.certid)
        assert first_broken_entry(entries, version=device.version, head=device.head) is None
        assert aws.status(device.certid) == "ACTIVE"
        active = [certid for certid, status in aws.registry()["certificates"].items() if status == "ACTIVE"]
        rows = {row["certid"]["S"] for row in aws.items("device-lobby-ledger")}
        assert set(active) <= rows
        assert lobby.admitted() == 1
        assert aws.counts() == aws.recounted()
        return device.devstate, lobby.uses(token)


@pytest.mark.parametrize("lost", [False, True], ids=["failed", "answer lost"])
@pytest.mark.parametrize("operation", sorted(set(CALLS)))
def test_a_call_that_fails_leaves_nothing_active_without_a_row_and_is_repeated(
    lobby: VendingLobby, operation: str, lost: bool
) -> None:
    token, csr = lobby.token(), make.signing_request("pump-1")
    error = client_error("InternalFailureException", operation)

    def fail(_params: dict[str, Any], call: Callable[[], Any]) -> Any:
        if lost:
            call()
        raise error

    lobby.calls.instead[operation] = fail
    with pytest.raises((ClientError, PynamoDBException)):
        lobby.send(token, BODY | {"csr": csr})
    del lobby.calls.instead[operation]
    active = {certid for certid, status in aws.registry()["certificates"].items() if status == "ACTIVE"}
    assert active <= {row["certid"]["S"] for row in aws.items("device-lobby-ledger")}
    pem = lobby.send(token, BODY | {"csr": csr}).pem
    assert aws.status(make.fingerprint_of(pem)) == "ACTIVE"
    assert (lobby.uses(token), lobby.admitted()) == ((1, 1), 1)
    assert aws.counts() == aws.recounted()


HTTP: dict[str, tuple[dict[str, Any], int, str]] = {
    "another method": ({"method": "PUT"}, 405, "WRONG_METHOD"),
    "another content type": ({"content_type": "text/plain"}, 415, "WRONG_CONTENT_TYPE"),
    "no content type": ({"content_type": ""}, 415, "WRONG_CONTENT_TYPE"),
}


@pytest.mark.parametrize("case", HTTP)
def test_other_requests_are_refused(lobby: VendingLobby, case: str) -> None:
    more, status, code = HTTP[case]
    answer = lobby.send(lobby.token(), BODY, **more)
    assert (answer.status, answer.code) == (status, code)


def test_a_content_type_with_parameters_and_a_body_in_base64_are_accepted(lobby: VendingLobby) -> None:
    token = lobby.token()
    event: dict[str, Any] = {
        "headers": {"content-type": "Application/JSON; charset=utf-8"},
        "requestContext": {"http": {"method": "POST"}, "authorizer": {"lambda": {"token": token.id}}},
        "body": base64.b64encode(json.dumps(BODY).encode()).decode(),
        "isBase64Encoded": True,
    }
    assert vending_requests.handler(event, None, lobby.door)["statusCode"] == 200
    event["body"] = "=" + event["body"]
    refused = vending_requests.handler(event, None, lobby.door)
    assert json.loads(refused["body"])["code"] == "INVALID_BODY"
    assert refused["headers"]["cache-control"] == "no-store"


def test_a_busy_aws_iot_is_tried_again_later(lobby: VendingLobby) -> None:
    lobby.calls.fails["CreateCertificateFromCsr"] = client_error("ThrottlingException", "CreateCertificateFromCsr")
    answer = lobby.register(lobby.token())
    assert (answer.status, answer.code) == (503, "TRY_AGAIN")


def test_a_device_tries_again_while_no_region_may_write(lobby: VendingLobby) -> None:
    lobby.calls.fails["TransactWriteItems"] = NotHome("LEASE_EXPIRED", "got a lease of eu-west-1 that has ended")
    answer = lobby.register(lobby.token())
    assert (answer.status, answer.code) == (503, "TRY_AGAIN")
    assert "eu-west-1" not in str(answer.body)
    del lobby.calls.fails["TransactWriteItems"]
    assert lobby.register(lobby.token()).status == 200


def test_a_csr_that_aws_iot_refuses_is_the_requests_fault(lobby: VendingLobby) -> None:
    lobby.calls.fails["CreateCertificateFromCsr"] = client_error("InvalidRequestException", "CreateCertificateFromCsr")
    answer = lobby.register(lobby.token())
    assert (answer.status, answer.code) == (400, "INVALID_CSR")


def test_missing_settings_are_refused_clearly(lobby: VendingLobby) -> None:
    with lobby.calls.uncounted():
        lobby.ssm.delete_parameter(Name="/device-lobby/vending")
    answer = lobby.register(lobby.token())
    assert (answer.status, answer.code) == (503, "INVALID_SETTINGS")


def test_no_token_and_no_key_is_in_the_log(
    lobby: VendingLobby, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    token = lobby.token(uses=3)
    private = lobby.register(token, key=None).body["certificateData"]["key_pair"]["private_key"]
    lobby.post(token, BODY | {"thingName": "pump-2", "csr": private})
    lobby.post(token, private)
    lobby.post(token, BODY | {"thingName": "valve-1"})
    assert [each.message for each in caplog.records] == ["vended", "refused", "refused", "refused"]
    output = capsys.readouterr().out + str([vars(each) for each in caplog.records])
    for secret in (token.secret, *private.splitlines()[1:-1]):
        assert secret not in output
