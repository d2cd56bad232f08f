"""The bouncer of an earlier commit, deployed in addition to the current one in the same lobby, with its own way of
delivery.

Its rule invokes it asynchronously, with two retries, and sends failed events to the on-failure queue. It has the code
of that commit, and today's requirements, role and tables. The format of the items is the same.
"""

from typing import Any, Final

from infra.bundling import bundles
from tests.bench.deployment import LobbyUnderTest
from tests.bench.earlier_code import earlier_bundle

FUNCTION: Final = "device-lobby-bouncer-earlier"
_NOW: Final = "device-lobby-bouncer"


def deploy(lobby: LobbyUnderTest, rule: str) -> dict[str, Any]:
    """Deploy the earlier bouncer, and return the action for the topic rule `rule` that invokes it."""
    functions: Any = lobby.session.client("lambda")
    now = functions.get_function_configuration(FunctionName=_NOW)
    wanted = ("LOBBY_POLICY", "TRUST_BUCKET", "POWERTOOLS_SERVICE_NAME")
    function = functions.create_function(
        FunctionName=FUNCTION,
        Role=now["Role"],
        Runtime=now["Runtime"],
        Handler="lobby.doors.registration.handler",
        Code={"ZipFile": earlier_bundle(bundles.BOUNCER, "lobby/")},
        Timeout=30,
        MemorySize=now["MemorySize"],
        Environment={"Variables": {name: now["Environment"]["Variables"][name] for name in wanted}},
    )
    where = lobby.local.layout.lobby
    functions.add_permission(
        FunctionName=FUNCTION,
        StatementId="Rule",
        Action="lambda:InvokeFunction",
        Principal="iot.amazonaws.com",
        SourceArn=f"arn:aws:iot:{where.region}:{where.account}:rule/{rule}",
        SourceAccount=where.account,
    )
    functions.put_function_event_invoke_config(
        FunctionName=FUNCTION,
        MaximumRetryAttempts=2,
        MaximumEventAgeInSeconds=6 * 3600,
        DestinationConfig={
            "OnFailure": {"Destination": f"arn:aws:sqs:{where.region}:{where.account}:device-lobby-undelivered"}
        },
    )
    return {"lambda": {"functionArn": function["FunctionArn"]}}
