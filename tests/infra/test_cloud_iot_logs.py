"""AWS IoT's logs belong to an account and Region: a deployment changes them only if nobody else has enabled them."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws
from typer.testing import CliRunner

from infra.cloud import __main__ as commands
from infra.cloud.account import Caller
from infra.cloud.contexts import iot_logs_context
from lobby.names import parse_account, parse_region
from tests.infra.recorded_deployment import DeployedStack, record_lobby_deployments

ROLE = "arn:aws:iam::123456789012:role/central-logging"
KEYS: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "none"}  # pragma: allowlist secret


class _Session:
    """A session whose client of AWS IoT answers once."""

    def __init__(self, answer: dict[str, Any] | str) -> None:
        self.iot: Any = boto3.client("iot", region_name="eu-west-1", **KEYS)
        stub = Stubber(self.iot)
        if isinstance(answer, str):
            stub.add_client_error("get_v2_logging_options", answer, "no")
        else:
            stub.add_response("get_v2_logging_options", answer)
        stub.activate()

    def client(self, _service: str) -> Any:
        return self.iot


def context_for(answer: dict[str, Any] | str, own: list[str]) -> dict[str, str]:
    session: Any = _Session(answer)
    stack: Any = DeployedStack()
    stack.pools = own
    identity = Caller(parse_account("123456789012"), parse_region("eu-west-1"), "arn", session)
    return iot_logs_context(identity, stack)


ENABLED: dict[str, Any] = {"roleArn": ROLE, "defaultLogLevel": "INFO", "disableAllLogs": False}


def test_logs_that_somebody_has_enabled_are_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert context_for(ENABLED, []) == {"iotLogs": "false"}
    shown = capsys.readouterr().out
    assert f"AWS IoT's logs in eu-west-1 are enabled by this account (role {ROLE}, level INFO) and stay" in shown


def test_logs_without_a_role_count_as_enabled_as_for_cloudformation() -> None:
    assert context_for({"disableAllLogs": False}, []) == {"iotLogs": "false"}


@pytest.mark.parametrize("answer", ["NotConfiguredException", {}, ENABLED | {"disableAllLogs": True}])
def test_logs_that_nobody_has_enabled_belong_to_the_lobby(answer: dict[str, Any] | str) -> None:
    assert context_for(answer, []) == {}


def test_logs_of_the_deployed_stack_stay_in_it() -> None:
    """Without the resource, CloudFormation would disable the logs."""
    assert context_for(ENABLED, ["123456789012"]) == {}


def test_without_permission_the_deployment_continues(capsys: pytest.CaptureFixture[str]) -> None:
    assert context_for("AccessDeniedException", []) == {}
    assert "It is not checked whether AWS IoT's logs are enabled: " in capsys.readouterr().out


def test_a_deployment_leaves_them_out_of_every_template(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**KEYS, "aws_region": "eu-west-1"}.items():
        monkeypatch.setenv(name.upper(), value)
    calls = record_lobby_deployments(monkeypatch)
    calls.iot_logs = {"iotLogs": "false"}
    monkeypatch.setattr(commands, "start_admissions", lambda _session: None)
    with mock_aws():
        result = CliRunner().invoke(commands.app, ["aws", "--yes"])
    assert result.exit_code == 0, result.output
    assert [each["iotLogs"] for each in calls.contexts()] == ["false", "false"]
