"""The commissioner of an earlier commit, deployed beside the current one in the same lobby, with its own mapping.

It read the ledger's stream itself, ten records at a time. It has the code of that commit, and the requirements, role
and tables of today, whose items have not changed for it, except for the key of rows that wait.
"""

import io
import json
import subprocess
import tarfile
import zipfile
from typing import Any, Final

from infra import bundles
from infra.local.synthesis import ROOT
from tests.bench.deployment import TABLE, LobbyUnderTest

COMMIT: Final = "cba4cee"
FUNCTION: Final = "device-lobby-commissioner-earlier"
_NOW: Final = "device-lobby-commissioner"
_PACKAGES: Final = ("lobby/", "commissioner/")
_TURN: Final = "commissioner"


def deploy(lobby: LobbyUnderTest, commit: str = COMMIT) -> None:
    """Deploy the earlier commissioner with its event source mapping."""
    functions: Any = lobby.session.client("lambda")
    now = functions.get_function_configuration(FunctionName=_NOW)
    wanted = ("UNCOMMISSIONED_QUEUE", "POWERTOOLS_SERVICE_NAME")
    functions.create_function(
        FunctionName=FUNCTION,
        Role=now["Role"],
        Runtime=now["Runtime"],
        Handler="commissioner.lambdas.stream.handler",
        Code={"ZipFile": _code(commit)},
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


def _code(commit: str) -> bytes:
    """Return today's bundle with the packages of `commit` in it."""
    command = ["git", "archive", commit, *_PACKAGES]
    archive = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    out = io.BytesIO()
    with (
        zipfile.ZipFile(bundles.build(bundles.CORE, bundles.this_machine()).path) as today,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made,
        tarfile.open(fileobj=io.BytesIO(archive)) as packages,
    ):
        for each in today.infolist():
            if not each.filename.startswith(_PACKAGES):
                made.writestr(each, today.read(each))
        for member in packages.getmembers():
            content = packages.extractfile(member)
            if content is not None:
                made.writestr(member.name, content.read())
    return out.getvalue()
