"""The HTTP API: GraphQL behind a JWT authorizer, and the console's pages without one, each served by a Lambda.

`vending` adds the route of devices. The authorizers are not optional. Every request is logged, without its body.
Requests are throttled for the API in total.
"""

import json
from typing import Final

from aws_cdk import aws_apigatewayv2 as apigw
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.doors import vending
from infra.users.sign_in import SignIn
from lobby.deployment import NAMES

GRAPHQL: Final = "/graphql"
STATIC: Final = ("/", "/{proxy+}")
_LOGGED: Final = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "ip": "$context.identity.sourceIp",
    "route": "$context.routeKey",
    "path": "$context.path",
    "status": "$context.status",
    "ms": "$context.responseLatency",
    "bytes": "$context.responseLength",
    "user": "$context.authorizer.claims.sub",
    "refused": "$context.authorizer.error",
    "error": "$context.integrationErrorMessage",
}


def make_api(scope: Construct, access_log: logs.LogGroup) -> apigw.HttpApi:
    """Create the API without its routes, because the user pool needs its address first."""
    api = apigw.HttpApi(scope, "Api", api_name=NAMES.prefix, description="Device Lobby", create_default_stage=False)
    apigw.CfnStage(
        scope,
        vending.STAGE,
        api_id=api.api_id,
        stage_name="$default",
        auto_deploy=True,
        access_log_settings=apigw.CfnStage.AccessLogSettingsProperty(
            destination_arn=access_log.log_group_arn, format=json.dumps(_LOGGED)
        ),
        default_route_settings=apigw.CfnStage.RouteSettingsProperty(
            throttling_rate_limit=100, throttling_burst_limit=200, detailed_metrics_enabled=True
        ),
        route_settings={vending.ROUTE: vending.LIMITS},
    )
    return api


def add_routes(api: apigw.HttpApi, graphql: lambda_.Function, pages: lambda_.Function, sign_in: SignIn) -> None:
    """Send GraphQL to one Lambda, and the public pages and files to another, which has no permissions and separate
    concurrency."""
    authorizer = authorizers.HttpUserPoolAuthorizer(
        "SignedIn", sign_in.pool, user_pool_clients=[sign_in.client], authorizer_name="signed-in"
    )
    api.add_routes(
        path=GRAPHQL,
        methods=[apigw.HttpMethod.POST],
        integration=integrations.HttpLambdaIntegration("AdminApi", graphql),
        authorizer=authorizer,
    )
    files = integrations.HttpLambdaIntegration("Pages", pages)
    for path in STATIC:
        # An HTTP API does not route HEAD requests to a GET route.
        api.add_routes(path=path, methods=[apigw.HttpMethod.GET, apigw.HttpMethod.HEAD], integration=files)
