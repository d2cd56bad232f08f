"""The messages between Lambdas: both sides agree, other shapes are rejected, and failed invocations raise one error."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from lobby.contracts.inspector import (
    CertificatesRequest,
    DeactivateRequest,
    Facts,
    FactsRequest,
    Thing,
    ThingsRequest,
    decode_inspector_request,
)
from lobby.contracts.invocation import InvocationFailed, MalformedMessage, RequestRefused, encode_refusal, invoke
from lobby.contracts.targets import (
    Comparison,
    ComparisonRequest,
    ReportedDifference,
    Survey,
    SurveyFinding,
    SurveyRequest,
)
from lobby.domain.targets.thing import ThingFacts
from lobby.errors import InvalidInput
from lobby.names import Fingerprint, ThingName, parse_target

TARGET = parse_target("111111111111", "eu-west-1")
ONE, NAME = Fingerprint("ab" * 32), ThingName("sensor-1")
FACTS = Facts(ONE, "ACTIVE", ("sensor-1",), ("device-lobby-default",), None)
THING = ThingFacts("sensor", {"site": "berlin"}, ("sensors",), "north", others=3)
WITH_THING = replace(FACTS, thing=THING)
DIFFERENCE = ReportedDifference(ONE, None, "ORPHANED", "got it", "deactivate", repaired=False)
REQUESTS: list[tuple[Any, Callable[[Mapping[str, Any]], Any]]] = [
    (SurveyRequest(TARGET), SurveyRequest.decode),
    (ComparisonRequest(TARGET), ComparisonRequest.decode),
    (ComparisonRequest(TARGET, "cursor", "user:ann"), ComparisonRequest.decode),
    (FactsRequest(TARGET, ((ONE, NAME),)), decode_inspector_request),
    (ThingsRequest(TARGET, None), decode_inspector_request),
    (ThingsRequest(TARGET, "token", 10), decode_inspector_request),
    (CertificatesRequest(TARGET, None, None), decode_inspector_request),
    (CertificatesRequest(TARGET, "camera", "token", 10), decode_inspector_request),
    (DeactivateRequest(TARGET, ONE), decode_inspector_request),
]
RESPONSES: list[tuple[Any, dict[str, Any], Any]] = [
    (
        SurveyRequest(TARGET),
        Survey((SurveyFinding("iot:Publish", True, "found"),), "a.example").encode(),
        Survey((SurveyFinding("iot:Publish", True, "found"),), "a.example"),
    ),
    (
        ComparisonRequest(TARGET),
        Comparison(1, (DIFFERENCE,), "more").encode(),
        Comparison(1, (DIFFERENCE,), "more"),
    ),
    (FactsRequest(TARGET, ()), FactsRequest.encode_response([FACTS]), (FACTS,)),
    (FactsRequest(TARGET, ()), FactsRequest.encode_response([WITH_THING]), (WITH_THING,)),
    (
        ThingsRequest(TARGET, None),
        ThingsRequest.encode_response([Thing("any", "text", "type", {"a": "b"})], "more"),
        ((Thing("any", "text", "type", {"a": "b"}),), "more"),
    ),
    (
        CertificatesRequest(TARGET, None, None),
        CertificatesRequest.encode_response([ONE], "more"),
        ((ONE,), "more"),
    ),
    (DeactivateRequest(TARGET, ONE), {}, None),
]


def answering(body: object, **more: Any) -> Mock:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Mock(invoke=Mock(return_value={"Payload": io.BytesIO(payload), **more}))


@pytest.mark.parametrize(("request_", "decode"), REQUESTS, ids=lambda each: type(each).__name__)
def test_a_request_decodes_to_the_same_request(request_: Any, decode: Callable[[Mapping[str, Any]], Any]) -> None:
    assert decode(json.loads(json.dumps(request_.encode()))) == request_


@pytest.mark.parametrize(("request_", "body", "response"), RESPONSES, ids=lambda each: type(each).__name__)
def test_a_response_decodes_to_the_same_response(request_: Any, body: dict[str, Any], response: object) -> None:
    client = answering(body)
    assert invoke(client, "function", request_) == response
    sent = client.invoke.call_args.kwargs
    assert (sent["FunctionName"], json.loads(sent["Payload"])) == ("function", request_.encode())


@pytest.mark.parametrize(("request_", "body", "response"), RESPONSES[:-1], ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("value", [None, 5.5, True, "text", {}, [5], [{}]], ids=repr)
def test_a_response_with_another_type_is_rejected(
    request_: Any, body: dict[str, Any], response: object, value: object
) -> None:
    key = next(iter(body))
    with pytest.raises(MalformedMessage):
        invoke(answering(body | {key: value}), "function", request_)
    with pytest.raises(MalformedMessage):
        invoke(answering({name: each for name, each in body.items() if name != key}), "function", request_)


def test_an_inspector_of_an_earlier_version_counts_no_other_attributes() -> None:
    fields = asdict(WITH_THING)
    del fields["thing"]["others"]
    [facts] = invoke(answering({"facts": [fields]}), "function", FactsRequest(TARGET, ()))
    assert facts.thing == replace(THING, others=0)
    fields["thing"]["others"] = "3"
    with pytest.raises(MalformedMessage, match="got others '3', want a number"):
        invoke(answering({"facts": [fields]}), "function", FactsRequest(TARGET, ()))


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"5", {"refused": 5}, {"refused": {"code": "X"}}])
def test_anything_but_a_response_is_rejected(body: object) -> None:
    with pytest.raises(MalformedMessage):
        invoke(answering(body), "function", SurveyRequest(TARGET))


def test_a_refusal_is_raised_with_its_code() -> None:
    with pytest.raises(RequestRefused) as refused:
        invoke(answering(encode_refusal("TARGET_ROLE_DENIED", "no")), "function", ThingsRequest(TARGET, None))
    assert (refused.value.code, refused.value.message) == ("TARGET_ROLE_DENIED", "no")


def test_a_failed_function_and_a_missing_answer_are_the_same_error() -> None:
    with pytest.raises(InvocationFailed, match=r"function failed: .*Task timed out"):
        invoke(
            answering({"errorMessage": "Task timed out"}, FunctionError="Unhandled"), "function", SurveyRequest(TARGET)
        )
    throttled = ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}}, "Invoke")
    with pytest.raises(InvocationFailed, match=r"function did not answer: .*TooManyRequestsException"):
        invoke(Mock(invoke=Mock(side_effect=throttled)), "function", SurveyRequest(TARGET))
    silent = Mock(invoke=Mock(side_effect=ReadTimeoutError(endpoint_url="x")))
    with pytest.raises(InvocationFailed, match="function did not answer"):
        invoke(silent, "function", SurveyRequest(TARGET))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"ask": "delete"},
        {"ask": "devices"},
        {"ask": "devices", "devices": [5]},
        {"ask": "devices", "devices": [{"certid": ONE}]},
        {"ask": "devices", "devices": [{"certid": "x", "name": NAME}]},
        {"ask": "things", "token": 5},
        {"ask": "deactivate"},
    ],
)
def test_an_invalid_inspector_request_is_rejected(more: dict[str, Any]) -> None:
    with pytest.raises((MalformedMessage, InvalidInput)):
        decode_inspector_request({"account": "111111111111", "region": "eu-west-1", **more})


@pytest.mark.parametrize("decode", [SurveyRequest.decode, ComparisonRequest.decode, decode_inspector_request])
def test_a_request_without_a_target_is_rejected(decode: Callable[[Mapping[str, Any]], Any]) -> None:
    with pytest.raises(InvalidInput):
        decode({"ask": "things"})
