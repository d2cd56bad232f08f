"""The sweeper and the reconciler in the deployed lobby: unprocessed claims, and changes made in a target directly."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from infra.local.synthesis import ROOT
from lobby.names import Target
from tests.e2e.deployment import Deployment, until
from tests.e2e.fleet import Fleet, certid_of

CLAIM_15_MINUTES_AGO = """
import sys
from datetime import timedelta
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.clock import now
from lobby.ledger.store import Ledger
from lobby.names import parse_target_key
certid, target, region = sys.argv[1:]
request = ClaimRequest(parse_target_key(target))
Ledger(region, lambda: now() - timedelta(minutes=15)).claim(certid, request, "user:operator")
"""
"""A program that claims a device with a time 15 minutes in the past."""


def _run(deployed: Deployment, *command: str) -> subprocess.CompletedProcess[str]:
    lobby, endpoint = deployed.lobby, deployed.file.aws_endpoint_url
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": lobby.region,
        "AWS_DEFAULT_REGION": lobby.region,
        "AWS_ACCESS_KEY_ID": lobby.account,
        "AWS_SECRET_ACCESS_KEY": deployed.file.aws_secret_access_key,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def _lobbyctl(deployed: Deployment, *words: str) -> subprocess.CompletedProcess[str]:
    lobby = ("--lobby", str(deployed.state / "lobby.json"), "--json")
    return _run(deployed, sys.executable, "-m", "admin_api.cli", *lobby, *words)


def _reconcile(deployed: Deployment, certid: str, *words: str) -> list[tuple[str, bool]]:
    """Return the differences of this device that `lobbyctl reconcile` reports, and whether each is repaired."""
    done = _lobbyctl(deployed, "reconcile", "--target", str(deployed.targets[0]), *words)
    assert done.returncode in (0, 1), done.stderr
    output = [json.loads(line) for line in done.stdout.splitlines()]
    differences = [(each["code"], each["repaired"]) for each in output if each.get("certid") == certid]
    assert done.returncode == int(output[-1]["unrepaired"] > 0)
    return differences


def _sweep(deployed: Deployment) -> dict[str, int]:
    response = deployed.client(deployed.lobby, "lambda").invoke(FunctionName="device-lobby-sweeper", Payload=b"{}")
    output: dict[str, int] = json.loads(response["Payload"].read())
    assert not response.get("FunctionError"), output
    return output


@contextmanager
def _without_a_stream(deployed: Deployment) -> Iterator[None]:
    """Disable the event source mapping that starts the commissioner."""
    functions: Any = deployed.client(deployed.lobby, "lambda")
    [mapping] = functions.list_event_source_mappings(FunctionName="device-lobby-bell")["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def _arrived(deployed: Deployment, fleet: Fleet, target: Target) -> str:
    paths = fleet.make()
    fleet.power_on(paths)
    certid = certid_of(paths)
    deployed.wait(certid, "inlobby")
    deployed.claim(certid, target)
    deployed.wait(certid, "arrived")
    return certid


def test_the_sweeper_starts_the_lane_of_an_unprocessed_claim(deployed: Deployment, fleet: Fleet, first: Target) -> None:
    paths = fleet.make()
    certid = certid_of(paths)
    fleet.power_on(paths)
    deployed.wait(certid, "inlobby")
    with _without_a_stream(deployed):
        done = _run(deployed, sys.executable, "-c", CLAIM_15_MINUTES_AGO, certid, str(first), deployed.lobby.region)
        assert done.returncode == 0, done.stderr
        assert _sweep(deployed)["LanesStarted"] >= 1
        arrived = deployed.wait(certid, "arrived")
    assert arrived["historyIntact"]
    assert "LanesStarted" in deployed.log_lines("sweeper", "CloudWatchMetrics")[0]


@pytest.mark.full
def test_a_certificate_that_was_deactivated_in_its_target_is_found_and_repaired(
    deployed: Deployment, fleet: Fleet, first: Target
) -> None:
    certid = _arrived(deployed, fleet, first)
    deployed.client(first, "iot").update_certificate(certificateId=certid, newStatus="INACTIVE")
    assert _reconcile(deployed, certid) == [("CERTIFICATE_INACTIVE", False)]
    assert deployed.status(certid, first) == "INACTIVE"
    assert _reconcile(deployed, certid, "--repair", "--yes") == [("CERTIFICATE_INACTIVE", True)]
    until(lambda: deployed.status(certid, first) == "ACTIVE")
    deployed.wait(certid, "commissioned", "arrived")
    assert _reconcile(deployed, certid) == []


@pytest.mark.full
def test_an_orphaned_certificate_is_deactivated_and_a_foreign_one_is_not(
    deployed: Deployment, fleet: Fleet, first: Target, second: Target
) -> None:
    certid = _arrived(deployed, fleet, first)
    theirs = deployed.client(first, "iot")
    stranger = theirs.create_keys_and_certificate(setAsActive=True)
    theirs.create_thing(thingName="theirs", attributePayload={"attributes": {"certid": stranger["certificateId"]}})
    theirs.attach_thing_principal(thingName="theirs", principal=stranger["certificateArn"])
    deployed.move(certid, second)
    deployed.wait(certid, "arrived", previousTargets=[])
    assert deployed.status(certid, first) == "INACTIVE"
    theirs.update_certificate(certificateId=certid, newStatus="ACTIVE")
    assert _reconcile(deployed, certid, "--repair", "--yes") == [("ORPHANED", True)]
    assert deployed.status(certid, first) == "INACTIVE"
    assert deployed.status(certid, second) == "ACTIVE"
    device = deployed.existing(certid)
    last = device["history"][-1]
    assert (last["event"], last["actor"], last["target"]) == ("deactivate", "user:operator", str(first))
    assert (device["devstate"], device["historyIntact"]) == ("arrived", True)
    assert _reconcile(deployed, stranger["certificateId"], "--repair", "--yes") == [("ORPHANED_NOT_OURS", False)]
    assert deployed.status(stranger["certificateId"], first) == "ACTIVE"
    theirs.update_certificate(certificateId=stranger["certificateId"], newStatus="INACTIVE")


def test_the_daily_reconciliation_compares_every_target(deployed: Deployment) -> None:
    response = deployed.client(deployed.lobby, "lambda").invoke(
        FunctionName="device-lobby-reconciler", Payload=json.dumps({"round": "daily"}).encode()
    )
    output = json.loads(response["Payload"].read())
    assert not response.get("FunctionError"), output
    until(lambda: deployed.log_lines("reconciler", "TargetsNotCompared"))
    comparisons = _last(deployed)
    failed = [each["failed"]["code"] for each in comparisons if each["failed"]]
    # Other tests add targets without a role.
    assert failed == ["TARGET_ROLE_DENIED"] * output["TargetsNotCompared"]
    compared = [each for each in comparisons if not each["failed"]]
    assert len(compared) == len(deployed.targets)
    assert {(each["running"], each["last"]["byDevice"]) for each in compared} == {(None, False)}
    assert sum(each["last"]["compared"] for each in compared) == output["DevicesCompared"]


def _last(deployed: Deployment) -> list[dict[str, Any]]:
    """Return what `lobbyctl reconcile --last` prints for each target."""
    result = _lobbyctl(deployed, "reconcile", "--last")
    assert result.returncode in (0, 1), result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]
