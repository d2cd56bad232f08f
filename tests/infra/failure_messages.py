"""Messages of the on-failure queues, as AWS and the Lambdas send them."""

import base64
import json
from typing import Any

from lobby.names import Fingerprint
from tests.aws import HOME

ONE = Fingerprint("1a" * 32)
OURS = f"arn:aws:lambda:{HOME.region}:{HOME.account}:function:device-lobby-bouncer:$LATEST"
REGISTRATION = {"certificateId": ONE}


def failed_invocation(payload: Any = REGISTRATION, arn: str = OURS) -> str:
    return json.dumps(
        {
            "version": "1.0",
            "requestContext": {"functionArn": arn, "condition": "RetriesExhausted"},
            "requestPayload": payload,
            "responsePayload": {"errorMessage": "no table"},
        }
    )


def failed_registration(event: str = json.dumps(REGISTRATION)) -> str:
    return json.dumps({"registration": event, "reason": "ClientError: ThrottlingException", "attempts": 8})


def unarchived_event(detail: Any) -> str:
    """An event of the bus that Firehose did not accept, as EventBridge sends it to the dead-letter queue."""
    return json.dumps(
        {
            "version": "0",
            "id": "6f87d04b-9f74-4f04-a780-7acf4b0a9b38",
            "detail-type": "device.admit",
            "source": "device-lobby",
            "account": HOME.account,
            "time": "2026-11-30T08:00:00Z",
            "region": HOME.region,
            "resources": [],
            "detail": detail,
        }
    )


def undelivered(rule: str, payload: bytes, client: str = "sensor-1") -> str:
    return json.dumps(
        {
            "ruleName": rule,
            "clientId": client,
            "base64OriginalPayload": base64.b64encode(payload).decode(),
            "failures": [{"failedAction": "LambdaAction", "errorMessage": "throttled"}],
        }
    )
