"""The messages of AWS IoT's provisioning by claim: topics, requests and answers (JSON).

AWS IoT developer guide, "Device provisioning MQTT API": CreateCertificateFromCsr, CreateKeysAndCertificate and
RegisterThing. Each request has one topic for accepted and one for rejected answers. The device subscribes to both by
name, because the policy of its claim certificate permits no wildcards. All other messages are rejected.
"""

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Final

from lobby.errors import InvalidInput
from lobby.names import ThingName, parse_thing_name
from lobby.wire import json_object

FROM_CSR: Final = "$aws/certificates/create-from-csr/json"
WITH_KEYS: Final = "$aws/certificates/create/json"
ACCEPTED: Final = "/accepted"
REJECTED: Final = "/rejected"
SERIAL_NUMBER: Final = "SerialNumber"
"""The parameter of the lobby's provisioning template."""
_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*")


@dataclass(frozen=True)
class Pending:
    """A pending certificate, and the token with which it can be registered for an hour. `key` is its private key (PEM)
    if AWS IoT has created it."""

    certificate: str
    token: str = field(repr=False)
    key: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Rejection:
    """Why a request was rejected. AWS does not distinguish a denial by the lobby from a failure of the lobby's
    check."""

    status: int
    code: str
    message: str

    @property
    def concerns_template(self) -> bool:
        """Whether the template does not exist, which a retry cannot correct."""
        return "Template" in self.code or (self.status == 404)

    @property
    def concerns_token(self) -> bool:
        """Whether the ownership token is used up or expired, so that another certificate is needed."""
        return "Token" in self.code

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.message}"


def register_topic(template: str) -> str:
    return f"$aws/provisioning-templates/{template}/provision/json"


def create_request(csr: str | None) -> bytes:
    """Return the request for a certificate: for the key of this CSR (PEM), or for a key that AWS IoT creates."""
    return b"{}" if csr is None else json.dumps({"certificateSigningRequest": csr}).encode()


def register_request(token: str, serial: ThingName) -> bytes:
    body = {"certificateOwnershipToken": token, "parameters": {SERIAL_NUMBER: serial}}
    return json.dumps(body).encode()


def parse_created(payload: bytes, *, with_key: bool, public_key: bytes) -> Pending:
    """Return the new certificate. Raise `InvalidInput` if it is not one for this public key (DER; empty: any key)."""
    body = json_object(payload)
    certificate, token = _text(body, "certificatePem"), _text(body, "certificateOwnershipToken")
    if public_key not in certificate_der(certificate):
        raise _bad_answer("a certificate of another key, want one for the key of the request")
    return Pending(certificate, token, _text(body, "privateKey") if with_key else None)


def parse_registered(payload: bytes) -> ThingName:
    """Return the thing name of the provisioned device. Raise `InvalidInput`."""
    return parse_thing_name(json_object(payload).get("thingName"))


def parse_rejection(payload: bytes) -> Rejection:
    """Return the rejection. An answer without the expected fields is also one, because the topic decides."""
    try:
        body = json_object(payload)
    except InvalidInput as error:
        return Rejection(0, "UNREADABLE", error.message)
    status = body.get("statusCode")
    code, message = (_line(body.get(name)) for name in ("errorCode", "errorMessage"))
    return Rejection(status if type(status) is int else 0, code, message)


def certificate_der(pem: str) -> bytes:
    """Return the DER of a single certificate. Raise `InvalidInput`."""
    found = _CERTIFICATE.fullmatch(pem.strip())
    try:
        if found is not None:
            return base64.b64decode("".join(found.group(1).split()), validate=True)
    except ValueError:
        pass
    raise _bad_answer("a certificate that is not PEM")


def _line(value: object) -> str:
    return "".join(each if each.isprintable() else " " for each in value)[:300] if isinstance(value, str) else ""


def _text(body: dict[str, object], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise _bad_answer(f"no {name}")
    return value


def _bad_answer(got: str) -> InvalidInput:
    return InvalidInput("INVALID_MESSAGE", f"got {got}")
