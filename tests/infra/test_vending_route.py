"""`POST /register`: authorizer, permissions of API Gateway, limits, and the parameter with the settings."""

import hashlib
import json
import ssl
from pathlib import Path
from typing import Any

import pytest

from infra.doors.vending import ENDPOINT, environment
from infra.doors.vending_permissions import vending
from infra.doors.vending_settings import default_settings, settings_with
from infra.errors import BadContext
from lobby.domain.doors.vending_settings import parse_settings
from tests import certificates as make
from tests.infra.templates import Stacks, settings

ROOTS = {
    "AmazonRootCA1.pem": "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
    "AmazonRootCA3.pem": "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
}
"""SHA-256 of the DER, as Amazon Trust Services publishes them (https://www.amazontrust.com/repository/)."""


def test_the_answers_of_the_authorizer_are_simple_and_not_cached(stacks: Stacks, local_stacks: Stacks) -> None:
    for deployed in (stacks, local_stacks):
        authorizer = deployed.lobby.the("AWS::ApiGatewayV2::Authorizer", AuthorizerType="REQUEST")
        assert authorizer["AuthorizerResultTtlInSeconds"] == 0
        assert authorizer["EnableSimpleResponses"]
        assert authorizer["AuthorizerPayloadFormatVersion"] == "2.0"
        assert authorizer["IdentitySource"] == ["$request.header.Authorization"]


@pytest.mark.parametrize(("function", "path"), [("Vending", "/register"), ("VendingAuthorizer", "/authorizers/")])
def test_api_gateway_may_invoke_both_functions_for_this_only(stacks: Stacks, function: str, path: str) -> None:
    permissions = [
        stacks.lobby.resolve(each)
        for each in stacks.lobby.of_type("AWS::Lambda::Permission")
        if each["Principal"] == "apigateway.amazonaws.com"
    ]
    own = [each for each in permissions if _name(each["FunctionName"]) == function]
    assert len(own) == 1
    assert path in own[0]["SourceArn"]
    assert own[0]["Action"] == "lambda:InvokeFunction"


def _name(reference: str) -> str:
    return reference.strip("<>").removesuffix(".Arn")[:-8]


def test_the_route_has_a_limit_of_its_own_and_exists_before_it(stacks: Stacks) -> None:
    stage = stacks.lobby.the("AWS::ApiGatewayV2::Stage")
    assert stage["RouteSettings"]["POST /register"] == {"ThrottlingRateLimit": 10, "ThrottlingBurstLimit": 20}
    resources = stacks.lobby.template["Resources"]
    depends = resources[stacks.lobby.logical_id(stage)]["DependsOn"]
    keys = [resources[each]["Properties"].get("RouteKey") for each in depends]
    assert "POST /register" in keys


def test_the_default_roots_are_amazons(stacks: Stacks) -> None:
    folder = Path(__file__).parents[2] / "infra" / "roots"
    for name, digest in ROOTS.items():
        der = ssl.PEM_cert_to_DER_cert((folder / name).read_text())
        assert hashlib.sha256(der).hexdigest() == digest
    parameter = stacks.lobby.the("AWS::SSM::Parameter", Name="/device-lobby/vending")
    assert parameter["Value"] == default_settings()
    parsed = parse_settings(parameter["Value"])
    assert parsed.preferred_root == (folder / "AmazonRootCA1.pem").read_text()
    assert stacks.lobby.the("AWS::IoT::Policy", PolicyName=parsed.of_type(None).policy)


def test_the_settings_can_be_given(tmp_path: Path) -> None:
    own = settings_with(make.authority().pem, make.authority().pem)
    assert settings(vendingSettings=own).vending == own
    assert parse_settings(settings(vendingSettings=json.loads(own)).vending) == parse_settings(own)


@pytest.mark.parametrize(
    ("context", "endpoint"),
    [
        ({}, None),
        ({"dataEndpoint": "abc-ats.iot.us-east-1.amazonaws.com"}, "abc-ats.iot.us-east-1.amazonaws.com"),
        ({"local": "true", "deviceEndpoint": "0x7f000001:9883"}, "0x7f000001:9883"),
    ],
)
def test_the_door_answers_with_the_endpoint_that_is_known(context: dict[str, str], endpoint: str | None) -> None:
    assert environment(settings(**context)).get(ENDPOINT) == endpoint


@pytest.mark.parametrize("reads_endpoint", [True, False])
def test_the_door_may_ask_for_the_endpoint_only_if_it_does_not_know_it(reads_endpoint: bool) -> None:
    statements = vending(settings(), reads_endpoint=reads_endpoint)
    actions = {action for each in statements for action in each.actions}
    assert ("iot:DescribeEndpoint" in actions) is reads_endpoint


@pytest.mark.parametrize("wrong", ["{}", "no JSON", {"AWS_ROOT_CA": {}}])
def test_wrong_settings_are_refused_before_the_deployment(wrong: Any) -> None:
    with pytest.raises(BadContext, match="vendingSettings: got"):
        settings(vendingSettings=wrong)
