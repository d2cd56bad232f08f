"""Answers `$aws/certificates/create-from-csr/json`, by which a device gets a certificate for its own key.

Difference from AWS: AWS IoT answers the request (AWS IoT developer guide, "Device provisioning MQTT API",
CreateCertificateFromCsr); MiniStack accepts it and never answers. The new certificate is PENDING_ACTIVATION and is
returned with an ownership token, as by CreateKeysAndCertificate. RegisterThing, which MiniStack supports, activates it.
Unnecessary when MiniStack answers.
"""

import importlib
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

_IOT: Final = "ministack.services.iot"
TOPIC: Final = "$aws/certificates/create-from-csr/json"
_OPERATION: Final = "create-from-csr"
_PARSE: Final = PatchPoint(_IOT, "_parse_fleet_provisioning_topic", ("topic",))
_REPLY: Final = PatchPoint(
    _IOT, "_fleet_provisioning_reply", ("account_id", "region", "operation", "template_name", "payload", "connection")
)
PATCH_POINTS: Final = (
    _PARSE,
    _REPLY,
    PatchPoint(_IOT, "_ensure_ca", ()),
    PatchPoint(_IOT, "sign_certificate_request", ("ca_cert_pem", "ca_key_pem", "csr_pem")),
    PatchPoint(_IOT, "get_certificate_id"),
    PatchPoint(_IOT, "_certificate_record", ("cert_id", "cert_pem", "status", "ca_id")),
    PatchPoint(_IOT, "request_scope"),
    PatchPoint(_IOT, "_fleet_rejected", ("code", "message", "status")),
    PatchPoint(_IOT, "_certificates"),
    PatchPoint(_IOT, "_ownership_tokens"),
    PatchPoint(_IOT, "_OWNERSHIP_TOKEN_SECONDS"),
    PatchPoint(_IOT, "_drop_expired", ("store",)),
)
Reply = tuple[str, dict[str, Any]]
"""The suffix of the reply's topic, and the document."""


def apply() -> None:
    _PARSE.wrap(lambda original: lambda topic: (_OPERATION, None) if topic == TOPIC else original(topic))
    _REPLY.wrap(_replying)


def _replying(original: Callable[..., Awaitable[Reply]]) -> Callable[..., Awaitable[Reply]]:
    async def reply(
        account_id: str, region: str, operation: str, template_name: str | None, payload: bytes, connection: Any
    ) -> Reply:
        if operation != _OPERATION:
            return await original(account_id, region, operation, template_name, payload, connection)
        return _certificate_for(account_id, region, payload)

    return reply


def _certificate_for(account: str, region: str, payload: bytes) -> Reply:
    iot = importlib.import_module(_IOT)
    try:
        request = json.loads(payload)["certificateSigningRequest"]
        pem = iot.sign_certificate_request(*iot._ensure_ca(), request)
    except (ValueError, KeyError, TypeError, AttributeError):
        rejected: Reply = iot._fleet_rejected("InvalidCertificateSigningRequest", "CSR violates constraints")
        return rejected
    certid, token = iot.get_certificate_id(pem), secrets.token_urlsafe(48)
    with iot.request_scope(account, region):
        iot._certificates[certid] = iot._certificate_record(certid, pem, "PENDING_ACTIVATION")
        iot._drop_expired(iot._ownership_tokens)
        expiration = time.time() + iot._OWNERSHIP_TOKEN_SECONDS
        iot._ownership_tokens[token] = {"certificateId": certid, "expiration": expiration}
    return "accepted", {"certificateId": certid, "certificatePem": pem, "certificateOwnershipToken": token}
