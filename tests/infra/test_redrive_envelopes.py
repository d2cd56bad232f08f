"""A redrive parses the messages of the on-failure queues and reports unreadable ones."""

import json
from typing import Any

import pytest

from infra.parts import permissions
from infra.redrive.envelopes import Unreadable, read
from lobby.names import Fingerprint
from tests.aws import HOME
from tests.infra.failure_messages import ONE, OURS, REGISTRATION, failed_invocation, failed_registration, undelivered

WEBHOOK = {"webhook": "wh_0123456789abcdef", "event": f"{ONE}-7", "body": {"type": "device.claim"}}

HELLO = {
    "certid": ONE,
    "devicename": "sensor-1",
    **dict.fromkeys(("clientversion", "presence", "renew", "transfer")),
}


def known(name: str) -> Fingerprint | None:
    return ONE if name == "sensor-1" else None


@pytest.mark.parametrize(
    ("body", "destination", "payload"),
    [
        (failed_invocation(), permissions.REGISTRATIONS, REGISTRATION),
        (json.dumps(REGISTRATION), permissions.REGISTRATIONS, REGISTRATION),
        (failed_registration(), permissions.REGISTRATIONS, REGISTRATION),
        (
            json.dumps({"unpublished": {"certid": ONE, "seq": 7}, "reason": "InternalFailure"}),
            "device-lobby-publisher",
            {"entries": [{"certid": ONE, "seq": 7}]},
        ),
        (json.dumps(WEBHOOK), "device-lobby-webhooks", WEBHOOK),
        (failed_invocation([1], OURS.replace("bouncer:$LATEST", "receptionist")), "device-lobby-receptionist", [1]),
        (
            undelivered("device_lobby_registered", json.dumps(REGISTRATION).encode()),
            permissions.REGISTRATIONS,
            REGISTRATION,
        ),
        (
            undelivered(
                "lobby",
                b'{"version": "1.4", "presence": true, "renew": true, "transfer": true, "certid": "another"}',
            ),
            "device-lobby-receptionist",
            HELLO | {"clientversion": "1.4", "presence": True, "renew": True, "transfer": True},
        ),
        (
            undelivered("lobby", b"\\xff not JSON"),
            "device-lobby-receptionist",
            HELLO,
        ),
        (undelivered("lobby", b"[]", "unknown-1"), "nothing to do", None),
        (
            undelivered(
                "device_lobby_connections",
                json.dumps(
                    {
                        "clientId": "sensor-1",
                        "timestamp": 7,
                        "eventType": "connected",
                        "sessionIdentifier": "s",
                        "principalIdentifier": ONE,
                        "ipAddress": "192.0.2.1",
                        "versionNumber": 0,
                    }
                ).encode(),
            ),
            "device-lobby-connections",
            {
                "event": "connected",
                "certid": ONE,
                "devicename": "sensor-1",
                "session": "s",
                "version": 0,
                "at": 7,
                "address": "192.0.2.1",
            },
        ),
    ],
    ids=[
        "bouncer of an earlier version",
        "crashed registration",
        "failed registration",
        "unpublished entry",
        "event of a webhook",
        "receptionist",
        "registration",
        "hello",
        "hello without JSON",
        "hello of an unknown device",
        "connection",
    ],
)
def test_a_message_is_parsed_to_an_event(body: str, destination: str, payload: Any) -> None:
    event = read(body, HOME, known)
    assert (event.destination, event.payload) == (destination, payload)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not JSON",
        "[]",
        "null",
        "{}",
        '{"requestPayload": {}}',
        "[" * 5000,
        failed_invocation(arn="arn:aws:lambda:eu-west-1:999999999999:function:device-lobby-bouncer"),
        failed_invocation(arn=f"arn:aws:lambda:{HOME.region}:{HOME.account}:function:payroll"),
        failed_invocation(arn=""),
        '{"requestPayload": {}, "requestContext": 7}',
        '{"unpublished": {"certid": "another", "seq": 7}, "reason": "none"}',
        '{"unpublished": 7, "reason": "none"}',
        undelivered("another_rule", b"{}"),
        undelivered("device_lobby_registered", b"not JSON"),
        undelivered("device_lobby_registered", b'{"certificateId": "x"}'),
        failed_registration("not JSON"),
        failed_registration("7"),
        '{"certificateId": 7}',
        undelivered("device_lobby_connections", b"[]"),
        '{"ruleName": "device_lobby_registered", "base64OriginalPayload": "%"}',
        '{"ruleName": "lobby", "failures": 7}',
    ],
)
def test_an_unreadable_message_is_reported(body: str) -> None:
    with pytest.raises(Unreadable):
        read(body, HOME, known)
