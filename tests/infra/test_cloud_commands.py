"""Deployment to AWS: the account is shown and confirmed before any change. Calls of the CDK CLI are recorded instead of
run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws
from typer.testing import CliRunner

from infra.bundling import earlier_console
from infra.cloud import __main__ as commands
from infra.cloud import contexts, index_upgrade, quotas, removals
from infra.cloud.account import WrongAccount, caller, expect
from infra.cloud.user_pool import SuppliedPool
from tests.infra.recorded_deployment import RecordedCalls, recorded_removal

HERE = "123456789012"
POOL = "eu-west-1_Supplied1"
DOMAIN = {"domain": "lobby.example.com", "domainCertificate": f"arn:aws:acm:eu-west-1:{HERE}:certificate/x"}
TARGET = [
    "target",
    "--account",
    HERE,
    "--region",
    "eu-west-1",
    "--external-id",
    "abc",
    "--lobby-account",
    "1" * 12,
    "--lobby-region",
    "eu-central-1",
]


@pytest.fixture(autouse=True)
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",  # pragma: allowlist secret
        "AWS_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> RecordedCalls:
    calls = RecordedCalls()

    def synthesize(name: str, context: dict[str, Any]) -> Path:
        calls.append(("synth", name, context))
        return Path("assembly")

    def deploy(identity: Any, profile: str | None, assembly: Path, stack: str) -> dict[str, str]:
        calls.append(("deploy", identity.account, identity.region, profile, stack))
        return {"RoleArn": "arn"}

    monkeypatch.setattr(commands, "synthesize", synthesize)
    monkeypatch.setattr(commands, "deploy", deploy)
    monkeypatch.setattr(earlier_console, "keep", lambda *_: calls.append(("keep the console's files",)))
    monkeypatch.setattr(quotas, "report", lambda _session, rate: [f"too low for {rate}"])
    monkeypatch.setattr(contexts, "iot_logs_context", lambda *_: calls.iot_logs)
    monkeypatch.setattr(contexts, "require_usable", lambda *_: None)
    monkeypatch.setattr(commands, "retain_role", lambda *_: False)
    monkeypatch.setattr(commands, "is_adoptable", lambda *_: calls.adoptable)
    monkeypatch.setattr(commands, "role_elsewhere", lambda *_: calls.elsewhere)
    monkeypatch.setattr(commands, "Stack", lambda *_: calls.stack)
    monkeypatch.setattr(commands, "start_admissions", lambda _session: calls.append(("start admissions",)))
    monkeypatch.setattr(commands, "ensure_bootstrapped", lambda *_: calls.append(("bootstrap",)))
    for name in ("LobbyRemoval", "TargetRemoval"):
        monkeypatch.setattr(removals, name, recorded_removal(name, calls))
    return calls


def run(*arguments: str, typed: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(commands.app, list(arguments), input=typed)
    return result.exit_code, result.output


def test_the_account_is_read_from_aws() -> None:
    identity = caller(None, None)
    assert (identity.account, identity.region) == (HERE, "eu-west-1")


@pytest.mark.parametrize(
    ("account", "region", "code"), [("2" * 12, "eu-west-1", "WRONG_ACCOUNT"), (HERE, "eu-north-1", "WRONG_REGION")]
)
def test_credentials_of_another_account_or_region_are_rejected(account: str, region: str, code: str) -> None:
    with pytest.raises(WrongAccount, match=code):
        expect(caller(None, None), account, region)


@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")])
def test_regions_of_other_partitions_are_rejected(region: str, partition: str, calls: RecordedCalls) -> None:
    want = f"WRONG_PARTITION: got {region} of the partition {partition}, want a Region of the partition aws"
    target = [region if each == "eu-west-1" else each for each in TARGET]
    for arguments in (["aws", "--region", region], ["aws", "--regions", f"eu-west-1,{region}"], target):
        status, output = run(*arguments, "--yes")
        assert (status, want in output, list(calls)) == (1, True, [])


def test_a_target_is_deployed_to_the_named_account_after_confirmation(calls: RecordedCalls) -> None:
    status, output = run(*TARGET, typed="y\n")
    stacks = [f"DeviceLobbyTarget-{HERE}-eu-west-1", f"DeviceLobbyRole-{HERE}"]
    deployed = [call for call in calls if call[0] == "deploy"]
    assert (status, deployed) == (0, [("deploy", HERE, "eu-west-1", None, stack) for stack in stacks])
    assert HERE in output
    context = calls.contexts()[-1]
    assert (context["lobby"], context["targets"][0]["externalId"]) == (f"{'1' * 12}/eu-central-1", "abc")


def test_a_role_that_no_stack_has_is_adopted(calls: RecordedCalls) -> None:
    calls.adoptable = True
    assert run(*TARGET, "--yes")[0] == 0
    assert [call[-1] for call in calls if call[0] == "deploy"][1:] == [f"DeviceLobbyRole-{HERE}"] * 2
    assert [each.get("adoptRole") for each in calls.contexts()][-2:] == ["true", None]


def test_a_role_of_another_region_is_left_to_that_region(calls: RecordedCalls) -> None:
    calls.elsewhere = "eu-north-1"
    status, output = run(*TARGET, "--yes")
    assert (status, "stacks in eu-north-1" in output) == (0, True)
    assert [call[-1] for call in calls if call[0] == "deploy"] == [f"DeviceLobbyTarget-{HERE}-eu-west-1"]


@pytest.mark.parametrize("domain", [{}, DOMAIN], ids=["none", "own"])
def test_the_lobby_is_deployed_with_its_endpoint_after_its_quotas_are_shown(
    calls: RecordedCalls, domain: dict[str, str]
) -> None:
    options = ["--domain", domain["domain"], "--domain-certificate", domain["domainCertificate"]] if domain else []
    status, output = run("aws", *options, "--yes")
    context = calls.contexts()[-1]
    assert status == 0
    assert output.index("quota: too low for 10") < output.index("Deploy the lobby")
    assert ".iot.eu-west-1.amazonaws.com" in context["dataEndpoint"]
    assert {name: context[name] for name in context if name.startswith("domain")} == domain
    assert ("CNAME" in output) is bool(domain)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], {}),
        (["--archive-days", "400"], {"archiveDays": "400"}),
        (["--registry-events"], {"registryEvents": "true"}),
    ],
)
def test_the_archive_and_registry_events_are_off_unless_asked_for(
    calls: RecordedCalls, options: list[str], expected: dict[str, str]
) -> None:
    calls.stack.found = "UPDATE_COMPLETE"
    assert run("aws", *options, "--yes")[0] == 0
    names = ("archiveDays", "registryEvents")
    assert {name: value for name, value in calls.contexts()[-1].items() if name in names} == expected


def test_an_archive_without_a_day_is_rejected_before_anything_is_changed(calls: RecordedCalls) -> None:
    status, output = run("aws", "--archive-days", "0", "--yes")
    assert (status, calls) == (2, [])
    assert "archive-days" in output


def test_registry_events_are_enabled_in_a_target_that_asks_for_them(calls: RecordedCalls) -> None:
    assert run(*TARGET, "--registry-events", "--yes")[0] == 0
    assert {each.get("registryEvents") for each in calls.contexts()} == {"true"}


def test_a_second_target_of_an_account_is_deployed_without_the_role(calls: list[Any]) -> None:
    assert run(*TARGET, "--without-role", "--yes")[0] == 0
    assert [call[-1] for call in calls if call[0] == "deploy"] == [f"DeviceLobbyTarget-{HERE}-eu-west-1"]


@pytest.mark.parametrize("command", [TARGET, ["aws"], ["destroy", "aws"], ["destroy", "target"]])
def test_nothing_is_changed_without_confirmation(calls: list[Any], command: list[str]) -> None:
    status, _ = run(*command, typed="n\n")
    assert (status, calls) == (1, [])


def test_a_target_in_another_account_is_rejected_before_confirmation(calls: list[Any]) -> None:
    status, _ = run(*[argument if argument != HERE else "2" * 12 for argument in TARGET], "--yes")
    assert (status, calls) == (1, [])


@pytest.mark.parametrize(
    ("arguments", "call"),
    [
        (["aws"], ("LobbyRemoval", f"{HERE}/eu-west-1", False)),
        (["target"], ("TargetRemoval", f"{HERE}/eu-west-1", False)),
        (["target", "--keep-devices", "--region", "eu-north-1"], ("TargetRemoval", f"{HERE}/eu-north-1", True)),
    ],
)
def test_destroy_removes_the_devices_unless_they_are_kept(
    calls: list[Any], arguments: list[str], call: tuple[Any, ...]
) -> None:
    status, output = run("destroy", *arguments, typed="y\n")
    assert (status, calls) == (0, [call])
    assert ("except for its devices" in output) is call[2]


@pytest.mark.parametrize("status", [None, "ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"])
def test_the_first_deployment_is_protected_only_when_it_is_complete(calls: RecordedCalls, status: str | None) -> None:
    calls.stack.found = status
    assert run("aws", "--yes")[0] == 0
    assert [each.get("protect") for each in calls.contexts()] == ["false", None]
    assert calls[-1] == ("start admissions",)


def test_an_upgrade_stays_protected(calls: RecordedCalls) -> None:
    calls.stack.found, calls.stack.pools = "UPDATE_COMPLETE", ["eu-west-1_Own1"]
    assert run("aws", "--yes")[0] == 0
    assert [each.get("protect") for each in calls.contexts()] == [None]
    assert "userPoolId" not in calls.contexts()[0]


@pytest.mark.parametrize(
    ("found", "protect"), [("UPDATE_COMPLETE", [None, None, None]), (None, ["false", None, None])], ids=["old", "new"]
)
def test_the_indexes_of_a_ledger_of_an_earlier_version_are_replaced_one_by_one(
    calls: RecordedCalls, monkeypatch: pytest.MonkeyPatch, found: str | None, protect: list[str | None]
) -> None:
    calls.stack.found, seen = found, []

    def earlier_steps(_session: Any, *, is_new: bool) -> list[dict[str, str]]:
        seen.append(is_new)
        return [{"ledgerIndexes": "by-name,by-state"}, {"ledgerIndexes": "by-state"}]

    monkeypatch.setattr(index_upgrade, "earlier_steps", earlier_steps)
    assert run("aws", "--yes")[0] == 0
    assert [each.get("ledgerIndexes") for each in calls.contexts()] == ["by-name,by-state", "by-state", None]
    assert [each.get("protect") for each in calls.contexts()] == protect
    assert seen == [found is None]


def test_the_indexes_are_read_from_the_deployed_table() -> None:
    session = caller(None, None).session
    assert index_upgrade.earlier_steps(session, is_new=True) == []
    dynamodb: Any = session.client("dynamodb")
    keys = [{"AttributeName": "certid", "KeyType": "HASH"}]
    dynamodb.create_table(
        TableName="device-lobby-ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "certid", "AttributeType": "S"}],
        KeySchema=keys,
        GlobalSecondaryIndexes=[
            {"IndexName": name, "KeySchema": keys, "Projection": {"ProjectionType": "KEYS_ONLY"}}
            for name in (
                "by-state",
                "by-target",
                "by-turn",
                "by-print-keys",
                "by-renewal-keys",
                "by-time",
                "by-transfer-keys",
            )
        ],
    )
    [step] = index_upgrade.earlier_steps(session, is_new=False)
    others = "by-print-keys,by-renewal-keys,by-state,by-target,by-time,by-transfer-keys,by-turn"
    assert step == {"ledgerIndexes": f"by-name-keys,{others}"}


def test_a_supplied_pool_is_checked_first_and_gets_its_groups_last(
    calls: RecordedCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls.stack.found = "UPDATE_COMPLETE"
    monkeypatch.setattr(commands, "supplied_pool", lambda _identity, pool, _stack: SuppliedPool(pool, None))
    monkeypatch.setattr(commands, "ensure_groups", lambda _cognito, pool: calls.append(("groups", pool)))
    assert run("aws", "--yes", "--user-pool", POOL)[0] == 0
    assert calls.contexts() == [calls.contexts()[0]]
    assert calls.contexts()[0]["userPoolId"] == POOL
    assert calls[-1] == ("groups", POOL)


def test_an_unsuitable_pool_is_rejected_before_anything_is_changed(calls: RecordedCalls) -> None:
    status, output = run("aws", "--yes", "--user-pool", "eu-north-1_Abc")
    assert (status, calls) == (1, [])
    assert "INVALID_USER_POOL" in output


def test_destroy_rejects_an_unknown_deployment(calls: list[Any]) -> None:
    status, output = run("destroy", "everything", "--yes")
    assert (status, calls) == (2, [])
    assert "everything" in output


def test_the_consoles_earlier_files_are_read_before_the_lobby_is_synthesized(calls: RecordedCalls) -> None:
    assert run("aws", "--yes")[0] == 0
    names = [call[0] for call in calls]
    assert names.index("keep the console's files") < names.index("synth")


def test_files_that_cannot_be_kept_are_reported(calls: RecordedCalls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(earlier_console, "keep", lambda *_: "ClientError: AccessDenied")
    status, output = run("aws", "--yes")
    assert status == 0
    assert "may have to be reloaded afterwards: ClientError: AccessDenied" in output
    assert calls
