"""Gives tables that a stack has imported the streams and the policy that replicas need.

CloudFormation's import applies no properties of the template, and a later update changes only what differs between two
templates. So the tables of an earlier version, retained and imported by a new stack, can have no stream, and a policy
of the history that denies replication. Nothing is changed in tables that match. Can be repeated.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from infra.parts.tables import history_policy, table_arn, table_name
from lobby import strict_json
from lobby.ledger.models import MODELS, HistoryRow
from lobby.names import Target

_STREAM: Final = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


def prepare(dynamodb: Any, where: Target, report: Callable[[str], None]) -> None:
    """Enable the missing streams of the tables in `where`, and correct the policy of the history. `dynamodb` is a
    client there."""
    for name in map(table_name, MODELS):
        try:
            table = dynamodb.describe_table(TableName=name)["Table"]
        except dynamodb.exceptions.ResourceNotFoundException:
            continue
        if not table.get("StreamSpecification", {}).get("StreamEnabled"):
            dynamodb.update_table(TableName=name, StreamSpecification=_STREAM)
            dynamodb.get_waiter("table_exists").wait(TableName=name)
            report(f"The imported table {name} has a stream now.")
        if name == table_name(HistoryRow):
            _correct_policy(dynamodb, where, report)


def _correct_policy(dynamodb: Any, where: Target, report: Callable[[str], None]) -> None:
    arn, wanted = table_arn(HistoryRow, where), history_policy(where)
    try:
        found = strict_json.loads(dynamodb.get_resource_policy(ResourceArn=arn)["Policy"])
    except dynamodb.exceptions.PolicyNotFoundException:
        found = None
    if found != wanted:
        dynamodb.put_resource_policy(ResourceArn=arn, Policy=json.dumps(wanted))
        report("The history has this version's policy now.")
