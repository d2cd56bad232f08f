"""The vending door: `POST /register` with its authorizer, and the parameter with its settings.

API Gateway needs permission to invoke both Lambdas, which CDK adds. The authorizer's answers are not cached, so that a
revoked token is refused immediately. The route has its own request limit, because anyone can call it without signing
in.
"""

from typing import TYPE_CHECKING, Final

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigw
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ssm as ssm

from infra.doors import vending_permissions
from infra.parts import functions
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.lobby_stack import LobbyStack

STAGE: Final = "ApiStage"
"""The construct id of the API's stage."""
PATH: Final = "/register"
ROUTE: Final = f"POST {PATH}"
ENDPOINT: Final = "LOBBY_ENDPOINT"
"""The setting that names the endpoint for devices."""
LIMITS: Final = {"ThrottlingRateLimit": 10, "ThrottlingBurstLimit": 20}
"""Requests per second: AWS IoT's quota for new certificates' policies and states is 10 to 15 calls per second."""


def make_vending_door(stack: "LobbyStack") -> None:
    """Create the functions of the door, their route, and the parameter."""
    settings, named = stack.settings, environment(stack.settings)
    grants = vending_permissions.vending(settings, reads_endpoint=ENDPOINT not in named)
    vending = stack.make_function(functions.VENDING, grants, **named)
    authorizer = stack.make_function(functions.VENDING_AUTHORIZER, vending_permissions.vending_authorizer(settings))
    routes = _add_route(stack.api, vending, authorizer)
    # The stage has limits for the route, so the route must exist first.
    stack.node.find_child(STAGE).node.add_dependency(*routes)
    ssm.StringParameter(
        stack,
        "VendingSettings",
        parameter_name=vending_permissions.VENDING_SETTINGS,
        description="Device Lobby: settings of the vending door; not secret",
        string_value=settings.vending,
    )


def environment(settings: Settings) -> dict[str, str]:
    """Return the settings of the Lambda. Without an endpoint, the Lambda reads the account's endpoint from AWS IoT."""
    endpoint = settings.domain or settings.data_endpoint or settings.device_endpoint
    named = {ENDPOINT: endpoint} if endpoint else {}
    return {"VENDING_PARAMETER": vending_permissions.VENDING_SETTINGS, **named}


def _add_route(api: apigw.HttpApi, vending: lambda_.Function, authorizer: lambda_.Function) -> list[apigw.HttpRoute]:
    return api.add_routes(
        path=PATH,
        methods=[apigw.HttpMethod.POST],
        integration=integrations.HttpLambdaIntegration("Vending", vending),
        authorizer=authorizers.HttpLambdaAuthorizer(
            "EnrolmentTokens",
            authorizer,
            authorizer_name="enrolment-tokens",
            identity_source=["$request.header.Authorization"],
            response_types=[authorizers.HttpLambdaResponseType.SIMPLE],
            results_cache_ttl=Duration.seconds(0),
        ),
    )
