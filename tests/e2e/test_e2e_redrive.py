"""Failed work delays no other work, stays in an on-failure queue, and is retried with one command."""

import json
import subprocess
import sys
from typing import Any

import pytest

from infra.local.synthesis import ROOT
from lobby.names import Target
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.fleet import Fleet, certid_of

POISON = "d" * 64
_REDRIVE = [sys.executable, "-m", "infra.local", "redrive", "--state"]


def queue_of(deployed: Deployment, name: str) -> tuple[Any, str]:
    sqs = deployed.client(deployed.lobby, "sqs")
    return sqs, sqs.get_queue_url(QueueName=f"device-lobby-{name}")["QueueUrl"]


def waiting(deployed: Deployment, name: str) -> int:
    sqs, url = queue_of(deployed, name)
    result = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    return int(result["ApproximateNumberOfMessages"])


def redrive(deployed: Deployment, *options: str) -> str:
    done = subprocess.run(
        [*_REDRIVE, str(deployed.state), *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def is_registration_ended(deployed: Deployment, certid: str) -> bool:
    """Return whether the bouncer has examined the certificate. It logs nothing if there is none to admit."""
    key = {"certid": {"S": certid}}
    row = deployed.client(deployed.lobby, "dynamodb").get_item(TableName="device-lobby-registrations", Key=key)
    return bool(row.get("Item", {}).get("done", {}).get("BOOL"))


@pytest.mark.full
def test_an_unreadable_row_delays_no_claim_and_is_sent_to_the_on_failure_queue(
    deployed: Deployment, fleet: Fleet, first: Target
) -> None:
    paths = fleet.make()
    fleet.power_on(paths)
    deployed.wait(certid_of(paths), "inlobby")
    tables, before = deployed.client(deployed.lobby, "dynamodb"), waiting(deployed, "uncommissioned")
    row = {"certid": POISON, "devstate": "claimed", "enteredat": "2020", "turn": "commissioner", "target": "nowhere"}
    key = {"certid": {"S": POISON}}
    try:
        tables.put_item(TableName="device-lobby-ledger", Item={name: {"S": text} for name, text in row.items()})
        deployed.claim(certid_of(paths))
        assert events(deployed.wait(certid_of(paths), "arrived"))[2:] == ["claim", "commission", "arrive"]
        until(lambda: waiting(deployed, "uncommissioned") > before)
    finally:
        tables.delete_item(TableName="device-lobby-ledger", Key=key)
    assert "device-lobby-uncommissioned: 1 would be redriven" in redrive(deployed, "--dry-run")
    assert waiting(deployed, "uncommissioned") == 1
    redrive(deployed)
    assert waiting(deployed, "uncommissioned") == 0


@pytest.mark.full
def test_redrive_retries_failed_invocations_and_dead_letters(deployed: Deployment, fleet: Fleet, first: Target) -> None:
    """A dead letter of the arrivals queue, and a failed invocation of an earlier version's bouncer."""
    paths = fleet.make()
    certid = certid_of(paths)
    function = f"arn:aws:lambda:{deployed.lobby.region}:{deployed.lobby.account}:function:device-lobby-bouncer:$LATEST"
    invocation = {"requestContext": {"functionArn": function}, "requestPayload": {"certificateId": certid}}
    for name, body in (("undelivered", json.dumps(invocation)), ("arrivals-dead", "{}")):
        sqs, url = queue_of(deployed, name)
        sqs.send_message(QueueUrl=url, MessageBody=body)
    output = redrive(deployed)
    assert "device-lobby-registrations" in output
    assert [waiting(deployed, name) for name in ("undelivered", "arrivals-dead")] == [0, 0]
    until(lambda: is_registration_ended(deployed, certid))
