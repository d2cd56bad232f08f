"""Requests for certificates: accepted ones, and every hostile input with its code."""

import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from lobby.domain.doors.vending_request import MAX_BODY, parse_request
from lobby.errors import InvalidInput
from tests import certificates as make

GOOD = {"thingName": "pump-1", "version": "1.0"}
CSR = make.signing_request("pump-1")
KEY_USAGE = x509.KeyUsage(True, False, False, False, False, True, False, False, False)


def body(**changed: Any) -> bytes:
    return json.dumps({**GOOD, **changed}).encode()


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in GOOD.items() if key != name}).encode()


@pytest.mark.parametrize("kind", ["SECP256R1", "SECP384R1", "SECP521R1", "rsa-2048"])
def test_a_csr_with_a_key_that_aws_iot_accepts_is_accepted(kind: str) -> None:
    request = parse_request(body(csr=make.signing_request("pump-1", kind=kind)))
    assert (request.name, request.version) == ("pump-1", "1.0")
    assert request.csr is not None


def test_further_fields_of_the_subject_and_other_notations_are_accepted() -> None:
    name = make.subject((NameOID.ORGANIZATION_NAME, "Acme"), (NameOID.COMMON_NAME, "pump-1"))
    old = CSR.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST").replace("\n", "\r\n")
    for csr in (make.signing_request(name=name), old, f"\n{CSR}\n"):
        assert parse_request(body(csr=csr)).csr is not None
    assert parse_request(body(csr=None)).csr is None


NAMES: list[Any] = ["", "pump 1", "pump/1", "pump+1", "#", "$aws", "pümp", "a" * 129, "pump-1\n", None, 1, [], {}]
VERSIONS: list[Any] = ["", "1 0", "1\n", "v" * 65, '1"', None, 1, 1.0, True, [], {"a": 1}]
BODIES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "INVALID_BODY"),
    "no JSON": (b"thingName=pump-1", "INVALID_BODY"),
    "not UTF-8": (b'{"thingName": "\xff"}', "INVALID_BODY"),
    "a list": (b"[]", "INVALID_BODY"),
    "text": (b'"pump-1"', "INVALID_BODY"),
    "null": (b"null", "INVALID_BODY"),
    "deep": (b"[" * 200 + b"]" * 200, "INVALID_BODY"),
    "deeper than Python's stack": (b"[" * 16_000, "INVALID_BODY"),
    "a number that is none": (b'{"thingName": NaN, "version": "1"}', "INVALID_BODY"),
    "too large": (body(version="1" * MAX_BODY), "INVALID_BODY"),
    "a member twice": (b'{"thingName": "a", "thingName": "pump-1", "version": "1"}', "INVALID_BODY"),
    "a member twice by an escape": (b'{"version": "1", "thingName": "a", "thing\\u004eame": "b"}', "INVALID_BODY"),
    "an unknown member": (body(thingname="x"), "INVALID_BODY"),
    "no name": (without("thingName"), "INVALID_BODY"),
    "no version": (without("version"), "INVALID_BODY"),
    **{f"thingName {name!r}": (body(thingName=name), "INVALID_THING_NAME") for name in NAMES},
    **{f"version {version!r}": (body(version=version), "INVALID_VERSION") for version in VERSIONS},
}


@pytest.mark.parametrize("case", BODIES)
def test_a_hostile_body_is_refused(case: str) -> None:
    content, code = BODIES[case]
    with pytest.raises(InvalidInput) as refused:
        parse_request(content)
    assert refused.value.code == code
    assert "want" in refused.value.message
    assert len(refused.value.message) < 600


def _changed_signature() -> str:
    lines = CSR.splitlines()
    lines[-2] = lines[-2][:-6] + ("AAAA" if lines[-2][-6:-2] != "AAAA" else "BBBB") + lines[-2][-2:]
    return "\n".join(lines) + "\n"


PRIVATE = "-----BEGIN " + "PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49SECRETSECRET\n-----END " + "PRIVATE KEY-----\n"
CSRS: dict[str, tuple[object, str]] = {
    "a number": (1, "INVALID_CSR"),
    "a list": ([CSR], "INVALID_CSR"),
    "empty": ("", "INVALID_CSR"),
    "no PEM": ("MIIB", "INVALID_CSR"),
    "base64 that is no CSR": (
        "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        "INVALID_CSR",
    ),
    "a certificate": (make.authority().pem, "INVALID_CSR"),
    "a private key": (PRIVATE, "INVALID_CSR"),
    "a CSR and a private key": (CSR + PRIVATE, "INVALID_CSR"),
    "two": (CSR + CSR, "INVALID_CSR"),
    "long": (CSR + " " * 13_000, "INVALID_CSR"),
    "another's signature": (_changed_signature(), "INVALID_CSR"),
    "a CA": (
        make.signing_request("pump-1", extensions=[x509.BasicConstraints(ca=True, path_length=None)]),
        "INVALID_CSR",
    ),
    "a key that signs certificates": (make.signing_request("pump-1", extensions=[KEY_USAGE]), "INVALID_CSR"),
    "RSA of 1024 bits": (make.signing_request("pump-1", kind="rsa-1024"), "CSR_WEAK_KEY"),
    "P-192": (make.signing_request("pump-1", kind="SECP192R1"), "CSR_WEAK_KEY"),
    "Ed25519": (make.signing_request("pump-1", kind="ed25519"), "CSR_WEAK_KEY"),
    "another CN": (make.signing_request("pump-2"), "CSR_OTHER_NAME"),
    "a CN in another case": (make.signing_request("Pump-1"), "CSR_OTHER_NAME"),
    "no CN": (make.signing_request(name=x509.Name([])), "CSR_OTHER_NAME"),
    "a CN in another field": (
        make.signing_request(name=make.subject((NameOID.ORGANIZATIONAL_UNIT_NAME, "CN=pump-1"))),
        "CSR_OTHER_NAME",
    ),
    "two CNs": (
        make.signing_request(name=make.subject((NameOID.COMMON_NAME, "pump-1"), (NameOID.COMMON_NAME, "pump-2"))),
        "CSR_OTHER_NAME",
    ),
}


@pytest.mark.parametrize("case", CSRS)
def test_a_hostile_csr_is_refused_and_no_key_is_quoted(case: str) -> None:
    csr, code = CSRS[case]
    content = json.dumps({**GOOD, "csr": csr}).encode()
    with pytest.raises(InvalidInput) as refused:
        parse_request(content)
    assert refused.value.code == code
    assert "SECRET" not in refused.value.message
    assert len(refused.value.message) < 600


def test_sha1_is_named_as_the_cause() -> None:
    """The library does not sign with SHA-1, so an algorithm identifier is replaced in a request of RSA."""
    pem = make.signing_request("pump-1", kind="rsa-2048")
    der = x509.load_pem_x509_csr(pem.encode()).public_bytes(Encoding.DER)
    sha256, sha1 = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
    assert der.count(sha256) == 1
    changed = x509.load_der_x509_csr(der.replace(sha256, sha1)).public_bytes(Encoding.PEM).decode()
    with pytest.raises(InvalidInput, match=f"CSR_WEAK_SIGNATURE: got a signature with {SHA1.name}"):
        parse_request(body(csr=changed))
