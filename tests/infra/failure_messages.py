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


def undelivered(rule: str, payload: bytes, client: str = "sensor-1") -> str:
    return json.dumps(
        {
            "ruleName": rule,
            "clientId": client,
            "base64OriginalPayload": base64.b64encode(payload).decode(),
            "failures": [{"failedAction": "LambdaAction", "errorMessage": "throttled"}],
        }
    )
