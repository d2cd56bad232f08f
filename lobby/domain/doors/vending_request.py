"""Reads the body of a request for a certificate: `{"thingName", "version"}` as in AWS's vending machine, and `csr`.

Each value has one rule; an invalid value raises `InvalidInput` with the value and the rule. Rejects unknown and
repeated members, because readers disagree about which of two equal members counts. Messages are logged, so they never
quote text that could be a key.
"""

import re
from dataclasses import dataclass
from typing import Final

from cryptography import x509

from lobby import strict_json
from lobby.domain.trust.signing_request import parse_signing_request
from lobby.errors import InvalidInput
from lobby.names import ThingName, parse_thing_name, shown

MAX_BODY: Final = 16 * 1024
"""Bytes."""
_MEMBERS: Final = ("thingName", "version", "csr")
_REQUIRED: Final = _MEMBERS[:2]
_VERSION: Final = re.compile(r"[a-zA-Z0-9_.,@/:#-]{1,64}")
"""The values that AWS IoT accepts for a thing's attribute (API reference, AttributePayload), without = [ ]."""


@dataclass(frozen=True)
class VendingRequest:
    """A validated request. Without a CSR, AWS IoT creates the key."""

    name: ThingName
    version: str
    csr: x509.CertificateSigningRequest | None = None
    csr_pem: str | None = None


def parse_request(body: bytes) -> VendingRequest:
    """Return the request in the body of an HTTP request. Raise `InvalidInput` INVALID_BODY, INVALID_THING_NAME,
    INVALID_VERSION, or the errors of `parse_signing_request`."""
    if len(body) > MAX_BODY:
        raise _bad_body(f"{len(body)} bytes, want at most {MAX_BODY}")
    try:
        fields = strict_json.loads(body)
    except ValueError as error:
        raise _bad_body(f"{len(body)} bytes that are not JSON ({shown(str(error))}), want an object") from None
    if not isinstance(fields, dict):
        raise _bad_body(f"{shown(fields)}, want a JSON object")
    unknown = [key for key in fields if key not in _MEMBERS]
    missing = [key for key in _REQUIRED if key not in fields]
    if unknown or missing:
        got = f"unknown member {shown(unknown[0])}" if unknown else f"no {missing[0]}"
        raise _bad_body(f"{got}, want thingName, version and, if the device has its own key, csr")
    name = parse_thing_name(fields["thingName"])
    version, csr = _version(fields["version"]), fields.get("csr")
    if csr is None:
        return VendingRequest(name, version)
    return VendingRequest(name, version, parse_signing_request(csr, name), csr)


def _version(value: object) -> str:
    if isinstance(value, str) and _VERSION.fullmatch(value):
        return value
    raise InvalidInput(
        "INVALID_VERSION", f"got {shown(value)}, want 1 to 64 of the characters a-z A-Z 0-9 _ . , @ / : # -"
    )


def _bad_body(what: str) -> InvalidInput:
    return InvalidInput("INVALID_BODY", f"got {what}")
