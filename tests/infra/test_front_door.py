"""The API and its users: GraphQL requires a token, and users cannot sign up themselves."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.local.ministack.api_origin import API_NAME
from tests.infra.templates import Stacks, settings, synthesized

ROUTES = "AWS::ApiGatewayV2::Route"


def test_graphql_requires_a_token_in_aws_and_locally(stacks: Stacks, local_stacks: Stacks) -> None:
    for deployed in (stacks, local_stacks):
        route = deployed.lobby.the(ROUTES, RouteKey="POST /graphql")
        assert route["AuthorizationType"] == "JWT"
        assert route["AuthorizerId"]


def test_every_route_except_the_pages_requires_a_token(stacks: Stacks) -> None:
    kinds = {each["RouteKey"]: each.get("AuthorizationType", "NONE") for each in stacks.lobby.of_type(ROUTES)}
    pages = dict.fromkeys(("GET /", "GET /{proxy+}", "HEAD /", "HEAD /{proxy+}"), "NONE")
    assert kinds == {"POST /graphql": "JWT", "POST /register": "CUSTOM", **pages}


def test_pages_are_served_by_a_function_of_their_own(stacks: Stacks, local_stacks: Stacks) -> None:
    for deployed in (stacks, local_stacks):
        served = {each["RouteKey"]: _function_of(deployed, each) for each in deployed.lobby.of_type(ROUTES)}
        assert served == {
            "POST /graphql": "<AdminApi",
            "POST /register": "<Vending",
            **dict.fromkeys(("GET /", "GET /{proxy+}", "HEAD /", "HEAD /{proxy+}"), "<Pages"),
        }


def _function_of(deployed: Stacks, route: dict[str, Any]) -> str:
    """Return the start of the reference to the route's function."""
    resources = deployed.lobby.template["Resources"]
    [integration] = [name for name in resources if name in json.dumps(route["Target"])]
    name: str = resources[integration]["Properties"]["IntegrationUri"]["Fn::GetAtt"][0]
    return f"<{re.sub('[0-9A-F]{8}$', '', name)}"


def test_the_api_has_the_name_that_the_local_cloud_looks_up(local_stacks: Stacks) -> None:
    assert local_stacks.lobby.the("AWS::ApiGatewayV2::Api")["Name"] == API_NAME


def test_the_authorizer_accepts_only_tokens_of_this_pool_and_client(stacks: Stacks) -> None:
    authorizer = stacks.lobby.resolve(stacks.lobby.the("AWS::ApiGatewayV2::Authorizer", AuthorizerType="JWT"))
    assert authorizer["IdentitySource"] == ["$request.header.Authorization"]
    configuration = authorizer["JwtConfiguration"]
    assert configuration["Issuer"].startswith("https://cognito-idp.us-east-1.")
    assert [each[:15] for each in configuration["Audience"]] == ["<UserPoolClient"]


def test_requests_are_logged_and_throttled(stacks: Stacks) -> None:
    [stage] = stacks.lobby.of_type("AWS::ApiGatewayV2::Stage")
    assert stage["AccessLogSettings"]["DestinationArn"]
    assert "authorizer.claims.sub" in stage["AccessLogSettings"]["Format"]
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0
    assert stacks.lobby.the("AWS::Logs::LogGroup", LogGroupName="/aws/vendedlogs/apis/device-lobby")


def _pool(deployed: Stacks) -> dict[str, Any]:
    return deployed.lobby.the("AWS::Cognito::UserPool", UserPoolName="device-lobby")


def _client(deployed: Stacks) -> dict[str, Any]:
    return deployed.lobby.the("AWS::Cognito::UserPoolClient")


def test_only_an_administrator_creates_users_and_passwords_are_strong(stacks: Stacks) -> None:
    pool = _pool(stacks)
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"]
    policy = pool["Policies"]["PasswordPolicy"]
    assert policy["MinimumLength"] >= 14
    assert all(policy[f"Require{kind}"] for kind in ("Lowercase", "Uppercase", "Numbers", "Symbols"))
    assert (pool["MfaConfiguration"], pool["EnabledMfas"]) == ("OPTIONAL", ["SOFTWARE_TOKEN_MFA"])


def test_the_roles_are_groups_in_order_of_privilege(stacks: Stacks) -> None:
    groups = {each["GroupName"]: each["Precedence"] for each in stacks.lobby.of_type("AWS::Cognito::UserPoolGroup")}
    assert sorted(groups, key=lambda name: groups[name]) == ["admin", "operator", "technician", "viewer"]


def test_password_sign_in_is_enabled_only_in_the_local_deployment(stacks: Stacks, local_stacks: Stacks) -> None:
    assert "ALLOW_USER_PASSWORD_AUTH" not in _client(stacks)["ExplicitAuthFlows"]
    assert "ALLOW_USER_PASSWORD_AUTH" in _client(local_stacks)["ExplicitAuthFlows"]


def test_the_client_has_no_secret_short_tokens_and_hides_user_existence(stacks: Stacks) -> None:
    client = _client(stacks)
    assert not client["GenerateSecret"]
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["AccessTokenValidity"] == client["IdTokenValidity"] == 15
    assert client["TokenValidityUnits"]["AccessToken"] == "minutes"
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["EnableTokenRevocation"]


def test_sign_in_redirects_only_to_the_console_or_the_command_line(
    stacks: Stacks, local_stacks: Stacks, tmp_path: Path
) -> None:
    url = "http://127.0.0.1:4567/"
    reported = synthesized(settings(local=True, consoleUrl=url, targets=[]), tmp_path)
    own = "<ApiF70053CD.ApiEndpoint>/"
    for deployed, console in ((stacks, own), (local_stacks, own), (reported, url)):
        client = _client(deployed)
        assert deployed.lobby.resolve(client["CallbackURLs"]) == [console, "http://localhost:8976/"]
        assert client["LogoutURLs"] == client["CallbackURLs"]
        assert deployed.lobby.resolve(deployed.lobby.template["Outputs"]["ConsoleUrl"]["Value"]) == console


def test_the_sign_in_domain_contains_the_account(stacks: Stacks, local_stacks: Stacks) -> None:
    assert stacks.lobby.the("AWS::Cognito::UserPoolDomain", Domain="device-lobby-100000000001")
    assert local_stacks.lobby.of_type("AWS::Cognito::UserPoolDomain") == []


@pytest.mark.parametrize("name", ["admin-api", "pages"])
def test_the_lambdas_have_the_address_of_the_sign_in_page(stacks: Stacks, local_stacks: Stacks, name: str) -> None:
    def reported(deployed: Stacks) -> Any:
        function = deployed.lobby.the("AWS::Lambda::Function", FunctionName=f"device-lobby-{name}")
        return function["Environment"]["Variables"].get("LOGIN_URL")

    output = stacks.lobby.template["Outputs"]["LoginUrl"]["Value"]
    [domain] = stacks.lobby.of_type("AWS::Cognito::UserPoolDomain")
    resolved = stacks.lobby.resolve(output)
    assert reported(stacks) == re.sub(r"<UserPoolDomain\w+>", domain["Domain"], resolved)
    assert reported(local_stacks) is None
