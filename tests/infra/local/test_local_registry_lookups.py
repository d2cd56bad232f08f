"""Rules that look up the thing of an event: the condition, and the permissions of the rule's role."""

import json
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from infra.local.emulator import Emulator
from lobby.domain.targets.target_rules import connected_sql
from lobby.domain.targets.thing_claim import Progress, ThingClaim
from lobby.names import Fingerprint
from tests.infra.local.emulated_cloud import Device, Identity, aws, queue, received, register, until

LOBBY: Final = "999999999999/eu-west-1"
ACCOUNT: Final = "100000000001"
TRUST: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "iot.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ],
    }
)


def make_role(emulator: Emulator, name: str, resource: str | None) -> str:
    """Create a role that may describe the things `resource`."""
    iam = aws(emulator, 0, "iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    if resource:
        statement = {"Effect": "Allow", "Action": "iot:DescribeThing", "Resource": resource}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=name, PolicyName="look-up", PolicyDocument=document)
    return str(arn)


def make_rule(emulator: Emulator, name: str, role: str) -> str:
    """Create the rule that reports arrivals, with a queue. Return the queue's URL."""
    url, _ = queue(emulator, name)
    payload = {"sql": connected_sql(LOBBY, role), "actions": [{"sqs": {"queueUrl": url, "roleArn": role}}]}
    aws(emulator, 0, "iot").create_topic_rule(ruleName=name, topicRulePayload=payload)
    return url


def connect(emulator: Emulator, identity: Identity) -> None:
    Device(emulator, identity, emulator.layout.server_name(emulator.layout.lobby)).connect().close()


def claim_of(identity: Identity, lobby: str = LOBBY) -> ThingClaim:
    return ThingClaim(1, "default", lobby, Fingerprint(identity.id))


def attributes(claim: ThingClaim) -> Any:
    return {"attributes": {"certid": claim.certid, "claim": str(claim)}}


def test_only_a_device_that_the_lobby_waits_for_is_reported(emulator: Emulator) -> None:
    iot = aws(emulator, 0, "iot")
    allowed = make_rule(emulator, "awaited", make_role(emulator, "may", f"arn:aws:iot:*:{ACCOUNT}:thing/*"))
    denied = make_rule(emulator, "denied", make_role(emulator, "may-not", None))
    devices = {name: Identity(name) for name in ("stranger", "others", "borrowed", "awaited")}
    for identity in devices.values():
        register(iot, identity)
    iot.create_thing(thingName="others", attributePayload=attributes(claim_of(devices["others"], f"{LOBBY}/staging")))
    iot.create_thing(thingName="borrowed", attributePayload=attributes(claim_of(devices["awaited"])))
    iot.create_thing(thingName="awaited", attributePayload=attributes(claim_of(devices["awaited"])))
    for identity in devices.values():
        connect(emulator, identity)
    [report] = until(lambda: received(emulator, allowed))
    assert (report["devicename"], report["certid"], report["selected"]) == ("awaited", devices["awaited"].id, "awaited")

    arrived = claim_of(devices["awaited"]).with_progress(Progress.ARRIVED)
    iot.update_thing(thingName="awaited", attributePayload=attributes(arrived))
    connect(emulator, devices["awaited"])
    iot.update_thing(thingName="others", attributePayload=attributes(claim_of(devices["others"])))
    connect(emulator, devices["others"])
    [report] = until(lambda: received(emulator, allowed))
    assert report["devicename"] == "others"
    assert received(emulator, denied) == []


def test_an_update_of_another_version_of_a_thing_is_refused(emulator: Emulator) -> None:
    iot = aws(emulator, 0, "iot")
    iot.create_thing(thingName="versioned")
    version = iot.describe_thing(thingName="versioned")["version"]
    payload = {"attributes": {"a": "1"}, "merge": True}
    iot.update_thing(thingName="versioned", attributePayload=payload, expectedVersion=version)
    with pytest.raises(ClientError, match="VersionConflictException"):
        iot.update_thing(thingName="versioned", attributePayload=payload, expectedVersion=version)
    assert iot.describe_thing(thingName="versioned")["version"] == version + 1
