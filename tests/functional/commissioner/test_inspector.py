"""The inspector reads targets with a session that can only read, and deactivates one certificate at a time."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from moto.iot.models import iot_backends

from commissioner.lambdas import inspector as module
from commissioner.lambdas.inspector import Inspector, handler
from commissioner.target_gateway.registry import certificate_arn
from lobby.domain.targets.profile import Profiles
from tests import aws
from tests.functional.commissioner.lobby_with_targets import (
    KEY,
    ONE,
    TWO,
    A,
    LobbyWithTargets,
    make_thing,
    new_inspector,
)

WRITES = ("Update", "Create", "Register", "Attach", "Detach", "Delete", "Publish", "Put")


@pytest.fixture
def inspector(lobby: LobbyWithTargets) -> Inspector:
    lobby.start_placed()
    return new_inspector()


def ask(inspector: Inspector, what: str, **more: Any) -> dict[str, Any]:
    return handler({"account": A.account, "region": A.region, "ask": what, **more}, None, inspector)


def facts(inspector: Inspector, *certids: str) -> Any:
    devices = [{"certid": certid, "name": f"sensor-{n}"} for n, certid in enumerate(certids, 1)]
    return ask(inspector, "devices", devices=devices)["facts"]


CLAIM = f"1:default:awaited:{KEY}:{ONE}"
VALID = {
    "certid": ONE,
    "status": "ACTIVE",
    "things": ("sensor-1",),
    "policies": ("device-lobby-default",),
    "holder": ONE,
    "thing": {"thing_type": None, "attributes": {}, "groups": (), "billing_group": None, "others": 2},
    "claim": CLAIM,
}


def test_a_placed_device_is_read_completely_and_nothing_is_changed(
    lobby: LobbyWithTargets, inspector: Inspector
) -> None:
    before = aws.registry(A)
    assert facts(inspector, ONE) == [VALID]
    assert aws.registry(A) == before
    assert not [name for name in lobby.calls.names() if name.startswith(WRITES)]


def test_a_certificate_that_is_not_registered_has_no_facts(inspector: Inspector) -> None:
    absent = {"certid": TWO, "status": None, "things": (), "policies": (), "holder": None, "thing": None}
    absent |= {"claim": None}
    assert facts(inspector, ONE, TWO)[1] == absent


def test_a_thing_without_the_attribute_differs_from_no_thing(inspector: Inspector) -> None:
    make_thing(iot_backends[A.account][A.region], "sensor-2")
    assert facts(inspector, ONE, TWO)[1]["holder"] == ""


def test_the_session_for_reading_allows_less_than_commissioning(lobby: LobbyWithTargets, inspector: Inspector) -> None:
    facts(inspector, ONE)
    policy = json.loads(lobby.calls.of("AssumeRole")[-1].params["Policy"])
    actions = {action for each in policy["Statement"] for action in _listed(each["Action"])}
    assert actions == {
        "iot:DescribeCertificate",
        "iot:ListPrincipalThings",
        "iot:DescribeThing",
        "iot:ListThingGroupsForThing",
        "iot:ListAttachedPolicies",
        "iot:ListThings",
        "iot:ListCertificates",
        "iot:ListTargetsForPolicy",
    }


def test_a_certificate_is_deactivated_with_a_session_for_that_certificate(
    lobby: LobbyWithTargets, inspector: Inspector
) -> None:
    assert ask(inspector, "deactivate", certid=ONE) == {}
    assert aws.status(ONE, A) == "INACTIVE"
    [statement] = json.loads(lobby.calls.of("AssumeRole")[-1].params["Policy"])["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("iot:UpdateCertificate", certificate_arn(A, ONE))


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_things_come_in_pages_and_only_those_with_the_attribute(
    inspector: Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_SIZE", 1)
    for name, attributes in (("another", {}), ("sensor-9", {"certid": TWO}), ("theirs", {"certid": "anything"})):
        make_thing(iot_backends[A.account][A.region], name, **attributes)
    found: list[Any] = []
    token = None
    while not found or token:
        page = ask(inspector, "things", token=token)
        found, token = [*found, page["things"]], page["token"]
    assert [each for page in found for each in page] == [
        _thing("sensor-1", ONE) | {"claim": CLAIM},
        _thing("sensor-9", TWO),
        _thing("theirs", "anything"),
    ]


def _thing(name: str, certid: str) -> dict[str, Any]:
    return {"name": name, "certid": certid, "thing_type": None, "attributes": {}, "claim": None}


def test_several_pages_are_listed_while_there_is_time(lobby: LobbyWithTargets, monkeypatch: pytest.MonkeyPatch) -> None:
    lobby.start_placed()
    monkeypatch.setattr(module, "PAGE_SIZE", 1)
    for name in ("another", "third", "fourth"):
        make_thing(iot_backends[A.account][A.region], name, certid=TWO)
    seconds = iter([0.0, 5.0, 11.0])
    page = ask(new_inspector(lambda: next(seconds)), "things", pages=10)
    assert ([each["name"] for each in page["things"]], page["token"] is not None) == (["sensor-1", "another"], True)
    rest = ask(new_inspector(), "things", pages=10, token=page["token"])
    assert ([each["name"] for each in rest["things"]], rest["token"]) == (["third", "fourth"], None)


def test_no_more_pages_are_listed_after_many_bytes(lobby: LobbyWithTargets, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda does not return a response of more than 6 MB."""
    lobby.start_placed()
    monkeypatch.setattr(module, "PAGE_SIZE", 1)
    for name in ("another", "third"):
        make_thing(iot_backends[A.account][A.region], name, certid=TWO)
    largest = len(json.dumps(_thing("sensor-1", ONE) | {"claim": CLAIM})) + 1
    monkeypatch.setattr(module, "LARGEST_LIST", largest)
    page = ask(new_inspector(), "things", pages=10)
    assert ([each["name"] for each in page["things"]], page["token"] is not None) == (["sensor-1", "another"], True)
    monkeypatch.setattr(module, "LARGEST_LIST", 1)
    assert len(ask(new_inspector(), "things", pages=10)["things"]) == 1


@pytest.mark.parametrize(("attributes", "most"), [(2, 250), (16, 166), (50, 57)])
def test_a_page_has_fewer_things_if_their_attributes_can_be_large(
    lobby: LobbyWithTargets, monkeypatch: pytest.MonkeyPatch, attributes: int, most: int
) -> None:
    names = frozenset(f"a{number}" for number in range(attributes))
    monkeypatch.setattr(Profiles, "attribute_names", lambda _profiles: names)
    sizes: list[int] = []

    def recorded(params: Any, call: Any) -> Any:
        sizes.append(params["maxResults"])
        return call()

    lobby.calls.instead["ListThings"] = recorded
    ask(new_inspector(), "things")
    assert sizes == [most]


def test_a_page_that_fails_after_others_is_left_for_the_next_request(
    lobby: LobbyWithTargets, inspector: Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_SIZE", 1)
    make_thing(iot_backends[A.account][A.region], "another", certid=TWO)
    calls = iter(range(2))

    def throttled_later(_params: object, call: Any) -> Any:
        if next(calls):
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "ListThings")
        return call()

    lobby.calls.instead["ListThings"] = throttled_later
    page = ask(inspector, "things", pages=10)
    assert ([each["name"] for each in page["things"]], page["token"] is not None) == (["sensor-1"], True)


def test_active_certificates_and_holders_of_a_policy_are_listed(inspector: Inspector) -> None:
    registry = iot_backends[A.account][A.region]
    assert ask(inspector, "certificates", profile=None) == {"certids": [ONE], "token": None}
    assert ask(inspector, "certificates", profile="default") == {"certids": [ONE], "token": None}
    assert ask(inspector, "certificates", profile="camera") == {"certids": [], "token": None}
    registry.certificates[ONE].status = "INACTIVE"
    assert ask(inspector, "certificates", profile=None) == {"certids": [], "token": None}


@pytest.mark.parametrize("more", [{"pages": 0}, {"pages": True}, {"pages": 51}, {"profile": "../x"}, {"token": 1}])
def test_a_request_for_other_pages_is_rejected(
    lobby: LobbyWithTargets, inspector: Inspector, more: dict[str, Any]
) -> None:
    lobby.calls.forget()
    with pytest.raises(Exception, match=r"INVALID_PROFILE|got "):
        ask(inspector, "certificates", **more)
    assert lobby.calls.names() == []


@pytest.mark.parametrize(
    ("operation", "fault", "code"),
    [
        ("AssumeRole", "AccessDenied", "TARGET_ROLE_DENIED"),
        ("DescribeCertificate", "AccessDeniedException", "TARGET_PERMISSION_MISSING"),
        ("ListPrincipalThings", "AccessDeniedException", "TARGET_PERMISSION_MISSING"),
        ("ListAttachedPolicies", "UnrecognizedClientException", "TARGET_REGION_DISABLED"),
        ("DescribeThing", "ThrottlingException", "TARGET_UNREACHABLE"),
    ],
)
def test_a_target_that_denies_access_is_refused_with_its_reason(
    lobby: LobbyWithTargets, inspector: Inspector, operation: str, fault: str, code: str
) -> None:
    lobby.calls.fails[operation] = ClientError({"Error": {"Code": fault, "Message": "no"}}, operation)
    response = ask(inspector, "devices", devices=[{"certid": ONE, "name": "sensor-1"}])
    assert response["refused"]["code"] == code
    assert str(A) in response["refused"]["message"]


@pytest.mark.parametrize(
    ("what", "operation"), [("things", "ListThings"), ("deactivate", "UpdateCertificate"), ("things", "AssumeRole")]
)
def test_a_target_that_does_not_answer_is_unreachable(
    lobby: LobbyWithTargets, inspector: Inspector, what: str, operation: str
) -> None:
    lobby.calls.fails[operation] = ConnectTimeoutError(endpoint_url="x")
    assert ask(inspector, what, certid=ONE)["refused"]["code"] == "TARGET_UNREACHABLE"


def test_an_unregistered_target_is_unknown(inspector: Inspector) -> None:
    response = handler({"account": "3" * 12, "region": A.region, "ask": "things"}, None, inspector)
    assert response["refused"]["code"] == "UNKNOWN_TARGET"


def test_facts_read_before_the_target_stopped_answering_are_returned(
    lobby: LobbyWithTargets, inspector: Inspector
) -> None:
    busy = ClientError({"Error": {"Code": "ThrottlingException"}}, "DescribeCertificate")
    first = iter([True])

    def once(_params: object, call: Any) -> Any:
        if next(first, False):
            return call()
        raise busy

    lobby.calls.instead["DescribeCertificate"] = once
    assert facts(inspector, ONE, TWO) == [VALID]


def test_when_time_is_up_the_facts_read_so_far_are_returned(lobby: LobbyWithTargets) -> None:
    lobby.start_placed()
    seconds = iter([0.0, 5.0, 11.0])
    inspector = new_inspector(lambda: next(seconds))
    assert [each["certid"] for each in facts(inspector, ONE, TWO, ONE)] == [ONE, TWO]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"ask": "devices"},
        {"account": A.account, "region": A.region, "ask": "delete"},
        {"account": A.account, "region": A.region, "ask": "deactivate", "certid": "*"},
    ],
)
def test_other_requests_are_rejected(lobby: LobbyWithTargets, inspector: Inspector, event: dict[str, Any]) -> None:
    lobby.calls.forget()
    with pytest.raises((Exception, AssertionError), match=r"INVALID_|got 'delete'"):
        handler(event, None, inspector)
    assert "UpdateCertificate" not in lobby.calls.names()
