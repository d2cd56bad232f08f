"""The lobby's stack: functions, their settings and logs, the waiting policy, queues and outputs."""

from pathlib import Path
from typing import Any

import pytest

from infra.parts.functions import FUNCTIONS
from tests.infra.templates import Stacks, settings, synthesized


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.name)
def test_every_lambda_logs_json_to_a_group_with_retention(stacks: Stacks, function: Any) -> None:
    made = stacks.lobby.the("AWS::Lambda::Function", FunctionName=function.full_name)
    group = stacks.lobby.the("AWS::Logs::LogGroup", LogGroupName=f"/aws/lambda/{function.full_name}")
    assert group["RetentionInDays"] == 30
    logging = {"LogFormat": "JSON", "SystemLogLevel": "WARN", "LogGroup": {"Ref": stacks.lobby.logical_id(group)}}
    assert made["LoggingConfig"] == logging
    assert made["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == function.name
    assert made["Handler"] == function.handler
    assert "TracingConfig" not in made


def test_lambdas_have_only_the_settings_that_they_need(stacks: Stacks) -> None:
    reported = {
        each["FunctionName"].removeprefix("device-lobby-"): each["Environment"]["Variables"].keys()
        - {"POWERTOOLS_SERVICE_NAME"}
        for each in stacks.lobby.of_type("AWS::Lambda::Function")
    }
    assert reported == {
        "bouncer": {
            "LOBBY_POLICY",
            "TRUST_BUCKET",
            "REGISTRATIONS_QUEUE",
            "UNDELIVERED_QUEUE",
            "REGISTRATIONS_PER_SECOND",
        },
        "vending": {"VENDING_PARAMETER"},
        "vending-authorizer": set(),
        "renewer": {"LOBBY_POLICY", "IOT_ARN"},
        "receptionist": {"MARKS_QUEUE"},
        "bell": {"LANES_QUEUE", "EXPRESS_QUEUE"},
        "commissioner": {"UNCOMMISSIONED_QUEUE", "LANES_QUEUE", "EXPRESS_QUEUE", "LOBBY", "LEFT_THINGS"},
        "express": {"UNCOMMISSIONED_QUEUE", "LANES_QUEUE", "EXPRESS_QUEUE", "LOBBY", "LEFT_THINGS"},
        "surveyor": {"LOBBY", "ARRIVALS_QUEUE", "LEFT_THINGS"},
        "marker": {"LOBBY"},
        "inspector": set(),
        "sweeper": {"TRUST_BUCKET", "LANES_QUEUE", "CAMPAIGNS_QUEUE", "MARKS_QUEUE"},
        "campaigns": {"TRUST_BUCKET", "CAMPAIGNS_QUEUE", "CAMPAIGN_APPROVAL_ABOVE"},
        "provisioning": set(),
        "registrar": {"CLAIM_POLICY", "CLAIM_KEYS_POLICY", "LOBBY_POLICY"},
        "reconciler": {"INSPECTOR_FUNCTION", "LOBBY", "TRUST_BUCKET"},
        "arrivals": {"UNCONFIRMED_QUEUE", "MARKS_QUEUE", "CLONE_POLICY"},
        "connections": {"CLONE_POLICY"},
        "notary": {"NOTARY_BUCKET"},
        "publisher": {"EVENT_BUS", "LOBBY", "UNDELIVERED_QUEUE", "WEBHOOKS_QUEUE"},
        "courier": {"WEBHOOKS_QUEUE"},
        "admin-api": {
            "USER_POOL_ID",
            "CAMPAIGNS_QUEUE",
            "CAMPAIGN_APPROVAL_ABOVE",
            "USER_POOL_CLIENT_ID",
            "SURVEYOR_FUNCTION",
            "COMMISSIONER_ROLE_ARN",
            "ARRIVALS_QUEUE_ARN",
            "LEFT_THINGS",
            "LOGIN_URL",
            "RECONCILER_FUNCTION",
            "REGISTRAR_FUNCTION",
            "WEBHOOKS_QUEUE",
            "NOTICES_TOPIC",
            "HISTORY_KEY",
            "CLAIM_LIMITS",
        },
        "pages": {"USER_POOL_ID", "USER_POOL_CLIENT_ID", "LOGIN_URL"},
    }


def test_lambda_does_not_stop_functions_that_continue_themselves(stacks: Stacks) -> None:
    """A lane or a campaign needs more runs in a chain than Lambda's loop detection permits."""
    settings_of = {
        each["FunctionName"].removeprefix("device-lobby-"): each.get("RecursiveLoop")
        for each in stacks.lobby.of_type("AWS::Lambda::Function")
    }
    assert {name for name, loop in settings_of.items() if loop == "Allow"} == {"commissioner", "campaigns"}


def test_functions_that_enter_targets_use_the_role_of_the_commissioner(stacks: Stacks) -> None:
    functions = {each["FunctionName"]: each["Role"] for each in stacks.lobby.of_type("AWS::Lambda::Function")}
    for name in ("express", "surveyor", "inspector", "marker"):
        assert functions[f"device-lobby-{name}"] == functions["device-lobby-commissioner"]
    assert len({str(role) for role in functions.values()}) == len(functions) - 4


def test_lambdas_run_on_arm_in_aws_and_on_this_python_locally(stacks: Stacks, local_stacks: Stacks) -> None:
    def seen(found: Stacks) -> set[tuple[str, str]]:
        made = found.lobby.of_type("AWS::Lambda::Function")
        return {(each["Runtime"], each["Architectures"][0]) for each in made}

    assert seen(stacks) == {("python3.13", "arm64")}
    [(runtime, _)] = seen(local_stacks)
    assert runtime.startswith("python3.")


def test_no_function_runs_before_its_tables_and_indexes_exist(stacks: Stacks) -> None:
    resources = stacks.lobby.template["Resources"]
    tables = {name for name, each in resources.items() if each["Type"] == "AWS::DynamoDB::GlobalTable"}
    waits = [set(each["DependsOn"]) for each in resources.values() if each["Type"] == "AWS::Lambda::Function"]
    assert len(waits) == len(FUNCTIONS)
    assert [tables - each for each in waits] == [set()] * len(waits)


def test_there_are_no_custom_resources(stacks: Stacks) -> None:
    for stack in stacks.all:
        kinds = {each["Type"] for each in stack.template["Resources"].values()}
        assert not {kind for kind in kinds if kind.startswith("Custom::") or "CustomResource" in kind}
    assert len(stacks.lobby.of_type("AWS::Lambda::Function")) == len(FUNCTIONS)


def test_a_waiting_device_can_publish_hellos_and_subscribe_to_its_topic(stacks: Stacks) -> None:
    policy = stacks.lobby.the("AWS::IoT::Policy", PolicyName="device-lobby-waiting")["PolicyDocument"]
    arn, thing = "arn:aws:iot:us-east-1:100000000001", "${iot:Connection.Thing.ThingName}"
    attached = {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}
    assert {each["Action"]: (each["Resource"], each.get("Condition")) for each in policy["Statement"]} == {
        "iot:Connect": (f"{arn}:client/{thing}", attached),
        "iot:Publish": ([f"{arn}:topic/$aws/rules/lobby", f"{arn}:topic/$aws/rules/lobby_renewal"], None),
        "iot:Subscribe": (f"{arn}:topicfilter/lobby/{thing}", None),
        "iot:Receive": (f"{arn}:topic/lobby/{thing}", None),
    }
    assert {each["Effect"] for each in policy["Statement"]} == {"Allow"}


def test_queues_are_encrypted(stacks: Stacks) -> None:
    queues = {each["QueueName"]: each["SqsManagedSseEnabled"] for each in stacks.lobby.of_type("AWS::SQS::Queue")}
    plain = (
        "registrations",
        "undelivered",
        "uncommissioned",
        "arrivals",
        "arrivals-dead",
        "unconfirmed",
        "marks",
        "webhooks",
    )
    names = (*plain, "lanes.fifo", "express.fifo", "campaigns.fifo")
    assert queues == dict.fromkeys((f"device-lobby-{each}" for each in names), True)


def test_lambdas_publish_to_the_endpoint_of_the_account_and_a_domain_is_in_front_of_it(
    tmp_path: Path, nag: bool
) -> None:
    certificate = "arn:aws:acm:us-east-1:100000000001:certificate/12345678-1234-1234-1234-123456789012"
    own = {"dataEndpoint": "abc-ats.iot.us-east-1.amazonaws.com"}
    domain = {"domain": "lobby.example.com", "domainCertificate": certificate}
    stack = synthesized(settings(targets=[], **own, **domain), tmp_path, nag=nag).lobby
    endpoints = {
        each["FunctionName"].removeprefix("device-lobby-"): each["Environment"]["Variables"].get("IOT_DATA_ENDPOINT")
        for each in stack.of_type("AWS::Lambda::Function")
    }
    publishing = {"receptionist", "commissioner", "express", "sweeper"}
    assert {name for name, endpoint in endpoints.items() if endpoint == own["dataEndpoint"]} == publishing
    configured = stack.the("AWS::IoT::DomainConfiguration")
    assert (configured["DomainName"], configured["ServerCertificateArns"]) == ("lobby.example.com", [certificate])
    assert stack.template["Outputs"]["LobbyEndpoint"]["Value"] == "lobby.example.com"


def test_the_stack_has_the_outputs_that_scripts_use(stacks: Stacks, local_stacks: Stacks) -> None:
    wanted = {
        "GraphqlUrl",
        "RegisterUrl",
        "UserPoolId",
        "UserPoolClientId",
        "ConsoleUrl",
        "CommissionerRoleArn",
        "ArrivalsQueueArn",
        "TrustBucket",
        "NotaryBucket",
        "ApiId",
        "ProvisioningTemplate",
    }
    assert local_stacks.lobby.template["Outputs"].keys() == wanted
    assert stacks.lobby.template["Outputs"].keys() == wanted | {"LoginUrl"}


def test_aws_iot_logs_its_errors_with_the_retention_of_all_logs(stacks: Stacks) -> None:
    logging = stacks.lobby.the("AWS::IoT::Logging")
    assert (logging["AccountId"], logging["DefaultLogLevel"]) == ("100000000001", "ERROR")
    group = stacks.lobby.the("AWS::Logs::LogGroup", LogGroupName="AWSIotLogsV2")
    assert group["RetentionInDays"] == 30
    # CloudFormation imports an existing group only if it retains it.
    made = stacks.lobby.template["Resources"][stacks.lobby.logical_id(group)]
    assert made["DeletionPolicy"] == "RetainExceptOnCreate"


@pytest.mark.parametrize("context", [{"local": "true"}, {"iotLogs": "false"}], ids=["local", "of the account"])
def test_aws_iot_logs_are_left_out_where_they_cannot_be_created(context: dict[str, str], tmp_path: Path) -> None:
    lobby = synthesized(settings(targets=[], **context), tmp_path).lobby
    assert lobby.of_type("AWS::IoT::Logging") == []
    assert not [each for each in lobby.of_type("AWS::Logs::LogGroup") if each["LogGroupName"] == "AWSIotLogsV2"]
    assert not [each for each in lobby.of_type("AWS::IAM::Role") if "iot-logs" in each["RoleName"]]
