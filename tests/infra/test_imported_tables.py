"""Imported tables get the streams and the policy that replicas need. CloudFormation's import applies no properties."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from infra.cloud import __main__ as commands
from infra.cloud import imported_tables, index_upgrade, lobby_regions
from infra.parts.tables import history_policy, table_name
from lobby.ledger.models import MODELS, HistoryRow
from lobby.names import parse_target
from tests.infra.recorded_deployment import record_lobby_deployments

HERE = parse_target("123456789012", "eu-west-1")


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_REGION", HERE.region)
    with mock_aws():
        client: Any = boto3.client("dynamodb", region_name=HERE.region)
        for model in MODELS:
            client.create_table(
                TableName=table_name(model),
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        yield client


def streams(client: Any) -> set[str | None]:
    found = (client.describe_table(TableName=table_name(model))["Table"] for model in MODELS)
    return {each.get("StreamSpecification", {}).get("StreamViewType") for each in found}


def test_missing_streams_and_another_policy_are_corrected_once(dynamodb: Any) -> None:
    arn = dynamodb.describe_table(TableName=table_name(HistoryRow))["Table"]["TableArn"]
    dynamodb.put_resource_policy(ResourceArn=arn, Policy=json.dumps({"Version": "2012-10-17", "Statement": []}))
    lines: list[str] = []
    imported_tables.prepare(dynamodb, HERE, lines.append)
    assert streams(dynamodb) == {"NEW_AND_OLD_IMAGES"}
    assert json.loads(dynamodb.get_resource_policy(ResourceArn=arn)["Policy"]) == history_policy(HERE)
    assert len(lines) == len(MODELS) + 1
    imported_tables.prepare(dynamodb, HERE, lines.append)
    assert len(lines) == len(MODELS) + 1


def test_the_tables_are_prepared_before_the_first_replica(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = record_lobby_deployments(monkeypatch)
    calls.stack.found = "UPDATE_COMPLETE"
    seen: list[Any] = []
    patched: Any = commands
    synthesize = patched.synthesize

    def recorded(name: str, context: Any) -> Any:
        seen.append((context.get("newRegions"), streams(dynamodb)))
        return synthesize(name, context)

    monkeypatch.setattr(commands, "synthesize", recorded)
    monkeypatch.setattr(commands, "start_admissions", lambda _session: None)
    monkeypatch.setattr(index_upgrade, "earlier_steps", lambda *_, **__: [])
    monkeypatch.setattr(lobby_regions, "streams_of", lambda _client: {})
    monkeypatch.setattr(lobby_regions, "begin_home", lambda _client: None)
    result = CliRunner().invoke(commands.app, ["aws", "--regions", "eu-west-1,eu-central-1", "--yes"])
    assert result.exit_code == 0, result.output
    assert seen[:2] == [(None, {None}), ("eu-central-1", {"NEW_AND_OLD_IMAGES"})]
