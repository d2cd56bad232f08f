"""Work that nobody could do: it holds up nobody else, waits where it is seen, and is done by one command later."""

import json
import subprocess
import sys
from typing import Any

from infra.local.synthesis import ROOT
from lobby.names import Target
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.workbench import Workbench, certid_of

POISON = "d" * 64
_REDRIVE = [sys.executable, "-m", "infra.local", "redrive", "--state"]


def queue_of(deployed: Deployment, name: str) -> tuple[Any, str]:
    sqs = deployed.client(deployed.lobby, "sqs")
    return sqs, sqs.get_queue_url(QueueName=f"device-lobby-{name}")["QueueUrl"]


def waiting(deployed: Deployment, name: str) -> int:
    sqs, url = queue_of(deployed, name)
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    return int(found["ApproximateNumberOfMessages"])


def redrive(deployed: Deployment, *options: str) -> str:
    done = subprocess.run(
        [*_REDRIVE, str(deployed.state), *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_row_that_nobody_can_read_holds_up_no_claim_and_is_handed_over(
    deployed: Deployment, bench: Workbench, first: Target
) -> None:
    paths = bench.make()
    bench.power(paths)
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


def test_what_was_given_up_is_done_by_one_command(deployed: Deployment, bench: Workbench, first: Target) -> None:
    """The arrival of a device that has arrived, reported to the dead letters; and its knock, by way of Lambda's own."""
    paths = bench.make()
    certid = certid_of(paths)
    function = f"arn:aws:lambda:{deployed.lobby.region}:{deployed.lobby.account}:function:device-lobby-bouncer:$LATEST"
    knock = {"requestContext": {"functionArn": function}, "requestPayload": {"certificateId": certid}}
    for name, body in (("undelivered", json.dumps(knock)), ("arrivals-dead", "{}")):
        sqs, url = queue_of(deployed, name)
        sqs.send_message(QueueUrl=url, MessageBody=body)
    said = redrive(deployed)
    assert "device-lobby-bouncer" in said
    assert [waiting(deployed, name) for name in ("undelivered", "arrivals-dead")] == [0, 0]
    until(lambda: deployed.said_by("bouncer", certid))
