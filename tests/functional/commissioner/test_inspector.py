"""What is found in a target, with a session that can only look; and the one certificate that can be put out of use."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from moto.iot.models import iot_backends

from commissioner.lambdas import inspector as module
from commissioner.lambdas.inspector import Inspector, handler
from commissioner.target_gateway.registry import certificate_arn
from lobby.ledger.targets import Targets
from tests import aws
from tests.functional.commissioner.workshop import ONE, TWO, A, Workshop, make_thing

WRITES = ("Update", "Create", "Register", "Attach", "Detach", "Delete", "Publish", "Put")


@pytest.fixture
def inspector(shop: Workshop) -> Inspector:
    shop.begin_settled()
    return Inspector(Targets.read_only(), aws.client("sts"))


def ask(inspector: Inspector, what: str, **more: Any) -> dict[str, Any]:
    return handler({"account": A.account, "region": A.region, "ask": what, **more}, None, inspector)


def facts(inspector: Inspector, *certids: str) -> Any:
    devices = [{"certid": certid, "name": f"sensor-{n}"} for n, certid in enumerate(certids, 1)]
    return ask(inspector, "devices", devices=devices)["facts"]


SOUND = {
    "certid": ONE,
    "status": "ACTIVE",
    "things": ("sensor-1",),
    "policies": ("device-lobby-default",),
    "holder": ONE,
}


def test_a_device_in_its_place_is_found_whole_and_nothing_is_changed(shop: Workshop, inspector: Inspector) -> None:
    before = aws.registry(A)
    assert facts(inspector, ONE) == [SOUND]
    assert aws.registry(A) == before
    assert not [name for name in shop.calls.names() if name.startswith(WRITES)]


def test_what_is_not_there_is_said_so(inspector: Inspector) -> None:
    absent = {"certid": TWO, "status": None, "things": (), "policies": (), "holder": None}
    assert facts(inspector, ONE, TWO)[1] == absent


def test_a_thing_without_the_attribute_is_told_from_none(inspector: Inspector) -> None:
    make_thing(iot_backends[A.account][A.region], "sensor-2")
    assert facts(inspector, ONE, TWO)[1]["holder"] == ""


def test_it_looks_with_less_than_a_commissioner_may(shop: Workshop, inspector: Inspector) -> None:
    facts(inspector, ONE)
    policy = json.loads(shop.calls.of("AssumeRole")[-1].params["Policy"])
    actions = {action for each in policy["Statement"] for action in _listed(each["Action"])}
    assert actions == {
        "iot:DescribeCertificate",
        "iot:ListPrincipalThings",
        "iot:DescribeThing",
        "iot:ListAttachedPolicies",
        "iot:ListThings",
    }


def test_it_puts_one_certificate_out_of_use_with_a_session_for_that_one(shop: Workshop, inspector: Inspector) -> None:
    assert ask(inspector, "deactivate", certid=ONE) == {}
    assert aws.status(ONE, A) == "INACTIVE"
    [statement] = json.loads(shop.calls.of("AssumeRole")[-1].params["Policy"])["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("iot:UpdateCertificate", certificate_arn(A, ONE))


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_things_come_in_pages_and_only_those_that_name_a_certificate(
    inspector: Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "THINGS", 1)
    for name, attributes in (("another", {}), ("sensor-9", {"certid": TWO}), ("theirs", {"certid": "their word"})):
        make_thing(iot_backends[A.account][A.region], name, **attributes)
    found: list[Any] = []
    token = None
    while not found or token:
        page = ask(inspector, "things", token=token)
        found, token = [*found, page["things"]], page["token"]
    assert [each for page in found for each in page] == [
        {"name": "sensor-1", "certid": ONE},
        {"name": "sensor-9", "certid": TWO},
        {"name": "theirs", "certid": "their word"},
    ]


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
def test_a_target_that_lets_nobody_look_is_said_so(
    shop: Workshop, inspector: Inspector, operation: str, fault: str, code: str
) -> None:
    shop.calls.fails[operation] = ClientError({"Error": {"Code": fault, "Message": "no"}}, operation)
    told = ask(inspector, "devices", devices=[{"certid": ONE, "name": "sensor-1"}])
    assert told["refused"]["code"] == code
    assert str(A) in told["refused"]["message"]


@pytest.mark.parametrize(
    ("what", "operation"), [("things", "ListThings"), ("deactivate", "UpdateCertificate"), ("things", "AssumeRole")]
)
def test_a_target_that_does_not_answer_is_said_so(
    shop: Workshop, inspector: Inspector, what: str, operation: str
) -> None:
    shop.calls.fails[operation] = ConnectTimeoutError(endpoint_url="x")
    assert ask(inspector, what, certid=ONE)["refused"]["code"] == "TARGET_UNREACHABLE"


def test_a_target_that_is_none_of_ours_is_said_so(inspector: Inspector) -> None:
    told = handler({"account": "3" * 12, "region": A.region, "ask": "things"}, None, inspector)
    assert told["refused"]["code"] == "UNKNOWN_TARGET"


def test_what_was_found_before_the_target_stopped_to_answer_is_kept(shop: Workshop, inspector: Inspector) -> None:
    busy = ClientError({"Error": {"Code": "ThrottlingException"}}, "DescribeCertificate")
    first = iter([True])

    def once(_params: object, call: Any) -> Any:
        if next(first, False):
            return call()
        raise busy

    shop.calls.instead["DescribeCertificate"] = once
    assert facts(inspector, ONE, TWO) == [SOUND]


def test_who_has_no_time_left_says_what_was_found_till_then(shop: Workshop) -> None:
    shop.begin_settled()
    seconds = iter([0.0, 5.0, 11.0])
    hurried = Inspector(Targets.read_only(), aws.client("sts"), lambda: next(seconds))
    assert [each["certid"] for each in facts(hurried, ONE, TWO, ONE)] == [ONE, TWO]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"ask": "devices"},
        {"account": A.account, "region": A.region, "ask": "delete"},
        {"account": A.account, "region": A.region, "ask": "deactivate", "certid": "*"},
    ],
)
def test_what_it_is_not_made_for_is_refused(shop: Workshop, inspector: Inspector, event: dict[str, Any]) -> None:
    shop.calls.forget()
    with pytest.raises((Exception, AssertionError), match=r"INVALID_|got 'delete'"):
        handler(event, None, inspector)
    assert "UpdateCertificate" not in shop.calls.names()
