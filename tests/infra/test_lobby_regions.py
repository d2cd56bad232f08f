"""The stacks of a lobby with two Regions: tables and replicas, roles, the reach of permissions, and targets."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from infra.app import synthesize
from infra.parts.tables import IMMUTABLE
from infra.settings import Settings
from lobby.ledger.models import MODELS
from lobby.lobby_names import MAX_LENGTH
from lobby.names import Target, parse_region
from tests.infra.region_grants import ACCOUNT, ELSEWHERE, FIRST, READS, SECOND
from tests.infra.role_grants import GRANTS
from tests.infra.templates import LOBBY, TARGETS, Stack, Stacks, settings, synthesized

REGIONS: Final = f"{FIRST},{SECOND}"
STREAMS: Final = [
    f"arn:aws:dynamodb:{SECOND}:{ACCOUNT}:table/device-lobby-{name}/stream/2026-11-30T13:30:00.000"
    for name in ("ledger", "history")
]
HOME_LEASE: Final = "device-lobby-home-lease"
OF_RULES: Final = {"device-lobby-rules", "device-lobby-template", "device-lobby-iot-logs"}
"""The roles that AWS IoT assumes, in its own Region."""
OF_STREAMS: Final = {f"dynamodb:{each}" for each in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")}
VOTES: Final = f"arn:aws:dynamodb:{FIRST}:{ACCOUNT}:table/device-lobby-targets"
TABLE: Final = "AWS::DynamoDB::GlobalTable"
REPLICATION: Final = (
    f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/replication.dynamodb.amazonaws.com"
    "/AWSServiceRoleForDynamoDBReplication"
)
LARGEST_POLICY: Final = 10_240
"""The characters of all inline policies of a role, without whitespace (IAM user guide, "IAM and AWS STS quotas")."""


def of_second() -> Settings:
    return settings(lobby=f"{ACCOUNT}/{SECOND}", regions=REGIONS, replicaStreams=",".join(STREAMS), targets=None)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, nag: bool) -> Stacks:
    return synthesized(settings(regions=REGIONS), tmp_path_factory.mktemp("first"), nag=nag)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory, nag: bool) -> Stack:
    return synthesized(of_second(), tmp_path_factory.mktemp("second"), nag=nag).lobby


def test_one_region_is_a_lobby_without_the_setting(stacks: Stacks, tmp_path: Path) -> None:
    synthesize(settings(regions=FIRST), tmp_path)
    for path in stacks.folder.glob("*.template.json"):
        assert json.loads((tmp_path / path.name).read_text()) == json.loads(path.read_text()), path.name


def test_the_first_region_has_the_tables_with_a_replica_in_each_other_region(first: Stacks) -> None:
    tables = first.lobby.of_type(TABLE)
    assert len(tables) == len(MODELS)
    for table in tables:
        assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
        assert [each["Region"] for each in table["Replicas"]] == [SECOND, FIRST], table["TableName"]
        for each in table["Replicas"]:
            assert each["DeletionProtectionEnabled"]
            assert each["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]


def test_each_replica_of_the_history_is_append_only_except_for_replication(first: Stacks) -> None:
    history = first.lobby.the(TABLE, TableName="device-lobby-history")
    for replica in history["Replicas"]:
        [statement] = first.lobby.resolve(replica["ResourcePolicy"]["PolicyDocument"]["Statement"])
        assert statement["Effect"] == "Deny"
        assert set(statement["Action"]) == set(IMMUTABLE)
        assert statement["Resource"] == f"arn:aws:dynamodb:{replica['Region']}:{ACCOUNT}:table/device-lobby-history"
        assert statement["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": REPLICATION}}


def test_a_new_replica_has_no_policy_yet(tmp_path: Path) -> None:
    lobby = synthesized(settings(regions=REGIONS, newRegions=SECOND, targets=None), tmp_path).lobby
    for table in lobby.of_type(TABLE):
        with_policy = [each["Region"] for each in table["Replicas"] if "ResourcePolicy" in each]
        assert with_policy == ([FIRST] if table["TableName"] == "device-lobby-history" else [])


def test_another_region_has_no_tables_and_reads_the_streams_of_its_replicas(second: Stack) -> None:
    assert second.of_type(TABLE) == []
    read = {
        each["FunctionName"]: each["EventSourceArn"]
        for each in second.resolve(second.of_type("AWS::Lambda::EventSourceMapping"))
        if "dynamodb" in str(each["EventSourceArn"])
    }
    assert sorted(read.values()) == [STREAMS[1], STREAMS[1], STREAMS[0]]
    assert second.grants(f"device-lobby-bell-{SECOND}")["dynamodb:GetRecords"] == {STREAMS[0]}


def test_no_function_is_updated_before_its_replicas_exist(first: Stacks) -> None:
    """Functions of a lobby with several Regions write nothing before a Region is home, which needs the replicas."""
    resources = first.lobby.template["Resources"]
    tables = {name for name, each in resources.items() if each["Type"] == TABLE}
    functions = [each for each in resources.values() if each["Type"] == "AWS::Lambda::Function"]
    assert functions
    assert all(tables <= set(each["DependsOn"]) for each in functions)


def test_every_function_knows_the_regions_and_the_key_of_the_lobby(first: Stacks, second: Stack) -> None:
    for stack in (first.lobby, second):
        variables = [each["Environment"]["Variables"] for each in stack.of_type("AWS::Lambda::Function")]
        assert {each["LOBBY_REGIONS"] for each in variables} == {REGIONS}
        assert {each["LOBBY"] for each in variables if "LOBBY" in each} == {LOBBY}


def test_roles_have_the_region_in_their_names_except_in_the_first(first: Stacks, second: Stack) -> None:
    roles = {each["RoleName"] for each in first.lobby.of_type("AWS::IAM::Role")}
    assert roles == {*GRANTS, HOME_LEASE}
    assert {each["RoleName"] for each in second.of_type("AWS::IAM::Role")} == {f"{role}-{SECOND}" for role in roles}


@pytest.mark.parametrize("role", GRANTS)
def test_a_role_reaches_the_tables_of_both_regions_and_nothing_else_more(first: Stacks, role: str) -> None:
    name = role.removeprefix("device-lobby-")
    expected = {action: set(resources) for action, resources in GRANTS[role].items()}
    for resources in expected.values():
        reached = ("arn:aws:dynamodb:", *ELSEWHERE.get(name, ()))
        if role not in OF_RULES:
            resources |= {each.replace(FIRST, SECOND) for each in resources if each.startswith(reached)}
    if role not in OF_RULES and name not in ("pages", "notary"):
        expected.setdefault("dynamodb:GetItem", set()).update({VOTES, VOTES.replace(FIRST, SECOND)})
    if name in ("commissioner", "sweeper"):
        expected["iot:DescribeEndpoint"] = {"*"}
    if name == "renewer":  # certificates that the door of the other Region has issued
        expected["iot:RegisterCertificateWithoutCA"] = {"*"}
    for action, resources in READS.get(name, {}).items():
        expected.setdefault(action, set()).update(resources)
    grants = first.lobby.grants(role)
    own_logs = {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert {action: grants[action] for action in grants.keys() - own_logs} == expected


def test_the_lease_renewal_writes_the_votes_of_all_regions_every_minute(first: Stacks, second: Stack) -> None:
    votes = {VOTES, VOTES.replace(FIRST, SECOND)}
    for stack, role in ((first.lobby, HOME_LEASE), (second, f"{HOME_LEASE}-{SECOND}")):
        grants = stack.grants(role)
        assert {action for action in grants if not action.startswith("logs:")} == {
            "dynamodb:GetItem",
            "dynamodb:PutItem",
        }
        assert grants["dynamodb:PutItem"] == votes == grants["dynamodb:GetItem"]
        [vote] = [each for each in stack.statements if each.role == role and "dynamodb:PutItem" in each.actions]
        assert vote.condition == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["home"]}}
        timer = stack.the("AWS::Events::Rule", Name="device-lobby-home-lease")
        assert timer["ScheduleExpression"] == "rate(1 minute)"
        assert stack.the("AWS::CloudWatch::Alarm", AlarmName="device-lobby-home-lease-stopped")


def test_the_roles_of_both_regions_reach_the_same_tables(first: Stacks, second: Stack) -> None:
    for role in GRANTS:
        here, there = first.lobby.grants(role), second.grants(f"{role}-{SECOND}")
        assert here.keys() == there.keys(), role
        for action, resources in here.items():
            if action.startswith("dynamodb:") and action not in OF_STREAMS:
                own = {VOTES, *READS.get(role.removeprefix("device-lobby-"), {}).get(action, ())}
                own |= {each.replace(FIRST, SECOND) for each in own}
                assert there[action] - own == resources - own, (role, action)


@pytest.mark.parametrize("name", ["device-lobby-registrations", "device-lobby-arrivals"])
def test_messages_are_tried_again_while_no_region_may_write(first: Stacks, second: Stack, name: str) -> None:
    for stack in (first.lobby, second):
        assert stack.the("AWS::SQS::Queue", QueueName=name)["RedrivePolicy"]["maxReceiveCount"] == 1000


def test_alarms_report_a_lost_lease_and_late_replication(first: Stacks, second: Stack, stacks: Stacks) -> None:
    for stack, other in ((first.lobby, SECOND), (second, FIRST)):
        lease = stack.the("AWS::CloudWatch::Alarm", AlarmName="device-lobby-lease-not-extended")
        assert (lease["MetricName"], lease["Dimensions"]) == (
            "LeaseNotExtended",
            [{"Name": "service", "Value": "home-lease"}],
        )
        ending = stack.the("AWS::CloudWatch::Alarm", AlarmName="device-lobby-promotion-incomplete")
        assert (ending["MetricName"], ending["Threshold"]) == ("HomeEnding", 3)
        late = stack.the("AWS::CloudWatch::Alarm", AlarmName=f"device-lobby-replication-late-{other}")
        assert late["Threshold"] == 60_000
        assert {"Name": "ReceivingRegion", "Value": other} in late["Dimensions"]
    names = {each["AlarmName"] for each in stacks.lobby.of_type("AWS::CloudWatch::Alarm")}
    assert not [name for name in names if "lease" in name or "replication" in name]


@pytest.mark.full
def test_with_the_most_of_everything_no_policy_is_larger_than_iam_permits(tmp_path: Path) -> None:
    """Three Regions with long names, a lobby id, and eight signing keys. References to other resources are short here;
    on AWS they are ARNs of at most 100 characters."""
    key = "arn:aws:kms:ap-southeast-2:100000000001:key/11111111-2222-3333-4444-5555555555"
    most = settings(
        lobby=f"{ACCOUNT}/ap-southeast-2",
        regions="ap-southeast-2,ap-northeast-1,ap-southeast-4",
        signingKeys=",".join(f"{key}{number}" for number in range(10, 18)),
        archiveDays="400",
        targets=None,
    )
    stack = synthesized(most, tmp_path).lobby
    sizes: dict[str, int] = {}
    for role in stack.of_type("AWS::IAM::Role"):
        documents = [json.dumps(each["PolicyDocument"], separators=(",", ":")) for each in role.get("Policies", [])]
        resolved = [json.dumps(stack.resolve(json.loads(each)), separators=(",", ":")) for each in documents]
        with_id = sum(len(each.replace("device-lobby", f"{'x' * MAX_LENGTH}-device-lobby")) for each in resolved)
        sizes[role["RoleName"]] = with_id + 100 * sum(each.count("Fn::GetAtt") for each in documents)
    assert max(sizes.values()) <= LARGEST_POLICY, sorted(sizes.items(), key=lambda each: -each[1])[:3]


def test_a_target_trusts_the_commissioners_of_all_regions(first: Stacks) -> None:
    [trust] = first.roles[0].the("AWS::IAM::Role")["AssumeRolePolicyDocument"]["Statement"]
    prefix = f"arn:aws:iam::{ACCOUNT}:role/device-lobby-commissioner"
    assert trust["Condition"]["ArnEquals"] == {"aws:PrincipalArn": [prefix, f"{prefix}-{SECOND}"]}
    assert trust["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}


def test_a_target_reports_to_all_regions_with_the_key_of_the_lobby(first: Stacks) -> None:
    for stack in first.targets:
        endpoints = {each["Endpoint"] for each in stack.of_type("AWS::SNS::Subscription")}
        assert endpoints == {f"arn:aws:sqs:{region}:{ACCOUNT}:device-lobby-arrivals" for region in (FIRST, SECOND)}
        rule = stack.the("AWS::IoT::TopicRule", RuleName="device_lobby_connected")
        assert LOBBY in rule["TopicRulePayload"]["Sql"]


@pytest.mark.full
def test_the_templates_for_targets_are_the_same_in_every_region(first: Stacks, tmp_path: Path) -> None:
    elsewhere = replace(of_second(), lobby_stack=False, targets=settings(targets=TARGETS).targets)
    synthesize(elsewhere, tmp_path)
    for path in tmp_path.glob("*.template.json"):
        assert json.loads(path.read_text()) == json.loads((first.folder / path.name).read_text())


@pytest.mark.parametrize(
    ("context", "message"),
    [
        pytest.param({"regions": "x"}, "regions: got 'x', want an AWS Region", id="no Region"),
        pytest.param({"regions": 5}, "regions: got 5, want at most 3 different Regions", id="number"),
        pytest.param({"regions": f"{FIRST},{FIRST}"}, "want at most 3 different Regions", id="twice"),
        pytest.param({"regions": SECOND}, f"want them with the lobby's Region {FIRST}", id="without the lobby's"),
        pytest.param(
            {"regions": f"{SECOND},{FIRST}"},
            f"replicaStreams: want it in every Region but the first, which is {SECOND}",
            id="no streams",
        ),
        pytest.param(
            {"regions": REGIONS, "replicaStreams": ",".join(STREAMS)},
            "replicaStreams: want it in every Region but the first",
            id="streams in the first",
        ),
        pytest.param({"regions": REGIONS, "newRegions": FIRST}, f"newRegions: got {FIRST}, want", id="new first"),
        pytest.param({"replicaStreams": ",".join(STREAMS)}, "replicaStreams: got it without regions", id="no regions"),
        pytest.param(
            {"replicaStreams": STREAMS[0]},
            "want the ARNs of the streams of the ledger and of the history, with a comma",
            id="one stream",
        ),
    ],
)
def test_wrong_regions_are_refused_with_the_rule(context: dict[str, Any], message: str) -> None:
    with pytest.raises(Exception, match="BAD_CONTEXT") as refused:
        settings(**context)
    assert message in str(refused.value)


def test_the_first_region_is_the_lobbys_identity() -> None:
    made = of_second()
    assert made.key == LOBBY
    assert [str(place) for place in made.places] == [LOBBY, f"{ACCOUNT}/{SECOND}"]
    assert not made.is_first
    alone = settings()
    assert (alone.places, alone.is_first, alone.key) == ((alone.lobby,), True, LOBBY)
    assert settings(regions=FIRST).regions == ()
    assert made.lobby == Target(made.lobby.account, parse_region(SECOND))
