"""A lobby with several Regions is deployed to AWS: the first Region's stack with the replicas, then the others."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from infra.cloud import __main__ as commands
from infra.cloud import lobby_regions, quotas
from infra.cloud.lobby_regions import WrongRegions, parse_regions, require_first
from infra.regions.steps import RegionNotReady, begin_home, streams_of
from lobby.names import parse_account, parse_region
from tests.infra.recorded_deployment import RecordedCalls, record_lobby_deployments

FIRST, SECOND, THIRD = map(parse_region, ("eu-west-1", "eu-central-1", "us-east-1"))
HERE = "123456789012"


@pytest.fixture(autouse=True)
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_REGION", FIRST)
    with mock_aws():
        yield


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> RecordedCalls:
    calls = record_lobby_deployments(monkeypatch)
    monkeypatch.setattr(
        commands, "start_admissions", lambda session: calls.append(("start admissions", session.region_name))
    )
    monkeypatch.setattr(lobby_regions, "streams_of", lambda client: {"replicaStreams": client.meta.region_name})
    monkeypatch.setattr(lobby_regions, "begin_home", lambda client: calls.append(("home", client.meta.region_name)))
    return calls


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(commands.app, list(arguments))
    return result.exit_code, result.output


def with_new_replicas(calls: RecordedCalls) -> list[str | None]:
    """Return the Regions whose replicas each deployment creates."""
    return [each.get("newRegions") for each in calls.contexts()]


def deployed_in(calls: RecordedCalls) -> list[tuple[str, str | None, str | None]]:
    """Return the Region, the Regions of the lobby, and the protection of each deployment."""
    return [(each["lobby"].partition("/")[2], each.get("regions"), each.get("protect")) for each in calls.contexts()]


def test_each_region_gets_its_stack_after_the_first_which_becomes_home(calls: RecordedCalls) -> None:
    both = f"{FIRST},{SECOND}"
    status, output = run("aws", "--regions", both, "--yes")
    assert (status, f"compared {FIRST} {SECOND}" in output) == (0, True)
    assert deployed_in(calls) == [
        (FIRST, both, "false"),
        (FIRST, both, None),
        (SECOND, both, "false"),
        (SECOND, both, None),
    ]
    assert with_new_replicas(calls) == [SECOND, None, None, None]
    own = calls.contexts()[-1]
    assert own["replicaStreams"] == SECOND
    assert f".iot.{SECOND}." in own["dataEndpoint"]
    others = [call for call in calls if call[0] != "synth"]
    assert others == [("start admissions", FIRST), ("start admissions", SECOND), ("home", FIRST)]


def test_the_quotas_of_each_region_are_shown(calls: RecordedCalls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "report", lambda session, rate: [f"{rate} in {session.region_name}"])
    output = run("aws", "--regions", f"{FIRST},{SECOND}", "--yes")[1]
    assert [line for line in output.splitlines() if line.startswith("quota")] == [
        f"quota in {region}: 10 in {region}" for region in (FIRST, SECOND)
    ]


def test_a_domain_belongs_to_the_first_region(calls: RecordedCalls) -> None:
    options = ["--domain", "lobby.example.com", "--domain-certificate", f"arn:aws:acm:{FIRST}:{HERE}:certificate/x"]
    assert run("aws", "--regions", f"{FIRST},{SECOND}", *options, "--yes")[0] == 0
    first, second = calls.contexts()[1], calls.contexts()[-1]
    assert first["domain"] == "lobby.example.com"
    assert not {"domain", "domainCertificate"} & set(second)


@pytest.mark.parametrize("place", [f"us-east-1:{HERE}", f"{FIRST}:210987654321"])
def test_a_domains_certificate_must_be_in_the_lobbys_account_and_region(calls: RecordedCalls, place: str) -> None:
    arn = f"arn:aws:acm:{place}:certificate/x"
    status, output = run("aws", "--domain", "lobby.example.com", "--domain-certificate", arn, "--yes")
    assert (status, list(calls)) == (1, [])
    assert f"got '{arn}', want one of account {HERE} in {FIRST}" in output


def test_one_region_has_no_further_steps(calls: RecordedCalls) -> None:
    for options in ([], ["--regions", FIRST]):
        calls.clear()
        assert run("aws", *options, "--yes")[0] == 0
        assert deployed_in(calls) == [(FIRST, None, "false"), (FIRST, None, None)]
        assert calls[-1] == ("start admissions", FIRST)


def test_new_regions_of_an_existing_lobby_are_added_one_by_one(
    calls: RecordedCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls.stack.found = "UPDATE_COMPLETE"
    monkeypatch.setattr(
        lobby_regions, "steps", lambda _session, wanted, _removed: lobby_regions._steps({SECOND}, wanted, FIRST)
    )
    every = f"{FIRST},{SECOND},{THIRD}"
    assert run("aws", "--regions", every, "--yes")[0] == 0
    assert [each[:2] for each in deployed_in(calls)] == [(FIRST, every)] * 2 + [(SECOND, every), (THIRD, every)]
    assert with_new_replicas(calls) == [THIRD, None, None, None]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([()], []),
        ([(), ()], []),
        ([(FIRST, SECOND)], []),
        ([(FIRST, SECOND), (FIRST,)], []),
        ([(), (FIRST, SECOND, THIRD)], [(f"{FIRST},{SECOND},{THIRD}", f"{SECOND},{THIRD}")]),
        ([(FIRST,), (FIRST, SECOND)], [(None, None), (f"{FIRST},{SECOND}", SECOND)]),
        (
            [(FIRST, THIRD), (FIRST, SECOND, THIRD)],
            [(f"{FIRST},{SECOND},{THIRD}", SECOND)],
        ),
    ],
)
def test_a_replica_is_created_without_a_policy_which_the_next_update_adds(steps: Any, expected: list[Any]) -> None:
    """CloudFormation cannot do both in one update. The first replica needs a history that permits replication."""
    found = [step for _, step in lobby_regions.updates([], steps)]
    assert [(step.get("regions"), step.get("newRegions")) for step in found] == expected


@pytest.mark.parametrize(
    ("deployed", "wanted", "expected"),
    [
        (set(), (), [()]),
        (set(), (FIRST, SECOND), [(FIRST,), (FIRST, SECOND)]),
        ({SECOND}, (FIRST, SECOND), [(FIRST, SECOND)]),
        ({THIRD}, (FIRST, SECOND, THIRD), [(FIRST, THIRD), (FIRST, SECOND, THIRD)]),
        (set(), (FIRST, SECOND, THIRD), [(FIRST,), (FIRST, SECOND), (FIRST, SECOND, THIRD)]),
    ],
)
def test_an_update_adds_one_replica_and_keeps_the_others(deployed: set[str], wanted: Any, expected: list[Any]) -> None:
    assert lobby_regions._steps(deployed, wanted, FIRST) == expected


def test_the_changes_of_indexes_come_first_with_the_deployed_regions() -> None:
    steps = [(FIRST, SECOND), (FIRST, SECOND, THIRD)]
    found = lobby_regions.updates([{"ledgerIndexes": "by-state"}], steps)
    assert [step for _, step in found] == [
        {"ledgerIndexes": "by-state", "regions": f"{FIRST},{SECOND}"},
        {"regions": f"{FIRST},{SECOND},{THIRD}", "newRegions": THIRD},
    ]
    assert THIRD in found[-1][0]


def test_the_anchors_of_earlier_entries_are_left_to_a_command_for_each_new_region() -> None:
    steps = lobby_regions.next_steps(parse_account(HERE), "lobby", [(FIRST, SECOND)], (FIRST, SECOND, THIRD))
    command = (
        f"AWS_PROFILE=lobby AWS_REGION={THIRD} python -m lobby.ledger.anchoring device-lobby-notary-{HERE}-{THIRD}"
    )
    assert [command in step for step in steps] == [True, False]
    assert len(lobby_regions.next_steps(parse_account(HERE), None, [()], (FIRST, SECOND))) == 1
    assert len(lobby_regions.next_steps(parse_account(HERE), None, [(FIRST,)], (FIRST,))) == 1


def test_no_deployment_removes_a_replica() -> None:
    with pytest.raises(WrongRegions, match=f"want --regions {FIRST},{SECOND}"):
        lobby_regions._steps({SECOND}, (), FIRST)
    with pytest.raises(WrongRegions, match=f"REGION_REMOVED: .* want {SECOND}, too"):
        lobby_regions._steps({SECOND}, (FIRST, THIRD), FIRST)


def test_the_replicas_are_read_from_the_deployed_table() -> None:
    session = boto3.Session(region_name=FIRST)
    assert lobby_regions.steps(session, (FIRST, SECOND)) == [(), (FIRST, SECOND)]
    session.client("dynamodb").create_table(
        TableName="device-lobby-ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "certid", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "certid", "KeyType": "HASH"}],
    )
    assert lobby_regions.steps(session, (FIRST, SECOND)) == [(FIRST,), (FIRST, SECOND)]


def test_wrong_options_are_refused_before_anything_is_changed(calls: RecordedCalls) -> None:
    for options, message in (
        (["--regions", f"{SECOND},{FIRST}", "--region", FIRST], "FIRST_REGION"),
        (["--regions", f"{FIRST},nowhere"], "INVALID_REGION"),
        (["--regions", f"{FIRST},{FIRST}"], "WRONG_REGIONS: "),
        (["--regions", "eu-west-1,eu-west-2,eu-west-3,eu-north-1"], "want at most 3 Regions, each once"),
    ):
        status, output = run("aws", *options, "--yes")
        assert (status, list(calls)) == (1, [])
        assert message in output
    require_first(FIRST, ())
    assert parse_regions(None) == parse_regions(FIRST) == ()


def test_a_target_is_set_up_for_all_regions(calls: RecordedCalls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "role_elsewhere", lambda *_: None)
    monkeypatch.setattr(commands, "retain_role", lambda *_: False)
    monkeypatch.setattr(commands, "is_adoptable", lambda *_: False)
    command = ["target", "--account", HERE, "--region", FIRST, "--external-id", "abc", "--yes"]
    command += ["--lobby-account", "1" * 12, "--lobby-region", SECOND]
    assert run(*command, "--lobby-regions", f"{SECOND},{THIRD}")[0] == 0
    assert {each["regions"] for each in calls.contexts()} == {f"{SECOND},{THIRD}"}
    status, output = run(*command, "--lobby-regions", f"{THIRD},{SECOND}")
    assert (status, "FIRST_REGION" in output) == (1, True)


class LeaseRenewal:
    """A Lambda client whose function returns these outcomes, the last one again and again."""

    def __init__(self, *payloads: bytes) -> None:
        self.payloads = list(payloads)

    def invoke(self, **_: Any) -> dict[str, Any]:
        payload = self.payloads.pop(0) if len(self.payloads) > 1 else self.payloads[0]

        class Body:
            def read(self) -> bytes:
                return payload

        return {"Payload": Body()}


def test_the_lease_renewal_makes_the_first_region_home() -> None:
    for outcome in ("begun", "extended", "door", "lost"):
        begin_home(LeaseRenewal(json.dumps({"outcome": outcome}).encode()))
    for failure in (b'{"outcome": "alone"}', b'{"errorMessage": "x"}', b"null"):
        with pytest.raises(RegionNotReady, match="NO_HOME"):
            begin_home(LeaseRenewal(failure), lambda _: None)


def test_regions_that_do_not_answer_yet_are_waited_for() -> None:
    waited: list[float] = []
    alone, begun = b'{"outcome": "alone"}', b'{"outcome": "begun"}'
    begin_home(LeaseRenewal(alone, alone, begun), waited.append)
    assert waited == [5.0, 5.0]


def test_a_region_without_replicas_is_not_ready() -> None:
    with pytest.raises(RegionNotReady, match=f"NO_REPLICA: got no table device-lobby-ledger .* in {SECOND}"):
        streams_of(boto3.client("dynamodb", SECOND))
