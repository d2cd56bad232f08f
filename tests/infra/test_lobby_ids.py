"""Lobbies with different ids share no physical name, in the lobby's account and in a target's."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from infra.cloud.account import Caller, WrongAccount, require_region_without_lobby
from infra.lobby_id import main
from lobby.lobby_names import LobbyId, LobbyNames
from lobby.names import AccountId, Region
from tests.infra.templates import Stacks

ROOT: Final = Path(__file__).resolve().parents[2]
CONTEXT: Final = {
    "lobby": "100000000001/us-east-1",
    "bundle": "false",
    "targets": [{"account": "200000000002", "region": "eu-west-1", "externalId": "the-first-account-s"}],
}
OF_THE_REGION: Final = {
    ("AWS::IoT::TopicRule", "lobby"),
    ("AWS::IoT::TopicRule", "lobby_renewal"),
    ("AWS::Logs::LogGroup", "AWSIotLogsV2"),
}
"""Names that devices and AWS fix. They exist once in a Region, and so does a lobby."""
SCOPED: Final = {
    "AWS::ApiGatewayV2::Stage",
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::Cognito::UserPoolClient",
    "AWS::Cognito::UserPoolGroup",
}
"""Types whose names are unique in another resource only."""


def synthesized(lobby_id: str, out: Path) -> dict[str, dict[str, Any]]:
    """Return the templates of a lobby and a target, by file. Names are computed at import, so this runs in another
    process."""
    env = {**os.environ, "LOBBY_ID": lobby_id, "CDK_OUTDIR": str(out), "CDK_CONTEXT_JSON": json.dumps(CONTEXT)}
    subprocess.run([sys.executable, "-m", "infra.app"], cwd=ROOT, env=env, check=True, capture_output=True)
    return in_folder(out)


def in_folder(out: Path) -> dict[str, dict[str, Any]]:
    """Return the templates in a folder, by file."""
    return {path.name: json.loads(path.read_text()) for path in out.glob("*.template.json")}


def names(template: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the type and the physical name of each resource that has one."""
    for resource in template["Resources"].values():
        kind = resource["Type"]
        for key, value in resource.get("Properties", {}).items():
            own = {"AWS::IoT::TopicRule": "RuleName", "AWS::DynamoDB::GlobalTable": "TableName"}
            own_name = own.get(kind, f"{kind.rpartition('::')[2]}Name")
            is_name = key in ("Name", "Domain", own_name)
            if is_name and isinstance(value, str) and kind not in SCOPED:
                yield kind, value


@pytest.mark.slow
@pytest.mark.parametrize(
    "ids", [(None, "staging"), pytest.param((None, "staging", "a", "a-b"), marks=pytest.mark.full)]
)
def test_lobbies_with_different_ids_share_no_name(ids: tuple[str | None, ...], tmp_path: Path, stacks: Stacks) -> None:
    found: dict[str | None, set[tuple[str, str]]] = {}
    for lobby_id in ids:
        templates = synthesized(lobby_id, tmp_path / lobby_id) if lobby_id else in_folder(stacks.folder)
        found[lobby_id] = {name for template in templates.values() for name in names(template)}
        assert {path.partition("-")[0].removesuffix(".template.json") for path in templates} == {
            "DeviceLobby",
            "DeviceLobbyTarget",
            "DeviceLobbyRole",
        }
        prefix = LobbyNames(LobbyId(lobby_id) if lobby_id else None).prefix
        assert f"{prefix}-bouncer" in json.dumps(templates)
        functions = [
            each["Properties"]["Environment"]["Variables"].get("LOBBY_ID")
            for template in templates.values()
            for each in template["Resources"].values()
            if each["Type"] == "AWS::Lambda::Function"
        ]
        assert set(functions) == {lobby_id}
    assert {kind for kind, _ in found[None]} > {
        "AWS::Lambda::Function",
        "AWS::IAM::Role",
        "AWS::SQS::Queue",
        "AWS::SNS::Topic",
        "AWS::S3::Bucket",
        "AWS::DynamoDB::GlobalTable",
        "AWS::IoT::TopicRule",
        "AWS::IoT::Policy",
        "AWS::Logs::LogGroup",
        "AWS::CloudWatch::Alarm",
        "AWS::Events::Rule",
        "AWS::Cognito::UserPoolDomain",
    }
    for number, one in enumerate(ids):
        for other in ids[:number]:
            assert found[one] & found[other] == OF_THE_REGION, (one, other)


def test_an_invalid_id_is_refused_with_the_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["staging"]) == 0
    assert main(["Staging"]) == 2
    assert "INVALID_LOBBY_ID: got 'Staging', want 1 to 12 of a-z 0-9 -" in capsys.readouterr().err


class Iot:
    """AWS IoT of a Region with or without a lobby."""

    def __init__(self, *, lobby: bool) -> None:
        self._lobby = lobby

    def client(self, _service: str) -> "Iot":
        return self

    def get_topic_rule(self, ruleName: str) -> dict[str, Any]:  # noqa: N803  # boto3's name
        if not self._lobby:
            raise ClientError({"Error": {"Code": "UnauthorizedException", "Message": "denied"}}, "GetTopicRule")
        return {"rule": {"ruleName": ruleName}}


def caller(*, lobby: bool) -> Caller:
    session: Any = Iot(lobby=lobby)
    return Caller(AccountId("1" * 12), Region("eu-west-1"), "arn", session)


def test_a_region_has_one_lobby() -> None:
    require_region_without_lobby(caller(lobby=False))
    with pytest.raises(WrongAccount, match="LOBBY_IN_REGION: got the rule lobby of another lobby in eu-west-1"):
        require_region_without_lobby(caller(lobby=True))
