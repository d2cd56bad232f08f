"""The commissioner of an earlier commit, deployed in addition to the current one in the same lobby, with its own
mapping.

It reads the ledger's stream itself, ten records at a time. It has the code of that commit, and today's requirements,
role and tables. The format of the items is the same, except for the key of waiting rows.
"""

import json
from typing import Any, Final

from infra.bundling import bundles
from tests.bench.deployment import TABLE, LobbyUnderTest
from tests.bench.earlier_code import earlier_bundle

FUNCTION: Final = "device-lobby-commissioner-earlier"
_NOW: Final = "device-lobby-commissioner"
_TURN: Final = "commissioner"


def deploy(lobby: LobbyUnderTest) -> None:
    """Deploy the earlier commissioner with its event source mapping."""
    functions: Any = lobby.session.client("lambda")
    now = functions.get_function_configuration(FunctionName=_NOW)
    wanted = ("UNCOMMISSIONED_QUEUE", "POWERTOOLS_SERVICE_NAME")
    functions.create_function(
        FunctionName=FUNCTION,
        Role=now["Role"],
        Runtime=now["Runtime"],
        Handler="commissioner.lambdas.stream.handler",
        Code={"ZipFile": earlier_bundle(bundles.CORE, "lobby/", "commissioner/")},
        Timeout=120,
        MemorySize=now["MemorySize"],
        Environment={"Variables": {name: now["Environment"]["Variables"][name] for name in wanted}},
    )
    pattern = {"eventName": ["INSERT", "MODIFY"], "dynamodb": {"NewImage": {"turn": {"S": [_TURN]}}}}
    functions.create_event_source_mapping(
        EventSourceArn=lobby.tables.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"],
        FunctionName=FUNCTION,
        StartingPosition="LATEST",
        BatchSize=10,
        ParallelizationFactor=4,
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=100,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)}]},
    )
